//! Opened records: tabs, values with bars, trend, attachments; at the right what the patient agreed to, what was not
//! shown, and that this reading stands on the ledger.

use suishen_bridge::{ReadRecord, Reading};
use yew::{Callback, Html, Properties, component, html, use_state};

use super::{claim_card::ClaimCard, doctor::Opened};
use crate::{
    browser::{language::use_words, ledger::use_ledger, page, timer::use_tick},
    component::{Attachments, FileSource, Proof, Status, Trends, glyph, report_body, seal, status_line},
    view::{
        passage::purpose_key,
        record::{icon, moment_text, patient_text},
    },
    words::{Words, figure},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The reading.
    pub reading: Opened,
    /// Told of "done".
    pub close: Callback<String>,
    /// Told of the reading after a decision on its claim.
    pub decided: Callback<Box<Reading>>,
}

/// Draws it.
#[component]
pub fn ReadingView(props: &Props) -> Html {
    use_tick(30_000);
    let words = use_words();
    let tab = use_state(|| 0_usize);
    let reading = &props.reading.0;
    let chosen = (*tab).min(reading.records.len().saturating_sub(1));
    let Some(record) = reading.records.get(chosen) else { return Html::default() };
    let name = record
        .view
        .patient
        .as_ref()
        .and_then(|patient| patient.name.clone())
        .unwrap_or_else(|| words.say("offer-unnamed"));
    let about = patient_text(&words, &record.view).unwrap_or_default();
    let about = about.strip_prefix(&name).unwrap_or(&about).trim_start_matches(['，', ',', ' ']).to_owned();
    let choose = |index: usize| {
        let tab = tab.setter();
        Callback::from(move |_| tab.set(index))
    };
    html! {<>
        <div class="main sheeted stack">
            <div class="row wrap">
                <h1>{ name }</h1><span class="quiet grow">{ about }</span>
                <button class="button small" onclick={Callback::from(|_| page::print())}>{ glyph("printer") }{ words.say("print") }</button>
            </div>
            <div class="tabs noprint" role="tablist" aria-label={words.say("reading-records")}>
                { for reading.records.iter().enumerate().map(|(index, record)| html! {
                    <button key={index} class="tab" role="tab" id={format!("tab-{index}")} aria-selected={(index == chosen).to_string()} aria-controls="panel" onclick={choose(index)}>
                        { glyph(icon(record.view.kind)) }{ &record.view.title }
                    </button>
                }) }
            </div>
            <div id="panel" class="stack" role="tabpanel" aria-labelledby={format!("tab-{chosen}")}>
                { panel(reading, record, &words) }
            </div>
        </div>
        <div class="aside stack">
            if let Some(claim) = &reading.claim {
                <ClaimCard share={reading.offer.share.clone()} claim={claim.clone()} decided={props.decided.clone()} />
            }
            <Scope reading={props.reading.clone()} />
            if record.withheld > 0 {
                <section class="card padded stack close">
                    <h2 class="row">{ glyph("eye-slash") }{ words.count("withheld", record.withheld) }</h2>
                    <p class="quiet">{ words.say(if reading.claim.is_some() { "withheld-text-claim" } else { "withheld-text" }) }</p>
                </section>
            }
            { entered(reading, &words) }
            <button class="button wide" onclick={props.close.reform({ let share = reading.offer.share.clone(); move |_| share.clone() })}>{ glyph("check") }{ words.say("reading-done") }</button>
        </div>
    </>}
}

fn panel(reading: &Reading, record: &ReadRecord, words: &Words) -> Html {
    let proof = if record.sound { Proof::Proven } else { Proof::Broken };
    let sound = words.with(
        if record.sound { "reading-sound" } else { "reading-unsound" },
        &[("issuer", record.issuer.as_str().into())],
    );
    let when = record.view.date().map(|date| moment_text(words, date)).unwrap_or_default();
    let series: Vec<_> = reading
        .series
        .iter()
        .filter(|series| record.view.rows.iter().any(|row| row.name == series.name))
        .cloned()
        .collect();
    html! {<>
        <div class="row wrap">{ seal(proof, None) }<span class="grow">{ sound }</span><span class="quiet">{ when }</span></div>
        if record.corrected { { status_line(Status::Caution("warning-circle"), words.say("record-corrected"), None, None, None) } }
        { report_body(words, &record.view, true) }
        <Trends key={record.number} {series} />
        if !record.files.is_empty() {
            <Attachments source={FileSource::Reading(reading.offer.share.clone(), record.number)} files={record.files.clone()} />
        }
    </>}
}

#[derive(Properties, PartialEq)]
struct ScopeProps {
    reading: Opened,
}

/// What the patient agreed to.
#[component]
fn Scope(props: &ScopeProps) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let offer = &props.reading.0.offer;
    let now = ledger.now_or_start();
    let row = |term: &str, text: String| html! { <><dt>{ words.say(term) }</dt><dd>{ text }</dd></> };
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("scope-title") }</h2>
            <dl class="terms">
                if let Some(purpose) = offer.purpose { { row("scope-why", words.say(purpose_key(purpose))) } }
                { row("scope-what", words.count("records-count", offer.records)) }
                { row("scope-until", words.when(offer.until, now)) }
                { row("scope-left", words.left(offer.until.saturating_sub(now))) }
                { row("scope-reads", words.with("scope-reads-of", &[("left", figure(offer.reads_left)), ("all", figure(offer.reads))])) }
            </dl>
        </section>
    }
}

fn entered(reading: &Reading, words: &Words) -> Html {
    html! {
        <section class="status good top-aligned">
            { seal(Proof::Proven, None) }
            <div class="grow">
                <h2 class="plain-size">{ words.say("reading-entered") }</h2>
                <p class="quiet">{ words.with("reading-entered-text", &[("time", words.time(reading.at).into()), ("entry", words.count("entry-number", reading.entry).into())]) }</p>
            </div>
        </section>
    }
}
