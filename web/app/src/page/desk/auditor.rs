//! The auditor's desk: what this browser has proven of the ledger itself, and the audit of all of it (`audit`). Signed
//! reports and whole lists are the `suishen audit` program's work.

use suishen_bridge::{LedgerState, Request};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, component, html, use_state};

use super::{audit::AuditPage, frame::DeskFrame};
use crate::{
    browser::{engine::use_engine, language::use_words, ledger::use_ledger},
    component::{Status, fault_card, glyph, status_line},
};

/// Draws it.
#[component]
pub fn AuditorDesk() -> Html {
    let (words, ledger, engine) = (use_words(), use_ledger(), use_engine());
    let busy = use_state(|| false);
    let fault = use_state(|| None);
    let check = {
        let (busy, fault) = (busy.clone(), fault.setter());
        Callback::from(move |()| {
            let (engine, busy, fault) = (engine.clone(), busy.clone(), fault.clone());
            busy.set(true);
            spawn_local(async move {
                fault.set(engine.ask(Request::Refresh).await.err());
                busy.set(false);
            });
        })
    };
    let at = ledger.checked().map_or_else(|| "–".to_owned(), |at| words.time(at));
    let (status, text) = match ledger.state() {
        LedgerState::Fresh => (Status::Good, "audit-whole"),
        LedgerState::AsOf => (Status::AsOf, "audit-as-of"),
        LedgerState::Unknown => (Status::AsOf, "audit-unknown"),
        LedgerState::Forked => (Status::Alarm, "audit-forked"),
        LedgerState::Rewound => (Status::Alarm, "audit-rewound"),
    };
    html! {
        <DeskFrame title={words.say("desk-auditor")} sections={Vec::new()}>
            <main class="centred wide stack">
                <h1>{ words.say("audit-title") }</h1>
                { status_line(status, words.with(text, &[("time", at.into())]), Some(words.say("audit-by-this")), None, None) }
                <dl class="figures card padded"><div><dt>{ words.say("audit-entries") }</dt><dd>{ ledger.size() }</dd></div></dl>
                if let Some(fault) = (*fault).clone() { { fault_card(&words, &fault, Some(&check), true) } }
                <button class="button" onclick={check.reform(|_| ())} disabled={*busy}>{ glyph("shield-check") }{ words.say("audit-check") }</button>
                <AuditPage />
                <section class="card padded stack close">
                    <h2>{ words.say("audit-more") }</h2>
                    <p class="quiet">{ words.say("audit-more-text") }</p>
                    <p class="hex">{ "suishen audit · suishen fsck" }</p>
                </section>
            </main>
        </DeskFrame>
    }
}
