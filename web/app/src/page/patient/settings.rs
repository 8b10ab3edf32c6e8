//! Settings: protection, recovery words, devices, backup, language, look, release, storage; locking; deleting, last
//! and in red.

use suishen_bridge::{KeptWallet, PatientRequest, PatientResponse, Request, Response};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_state};

use super::{
    root::use_wallet,
    sync::{standing, use_sync},
};
use crate::{
    browser::{
        address::use_address,
        engine::use_greeting,
        file,
        language::{Change, use_setting},
        ledger::use_ledger,
        offline,
        work::use_work,
    },
    component::{LinkTo, Segments, Sheet, back_bar, fault_card, glyph, status_line, use_voice},
    route::Route,
    words::Language,
};

/// What settings can end.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Locks the wallet.
    pub lock: Callback<()>,
}

const THEMES: [Option<&str>; 3] = [None, Some("light"), Some("dark")];

/// Draws it.
#[component]
pub fn SettingsPage(props: &Props) -> Html {
    let setting = use_setting();
    let words = setting.words.clone();
    let (wallet, ledger, sync) = (use_wallet(), use_ledger(), use_sync());
    let deleting = use_state(|| false);
    let set_deleting = |on: bool| {
        let deleting = deleting.setter();
        Callback::from(move |()| deleting.set(on))
    };
    let language = {
        let change = setting.change.clone();
        Callback::from(move |chosen: usize| {
            change.emit(Change::Language(if chosen == 0 { Language::Chinese } else { Language::English }));
        })
    };
    let theme = {
        let change = setting.change.clone();
        Callback::from(move |chosen: usize| change.emit(Change::Theme(THEMES[chosen.min(2)])))
    };
    let entry = |to: Route, icon: &'static str, key: &str, more: String| {
        html! {
            <LinkTo {to} class="entry parted">
                <span class="lead narrow">{ glyph(icon) }</span>
                <span class="grow"><span class="line name">{ words.say(key) }</span><span class="line quiet">{ more }</span></span>
                { glyph("caret-right-bold") }
            </LinkTo>
        }
    };
    let backed_up = wallet.backed_up.map_or_else(
        || words.say("settings-backup-never"),
        |at| words.with("settings-backup-at", &[("when", words.when(at, ledger.now_or_start()).into())]),
    );
    let copies = sync.as_ref().map(|sync| standing(&words, sync, ledger.now_or_start()));
    let removed = copies.clone().filter(|_| sync.is_some_and(|sync| sync.removed));
    let copies = copies.map(|(_, line, more)| {
        [Some(line), more].into_iter().flatten().collect::<Vec<_>>().join(&words.say("comma"))
    });
    // Another person's wallet has no lock, no words and no backup of its own here.
    let own = wallet.of.is_none();
    html! {
        <div class="phone bare">
            { back_bar(&words, Route::Home, String::new(), Html::default()) }
            <main class="stack">
                <h1>{ words.say("settings") }</h1>
                if let Some((status, line, more)) = removed { { status_line(status, line, more, Some(Route::Devices), None) } }
                <nav class="card" aria-label={words.say("settings")}>
                    if own {
                    { entry(Route::Protect, "lock-simple", "settings-protect", words.say(if wallet.protected { "settings-protected" } else { "settings-unprotected" })) }
                    { entry(Route::Recovery, "note-pencil", "settings-recovery", words.say(if wallet.phrase_checked { "settings-recovery-done" } else { "settings-recovery-open" })) }
                    }
                    { entry(Route::Devices, "device-mobile", if own { "devices" } else { "devices-in" }, copies.unwrap_or_default()) }
                </nav>
                if own { <Backup state={backed_up} /> }
                <section class="stack close">
                    <h2>{ words.say("settings-language") }</h2>
                    <Segments label={words.say("settings-language")} names={vec!["中文".to_owned(), "English".to_owned()]} chosen={usize::from(words.language() == Language::English)} choose={language} />
                    <h2>{ words.say("settings-theme") }</h2>
                    <Segments label={words.say("settings-theme")} names={vec![words.say("theme-system"), words.say("theme-light"), words.say("theme-dark")]}
                        chosen={THEMES.iter().position(|theme| *theme == setting.theme).unwrap_or_default()} choose={theme} />
                </section>
                <Storage />
                <Release />
                <button class="button wide" onclick={props.lock.reform(|_| ())} disabled={!wallet.protected}>{ glyph("lock-simple") }{ words.say("settings-lock") }</button>
                <button class="button danger wide" onclick={set_deleting(true).reform(|_| ())}>{ glyph("trash") }{ words.say(if own { "settings-delete" } else { "put-away" }) }</button>
            </main>
            if let Some(of) = wallet.of.as_ref().filter(|_| *deleting) { <PutAwaySheet of={of.clone()} close={set_deleting(false)} /> }
            else if *deleting { <DeleteSheet kept={wallet.kept.iter().map(|kept| kept.name.clone()).collect::<Vec<_>>()} close={set_deleting(false)} /> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct BackupProps {
    state: String,
}

/// Writing the encrypted backup file.
#[component]
fn Backup(props: &BackupProps) -> Html {
    let (setting, work, voice) = (use_setting(), use_work(), use_voice());
    let words = setting.words;
    let export = {
        let (work, words) = (work.clone(), words.clone());
        Callback::from(move |_| {
            let (voice, words) = (voice.clone(), words.clone());
            work.run(Request::Patient(PatientRequest::Backup), None, move |response, bytes| {
                if let (Response::Patient(PatientResponse::Backup { name, records }), Some(bytes)) =
                    (response, bytes)
                {
                    file::save(&name, &bytes);
                    voice.polite(words.count("settings-backup-saved", records));
                }
            });
        })
    };
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("settings-backup") }</h2>
            <p>{ words.say("settings-backup-text") }</p>
            <p class="quiet">{ &props.state }</p>
            <div class="buttons">
                <button class="button small" onclick={export} disabled={work.busy()}>{ glyph("download-simple") }{ words.say("settings-backup-save") }</button>
                <LinkTo to={Route::Restore} class="button small">{ glyph("upload-simple") }{ words.say("settings-backup-read") }</LinkTo>
            </div>
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
        </section>
    }
}

/// Whether the browser may empty this site's storage.
#[component]
fn Storage() -> Html {
    let words = use_setting().words;
    let persistent = use_state(|| None::<bool>);
    use_effect_with((), {
        let persistent = persistent.setter();
        move |()| spawn_local(async move { persistent.set(Some(offline::is_persistent().await)) })
    });
    let ask = {
        let persistent = persistent.setter();
        Callback::from(move |_| {
            let persistent = persistent.clone();
            spawn_local(async move { persistent.set(Some(offline::persist().await)) });
        })
    };
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("settings-storage") }</h2>
            if *persistent == Some(true) {
                <p class="quiet">{ words.say("settings-storage-kept") }</p>
            } else {
                <p class="quiet">{ words.say("settings-storage-loose") }</p>
                <button class="button small" onclick={ask}>{ words.say("settings-storage-ask") }</button>
            }
        </section>
    }
}

/// Which release runs, and a newer one on offer.
#[component]
fn Release() -> Html {
    let words = use_setting().words;
    let program = use_greeting().release;
    let releases = use_state(|| (None::<String>, None::<String>));
    use_effect_with((), {
        let releases = releases.setter();
        move |()| {
            spawn_local(async move {
                releases.set((offline::served_release().await, offline::offered_release().await));
            });
        }
    });
    let (served, offered) = (*releases).clone();
    let newer = served.is_some() && offered.is_some() && served != offered;
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("settings-release") }</h2>
            <p class="hex">{ format!("{program} {}", served.unwrap_or_default()) }</p>
            if newer {
                <p>{ words.say("settings-release-newer") }</p>
                <button class="button small" onclick={Callback::from(|_| offline::take_release())}>{ words.say("settings-release-take") }</button>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct PutAwayProps {
    of: KeptWallet,
    close: Callback<()>,
}

/// Putting another person's wallet away: what goes and what stays.
#[component]
fn PutAwaySheet(props: &PutAwayProps) -> Html {
    let words = use_setting().words;
    let (work, address, voice) = (use_work(), use_address(), use_voice());
    let put_away = {
        let (work, wallet, said) = (work.clone(), props.of.wallet.clone(), words.say("put-away-done"));
        Callback::from(move |_| {
            let (address, voice, said) = (address.clone(), voice.clone(), said.clone());
            work.patient(PatientRequest::PutAway { wallet: wallet.clone() }, move |_| {
                voice.polite(said);
                address.replace(Route::Home);
            });
        })
    };
    html! {
        <Sheet title={words.with("put-away-title", &[("name", props.of.name.as_str().into())])} close={props.close.clone()}>
            <div class="stack">
                <p>{ words.say("put-away-text") }</p>
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                <button class="button danger wide" onclick={put_away} disabled={work.busy()}>{ glyph("trash") }{ words.say("put-away") }</button>
                <button class="button wide" onclick={props.close.reform(|_| ())}>{ words.say("put-away-keep") }</button>
            </div>
        </Sheet>
    }
}

#[derive(Properties, PartialEq)]
struct DeleteProps {
    /// The wallets of others that go with it, by name.
    kept: Vec<String>,
    close: Callback<()>,
}

/// Deleting: red, and honest that the hospital keeps its own records.
#[component]
fn DeleteSheet(props: &DeleteProps) -> Html {
    let words = use_setting().words;
    let (work, address) = (use_work(), use_address());
    let sure = use_state(|| false);
    let delete = {
        let work = work.clone();
        Callback::from(move |_| {
            let address = address.clone();
            work.patient(PatientRequest::Delete, move |_| address.replace(Route::Home));
        })
    };
    let toggle = {
        let sure = sure.clone();
        Callback::from(move |_: yew::Event| sure.set(!*sure))
    };
    html! {
        <Sheet title={words.say("delete-title")} close={props.close.clone()}>
            <div class="stack">
                <p>{ words.say("delete-text") }</p>
                if !props.kept.is_empty() { <p>{ words.with("delete-kept", &[("names", words.list(&props.kept).into())]) }</p> }
                <p class="quiet">{ words.say("delete-hospital") }</p>
                <label class="choice"><input type="checkbox" checked={*sure} onchange={toggle} /><span>{ words.say("delete-sure") }</span></label>
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                <button class="button danger wide" onclick={delete} disabled={!*sure || work.busy()}>{ glyph("trash") }{ words.say("settings-delete") }</button>
                <button class="button wide" onclick={props.close.reform(|_| ())}>{ words.say("delete-keep") }</button>
            </div>
        </Sheet>
    }
}
