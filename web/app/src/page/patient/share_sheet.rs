//! A share's code with its countdown, then the question: let this person read? The name is the certificate's.

use suishen_bridge::{PatientRequest, PatientResponse, Purpose, Response, Share, ShareState};
use yew::{AttrValue, Callback, Html, Properties, component, html, use_effect_with, use_state};

use super::revoke_sheet::RevokeSheet;
use crate::{
    browser::{
        language::use_words,
        ledger::{use_following, use_ledger},
        timer::use_tick,
        work::use_work,
    },
    component::{Code, CopyLink, Countdown, Proof, Sheet, fault_card, glyph, person_seal, seal, use_voice},
    view::passage::{purpose_key, sentence},
    words::{Words, figure, rich},
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The share.
    pub share: Share,
    /// Told when closed.
    pub close: Callback<()>,
    /// Told of a share that took this one's place.
    pub made: Callback<String>,
}

/// Draws it.
#[component]
pub fn ShareSheet(props: &Props) -> Html {
    let (words, voice) = (use_words(), use_voice());
    let share = &props.share;
    let waiting = matches!(share.state, ShareState::Offered);
    // While a code is up the relays are asked often: somebody stands at the desk.
    use_following(if waiting { 2000 } else { 0 });
    use_effect_with(share.state.clone(), {
        let words = words.clone();
        move |state: &ShareState| {
            if let ShareState::Asked { name, title, organisation, .. } = state {
                voice.polite(words.with(
                    "share-asked-spoken",
                    &[
                        ("name", name.as_str().into()),
                        ("title", title.as_str().into()),
                        ("organisation", organisation.as_str().into()),
                    ],
                ));
            }
        }
    });
    match &share.state {
        ShareState::Offered => {
            html! { <Offered share={share.clone()} close={props.close.clone()} made={props.made.clone()} /> }
        }
        ShareState::Asked { .. } => html! { <Asking share={share.clone()} close={props.close.clone()} /> },
        _ => html! { <Ended share={share.clone()} close={props.close.clone()} /> },
    }
}

#[component]
fn Offered(props: &Props) -> Html {
    use_tick(1000);
    let (words, ledger, work) = (use_words(), use_ledger(), use_work());
    let revoking = use_state(|| false);
    let share = &props.share;
    let whole = share.accept_by.saturating_sub(share.issued);
    let left = ledger.now().map_or(whole, |now| share.accept_by.saturating_sub(now));
    let extend = {
        let (work, share, made) = (work.clone(), share.share.clone(), props.made.clone());
        Callback::from(move |_| {
            let made = made.clone();
            work.patient(PatientRequest::Extend { share: share.clone() }, move |response| {
                if let Response::Patient(PatientResponse::Share(share)) = response {
                    made.emit(share.share);
                }
            });
        })
    };
    let ask_revoke = |on: bool| {
        let revoking = revoking.setter();
        Callback::from(move |()| revoking.set(on))
    };
    if *revoking {
        return html! { <RevokeSheet share={share.share.clone()} name={None::<String>} records={share.titles.len()} close={props.close.clone()} /> };
    }
    html! {
        <Sheet title={words.say(of_claim(share, "share-title", "claim-share-title"))} close={props.close.clone()}>
            <div class="stack">
                if let Some(link) = share.link.clone().filter(|_| left > 0) {
                    <Code text={link} label={words.say("share-code")} ring={Some((left, whole, share.choice.offline))} />
                }
                <p class="countdown">
                    <Countdown until={share.accept_by} />
                    if share.choice.purpose != Purpose::Payment {
                        <button class="plain" onclick={extend} disabled={work.busy()}>{ words.say("share-extend") }</button>
                    }
                </p>
                if share.choice.offline { <p class="status caution">{ glyph("wifi-slash") }<span>{ words.say("share-offline-line") }</span></p> }
                { said(share, &words) }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                if left > 0 {
                    <p class="waiting">{ dots() }<span>{ words.say(if share.choice.offline { "share-waiting-offline" } else { of_claim(share, "share-waiting", "claim-share-waiting") }) }</span></p>
                }
                <div class="buttons">
                    <button class="button" onclick={ask_revoke(true).reform(|_| ())}>{ words.say("revoke") }</button>
                    <CopyLink link={share.link.clone().map(AttrValue::from)} />
                </div>
            </div>
        </Sheet>
    }
}

/// What is said of a claim, or of any other share.
fn of_claim(share: &Share, other: &'static str, claim: &'static str) -> &'static str {
    if share.choice.purpose == Purpose::Payment { claim } else { other }
}

fn said(share: &Share, words: &Words) -> Html {
    html! {
        <div class="sentence">
            <p>{ if share.choice.purpose == Purpose::Payment { Html::from(share.choice.text.clone()) } else { rich(&sentence(words, share.titles.len(), share.choice.duration, share.choice.reads)) } }</p>
            <p class="quiet">{ words.list(&share.titles) }</p>
        </div>
    }
}

/// Three dots: somebody is awaited.
pub fn dots() -> Html {
    html! {
        <svg class="dots" viewBox="0 0 32 8" aria-hidden="true">
            <rect width="7" height="7" rx="2" /><rect x="12" width="7" height="7" rx="2" /><rect x="24" width="7" height="7" rx="2" />
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    share: Share,
    close: Callback<()>,
}

/// The question. Nothing is pre-ticked; no is one tap like yes.
#[component]
fn Asking(props: &OneProps) -> Html {
    let (words, work) = (use_words(), use_work());
    let share = &props.share;
    let ShareState::Asked { person, name, title, organisation } = &share.state else {
        return Html::default();
    };
    let yes = {
        let (work, share, person) = (work.clone(), share.share.clone(), person.clone());
        Callback::from(move |_| {
            work.patient(PatientRequest::Consent { share: share.clone(), person: person.clone() }, |_| ());
        })
    };
    let no = {
        let (work, share, close) = (work.clone(), share.share.clone(), props.close.clone());
        Callback::from(move |_| {
            let close = close.clone();
            work.patient(PatientRequest::Revoke { share: share.clone() }, move |_| close.emit(()));
        })
    };
    let row = |term: &str, text: String| html! { <><dt>{ words.say(term) }</dt><dd>{ text }</dd></> };
    html! {
        <Sheet title={words.say(of_claim(share, "consent-title", "claim-consent-title"))} close={props.close.clone()}>
            <div class="stack">
                <div class="row">
                    { person_seal(name, None) }
                    <div class="grow">
                        <p><strong>{ words.named(name, title) }</strong></p>
                        <p class="quiet">{ organisation }</p>
                    </div>
                </div>
                <p class="status good">{ seal(Proof::Proven, None) }<span>{ words.say(of_claim(share, "consent-certified", "claim-consent-certified")) }</span></p>
                <dl class="terms">
                    { row("consent-term-what", format!("{} {}", words.count("records-count", share.titles.len() as u64), words.with("in-brackets", &[("text", words.list(&share.titles).into())]))) }
                    { row("consent-term-why", words.say(purpose_key(share.choice.purpose))) }
                    { row("consent-term-long", words.with("consent-long", &[("length", words.length(share.choice.duration).into()), ("reads", figure(share.choice.reads))])) }
                    { row("consent-term-back", words.say("consent-back-short")) }
                </dl>
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, false) } }
                <button class="button primary wide" onclick={yes} disabled={work.busy()}>{ words.say("consent-yes") }</button>
                <button class="button wide" onclick={no} disabled={work.busy()}>{ words.say("consent-no") }</button>
            </div>
        </Sheet>
    }
}

/// Agreed, or over.
#[component]
fn Ended(props: &OneProps) -> Html {
    let (words, ledger) = (use_words(), use_ledger());
    let revoking = use_state(|| false);
    let share = &props.share;
    let (key, open) = match &share.state {
        ShareState::Open { .. } => ("share-state-open", true),
        // Whoever has read may still settle a claim.
        ShareState::Exhausted => ("share-state-exhausted", true),
        ShareState::Expired => ("share-state-expired", false),
        ShareState::RevokedAtGates => ("share-state-gates", false),
        ShareState::NotYetRevoked => ("revoke-not-yet", true),
        _ => ("share-state-revoked", false),
    };
    if *revoking {
        return html! { <RevokeSheet share={share.share.clone()} name={super::show::person(&share.state)} records={share.titles.len()} close={props.close.clone()} /> };
    }
    let title = super::show::person(&share.state).unwrap_or_else(|| words.say("share"));
    let revoke = Callback::from({
        let revoking = revoking.setter();
        move |_| revoking.set(true)
    });
    html! {
        <Sheet {title} close={props.close.clone()}>
            <div class="stack">
                <p role="status">{ words.say(key) }</p>
                { said(share, &words) }
                if open {
                    <p class="quiet">{ words.with("share-open", &[("reads", figure(share.reads_left)), ("when", words.when(share.until, ledger.now_or_start()).into())]) }</p>
                    <button class="button wide" onclick={revoke}>{ words.say("revoke") }</button>
                }
            </div>
        </Sheet>
    }
}
