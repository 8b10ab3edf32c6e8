//! Taking back: as calm and as near as giving, and honest about what it can't undo.

use suishen_bridge::PatientRequest;
use yew::{Callback, Html, Properties, component, html};

use crate::{
    browser::{language::use_words, work::use_work},
    component::{Sheet, fault_card, use_voice},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The share.
    pub share: String,
    /// Who has it, once known.
    pub name: Option<String>,
    /// How many records.
    pub records: usize,
    /// Told when done or left.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn RevokeSheet(props: &Props) -> Html {
    let (words, work, voice) = (use_words(), use_work(), use_voice());
    let title = match &props.name {
        Some(name) => words.with("revoke-title", &[("who", name.as_str().into())]),
        None => words.say("revoke-title-nobody"),
    };
    let revoke = {
        let (work, share, close, said) =
            (work.clone(), props.share.clone(), props.close.clone(), words.say("revoke-cannot-open"));
        Callback::from(move |()| {
            let (close, voice, said) = (close.clone(), voice.clone(), said.clone());
            work.patient(PatientRequest::Revoke { share: share.clone() }, move |_| {
                voice.polite(said);
                close.emit(());
            });
        })
    };
    html! {
        <Sheet {title} close={props.close.clone()}>
            <div class="stack">
                <div>
                    <p>{ words.say("revoke-cannot-open") }</p>
                    <p>{ words.say("revoke-was-seen") }</p>
                </div>
                <p class="quiet">{ words.count("revoke-how", props.records as u64) }</p>
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&revoke), false) } }
                <button class="button primary wide" onclick={revoke.reform(|_| ())} disabled={work.busy()}>{ words.say("revoke") }</button>
                <button class="button wide" onclick={props.close.reform(|_| ())}>{ words.say("revoke-keep") }</button>
            </div>
        </Sheet>
    }
}
