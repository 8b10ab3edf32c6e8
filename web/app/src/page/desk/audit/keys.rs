//! The auditor's keys: taken from files into the worker's memory, and forgotten.

use suishen_bridge::{Action, AuditKeys, AuditRequest, Fault};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{Callback, Event, Html, Properties, TargetCast, component, html, use_state};

use super::ask;
use crate::{
    browser::{engine::use_engine, file, language::use_words},
    component::{Status, fault_card, status_line},
    words::{Words, figure},
};

/// Which keys are at hand.
#[derive(Properties, PartialEq)]
pub struct KeysProps {
    /// These.
    pub keys: AuditKeys,
    /// Told when they are others.
    pub changed: Callback<AuditKeys>,
}

/// Takes key files, says what they open, forgets them.
#[component]
pub fn KeysCard(props: &KeysProps) -> Html {
    let (words, engine) = (use_words(), use_engine());
    let fault = use_state(|| None::<Fault>);
    let tell = {
        let (fault, changed) = (fault.setter(), props.changed.clone());
        Callback::from(move |answer: Result<AuditKeys, Fault>| match answer {
            Ok(keys) => {
                fault.set(None);
                changed.emit(keys);
            }
            Err(why) => fault.set(Some(why)),
        })
    };
    let picked = {
        let (engine, tell) = (engine.clone(), tell.clone());
        Callback::from(move |event: Event| {
            let input = event.target_unchecked_into::<HtmlInputElement>();
            let files = file::files(input.files());
            input.set_value("");
            let (engine, tell) = (engine.clone(), tell.clone());
            spawn_local(async move {
                for one in files {
                    let answer = match file::read(one).await {
                        Some(picked) => ask(&engine, AuditRequest::Key, Some(&picked.bytes)).await,
                        None => Err(Fault::new("file-unread", Action::Retry)),
                    };
                    let failed = answer.is_err();
                    tell.emit(answer);
                    if failed {
                        return;
                    }
                }
            });
        })
    };
    let forget = {
        let (engine, tell) = (engine.clone(), tell.clone());
        Callback::from(move |_| {
            let (engine, tell) = (engine.clone(), tell.clone());
            spawn_local(async move { tell.emit(ask(&engine, AuditRequest::Forget, None).await) });
        })
    };
    let AuditKeys { quarters, signs, others, due } = props.keys;
    let held = quarters + others + u64::from(signs);
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-keys") }</h2>
            <p class="quiet">{ words.say("audit-keys-text") }</p>
            if held > 0 {
                <p role="status">{ words.with("audit-keys-held", &[("quarters", figure(quarters)), ("others", figure(others))]) }</p>
                if let Some((due, over)) = due {
                    { due_line(due, over, &words) }
                }
                if !signs { <p>{ words.say("audit-keys-unsigned") }</p> }
            }
            <div class="row wrap">
                <label class="button small file-button">{ words.say("audit-keys-pick") }
                    <input class="heard" type="file" multiple=true accept=".pem" onchange={picked} />
                </label>
                if held > 0 { <button class="plain" onclick={forget}>{ words.say("audit-keys-forget") }</button> }
            </div>
            if let Some(fault) = (*fault).clone() { { fault_card(&words, &fault, None, true) } }
        </section>
    }
}

/// Until when the quarter's key is to be changed, or that this was missed.
fn due_line(due: u64, over: bool, words: &Words) -> Html {
    let date = [("date", words.date(due, 0).into())];
    if over {
        let said = words.with("audit-keys-overdue", &date);
        return status_line(Status::Caution("warning-circle"), said, None, None, None);
    }
    html! { <p>{ words.with("audit-keys-due", &date) }</p> }
}
