//! What is left of a time, by the ledger; spoken at 5 minutes, 1 minute and 20 seconds.

use yew::{Html, Properties, component, html, use_effect_with};

use super::use_voice;
use crate::{
    browser::{language::use_words, ledger::use_ledger, timer::use_tick},
    view::ring::is_spoken,
};

/// Until when.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Ledger time.
    pub until: u64,
}

/// Draws it.
#[component]
pub fn Countdown(props: &Props) -> Html {
    use_tick(1000);
    let (words, ledger, voice) = (use_words(), use_ledger(), use_voice());
    let left = ledger.now().map(|now| props.until.saturating_sub(now));
    use_effect_with(left, {
        let words = words.clone();
        move |left: &Option<u64>| {
            if let Some(left) = left.filter(|left| is_spoken(*left)) {
                voice.polite(words.with("countdown-spoken", &[("left", words.left(left).into())]));
            }
        }
    });
    match left {
        Some(0) => html! { <span class="figure">{ words.say("countdown-over") }</span> },
        Some(left) => {
            html! {<><span class="quiet">{ words.say("countdown-left") }</span><span class="figure">{ words.left(left) }</span></>}
        }
        None => html! { <span class="quiet">{ words.say("countdown-unknown") }</span> },
    }
}
