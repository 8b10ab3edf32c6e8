//! A search by days finds what all times together show, in few steps, whatever the ledger's size; who lies in it is found
//! by the replay.

use super::*;
use proptest::prelude::*;

/// 2026-11-22 in China.
const TODAY: u64 = 20_779;

fn days(first: u64, last: u64) -> Days {
    Days::new(first, last, TODAY).unwrap()
}

/// Searches in a ledger of these times; how many bundles were asked for.
fn found(days: Days, times: &[u64]) -> (Result<Period, NoPeriod>, usize) {
    let now = times.last().copied().unwrap_or_default();
    let (mut search, mut asked) = (Search::new(days, times.len() as u64, now), 0);
    while let Some(wanted) = search.wanted() {
        asked += 1;
        let [from, to] = [wanted.start, wanted.end].map(|end| usize::try_from(end).unwrap());
        if let Err(why) = search.take(&times[from..to]) {
            return (Err(why), asked);
        }
    }
    (search.found(), asked)
}

fn check_all(period: &Period, times: &[u64]) -> Result<(), NoPeriod> {
    (0u64..).zip(times).try_for_each(|(entry, time)| period.check(At { entry, time: *time }))
}

proptest! {
    #[test]
    fn a_search_finds_what_all_times_together_show(
        steps in proptest::collection::vec(0u64..9000, 1..1500), first in 0u64..60, length in 0u64..20,
    ) {
        let mut time = clock::midnight(TODAY - 100);
        let times: Vec<u64> = steps.into_iter().map(|step| { time += step; time }).collect();
        let days = days(TODAY - 105 + first, TODAY - 105 + first + length);
        let within = |time: &&u64| days.first() <= clock::day(**time) && clock::day(**time) <= days.last();
        let (found, asked) = found(days, &times);
        prop_assert!(asked <= 8, "{asked} of {} entries", times.len());
        match found {
            Ok(period) => {
                let range = period.range();
                prop_assert_eq!(range.end - range.start, times.iter().filter(within).count() as u64);
                prop_assert_eq!(range.start, times.iter().filter(|time| clock::day(**time) < days.first()).count() as u64);
                prop_assert_eq!(check_all(&period, &times), Ok(()));
            }
            Err(why) => {
                prop_assert_eq!(why, NoPeriod::Empty(days));
                prop_assert_eq!(times.iter().filter(within).count(), 0);
            }
        }
    }

    #[test]
    fn whatever_is_shown_a_search_ends(shown in proptest::collection::vec(any::<u64>(), 700)) {
        let _ = found(days(TODAY - 3, TODAY), &shown);
        let mut sorted = shown;
        sorted.sort_unstable();
        let _ = found(days(TODAY - 3, TODAY), &sorted);
    }

    #[test]
    fn malicious_relay_that_moves_the_edges_of_a_period_is_found_by_the_replay(
        start in 0u64..40, end in 0u64..40,
    ) {
        // An entry every six hours over ten days; the days asked for are entries 12 to 23.
        let times: Vec<u64> = (0..40).map(|entry| clock::midnight(TODAY - 9) + entry * 6 * 3600).collect();
        let days = days(TODAY - 6, TODAY - 4);
        let honest = found(days, &times).0.unwrap();
        prop_assert_eq!(honest.range(), 12..24);
        // What it shows in the search makes these the period.
        let shown: Vec<u64> = (0..40).map(|entry| match entry {
            entry if entry < start => days.begins() - 1,
            entry if entry < end => days.begins(),
            _ => days.ends(),
        }).collect();
        let Ok(period) = found(days, &shown).0 else { return Ok(()) };
        let verdict = check_all(&period, &times);
        prop_assert_eq!(verdict.is_ok(), period.range() == honest.range(), "{:?}", period.range());
        if let Err(why) = verdict {
            prop_assert!(why.to_string().contains("was not this ledger"), "{why}");
        }
    }
}

#[test]
fn a_large_ledger_is_searched_in_few_steps() {
    // 40 million entries, one a second: nobody holds their times.
    let (size, begun) = (40_000_000, clock::midnight(TODAY - 400));
    let mut search = Search::new(days(TODAY - 200, TODAY - 100), size, begun + size);
    let mut asked = 0;
    while let Some(wanted) = search.wanted() {
        asked += 1;
        search.take(&wanted.map(|entry| begun + entry).collect::<Vec<_>>()).unwrap();
    }
    assert!(asked <= 40, "{asked}");
    assert_eq!(search.found().unwrap().range(), 200 * 86_400..301 * 86_400);
}

#[test]
fn days_that_are_no_period_are_told_apart() {
    assert_eq!(Days::new(5, 4, TODAY), Err(NoPeriod::Order(5, 4)));
    assert_eq!(Days::new(5, TODAY + 1, TODAY), Err(NoPeriod::Future(TODAY + 1, TODAY)));
    assert_eq!(Days::new(TODAY + 1, TODAY + 9, TODAY), Err(NoPeriod::Future(TODAY + 1, TODAY)));
    assert_eq!(
        NoPeriod::Future(TODAY + 1, TODAY).to_string(),
        "2026-11-23 has not begun, the ledger's day is 2026-11-22: name a day up to that"
    );
    assert_eq!(Days::this_quarter(TODAY).to_string(), "2026-10-01 – 2026-11-22");
    assert_eq!(Days::last_quarter(TODAY).to_string(), "2026-07-01 – 2026-09-30");
    let times = [clock::midnight(TODAY - 9), clock::midnight(TODAY) - 1, clock::midnight(TODAY)];
    assert_eq!(found(days(TODAY, TODAY), &times).0.unwrap().range(), 2..3);
    assert_eq!(found(days(TODAY - 1, TODAY - 1), &times).0.unwrap().range(), 1..2);
    let none = days(TODAY - 5, TODAY - 3);
    assert_eq!(found(none, &times).0, Err(NoPeriod::Empty(none)));
    // Times that descend, and fewer than were asked for, are no ledger's.
    assert_eq!(found(none, &[times[2], times[0]]).0, Err(NoPeriod::Unsound));
    let mut search = Search::new(none, 3, times[2]);
    assert_eq!(search.take(&times[..2]), Err(NoPeriod::Unsound));
    assert_eq!(search.found(), Err(NoPeriod::Unsound));
}

#[test]
fn what_comes_while_the_look_is_logged_may_be_of_the_last_day_and_what_was_held_back_may_not() {
    let noon = clock::midnight(TODAY) + 12 * 3600;
    let period = found(days(TODAY - 1, TODAY), &[noon - 86_400, noon]).0.unwrap();
    let check = |entry, time| period.check(At { entry, time });
    assert_eq!((period.range(), check(2, noon + 5)), (0..2, Ok(())));
    assert!(check(2, noon - 3600).is_err(), "the search's checkpoint was said to be newer");
    // Nothing of a day that is over may come later.
    let yesterday = found(days(TODAY - 1, TODAY - 1), &[noon - 86_400, noon]).0.unwrap();
    assert_eq!(yesterday.check(At { entry: 2, time: noon }), Ok(()));
    assert!(yesterday.check(At { entry: 2, time: noon - 86_400 }).is_err());
}
