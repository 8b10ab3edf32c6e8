//! The button beside a code that copies its link, and says when it has.

use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, Properties, classes, component, html, use_state};

use super::glyph;
use crate::browser::{language::use_words, page};

/// Which link.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The link; without one there is nothing to copy. Secret.
    pub link: Option<AttrValue>,
    /// As wide as what it stands in.
    #[prop_or_default]
    pub wide: bool,
}

/// Draws it.
#[component]
pub fn CopyLink(props: &Props) -> Html {
    let words = use_words();
    let copied = use_state(|| false);
    let copy = {
        let (link, copied) = (props.link.clone().unwrap_or_default(), copied.setter());
        Callback::from(move |_| {
            let (link, copied) = (link.clone(), copied.clone());
            spawn_local(async move { copied.set(page::copy(&link).await) });
        })
    };
    let class = classes!("button", props.wide.then_some("wide"));
    html! {
        <button {class} onclick={copy} disabled={props.link.is_none()}>{ glyph("link-simple") }{ words.say(if *copied { "copied" } else { "copy-link" }) }</button>
    }
}
