//! Whether this device has what the wallet's other copies have, in words. Never more than is known: "the same" is said
//! with whom and since when, and what stands on this device only is counted.

use suishen_bridge::{
    Counterpart, PatientRequest, PatientResponse, Request, Response, Sync, SyncState, Topic,
};
use yew::hook;

use crate::{
    browser::asking::use_asked,
    component::{Status, fault_sentence},
    words::{Words, figure},
};

/// What is said in one place: how pressing it is, the line, a second and quieter one.
type Said = (Status, String, Option<String>);

fn read(response: Response) -> Option<Sync> {
    match response {
        Response::Patient(PatientResponse::Sync(sync)) => Some(sync),
        _ => None,
    }
}

/// How it stands, followed as it changes; none before it is known.
#[hook]
pub fn use_sync() -> Option<Sync> {
    let (sync, _) = use_asked((), &[Topic::Devices], |()| Request::Patient(PatientRequest::Sync), read);
    sync.here().cloned()
}

/// Put together: what waits is said before what is well.
pub fn standing(words: &Words, sync: &Sync, now: u64) -> Said {
    let several = sync.with.iter().filter(|one| one.mailbox).count() > 1;
    let named =
        |fits: fn(&SyncState) -> bool| names(words, sync.with.iter().filter(|one| fits(&one.state)), several);
    let level = named(|state| matches!(state, SyncState::Level { .. }));
    let away = named(|state| matches!(state, SyncState::Away { .. }));
    let told = |key: &str, names: &str| words.with(key, &[("names", names.into())]);
    let first =
        sync.with.iter().find(|one| matches!(one.state, SyncState::Busy { .. })).or(sync.with.first());
    if sync.removed {
        (Status::Caution("prohibit"), words.say("sync-removed"), Some(words.say("sync-removed-text")))
    } else if sync.kept_back {
        (Status::Alarm, words.say("sync-kept-back"), Some(words.say("sync-kept-back-text")))
    } else if sync.waiting > 0 {
        let why = if away.is_empty() {
            first.map(|one| state(words, &one.state, now)).filter(|_| level.is_empty())
        } else {
            Some(told("sync-unreached-waiting", &away))
        };
        (Status::Quiet("hourglass-medium"), words.count("sync-waiting", sync.waiting), why)
    } else if !level.is_empty() {
        let since = sync.with.iter().filter_map(|one| match one.state {
            SyncState::Level { since } => Some(since),
            _ => None,
        });
        let more = if away.is_empty() {
            words.with("sync-since", &[("when", words.when(since.max().unwrap_or_default(), now).into())])
        } else {
            told("sync-unreached", &away)
        };
        (Status::Quiet("check"), told("sync-same", &level), Some(more))
    } else if let Some(first) = first {
        (Status::Quiet("hourglass-medium"), name(words, first), Some(state(words, &first.state, now)))
    } else {
        (Status::Quiet("device-mobile"), words.say("sync-nowhere"), None)
    }
}

/// How one of them stands.
pub fn state(words: &Words, state: &SyncState, now: u64) -> String {
    let at = |key: &str, time: u64| words.with(key, &[("when", words.when(time, now).into())]);
    match state {
        SyncState::Off => words.say("sync-off"),
        SyncState::Busy { total: 0, .. } => words.say("sync-busy"),
        SyncState::Busy { done, total } => {
            words.with("sync-busy-of", &[("done", figure(*done)), ("total", figure(*total))])
        }
        SyncState::Level { since } => at("sync-level", *since),
        SyncState::Away { last: Some(last) } => at("sync-last", *last),
        SyncState::Away { last: None } => words.say("sync-never"),
        SyncState::Refused(fault) => fault_sentence(words, fault),
    }
}

/// What it is called: a mailbox by its host.
pub fn name(words: &Words, one: &Counterpart) -> String {
    match (one.mailbox, one.name.is_empty()) {
        (true, _) => words.with("sync-mailbox-at", &[("host", one.name.as_str().into())]),
        (false, true) => words.say("device-unnamed"),
        (false, false) => one.name.clone(),
    }
}

/// All of them in a sentence; the mailbox needs a name only where there are `several`.
fn names<'a>(words: &Words, of: impl Iterator<Item = &'a Counterpart>, several: bool) -> String {
    let called = |one: &Counterpart| {
        if one.mailbox && !several { words.say("sync-mailbox") } else { name(words, one) }
    };
    let mut names: Vec<String> = of.map(called).collect();
    names.dedup();
    words.list(&names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    const NOW: u64 = 1_794_463_331;

    fn said(waiting: u32, with: &[(&str, bool, SyncState)]) -> (String, String) {
        let with = with
            .iter()
            .map(|(name, mailbox, state)| Counterpart {
                name: (*name).to_owned(),
                mailbox: *mailbox,
                state: state.clone(),
            })
            .collect();
        let (_, line, more) =
            standing(&Words::new(Language::Chinese, 480), &Sync { with, waiting, ..Sync::default() }, NOW);
        (line, more.unwrap_or_default())
    }

    #[test]
    fn the_same_is_said_with_whom_and_since_when() {
        let level = |since| SyncState::Level { since };
        let both = [("a.cn", true, level(NOW - 900)), ("平板", false, level(NOW - 1800))];
        assert_eq!(said(0, &both), ("和信箱、平板一样".to_owned(), "从今天 13:47 起".to_owned()));
        let one = [("a.cn", true, level(NOW)), ("平板", false, SyncState::Away { last: Some(NOW) })];
        assert_eq!(said(0, &one), ("和信箱一样".to_owned(), "连不上平板".to_owned()));
        let busy = [("a.cn", true, SyncState::Busy { done: 3, total: 9 })];
        assert_eq!(said(0, &busy), ("信箱 a.cn".to_owned(), "正在核对，3 / 9".to_owned()));
        assert_eq!(said(0, &[]), ("只在这部手机里".to_owned(), String::new()));
    }

    #[test]
    fn what_waits_is_counted_and_told_why() {
        let waits = "3 处改动还只在这部手机里".to_owned();
        let away = [("a.cn", true, SyncState::Away { last: None })];
        assert_eq!(said(3, &away), (waits.clone(), "连不上信箱，改动等着".to_owned()));
        let off = [("a.cn", true, SyncState::Off)];
        assert_eq!(said(3, &off), (waits.clone(), "还没有开始，先给钱包上锁".to_owned()));
        assert_eq!(said(3, &[]), (waits, String::new()));
    }

    #[test]
    fn a_removed_device_says_only_that() {
        let sync = Sync { waiting: 2, removed: true, kept_back: true, ..Sync::default() };
        let (status, line, _) = standing(&Words::new(Language::Chinese, 480), &sync, NOW);
        assert_eq!((status, line.as_str()), (Status::Caution("prohibit"), "这部设备已被移出钱包"));
    }

    #[test]
    fn what_is_kept_back_is_an_alarm_above_all_that_waits() {
        let sync = Sync { waiting: 2, kept_back: true, ..Sync::default() };
        let (status, line, _) = standing(&Words::new(Language::Chinese, 480), &sync, NOW);
        assert_eq!((status, line.as_str()), (Status::Alarm, "信箱给的是旧的一份"));
    }
}
