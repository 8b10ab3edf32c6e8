//! What this desk issued, newest first, and whether it was kept.

use suishen_bridge::{DeskRequest, IssuedReport, IssuedState, Request};
use yew::{Callback, Html, Properties, component, html, use_state};

use super::{
    hospital::{ISSUED, read_issued},
    ticket::sign,
    void_sheet::VoidSheet,
};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
        work::use_work,
    },
    component::{fault_card, glyph},
    words::Words,
};

/// How much of it.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// All, or only today's, without actions.
    pub all: bool,
    /// Told of a report that is to be corrected.
    #[prop_or_default]
    pub correct: Callback<IssuedReport>,
}

/// Draws it.
#[component]
pub fn IssuedList(props: &Props) -> Html {
    let (words, ledger, work) = (use_words(), use_ledger(), use_work());
    let voiding = use_state(|| None::<IssuedReport>);
    let (list, again) = use_asked((), ISSUED, |()| Request::Desk(DeskRequest::Issued), read_issued);
    let now = ledger.now_or_start();
    let list = match list {
        Asked::Waiting => return html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        Asked::Failed(fault) => return html! { { fault_card(&words, &fault, Some(&again), true) } },
        Asked::Here(list) => list,
    };
    let today = words.moment(now).day_number;
    let shown: Vec<&IssuedReport> =
        list.iter().filter(|report| props.all || words.moment(report.issued).day_number == today).collect();
    if shown.is_empty() {
        return html! { <p class="quiet">{ words.say("issued-none") }</p> };
    }
    let cancel = |report: &IssuedReport| {
        let (work, report, why) = (work.clone(), report.report.clone(), words.say("ticket-cancel-why"));
        Callback::from(move |_| {
            work.desk(DeskRequest::Cancel { report: report.clone(), why: why.clone() }, |_| ());
        })
    };
    let void = |report: &IssuedReport| {
        let (voiding, report) = (voiding.setter(), report.clone());
        Callback::from(move |_| voiding.set(Some(report.clone())))
    };
    let close = {
        let voiding = voiding.setter();
        Callback::from(move |()| voiding.set(None))
    };
    let correct = |report: &IssuedReport| {
        let report = report.clone();
        props.correct.reform(move |_| report.clone())
    };
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label={words.say("desk-issued")}>
            <table class="table">
                <thead><tr>
                    <th scope="col">{ words.say("issued-at") }</th>
                    <th scope="col">{ words.say("issued-patient") }</th>
                    <th scope="col">{ words.say("issued-report") }</th>
                    <th scope="col">{ words.say("issued-state") }</th>
                    if props.all { <th scope="col"><span class="heard">{ words.say("issued-actions") }</span></th> }
                </tr></thead>
                <tbody>
                    { for shown.into_iter().map(|report| html! {
                        <tr key={report.report.clone()}>
                            <td>{ if props.all { words.when(report.issued, now) } else { words.time(report.issued) } }</td>
                            <td>{ &report.patient }</td>
                            <td>{ &report.title }</td>
                            <td><span class="row">{ sign(report.state, now, &words) }</span>{ invoice(report, now, &words) }</td>
                            if props.all {
                                <td><span class="row">
                                    if matches!(report.state, IssuedState::Waiting(_)) {
                                        <button class="button small" onclick={cancel(report)} disabled={work.busy()}>{ words.say("ticket-cancel") }</button>
                                    }
                                    if !matches!(report.state, IssuedState::Corrected | IssuedState::Cancelled(_)) {
                                        <button class="button small" onclick={correct(report)}>{ words.say("correct") }</button>
                                    }
                                    if report.state != IssuedState::Corrected && report.invoice.is_some_and(|invoice| invoice.void.is_none()) {
                                        <button class="button small" onclick={void(report)}>{ words.say("void") }</button>
                                    }
                                </span></td>
                            }
                        </tr>
                    }) }
                </tbody>
            </table>
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
            if let Some(report) = (*voiding).clone() { <VoidSheet {report} close={close} /> }
        </div>
    }
}

/// How an invoice's payer slots stand, where there is something to say.
fn invoice(report: &IssuedReport, now: u64, words: &Words) -> Html {
    let Some(invoice) = report.invoice else { return Html::default() };
    let key = match (invoice.void, invoice.on_paper, invoice.paid) {
        (None, _, false) => return Html::default(),
        (None, _, true) => "invoice-paid",
        (Some(_), false, _) => "invoice-void",
        (Some(_), true, _) => "invoice-on-paper",
    };
    let when = invoice.void.map(|at| words.when(at, now)).unwrap_or_default();
    html! { <span class="row quiet">{ glyph("receipt") }<span>{ words.with(key, &[("when", when.into())]) }</span></span> }
}
