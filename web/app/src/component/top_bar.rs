//! The top of a phone's page: the person's seal, which leads to the settings, or the way back; tools at the right.

use yew::{AttrValue, Html, Properties, component, html};

use super::{Icon, LinkTo, PersonSeal};
use crate::{browser::language::use_words, route::Route};

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
                <PersonSeal name={name.clone()} />
                <span>{ &name }<span class="heard">{ words.say("settings-of") }</span></span>
                <Icon name="caret-down-bold" />
            </LinkTo>
            <div class="tools">{ props.children.clone() }</div>
        </header>
    }
}

/// With the way back.
#[derive(Properties, PartialEq)]
pub struct BackProps {
    /// Where back leads.
    pub to: Route,
    /// What this is.
    pub title: AttrValue,
    /// Tools at the right.
    #[prop_or_default]
    pub children: Html,
}

/// Draws the bar of a page below another.
#[component]
pub fn BackBar(props: &BackProps) -> Html {
    let words = use_words();
    html! {
        <header class="top">
            <div class="row">
                <LinkTo to={props.to.clone()} class="plain ink" label={words.say("back")}><Icon name="caret-left-bold" /></LinkTo>
                <strong>{ &props.title }</strong>
            </div>
            <div class="tools">{ props.children.clone() }</div>
        </header>
    }
}
