//! Unlocking: passkey first where there is one; passphrase with paste and show. A wrong passphrase and a damaged store
//! read differently, by the fault's own sentence.

use suishen_bridge::{PatientRequest, Slot};
use wasm_bindgen_futures::spawn_local;
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, component, html, use_state};

use crate::{
    browser::{language::use_words, passkey, work::use_work},
    component::{LanguageSwitch, LinkTo, PassphraseField, fault_sentence, glyph, logo, progress_card},
    route::Route,
};

/// How it can be opened.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The slots.
    pub slots: Vec<Slot>,
    /// A link waits to be dealt with.
    pub waiting: bool,
}

/// Draws it.
#[component]
pub fn UnlockPage(props: &Props) -> Html {
    let (words, work) = (use_words(), use_work());
    let typed = use_state(String::new);
    let refused = use_state(|| None::<&'static str>);
    let passkeys: Vec<(Vec<u8>, Vec<u8>)> = props
        .slots
        .iter()
        .filter_map(|slot| match slot {
            Slot::Passkey { credential, salt } => Some((credential.clone(), salt.clone())),
            Slot::Passphrase => None,
        })
        .collect();
    let has_passphrase = props.slots.contains(&Slot::Passphrase);
    let by_passkey = {
        let (work, passkeys, refused) = (work.clone(), passkeys.clone(), refused.setter());
        Callback::from(move |_| {
            let (work, passkeys, refused) = (work.clone(), passkeys.clone(), refused.clone());
            refused.set(None);
            spawn_local(async move {
                match passkey::get(&passkeys).await {
                    Ok(key) => {
                        work.patient(
                            PatientRequest::UnlockPasskey { credential: key.credential, prf: key.prf },
                            |_| (),
                        );
                    }
                    Err(key) => refused.set(Some(key)),
                }
            });
        })
    };
    let by_passphrase = {
        let (work, typed) = (work.clone(), typed.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let passphrase = (*typed).clone();
            let typed = typed.clone();
            work.patient(PatientRequest::UnlockPassphrase { passphrase }, move |_| typed.set(String::new()));
        })
    };
    let fault = work.fault();
    html! {
        <div class="phone bare">
            <header class="top">
                <span class="desk-name">{ logo() }{ words.say("suishen") }</span>
                <LanguageSwitch />
            </header>
            <main class="stack">
                <h1>{ words.say("unlock-title") }</h1>
                if props.waiting { <p>{ words.say("unlock-waiting") }</p> }
                if !passkeys.is_empty() {
                    <button class="button primary wide" onclick={by_passkey} disabled={work.busy()}>{ glyph("fingerprint") }{ words.say("unlock-passkey") }</button>
                }
                if let Some(key) = *refused { <p class="note" role="alert">{ glyph("warning-circle") }<span>{ words.say(key) }</span></p> }
                if has_passphrase {
                    <form class="stack" onsubmit={by_passphrase}>
                        <PassphraseField id="passphrase" label={words.say(if passkeys.is_empty() { "unlock-passphrase" } else { "unlock-or" })}
                            value={(*typed).clone()} change={Callback::from({ let typed = typed.setter(); move |text| typed.set(text) })}
                            autocomplete="current-password" described_by={fault.is_some().then(|| yew::AttrValue::from("unlock-fault"))} invalid={fault.is_some()} />
                        if let Some(fault) = &fault {
                            <p class="note" id="unlock-fault" role="alert">{ glyph("warning-circle") }<span>{ fault_sentence(&words, fault) }</span></p>
                        }
                        if work.busy() { { progress_card(&words, work.progress()) } }
                        <button class={if passkeys.is_empty() { "button primary wide" } else { "button wide" }} disabled={work.busy() || typed.is_empty()}>{ words.say("unlock") }</button>
                    </form>
                } else if let Some(fault) = &fault {
                    <p class="note" role="alert">{ glyph("warning-circle") }<span>{ fault_sentence(&words, fault) }</span></p>
                }
                <LinkTo to={Route::Restore} class="plain">{ words.say("unlock-recover") }</LinkTo>
            </main>
        </div>
    }
}
