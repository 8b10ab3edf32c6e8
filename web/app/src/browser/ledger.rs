//! The ledger's time and state as the engine last proved them, carried on by the monotonic clock.
//! The phone's own clock is never used (PROTOCOL §8).

use suishen_bridge::{Event, Ledger, LedgerState, Request, Response, Topic};
use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, ContextProvider, Html, Properties, component, hook, html, use_callback, use_context,
    use_effect_with, use_state,
};

use super::{engine::use_engine, page, timer::use_interval};

/// The ledger as this page knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    ledger: Option<Ledger>,
    heard: f64,
}

impl Known {
    /// The ledger's time now, where it was ever verified.
    pub fn now(&self) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds since the page opened"
        )]
        let since = ((page::monotonic() - self.heard) / 1000.0).max(0.0) as u64;
        self.ledger.as_ref()?.now.map(|now| now + since)
    }

    /// The ledger's time, or for drawing dates before the first answer, the oldest there is.
    pub fn now_or_start(&self) -> u64 {
        self.now().unwrap_or_default()
    }

    /// Its state.
    pub fn state(&self) -> LedgerState {
        self.ledger.as_ref().map_or(LedgerState::Unknown, |ledger| ledger.state)
    }

    /// The time of the last verified checkpoint.
    pub fn checked(&self) -> Option<u64> {
        self.ledger.as_ref()?.checked
    }

    /// Entries in it.
    pub fn size(&self) -> u64 {
        self.ledger.as_ref().map_or(0, |ledger| ledger.size)
    }

    /// A broken proof: two ledgers, or an older one than remembered.
    pub fn is_broken(&self) -> bool {
        matches!(self.state(), LedgerState::Forked | LedgerState::Rewound)
    }
}

/// The ledger.
#[hook]
pub fn use_ledger() -> Known {
    use_context::<Known>().unwrap_or_default()
}

/// Follows the ledger every so many milliseconds while the page is looked at, where somebody waits for it; 0 stops it.
#[hook]
pub fn use_following(milliseconds: i32) {
    let engine = use_engine();
    let refresh = use_callback(engine, |(), engine| {
        if page::is_looked_at() {
            let engine = engine.clone();
            spawn_local(async move {
                let _ = engine.ask(Request::Refresh).await;
            });
        }
    });
    use_interval(milliseconds, refresh);
}

/// The pages.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Content.
    pub children: Html,
}

/// Keeps the ledger's state for the pages within.
#[component]
pub fn WithLedger(props: &Props) -> Html {
    let engine = use_engine();
    let known = use_state(Known::default);
    let ask = use_callback((engine.clone(), known.setter()), |request: Request, (engine, known)| {
        let (engine, known) = (engine.clone(), known.clone());
        spawn_local(async move {
            if let Ok(Response::Ledger(ledger)) = engine.ask(request).await {
                known.set(Known { ledger: Some(ledger), heard: page::monotonic() });
            }
        });
    });
    use_effect_with(engine, {
        let ask = ask.clone();
        move |engine: &super::engine::Engine| {
            ask.emit(Request::Refresh);
            let subscription = engine.listen(Callback::from(move |event| {
                if matches!(event, Event::Changed(Topic::Ledger)) {
                    ask.emit(Request::Ledger);
                }
            }));
            move || drop(subscription)
        }
    });
    // A checkpoint older than 60 s is "as of": asked for twice as often, while the page is looked at.
    let again = use_callback(ask.clone(), |(), ask| {
        ask.emit(if page::is_looked_at() { Request::Refresh } else { Request::Ledger });
    });
    use_interval(25_000, again);
    html! { <ContextProvider<Known> context={(*known).clone()}>{ props.children.clone() }</ContextProvider<Known>> }
}
