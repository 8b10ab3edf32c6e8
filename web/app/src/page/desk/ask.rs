//! Asking a patient in the same room: how far back, for how long; then the patient decides.

use suishen_bridge::{ConsultWants, DeskRequest, DeskResponse, Purpose, Request, Response};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html, use_state};

use crate::{
    browser::{engine::use_engine, language::use_words, work::use_work},
    component::{chip, empty, fault_card, glyph},
};

/// How far back, in months; all where none is said.
const MONTHS: [Option<u32>; 3] = [Some(3), Some(12), None];
/// For how long, in seconds.
const LENGTHS: [u64; 3] = [3600, 14_400, 86_400];

/// Whom.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The patient's code. Secret.
    pub text: String,
    /// Told of the share that the patient gave.
    pub given: Callback<String>,
    /// Told when the doctor turns away.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn AskPatient(props: &Props) -> Html {
    let (words, engine, work) = (use_words(), use_engine(), use_work());
    let (months, length) = (use_state(|| Some(12)), use_state(|| LENGTHS[0]));
    let ask = {
        let (work, text, given) = (work.clone(), props.text.clone(), props.given.clone());
        let wants = ConsultWants { purpose: Purpose::Treatment, months: *months, duration: *length };
        Callback::from(move |()| {
            let given = given.clone();
            work.desk(DeskRequest::Ask { text: text.clone(), wants }, move |response| {
                if let Response::Desk(DeskResponse::Offer(offer)) = response {
                    given.emit(offer.share);
                }
            });
        })
    };
    let hang_up = Callback::from(move |_| {
        let engine = engine.clone();
        spawn_local(async move {
            let _ = engine.ask(Request::Desk(DeskRequest::HangUp)).await;
        });
    });
    if work.busy() {
        let stop = html! { <button class="button wide" onclick={hang_up}>{ words.say("ask-stop") }</button> };
        return empty(words.say("ask-waiting"), words.say("offer-waiting-text"), stop);
    }
    let chosen_months = |choice: Option<u32>| {
        let months = months.setter();
        Callback::from(move |()| months.set(choice))
    };
    let chosen_length = |choice: u64| {
        let length = length.setter();
        Callback::from(move |()| length.set(choice))
    };
    let name = |choice: Option<u32>| match choice {
        Some(months) => words.count("consult-months", months),
        None => words.say("consult-all"),
    };
    html! {<>
        <h2>{ words.say("ask-what") }</h2>
        <div class="choices" role="group" aria-label={words.say("ask-what")}>
            { for MONTHS.into_iter().map(|choice| chip(name(choice), *months == choice, &chosen_months(choice))) }
        </div>
        <h2>{ words.say("ask-length") }</h2>
        <div class="choices" role="group" aria-label={words.say("ask-length")}>
            { for LENGTHS.into_iter().map(|choice| chip(words.length(choice), *length == choice, &chosen_length(choice))) }
        </div>
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
        <button class="button primary wide" onclick={ask.reform(|_| ())}>{ glyph("stethoscope") }{ words.say("ask-send") }</button>
        <button class="button wide" onclick={props.close.reform(|_| ())}>{ words.say("ask-stop") }</button>
    </>}
}
