//! What happened, are the records safe, one action, the stable code (LOOK "error").

use suishen_bridge::{Action, Fault};
use yew::{Callback, Html, Properties, component, html};

use super::{Icon, LinkTo};
use crate::{browser::language::use_words, route::Route, words::Words};

/// Which fault.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The fault.
    pub fault: Fault,
    /// Told of "try again".
    #[prop_or_default]
    pub retry: Option<Callback<()>>,
    /// At a desk: patients' actions are not offered.
    #[prop_or_default]
    pub desk: bool,
}

/// The fault's sentence; an unknown one is said to be unknown, with its code below.
pub fn sentence(words: &Words, fault: &Fault) -> String {
    let key = if words.has(&fault.key) { fault.key.as_str() } else { "fault-unknown" };
    words.with(key, &[("detail", fault.detail.clone().unwrap_or_default().into())])
}

/// Draws it.
#[component]
pub fn FaultCard(props: &Props) -> Html {
    let words = use_words();
    let fault = &props.fault;
    html! {
        <section class="card padded stack close" role="alert">
            <div class="row">
                <Icon name="warning-circle" />
                <h2 class="grow">{ sentence(&words, fault) }</h2>
            </div>
            if let Some(detail) = fault.detail.as_ref().filter(|detail| !detail.is_empty()) { <p class="quiet">{ detail }</p> }
            <p>{ words.say(if props.desk { "fault-desk-safe" } else { "fault-safe" }) }</p>
            { action(props, &words) }
            <p class="error-code">{ words.with("fault-code", &[("code", fault.code.as_str().into())]) }</p>
        </section>
    }
}

fn action(props: &Props, words: &Words) -> Html {
    let link = |to: Route, key: &str| html! { <LinkTo {to} class="button small">{ words.say(key) }</LinkTo> };
    match props.fault.action {
        Action::Retry => match &props.retry {
            Some(retry) => {
                html! { <button class="button small" onclick={retry.reform(|_| ())}>{ words.say("action-retry") }</button> }
            }
            None => Html::default(),
        },
        Action::ScanAgain if props.desk => link(Route::Home, "action-scan"),
        Action::ScanAgain => link(Route::Scan, "action-scan"),
        Action::Protect => link(Route::Protect, "action-protect"),
        Action::Unlock => link(Route::Home, "action-unlock"),
        Action::Recover => link(Route::Restore, "action-recover"),
        Action::AskDesk => html! { <p>{ words.say("action-ask-desk") }</p> },
        Action::AskPatient => html! { <p>{ words.say("action-ask-patient") }</p> },
        Action::Nothing => Html::default(),
    }
}
