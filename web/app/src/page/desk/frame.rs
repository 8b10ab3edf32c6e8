//! A desk's head: mark, name, sections, the ledger's state, who sits here by their certificate.

use suishen_bridge::{Desk, Fault, LedgerState};
use yew::{AttrValue, Callback, Html, Properties, component, html};

use crate::{
    browser::{
        address::use_address,
        language::use_words,
        ledger::{Known, use_ledger},
    },
    component::{LanguageSwitch, LinkTo, Proof, fault_card, glyph, logo, person_seal, seal},
    route::Route,
    words::Words,
};

/// A section: page, name's key, icon.
pub type Section = (Route, &'static str, &'static str);

/// What stands in it.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The desk's name.
    pub title: AttrValue,
    /// At most four sections.
    pub sections: Vec<Section>,
    /// Who sits here.
    #[prop_or_default]
    pub desk: Option<Desk>,
    /// The body.
    pub children: Html,
}

/// Draws it.
#[component]
pub fn DeskFrame(props: &Props) -> Html {
    let (words, address, ledger) = (use_words(), use_address(), use_ledger());
    html! {
        <div class="desk">
            <header class="desk-head">
                <LinkTo to={Route::Home} class="desk-name">{ logo() }{ &props.title }</LinkTo>
                if !props.sections.is_empty() {
                    <nav aria-label={words.say("sections")}><ul>
                        { for props.sections.iter().map(|(to, key, icon)| html! {
                            <li><LinkTo to={to.clone()} current={(address.route == *to).then(|| AttrValue::from("page"))}>{ glyph(icon) }{ words.say(key) }</LinkTo></li>
                        }) }
                    </ul></nav>
                }
                <div class="desk-state">
                    <LanguageSwitch />
                    { ledger_sign(&words, &ledger) }
                    if let Some(desk) = &props.desk { { who(desk, &words) } }
                </div>
            </header>
            { props.children.clone() }
        </div>
    }
}

/// The body until the engine has said whose desk it is.
pub fn opening(title: &str, words: &Words) -> Html {
    html! { <main class="centred"><h1 class="heard">{ title }</h1><p class="quiet" role="status">{ words.say("opening") }</p></main> }
}

/// The body where the engine could not say it.
pub fn unopened(title: &str, fault: &Fault, again: &Callback<()>, words: &Words) -> Html {
    html! { <main class="centred"><h1>{ title }</h1>{ fault_card(words, fault, Some(again), true) }</main> }
}

fn who(desk: &Desk, words: &Words) -> Html {
    let below = format!("{}{}", desk.organisation, desk.unit);
    html! {
        <div class="desk-who">
            { person_seal(&desk.name, None) }
            <div>
                <p><strong>{ words.named(&desk.name, &desk.title) }</strong></p>
                <p class="quiet">{ below }</p>
            </div>
        </div>
    }
}

/// The ledger's state, by what this machine has proven.
fn ledger_sign(words: &Words, ledger: &Known) -> Html {
    let at = ledger.checked().map_or_else(|| "–".to_owned(), |at| words.time(at));
    let (proof, key) = match ledger.state() {
        LedgerState::Fresh => (Proof::Proven, "ledger-fresh"),
        LedgerState::AsOf => (Proof::AsOf, "ledger-as-of"),
        LedgerState::Unknown => (Proof::AsOf, "ledger-unknown"),
        LedgerState::Forked => (Proof::Broken, "ledger-forked"),
        LedgerState::Rewound => (Proof::Broken, "ledger-rewound"),
    };
    html! { <span class="ledger quiet" role="status">{ seal(proof, None) }{ words.with(key, &[("time", at.into())]) }</span> }
}
