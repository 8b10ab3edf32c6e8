//! What happened, are the records safe, one action, the stable code (LOOK "error").

use suishen_bridge::{Action, Fault};
use yew::{Callback, Html, html};

use super::{LinkTo, glyph};
use crate::{route::Route, words::Words};

/// What a desk stops at: nobody is told there to try again.
const ALARMS: [&str; 7] = [
    "ledger-forked",
    "ledger-rewound",
    "split-view",
    "audit-entry",
    "audit-root",
    "claim-suspended",
    "own-suspended",
];

/// The fault's sentence; an unknown one is said to be unknown, with its code below.
pub fn sentence(words: &Words, fault: &Fault) -> String {
    let key = if words.has(&fault.key) { fault.key.as_str() } else { "fault-unknown" };
    words.with(key, &[("detail", fault.detail.clone().unwrap_or_default().into())])
}

/// Draws it; `retry` is told of "try again". At a desk patients' actions are not offered.
pub fn fault_card(words: &Words, fault: &Fault, retry: Option<&Callback<()>>, desk: bool) -> Html {
    html! {
        <section class="card padded stack close" role="alert">
            <div class="row">
                { glyph("warning-circle") }
                <h2 class="grow">{ sentence(words, fault) }</h2>
            </div>
            if !(desk && ALARMS.contains(&fault.code.as_str())) { <p>{ words.say(if desk { "fault-desk-safe" } else { "fault-safe" }) }</p> }
            { action(words, fault, retry, desk) }
            <p class="error-code">{ words.with("fault-code", &[("code", code(fault).into())]) }</p>
        </section>
    }
}

/// What support needs: the code, and for those without a number what they were about.
fn code(fault: &Fault) -> String {
    let numbered = fault.code.bytes().all(|byte| byte.is_ascii_digit());
    match fault.detail.as_ref().filter(|detail| !numbered && !detail.is_empty()) {
        Some(detail) => format!("{}: {detail}", fault.code),
        None => fault.code.clone(),
    }
}

fn action(words: &Words, fault: &Fault, retry: Option<&Callback<()>>, desk: bool) -> Html {
    let link = |to: Route, key: &str| html! { <LinkTo {to} class="button small">{ words.say(key) }</LinkTo> };
    match fault.action {
        Action::Retry => match retry {
            Some(retry) => {
                html! { <button class="button small" onclick={retry.reform(|_| ())}>{ words.say("action-retry") }</button> }
            }
            None => Html::default(),
        },
        Action::ScanAgain if desk => link(Route::Home, "action-scan"),
        Action::ScanAgain => link(Route::Scan, "action-scan"),
        Action::Protect => link(Route::Protect, "action-protect"),
        Action::Unlock => link(Route::Home, "action-unlock"),
        Action::Recover => link(Route::Restore, "action-recover"),
        Action::AskDesk => html! { <p>{ words.say("action-ask-desk") }</p> },
        Action::AskPatient => html! { <p>{ words.say("action-ask-patient") }</p> },
        Action::Nothing => Html::default(),
    }
}
