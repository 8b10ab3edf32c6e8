//! The report of the audit that is shown, as files to save: a page to print, or all of it with the auditor's signature.

use suishen_bridge::{AuditRequest, AuditResponse, DeskResponse, ReportForm, Response};
use yew::{Callback, Html, Properties, component, html};

use super::audit;
use crate::{
    browser::{file, language::use_words, work::use_work},
    component::{fault_card, glyph, use_voice},
    words::{Language, figure},
};

/// The audit.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The entry of its look, without which nothing is signed.
    pub look: Option<u64>,
    /// Whether the ledger has more lines than are held.
    pub cut: bool,
}

/// Draws it.
#[component]
pub fn ReportCard(props: &Props) -> Html {
    let (words, voice, work) = (use_words(), use_voice(), use_work());
    let save = {
        let (words, work) = (words.clone(), work.clone());
        Callback::from(move |form| {
            let (words, voice) = (words.clone(), voice.clone());
            let english = words.language() == Language::English;
            work.run(audit(AuditRequest::Report { form, english }), None, move |response, bytes| {
                if let (Response::Desk(DeskResponse::Audit(AuditResponse::Report { name })), Some(bytes)) =
                    (response, bytes)
                {
                    file::save(&name, &bytes);
                    voice.polite(words.with("audit-report-saved", &[("name", name.into())]));
                }
            });
        })
    };
    let on = |form| {
        let save = save.clone();
        Callback::from(move |_| save.emit(form))
    };
    let (kind, text) = match (props.cut, props.look) {
        (_, None) => ("audit-report", words.say("audit-report-unsigned")),
        (_, Some(look)) => {
            ("audit-report-signed", words.with("audit-report-signed-text", &[("entry", figure(look))]))
        }
    };
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-report-title") }</h2>
            <p class="quiet">{ text }</p>
            if props.cut { <p>{ words.say("audit-report-cut") }</p> }
            <div class="row wrap">
                <button class="button primary" onclick={on(ReportForm::Whole)} disabled={work.busy()}>
                    { glyph("download-simple") }{ words.say(kind) }
                </button>
                <button class="button" onclick={on(ReportForm::Page)} disabled={work.busy()}>
                    { glyph("printer") }{ words.say("audit-report-page") }
                </button>
            </div>
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
        </section>
    }
}
