//! The claim of an open reading: who pays how much, what this desk decides, and taking that back.

use suishen_bridge::{
    ClaimDecision, DeskClaim, DeskClaimState, DeskFees, DeskRequest, DeskResponse, Reading, Response,
    TakeBack,
};
use web_sys::{HtmlInputElement, InputEvent};
use yew::{
    Callback, Html, Properties, TargetCast as _, UseStateHandle, component, html, use_effect_with,
    use_mut_ref, use_state,
};

use crate::{
    browser::{
        language::use_words,
        ledger::use_ledger,
        page,
        work::{Work, use_work},
    },
    component::{Status, fault_card, glyph, progress_card, status_line, use_voice},
    view::claim::{payer_key, sum},
    words::{Words, figure},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The grant.
    pub share: String,
    /// The claim.
    pub claim: DeskClaim,
    /// Told of the reading as it stands after a decision.
    pub decided: Callback<Box<Reading>>,
}

/// Draws it.
#[component]
pub fn ClaimCard(props: &Props) -> Html {
    let (words, work, ledger) = (use_words(), use_work(), use_ledger());
    let (claim, voice) = (&props.claim, use_voice());
    let first = use_mut_ref(|| true);
    use_effect_with((claim.state.clone(), words.clone()), move |(state, words)| {
        if let Some(said) = spoken(state, words) {
            voice.polite(said);
        }
        // The button that decided is gone.
        if !first.replace(false) {
            page::focus_on("#claim h2");
        }
    });
    let look = {
        let (work, share, decided) = (work.clone(), props.share.clone(), props.decided.clone());
        Callback::from(move |_| tell(&work, DeskRequest::Reading { share: share.clone() }, &decided))
    };
    let row = |term: String, text: String| html! { <><dt>{ term }</dt><dd>{ text }</dd></> };
    let decide = |payable: bool| html! { <Decide share={props.share.clone()} amount={claim.amount.clone()} {payable} decided={props.decided.clone()} /> };
    let again = || html! { <Again share={props.share.clone()} amount={claim.amount.clone()} payable={claim.payable.is_some()} decided={props.decided.clone()} /> };
    let state = match &claim.state {
        DeskClaimState::Open => html! {<>
            if claim.payable.is_none() { { status_line(Status::Caution("warning-circle"), words.say("settle-unclear"), None, None, None) } }
            { decide(claim.payable.is_some()) }
        </>},
        DeskClaimState::Late => html! {<>
            { status_line(Status::Caution("warning-circle"), words.say("fault-claim-late"), None, None, None) }
            { decide(claim.payable.is_some()) }
        </>},
        DeskClaimState::Refused(why) => html! {<>
            { status_line(Status::Quiet("prohibit"), words.say("settle-refused"), Some(why.clone()), None, None) }
            { again() }
        </>},
        DeskClaimState::Returned(told) => html! {<>
            { settled(told, Status::Quiet("receipt"), "settle-returned", &words) }
            { again() }
        </>},
        DeskClaimState::Underway(until) | DeskClaimState::Overtaken(until) => html! {<>
            { status_line(Status::Caution("clock"), words.with(pending_key(&claim.state), &[("when", words.when(*until, ledger.now_or_start()).into())]), None, None, None) }
            <button class="button wide" onclick={look} disabled={work.busy()}>{ words.say("settle-look") }</button>
        </>},
        DeskClaimState::Settled(told) => html! {<>
            { settled(told, Status::Good, "settle-settled", &words) }
            <Return share={props.share.clone()} decided={props.decided.clone()} />
        </>},
        DeskClaimState::Flagged(told) => html! {<>
            { settled(told, Status::Alarm, "settle-flagged", &words) }
            <Return share={props.share.clone()} decided={props.decided.clone()} />
        </>},
        // Nothing is paid on it, and the patient can still be told so with a reason.
        DeskClaimState::Closed(why) => html! {<>
            { status_line(Status::Caution("warning-circle"), words.say(&format!("fault-{why}")), None, None, None) }
            { decide(false) }
        </>},
    };
    html! {
        <section class="card padded stack close" id="claim">
            <h2>{ words.say("settle-title") }</h2>
            <dl class="terms">
                { row(words.say("settle-slot"), words.say(payer_key(claim.payer))) }
                { row(words.say("claim-total"), sum(&claim.total)) }
                { for claim.shares.iter().map(|(name, share)| row(name.clone(), sum(share))) }
                { row(words.say("claim-payable"), claim.payable.as_deref().map_or_else(|| words.say("claim-payable-unknown"), sum)) }
            </dl>
            { lines(claim.lines.as_ref(), &claim.total, &words) }
            { fees(claim.fees.as_ref(), &claim.total, &words) }
            if let Some(part) = claim.statutory.as_deref().filter(|_| matches!(claim.state, DeskClaimState::Open | DeskClaimState::Late)) {
                { status_line(Status::Caution("warning-circle"), words.with("settle-statutory-first", &[("sum", sum(part).into())]), None, None, None) }
            }
            { state }
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
        </section>
    }
}

/// How far the invoice's own lines that are shown make up its total.
fn lines(lines: Option<&DeskFees>, total: &str, words: &Words) -> Html {
    let Some((lines, shown)) = lines.and_then(|lines| Some((lines, lines.total.as_deref()?))) else {
        return html! { <p class="quiet">{ words.say("settle-lines-none") }</p> };
    };
    let told = [("items", figure(lines.items)), ("sum", sum(shown).into()), ("total", sum(total).into())];
    if lines.makes_up {
        return html! { <p class="quiet">{ words.with("settle-lines", &told) }</p> };
    }
    let said = words.with("settle-lines-some", &told);
    status_line(Status::Caution("warning-circle"), said, None, None, None)
}

/// Whether the fee lists beside the invoice make it up.
fn fees(fees: Option<&DeskFees>, total: &str, words: &Words) -> Html {
    let Some(fees) = fees else { return html! { <p class="quiet">{ words.say("settle-fees-none") }</p> } };
    let told = [
        ("items", figure(fees.items)),
        ("sum", fees.total.as_deref().map_or_else(|| "–".to_owned(), sum).into()),
        ("total", sum(total).into()),
    ];
    let (status, key) = match (fees.makes_up, fees.total.is_some()) {
        (true, _) => (Status::Good, "settle-fees"),
        (false, true) => (Status::Caution("warning-circle"), "settle-fees-differ"),
        (false, false) => (Status::Caution("warning-circle"), "settle-fees-currencies"),
    };
    status_line(status, words.with(key, &told), None, None, None)
}

/// What is said aloud of a claim that somebody has decided.
fn spoken(state: &DeskClaimState, words: &Words) -> Option<String> {
    let paid = |key: &str, told: &ClaimDecision| words.with(key, &[("paid", sum(&told.paid).into())]);
    match state {
        DeskClaimState::Settled(told) => Some(paid("settle-settled", told)),
        DeskClaimState::Flagged(told) => Some(paid("settle-flagged", told)),
        DeskClaimState::Returned(told) => Some(paid("settle-returned", told)),
        DeskClaimState::Refused(_) => Some(words.say("settle-refused")),
        DeskClaimState::Late => Some(words.say("fault-claim-late")),
        DeskClaimState::Closed(why) => Some(words.say(&format!("fault-{why}"))),
        DeskClaimState::Overtaken(until) => {
            Some(words.with("settle-overtaken", &[("when", words.when(*until, *until).into())]))
        }
        DeskClaimState::Underway(_) | DeskClaimState::Open => None,
    }
}

/// What is said of a decision that the ledger doesn't have.
pub const fn pending_key(state: &DeskClaimState) -> &'static str {
    if matches!(state, DeskClaimState::Overtaken(_)) { "settle-overtaken" } else { "settle-underway" }
}

fn settled(told: &ClaimDecision, status: Status, key: &str, words: &Words) -> Html {
    let said = words.with(key, &[("paid", sum(&told.paid).into())]);
    status_line(status, said, Some(told.reason.clone()).filter(|reason| !reason.is_empty()), None, None)
}

fn tell(work: &Work, request: DeskRequest, decided: &Callback<Box<Reading>>) {
    let decided = decided.clone();
    work.desk(request, move |response| {
        if let Response::Desk(DeskResponse::Reading(reading)) = response {
            decided.emit(reading);
        }
    });
}

fn typing(into: &UseStateHandle<String>) -> Callback<InputEvent> {
    let into = into.setter();
    Callback::from(move |event: InputEvent| {
        into.set(event.target_unchecked_into::<HtmlInputElement>().value());
    })
}

#[derive(Properties, PartialEq)]
struct DecideProps {
    share: String,
    /// The most that may be paid, to begin with.
    amount: String,
    /// Whether anything may be paid.
    payable: bool,
    decided: Callback<Box<Reading>>,
}

/// How much, and why not all; or nothing.
#[component]
fn Decide(props: &DecideProps) -> Html {
    let (words, work) = (use_words(), use_work());
    let amount = use_state(|| props.amount.clone());
    let reason = use_state(String::new);
    let decide = |amount: String| {
        let (work, share, reason, decided) =
            (work.clone(), props.share.clone(), (*reason).clone(), props.decided.clone());
        move || {
            let (share, amount, reason) = (share.clone(), amount.clone(), reason.clone());
            tell(&work, DeskRequest::Settle { share, amount, reason }, &decided);
        }
    };
    let (settle, refuse) = (decide((*amount).clone()), decide("0".to_owned()));
    // No form: the Enter key decides nothing.
    html! {
        <div class="stack close">
            if props.payable {
                <div class="field">
                    <label for="settle-amount">{ words.say("settle-amount") }</label>
                    <input id="settle-amount" class="input" inputmode="decimal" value={(*amount).clone()} oninput={typing(&amount)} autocomplete="off" />
                </div>
            }
            <div class="field">
                <label for="settle-reason">{ words.say(if props.payable { "settle-reason" } else { "settle-reason-refuse" }) }</label>
                <input id="settle-reason" class="input" maxlength="80" value={(*reason).clone()} oninput={typing(&reason)} autocomplete="off" />
            </div>
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
            if props.payable { <button class="button primary wide" onclick={Callback::from(move |_| settle())} disabled={work.busy()}>{ glyph("check") }{ words.say("settle") }</button> }
            <button class="button wide" onclick={Callback::from(move |_| refuse())} disabled={work.busy()}>{ words.say("settle-refuse") }</button>
        </div>
    }
}

/// The same of a claim that was refused or taken back, once it is asked for: no tap away, and with nothing left from before.
#[component]
fn Again(props: &DecideProps) -> Html {
    let words = use_words();
    let open = use_state(|| false);
    if *open {
        return html! { <Decide share={props.share.clone()} amount={props.amount.clone()} payable={props.payable} decided={props.decided.clone()} /> };
    }
    let open = open.setter();
    html! { <button class="button wide" onclick={Callback::from(move |_| open.set(true))}>{ words.say("settle-again") }</button> }
}

#[derive(Properties, PartialEq)]
struct ReturnProps {
    share: String,
    decided: Callback<Box<Reading>>,
}

/// Taking a settlement back, once it is asked for.
#[component]
fn Return(props: &ReturnProps) -> Html {
    let words = use_words();
    let open = use_state(|| false);
    if *open {
        let decided = props.decided.clone();
        let done = Callback::from(move |reading: Option<Box<Reading>>| {
            if let Some(reading) = reading {
                decided.emit(reading);
            }
        });
        let leave = open.setter();
        let left = Callback::from(move |()| leave.set(false));
        return html! { <TakeBackForm share={props.share.clone()} {done} {left} /> };
    }
    let open = open.setter();
    html! { <button class="button wide" onclick={Callback::from(move |_| open.set(true))}>{ words.say("take-back") }</button> }
}

/// Which settlement.
#[derive(Properties, PartialEq)]
pub struct TakeBackProps {
    /// The grant.
    pub share: String,
    /// Told once it is done, of its reading where that is open.
    pub done: Callback<Option<Box<Reading>>>,
    /// Told where nothing is to be taken back after all.
    pub left: Callback<()>,
}

/// Why it is taken back, in a code for the ledger and in words.
#[component]
pub fn TakeBackForm(props: &TakeBackProps) -> Html {
    let (words, work) = (use_words(), use_work());
    let why = use_state(|| None::<TakeBack>);
    let said = use_state(String::new);
    let go = {
        let (work, share, done) = (work.clone(), props.share.clone(), props.done.clone());
        let (why, words) = (*why, (*said).clone());
        Callback::from(move |_| {
            let Some(why) = why else { return };
            let (share, words, done) = (share.clone(), words.clone(), done.clone());
            work.desk(DeskRequest::TakeBack { share, why, words }, move |response| match response {
                Response::Desk(DeskResponse::Reading(reading)) => done.emit(Some(reading)),
                _ => done.emit(None),
            });
        })
    };
    let key = |why: TakeBack| match why {
        TakeBack::Error => "take-back-error",
        TakeBack::Duplicate => "take-back-duplicate",
        TakeBack::PaidBack => "take-back-paid",
    };
    html! {
        <div class="stack close">
            <fieldset class="stack close">
                <legend>{ words.say("take-back-why") }</legend>
                { for TakeBack::ALL.into_iter().map(|reason| {
                    let set = why.setter();
                    html! { <label class="choice"><input type="radio" name="take-back" checked={*why == Some(reason)} onchange={Callback::from(move |_| set.set(Some(reason)))} /><span>{ words.say(key(reason)) }</span></label> }
                }) }
            </fieldset>
            <div class="field">
                <label for="take-back-words">{ words.say("take-back-words") }</label>
                <input id="take-back-words" class="input" maxlength="80" value={(*said).clone()} oninput={typing(&said)} autocomplete="off" />
            </div>
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
            <button class="button primary wide" onclick={go} disabled={work.busy() || why.is_none()}>{ words.say("take-back") }</button>
            <button class="button wide" onclick={props.left.reform(|_| ())} disabled={work.busy()}>{ words.say("take-back-not") }</button>
        </div>
    }
}
