//! Protection: a passkey where the phone has one, or a passphrase, measured, with generated words on offer.

use suishen_bridge::{PatientRequest, PatientResponse, Response};
use wasm_bindgen_futures::spawn_local;
use web_sys::SubmitEvent;
use yew::{Callback, Html, UseStateSetter, component, hook, html, use_effect_with, use_state};

use super::root::use_wallet;
use crate::{
    browser::{
        address::use_address,
        engine::{Engine, use_engine},
        language::use_words,
        passkey,
        work::{Work, use_work},
    },
    component::{PassphraseField, back_bar, fault_card, glyph, progress_card, use_voice},
    route::Route,
    words::Words,
};

/// Estimated bits, and whether they are enough.
type Strength = (u32, bool);

/// Draws it.
#[component]
pub fn ProtectPage() -> Html {
    let (words, wallet, address, voice, engine, work) =
        (use_words(), use_wallet(), use_address(), use_voice(), use_engine(), use_work());
    let typed = use_state(String::new);
    let suggested = use_state(|| None::<String>);
    let refused = use_state(|| None::<&'static str>);
    let strength = use_strength((*typed).clone(), engine.clone());
    let done = {
        let (said, checked) = (words.say("protect-done"), wallet.phrase_checked);
        Callback::from(move |()| {
            voice.polite(said.clone());
            address.replace(if checked { Route::Home } else { Route::Recovery });
        })
    };
    let make = {
        let (work, refused, done, name) =
            (work.clone(), refused.setter(), done.clone(), words.say("suishen"));
        Callback::from(move |_| {
            refused.set(None);
            spawn_local(make_passkey(
                engine.clone(),
                work.clone(),
                name.clone(),
                refused.clone(),
                done.clone(),
            ));
        })
    };
    let suggest = {
        let (work, suggested, typed) = (work.clone(), suggested.setter(), typed.setter());
        Callback::from(move |_| {
            let (suggested, typed) = (suggested.clone(), typed.clone());
            work.patient(PatientRequest::Suggest, move |response| {
                if let Response::Patient(PatientResponse::Suggestion(words)) = response {
                    typed.set(words.clone());
                    suggested.set(Some(words));
                }
            });
        })
    };
    let save = {
        let (work, typed, done) = (work.clone(), typed.clone(), done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (done, typed) = (done.clone(), typed.clone());
            work.patient(PatientRequest::AddPassphrase { passphrase: (*typed).clone() }, move |_| {
                typed.set(String::new());
                done.emit(());
            });
        })
    };
    let enough = strength.is_some_and(|(_, enough)| enough);
    html! {
        <div class="phone bare">
            { back_bar(&words, Route::Home, String::new(), Html::default()) }
            <main class="stack">
                <h1>{ words.say("protect-title") }</h1>
                <p>{ words.say("protect-text") }</p>
                if passkey::possible() {
                    <button class="button primary wide" onclick={make} disabled={work.busy()}>{ glyph("fingerprint") }{ words.say("protect-passkey") }</button>
                    if let Some(key) = *refused { <p class="note" role="alert">{ glyph("warning-circle") }<span>{ words.say(key) }</span></p> }
                    <p class="divider">{ words.say("or") }</p>
                }
                <form class="stack" onsubmit={save}>
                    <PassphraseField id="passphrase" label={words.say("protect-passphrase")} value={(*typed).clone()}
                        change={Callback::from({ let typed = typed.setter(); move |text| typed.set(text) })}
                        autocomplete="new-password" described_by={Some(yew::AttrValue::from("strength"))} />
                    <div id="strength" role="status">{ strength_meter(strength, &words) }</div>
                    if let Some(words_offered) = suggested.as_ref().filter(|offered| **offered == *typed) {
                        <p class="sentence"><strong>{ words_offered }</strong><br /><span class="quiet">{ words.say("suggestion-note") }</span></p>
                    }
                    <button type="button" class="plain" onclick={suggest} disabled={work.busy()}>{ glyph("shuffle") }{ words.say("suggest") }</button>
                    if work.busy() { { progress_card(&words, work.progress()) } }
                    if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                    <button class={if passkey::possible() { "button wide" } else { "button primary wide" }} disabled={!enough || work.busy()}>{ words.say("protect-save") }</button>
                </form>
                <p class="quiet">{ words.say("protect-note") }</p>
            </main>
        </div>
    }
}

/// How strong what was typed is, as the engine measures it.
#[hook]
fn use_strength(typed: String, engine: Engine) -> Option<Strength> {
    let strength = use_state(|| None::<Strength>);
    use_effect_with(typed, {
        let strength = strength.setter();
        move |typed: &String| {
            let passphrase = typed.clone();
            spawn_local(async move {
                let measured = if passphrase.is_empty() {
                    None
                } else {
                    engine.patient(PatientRequest::Measure { passphrase }).await.ok()
                };
                strength.set(match measured {
                    Some(PatientResponse::Strength { bits, enough }) => Some((bits, enough)),
                    _ => None,
                });
            });
        }
    });
    *strength
}

/// Has the phone make a passkey for `name` and stores its slot; `refused` is told the sentence of why it didn't.
async fn make_passkey(
    engine: Engine,
    work: Work,
    name: String,
    refused: UseStateSetter<Option<&'static str>>,
    done: Callback<()>,
) {
    let Ok(PatientResponse::Passkey { user, salt }) = engine.patient(PatientRequest::NewPasskey).await else {
        return refused.set(Some("passkey-none"));
    };
    match passkey::create(&user, &salt, &name).await {
        Ok(key) => {
            let request = PatientRequest::AddPasskey { credential: key.credential, prf: key.prf };
            work.patient(request, move |_| done.emit(()));
        }
        Err(key) => refused.set(Some(key)),
    }
}

fn strength_meter(strength: Option<Strength>, words: &Words) -> Html {
    html! {
        if let Some((bits, enough)) = strength {
            <svg class={if enough { "meter" } else { "meter weak" }} aria-hidden="true">
                <rect class="rest" width="100%" height="100%" rx="4" />
                <rect class="done" width={format!("{}%", bits.min(100))} height="100%" rx="4" />
            </svg>
            <p class="quiet">{ words.say(if enough { "strength-enough" } else { "strength-weak" }) }</p>
        } else {
            <p class="quiet">{ words.say("strength-hint") }</p>
        }
    }
}
