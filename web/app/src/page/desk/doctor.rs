//! The reading desk, a doctor's or an insurer's: scan a patient's code, wait for the yes, read what was opened, close it.

use std::rc::Rc;

use suishen_bridge::{DeskRequest, DeskResponse, OfferState, OfferView, Reading, Request, Response, Topic};
use wasm_bindgen_futures::spawn_local;
use yew::{
    Callback, Html, Properties, UseStateHandle, classes, component, html, use_callback, use_effect_with,
    use_state,
};

use super::{
    ask::AskPatient,
    enrol::{EnrolPage, other_than_invite},
    frame::{DeskFrame, Section, opening, unopened},
    history::HistoryPage,
    hospital::read_desk,
    offer_list::OfferList,
    reading::ReadingView,
    settled::SettledPage,
};
use crate::{
    browser::{
        address::use_address,
        asking::{Asked, use_asked},
        engine::use_engine,
        language::use_words,
        timer::use_interval,
        work::{Work, use_work},
    },
    component::{ScanBox, Voice, empty, fault_card, glyph, progress_card, use_voice},
    page::UnknownPage,
    route::Route,
};

/// The name of an insurer's desk.
pub const INSURER: &str = "desk-insurer";

/// What it was opened with.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The desk's name, as a key.
    pub title: &'static str,
    /// A link whose fragment was taken. Secret.
    pub opened: Option<String>,
}

/// The offers of this desk.
pub fn read_offers(response: Response) -> Option<Vec<OfferView>> {
    match response {
        Response::Desk(DeskResponse::Offers(offers)) => Some(offers),
        _ => None,
    }
}

fn sections(title: &str) -> Vec<Section> {
    let read = (Route::History, "desk-read", "list-checks");
    if title == INSURER {
        return vec![(Route::Home, "claims", "receipt"), (Route::Settled, "desk-settled", "check"), read];
    }
    vec![(Route::Home, "desk-reception", "stethoscope"), read]
}

/// Draws it.
#[component]
pub fn ReadingDesk(props: &Props) -> Html {
    let (words, address) = (use_words(), use_address());
    let (desk, again) = use_asked((), &[], |()| Request::Desk(DeskRequest::Desk), read_desk);
    let title = words.say(props.title);
    let body = match &desk {
        Asked::Waiting => opening(&title, &words),
        Asked::Failed(fault) => unopened(&title, fault, &again, &words),
        Asked::Here(desk) if desk.is_none() => {
            return html! { <EnrolPage {title} opened={props.opened.clone()} done={again} /> };
        }
        Asked::Here(_) => match address.route {
            Route::Home | Route::Incoming => {
                html! { <Reception title={props.title} opened={other_than_invite(props.opened.as_ref())} /> }
            }
            Route::History => html! { <HistoryPage /> },
            Route::Settled if props.title == INSURER => html! { <SettledPage /> },
            _ => html! { <UnknownPage /> },
        },
    };
    let who = desk.here().cloned().flatten();
    html! { <DeskFrame {title} sections={sections(props.title)} desk={who}>{ body }</DeskFrame> }
}

/// An opened reading, compared by identity.
#[derive(Clone)]
pub struct Opened(pub Rc<Box<Reading>>);

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[component]
fn Reception(props: &Props) -> Html {
    let (words, work, engine, voice) = (use_words(), use_work(), use_engine(), use_voice());
    let chosen = use_state(|| None::<String>);
    let opened = use_state(|| None::<Opened>);
    // The code of a patient who waits to be asked. Secret.
    let asking = use_state(|| None::<String>);
    let (offers, again) = use_asked(
        (),
        &[Topic::Desk, Topic::Shares, Topic::Ledger],
        |()| Request::Desk(DeskRequest::Offers),
        read_offers,
    );
    let all: Vec<OfferView> = offers.here().cloned().unwrap_or_default();
    let current = chosen.as_ref().and_then(|share| all.iter().find(|offer| offer.share == *share)).cloned();
    let waiting = all.iter().any(|offer| offer.state == OfferState::Waiting);
    let refresh = use_callback((engine, again.clone()), |(), (engine, again)| {
        let (engine, again) = (engine.clone(), again.clone());
        spawn_local(async move {
            let _ = engine.ask(Request::Refresh).await;
            again.emit(());
        });
    });
    use_interval(if waiting { 2000 } else { 0 }, refresh);
    let accept = accepting(&work, &chosen, &opened, &asking, &again);
    use_effect_with(props.opened.clone(), {
        let accept = accept.clone();
        move |link: &Option<String>| {
            if let Some(link) = link {
                accept.emit(link.clone());
            }
        }
    });
    let choose = choosing(&work, &chosen, &opened);
    let given = {
        let (chosen, asking, again) = (chosen.setter(), asking.setter(), again.clone());
        Callback::from(move |share: String| {
            asking.set(None);
            chosen.set(Some(share));
            again.emit(());
        })
    };
    let turn_away = Callback::from({
        let asking = asking.setter();
        move |()| asking.set(None)
    });
    let choose = choose.reform({
        let turn_away = turn_away.clone();
        move |offer| {
            turn_away.emit(());
            offer
        }
    });
    let read = reading(&work, &opened, &again, voice, words.say("reading-opened"));
    let close = closing(&work, &chosen, &opened, &again);
    let decided = {
        let (opened, again) = (opened.setter(), again.clone());
        Callback::from(move |reading: Box<Reading>| {
            opened.set(Some(Opened(Rc::new(reading))));
            again.emit(());
        })
    };
    let notes = html! {<>
        if work.busy() { { progress_card(&words, work.progress()) } }
        if let Some(fault) = work.fault() { { fault_card(&words, &fault, None, true) } }
    </>};
    html! {
        <main class="desk-body read">
            <div class="side stack close">
                <button class={classes!("button", "wide", opened.is_none().then_some("primary"))} onclick={choose.reform(|_| None)}>{ glyph("scan") }{ words.say("desk-scan") }</button>
                if let Asked::Failed(fault) = &offers { { fault_card(&words, fault, Some(&again), true) } }
                <OfferList offers={all} chosen={(*chosen).clone()} choose={choose.reform(Some)} />
            </div>
            { match (current, (*opened).clone()) {
                (None, None) if asking.is_some() => html! {
                    <div class="main sheeted stack"><h1>{ words.say("ask-title") }</h1><AskPatient text={(*asking).clone().unwrap_or_default()} {given} close={turn_away} /></div>
                },
                (_, Some(reading)) => html! { <ReadingView {reading} {close} {decided} /> },
                (Some(offer), None) => html! { <div class="main sheeted stack"><h1 class="heard">{ words.say("desk-reception") }</h1>{ notes }{ waiting_room(&offer, &read, work.busy(), &words) }</div> },
                (None, None) => html! {
                    <div class="main sheeted stack">
                        <h1>{ words.say("desk-scan") }</h1>
                        <p class="quiet">{ words.say("desk-scan-text") }</p>
                        { notes }
                        <ScanBox found={accept} label={words.say("desk-scan-link")} />
                    </div>
                },
            } }
        </main>
    }
}

/// Brings in the offer of a scanned text, which is chosen then.
fn accepting(
    work: &Work,
    chosen: &UseStateHandle<Option<String>>,
    opened: &UseStateHandle<Option<Opened>>,
    asking: &UseStateHandle<Option<String>>,
    again: &Callback<()>,
) -> Callback<String> {
    let (work, chosen, again) = (work.clone(), chosen.setter(), again.clone());
    let (opened, asking) = (opened.setter(), asking.setter());
    Callback::from(move |text: String| {
        let (chosen, again) = (chosen.clone(), again.clone());
        let (opened, asking) = (opened.clone(), asking.clone());
        work.desk(DeskRequest::Accept { text: text.clone() }, move |response| {
            opened.set(None);
            match response {
                Response::Desk(DeskResponse::Offer(offer)) => {
                    chosen.set(Some(offer.share));
                    again.emit(());
                }
                Response::Desk(DeskResponse::Live) => asking.set(Some(text)),
                _ => {}
            }
        });
    })
}

/// Turns to an offer, with its reading where one is open; to scanning without one.
fn choosing(
    work: &Work,
    chosen: &UseStateHandle<Option<String>>,
    opened: &UseStateHandle<Option<Opened>>,
) -> Callback<Option<OfferView>> {
    let (work, chosen, opened) = (work.clone(), chosen.setter(), opened.setter());
    Callback::from(move |offer: Option<OfferView>| {
        work.clear();
        opened.set(None);
        chosen.set(offer.as_ref().map(|offer| offer.share.clone()));
        if let Some(offer) = offer.filter(|offer| offer.state == OfferState::Reading) {
            let opened = opened.clone();
            work.desk(DeskRequest::Reading { share: offer.share }, move |response| {
                if let Response::Desk(DeskResponse::Reading(reading)) = response {
                    opened.set(Some(Opened(Rc::new(reading))));
                }
            });
        }
    })
}

/// Uses one read of a share, and says so.
fn reading(
    work: &Work,
    opened: &UseStateHandle<Option<Opened>>,
    again: &Callback<()>,
    voice: Voice,
    said: String,
) -> Callback<String> {
    let (work, opened, again) = (work.clone(), opened.setter(), again.clone());
    Callback::from(move |share: String| {
        let (opened, again, voice, said) = (opened.clone(), again.clone(), voice.clone(), said.clone());
        work.desk(DeskRequest::Read { share }, move |response| {
            if let Response::Desk(DeskResponse::Reading(reading)) = response {
                voice.polite(said);
                opened.set(Some(Opened(Rc::new(reading))));
                again.emit(());
            }
        });
    })
}

/// Closes a reading: its content leaves this desk's memory.
fn closing(
    work: &Work,
    chosen: &UseStateHandle<Option<String>>,
    opened: &UseStateHandle<Option<Opened>>,
    again: &Callback<()>,
) -> Callback<String> {
    let (work, chosen, opened, again) = (work.clone(), chosen.setter(), opened.setter(), again.clone());
    Callback::from(move |share: String| {
        let (chosen, opened, again) = (chosen.clone(), opened.clone(), again.clone());
        work.desk(DeskRequest::Close { share }, move |_| {
            opened.set(None);
            chosen.set(None);
            again.emit(());
        });
    })
}

/// Between scanning and reading.
fn waiting_room(offer: &OfferView, read: &Callback<String>, busy: bool, words: &crate::words::Words) -> Html {
    let title = |key: &str, text: &str, button: Html| {
        html! { { empty(words.say(key), words.say(text), button) } }
    };
    match &offer.state {
        OfferState::Waiting => title("offer-waiting", "offer-waiting-text", Html::default()),
        OfferState::Ready | OfferState::Reading => {
            let share = offer.share.clone();
            let onclick = read.reform(move |_| share.clone());
            title(
                "offer-ready",
                "offer-ready-text",
                html! { <button class="button primary wide" {onclick} disabled={busy}>{ glyph("eye") }{ words.say("offer-read") }</button> },
            )
        }
        OfferState::Revoked => title("offer-revoked", "offer-revoked-text", Html::default()),
        OfferState::Exhausted => title("offer-exhausted", "offer-over-text", Html::default()),
        OfferState::Expired => title("offer-expired", "offer-over-text", Html::default()),
        OfferState::Refused(fault) => html! { { fault_card(words, fault, None, true) } },
    }
}
