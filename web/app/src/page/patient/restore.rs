//! Opening an existing wallet: the words or the recovery code; everything comes back from the mailbox, or from a
//! backup file.

use std::rc::Rc;

use suishen_bridge::{PatientRequest, Request};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement, InputEvent, SubmitEvent};
use yew::{
    Callback, Event, Html, Properties, TargetCast, UseStateSetter, classes, component, html, use_state,
};

use crate::{
    browser::{
        address::use_address,
        camera, file,
        language::use_words,
        scanner::{Scanner, Seen},
        work::use_work,
    },
    component::{LinkTo, back_bar, fault_card, glyph, progress_card, use_voice},
    route::Route,
};

/// Where it stands.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The way back; none where it is part of another page.
    #[prop_or_default]
    pub back: Option<Route>,
}

/// Draws it.
#[component]
pub fn RestorePage(props: &Props) -> Html {
    let (words, work, voice, address) = (use_words(), use_work(), use_voice(), use_address());
    let phrase = use_state(String::new);
    let backup = use_state(|| None::<Rc<file::Picked>>);
    let unread = use_state(|| false);
    let oninput = {
        let phrase = phrase.setter();
        Callback::from(move |event: InputEvent| {
            phrase.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
        })
    };
    let onpicture = reading_pictures(phrase.setter(), unread.setter());
    let onbackup = reading_backups(backup.setter());
    let submit = {
        let (work, phrase, backup, said) =
            (work.clone(), phrase.clone(), backup.clone(), words.say("restore-done"));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (voice, address, said, typed) =
                (voice.clone(), address.clone(), said.clone(), phrase.clone());
            let bytes = backup.as_ref().map(|picked| Rc::new(picked.bytes.clone()));
            let request = Request::Patient(PatientRequest::Restore { phrase: phrase.trim().to_owned() });
            work.run(request, bytes, move |_, _| {
                typed.set(String::new());
                voice.polite(said);
                address.replace(Route::Protect);
            });
        })
    };
    // Without a mailbox that holds it, the file is the way.
    let needed = work
        .fault()
        .is_some_and(|fault| matches!(fault.key.as_str(), "fault-mailbox-empty" | "fault-backup-needed"));
    let file = html! {<>
        <label class={classes!("button", "file-button", if needed { "wide" } else { "small" })}>{ glyph("upload-simple") }
            { backup.as_ref().map_or_else(|| words.say("restore-backup"), |picked| picked.name.clone()) }
            <input class="heard" type="file" onchange={onbackup} />
        </label>
        if !needed { <p class="quiet">{ words.say("restore-backup-note") }</p> }
    </>};
    html! {<>
        if let Some(back) = &props.back {
            { back_bar(&words, back.clone(), String::new(), Html::default()) }
            <h1>{ words.say("restore-title") }</h1>
        }
        if props.back == Some(Route::Home) {
            <section class="card padded stack close">
                <p>{ words.say("restore-device") }</p>
                <LinkTo to={Route::Join} class="button wide">{ glyph("qr-code") }{ words.say("restore-join") }</LinkTo>
            </section>
        }
        <p>{ words.say("restore-text") }</p>
        <form class="stack" onsubmit={submit}>
            <div class="field">
                <label for="phrase">{ words.say("restore-phrase") }</label>
                <textarea id="phrase" class="input" rows="4" value={(*phrase).clone()} {oninput} autocomplete="off" autocapitalize="off" spellcheck="false" />
            </div>
            <label class="button small file-button">{ glyph("qr-code") }{ words.say("restore-picture") }
                <input class="heard" type="file" accept="image/*" onchange={onpicture} />
            </label>
            if *unread { <p class="note" role="alert">{ glyph("warning-circle") }<span>{ words.say("scan-picture-nothing") }</span></p> }
            if !needed { { file.clone() } }
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
            if needed { { file } }
            <button class="button primary wide" disabled={work.busy() || phrase.trim().is_empty()}>{ words.say("restore-go") }</button>
        </form>
    </>}
}

/// Reads the recovery code in a picture that was picked.
fn reading_pictures(phrase: UseStateSetter<String>, unread: UseStateSetter<bool>) -> Callback<Event> {
    Callback::from(move |event: Event| {
        let input = event.target_unchecked_into::<HtmlInputElement>();
        let picked = file::files(input.files()).into_iter().next();
        input.set_value("");
        let (phrase, unread) = (phrase.clone(), unread.clone());
        spawn_local(async move {
            let (Some(picked), Some(scanner)) = (picked, Scanner::start()) else { return };
            let Some(bitmap) = camera::picture(&picked).await else { return unread.set(true) };
            match scanner.look(&bitmap).await {
                Seen::Code(text) => {
                    unread.set(false);
                    phrase.set(text);
                }
                Seen::Nothing | Seen::NoText => unread.set(true),
            }
        });
    })
}

fn reading_backups(backup: UseStateSetter<Option<Rc<file::Picked>>>) -> Callback<Event> {
    Callback::from(move |event: Event| {
        let picked =
            file::files(event.target_unchecked_into::<HtmlInputElement>().files()).into_iter().next();
        let backup = backup.clone();
        spawn_local(async move {
            let Some(picked) = picked else { return };
            backup.set(file::read(picked).await.map(Rc::new));
        });
    })
}
