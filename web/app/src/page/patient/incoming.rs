//! What was scanned or opened: a ticket that waits for "keep", another device's wallet to join, or a sentence that says
//! what it is instead.
//! Opening binds nothing; the tap does (PROTOCOL §4).

use suishen_bridge::{PatientRequest, PatientResponse, Request, Response, TicketNotice};
use yew::{AttrValue, Callback, Html, Properties, component, html};

use super::{add_sheet::AddSheet, join::Join};
use crate::{
    browser::{
        address::use_address,
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
        offline,
        work::use_work,
    },
    component::{LinkTo, back_bar, empty, fault_card, glyph, progress_card, use_voice},
    route::Route,
};

/// What came in.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The text. Secret.
    pub text: AttrValue,
    /// There is a wallet in this browser: its owner's name, empty where it isn't known.
    pub here: Option<AttrValue>,
    /// Told when it was dealt with.
    pub dealt: Callback<()>,
}

fn read(response: Response) -> Option<TicketNotice> {
    match response {
        Response::Patient(PatientResponse::Scanned(notice)) => Some(notice),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn IncomingPage(props: &Props) -> Html {
    let words = use_words();
    let (notice, again) = use_asked(
        props.text.to_string(),
        &[],
        |text: &String| Request::Patient(PatientRequest::Scan { text: text.clone() }),
        read,
    );
    let content = match notice {
        Asked::Waiting => {
            html! { <><h1>{ words.say("incoming-title") }</h1><p class="quiet" role="status">{ words.say("incoming-reading") }</p></> }
        }
        Asked::Failed(fault) => {
            html! { <><h1>{ words.say("incoming-title") }</h1>{ fault_card(&words, &fault, Some(&again), false) }</> }
        }
        Asked::Here(notice) => match &*notice {
            TicketNotice::Ticket { refused: Some(fault), .. } => {
                html! { <><h1>{ words.say("incoming-title") }</h1>{ fault_card(&words, fault, None, false) }</> }
            }
            TicketNotice::Ticket { refused: None, issuer, until } => {
                html! { <Ticket text={props.text.clone()} dealt={props.dealt.clone()} issuer={issuer.clone()} until={*until} /> }
            }
            TicketNotice::Pairing => {
                html! { <Join text={Some(props.text.clone())} here={props.here.clone()} dealt={props.dealt.clone()} /> }
            }
            TicketNotice::NewDevice if props.here.is_some() => {
                html! { <TakeIn text={props.text.clone()} dealt={props.dealt.clone()} /> }
            }
            other => {
                html! { <Other key_name={sentence_key(other)} restore={matches!(other, TicketNotice::Recovery)} /> }
            }
        },
    };
    html! {
        <div class="phone bare">
            { back_bar(&words, Route::Home, String::new(), Html::default()) }
            <main class="stack">{ content }</main>
        </div>
    }
}

fn sentence_key(notice: &TicketNotice) -> String {
    match notice {
        TicketNotice::Ticket { .. } | TicketNotice::Pairing => "incoming-ticket".to_owned(),
        TicketNotice::NewDevice => "foreign-new-device".to_owned(),
        TicketNotice::ConsentOffer => "foreign-consent".to_owned(),
        TicketNotice::Identity => "foreign-identity".to_owned(),
        TicketNotice::Recovery => "foreign-recovery".to_owned(),
        TicketNotice::Foreign { name } => format!("foreign-{}", name.trim_start_matches("scan-")),
    }
}

#[derive(Properties, PartialEq)]
struct TakeInProps {
    text: AttrValue,
    dealt: Callback<()>,
}

/// A new device's code: what it may do, and the digits.
#[component]
fn TakeIn(props: &TakeInProps) -> Html {
    let (words, address) = (use_words(), use_address());
    let close = {
        let dealt = props.dealt.clone();
        Callback::from(move |()| {
            dealt.emit(());
            address.replace(Route::Devices);
        })
    };
    html! {<><h1>{ words.say("devices-add") }</h1><AddSheet scanned={Some(props.text.clone())} {close} /></>}
}

#[derive(Properties, PartialEq)]
struct OtherProps {
    key_name: String,
    restore: bool,
}

/// Not a ticket: what it is, and where it belongs.
#[component]
fn Other(props: &OtherProps) -> Html {
    let words = use_words();
    let key = if words.has(&props.key_name) { props.key_name.as_str() } else { "foreign-unknown" };
    html! {<>
        <h1>{ words.say("incoming-title") }</h1>
        { empty(words.say("incoming-other"), words.say(key), html! { <>
            if props.restore {
                <LinkTo to={Route::Restore} class="button primary wide">{ words.say("welcome-have") }</LinkTo>
            } else {
                <LinkTo to={Route::Scan} class="button primary wide">{ glyph("scan") }{ words.say("action-scan") }</LinkTo>
            }
        </> }) }
    </>}
}

#[derive(Properties, PartialEq)]
struct TicketProps {
    text: AttrValue,
    dealt: Callback<()>,
    issuer: Option<String>,
    until: Option<u64>,
}

/// A ticket: one tap keeps it.
#[component]
fn Ticket(props: &TicketProps) -> Html {
    let (words, ledger, address, voice, work) =
        (use_words(), use_ledger(), use_address(), use_voice(), use_work());
    let keep = {
        let (work, text, dealt, said) =
            (work.clone(), props.text.clone(), props.dealt.clone(), words.say("ticket-kept"));
        Callback::from(move |()| {
            let (dealt, address, voice, said) = (dealt.clone(), address.clone(), voice.clone(), said.clone());
            work.patient(PatientRequest::Keep { text: text.to_string() }, move |response| {
                if let Response::Patient(PatientResponse::Kept { record }) = response {
                    voice.polite(said);
                    dealt.emit(());
                    wasm_bindgen_futures::spawn_local(async { _ = offline::persist().await });
                    address.replace(Route::Record(record));
                }
            });
        })
    };
    let from = props.issuer.clone().unwrap_or_else(|| words.say("ticket-issuer-unknown"));
    html! {<>
        <h1>{ words.say("ticket-title") }</h1>
        <section class="card padded stack close">
            <div class="row">{ glyph("hospital") }<strong class="grow">{ from }</strong></div>
            if let Some(until) = props.until {
                <p class="quiet">{ words.with("ticket-until", &[("when", words.when(until, ledger.now_or_start()).into())]) }</p>
            }
            <p class="quiet">{ words.say("ticket-once") }</p>
        </section>
        if work.busy() { { progress_card(&words, work.progress()) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&keep), false) } }
        <div class="push">
            <button class="button primary wide" disabled={work.busy()} onclick={keep.reform(|_| ())}>{ glyph("ticket") }{ words.say("ticket-keep") }</button>
        </div>
    </>}
}
