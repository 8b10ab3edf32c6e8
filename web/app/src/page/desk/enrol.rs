//! Enrolling this browser as a desk, by an invite link that works once; the key is made here and never leaves.

use suishen_bridge::{DeskRequest, Response};
use yew::{AttrValue, Callback, Html, Properties, component, html, use_effect_with};

use super::frame::DeskFrame;
use crate::{
    browser::{language::use_words, work::use_work},
    component::{ScanBox, fault_card, progress_card, use_voice},
};

/// What brought the person here.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The desk's name.
    pub title: AttrValue,
    /// An invite link that was opened. Secret.
    pub opened: Option<String>,
    /// Told when enrolled.
    pub done: Callback<()>,
}

/// An opened link, unless it is an invite: that one was for the enrolment.
pub fn other_than_invite(opened: Option<&String>) -> Option<String> {
    opened.filter(|link| !link.contains("/enrol#")).cloned()
}

/// Draws it.
#[component]
pub fn EnrolPage(props: &Props) -> Html {
    let (words, work, voice) = (use_words(), use_work(), use_voice());
    let enrol = {
        let (work, done, said) = (work.clone(), props.done.clone(), words.say("enrol-done"));
        Callback::from(move |text: String| {
            let (done, voice, said) = (done.clone(), voice.clone(), said.clone());
            work.desk(DeskRequest::Enrol { text }, move |response| {
                if matches!(response, Response::Desk(_)) {
                    voice.polite(said);
                    done.emit(());
                }
            });
        })
    };
    // The link was opened for nothing else; the invitation is to this browser.
    use_effect_with(props.opened.clone(), {
        let enrol = enrol.clone();
        move |opened: &Option<String>| {
            if let Some(link) = opened {
                enrol.emit(link.clone());
            }
        }
    });
    html! {
        <DeskFrame title={props.title.clone()} sections={Vec::new()}>
            <main class="centred stack">
                <h1>{ words.say("enrol-title") }</h1>
                <p>{ words.say("enrol-text") }</p>
                if work.busy() { { progress_card(&words, work.progress()) } }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
                <section class="card padded"><ScanBox found={enrol} label={words.say("enrol-link")} /></section>
                <p class="quiet">{ words.say("enrol-note") }</p>
            </main>
        </DeskFrame>
    }
}
