//! What both devices show while one is added: six digits, large, to be compared by the one who sees both.

use suishen_bridge::{Event, Pairing};
use yew::{Callback, Html, UseStateHandle, hook, html, use_effect_with, use_state};

use crate::{
    browser::{
        engine::{Engine, use_engine},
        language::use_words,
    },
    component::use_voice,
    words::Words,
};

/// Where it stands, as the engine says; digits are spoken as they come.
#[hook]
pub fn use_pairing() -> UseStateHandle<Option<Pairing>> {
    let (words, engine, voice) = (use_words(), use_engine(), use_voice());
    let pairing = use_state(|| None::<Pairing>);
    use_effect_with((engine, words), {
        let pairing = pairing.setter();
        move |(engine, words): &(Engine, Words)| {
            let words = words.clone();
            let subscription = engine.listen(Callback::from(move |event| {
                let Event::Pairing(now) = event else { return };
                if let Pairing::Asked { code, .. } | Pairing::Compare { code, .. } = &now {
                    voice.polite(words.with("pair-spoken", &[("code", spelled(code).into())]));
                }
                pairing.set(Some(now));
            }));
            move || drop(subscription)
        }
    });
    pairing
}

/// One digit at a time, for the ear.
fn spelled(code: &str) -> String {
    code.chars().flat_map(|digit| [digit, ' ']).collect()
}

/// The digits, three and three.
pub fn digits(code: &str) -> Html {
    let (first, rest): (Vec<_>, Vec<_>) = code.chars().enumerate().partition(|(place, _)| *place < 3);
    let run = |digits: Vec<(usize, char)>| digits.into_iter().map(|(_, digit)| digit).collect::<String>();
    html! {
        <p class="digits">
            <span aria-hidden="true"><span class="whole">{ run(first) }</span>{ " " }<span class="whole">{ run(rest) }</span></span>
            <span class="heard">{ spelled(code) }</span>
        </p>
    }
}
