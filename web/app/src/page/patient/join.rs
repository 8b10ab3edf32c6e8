//! The new device: a name for it, its code where the old device has the camera, six digits to be compared, and the records are
//! here. In a browser that has a wallet
//! already it is another person's, which then lies beside.

use suishen_bridge::{Pairing, PatientRequest};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, InputEvent, SubmitEvent};
use yew::{AttrValue, Callback, Html, Properties, TargetCast, UseStateHandle, component, html, use_state};

use super::{
    pairing::{digits, use_pairing},
    share_sheet::dots,
};
use crate::{
    browser::{
        address::use_address,
        engine::{Engine, use_engine, use_parting},
        language::use_words,
        offline, page,
        work::use_work,
    },
    component::{Code, CopyLink, fault_card, progress_card, use_voice},
    page::UnknownPage,
    route::Route,
    words::Words,
};

/// What was scanned.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The code's link. Secret. None where the old device is to scan this one's.
    #[prop_or_default]
    pub text: Option<AttrValue>,
    /// There is a wallet in this browser: its owner's name, empty where it isn't known.
    #[prop_or_default]
    pub here: Option<AttrValue>,
    /// Told when it was dealt with.
    pub dealt: Callback<()>,
}

/// The key of what such a device is usually called.
fn usual_name(agent: &str) -> &'static str {
    let agent = agent.to_ascii_lowercase();
    let has = |name: &str| agent.contains(name);
    if has("ipad") || has("tablet") || (has("android") && !has("mobile")) {
        "device-tablet"
    } else if has("mobile") || has("phone") {
        "device-phone"
    } else {
        "device-computer"
    }
}

/// A device that shows its own code: only where there is no wallet.
#[derive(Properties, PartialEq)]
pub struct NewDeviceProps {
    /// There is a wallet in this browser.
    pub here: bool,
}

/// Draws it.
#[component]
pub fn NewDevice(props: &NewDeviceProps) -> Html {
    // As it was at first: joining itself brings a wallet.
    let here = *use_state(|| props.here);
    if here {
        return html! { <UnknownPage /> };
    }
    html! { <Join dealt={Callback::noop()} /> }
}

/// Draws it.
#[component]
pub fn Join(props: &Props) -> Html {
    let (words, work, voice, address, pairing) =
        (use_words(), use_work(), use_voice(), use_address(), use_pairing());
    let engine = use_engine();
    // As it was at first: joining itself brings a wallet.
    let beside = *use_state(|| props.here.is_some());
    let said = use_state(|| false);
    let name = use_state(|| {
        let device = words.say(usual_name(&page::agent()));
        match props.here.as_deref().filter(|owner| !owner.is_empty()) {
            Some(owner) => {
                words.with("join-device-of", &[("name", owner.into()), ("device", device.as_str().into())])
            }
            None => device,
        }
    });
    let whose = use_state(String::new);
    let join = {
        let (work, name, whose, text) = (work.clone(), name.clone(), whose.clone(), props.text.clone());
        let (pairing, said_before, dealt) = (pairing.setter(), said.setter(), props.dealt.clone());
        let done = words.say(if beside { "join-done-beside" } else { "join-done" });
        Callback::from(move |()| {
            let (voice, dealt, address, done) = (voice.clone(), dealt.clone(), address.clone(), done.clone());
            pairing.set(None);
            said_before.set(false);
            let request = PatientRequest::Join {
                text: text.as_ref().map(ToString::to_string),
                name: name.trim().to_owned(),
                whose: whose.trim().to_owned(),
            };
            work.patient(request, move |_| {
                voice.polite(done);
                dealt.emit(());
                spawn_local(async { _ = offline::persist().await });
                address.replace(Route::Home);
            });
        })
    };
    use_parting(props.text.is_none().then_some(PatientRequest::StopJoining));
    let onsubmit = join.reform(|event: SubmitEvent| event.prevent_default());
    // Once the records come, the digits have done their work.
    let comes = work.progress().is_some_and(|progress| progress.total > 0);
    // Nothing goes on while a person is to do something.
    let waits = matches!(*pairing, Some(Pairing::Show { .. } | Pairing::Compare { asks: true, .. }));
    let lacking = name.trim().is_empty() || (beside && whose.trim().is_empty());
    let text = match (beside, whose.trim()) {
        (false, _) => words.say("join-text"),
        (true, "") => words.say("join-beside"),
        (true, whose) => words.with("join-beside-of", &[("name", whose.into())]),
    };
    let content = if work.busy() {
        html! {<>
            { meeting(pairing.as_ref().filter(|_| !comes), beside, &said, &engine, &words) }
            if comes || !waits { { progress_card(&words, work.progress()) } }
        </>}
    } else {
        html! {
            <form class="stack column" {onsubmit}>
                if beside { { field("whose", words.say("join-whose"), &whose) } }
                <p aria-live="polite">{ text }</p>
                { field("device-name", words.say(if beside { "join-name-beside" } else { "join-name" }), &name) }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&join), false) } }
                <div class="push"><button class="button primary wide" disabled={lacking}>{ words.say(if props.text.is_some() { "join-go" } else { "show-make" }) }</button></div>
            </form>
        }
    };
    html! {<><h1>{ words.say(if beside { "join-title-beside" } else { "join-title" }) }</h1>{ content }</>}
}

/// What the old device scans, or the digits that both show.
fn meeting(
    pairing: Option<&Pairing>,
    beside: bool,
    said: &UseStateHandle<bool>,
    engine: &Engine,
    words: &Words,
) -> Html {
    let answer = |same: bool| {
        let (engine, said) = (engine.clone(), said.setter());
        Callback::from(move |_| {
            let engine = engine.clone();
            said.set(true);
            spawn_local(async move {
                // Where nobody waits for it any longer, that has said so.
                let _ = engine.patient(PatientRequest::AnswerOwner { same }).await;
            });
        })
    };
    match pairing {
        Some(Pairing::Show { link }) => {
            let link = AttrValue::from(link.clone());
            html! {<>
                <Code text={link.clone()} label={words.say("join-code")} />
                <p class="sentence">{ words.say("join-how") }</p>
                <CopyLink {link} wide={true} />
            </>}
        }
        Some(Pairing::Compare { code, asks }) => html! {<>
            <p>{ words.say(match (asks, beside) {
                (true, _) => "join-compare-both",
                (false, true) => "join-compare-beside",
                (false, false) => "join-compare",
            }) }</p>
            { digits(code) }
            if *asks && **said {
                <p class="waiting">{ dots() }<span>{ words.say("join-waiting") }</span></p>
            } else if *asks {
                <button class="button primary wide" onclick={answer(true)}>{ words.say("join-same") }</button>
                <button class="button wide" onclick={answer(false)}>{ words.say("pair-no") }</button>
            }
        </>},
        _ => Html::default(),
    }
}

/// A line to type a name into.
fn field(id: &'static str, label: String, text: &UseStateHandle<String>) -> Html {
    let typed = text.setter();
    let oninput = Callback::from(move |event: InputEvent| {
        typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
    });
    html! {
        <div class="field">
            <label for={id}>{ label }</label>
            <input {id} class="input" value={(**text).clone()} {oninput} maxlength="20" autocomplete="off" />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_first_called_what_it_is() {
        for (agent, key) in [
            ("Mozilla/5.0 (Linux; Android 13; V2102A) … Chrome/120.0 Mobile Safari/537.36", "device-phone"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) … Mobile/15E148", "device-phone"),
            ("Mozilla/5.0 (Linux; Android 12; SM-T870) … Chrome/120.0 Safari/537.36", "device-tablet"),
            ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) … Mobile/15E148", "device-tablet"),
            ("Mozilla/5.0 (X11; Linux x86_64) … Chrome/156.0.0.0 Safari/537.36", "device-computer"),
        ] {
            assert_eq!(usual_name(agent), key, "{agent}");
        }
    }
}
