//! The top of a phone's page: the person's seal, which leads to the settings, or the way back; tools at the right.

use yew::{AttrValue, Html, Properties, component, html};

use super::{LinkTo, glyph, person_seal};
use crate::{browser::language::use_words, route::Route, words::Words};

/// With the person.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The name, once a report has said it.
    pub name: Option<AttrValue>,
    /// Tools at the right.
    #[prop_or_default]
    pub children: Html,
}

/// Draws the person's bar.
#[component]
pub fn TopBar(props: &Props) -> Html {
    let words = use_words();
    let name = props.name.clone().unwrap_or_else(|| words.say("me").into());
    html! {
        <header class="top">
            <LinkTo to={Route::Settings} class="plain ink who">
                { person_seal(&name, None) }
                <span>{ &name }<span class="heard">{ words.say("settings-of") }</span></span>
                { glyph("caret-down-bold") }
            </LinkTo>
            <div class="tools">{ props.children.clone() }</div>
        </header>
    }
}

/// Draws the bar of a page below another: where back leads, what this is, tools at the right.
pub fn back_bar(words: &Words, to: Route, title: String, tools: Html) -> Html {
    html! {
        <header class="top">
            <div class="row">
                <LinkTo {to} class="plain ink" label={words.say("back")}>{ glyph("caret-left-bold") }</LinkTo>
                <strong>{ title }</strong>
            </div>
            <div class="tools">{ tools }</div>
        </header>
    }
}
