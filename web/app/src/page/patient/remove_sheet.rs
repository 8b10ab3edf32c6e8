//! Taking a device out of the wallet: what that does and what it can't undo, then the shares that it could still act
//! on, to be taken back one by one or all at once.

use suishen_bridge::{PatientRequest, PatientResponse, Request, Response, Share, ShareState, Topic};
use wasm_bindgen_futures::spawn_local;
use yew::{AttrValue, Callback, Html, MouseEvent, Properties, component, html, use_state};

use super::{
    show::{is_running, share_lines},
    status::shares,
};
use crate::{
    browser::{
        asking::use_asked, engine::use_engine, language::use_words, ledger::use_ledger, work::use_work,
    },
    component::{Sheet, fault_card, progress_card, use_voice},
    words::Words,
};

/// Which.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The device.
    pub device: AttrValue,
    /// What it is called.
    pub name: AttrValue,
    /// Told when done or left.
    pub close: Callback<()>,
}

/// Draws it.
#[component]
pub fn RemoveSheet(props: &Props) -> Html {
    let (words, now, work, engine, voice) =
        (use_words(), use_ledger().now_or_start(), use_work(), use_engine(), use_voice());
    // The shares that it could act on; none before it is removed.
    let offered = use_state(|| None::<Vec<String>>);
    let (all, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    let remove = {
        let (work, device, said) = (work.clone(), props.device.to_string(), words.say("remove-done"));
        let offered = offered.setter();
        Callback::from(move |()| {
            let (offered, voice, said) = (offered.clone(), voice.clone(), said.clone());
            work.patient(PatientRequest::RemoveDevice { device: device.clone() }, move |response| {
                if let Response::Patient(PatientResponse::Shares(shares)) = response {
                    voice.polite(said);
                    offered.set(Some(shares.into_iter().map(|share| share.share).collect()));
                }
            });
        })
    };
    let taking = use_state(|| false);
    let take_back = |which: Vec<String>| {
        let (work, engine, taking) = (work.clone(), engine.clone(), taking.setter());
        Callback::from(move |_| {
            let (work, engine, taking, which) = (work.clone(), engine.clone(), taking.clone(), which.clone());
            taking.set(true);
            work.clear();
            spawn_local(async move {
                for share in which {
                    if let Err(fault) = engine.patient(PatientRequest::Revoke { share }).await {
                        work.fail(fault);
                        break;
                    }
                }
                taking.set(false);
            });
        })
    };
    let close = |key: &str, class: &'static str| {
        html! { <button {class} onclick={props.close.reform(|_| ())}>{ words.say(key) }</button> }
    };
    let named = [("name", props.name.as_str().into())];
    let (title, content) = match &*offered {
        None => (
            words.with("remove-title", &named),
            html! {<>
                <div><p>{ words.say("remove-new") }</p><p>{ words.say("remove-keeps") }</p></div>
                <p class="quiet">{ words.say("remove-next") }</p>
                if work.busy() { { progress_card(&words, work.progress()) } }
                <button class="button primary wide" onclick={remove.reform(|_| ())} disabled={work.busy()}>{ words.say("remove-go") }</button>
                { close("revoke-keep", "button wide") }
            </>},
        ),
        Some(offered) => {
            let left = all.here().into_iter().flatten();
            let left: Vec<&Share> =
                left.filter(|share| offered.contains(&share.share) && is_running(&share.state)).collect();
            let open: Vec<String> =
                left.iter().filter(|share| can_be_revoked(share)).map(|share| share.share.clone()).collect();
            let content = html! {<>
                if left.is_empty() { <p role="status">{ words.say("remove-nothing") }</p> } else { <p>{ words.with("remove-left", &named) }</p> }
                { for left.into_iter().map(|share| {
                    one(share, now, can_be_revoked(share).then(|| take_back(vec![share.share.clone()])), *taking, &words)
                }) }
                if open.is_empty() { { close("close", "button primary wide") } } else {
                    <button class="button primary wide" onclick={take_back(open)} disabled={*taking}>{ words.say("revoke-all") }</button>
                    { close("later", "button wide") }
                }
            </>};
            (words.say("remove-done"), content)
        }
    };
    html! {
        <Sheet key={u8::from(offered.is_some())} {title} close={props.close.clone()}>
            <div class="stack">
                { content }
                if let Some(fault) = work.fault() { { fault_card(&words, &fault, Some(&remove).filter(|_| offered.is_none()), false) } }
            </div>
        </Sheet>
    }
}

/// Whether it isn't taken back already, as far as this phone can.
fn can_be_revoked(share: &Share) -> bool {
    share.state != ShareState::NotYetRevoked
}

fn one(share: &Share, now: u64, revoke: Option<Callback<MouseEvent>>, taking: bool, words: &Words) -> Html {
    html! {
        <div key={share.share.clone()} class="card">
            <div class="entry">{ share_lines(share, now, words) }</div>
            if let Some(revoke) = revoke {
                <div class="padded parted"><button class="button small" onclick={revoke} disabled={taking}>{ words.say("revoke") }</button></div>
            }
        </div>
    }
}
