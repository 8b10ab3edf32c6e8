//! The auditor's work: the replay from entry 0 with its progress, what is wrong first, then who read, and the report;
//! plots and tables; keys.

mod keys;
mod people;
mod period;
mod plots;
mod reads;
mod report;
mod tables;

use std::rc::Rc;

use suishen_bridge::{
    AuditKeys, AuditPeriod, AuditRequest, AuditResponse, AuditView, DeskRequest, DeskResponse, Fault,
    Request, Response,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::{
    Callback, Html, InputEvent, Properties, TargetCast, UseStateHandle, classes, component, html,
    use_effect_with, use_state,
};

use crate::{
    browser::{
        engine::{Engine, unexpected, use_engine},
        language::use_words,
        work::{Work, use_work},
    },
    component::{LinkTo, Status, fault_card, glyph, progress_card, status_line, use_voice},
    route::Route,
    words::Words,
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

/// Which section is shown.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// This.
    pub section: Route,
}

/// Draws it.
#[component]
pub fn AuditPage(props: &Props) -> Html {
    let (words, engine, voice) = (use_words(), use_engine(), use_voice());
    let work = use_work();
    let keys = use_state(AuditKeys::default);
    let why = use_state(String::new);
    let period = use_state(AuditPeriod::default);
    let view = use_state(|| None::<Rc<AuditView>>);
    use_effect_with((), {
        let keys = keys.setter();
        move |()| {
            spawn_local(async move {
                if let Ok(held) = ask(&engine, AuditRequest::Keys, None).await {
                    keys.set(held);
                }
            });
        }
    });
    let run = {
        let (work, view, words) = (work.clone(), view.setter(), words.clone());
        let (why, period) = (why.clone(), period.clone());
        Callback::from(move |()| {
            view.set(None);
            let (view, voice, words) = (view.clone(), voice.clone(), words.clone());
            let request = AuditRequest::Run { why: (*why).clone(), period: (*period).clone() };
            work.run(audit(request), None, move |response, _| {
                if let Response::Desk(DeskResponse::Audit(AuditResponse::Audit(found))) = response {
                    voice.polite(words.with("audit-done", &[("time", words.time(found.checked).into())]));
                    view.set(Some(Rc::new(*found)));
                }
            });
        })
    };
    let changed = {
        let (keys, view) = (keys.setter(), view.setter());
        Callback::from(move |now| {
            keys.set(now);
            view.set(None);
        })
    };
    match (&props.section, &*view) {
        (Route::Keys, _) => html! { <keys::KeysCard keys={*keys} {changed} /> },
        (Route::Statistics, Some(view)) => statistics(view, &words),
        (Route::Statistics, None) => html! {
            <section class="card padded stack close">
                <p>{ words.say("audit-nothing-yet") }</p>
                <LinkTo to={Route::Home} class="button small">{ words.say("audit-section-reads") }</LinkTo>
            </section>
        },
        (Route::Home, view) => html! {<>
            { run_card(&words, &work, (*keys, view.is_some()), (&why, &period), &run) }
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&run), true) } }
            if let Some(view) = view { { result(view, &words) } }
        </>},
        _ => Html::default(),
    }
}

/// What begins an audit.
fn run_card(
    words: &Words,
    work: &Work,
    (keys, done): (AuditKeys, bool),
    (why, period): (&UseStateHandle<String>, &UseStateHandle<AuditPeriod>),
    run: &Callback<()>,
) -> Html {
    let typed = {
        let why = why.setter();
        Callback::from(move |event: InputEvent| {
            why.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let choose = {
        let period = period.setter();
        Callback::from(move |chosen| period.set(chosen))
    };
    let opens = keys.quarters > 0 || keys.others > 0 || keys.signs;
    let ready = !work.busy() && period::is_whole(period) && !(opens && why.trim().is_empty());
    html! {
        <section class="card padded stack close">
            <h2>{ words.say("audit-replay") }</h2>
            <p class="quiet">{ words.say(if opens { "audit-replay-open" } else { "audit-replay-closed" }) }</p>
            if opens {
                <div class="field">
                    <label for="audit-why">{ words.say("audit-why") }</label>
                    <input id="audit-why" class="input" type="text" maxlength="80" autocomplete="off" value={(**why).clone()} oninput={typed} />
                </div>
            }
            <period::PeriodField chosen={(**period).clone()} {choose} />
            <div class="row wrap">
                // Once there is a report, that is what comes next.
                <button class={classes!("button", (!done).then_some("primary"))} onclick={run.reform(|_| ())} disabled={!ready}>
                    { glyph("shield-check") }{ words.say("audit-run") }
                </button>
                if !opens { <LinkTo to={Route::Keys} class="button small">{ glyph("key") }{ words.say("audit-keys-pick") }</LinkTo> }
            </div>
        </section>
    }
}

async fn ask(engine: &Engine, request: AuditRequest, bytes: Option<&[u8]>) -> Result<AuditKeys, Fault> {
    let (response, _) = engine.begin(&audit(request), bytes).1.await?;
    keys_in(response).ok_or_else(unexpected)
}

/// What is wrong first, then who read, and the report.
fn result(view: &Rc<AuditView>, words: &Words) -> Html {
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
        { of_what(view, words) }
        { tables::findings(view, words) }
        <report::ReportCard look={view.look} cut={view.cut} />
        // Of a longer ledger the newest are not held.
        if view.reads > 0 && !view.cut { <reads::ReadsCard key={view.size} all={view.reads} checked={view.checked} /> }
        if view.reads > 0 { { tables::institutions(view, words) } }
        if view.reads > 0 { <people::PeopleCard view={view.clone()} /> }
        <p class="quiet">{ words.say("audit-limits") }</p>
        if view.days.is_some() { <p class="quiet">{ words.say("audit-limits-days") }</p> }
    </>}
}

/// Up to when the ledger was checked, of which days the tables are, and whether there was a read at all.
fn of_what(view: &AuditView, words: &Words) -> Html {
    html! {<>
        { status_line(Status::Good, words.with("audit-done", &[("time", words.time(view.checked).into())]), None, None, None) }
        if let Some((from, to)) = &view.days {
            <p>{ words.with("audit-of-days", &[("from", from.as_str().into()), ("to", to.as_str().into())]) }</p>
        }
        if view.reads == 0 {
            <p>{ words.say(if view.days.is_some() { "audit-no-reads-days" } else { "audit-no-reads" }) }</p>
        }
    </>}
}

/// Plots, each with its table, and what is counted besides.
fn statistics(view: &AuditView, words: &Words) -> Html {
    html! {<>
        { of_what(view, words) }
        if view.reads > 0 {
            { plots::hours(view, words) }
            { plots::months(view, words) }
        }
        if !view.purposes.is_empty() { { tables::purposes(view, words) } }
        if !view.claims.is_empty() { { tables::claims(view, words) } }
    </>}
}
