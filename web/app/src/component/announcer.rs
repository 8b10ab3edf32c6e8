//! What is said aloud without being looked at: `polite` for what arrived, `assertive` for broken proof, refusals and
//! locking (LOOK "Screen readers"). The two regions stay on the page; only their text changes.

use yew::{Callback, Html, Properties, component, hook, html, use_context, use_state};
use yew::{ContextProvider, UseStateSetter};

/// Something to be said.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    polite: String,
    assertive: String,
    /// Flips each time, so that the same sentence is said again.
    turn: bool,
}

/// Says sentences.
#[derive(Clone, PartialEq)]
pub struct Voice(Callback<(bool, String)>);

impl Voice {
    /// When there is a pause: scanned, received, read, saved.
    pub fn polite(&self, sentence: impl Into<String>) {
        self.0.emit((false, sentence.into()));
    }

    /// At once: broken proof, refused, locking.
    pub fn assertive(&self, sentence: impl Into<String>) {
        self.0.emit((true, sentence.into()));
    }
}

/// The voice of the page.
#[hook]
pub fn use_voice() -> Voice {
    use_context::<Voice>().expect("every page stands inside the announcer")
}

/// The app.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Content.
    pub children: Html,
}

fn speaker(said: UseStateSetter<Said>) -> Voice {
    Voice(Callback::from(move |(urgent, sentence): (bool, String)| {
        let turn = js_sys::Math::random() < 0.5;
        said.set(if urgent {
            Said { assertive: sentence, turn, ..Said::default() }
        } else {
            Said { polite: sentence, turn, ..Said::default() }
        });
    }))
}

/// Wraps the app and holds the two live regions.
#[component]
pub fn Announcer(props: &Props) -> Html {
    let said = use_state(Said::default);
    let voice = use_state({
        let setter = said.setter();
        move || speaker(setter)
    });
    let spaced = |text: &str| if said.turn { format!("{text}\u{a0}") } else { text.to_owned() };
    html! {
        <ContextProvider<Voice> context={(*voice).clone()}>
            { props.children.clone() }
            <div class="heard" role="status" aria-live="polite">{ spaced(&said.polite) }</div>
            <div class="heard" role="alert" aria-live="assertive">{ spaced(&said.assertive) }</div>
        </ContextProvider<Voice>>
    }
}
