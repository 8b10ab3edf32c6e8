//! A passphrase: pasted, shown, suggested by the browser's own store; never a memory test (WCAG 3.3.8).

use web_sys::{HtmlInputElement, InputEvent};
use yew::{AttrValue, Callback, Html, Properties, TargetCast, component, html, use_state};

use super::glyph;
use crate::browser::language::use_words;

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The element's id.
    pub id: AttrValue,
    /// Its label.
    pub label: AttrValue,
    /// The text. Secret.
    pub value: AttrValue,
    /// Told of each change.
    pub change: Callback<String>,
    /// `new-password` or `current-password`.
    pub autocomplete: AttrValue,
    /// The element that says what is wrong with it.
    #[prop_or_default]
    pub described_by: Option<AttrValue>,
    /// Whether it was refused.
    #[prop_or_default]
    pub invalid: bool,
}

/// Draws it.
#[component]
pub fn PassphraseField(props: &Props) -> Html {
    let words = use_words();
    let shown = use_state(|| false);
    let oninput =
        props.change.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    let show = {
        let shown = shown.clone();
        Callback::from(move |_| shown.set(!*shown))
    };
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ &props.label }</label>
            <div class="input-row">
                <input
                    id={props.id.clone()} class="input" type={if *shown { "text" } else { "password" }}
                    value={props.value.clone()} {oninput} autocomplete={props.autocomplete.clone()}
                    autocapitalize="off" spellcheck="false" aria-describedby={props.described_by.clone()}
                    aria-invalid={props.invalid.then_some("true")}
                />
                <button type="button" class="plain" onclick={show} aria-pressed={shown.to_string()} aria-label={words.say("passphrase-show")}>
                    { glyph(if *shown { "eye-slash" } else { "eye" }) }
                </button>
            </div>
        </div>
    }
}
