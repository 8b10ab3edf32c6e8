//! What this desk read: every share it accepted, and how each ended.

use suishen_bridge::{DeskRequest, Request, Topic};
use yew::{Html, component, html};

use super::{doctor::read_offers, offer_list::told};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
    },
    component::{empty, fault_card},
    view::passage::purpose_key,
    words::figure,
};

/// Draws it.
#[component]
pub fn HistoryPage() -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let (offers, again) =
        use_asked((), &[Topic::Desk, Topic::Ledger], |()| Request::Desk(DeskRequest::Offers), read_offers);
    let now = ledger.now_or_start();
    let content = match &offers {
        Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        Asked::Failed(fault) => html! { { fault_card(&words, fault, Some(&again), true) } },
        Asked::Here(offers) if offers.is_empty() => {
            html! { { empty(words.say("history-none"), words.say("history-none-text"), Html::default()) } }
        }
        Asked::Here(offers) => html! {
            <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("desk-read")}>
                <table class="table">
                    <thead><tr>
                        <th scope="col">{ words.say("issued-patient") }</th>
                        <th scope="col">{ words.say("consent-term-what") }</th>
                        <th scope="col">{ words.say("consent-term-why") }</th>
                        <th scope="col">{ words.say("history-reads") }</th>
                        <th scope="col">{ words.say("issued-state") }</th>
                    </tr></thead>
                    <tbody>
                        { for offers.iter().map(|offer| html! {
                            <tr key={offer.share.clone()}>
                                <td>{ offer.patient.clone().unwrap_or_else(|| words.say("offer-unnamed")) }</td>
                                <td>{ words.count("records-count", offer.records) }</td>
                                <td>{ offer.purpose.map(|purpose| words.say(purpose_key(purpose))).unwrap_or_default() }</td>
                                <td>{ words.with("scope-reads-of", &[("left", figure(offer.reads_left)), ("all", figure(offer.reads))]) }</td>
                                <td>{ told(offer, now, &words) }</td>
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
        },
    };
    html! { <main class="centred wide stack"><h1>{ words.say("desk-read") }</h1>{ content }</main> }
}
