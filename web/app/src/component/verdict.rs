//! The word and arrow of a value's verdict; nothing where the report says nothing.

use suishen_bridge::fhir::Verdict;
use yew::{Html, Properties, classes, component, html};

use super::Icon;
use crate::{
    browser::language::use_words,
    view::lab::{Standing, verdict_key},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The verdict.
    pub verdict: Verdict,
}

/// Draws it.
#[component]
pub fn VerdictWord(props: &Props) -> Html {
    let words = use_words();
    let Some(key) = verdict_key(props.verdict) else { return Html::default() };
    let standing = Standing::of(props.verdict);
    let arrow = match standing {
        Standing::High => Some("arrow-up-bold"),
        Standing::Low => Some("arrow-down-bold"),
        Standing::Abnormal => Some("warning-circle"),
        Standing::Within | Standing::Unsaid => None,
    };
    html! {
        <span class={classes!("verdict", standing.class())}>
            if let Some(name) = arrow { <Icon {name} /> }
            { words.say(key) }
        </span>
    }
}
