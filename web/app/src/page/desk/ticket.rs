//! The ticket after issuing: its code for the patient's phone, a link, a printed slip (A5) without name or values.

use suishen_bridge::{DeskRequest, IssuedReport, IssuedState, Request, Topic};
use yew::{AttrValue, Callback, Html, Properties, component, html};

use super::hospital::{read_desk, read_issued};
use crate::{
    browser::{
        asking::use_asked,
        language::use_words,
        ledger::{use_following, use_ledger},
        page::{self, use_print_mode},
        work::use_work,
    },
    component::{Code, CopyLink, Proof, fault_card, glyph, logo, seal, small_glyph},
    words::Words,
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The report as it was issued.
    pub report: IssuedReport,
    /// Told of "issue the next".
    pub next: Callback<()>,
}

/// Draws it.
#[component]
pub fn TicketPanel(props: &Props) -> Html {
    let (words, ledger, work) = (use_words(), use_ledger(), use_work());
    let (list, _) =
        use_asked((), &[Topic::Desk, Topic::Ledger], |()| Request::Desk(DeskRequest::Issued), read_issued);
    let now_known =
        list.here().and_then(|list| list.iter().find(|known| known.report == props.report.report));
    let state = now_known.map_or(props.report.state, |known| known.state);
    let waiting = matches!(state, IssuedState::Waiting(_));
    use_following(if waiting { 5000 } else { 0 });
    let link = props.report.link.clone();
    let cancel = {
        let (work, report, why) = (work.clone(), props.report.report.clone(), words.say("ticket-cancel-why"));
        Callback::from(move |_| {
            work.desk(DeskRequest::Cancel { report: report.clone(), why: why.clone() }, |_| ());
        })
    };
    let now = ledger.now_or_start();
    html! {
        <div class="stack centre-text">
            if let Some(link) = &link {
                <div>
                    <h2 class="display">{ words.say("ticket-hand") }</h2>
                    <p class="quiet">{ words.say("ticket-hand-text") }</p>
                </div>
                if waiting { <Code text={link.clone()} label={words.say("ticket-code")} ring={Some((1, 1, false))} /> }
            } else {
                <h2>{ words.say("issue-delivered") }</h2>
            }
            <p class="row centre-row" role="status">{ sign(state, now, &words) }</p>
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
            if waiting && link.is_some() {
                <button class="button primary wide" onclick={Callback::from(|_| page::print())}>{ glyph("printer") }{ words.say("ticket-print") }</button>
                <div class="buttons">
                    <CopyLink link={link.clone().map(AttrValue::from)} />
                    <button class="button" onclick={cancel} disabled={work.busy()}>{ glyph("prohibit") }{ words.say("ticket-cancel") }</button>
                </div>
                <a class="plain" href={link.clone()} target="_blank" rel="noopener">{ words.say("ticket-open-here") }</a>
            }
            <button class="plain" onclick={props.next.reform(|_| ())}>{ small_glyph("plus-bold") }{ words.say("issue-next") }</button>
            if let (Some(link), IssuedState::Waiting(until)) = (link, state) { <Slip {link} {until} issued={props.report.issued} /> }
        </div>
    }
}

/// The state's seal and words.
pub fn sign(state: IssuedState, now: u64, words: &Words) -> Html {
    let when = |at: u64| words.when(at, now);
    let clock = html! { { glyph("clock") } };
    let (sign, text) = match state {
        IssuedState::Waiting(until) => (clock, words.with("issued-waiting", &[("when", when(until).into())])),
        IssuedState::Kept(at) => {
            (html! { { seal(Proof::Proven, None) } }, words.with("issued-kept", &[("when", when(at).into())]))
        }
        IssuedState::Cancelled(at) => (
            html! { { seal(Proof::Refused, None) } },
            words.with("issued-cancelled", &[("when", when(at).into())]),
        ),
        IssuedState::Expired => (html! { { seal(Proof::NoReceipt, None) } }, words.say("issued-expired")),
        IssuedState::Corrected => (html! { { glyph("note-pencil") } }, words.say("issued-corrected")),
        IssuedState::Delivered => (html! { { seal(Proof::Proven, None) } }, words.say("issued-delivered")),
    };
    html! { <>{ sign }<span>{ text }</span></> }
}

#[derive(Properties, PartialEq)]
struct SlipProps {
    link: String,
    until: u64,
    issued: u64,
}

/// The printed slip; while it is there, printing prints it and nothing else.
#[component]
fn Slip(props: &SlipProps) -> Html {
    let words = use_words();
    let (desk, _) = use_asked((), &[], |()| Request::Desk(DeskRequest::Desk), read_desk);
    use_print_mode("printing-slip");
    let issuer = desk.here().cloned().flatten().map(|desk| format!("{}{}", desk.organisation, desk.unit));
    html! {
        <section class="paper ticket" aria-hidden="true">
            <div class="ticket-columns">
                <div>
                    <p class="desk-name">{ logo() }{ words.say("suishen") }</p>
                    <h1>{ words.say("slip-title") }</h1>
                    <p>{ issuer.unwrap_or_default() }</p>
                    <p>{ words.with("slip-issued", &[("date", words.date(props.issued, 0).into())]) }</p>
                    <p>{ words.with("slip-until", &[("when", words.when(props.until, 0).into())]) }</p>
                </div>
                <Code text={props.link.clone()} label={words.say("ticket-code")} />
            </div>
            <p class="ticket-foot">{ words.say("slip-foot") }</p>
        </section>
    }
}
