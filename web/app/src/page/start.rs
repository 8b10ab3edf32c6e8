//! The start page of the demonstration: the story in six steps, each with a button to the role that plays it.
//! It talks to no engine; the roles live on origins of their own. A desk's button brings an invitation along, which a
//! desk that is enrolled already doesn't look at.

use std::collections::BTreeMap;

use js_sys::{Array, Object};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, component, html, use_effect_with, use_state};

use crate::{
    browser::{
        file,
        language::{Change, use_setting},
        page,
    },
    component::{logo, small_glyph},
    words::rich,
};

/// A step: its text's key, and the roles it leads to.
const STEPS: [(&str, &[&str]); 6] = [
    ("issue", &["hospital"]),
    ("keep", &["patient"]),
    ("share", &["patient", "doctor"]),
    ("read", &["doctor", "doctor2"]),
    ("claim", &["patient", "insurer", "insurer2", "fund"]),
    ("check", &["patient", "patient2", "auditor"]),
];

/// Draws it.
#[component]
pub fn StartPage() -> Html {
    let setting = use_setting();
    let words = &setting.words;
    let invitations = use_state(BTreeMap::<String, String>::new);
    use_effect_with((), {
        let invitations = invitations.setter();
        move |()| spawn_local(async move { invitations.set(invited().await) })
    });
    let other = words.language().other();
    let change = {
        let change = setting.change.clone();
        Callback::from(move |_| change.emit(Change::Language(other)))
    };
    html! {
        <div class="story">
            <header class="top">
                <span class="desk-name">{ logo() }{ words.say("suishen") }</span>
                <button class="plain" lang={other.tag()} onclick={change}>{ words.say("other-language") }</button>
            </header>
            <main>
                <h1>{ words.say("start-title") }</h1>
                <p>{ rich(&words.say("start-lead")) }</p>
                <ol class="steps">
                    { for STEPS.iter().enumerate().map(|(index, (key, roles))| html! {
                        <li class="card step">
                            <span class="number" aria-hidden="true">{ index + 1 }</span>
                            <div class="say stack close">
                                <h2>{ words.say(&format!("start-{key}")) }</h2>
                                <p class="quiet">{ words.say(&format!("start-{key}-text")) }</p>
                            </div>
                            <div class="go">
                                { for roles.iter().enumerate().map(|(first, role)| html! {
                                    <a class={if first == 0 { "button small primary" } else { "button small" }} href={invitations.get(*role).cloned().unwrap_or_else(|| origin_of(role))} target="_blank" rel="noopener">
                                        { words.say(&format!("role-{role}")) }
                                        { small_glyph("arrow-square-out") }
                                    </a>
                                }) }
                            </div>
                        </li>
                    }) }
                </ol>
                <p class="quiet">{ words.say("start-note") }</p>
            </main>
        </div>
    }
}

/// Fresh invitations of the demo's desks by role; none where the relay gives none.
async fn invited() -> BTreeMap<String, String> {
    let named = file::fetch_json("/v1/demo").await.and_then(|json| json.dyn_into::<Object>().ok());
    let entries = named.map(|named| Object::entries(&named).to_vec()).unwrap_or_default();
    let mut links: BTreeMap<String, String> = entries
        .into_iter()
        .filter_map(|entry| {
            let entry = Array::from(&entry);
            Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
        })
        .collect();
    // What the auditor's page shows needs nobody's name.
    links.remove("auditor");
    links
}

/// `http://doctor.localhost:8080` beside this page's `http://localhost:8080`.
fn origin_of(role: &str) -> String {
    let origin = page::origin();
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", &origin));
    let host = host.replace("127.0.0.1", "localhost");
    format!("{scheme}://{role}.{host}/")
}
