//! Whose wallet is open, where others are kept in this browser beside its owner's: a band with name and role in another's,
//! one tap between them, and what was taken back, to be put away.

use suishen_bridge::{DeviceRole, KeptWallet, PatientRequest};
use yew::{Callback, Html, Properties, component, html, use_state};

use crate::{
    browser::{address::use_address, language::use_words, work::use_work},
    component::{Segments, Status, fault_card, glyph, status_line, use_voice},
    route::Route,
};

/// The open wallet among the others.
#[derive(Clone, Debug, PartialEq, Properties)]
pub struct Props {
    /// Those of others, by name.
    pub kept: Vec<KeptWallet>,
    /// Which of them is open; none for the owner's own.
    pub of: Option<String>,
    /// What this device may do in it.
    pub role: DeviceRole,
}

/// The key of what a role allows, as the band says it.
const fn role_key(role: DeviceRole) -> &'static str {
    match role {
        DeviceRole::View => "whose-view",
        DeviceRole::Share => "whose-share",
        DeviceRole::Manage => "whose-manage",
    }
}

/// Draws it; nothing where the owner's wallet is the only one.
#[component]
pub fn Whose(props: &Props) -> Html {
    let (words, work, address, voice) = (use_words(), use_work(), use_address(), use_voice());
    // One that doesn't open, and may be put away for that.
    let broken = use_state(|| None::<String>);
    let (gone, here): (Vec<_>, Vec<_>) = props.kept.iter().partition(|kept| kept.taken_back);
    let name =
        |wallet: &String| here.iter().find(|kept| kept.wallet == *wallet).map(|kept| kept.name.clone());
    let choose = {
        let (work, address, voice, words) = (work.clone(), address, voice.clone(), words.clone());
        let (here, broken) = (here.iter().map(|kept| (*kept).clone()).collect::<Vec<_>>(), broken.setter());
        Callback::from(move |chosen: usize| {
            let to = chosen.checked_sub(1).and_then(|at| here.get(at)).cloned();
            let said = to.as_ref().map_or_else(
                || words.say("whose-own-open"),
                |kept| words.with("whose-open", &[("name", kept.name.as_str().into())]),
            );
            let to = to.map(|kept| kept.wallet);
            let (address, voice, broken) = (address.clone(), voice.clone(), broken.clone());
            broken.set(to.clone());
            work.patient(PatientRequest::Switch { to }, move |_| {
                broken.set(None);
                voice.polite(said);
                address.go(Route::Home);
            });
        })
    };
    let put_away = |wallet: String| {
        let (work, said, voice) = (work.clone(), words.say("put-away-done"), voice.clone());
        Callback::from(move |_| {
            let (said, voice) = (said.clone(), voice.clone());
            work.patient(PatientRequest::PutAway { wallet: wallet.clone() }, move |_| voice.polite(said));
        })
    };
    let away = |wallet: &str, class: &'static str| {
        html! { <button {class} onclick={put_away(wallet.to_owned())} disabled={work.busy()}>{ glyph("x") }{ words.say("put-away") }</button> }
    };
    if props.kept.is_empty() {
        return Html::default();
    }
    let names: Vec<String> =
        [words.say("whose-own")].into_iter().chain(here.iter().map(|kept| kept.name.clone())).collect();
    let chosen = props.of.as_ref().and_then(|of| here.iter().position(|kept| kept.wallet == *of));
    html! {
        <nav class="whose" aria-label={words.say("whose")}>
            if let Some(name) = props.of.as_ref().and_then(name) {
                <p class="band">{ glyph("users-three") }<span><strong>{ name }</strong>{ " · " }{ words.say(role_key(props.role)) }</span></p>
            }
            if !here.is_empty() {
                <Segments label={words.say("whose")} {names} chosen={chosen.map_or(0, |at| at + 1)} {choose} />
            }
            { for gone.into_iter().map(|kept| html! {
                <div key={kept.wallet.clone()} class="card" role="status">
                    { status_line(Status::Caution("prohibit"), words.with("taken-back", &[("name", kept.name.as_str().into())]), Some(words.say("taken-back-more")), None, None) }
                    <div class="padded">{ away(&kept.wallet, "button wide") }</div>
                </div>
            }) }
            if let Some(fault) = work.fault() {
                { fault_card(&words, &fault, None, false) }
                if let Some(wallet) = broken.as_ref().filter(|_| fault.code == "kept-damaged") { { away(wallet, "button wide") } }
            }
        </nav>
    }
}
