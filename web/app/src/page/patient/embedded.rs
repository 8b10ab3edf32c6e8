//! Opened inside WeChat or another app: nothing is bound here; how to go on in a true browser (FIELD).

use yew::{AttrValue, Html, Properties, component, html};

use crate::{
    browser::language::use_words,
    component::{CopyLink, LanguageSwitch, glyph, logo},
};

/// Where it was opened.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// `wechat` or `app`.
    pub app: &'static str,
    /// The link, still good. Secret.
    pub link: AttrValue,
}

/// Draws it.
#[component]
pub fn EmbeddedPage(props: &Props) -> Html {
    let words = use_words();
    html! {
        <div class="phone bare">
            <header class="top">
                <span class="desk-name">{ logo() }{ words.say("suishen") }</span>
                <LanguageSwitch />
            </header>
            <main class="stack">
                { pointer() }
                <h1>{ words.say(if props.app == "wechat" { "embedded-wechat" } else { "embedded-app" }) }</h1>
                <ol class="stack close">
                    <li class="note">{ glyph("dots-three") }<span>{ words.say("embedded-tap") }</span></li>
                    <li class="note">{ glyph("arrow-square-out") }<span>{ words.say("embedded-open") }</span></li>
                </ol>
                <p class="quiet">{ words.say("embedded-safe") }</p>
                <CopyLink link={props.link.clone()} wide={true} />
            </main>
        </div>
    }
}

/// An arrow to the menu at the top right.
fn pointer() -> Html {
    html! {
        <svg class="pointer" viewBox="0 0 320 96" aria-hidden="true">
            <path d="M40 84C130 84 270 84 292 16M278 30l14-16 13 16" />
        </svg>
    }
}
