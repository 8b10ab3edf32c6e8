//! Opened inside WeChat or another app: nothing is bound here; how to go on in a true browser (FIELD).

use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, Properties, component, html, use_state};

use crate::{
    browser::{language::use_words, page},
    component::{LanguageSwitch, glyph, logo},
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
    let copied = use_state(|| false);
    let copy = {
        let (link, copied) = (props.link.clone(), copied.setter());
        Callback::from(move |_| {
            let (link, copied) = (link.clone(), copied.clone());
            spawn_local(async move { copied.set(page::copy(&link).await) });
        })
    };
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
                <button class="button wide" onclick={copy}>{ glyph("link-simple") }{ words.say(if *copied { "copied" } else { "copy-link" }) }</button>
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
