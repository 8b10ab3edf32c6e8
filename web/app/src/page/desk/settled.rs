//! What an insurer's desk has decided: each settlement, how it stands now, and taking it back without opening it again.

use suishen_bridge::{DeskClaimState, DeskRequest, DeskResponse, Request, Response, SettledClaim, Topic};
use yew::{Callback, Html, component, hook, html, use_effect_with, use_state};

use super::claim_card::{TakeBackForm, pending_key};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
    },
    component::{Sheet, after_sheet, empty, fault_card, glyph, use_voice},
    view::claim::sum,
    words::Words,
};

fn read(response: Response) -> Option<Vec<SettledClaim>> {
    match response {
        Response::Desk(DeskResponse::Settled(list)) => Some(list),
        _ => None,
    }
}

/// Says aloud what came of a settlement that was taken back, and again when that changes.
#[hook]
fn use_told(state: Option<DeskClaimState>) {
    let (words, ledger, voice) = (use_words(), use_ledger(), use_voice());
    use_effect_with(state, move |state: &Option<DeskClaimState>| {
        if let Some(
            state @ (DeskClaimState::Open
            | DeskClaimState::Returned(_)
            | DeskClaimState::Closed(_)
            | DeskClaimState::Underway(_)),
        ) = state
        {
            voice.polite(said(state, ledger.now_or_start(), &words).1);
        }
    });
}

/// Draws it.
#[component]
pub fn SettledPage() -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let returning = use_state(|| None::<SettledClaim>);
    // What was taken back just now: the list says what came of it.
    let returned_now = use_state(|| None::<String>);
    let (list, again) =
        use_asked((), &[Topic::Desk, Topic::Ledger], |()| Request::Desk(DeskRequest::Settled), read);
    let now = ledger.now_or_start();
    use_told(list.here().zip(returned_now.as_ref()).and_then(|(list, share)| {
        list.iter().find(|claim| claim.share == *share).map(|claim| claim.state.clone())
    }));
    let ask = |claim: Option<SettledClaim>| {
        let returning = returning.setter();
        Callback::from(move |()| returning.set(claim.clone()))
    };
    let returned = {
        let (returning, shown, again) = (returning.clone(), returned_now.setter(), again.clone());
        Callback::from(move |_| {
            shown.set(returning.as_ref().map(|claim| claim.share.clone()));
            returning.set(None);
            again.emit(());
            after_sheet();
        })
    };
    let named = |claim: &SettledClaim| {
        let patient = claim.patient.clone().unwrap_or_else(|| words.say("offer-unnamed"));
        let paid = match &claim.state {
            DeskClaimState::Settled(told)
            | DeskClaimState::Flagged(told)
            | DeskClaimState::Returned(told) => sum(&told.paid),
            _ => sum(&claim.claimed),
        };
        let about =
            [("patient", patient.into()), ("when", words.when(claim.at, now).into()), ("paid", paid.into())];
        words.with("take-back-of", &about)
    };
    let content = match &list {
        Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        Asked::Failed(fault) => html! { { fault_card(&words, fault, Some(&again), true) } },
        Asked::Here(list) if list.is_empty() => {
            html! { { empty(words.say("settled-none"), words.say("settled-none-text"), Html::default()) } }
        }
        Asked::Here(list) => html! {
            <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("desk-settled")}>
                <table class="table">
                    <thead><tr>
                        <th scope="col">{ words.say("issued-at") }</th>
                        <th scope="col">{ words.say("issued-patient") }</th>
                        <th scope="col">{ words.say("settled-invoice") }</th>
                        <th scope="col">{ words.say("audit-claimed") }</th>
                        <th scope="col">{ words.say("issued-state") }</th>
                        <th scope="col"><span class="heard">{ words.say("issued-actions") }</span></th>
                    </tr></thead>
                    <tbody>
                        { for list.iter().map(|claim| html! {
                            <tr key={claim.share.clone()}>
                                <td>{ words.when(claim.at, now) }</td>
                                <td>{ claim.patient.clone().unwrap_or_else(|| words.say("offer-unnamed")) }</td>
                                <td>{ claim.invoice.clone().unwrap_or_default() }</td>
                                <td>{ sum(&claim.claimed) }</td>
                                <td>{ state(&claim.state, now, &words) }</td>
                                <td>
                                    if matches!(claim.state, DeskClaimState::Settled(_) | DeskClaimState::Flagged(_)) {
                                        <button class="button small" onclick={ask(Some(claim.clone())).reform(|_| ())} aria-label={format!("{} {}", words.say("take-back"), named(claim))}>{ words.say("take-back") }</button>
                                    }
                                </td>
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
        },
    };
    html! {
        <main class="centred wide stack">
            <h1>{ words.say("desk-settled") }</h1>
            { content }
            if let Some(claim) = (*returning).clone() {
                <Sheet title={words.say("take-back")} close={ask(None)}>
                    <p>{ named(&claim) }</p>
                    <TakeBackForm share={claim.share.clone()} done={returned} left={ask(None)} />
                </Sheet>
            }
        </main>
    }
}

fn state(state: &DeskClaimState, now: u64, words: &Words) -> Html {
    let (icon, said) = said(state, now, words);
    html! { <span class="row">{ glyph(icon) }<span>{ said }</span></span> }
}

fn said(state: &DeskClaimState, now: u64, words: &Words) -> (&'static str, String) {
    match state {
        DeskClaimState::Settled(told) => {
            ("check", words.with("settle-settled", &[("paid", sum(&told.paid).into())]))
        }
        DeskClaimState::Flagged(told) => {
            ("warning-circle", words.with("settle-flagged", &[("paid", sum(&told.paid).into())]))
        }
        DeskClaimState::Returned(told) => {
            ("receipt", words.with("settle-returned", &[("paid", sum(&told.paid).into())]))
        }
        DeskClaimState::Refused(why) => {
            ("prohibit", words.with("settled-refused", &[("why", why.as_str().into())]))
        }
        DeskClaimState::Underway(until) | DeskClaimState::Overtaken(until) => {
            ("clock", words.with(pending_key(state), &[("when", words.when(*until, now).into())]))
        }
        DeskClaimState::Late => ("warning-circle", words.say("fault-claim-late")),
        DeskClaimState::Open => ("receipt", words.say("settled-taken-back")),
        DeskClaimState::Closed(why) => ("warning-circle", words.say(&format!("fault-{why}"))),
    }
}
