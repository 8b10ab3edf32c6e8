//! An invoice's claims on its page: how each goes, as one line, and the way to another.

use suishen_bridge::{
    Claim, ClaimRequest, ClaimState, Claims as InvoiceClaims, InvoiceVoid, LedgerState, PatientRequest,
    PatientResponse, Payer, Request, Response, Share, ShareState, Topic,
};
use yew::{Callback, Html, Properties, component, hook, html, use_effect_with, use_mut_ref, use_state};

use super::{claim_sheet::ClaimSheet, share_sheet::ShareSheet, show::is_running, status::shares};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::{Known, use_following, use_ledger},
    },
    component::{Status, fault_card, glyph, status_line, use_voice},
    view::claim::{line, payer_key},
    words::Words,
};

/// Whose.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The invoice's record.
    pub record: String,
    /// Whether this device may make claims.
    pub may_share: bool,
}

fn read(response: Response) -> Option<InvoiceClaims> {
    match response {
        Response::Patient(PatientResponse::Claims(claims)) => Some(claims),
        _ => None,
    }
}

/// Draws them.
#[component]
pub fn Claims(props: &Props) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let (making, opened) = (use_state(|| false), use_state(|| None::<String>));
    let (claims, again) = use_asked(
        props.record.clone(),
        &[Topic::Shares, Topic::Log],
        |record: &String| {
            Request::Patient(PatientRequest::Claim(ClaimRequest::List { record: record.clone() }))
        },
        read,
    );
    let (all, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    let find =
        |id: &String| all.here().into_iter().flatten().find(|share: &&Share| share.share == *id).cloned();
    let make = |on: bool| {
        let making = making.setter();
        Callback::from(move |()| making.set(on))
    };
    let open = |share: Option<String>| {
        let opened = opened.setter();
        Callback::from(move |()| opened.set(share.clone()))
    };
    let made = {
        let (making, opened) = (making.setter(), opened.setter());
        Callback::from(move |share: String| {
            making.set(false);
            opened.set(Some(share));
        })
    };
    let now = ledger.now_or_start();
    let fresh = ledger.state() == LedgerState::Fresh;
    let known = claims.here();
    let void = known.and_then(|known| known.void);
    // An insurer that has one may say something at any moment.
    use_following(if known.is_some_and(|known| !known.claims.is_empty()) { 8000 } else { 0 });
    use_spoken(known.map(|known| spoken(&words, known, now)));
    html! {<>
        <section class="stack close" id="claims">
            <h2>{ words.say("claims") }</h2>
            if let Asked::Failed(fault) = &claims { { fault_card(&words, fault, Some(&again), false) } }
            if !fresh && known.is_some_and(|known| void.is_some() || !known.claims.is_empty()) {
                { as_of(&words, &ledger) }
            }
            if let Some(void) = void {
                { status_line(Status::Caution("warning-circle"), words.with(void_key(void), &[("when", words.when(void.at, now).into())]), void.paid.then(|| words.say("claim-void-paid")), None, None) }
            }
            { for known.into_iter().flat_map(|known| &known.foreign).map(|payer| {
                status_line(Status::Alarm, words.with("claim-foreign", &[("payer", words.say(payer_key(*payer)).into())]), Some(words.say("claim-foreign-text")), None, None)
            }) }
            { for known.into_iter().flat_map(|known| &known.claims).map(|claim| {
                let (said, look) = line(&words, &claim.state, now, nobody_else(void, claim));
                let who = claim.insurer.clone().unwrap_or_else(|| words.say(payer_key(claim.payer)));
                let status = match (&claim.state, look) {
                    (ClaimState::Alarm(_), _) => Status::Alarm,
                    (_, true) => Status::Caution("warning-circle"),
                    (ClaimState::Settled { .. }, _) if fresh => Status::Good,
                    (ClaimState::Settled { .. }, _) => Status::AsOf,
                    _ => Status::Quiet("receipt"),
                };
                html! { <div key={claim.share.clone()}>
                    { status_line(status, who, Some(said), None, None) }
                    if props.may_share && find(&claim.share).is_some_and(|share| runs(&claim.state, &share.state)) {
                        <button class="plain" onclick={open(Some(claim.share.clone())).reform(|_| ())}>{ words.say("claim-open") }</button>
                    }
                </div> }
            }) }
            if props.may_share && known.is_some() && void.is_none() {
                <button class="button wide" onclick={make(true).reform(|_| ())}>{ glyph("receipt") }{ words.say("claim-make") }</button>
            }
        </section>
        if *making { <ClaimSheet record={props.record.clone()} ends={ends(known)} {made} close={make(false)} /> }
        if let Some(share) = opened.as_ref().and_then(find) {
            <ShareSheet {share} close={open(None)} made={Callback::noop()} />
        }
    </>}
}

/// Whose claim ends with a new one: an insurer that refused, or took its settlement back, need not look any longer.
fn ends(known: Option<&InvoiceClaims>) -> Vec<Payer> {
    let over = |state: &ClaimState| {
        matches!(state, ClaimState::Refused(_) | ClaimState::Reversed { .. } | ClaimState::Alarm(_))
    };
    let claims = known.into_iter().flat_map(|known| &known.claims);
    claims.filter(|claim| over(&claim.state)).map(|claim| claim.payer).collect()
}

/// Until when this phone knows how claims stand, where it can't know now.
fn as_of(words: &Words, ledger: &Known) -> Html {
    let at = ledger.checked().map_or_else(|| "–".to_owned(), |at| words.time(at));
    let said = words.with("claims-as-of", &[("time", at.into())]);
    status_line(Status::AsOf, said, Some(words.say("claims-as-of-more")), None, None)
}

/// How everything stands, in sentences by what they are about, and whether one should be heard at once.
fn spoken(words: &Words, known: &InvoiceClaims, now: u64) -> Vec<(String, String, bool)> {
    let void = known.void.map(|void| {
        let said = words.with(void_key(void), &[("when", words.when(void.at, now).into())]);
        (String::new(), said, true)
    });
    let foreign = known.foreign.iter().map(|payer| {
        let payer = words.say(payer_key(*payer));
        (payer.clone(), words.with("claim-foreign", &[("payer", payer.into())]), true)
    });
    let claims = known.claims.iter().map(|claim| {
        let (said, _) = line(words, &claim.state, now, nobody_else(known.void, claim));
        let who = claim.insurer.clone().unwrap_or_else(|| words.say(payer_key(claim.payer)));
        (claim.share.clone(), format!("{who}: {said}"), matches!(claim.state, ClaimState::Alarm(_)))
    });
    void.into_iter().chain(foreign).chain(claims).collect()
}

/// Says aloud what has changed since it was first shown.
#[hook]
fn use_spoken(all: Option<Vec<(String, String, bool)>>) {
    let (voice, before) = (use_voice(), use_mut_ref(|| None::<Vec<(String, String, bool)>>));
    use_effect_with(all, move |all| {
        let Some(all) = all else { return };
        let Some(before) = before.replace(Some(all.clone())) else { return };
        let new: Vec<_> = all.iter().filter(|line| !before.contains(line)).collect();
        let said: Vec<&str> = new.iter().map(|(_, said, _)| said.as_str()).collect();
        match (new.is_empty(), new.iter().any(|(_, _, urgent)| *urgent)) {
            (true, _) => {}
            (false, true) => voice.assertive(said.join(" ")),
            (false, false) => voice.polite(said.join(" ")),
        }
    });
}

/// What the hospital said of the invoice.
const fn void_key(void: InvoiceVoid) -> &'static str {
    if void.on_paper { "claim-on-paper" } else { "claim-void" }
}

/// Whether no other insurer can be asked: the invoice is void, or the fund, of which there is one, has said no.
fn nobody_else(void: Option<InvoiceVoid>, claim: &Claim) -> bool {
    void.is_some() || claim.payer == Payer::Statutory
}

/// Whether there is still something to show or to take back. Whoever read may settle, so what is used up is taken back too.
fn runs(claim: &ClaimState, share: &ShareState) -> bool {
    let taken = matches!(share, ShareState::Exhausted | ShareState::RevokedAtGates);
    !matches!(claim, ClaimState::Over) && (taken || is_running(share))
}
