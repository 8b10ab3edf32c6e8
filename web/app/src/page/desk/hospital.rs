//! The hospital's desk: choose a report, check it, issue it, hand over the code; and what was issued.

use std::rc::Rc;

use suishen_bridge::{
    Correction, CorrectionReason, Desk, DeskRequest, DeskResponse, IssuedReport, Preview, Request, Response,
    Topic,
};
use yew::{Callback, Html, Properties, UseStateHandle, component, html, use_state};

use super::{
    enrol::{EnrolPage, other_than_invite},
    frame::{DeskFrame, Section, opening, unopened},
    issued_list::IssuedList,
    prepare::{Chosen, Prepare},
    ticket::TicketPanel,
};
use crate::{
    browser::{
        address::use_address,
        asking::{Asked, use_asked},
        language::use_words,
        work::{Work, use_work},
    },
    component::{ScanBox, chip, fault_card, glyph, progress_card, report_body},
    page::UnknownPage,
    route::Route,
    view::record::{moment_text, patient_text},
    words::Words,
};

/// What it was opened with.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// A link whose fragment was taken. Secret.
    pub opened: Option<String>,
}

/// Who this desk is.
pub fn read_desk(response: Response) -> Option<Option<Desk>> {
    match response {
        Response::Desk(DeskResponse::Desk(desk)) => Some(desk),
        _ => None,
    }
}

/// What was issued.
pub fn read_issued(response: Response) -> Option<Vec<IssuedReport>> {
    match response {
        Response::Desk(DeskResponse::IssuedList(list)) => Some(list),
        _ => None,
    }
}

fn sections() -> Vec<Section> {
    vec![(Route::Home, "desk-issue", "file-plus"), (Route::History, "desk-issued", "clock-counter-clockwise")]
}

/// Draws it.
#[component]
pub fn HospitalDesk(props: &Props) -> Html {
    let (words, address) = (use_words(), use_address());
    let (desk, again) = use_asked((), &[], |()| Request::Desk(DeskRequest::Desk), read_desk);
    let title = words.say("desk-hospital");
    // What the next report stands in place of.
    let correcting = use_state(|| None::<Correcting>);
    let body = match &desk {
        Asked::Waiting => opening(&title, &words),
        Asked::Failed(fault) => unopened(&title, fault, &again, &words),
        Asked::Here(desk) if desk.is_none() => {
            return html! { <EnrolPage {title} opened={props.opened.clone()} done={again} /> };
        }
        Asked::Here(_) => match address.route {
            Route::Home | Route::Incoming => {
                html! { <Issue opened={other_than_invite(props.opened.as_ref())} {correcting} /> }
            }
            Route::History => {
                let correct = {
                    let (correcting, address) = (correcting.setter(), address.clone());
                    Callback::from(move |report: IssuedReport| {
                        correcting.set(Some(Correcting { report, why: CorrectionReason::Content }));
                        address.go(Route::Home);
                    })
                };
                html! { <main class="centred wide stack"><h1>{ words.say("desk-issued") }</h1><IssuedList all={true} {correct} /></main> }
            }
            _ => html! { <UnknownPage /> },
        },
    };
    let who = desk.here().cloned().flatten();
    html! { <DeskFrame {title} sections={sections()} desk={who}>{ body }</DeskFrame> }
}

/// A report that is to be corrected, and why.
#[derive(Clone, PartialEq)]
struct Correcting {
    report: IssuedReport,
    why: CorrectionReason,
}

/// Where the issuing is.
#[derive(Clone)]
enum Stage {
    Choosing,
    Checking(Rc<Box<Preview>>),
    Issued(Rc<Box<Preview>>, Rc<IssuedReport>),
}

impl PartialEq for Stage {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Choosing, Self::Choosing) => true,
            (Self::Checking(a), Self::Checking(b)) => Rc::ptr_eq(a, b),
            (Self::Issued(_, a), Self::Issued(_, b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

#[derive(Properties, PartialEq)]
struct IssueProps {
    opened: Option<String>,
    correcting: UseStateHandle<Option<Correcting>>,
}

#[component]
fn Issue(props: &IssueProps) -> Html {
    let (words, work) = (use_words(), use_work());
    let stage = use_state(|| Stage::Choosing);
    let sensitive = use_state(|| false);
    // A patient's identity link: the report goes straight to that wallet. Secret.
    let identity = use_state({
        let opened = props.opened.clone();
        move || opened
    });
    let chosen = {
        let stage = stage.setter();
        Callback::from(move |chosen: Chosen| stage.set(Stage::Checking(chosen.0)))
    };
    let start_over = {
        let (stage, work, identity, sensitive) =
            (stage.setter(), work.clone(), identity.setter(), sensitive.setter());
        let correcting = props.correcting.setter();
        Callback::from(move |()| {
            stage.set(Stage::Choosing);
            correcting.set(None);
            identity.set(None);
            sensitive.set(false);
            work.desk(DeskRequest::Clear, |_| ());
        })
    };
    let issue = issuing(&work, &stage, &sensitive, &identity, &props.correcting);
    let step = match &*stage {
        Stage::Choosing => 0,
        Stage::Checking(_) => 1,
        Stage::Issued(..) => 2,
    };
    let side = match &*stage {
        Stage::Issued(_, report) => {
            html! { <TicketPanel report={(**report).clone()} next={start_over.clone()} /> }
        }
        Stage::Checking(preview) => html! {<>
            <h2>{ words.say("issue-check") }</h2>
            <p class="quiet">{ words.say("issue-check-text") }</p>
            <Recipient identity={identity.clone()} />
            { sensitive_choice(&sensitive, &words) }
            if work.busy() { { progress_card(&words, work.progress()) } }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&issue), true) } }
            <button class="button primary wide" onclick={issue.reform(|_| ())} disabled={work.busy()}>{ glyph("shield-check") }{ words.say("issue-go") }</button>
            <button class="button wide" onclick={start_over.reform(|_| ())} disabled={work.busy()}>{ words.say("issue-other") }</button>
            { for preview.attachments.iter().map(|file| html! { <p class="note">{ glyph("paperclip") }<span>{ format!("{} ({})", file.name, words.size(file.size)) }</span></p> }) }
        </>},
        Stage::Choosing => {
            html! {<><h2>{ words.say("issue-how") }</h2><p class="quiet">{ words.say("issue-how-text") }</p></>}
        }
    };
    html! {
        <main class="desk-body issue">
            <div class="main stack">
                <h1 class="heard">{ words.say("desk-issue") }</h1>
                { steps(step, &words) }
                if step < 2 { <Corrects correcting={props.correcting.clone()} /> }
                { match &*stage {
                    Stage::Choosing => html! { <Prepare {chosen} /> },
                    Stage::Checking(preview) | Stage::Issued(preview, _) => shown(preview, &words),
                } }
                <section class="stack close"><h2>{ words.say("issued-today") }</h2><IssuedList all={false} /></section>
            </div>
            <div class="aside sheeted stack">{ side }</div>
        </main>
    }
}

/// Issues the report that is being checked, in place of the one that it corrects.
fn issuing(
    work: &Work,
    stage: &UseStateHandle<Stage>,
    sensitive: &UseStateHandle<bool>,
    identity: &UseStateHandle<Option<String>>,
    correcting: &UseStateHandle<Option<Correcting>>,
) -> Callback<()> {
    let (work, stage, sensitive, identity, correcting) =
        (work.clone(), stage.clone(), sensitive.clone(), identity.clone(), correcting.clone());
    Callback::from(move |()| {
        let Stage::Checking(preview) = (*stage).clone() else { return };
        let stage = stage.clone();
        work.desk(
            DeskRequest::Issue {
                sensitive: *sensitive,
                identity: (*identity).clone(),
                corrects: correcting
                    .as_ref()
                    .map(|old| Correction { report: old.report.report.clone(), why: old.why }),
            },
            move |response| {
                if let Response::Desk(DeskResponse::Issued(report)) = response {
                    stage.set(Stage::Issued(preview, Rc::new(*report)));
                }
            },
        );
    })
}

/// Whether the report is one that no bulk choice of the patient's takes along.
fn sensitive_choice(sensitive: &UseStateHandle<bool>, words: &Words) -> Html {
    html! {
        <label class="choice"><input type="checkbox" checked={**sensitive} onchange={Callback::from({ let sensitive = sensitive.clone(); move |_: yew::Event| sensitive.set(!*sensitive) })} />
            <span class="grow"><span class="line">{ words.say("issue-sensitive") }</span><span class="line quiet">{ words.say("issue-sensitive-note") }</span></span></label>
    }
}

fn steps(current: usize, words: &Words) -> Html {
    html! {
        <ol class="progress-steps">
            { for ["issue-step-choose", "issue-step-check", "issue-step-hand"].iter().enumerate().map(|(index, key)| html! {
                <li class={(index < current).then_some("done")} aria-current={(index == current).then_some("step")}>
                    <span class="number" aria-hidden="true">if index < current { { glyph("check-bold") } } else { { index + 1 } }</span>
                    { words.say(key) }
                </li>
            }) }
        </ol>
    }
}

fn shown(preview: &Preview, words: &Words) -> Html {
    let view = &preview.view;
    let mut facts: Vec<String> = patient_text(words, view).into_iter().collect();
    facts.extend(view.date().map(|date| moment_text(words, date)));
    html! {
        <section class="card padded stack">
            <div>
                <h2>{ &view.title }</h2>
                <p class="quiet">{ facts.join(" · ") }</p>
            </div>
            { report_body(words, view, true) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CorrectsProps {
    correcting: UseStateHandle<Option<Correcting>>,
}

/// What the new report stands in place of, and why; nothing for a report that corrects none.
#[component]
fn Corrects(props: &CorrectsProps) -> Html {
    let words = use_words();
    let Some(old) = (*props.correcting).clone() else { return Html::default() };
    let setter = props.correcting.setter();
    let forget = {
        let setter = setter.clone();
        Callback::from(move |_| setter.set(None))
    };
    let because = |why: CorrectionReason| {
        let (setter, report) = (setter.clone(), old.report.clone());
        let choose = Callback::from(move |()| setter.set(Some(Correcting { report: report.clone(), why })));
        chip(words.say(&format!("correct-{}", why.code())), old.why == why, &choose)
    };
    html! {
        <section class="card padded stack close">
            <div class="row wrap">
                { glyph("note-pencil") }
                <h2 class="grow">{ words.with("correct-what", &[("title", old.report.title.clone().into()), ("patient", old.report.patient.clone().into())]) }</h2>
                <button class="plain under" onclick={forget}>{ words.say("correct-not") }</button>
            </div>
            <p class="quiet">{ words.say("correct-text") }</p>
            <div class="choices" role="group" aria-label={words.say("correct-why")}>
                { for CorrectionReason::ALL.into_iter().map(because) }
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct RecipientProps {
    identity: UseStateHandle<Option<String>>,
}

/// To whoever brings the code, or straight to a wallet whose identity code was scanned.
#[component]
fn Recipient(props: &RecipientProps) -> Html {
    let words = use_words();
    let scanning = use_state(|| false);
    let identity = &props.identity;
    if identity.is_some() {
        let forget = {
            let identity = identity.setter();
            Callback::from(move |_| identity.set(None))
        };
        return html! {
            <div class="status good">{ glyph("identification-card") }<span class="grow">{ words.say("issue-known") }</span>
                <button class="plain under" onclick={forget}>{ words.say("issue-known-drop") }</button></div>
        };
    }
    let found = {
        let (identity, scanning) = (identity.setter(), scanning.setter());
        Callback::from(move |text: String| {
            identity.set(Some(text));
            scanning.set(false);
        })
    };
    let turn = {
        let scanning = scanning.clone();
        Callback::from(move |_| scanning.set(!*scanning))
    };
    html! {<>
        <button class="button wide" onclick={turn} aria-expanded={scanning.to_string()}>{ glyph("identification-card") }{ words.say("issue-scan-identity") }</button>
        if *scanning { <ScanBox {found} label={words.say("issue-identity-link")} /> }
    </>}
}

/// Told of changes of the issued list.
pub const ISSUED: &[Topic] = &[Topic::Desk, Topic::Ledger];
