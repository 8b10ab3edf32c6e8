//! Showing records: which, what for, how long, how often; the card says the whole sentence and is the button.
//! Also what is given now, and this wallet's identity code.

use std::collections::BTreeSet;

use suishen_bridge::{
    Filter, PatientRequest, PatientResponse, Purpose, RecordCard, Request, Response, Sensitivity, Share,
    ShareChoice, ShareState, Topic,
};
use yew::{Callback, Html, MouseEvent, Properties, UseStateHandle, component, html, use_state};

use super::{
    consult_sheet::ConsultSheet,
    identity::IdentitySheet,
    records::records,
    revoke_sheet::RevokeSheet,
    root::{OpenWallet, use_wallet},
    share_sheet::ShareSheet,
    status::shares,
};
use crate::{
    browser::{
        asking::use_asked,
        engine::{Engine, unexpected, use_engine},
        language::use_words,
        ledger::use_ledger,
        work::{Work, use_work},
    },
    component::{BottomBar, LinkTo, More, TopBar, chip, empty, fault_card, glyph, progress_card},
    route::Route,
    view::{
        passage::{self, LENGTHS, READS, Reader, purpose_key},
        record::{day_text, icon, months_before, of_newest_visit, since},
    },
    words::{Words, rich},
};

/// Records that can be chosen from at first: more than one share may have.
const FIRST: u32 = 200;

/// What was chosen so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Which.
    pub records: BTreeSet<String>,
    /// What for.
    pub purpose: Purpose,
    /// For how long, in seconds.
    pub length: u64,
    /// How often.
    pub reads: u32,
    /// Without being asked again.
    pub offline: bool,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            records: BTreeSet::new(),
            purpose: Purpose::Treatment,
            length: 86_400,
            reads: 2,
            offline: false,
        }
    }
}

/// Draws it.
#[component]
pub fn ShowPage() -> Html {
    let (words, wallet) = (use_words(), use_wallet());
    let (shared, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    let most = use_state(|| FIRST);
    let (all, _) = use_asked(
        *most,
        &[Topic::Records],
        |most| Request::Patient(PatientRequest::Records(Filter { most: Some(*most), ..Filter::default() })),
        records,
    );
    let left = all.here().map_or(0, |list| list.more);
    let all = all.here().map(|list| &list.cards);
    let more = {
        let (most, shown) = (most.clone(), all.map_or(0, Vec::len));
        Callback::from(move |()| {
            // What was asked for before is here.
            if u32::try_from(shown).is_ok_and(|shown| shown >= *most) {
                most.set(most.saturating_mul(2));
            }
        })
    };
    let opened = use_state(|| None::<String>);
    let revoking = use_state(|| None::<Share>);
    let identity = use_state(|| false);
    let consulting = use_state(|| false);
    let open = |share: Option<String>| {
        let opened = opened.setter();
        Callback::from(move |()| opened.set(share.clone()))
    };
    let made = {
        let opened = opened.setter();
        Callback::from(move |share: String| opened.set(Some(share)))
    };
    let show_identity = |on: bool| {
        let identity = identity.setter();
        Callback::from(move |()| identity.set(on))
    };
    let consult = |on: bool| {
        let consulting = consulting.setter();
        Callback::from(move |()| consulting.set(on))
    };
    let running: Vec<Share> =
        shared.here().into_iter().flatten().filter(|share| is_running(&share.state)).cloned().collect();
    // A desk that has just scanned brings its question up by itself, where it may be answered.
    let asked = running
        .iter()
        .filter(|_| wallet.may_share())
        .find(|share| matches!(share.state, ShareState::Asked { .. }))
        .map(|share| share.share.clone());
    let shown = opened
        .as_ref()
        .or(asked.as_ref())
        .and_then(|id| shared.here().into_iter().flatten().find(|share| share.share == *id).cloned());
    html! {<>
        <div class="phone">
            <TopBar name={wallet.name.clone()} />
            <main class="stack">
                <div class="page-head"><h1>{ words.say("show") }</h1></div>
                if !running.is_empty() { { current(&running, wallet.may_share(), &open, &revoking, &words) } }
                if let Some(before) = before_showing(&wallet, all.is_some_and(Vec::is_empty), &words) {
                    { before }
                } else if let Some(all) = all {
                    <button class="button wide" onclick={consult(true).reform(|_| ())}>{ glyph("stethoscope") }{ words.say("consult") }</button>
                    <Choose records={all.clone()} {left} {more} {made} />
                }
                if wallet.may_share() {
                    <button class="button wide" onclick={show_identity(true).reform(|_| ())}>{ glyph("identification-card") }{ words.say("identity") }</button>
                }
            </main>
        </div>
        <BottomBar />
        if let Some(share) = shown { <ShareSheet {share} close={open(None)} made={Callback::from({ let opened = opened.setter(); move |share: String| opened.set(Some(share)) })} /> }
        if let Some(share) = revoking.as_ref() {
            <RevokeSheet share={share.share.clone()} name={person(&share.state)} records={share.titles.len()} close={Callback::from({ let revoking = revoking.setter(); move |()| revoking.set(None) })} />
        }
        if *consulting { <ConsultSheet records={all.cloned().unwrap_or_default()} close={consult(false)} /> }
        if *identity { <IdentitySheet close={show_identity(false)} /> }
    </>}
}

/// What comes before anything can be shown; none where nothing does.
fn before_showing(wallet: &OpenWallet, is_empty: bool, words: &Words) -> Option<Html> {
    let link = |to: Route, icon: &'static str, key: &str| {
        html! { <LinkTo {to} class="button primary wide">{ glyph(icon) }{ words.say(key) }</LinkTo> }
    };
    let said = |title: &str, text: &str, way: Html| Some(empty(words.say(title), words.say(text), way));
    match (wallet.may_share(), wallet.protected, is_empty) {
        (false, ..) => said("show-view-title", "show-view-text", Html::default()),
        (_, false, _) => {
            let way = link(Route::Protect, "lock-simple", "action-protect");
            said("show-protect-title", "show-protect-text", way)
        }
        (.., true) => said("empty-title", "empty-text", link(Route::Scan, "scan", "scan")),
        _ => None,
    }
}

/// Whether a share can still be used, or still has to be taken back.
pub fn is_running(state: &ShareState) -> bool {
    matches!(
        state,
        ShareState::Offered | ShareState::Asked { .. } | ShareState::Open { .. } | ShareState::NotYetRevoked
    )
}

/// Who it is given to, once known.
pub fn person(state: &ShareState) -> Option<String> {
    match state {
        ShareState::Asked { name, .. } | ShareState::Open { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn current(
    running: &[Share],
    may: bool,
    open: &dyn Fn(Option<String>) -> Callback<()>,
    revoking: &UseStateHandle<Option<Share>>,
    words: &Words,
) -> Html {
    html! {
        <section class="stack close">
            <h2>{ words.say("show-current") }</h2>
            { for running.iter().map(|share| {
                let revoke = { let (revoking, share) = (revoking.setter(), share.clone()); Callback::from(move |_| revoking.set(Some(share.clone()))) };
                html! { <Running key={share.share.clone()} share={share.clone()} open={open(Some(share.share.clone()))} {revoke} {may} /> }
            }) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct RunningProps {
    share: Share,
    open: Callback<()>,
    revoke: Callback<MouseEvent>,
    /// Whether this device may act on it.
    may: bool,
}

#[component]
fn Running(props: &RunningProps) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    if !props.may {
        return html! { <div class="card"><div class="entry">{ share_lines(&props.share, ledger.now_or_start(), &words) }</div></div> };
    }
    html! {
        <div class="card">
            <button class="entry" onclick={props.open.reform(|_| ())}>
                { share_lines(&props.share, ledger.now_or_start(), &words) }
                { glyph("caret-right-bold") }
            </button>
            <div class="padded parted"><button class="button small" onclick={props.revoke.clone()}>{ words.say("revoke") }</button></div>
        </div>
    }
}

/// Who has it, what it is, where it stands.
pub fn share_lines(share: &Share, now: u64, words: &Words) -> Html {
    let who = person(&share.state).unwrap_or_else(|| words.say("show-nobody-yet"));
    let state = match share.state {
        ShareState::Offered => words.say("share-offered"),
        ShareState::Asked { .. } => words.say("share-asked"),
        ShareState::NotYetRevoked => words.say("revoke-not-yet"),
        _ => words.with(
            "share-open",
            &[
                ("reads", crate::words::figure(share.reads_left)),
                ("when", words.when(share.until, now).into()),
            ],
        ),
    };
    html! {
        <span class="grow">
            <span class="line name">{ who }</span>
            <span class="line quiet">{ words.list(&share.titles) }</span>
            <span class="line quiet">{ state }</span>
        </span>
    }
}

#[derive(Properties, PartialEq)]
struct ChooseProps {
    records: Vec<RecordCard>,
    /// How many there are beyond these.
    left: u32,
    more: Callback<()>,
    made: Callback<String>,
}

#[component]
fn Choose(props: &ChooseProps) -> Html {
    let (words, ledger, work, engine) = (use_words(), use_ledger(), use_work(), use_engine());
    let chosen = use_state(Chosen::default);
    let change = |new: Chosen| {
        let chosen = chosen.setter();
        Callback::from(move |()| chosen.set(new.clone()))
    };
    let with_records =
        |records: Vec<String>| Chosen { records: records.into_iter().collect(), ..(*chosen).clone() };
    let year_ago = months_before(&words.moment(ledger.now_or_start()), 12);
    let (visit, year) = (of_newest_visit(&props.records), since(&props.records, &year_ago));
    let sensitive = props.records.iter().filter(|card| card.sensitivity == Sensitivity::Sensitive).count();
    let give = giving(work.clone(), engine, words.clone(), &chosen, props);
    let count = chosen.records.len();
    html! {<>
        <section class="stack close">
            <h2>{ words.say("show-which") }</h2>
            <div class="choices" role="group" aria-label={words.say("show-which")}>
                { chip(words.say("show-visit"), !visit.is_empty() && chosen.records == visit.iter().cloned().collect(), &change(with_records(visit.clone()))) }
                { chip(words.say("show-year"), !year.is_empty() && chosen.records == year.iter().cloned().collect(), &change(with_records(year.clone()))) }
                { chip(words.say("show-none"), chosen.records.is_empty(), &change(with_records(Vec::new()))) }
            </div>
            <fieldset class="card">
                <legend class="heard">{ words.say("show-one-by-one") }</legend>
                { for props.records.iter().filter(|card| card.can_be_shown()).map(|card| pick(card, &chosen, &words)) }
            </fieldset>
            <More left={props.left} more={props.more.clone()} />
            if sensitive > 0 { <p class="quiet">{ words.count("show-sensitive", sensitive as u64) }</p> }
        </section>
        <section class="stack close">
            <h2>{ words.say("show-why") }</h2>
            <div class="choices" role="group" aria-label={words.say("show-why")}>
                { for Purpose::ALL.iter().map(|purpose| html! {
                    { chip(words.say(purpose_key(*purpose)), chosen.purpose == *purpose, &change(Chosen { purpose: *purpose, ..(*chosen).clone() })) }
                }) }
            </div>
            <h2>{ words.say("show-length") }</h2>
            <div class="choices" role="group" aria-label={words.say("show-length")}>
                { for LENGTHS.iter().map(|length| html! {
                    { chip(words.length(*length), chosen.length == *length, &change(Chosen { length: *length, ..(*chosen).clone() })) }
                }) }
            </div>
            <h2>{ words.say("show-reads") }</h2>
            <div class="choices" role="group" aria-label={words.say("show-reads")}>
                { for READS.iter().map(|reads| html! {
                    { chip(words.count("times", *reads), chosen.reads == *reads, &change(Chosen { reads: *reads, ..(*chosen).clone() })) }
                }) }
            </div>
            <label class="card choice">
                <input type="checkbox" checked={chosen.offline} onchange={change(Chosen { offline: !chosen.offline, ..(*chosen).clone() }).reform(|_| ())} />
                <span class="grow"><span class="line">{ words.say("show-offline") }</span><span class="line quiet">{ words.say("show-offline-note") }</span></span>
            </label>
        </section>
        if work.busy() { { progress_card(&words, work.progress()) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
        <section class="sentence stack" aria-live="polite">
            if count > 0 { <p>{ rich(&passage::sentence(&words, count, chosen.length, chosen.reads)) }</p> }
            else { <p class="quiet">{ words.say("show-pick-first") }</p> }
            <button class="button primary wide" disabled={count == 0 || work.busy()} onclick={give}>{ glyph("qr-code") }{ words.say("show-make") }</button>
        </section>
    </>}
}

/// Makes the share that was chosen.
fn giving(
    work: Work,
    engine: Engine,
    words: Words,
    chosen: &UseStateHandle<Chosen>,
    props: &ChooseProps,
) -> Callback<MouseEvent> {
    let (chosen, made, records) = (chosen.clone(), props.made.clone(), props.records.clone());
    Callback::from(move |_| {
        let choice = choice(&chosen, &records);
        let (work, words, made, engine) = (work.clone(), words.clone(), made.clone(), engine.clone());
        wasm_bindgen_futures::spawn_local(async move {
            // The engine says what the choice means; the text that it is put into is what is signed.
            let sentence = match engine.patient(PatientRequest::Preview(choice.clone())).await {
                Ok(PatientResponse::Sentence(sentence)) => sentence,
                Ok(_) => return work.fail(unexpected()),
                Err(fault) => return work.fail(fault),
            };
            let reader = if choice.offline { Reader::Unasked } else { Reader::Asked };
            let text = passage::consent(&words, &sentence, choice.purpose, reader);
            work.patient(PatientRequest::Share(ShareChoice { text, ..choice }), move |response| {
                if let Response::Patient(PatientResponse::Share(share)) = response {
                    made.emit(share.share);
                }
            });
        });
    })
}

/// As the engine takes it, without the text.
pub fn choice(chosen: &Chosen, records: &[RecordCard]) -> ShareChoice {
    ShareChoice {
        records: records
            .iter()
            .map(|card| card.record.clone())
            .filter(|record| chosen.records.contains(record))
            .collect(),
        purpose: chosen.purpose,
        duration: chosen.length,
        reads: chosen.reads,
        offline: chosen.offline,
        text: String::new(),
    }
}

/// A record to be ticked.
pub fn pick(card: &RecordCard, chosen: &UseStateHandle<Chosen>, words: &Words) -> Html {
    let on = chosen.records.contains(&card.record);
    let change = {
        let (chosen, record) = (chosen.clone(), card.record.clone());
        Callback::from(move |_: yew::Event| {
            let mut new = (*chosen).clone();
            if !new.records.remove(&record) {
                new.records.insert(record.clone());
            }
            chosen.set(new);
        })
    };
    html! {
        <label key={card.record.clone()} class="choice parted">
            <input type="checkbox" checked={on} onchange={change} />
            { glyph(icon(card.kind)) }
            <span class="grow">
                <span class="line name">{ &card.title }
                    if card.sensitivity == Sensitivity::Sensitive { { " " }<span class="tag caution">{ words.say("mark-sensitive") }</span> }
                </span>
                <span class="line quiet">{ format!("{} · {}", day_text(words, &card.date), card.organisation) }</span>
            </span>
        </label>
    }
}
