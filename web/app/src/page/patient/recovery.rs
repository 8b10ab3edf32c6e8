//! The recovery page: 24 numbered words in four columns, Chinese or English, printable with a code; then three of them
//! are asked for, paste allowed. When they are right the words leave this phone for good.

use suishen_bridge::{PatientRequest, PatientResponse, Request, Response};
use web_sys::{HtmlInputElement, InputEvent, SubmitEvent};
use yew::{Callback, Html, Properties, TargetCast, component, html, use_state};

use super::root::use_wallet;
use crate::{
    browser::{
        address::use_address,
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
        page,
        work::use_work,
    },
    component::{Code, LinkTo, Segments, back_bar, empty, fault_card, glyph, use_voice},
    route::Route,
    words::{Language, figure},
};

/// The phrase on screen. Secret.
#[derive(Clone, PartialEq)]
struct Phrase {
    words: Vec<String>,
    code: String,
    ask: [u8; 3],
}

fn read(response: Response) -> Option<Phrase> {
    match response {
        Response::Patient(PatientResponse::Phrase { words, code, ask }) => Some(Phrase { words, code, ask }),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn RecoveryPage() -> Html {
    let (words, wallet) = (use_words(), use_wallet());
    if wallet.phrase_checked {
        return html! {
            <div class="phone bare">
                { back_bar(&words, Route::Home, String::new(), Html::default()) }
                <main>
                    <h1 class="heard">{ words.say("recovery-done") }</h1>
                    { empty(words.say("recovery-done"), words.say("recovery-done-text"), html! { <>
                        <LinkTo to={Route::Home} class="button primary wide">{ words.say("to-records") }</LinkTo>
                    </> }) }
                </main>
            </div>
        };
    }
    html! { <Writing /> }
}

#[component]
fn Writing() -> Html {
    let words = use_words();
    let chinese = use_state({
        let language = words.language();
        move || language == Language::Chinese
    });
    let checking = use_state(|| false);
    let (phrase, again) = use_asked(
        *chinese,
        &[],
        |chinese: &bool| Request::Patient(PatientRequest::Phrase { chinese: *chinese }),
        read,
    );
    let choose = {
        let chinese = chinese.setter();
        Callback::from(move |chosen: usize| chinese.set(chosen == 0))
    };
    let check = |on: bool| {
        let checking = checking.setter();
        Callback::from(move |()| checking.set(on))
    };
    html! {<>
        <div class="phone bare">
            { back_bar(&words, Route::Home, String::new(), Html::default()) }
            <main class="stack">
                { match &phrase {
                    Asked::Waiting => html! { <><h1>{ words.say("recovery-title") }</h1><p class="quiet" role="status">{ words.say("opening") }</p></> },
                    Asked::Failed(fault) => html! { <><h1>{ words.say("recovery-title") }</h1>{ fault_card(&words, fault, Some(&again), false) }</> },
                    Asked::Here(phrase) if *checking => html! { <Checking phrase={(**phrase).clone()} back={check(false)} /> },
                    Asked::Here(phrase) => html! {<>
                        <h1>{ words.say("recovery-title") }</h1>
                        <p>{ words.say("recovery-text") }</p>
                        <Segments label={words.say("recovery-language")} names={vec!["中文".to_owned(), "English".to_owned()]} chosen={usize::from(!*chinese)} {choose} />
                        <section class="card padded">{ list(phrase, *chinese) }</section>
                        <p class="quiet">{ words.say("recovery-same") }</p>
                        <div class="buttons">
                            <button class="button primary" onclick={check(true).reform(|_| ())}>{ words.say("recovery-written") }</button>
                            <button class="button" onclick={Callback::from(|_| page::print())}>{ glyph("printer") }{ words.say("print") }</button>
                        </div>
                        <LinkTo to={Route::Home} class="plain">{ words.say("later") }</LinkTo>
                    </>},
                } }
            </main>
        </div>
        if let Some(phrase) = phrase.here() { <Paper phrase={phrase.clone()} chinese={*chinese} /> }
    </>}
}

fn list(phrase: &Phrase, chinese: bool) -> Html {
    html! {
        <ol class={if chinese { "words" } else { "words latin" }} lang={if chinese { "zh-CN" } else { "en" }}>
            { for phrase.words.iter().enumerate().map(|(index, word)| html! {
                <li><span class="number">{ index + 1 }</span><span>{ word }</span></li>
            }) }
        </ol>
    }
}

#[derive(Properties, PartialEq)]
struct CheckingProps {
    phrase: Phrase,
    back: Callback<()>,
}

/// Three of the words, to be sure that they are on paper.
#[component]
fn Checking(props: &CheckingProps) -> Html {
    let (words, work, voice, address) = (use_words(), use_work(), use_voice(), use_address());
    let typed = use_state(|| [String::new(), String::new(), String::new()]);
    let set = |index: usize| {
        let typed = typed.clone();
        Callback::from(move |event: InputEvent| {
            let mut new = (*typed).clone();
            let word = event.target_unchecked_into::<HtmlInputElement>().value();
            word.trim().clone_into(&mut new[index]);
            typed.set(new);
        })
    };
    let submit = {
        let (work, typed, ask, said) =
            (work.clone(), typed.clone(), props.phrase.ask, words.say("recovery-done"));
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (voice, address, said) = (voice.clone(), address.clone(), said.clone());
            let words = ask.into_iter().zip(typed.iter().cloned()).collect();
            work.patient(PatientRequest::CheckPhrase { words }, move |_| {
                voice.polite(said);
                address.replace(Route::Home);
            });
        })
    };
    html! {
        <form class="stack" onsubmit={submit}>
            <h1>{ words.say("recovery-check") }</h1>
            <p>{ words.say("recovery-check-text") }</p>
            { for props.phrase.ask.iter().enumerate().map(|(index, position)| html! {
                <div class="field">
                    <label for={format!("word-{position}")}>{ words.count("recovery-word", *position) }</label>
                    <input id={format!("word-{position}")} class="input" value={typed[index].clone()} oninput={set(index)} autocomplete="off" autocapitalize="off" spellcheck="false" />
                </div>
            }) }
            if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
            <div class="buttons">
                <button class="button primary" disabled={work.busy() || typed.iter().any(String::is_empty)}>{ words.say("recovery-confirm") }</button>
                <button type="button" class="button" onclick={props.back.reform(|_| ())}>{ words.say("recovery-again") }</button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct PaperProps {
    phrase: Phrase,
    chinese: bool,
}

/// The printed page (A4): words, code, date, no name.
#[component]
fn Paper(props: &PaperProps) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    page::use_print_mode("printing-recovery");
    html! {
        <section class="paper" aria-hidden="true">
            <h1>{ words.say("recovery-paper") }</h1>
            <p>{ words.say("recovery-paper-holder") }</p>
            if let Some(now) = ledger.now() { <p>{ words.date(now, 0) }</p> }
            { list(&props.phrase, props.chinese) }
            <div class="fold"></div>
            <Code text={props.phrase.code.clone()} label={words.say("recovery-code")} />
            <p>{ words.with("recovery-paper-count", &[("n", figure(props.phrase.words.len() as u64))]) }</p>
        </section>
    }
}
