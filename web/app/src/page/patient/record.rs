//! One record: what it says first, then its proof, then its original.

use std::rc::Rc;

use suishen_bridge::fhir::Kind;
use suishen_bridge::{PatientRequest, PatientResponse, RecordDetail, RecordTag, Request, Response, Topic};
use yew::{AttrValue, Callback, Html, Properties, component, html, use_state};

use super::{claims::Claims, root::use_wallet, tag_sheet::TagSheet};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        page,
    },
    component::{
        Attachments, FileSource, LinkTo, Proof, ProofSheet, Status, Trends, back_bar, fault_card, glyph,
        marks, report_body, seal, status_line,
    },
    route::Route,
    view::record::{moment_text, patient_text},
    words::Words,
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The record.
    pub record: AttrValue,
}

fn read(response: Response) -> Option<Box<RecordDetail>> {
    match response {
        Response::Patient(PatientResponse::Record(detail)) => Some(detail),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn RecordPage(props: &Props) -> Html {
    let words = use_words();
    let (detail, again) = use_asked(
        props.record.to_string(),
        &[Topic::Records],
        |record: &String| Request::Patient(PatientRequest::Record { record: record.clone() }),
        read,
    );
    match detail {
        Asked::Waiting => frame(
            &words,
            html! { <><h1 class="heard">{ words.say("record") }</h1><p class="quiet" role="status">{ words.say("opening") }</p></> },
        ),
        Asked::Failed(fault) => frame(
            &words,
            html! { <><h1>{ words.say("record") }</h1>{ fault_card(&words, &fault, Some(&again), false) }</> },
        ),
        Asked::Here(detail) => html! { <Detail detail={Held(detail)} /> },
    }
}

fn frame(words: &Words, content: Html) -> Html {
    html! {
        <div class="phone bare">
            { back_bar(words, Route::Home, words.say("record"), Html::default()) }
            <main class="stack">{ content }</main>
        </div>
    }
}

/// A record that is compared by identity: it is asked anew when it changes.
#[derive(Clone)]
struct Held(Rc<Box<RecordDetail>>);

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(Properties, PartialEq)]
struct DetailProps {
    detail: Held,
}

#[component]
fn Detail(props: &DetailProps) -> Html {
    let (words, may_share) = (use_words(), use_wallet().may_share());
    let (proof_open, menu_open) = (use_state(|| false), use_state(|| false));
    let detail = &props.detail.0;
    let (card, view) = (&detail.card, &detail.view);
    let set = |state: &yew::UseStateHandle<bool>, value: bool| {
        let setter = state.setter();
        Callback::from(move |()| setter.set(value))
    };
    let kind = words.say(&format!("report-{}", card.kind.name()));
    let place =
        [view.organisation.as_deref(), view.department.as_deref()].into_iter().flatten().collect::<String>();
    let flagged = detail.sound && card.marks.iter().copied().any(is_flag);
    let mut facts: Vec<String> = Vec::new();
    facts.extend(view.date().map(|date| moment_text(&words, date)));
    facts.extend(view.specimen.clone());
    facts.extend(view.fasting.map(|fasting| words.say(if fasting { "fasting" } else { "not-fasting" })));
    facts.extend(patient_text(&words, view));
    html! {<>
        <div class="phone">
            { back_bar(&words, Route::Home, kind, html! { <>
                if may_share {
                    <button class="plain ink" onclick={set(&menu_open, true).reform(|_| ())} aria-label={words.say("record-more")}>{ glyph("dots-three") }</button>
                }
            </> }) }
            <main class="stack">
                <div>
                    <h1>{ &card.title }</h1>
                    <p class="quiet">{ place }</p>
                    <p class="quiet">{ for facts.iter().enumerate().map(|(index, fact)| html! {<>
                        if index > 0 { { " · " } }<span class="whole">{ fact }</span>
                    </>}) }</p>
                    <p>{ marks(&words, card) }</p>
                </div>
                // What no longer counts says so before it says that it is genuine.
                if !flagged { { proven(detail, false, &set(&proof_open, true), &words) } }
                { notices(&card.marks, &words) }
                if card.kind == Kind::Invoice { <Claims record={card.record.clone()} {may_share} /> }
                if flagged { { proven(detail, true, &set(&proof_open, true), &words) } }
                { report_body(&words, view, false) }
                // Sums of money are no course of anything.
                if !matches!(card.kind, Kind::Invoice | Kind::Fees) { <Trends series={detail.series.clone()} /> }
                if !detail.files.is_empty() {
                    <Attachments source={FileSource::Record(card.record.clone())} files={detail.files.clone()} />
                }
            </main>
        </div>
        if may_share || !detail.files.is_empty() { <div class="dock" role="region" aria-label={words.say("record-actions")}><div>
            if may_share { <LinkTo to={Route::Show} class="button primary">{ glyph("qr-code") }{ words.say("show-doctor") }</LinkTo> }
            if !detail.files.is_empty() {
                <button class="button" onclick={Callback::from(|_| page::show_element("attachments"))}>{ glyph("file-pdf") }{ words.say("record-original") }</button>
            }
        </div></div> }
        if *proof_open { <ProofSheet lines={detail.proof.clone()} close={set(&proof_open, false)} /> }
        if *menu_open { <TagSheet card={card.clone()} close={set(&menu_open, false)} /> }
    </>}
}

/// Whether a mark says that a record counts no longer, or should be doubted.
const fn is_flag(mark: RecordTag) -> bool {
    match mark {
        RecordTag::Corrected
        | RecordTag::Withdrawn
        | RecordTag::Reversed
        | RecordTag::OnPaper
        | RecordTag::IssuerSuspended => true,
        RecordTag::New | RecordTag::IssuerSuspendedSince | RecordTag::Damaged | RecordTag::Coming => false,
    }
}

/// Whether it is as the hospital issued it; leads to each check.
fn proven(detail: &RecordDetail, quiet: bool, open: &Callback<()>, words: &Words) -> Html {
    let (class, proof, key, more) = match (detail.sound, quiet) {
        (true, false) => ("status good", Proof::Proven, "record-sound", "record-sound-more"),
        (true, true) => ("status", Proof::Proven, "record-sound", "record-sound-more"),
        (false, _) => ("status alarm", Proof::Broken, "record-unsound", "record-unsound-more"),
    };
    html! {
        <button {class} onclick={open.reform(|_| ())}>
            { seal(proof, None) }
            <span class="grow">
                <span class="line">{ words.say(key) }</span>
                <span class="line quiet">{ words.say(more) }</span>
            </span>
            { glyph("caret-right-bold") }
        </button>
    }
}

fn notices(marks: &[RecordTag], words: &Words) -> Html {
    html! {
        { for marks.iter().filter_map(|mark| match mark {
            RecordTag::Corrected => Some("record-corrected"),
            RecordTag::Withdrawn => Some("record-withdrawn"),
            RecordTag::IssuerSuspended => Some("record-doubtful"),
            RecordTag::IssuerSuspendedSince => Some("record-suspended"),
            // Of a void invoice its claims say it.
            RecordTag::New
            | RecordTag::Damaged
            | RecordTag::Coming
            | RecordTag::Reversed
            | RecordTag::OnPaper => None,
        }).map(|key| html! { { status_line(Status::Caution("warning-circle"), words.say(key), None, None, None) } }) }
    }
}
