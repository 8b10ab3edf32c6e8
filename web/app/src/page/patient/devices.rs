//! The wallet's devices: which there are and what they may do, where the wallet is kept and whether it is the same
//! there.

use suishen_bridge::{Device, DeviceRole, PatientRequest, PatientResponse, Request, Response, Sync, Topic};
use yew::{Callback, Html, UseStateHandle, classes, component, html, use_state};

use super::{
    add_sheet::AddSheet,
    remove_sheet::RemoveSheet,
    root::use_wallet,
    sync::{self, standing, use_sync},
};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        language::use_words,
        ledger::use_ledger,
        work::{Work, use_work},
    },
    component::{LinkTo, back_bar, empty, fault_card, glyph, status_line},
    route::Route,
    words::Words,
};

fn read(response: Response) -> Option<Vec<Device>> {
    match response {
        Response::Patient(PatientResponse::Devices(devices)) => Some(devices),
        _ => None,
    }
}

/// Draws them.
#[component]
pub fn DevicesPage() -> Html {
    let (words, wallet, now, sync) = (use_words(), use_wallet(), use_ledger().now_or_start(), use_sync());
    let (devices, again) =
        use_asked((), &[Topic::Devices], |()| Request::Patient(PatientRequest::Devices), read);
    let work = use_work();
    let adding = use_state(|| false);
    let removing = use_state(|| None::<Device>);
    let add = |on: bool| {
        let adding = adding.setter();
        Callback::from(move |()| adding.set(on))
    };
    let removed = sync.as_ref().is_some_and(|sync| sync.removed);
    let title = wallet.of.as_ref().map_or_else(
        || words.say("devices"),
        |of| words.with("devices-of", &[("name", of.name.as_str().into())]),
    );
    html! {
        <div class="phone bare">
            { back_bar(&words, Route::Settings, String::new(), Html::default()) }
            <main class="stack">
                <h1>{ title }</h1>
                if let Some(sync) = &sync { { whole(sync, now, &words) } }
                { match &devices {
                    Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("opening") }</p> },
                    Asked::Failed(fault) => html! { { fault_card(&words, fault, Some(&again), false) } },
                    Asked::Here(devices) => list(devices, now, &removing, &words),
                } }
                if let Some(sync) = sync.filter(|sync| !sync.removed && !sync.with.is_empty()) { { copies(&sync, now, &work, &words) } }
                if removed {} else if !wallet.protected {
                    { empty(words.say("show-protect-title"), words.say("devices-protect"), html! { <>
                        <LinkTo to={Route::Protect} class="button primary wide">{ glyph("lock-simple") }{ words.say("action-protect") }</LinkTo>
                    </> }) }
                } else if devices.here().is_some_and(|devices| manages(devices)) {
                    <div class="push"><button class="button primary wide" onclick={add(true).reform(|_| ())}>{ glyph("plus") }{ words.say("devices-add") }</button></div>
                } else if devices.here().is_some() {
                    <p class="quiet">{ words.say("devices-other") }</p>
                }
            </main>
            if *adding { <AddSheet close={add(false)} /> }
            if let Some(device) = removing.as_ref() {
                <RemoveSheet device={device.device.clone()} name={name(device, &words)} close={Callback::from({ let removing = removing.setter(); move |()| removing.set(None) })} />
            }
        </div>
    }
}

/// How it stands in one line.
fn whole(sync: &Sync, now: u64, words: &Words) -> Html {
    let (status, line, more) = standing(words, sync, now);
    html! { { status_line(status, line, more, None, None) } }
}

/// Whether this device may add and remove others.
fn manages(devices: &[Device]) -> bool {
    devices.iter().any(|device| device.this && device.role == DeviceRole::Manage && device.removed.is_none())
}

/// What a device is called.
fn name(device: &Device, words: &Words) -> String {
    match device.name.as_str() {
        "" => words.say("device-unnamed"),
        name => name.to_owned(),
    }
}

fn list(devices: &[Device], now: u64, removing: &UseStateHandle<Option<Device>>, words: &Words) -> Html {
    let manages = manages(devices);
    let row = |device: &Device| {
        let (when, key) = device.removed.map_or((device.since, "device-since"), |at| (at, "device-past"));
        let content = html! {<>
            <span class="lead narrow">{ glyph(if device.person { "user" } else { "device-mobile" }) }</span>
            <span class="grow">
                <span class="line name">{ name(device, words) }
                    if device.this { { " " }<span class="tag new">{ words.say("device-this") }</span> }
                </span>
                if device.removed.is_none() { <span class="line quiet">{ words.say(role_key(device.role)) }</span> }
                if when > 0 { <span class="line quiet">{ words.with(key, &[("when", words.date(when, now).into())]) }</span> }
            </span>
        </>};
        if manages && !device.this && device.removed.is_none() {
            let (removing, chosen) = (removing.setter(), device.clone());
            let onclick = Callback::from(move |_| removing.set(Some(chosen.clone())));
            html! { <button key={device.device.clone()} class="entry parted" {onclick}>{ content }{ glyph("caret-right-bold") }</button> }
        } else {
            let class = classes!("entry", "parted", device.removed.map(|_| "past"));
            html! { <div key={device.device.clone()} {class}>{ content }</div> }
        }
    };
    let (gone, here): (Vec<_>, Vec<_>) = devices.iter().partition(|device| device.removed.is_some());
    let (people, here): (Vec<_>, Vec<_>) = here.into_iter().partition(|device| device.person && !device.this);
    html! {<>
        <section class="card" aria-label={words.say("devices")}>{ for here.into_iter().map(row) }</section>
        if !people.is_empty() {
            <section class="stack close">
                <h2>{ words.say("devices-people") }</h2>
                <div class="card">{ for people.into_iter().map(row) }</div>
            </section>
        }
        if !gone.is_empty() {
            <section class="stack close">
                <h2>{ words.say("devices-past") }</h2>
                <div class="card">{ for gone.into_iter().map(row) }</div>
            </section>
        }
    </>}
}

fn role_key(role: DeviceRole) -> &'static str {
    match role {
        DeviceRole::View => "device-view",
        DeviceRole::Share => "device-share",
        DeviceRole::Manage => "device-manage",
    }
}

/// Where else the wallet is kept, and how each of them stands.
fn copies(sync: &Sync, now: u64, work: &Work, words: &Words) -> Html {
    let compare = {
        let work = work.clone();
        Callback::from(move |()| work.patient(PatientRequest::SyncNow, |_| ()))
    };
    html! {
        <section class="stack close">
            <h2>{ words.say("sync-title") }</h2>
            <div class="card">
                { for sync.with.iter().map(|one| html! {
                    <div class="entry parted">
                        <span class="lead narrow">{ glyph(if one.mailbox { "globe-simple" } else { "device-mobile" }) }</span>
                        <span class="grow"><span class="line name">{ sync::name(words, one) }</span><span class="line quiet">{ sync::state(words, &one.state, now) }</span></span>
                    </div>
                }) }
            </div>
            <button class="button small" onclick={compare.reform(|_| ())} disabled={work.busy()}>{ glyph("repeat") }{ words.say("sync-now") }</button>
            if let Some(fault) = work.fault() { { fault_card(words, &fault, Some(&compare), false) } }
        </section>
    }
}
