//! The auditor's work: keys, the replay from entry 0 with its progress, and what was found: what is wrong first, then
//! reads, people and claims.

mod plots;
mod tables;

use std::rc::Rc;

use suishen_bridge::{
    Action, AuditKeys, AuditRequest, AuditResponse, AuditView, DeskRequest, DeskResponse, Fault, Request,
    Response,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Event, Html, InputEvent, Properties, TargetCast, component, html, use_effect_with, use_state,
};

use crate::{
    browser::{
        engine::{Engine, unexpected, use_engine},
        file,
        language::use_words,
        work::use_work,
    },
    component::{fault_card, glyph, progress_card},
    words::{Words, figure},
};

fn audit(request: AuditRequest) -> Request {
    Request::Desk(DeskRequest::Audit(request))
}

fn keys_in(response: Response) -> Option<AuditKeys> {
    match response {
        Response::Desk(DeskResponse::Audit(AuditResponse::Keys(keys))) => Some(keys),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn AuditPage() -> Html {
    let words = use_words();
    let work = use_work();
    let keys = use_state(AuditKeys::default);
    let why = use_state(String::new);
    let view = use_state(|| None::<Rc<AuditView>>);
    let run = {
        let (work, why, view) = (work.clone(), why.clone(), view.setter());
        Callback::from(move |()| {
            view.set(None);
            let view = view.clone();
            work.run(audit(AuditRequest::Run { why: (*why).clone() }), None, move |response, _| {
                if let Response::Desk(DeskResponse::Audit(AuditResponse::Audit(found))) = response {
                    view.set(Some(Rc::new(*found)));
                }
            });
        })
    };
    let typed = {
        let why = why.setter();
        Callback::from(move |event: InputEvent| {
            why.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let opens = keys.quarters > 0 || keys.others > 0 || keys.signs;
    html! {<>
        <KeysCard keys={*keys} changed={Callback::from({ let (keys, view) = (keys.setter(), view.setter()); move |now| { keys.set(now); view.set(None); } })} />
        <section class="card padded stack close">
            <h2>{ words.say("audit-replay") }</h2>
            <p class="quiet">{ words.say(if opens { "audit-replay-open" } else { "audit-replay-closed" }) }</p>
            if opens {
                <div class="field">
                    <label for="audit-why">{ words.say("audit-why") }</label>
                    <input id="audit-why" class="input" type="text" maxlength="80" autocomplete="off" value={(*why).clone()} oninput={typed} />
                </div>
            }
            <button class="button primary" onclick={run.reform(|_| ())} disabled={work.busy() || (opens && why.trim().is_empty())}>
                { glyph("shield-check") }{ words.say("audit-run") }
            </button>
        </section>
        if work.busy() { { progress_card(&words, work.progress()) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&run), true) } }
        if let Some(view) = &*view { { result(view, &words) } }
    </>}
}

/// Which keys are at hand.
#[derive(Properties, PartialEq)]
struct KeysProps {
    /// These.
    keys: AuditKeys,
    /// Told when they are others.
    changed: Callback<AuditKeys>,
}

/// Takes key files, says what they open, forgets them.
#[component]
fn KeysCard(props: &KeysProps) -> Html {
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
    use_effect_with((), {
        let (engine, tell) = (engine.clone(), tell.clone());
        move |()| spawn_local(async move { tell.emit(ask(&engine, AuditRequest::Keys, None).await) })
    });
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
    let AuditKeys { quarters, signs, others } = props.keys;
    let held = quarters + others + u64::from(signs);
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-keys") }</h2>
            <p class="quiet">{ words.say("audit-keys-text") }</p>
            if held > 0 {
                <p role="status">{ words.with("audit-keys-held", &[("quarters", figure(quarters)), ("others", figure(others))]) }</p>
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

async fn ask(engine: &Engine, request: AuditRequest, bytes: Option<&[u8]>) -> Result<AuditKeys, Fault> {
    let (response, _) = engine.begin(&audit(request), bytes).1.await?;
    keys_in(response).ok_or_else(unexpected)
}

fn result(view: &AuditView, words: &Words) -> Html {
    let figures = [
        ("audit-entries", view.size),
        ("audit-reads", view.reads),
        ("audit-no-key", view.no_key),
        ("audit-looks", view.looks),
    ];
    html! {<>
        <dl class="figures card padded">
            { for figures.iter().map(|(key, value)| html! { <div><dt>{ words.say(key) }</dt><dd>{ value }</dd></div> }) }
        </dl>
        <p class="quiet" role="status">{ words.with("audit-done", &[("time", words.time(view.checked).into())]) }</p>
        { tables::findings(view, words) }
        if view.reads > 0 {
            { plots::hours(view, words) }
            { plots::months(view, words) }
            { tables::institutions(view, words) }
        }
        if !view.readers.is_empty() { { tables::readers(view, words) } }
        if !view.purposes.is_empty() { { tables::purposes(view, words) } }
        if !view.claims.is_empty() { { tables::claims(view, words) } }
        <p class="quiet">{ words.say("audit-limits") }</p>
    </>}
}
