//! Adding a device: whose it is and what it may do, the code that it scans or that of its own which was scanned, the digits
//! that both show, done.

use suishen_bridge::{Action, DeviceRole, Fault, Pairing, PatientRequest, PatientResponse, Response};
use yew::{AttrValue, Callback, Html, Properties, UseStateHandle, component, html, use_state};

use super::{
    pairing::{digits, use_pairing},
    share_sheet::dots,
};
use crate::{
    browser::{engine::use_parting, language::use_words, work::use_work},
    component::{Code, CopyLink, LinkTo, Sheet, fault_card, glyph, progress_card, use_voice},
    route::Route,
    words::Words,
};

/// Told when closed.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The new device's code, where that was scanned. Secret.
    #[prop_or_default]
    pub scanned: Option<AttrValue>,
    /// Told when closed.
    pub close: Callback<()>,
}

/// Draws it; closing it ends the invitation.
#[component]
pub fn AddSheet(props: &Props) -> Html {
    let (words, work, voice, pairing) = (use_words(), use_work(), use_voice(), use_pairing());
    use_parting(Some(PatientRequest::StopInviting));
    let helper = use_state(|| false);
    let role = use_state(|| DeviceRole::View);
    let link = use_state(|| None::<AttrValue>);
    let dialled = use_state(|| false);
    let added = use_state(|| false);
    let invite = {
        let (work, link, dialled, pairing) =
            (work.clone(), link.setter(), dialled.setter(), pairing.setter());
        let (person, role) = (*helper, if *helper { *role } else { DeviceRole::Manage });
        let scanned = props.scanned.clone();
        Callback::from(move |()| {
            let (link, dialled) = (link.clone(), dialled.clone());
            link.set(None);
            dialled.set(false);
            pairing.set(None);
            let request = match &scanned {
                Some(text) => PatientRequest::AdmitDevice { text: text.to_string(), role, person },
                None => PatientRequest::InviteDevice { role, person },
            };
            work.patient(request, move |response| match response {
                Response::Patient(PatientResponse::Link(made)) => link.set(Some(made.into())),
                _ => dialled.set(true),
            });
        })
    };
    let answer = |admit: bool, said: String| {
        let (work, voice, added, close) = (work.clone(), voice.clone(), added.setter(), props.close.clone());
        Callback::from(move |_| {
            let (voice, added, close, said) = (voice.clone(), added.clone(), close.clone(), said.clone());
            work.patient(PatientRequest::AnswerDevice { admit }, move |_| {
                voice.polite(said);
                if admit {
                    added.set(true);
                } else {
                    close.emit(());
                }
            });
        })
    };
    let ended = match &*pairing {
        Some(Pairing::Ended) => Some(Fault::new("pairing-ended", Action::Retry)),
        Some(Pairing::Unfinished) => Some(Fault::new("pairing-unfinished", Action::Nothing)),
        _ => None,
    };
    let progress = html! { if work.busy() { { progress_card(&words, work.progress()) } } };
    let (key, content) = if *added {
        ("pair-added", done(*helper, &props.close, &words))
    } else if let Some(fault) = work.fault().or(ended) {
        ("devices-add", fault_card(&words, &fault, Some(&invite), false))
    } else if let Some(Pairing::Asked { name, code }) = &*pairing {
        let [yes, no] =
            [(true, "pair-added"), (false, "pair-not-added")].map(|(yes, said)| answer(yes, words.say(said)));
        let buttons = html! { if !work.busy() {
            <p class="quiet">{ words.say("pair-careful") }</p>
            <button class="button primary wide" onclick={yes}>{ words.say("pair-yes") }</button>
            <button class="button wide" onclick={no}>{ words.say("pair-no") }</button>
        } };
        let asked = words.with("pair-asked", &[("name", name.as_str().into())]);
        ("pair-same", html! {<><p>{ asked }</p>{ digits(code) }{ progress }{ buttons }</>})
    } else if let Some(link) = &*link {
        (if *helper { "pair-show-helper" } else { "pair-show" }, shown(link, *helper, &words))
    } else if *dialled {
        ("devices-add", html! { <p class="waiting">{ dots() }<span>{ words.say("pair-meeting") }</span></p> })
    } else {
        let shows = props.scanned.is_none();
        let (icon, go) = if shows { ("qr-code", "show-make") } else { ("plus", "pair-connect") };
        (
            "devices-add",
            html! {<>
                { whose(&helper, &words) }
                if *helper { { roles(&role, &words) } }
                { progress }
                <button class="button primary wide" onclick={invite.reform(|_| ())} disabled={work.busy()}>{ glyph(icon) }{ words.say(go) }</button>
                if shows { <LinkTo to={Route::Scan} class="button wide">{ glyph("scan") }{ words.say("pair-scan") }</LinkTo> }
            </>},
        )
    };
    html! { <Sheet {key} title={words.say(key)} close={props.close.clone()}><div class="stack">{ content }</div></Sheet> }
}

/// What the new device, or its person, may do from now on.
fn done(helper: bool, close: &Callback<()>, words: &Words) -> Html {
    html! {<>
        <p>{ words.say(if helper { "pair-added-helper" } else { "pair-added-text" }) }</p>
        <button class="button primary wide" onclick={close.reform(|_| ())}>{ words.say("close") }</button>
    </>}
}

/// The code, and what to do with the other device.
fn shown(link: &AttrValue, helper: bool, words: &Words) -> Html {
    html! {<>
        <Code text={link.clone()} label={words.say("pair-code")} />
        <p class="sentence">{ words.say(if helper { "pair-how-helper" } else { "pair-how" }) }</p>
        <p class="waiting">{ dots() }<span>{ words.say("pair-waiting") }</span></p>
        <CopyLink link={link.clone()} wide={true} />
    </>}
}

/// Whose it is: one's own, or another person's.
fn whose(helper: &UseStateHandle<bool>, words: &Words) -> Html {
    let choices = [(false, "pair-mine", "pair-mine-may"), (true, "pair-helper", "pair-helper-may")];
    choice("whose", "pair-role", helper, &choices, words)
}

/// What the other person may do.
fn roles(role: &UseStateHandle<DeviceRole>, words: &Words) -> Html {
    let choices = [
        (DeviceRole::View, "helper-view", "helper-view-may"),
        (DeviceRole::Share, "helper-share", "helper-share-may"),
        (DeviceRole::Manage, "helper-manage", "helper-manage-may"),
    ];
    choice("role", "helper-role", role, &choices, words)
}

/// One of a few, each with a name and what it means.
fn choice<T: Copy + PartialEq + 'static>(
    group: &'static str,
    legend: &str,
    chosen: &UseStateHandle<T>,
    choices: &[(T, &str, &str)],
    words: &Words,
) -> Html {
    html! {
        <fieldset class="card">
            <legend class="heard">{ words.say(legend) }</legend>
            { for choices.iter().map(|(value, name, more)| {
                let onchange = { let (set, value) = (chosen.setter(), *value); Callback::from(move |_: yew::Event| set.set(value)) };
                html! {
                    <label class="choice parted">
                        <input type="radio" name={group} checked={**chosen == *value} {onchange} />
                        <span class="grow"><span class="line name">{ words.say(name) }</span><span class="line quiet">{ words.say(more) }</span></span>
                    </label>
                }
            }) }
        </fieldset>
    }
}
