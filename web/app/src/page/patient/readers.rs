//! Who read what: by person or by record, above and below the last time the person looked; a tick on the headline only
//! when this phone has proven the list whole against the ledger.

use std::rc::Rc;

use suishen_bridge::{
    Access, AccessLog, PatientRequest, PatientResponse, Request, Response, Share, ShareState, Topic,
};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, Html, Properties, component, html, use_effect_with, use_state};

use super::{log_row::LogRow, revoke_sheet::RevokeSheet, root::use_wallet, show::person, status::shares};
use crate::{
    browser::{
        asking::{Asked, use_asked},
        engine::{Engine, use_engine},
        language::use_words,
        ledger::{Known, use_ledger},
    },
    component::{BottomBar, Segments, Status, TopBar, empty, fault_card, person_seal, status_line},
    words::{Words, figure, rich},
};

fn read(response: Response) -> Option<AccessLog> {
    match response {
        Response::Patient(PatientResponse::Log(log)) => Some(log),
        _ => None,
    }
}

/// Notes that the list was seen.
fn look(engine: &Engine) {
    let engine = engine.clone();
    spawn_local(async move {
        let _ = engine.patient(PatientRequest::Looked).await;
    });
}

/// Draws it.
#[component]
pub fn ReadersPage() -> Html {
    let (words, wallet, ledger, engine) = (use_words(), use_wallet(), use_ledger(), use_engine());
    let by_record = use_state(|| false);
    let (log, again) =
        use_asked((), &[Topic::Log, Topic::Shares], |()| Request::Patient(PatientRequest::Log), read);
    let (given, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    // The tick is for a list that was checked while it is being looked at, not for one remembered.
    let checked = use_state(|| None::<bool>);
    use_effect_with(engine.clone(), {
        let checked = checked.setter();
        move |engine: &Engine| {
            let engine = engine.clone();
            spawn_local(async move { checked.set(Some(engine.ask(Request::Refresh).await.is_ok())) });
        }
    });
    // "Since you last looked" stands as it was when the page was opened; it starts anew for whoever has seen a checked list,
    // and again when the page is left.
    let since = use_state(|| None::<Option<u64>>);
    if let (None, Some(log)) = (*since, log.here()) {
        since.set(Some(log.last_looked));
    }
    use_effect_with((engine, since.is_some() && *checked == Some(true)), |(engine, seen)| {
        let (engine, seen) = (engine.clone(), *seen);
        if seen {
            look(&engine);
        }
        move || {
            if seen {
                look(&engine);
            }
        }
    });
    let choose = {
        let by_record = by_record.setter();
        Callback::from(move |chosen: usize| by_record.set(chosen == 1))
    };
    let shares: Vec<Share> = given.here().cloned().unwrap_or_default();
    html! {<>
        <div class="phone">
            <TopBar name={wallet.name.clone()} />
            <main class="stack">
                <div class="page-head"><h1>{ words.say("readers") }</h1></div>
                { match log {
                    Asked::Waiting => html! { <p class="quiet" role="status">{ words.say("readers-checking") }</p> },
                    Asked::Failed(fault) => html! { { fault_card(&words, &fault, Some(&again), false) } },
                    Asked::Here(log) => html! {<>
                        { headline(&log, *checked, &ledger, &words) }
                        <Segments label={words.say("readers-view")} names={vec![words.say("readers-by-person"), words.say("readers-by-record")]} chosen={usize::from(*by_record)} {choose} />
                        if log.accesses.is_empty() && ledger.is_broken() {
                            // What it doesn't show isn't known.
                        } else if log.accesses.is_empty() { { empty(words.say("readers-none"), words.say("readers-none-text"), Html::default()) } }
                        else { <Groups log={Held(log.clone())} looked={(*since).flatten()} by_record={*by_record} shares={shares} /> }
                    </>},
                } }
            </main>
        </div>
        <BottomBar />
    </>}
}

/// The headline: being checked, proven whole just now, as of a time, or broken.
fn headline(log: &AccessLog, checked: Option<bool>, ledger: &Known, words: &Words) -> Html {
    let at = log.as_of.map_or_else(|| "–".to_owned(), |at| words.time(at));
    if ledger.is_broken() {
        return html! { { status_line(Status::Alarm, words.say("readers-broken"), Some(words.say("readers-broken-more")), None, None) } };
    }
    if checked.is_none() {
        return html! { { status_line(Status::AsOf, words.say("readers-checking"), None, None, None) } };
    }
    if log.complete && checked == Some(true) {
        let more = words.with("readers-complete-more", &[("time", at.into())]);
        html! { { status_line(Status::Good, words.say("readers-complete"), Some(more), None, None) } }
    } else {
        let text = words.with("readers-as-of", &[("time", at.into())]);
        html! { { status_line(Status::AsOf, text, Some(words.say("readers-as-of-more")), None, None) } }
    }
}

#[derive(Clone)]
struct Held(Rc<AccessLog>);

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

#[derive(Properties, PartialEq)]
struct GroupsProps {
    log: Held,
    looked: Option<u64>,
    by_record: bool,
    shares: Vec<Share>,
}

/// A person's or a record's lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Whose: a name and what stands below it.
    pub title: String,
    /// Organisation, or nothing.
    pub below: String,
    /// Newest first.
    pub accesses: Vec<Access>,
}

/// Groups accesses, the group of the newest first.
pub fn groups(accesses: &[Access], by_record: bool) -> Vec<Group> {
    let mut groups: Vec<(String, Group)> = Vec::new();
    let mut add = |key: String, title: String, below: String, access: &Access| match groups
        .iter_mut()
        .find(|(known, _)| *known == key)
    {
        Some((_, group)) => group.accesses.push(access.clone()),
        None => groups.push((key, Group { title, below, accesses: vec![access.clone()] })),
    };
    for access in accesses {
        if by_record {
            for (record, title) in access.records.iter().zip(&access.titles) {
                add(record.clone(), title.clone(), String::new(), access);
            }
        } else {
            let key = format!("{}\n{}\n{}", access.name, access.title, access.organisation);
            let title = if access.title.is_empty() {
                access.name.clone()
            } else {
                format!("{} · {}", access.name, access.title)
            };
            add(key, title, access.organisation.clone(), access);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[component]
fn Groups(props: &GroupsProps) -> Html {
    let (words, wallet) = (use_words(), use_wallet());
    let revoking = use_state(|| None::<Share>);
    let log = &props.log.0;
    // Only who may share takes back.
    let shares: &[Share] = if wallet.may_share() { &props.shares } else { &[] };
    let looked = props.looked.unwrap_or_default();
    let (new, old): (Vec<Access>, Vec<Access>) =
        log.accesses.iter().cloned().partition(|access| access.at > looked);
    let revoke = {
        let revoking = revoking.setter();
        Callback::from(move |share: Share| revoking.set(Some(share)))
    };
    let draw = |accesses: &[Access]| -> Html {
        groups(accesses, props.by_record)
            .into_iter()
            .map(|group| card(&group, log.complete, props.by_record, shares, &revoke, &words))
            .collect()
    };
    html! {<>
        { draw(&new) }
        if !new.is_empty() && !old.is_empty() { <p class="divider">{ words.say("readers-since") }</p> }
        if new.is_empty() { <p class="divider">{ words.say("status-nobody-short") }</p> }
        { draw(&old) }
        if let Some(share) = revoking.as_ref() {
            <RevokeSheet share={share.share.clone()} name={person(&share.state)} records={share.titles.len()}
                close={Callback::from({ let revoking = revoking.setter(); move |()| revoking.set(None) })} />
        }
    </>}
}

fn card(
    group: &Group,
    complete: bool,
    by_record: bool,
    shares: &[Share],
    revoke: &Callback<Share>,
    words: &Words,
) -> Html {
    let open: Vec<&Share> = if by_record {
        Vec::new()
    } else {
        shares
            .iter()
            .filter(|share| {
                matches!(share.state, ShareState::Open { .. })
                    && group.accesses.iter().any(|access| access.share == share.share)
            })
            .collect()
    };
    html! {
        <section class="card">
            <div class="entry">
                if !by_record { { person_seal(&group.title, Some("soft")) } }
                <div class="grow"><h2 class="name plain-size">{ &group.title }</h2><p class="quiet">{ &group.below }</p></div>
            </div>
            { for group.accesses.iter().map(|access| html! {
                <LogRow key={format!("{}-{}-{}", access.share, access.read, access.at)} access={access.clone()} {complete} named={by_record} />
            }) }
            { for open.into_iter().map(|share| html! { <Left share={share.clone()} revoke={revoke.clone()} words={words.clone()} /> }) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LeftProps {
    share: Share,
    revoke: Callback<Share>,
    words: Words,
}

/// What is left, and taking it back, on the person's own card.
#[component]
fn Left(props: &LeftProps) -> Html {
    let ledger = use_ledger();
    let share = props.share.clone();
    let left = props.words.with(
        "readers-left",
        &[
            ("reads", figure(share.reads_left)),
            ("when", props.words.when(share.until, ledger.now_or_start()).into()),
        ],
    );
    html! {
        <div class="row wrap padded parted">
            <span class="grow quiet">{ rich(&left) }</span>
            <button class="button small" onclick={props.revoke.reform(move |_| share.clone())}>{ props.words.say("revoke") }</button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use suishen_bridge::{AccessOutcome, Purpose};

    use super::*;

    fn access(name: &str, at: u64, records: &[&str]) -> Access {
        Access {
            share: "s".to_owned(),
            read: 1,
            outcome: AccessOutcome::Read,
            at,
            name: name.to_owned(),
            title: String::new(),
            organisation: "安澜市人民医院".to_owned(),
            titles: records.iter().map(|record| format!("title {record}")).collect(),
            records: records.iter().map(|record| (*record).to_owned()).collect(),
            purpose: Purpose::Treatment,
            entry: Some(1),
            by: None,
        }
    }

    #[test]
    fn by_person_each_read_stands_once_and_by_record_under_each_record() {
        let log = [access("李", 3, &["a", "b"]), access("赵", 2, &["a"]), access("李", 1, &["c"])];
        let people = groups(&log, false);
        assert_eq!(people.iter().map(|group| group.accesses.len()).collect::<Vec<_>>(), [2, 1]);
        let records = groups(&log, true);
        assert_eq!(
            records.iter().map(|group| (group.title.as_str(), group.accesses.len())).collect::<Vec<_>>(),
            [("title a", 2), ("title b", 1), ("title c", 1)]
        );
    }
}
