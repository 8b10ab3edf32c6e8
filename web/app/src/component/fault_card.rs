//! What happened, are the records safe, one action, the stable code (LOOK "error").

use suishen_bridge::{Action, Fault};
use yew::{Callback, Html, html};

use super::{LinkTo, Status, glyph, status_line};
use crate::{route::Route, words::Words};

/// A proof that doesn't hold: drawn as such, and nobody is told to try again.
const BROKEN: [&str; 6] =
    ["ledger-forked", "ledger-rewound", "split-view", "split-view-here", "audit-entry", "audit-root"];
/// What else a desk stops at.
const STOPS: [&str; 2] = ["claim-suspended", "own-suspended"];

/// The fault's sentence; an unknown one is said to be unknown, with its code below.
pub fn sentence(words: &Words, fault: &Fault) -> String {
    let key = if words.has(&fault.key) { fault.key.as_str() } else { "fault-unknown" };
    words.with(key, &[("detail", fault.detail.clone().unwrap_or_default().into())])
}

/// Draws it; `retry` is told of "try again". At a desk patients' actions are not offered.
pub fn fault_card(words: &Words, fault: &Fault, retry: Option<&Callback<()>>, desk: bool) -> Html {
    let broken = BROKEN.contains(&fault.code.as_str());
    // Who is told to ask the patient isn't told to try as well.
    let stops = broken || STOPS.contains(&fault.code.as_str()) || fault.action == Action::AskPatient;
    html! {
        <section class="card padded stack close" role="alert">
            if broken {
                { status_line(Status::Alarm, sentence(words, fault), None, None, None) }
            } else {
                <div class="row">
                    { glyph("warning-circle") }
                    <h2 class="grow">{ sentence(words, fault) }</h2>
                </div>
            }
            if !(desk && stops) { <p>{ words.say(if desk { "fault-desk-safe" } else { "fault-safe" }) }</p> }
            { action(words, fault, retry, desk) }
            <p class="error-code">{ words.with("fault-code", &[("code", code(fault).into())]) }</p>
        </section>
    }
}

/// What support needs: the code, and for those without a number what they were about, unless that is a sentence, which is
/// not in the reader's language.
fn code(fault: &Fault) -> String {
    let numbered = fault.code.bytes().all(|byte| byte.is_ascii_digit());
    let brief = |detail: &&String| (1..=2).contains(&detail.split_whitespace().count());
    match fault.detail.as_ref().filter(|_| !numbered).filter(brief) {
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
