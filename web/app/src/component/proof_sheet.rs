//! Answer, proof, detail: what this device checked about a record, and where the proof ends.

use suishen_bridge::ProofLine;
use yew::{Callback, Html, Properties, component, html};

use super::{Proof, Sheet, seal};
use crate::browser::language::use_words;

/// What was checked.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The lines.
    pub lines: Vec<ProofLine>,
    /// Told when closed.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn ProofSheet(props: &Props) -> Html {
    let words = use_words();
    html! {
        <Sheet title={words.say("proof-title")} close={props.close.clone()}>
            <ul class="stack">
                { for props.lines.iter().map(|line| html! {
                    <li class="row top-aligned">
                        { seal(if line.good { Proof::Proven } else { Proof::Broken }, Some(words.say(if line.good { "proof-good" } else { "proof-bad" }))) }
                        <div class="grow">
                            <p>{ words.say(&line.key) }</p>
                            if !line.detail.is_empty() { <p class="hex">{ &line.detail }</p> }
                        </div>
                    </li>
                }) }
            </ul>
            <p class="quiet sheet-note">{ words.say("proof-limits") }</p>
        </Sheet>
    }
}
