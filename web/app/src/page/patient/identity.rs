//! The identity code: for a hospital's desk, which then sends this and later reports straight here.

use suishen_bridge::{PatientRequest, PatientResponse, Request, Response};
use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, Properties, component, html, use_callback};

use crate::{
    browser::{
        asking::{Asked, use_asked},
        engine::use_engine,
        language::use_words,
        timer::use_interval,
    },
    component::{Code, CopyLink, Sheet, fault_card},
};

/// Told when closed.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Told when closed.
    pub close: Callback<()>,
}

fn read(response: Response) -> Option<String> {
    match response {
        Response::Patient(PatientResponse::Link(link)) => Some(link),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn IdentitySheet(props: &Props) -> Html {
    let (words, engine) = (use_words(), use_engine());
    let (link, again) = use_asked((), &[], |()| Request::Patient(PatientRequest::Identity), read);
    // While it is up, what the desk sends comes in.
    let look = use_callback(engine, |(), engine| {
        let engine = engine.clone();
        spawn_local(async move {
            let _ = engine.patient(PatientRequest::CheckInbox).await;
        });
    });
    use_interval(4000, look);
    let content = match link {
        Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
        Asked::Failed(fault) => html! { { fault_card(&words, &fault, Some(&again), false) } },
        Asked::Here(link) => html! {<>
            <Code text={(*link).clone()} label={words.say("identity-code")} />
            <p class="sentence">{ words.say("identity-text") }</p>
            <CopyLink link={AttrValue::from((*link).clone())} wide={true} />
        </>},
    };
    html! { <Sheet title={words.say("identity")} close={props.close.clone()}><div class="stack">{ content }</div></Sheet> }
}
