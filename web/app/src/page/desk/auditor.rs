//! The auditor's desk in four sections: what is wrong and who read, statistics, keys, and what this browser has proven
//! of the ledger itself. One audit lies under all of them (`audit`).

use suishen_bridge::{LedgerState, Request};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, component, html, use_state};

use super::{
    audit::AuditPage,
    frame::{DeskFrame, Section},
};
use crate::{
    browser::{address::use_address, engine::use_engine, language::use_words, ledger::use_ledger},
    component::{Status, fault_card, glyph, status_line},
    page::UnknownPage,
    route::Route,
};

fn sections() -> Vec<Section> {
    vec![
        (Route::Home, "audit-section-reads", "eye"),
        (Route::Statistics, "audit-section-statistics", "table"),
        (Route::Keys, "audit-section-keys", "key"),
        (Route::Ledger, "audit-section-ledger", "tree-structure"),
    ]
}

/// Draws it.
#[component]
pub fn AuditorDesk() -> Html {
    let (words, address) = (use_words(), use_address());
    let sections = sections();
    let title = sections.iter().find(|(route, ..)| *route == address.route).map(|(_, title, _)| *title);
    let body = match title {
        Some(title) => html! {
            <main class="centred wide stack">
                <h1>{ words.say(title) }</h1>
                if address.route == Route::Ledger { <LedgerSection /> }
                // Always there, so that the audit outlives a look at another section.
                <AuditPage key="audit" section={address.route.clone()} />
            </main>
        },
        None => html! { <UnknownPage /> },
    };
    html! { <DeskFrame title={words.say("desk-auditor")} {sections}>{ body }</DeskFrame> }
}

/// What this browser has proven of the ledger, without any key.
#[component]
fn LedgerSection() -> Html {
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
    html! {<>
        { status_line(status, words.with(text, &[("time", at.into())]), Some(words.say("audit-by-this")), None, None) }
        <dl class="figures card padded"><div><dt>{ words.say("audit-entries") }</dt><dd>{ ledger.size() }</dd></div></dl>
        if let Some(fault) = (*fault).clone().filter(|_| !ledger.is_broken()) { { fault_card(&words, &fault, Some(&check), true) } }
        <button class="button" onclick={check.reform(|_| ())} disabled={*busy}>{ glyph("shield-check") }{ words.say("audit-check") }</button>
        <section class="card padded stack close">
            <h2>{ words.say("audit-more") }</h2>
            <p class="quiet">{ words.say("audit-more-text") }</p>
            <p class="hex">{ "suishen audit · suishen audit rotate · suishen fsck" }</p>
        </section>
    </>}
}
