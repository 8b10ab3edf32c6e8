//! A record's own tags, and hiding it. Deleting isn't offered here: hiding keeps it, the hospital keeps its own anyway.

use suishen_bridge::{PatientRequest, RecordCard};
use web_sys::{HtmlInputElement, InputEvent, SubmitEvent};
use yew::{Callback, Html, Properties, TargetCast, component, html, use_state};

use crate::{
    browser::{language::use_words, work::use_work},
    component::{Sheet, fault_card, glyph},
};

/// Whose.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The record.
    pub card: RecordCard,
    /// Told when closed.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn TagSheet(props: &Props) -> Html {
    let (words, work) = (use_words(), use_work());
    let typed = use_state(String::new);
    let card = &props.card;
    let tag = |tag: String, on: bool| {
        let (work, record) = (work.clone(), card.record.clone());
        move || work.patient(PatientRequest::Tag { record: record.clone(), tag: tag.clone(), on }, |_| ())
    };
    let add = {
        let (work, typed, record) = (work.clone(), typed.clone(), card.record.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let tag = typed.trim().to_owned();
            if !tag.is_empty() {
                typed.set(String::new());
                work.patient(PatientRequest::Tag { record: record.clone(), tag, on: true }, |_| ());
            }
        })
    };
    let oninput = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let hide = {
        let (work, record, hidden, close) =
            (work.clone(), card.record.clone(), !card.hidden, props.close.clone());
        Callback::from(move |_| {
            let close = close.clone();
            work.patient(PatientRequest::Hide { record: record.clone(), hidden }, move |_| close.emit(()));
        })
    };
    html! {
        <Sheet title={card.title.clone()} close={props.close.clone()}>
            <div class="stack">
                if !card.tags.is_empty() {
                    <ul class="row wrap">
                        { for card.tags.iter().map(|name| {
                            let remove = tag(name.clone(), false);
                            html! {
                                <li><button class="chip" onclick={Callback::from(move |_| remove())} aria-label={words.with("tag-remove", &[("tag", name.as_str().into())])}>
                                    { name }{ " ×" }
                                </button></li>
                            }
                        }) }
                    </ul>
                }
                <form class="field" onsubmit={add}>
                    <label for="tag">{ words.say("tag-label") }</label>
                    <input id="tag" class="input" maxlength="24" value={(*typed).clone()} {oninput} autocomplete="off" />
                    <button class="button small">{ glyph("tag") }{ words.say("tag-add") }</button>
                </form>
                <button class="button wide" onclick={hide} disabled={work.busy()}>
                    { glyph(if card.hidden { "eye" } else { "eye-slash" }) }{ words.say(if card.hidden { "record-unhide" } else { "record-hide" }) }
                </button>
                <p class="quiet">{ words.say("record-hide-note") }</p>
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
            </div>
        </Sheet>
    }
}
