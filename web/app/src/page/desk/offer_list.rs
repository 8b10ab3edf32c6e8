//! The patients of this desk: what can be read now, and what is over.

use suishen_bridge::{OfferState, OfferView};
use yew::{Callback, Html, Properties, classes, component, html};

use crate::{
    browser::{language::use_words, ledger::use_ledger, timer::use_tick},
    component::{glyph, person_seal},
    words::{Words, figure},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The offers, newest first.
    pub offers: Vec<OfferView>,
    /// The chosen one.
    pub chosen: Option<String>,
    /// Told of a tap.
    pub choose: Callback<OfferView>,
}

/// Whether an offer can still be read.
pub fn is_open(state: &OfferState) -> bool {
    matches!(state, OfferState::Waiting | OfferState::Ready | OfferState::Reading)
}

/// What its line says.
pub fn told(offer: &OfferView, now: u64, words: &Words) -> String {
    let when = || words.when(offer.until, now);
    match &offer.state {
        OfferState::Waiting => words.say("offer-waiting"),
        // The last read is on the screen; no time is left to anybody who closes it.
        OfferState::Reading if offer.reads_left == 0 => words.count("offer-last-read", offer.records),
        OfferState::Ready | OfferState::Reading => words.with(
            "offer-left",
            &[
                ("records", figure(offer.records)),
                ("left", words.left(offer.until.saturating_sub(now)).into()),
            ],
        ),
        OfferState::Revoked => words.say("offer-revoked"),
        OfferState::Exhausted => words.say("offer-exhausted"),
        OfferState::Expired => words.with("offer-expired-at", &[("when", when().into())]),
        OfferState::Refused(_) => words.say("offer-refused"),
    }
}

/// Draws it.
#[component]
pub fn OfferList(props: &Props) -> Html {
    use_tick(30_000);
    let (words, ledger) = (use_words(), use_ledger());
    let now = ledger.now_or_start();
    let (open, over): (Vec<&OfferView>, Vec<&OfferView>) =
        props.offers.iter().partition(|offer| is_open(&offer.state));
    let entry = |offer: &OfferView| {
        let on = props.chosen.as_ref() == Some(&offer.share);
        let name = offer.patient.clone().unwrap_or_else(|| words.say("offer-unnamed"));
        let kind = if on { "solid" } else { "soft" };
        let choose = {
            let offer = offer.clone();
            props.choose.reform(move |_| offer.clone())
        };
        html! {
            <li key={offer.share.clone()}>
                <button class="desk-entry" aria-current={on.then_some("true")} onclick={choose}>
                    if offer.patient.is_some() { { person_seal(&name, Some(kind)) } }
                    else { <span class={classes!("person-seal", kind)}>{ glyph("user") }</span> }
                    <span class="grow"><span class="line"><strong>{ name }</strong></span>if let Some(number) = &offer.invoice { <span class="line quiet">{ number }</span> }<span class="line quiet">{ told(offer, now, &words) }</span></span>
                </button>
            </li>
        }
    };
    html! {<>
        if !open.is_empty() { <h2 class="side-title">{ words.say("offers-open") }</h2><ul>{ for open.into_iter().map(entry) }</ul> }
        if !over.is_empty() { <h2 class="side-title">{ words.say("offers-over") }</h2><ul>{ for over.into_iter().map(entry) }</ul> }
    </>}
}
