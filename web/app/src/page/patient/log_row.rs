//! One line of the log: seal, what in words, when and why; on a tap its entry and the proof to keep.

use suishen_bridge::{Access, AccessOutcome, PatientRequest, PatientResponse, Request, Response};
use yew::{Callback, Html, Properties, component, html, use_state};

use crate::{
    browser::{file, language::use_words, ledger::use_ledger, work::use_work},
    component::{Proof, Sheet, fault_card, glyph, seal},
    view::passage::purpose_key,
    words::{Words, figure, rich},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The access.
    pub access: Access,
    /// Whether the log is proven whole now; otherwise a read stands as of an earlier time.
    pub complete: bool,
    /// Whether the person is named in the line (by record).
    #[prop_or_default]
    pub named: bool,
}

/// Its seal and sentence.
fn told(access: &Access, complete: bool, words: &Words) -> (Proof, String) {
    let titles = words.list(&access.titles);
    let arguments = [("n", figure(access.titles.len() as u64)), ("titles", titles.into())];
    match &access.outcome {
        AccessOutcome::Read => {
            (if complete { Proof::Proven } else { Proof::AsOf }, words.with("log-read", &arguments))
        }
        AccessOutcome::NoReceipt => (Proof::NoReceipt, words.with("log-no-receipt", &arguments)),
        AccessOutcome::Refused { .. } => (Proof::Refused, words.with("log-refused", &arguments)),
    }
}

/// Draws it.
#[component]
pub fn LogRow(props: &Props) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let open = use_state(|| false);
    let access = &props.access;
    let (proof, sentence) = told(access, props.complete, &words);
    let when = words.when(access.at, ledger.now_or_start());
    let more = match &access.outcome {
        AccessOutcome::Refused { reason } => {
            words.with("log-when-refused", &[("when", when.into()), ("reason", words.say(reason).into())])
        }
        _ => words.with(
            "log-when",
            &[("when", when.into()), ("purpose", words.say(purpose_key(access.purpose)).into())],
        ),
    };
    let set = |value: bool| {
        let open = open.setter();
        Callback::from(move |()| open.set(value))
    };
    html! {<>
        <button class="entry parted log" onclick={set(true).reform(|_| ())}>
            <span class="lead">{ seal(proof, Some(words.say(seal_key(proof)))) }</span>
            <span class="grow">
                if props.named { <span class="line name">{ words.named(&access.name, &access.title) }</span> }
                <span class="line">{ rich(&sentence) }</span>
                <span class="line quiet">{ more }</span>
                if let Some(by) = &access.by { <span class="line quiet">{ words.with("log-by", &[("device", by.as_str().into())]) }</span> }
            </span>
        </button>
        if *open { <Detail access={access.clone()} close={set(false)} /> }
    </>}
}

/// The seal's own sentence.
fn seal_key(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => "seal-proven",
        Proof::AsOf => "seal-as-of",
        Proof::NoReceipt => "seal-no-receipt",
        Proof::Refused => "seal-refused",
        Proof::Broken => "seal-broken",
    }
}

#[derive(Properties, PartialEq)]
struct DetailProps {
    access: Access,
    close: Callback<()>,
}

/// The entry's number, and the proof of this read as a file.
#[component]
fn Detail(props: &DetailProps) -> Html {
    let (words, ledger, work) = (use_words(), use_ledger(), use_work());
    let access = &props.access;
    let export = {
        let (work, share, read) = (work.clone(), access.share.clone(), access.read);
        Callback::from(move |_| {
            work.run(
                Request::Patient(PatientRequest::Bundle { share: share.clone(), read }),
                None,
                |response, bytes| {
                    if let (Response::Patient(PatientResponse::File { name, .. }), Some(bytes)) =
                        (response, bytes)
                    {
                        file::save(&name, &bytes);
                    }
                },
            );
        })
    };
    let row = |term: &str, text: String| html! { <><dt>{ words.say(term) }</dt><dd>{ text }</dd></> };
    html! {
        <Sheet title={words.say("log-detail")} close={props.close.clone()}>
            <div class="stack">
                <dl class="terms">
                    { row("log-who", words.named(&access.name, &access.title)) }
                    { row("log-where", access.organisation.clone()) }
                    { row("consent-term-what", words.list(&access.titles)) }
                    { row("log-at", words.when(access.at, ledger.now_or_start())) }
                    if let Some(entry) = access.entry { { row("log-entry", words.count("entry-number", entry)) } }
                </dl>
                if access.entry.is_some() {
                    <p class="quiet">{ words.say("log-bundle-note") }</p>
                    <button class="button wide" onclick={export} disabled={work.busy()}>{ glyph("download-simple") }{ words.say("log-bundle") }</button>
                } else {
                    <p class="quiet">{ words.say("log-reported") }</p>
                }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
            </div>
        </Sheet>
    }
}
