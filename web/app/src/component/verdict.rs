//! The word and arrow of a value's verdict; nothing where the report says nothing.

use suishen_bridge::fhir::Verdict;
use yew::{Html, classes, html};

use super::glyph;
use crate::{
    view::lab::{Standing, verdict_key},
    words::Words,
};

/// Draws it.
pub fn verdict_word(words: &Words, verdict: Verdict) -> Html {
    let Some(key) = verdict_key(verdict) else { return Html::default() };
    let standing = Standing::of(verdict);
    let arrow = match standing {
        Standing::High => Some("arrow-up-bold"),
        Standing::Low => Some("arrow-down-bold"),
        Standing::Abnormal => Some("warning-circle"),
        Standing::Within | Standing::Unsaid => None,
    };
    html! {
        <span class={classes!("verdict", standing.class())}>
            if let Some(name) = arrow { { glyph(name) } }
            { words.say(key) }
        </span>
    }
}
