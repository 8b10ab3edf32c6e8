//! A live consultation: a code for the doctor in the room, the name of who asks and what for, the patient's choice.

use std::collections::BTreeSet;

use suishen_bridge::{
    Action, ConsultAsk, Consultation, Event, Fault, PatientRequest, PatientResponse, RecordCard, Response,
    ShareChoice,
};
use wasm_bindgen_futures::spawn_local;
use yew::{
    AttrValue, Callback, Html, Properties, UseStateHandle, component, hook, html, use_effect_with, use_state,
};

use super::{
    share_sheet::dots,
    show::{Chosen, choice, pick},
};
use crate::{
    browser::{
        engine::{Engine, unexpected, use_engine, use_parting},
        language::use_words,
        ledger::use_ledger,
        work::use_work,
    },
    component::{Code, CopyLink, Proof, Sheet, fault_card, person_seal, progress_card, seal, use_voice},
    view::{
        passage::{Reader, consent, purpose_key, sentence_for},
        record::{months_before, since},
    },
    words::{Words, figure, rich},
};

/// Reads that are given: one to look, one to look again.
const READS: u32 = 2;

/// Which records there are.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The wallet's records.
    pub records: Vec<RecordCard>,
    /// Told when closed.
    pub close: Callback<()>,
}

/// Draws it; closing it ends the wait.
#[component]
pub fn ConsultSheet(props: &Props) -> Html {
    let (words, engine, work) = (use_words(), use_engine(), use_work());
    let news = use_consultation();
    let given = use_state(|| None::<String>);
    let link = use_state(|| None::<AttrValue>);
    let show = {
        let (work, link, news) = (work.clone(), link.setter(), news.setter());
        Callback::from(move |()| {
            let link = link.clone();
            link.set(None);
            news.set(None);
            work.patient(PatientRequest::AwaitDoctor, move |response| {
                if let Response::Patient(PatientResponse::Link(made)) = response {
                    link.set(Some(made.into()));
                }
            });
        })
    };
    use_effect_with(engine, {
        let show = show.clone();
        move |_: &Engine| show.emit(())
    });
    use_parting(Some(PatientRequest::StopAwaiting));
    let ended = || Fault::new("consult-gone", Action::Retry);
    let (key, content) = match (&*given, &*news) {
        (Some(name), _) => ("consult", done(name, &props.close, &words)),
        (None, Some(Consultation::Asked(ask))) => {
            let given = Callback::from({
                let given = given.setter();
                move |name: String| given.set(Some(name))
            });
            let question = html! { <Question key={ask.person.clone()} ask={ask.clone()} records={props.records.clone()} {given} close={props.close.clone()} /> };
            ("consent-title", question)
        }
        (None, Some(Consultation::Ended)) => ("consult", fault_card(&words, &ended(), Some(&show), false)),
        (None, Some(Consultation::Failed(fault))) => ("consult", fault_card(&words, fault, None, false)),
        (None, None) => ("consult", awaited(link.as_ref(), work.fault().as_ref(), &show, &words)),
    };
    html! { <Sheet {key} title={words.say(key)} close={props.close.clone()}><div class="stack">{ content }</div></Sheet> }
}

/// What the engine says of it; a name is spoken as it comes.
#[hook]
fn use_consultation() -> UseStateHandle<Option<Consultation>> {
    let (words, engine, voice) = (use_words(), use_engine(), use_voice());
    let news = use_state(|| None::<Consultation>);
    use_effect_with((engine, words), {
        let news = news.setter();
        move |(engine, words): &(Engine, Words)| {
            let words = words.clone();
            let subscription = engine.listen(Callback::from(move |event| {
                let Event::Consultation(now) = event else { return };
                if let Consultation::Asked(ask) = &now {
                    let name = [
                        ("name", ask.name.as_str().into()),
                        ("title", ask.title.as_str().into()),
                        ("organisation", ask.organisation.as_str().into()),
                    ];
                    voice.polite(words.with("share-asked-spoken", &name));
                }
                news.set(Some(now));
            }));
            move || drop(subscription)
        }
    });
    news
}

/// The code, and what comes of it.
fn awaited(link: Option<&AttrValue>, fault: Option<&Fault>, again: &Callback<()>, words: &Words) -> Html {
    match (fault, link) {
        (Some(fault), _) => fault_card(words, fault, Some(again), false),
        (None, None) => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        (None, Some(link)) => html! {<>
            <Code text={link.clone()} label={words.say("share-code")} />
            <p class="sentence">{ words.say("consult-text") }</p>
            <p class="waiting">{ dots() }<span>{ words.say("share-offered") }</span></p>
            <CopyLink link={link.clone()} wide={true} />
        </>},
    }
}

fn done(name: &str, close: &Callback<()>, words: &Words) -> Html {
    html! {<>
        <p role="status"><strong>{ words.with("consult-given", &[("name", name.into())]) }</strong></p>
        <p>{ words.say("consult-given-text") }</p>
        <button class="button primary wide" onclick={close.reform(|_| ())}>{ words.say("close") }</button>
    </>}
}

#[derive(Properties, PartialEq)]
struct QuestionProps {
    ask: ConsultAsk,
    records: Vec<RecordCard>,
    /// Told of the name when it was given.
    given: Callback<String>,
    close: Callback<()>,
}

/// Who asks, what for, and what of it is given: what fits is chosen already, sensitive records never are.
#[component]
fn Question(props: &QuestionProps) -> Html {
    let (words, engine, ledger, work) = (use_words(), use_engine(), use_ledger(), use_work());
    let ask = &props.ask;
    let chosen = use_state(|| {
        let now = words.moment(ledger.now_or_start());
        let from = ask.wants.months.map_or_else(String::new, |months| months_before(&now, months));
        Chosen {
            records: since(&props.records, &from).into_iter().collect::<BTreeSet<_>>(),
            purpose: ask.wants.purpose,
            length: ask.wants.duration,
            reads: READS,
            offline: false,
        }
    });
    let yes = {
        let (work, words, engine) = (work.clone(), words.clone(), engine);
        let (name, person, given) = (ask.name.clone(), ask.person.clone(), props.given.clone());
        let choice = choice(&chosen, &props.records);
        Callback::from(move |_| {
            let (work, words, engine) = (work.clone(), words.clone(), engine.clone());
            let (name, person, given, choice) = (name.clone(), person.clone(), given.clone(), choice.clone());
            spawn_local(async move {
                let parts = match engine.patient(PatientRequest::Preview(choice.clone())).await {
                    Ok(PatientResponse::Sentence(parts)) => parts,
                    Ok(_) => return work.fail(unexpected()),
                    Err(fault) => return work.fail(fault),
                };
                let text = consent(&words, &parts, choice.purpose, Reader::Named(&name));
                let choice = Some(ShareChoice { text, ..choice });
                work.patient(PatientRequest::AnswerDoctor { person, choice }, move |_| given.emit(name));
            });
        })
    };
    let no = {
        let (work, person, close) = (work.clone(), ask.person.clone(), props.close.clone());
        Callback::from(move |_| {
            let (person, close) = (person.clone(), close.clone());
            work.patient(PatientRequest::AnswerDoctor { person, choice: None }, move |_| close.emit(()));
        })
    };
    let row = |term: &str, text: String| html! { <><dt>{ words.say(term) }</dt><dd>{ text }</dd></> };
    let wanted = match ask.wants.months {
        Some(months) => words.count("consult-months", months),
        None => words.say("consult-all"),
    };
    let count = chosen.records.len();
    html! {<>
        <div class="row">
            { person_seal(&ask.name, None) }
            <div class="grow">
                <p><strong>{ words.named(&ask.name, &ask.title) }</strong></p>
                <p class="quiet">{ &ask.organisation }</p>
            </div>
        </div>
        <p class="status good">{ seal(Proof::Proven, None) }<span>{ words.say("consent-certified") }</span></p>
        <dl class="terms">
            { row("consult-wants", wanted) }
            { row("consent-term-why", words.say(purpose_key(chosen.purpose))) }
            { row("consent-term-long", words.with("consent-long", &[("length", words.length(chosen.length).into()), ("reads", figure(chosen.reads))])) }
            { row("consent-term-back", words.say("consent-back-short")) }
        </dl>
        <fieldset class="card">
            <legend class="heard">{ words.say("show-one-by-one") }</legend>
            { for props.records.iter().filter(|card| card.can_be_shown()).map(|card| pick(card, &chosen, &words)) }
        </fieldset>
        <section class="sentence" aria-live="polite">
            if count > 0 { <p>{ rich(&sentence_for(&words, &ask.name, count, chosen.length, chosen.reads)) }</p> }
            else { <p class="quiet">{ words.say("consult-none") }</p> }
        </section>
        if work.busy() { { progress_card(&words, work.progress()) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
        <button class="button primary wide" onclick={yes} disabled={count == 0 || work.busy()}>{ words.say("consent-yes") }</button>
        <button class="button wide" onclick={no} disabled={work.busy()}>{ words.say("consent-no") }</button>
    </>}
}
