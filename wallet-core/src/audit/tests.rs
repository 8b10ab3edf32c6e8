//! What is unusual is unusual by the thresholds that were said, and by nothing else, in whatever order people read. Boxes
//! are opened in `tests/flow/audit.rs`, out of a whole story.

use super::clock::{self, DAY};
use super::unusual::Watch;
use super::*;
use crate::contract::{Kind, Role};
use crate::id::{GrantId, HolderId, PartyId};
use crate::report::Sensitivity;
use crate::sm::{Digest, SecretKey};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Midnight in China.
const MIDNIGHT: u64 = 1_795_276_800;

static KEYS: LazyLock<Vec<crate::sm::PublicKey>> =
    LazyLock::new(|| (1..=5).map(|n| SecretKey::from_bytes(&[n; 32]).unwrap().public()).collect());

/// A read by the person of this number; the last of them is a server.
fn read(entry: u64, time: u64, person: usize) -> Read {
    let who = Professional {
        key: KEYS[person],
        name: format!("person {person}"),
        unit: String::new(),
        title: String::new(),
        server: person == 4,
    };
    let consent = Consent { purpose: "TREAT".into(), holder: HolderId::from_bytes([1; 32]) };
    Read {
        at: At { entry, time },
        grant: GrantId::from_bytes(*Digest::of(&entry.to_be_bytes()).as_bytes()),
        number: 1,
        kind: Kind::Read,
        role: if person == 3 { Role::Pharmacist } else { Role::Physician },
        party: PartyId::new("CLINIC1").unwrap(),
        by: Told::Opened(who),
        consent: Told::Opened(consent),
        classes: vec![Sensitivity::Ordinary],
        records: 2,
    }
}

fn watched(reads: &[Read], thresholds: Thresholds) -> Vec<(u64, Wrong)> {
    let mut watch = Watch::new(thresholds);
    let signer = Signer::default();
    let mut found: Vec<_> = reads.iter().flat_map(|read| watch.take(read, &signer)).collect();
    found.extend(watch.end());
    let mut found: Vec<_> = found.into_iter().map(|finding| (finding.at.entry, finding.what)).collect();
    found.sort_by_key(|(entry, wrong)| (*entry, wrong.name()));
    found
}

/// The same from all reads at once.
fn naive(reads: &[Read], thresholds: Thresholds) -> Vec<(u64, Wrong)> {
    let person = |read: &Read| read.by.opened().unwrap().key;
    let mut windows = BTreeMap::<_, Vec<&Read>>::new();
    let mut nights = BTreeMap::<_, Vec<&Read>>::new();
    for read in reads {
        let day = clock::day(read.at.time);
        windows.entry((day, read.role, person(read))).or_default().push(read);
        let asleep = thresholds.is_night(read.at.time) && !read.by.opened().unwrap().server;
        if asleep {
            nights.entry((clock::night(read.at.time), person(read))).or_default().push(read);
        }
    }
    let mut found = Vec::new();
    for ((day, role, who), own) in &windows {
        let others = windows.iter().filter(|((d, r, w), _)| (d, r) == (day, role) && w != who);
        let mut others: Vec<u64> = others.map(|(_, reads)| reads.len() as u64).collect();
        others.sort_unstable();
        let peers = others.get(others.len() / 2).copied();
        let reads = own.len() as u64;
        if reads >= thresholds.many && peers.is_none_or(|peers| reads >= peers * thresholds.times) {
            found.push((own.last().unwrap().at.entry, Wrong::ManyReads { reads, peers }));
        }
    }
    for own in nights.values().filter(|own| own.len() as u64 >= thresholds.night_reads) {
        found.push((own.last().unwrap().at.entry, Wrong::NightReads { reads: own.len() as u64 }));
    }
    found.sort_by_key(|(entry, wrong)| (*entry, wrong.name()));
    found
}

proptest! {
    #[test]
    fn what_is_found_on_the_way_is_what_all_reads_together_show(
        steps in proptest::collection::vec((0u64..4 * 3600, 0usize..5), 1..120),
        many in 2u64..8, times in 1u64..4, night_reads in 1u64..4,
    ) {
        let thresholds = Thresholds { many, times, night_reads, ..Thresholds::default() };
        let mut time = MIDNIGHT;
        let mut reads = Vec::new();
        for (entry, (step, person)) in (1u64..).zip(steps) {
            time += step;
            reads.push(read(entry, time, person));
        }
        prop_assert_eq!(watched(&reads, thresholds), naive(&reads, thresholds));
    }

    #[test]
    fn tables_add_up(steps in proptest::collection::vec((0u64..40 * 3600, 0usize..5), 0..80)) {
        let mut tables = Tables::default();
        let thresholds = Thresholds::default();
        let mut time = MIDNIGHT;
        let count = steps.len() as u64;
        for (entry, (step, person)) in (1u64..).zip(steps) {
            time += step;
            tables.count(&Row::Read(read(entry, time, person)), &thresholds);
        }
        prop_assert_eq!(tables.reads, count);
        prop_assert_eq!(tables.hours.iter().sum::<u64>(), count);
        prop_assert_eq!(tables.months.values().sum::<u64>(), count);
        // Whoever adds up a month's people has its organisations.
        for ((month, party), reads) in &tables.months {
            let people = tables.people.iter().filter(|((m, p, _), _)| (m, p) == (month, party));
            prop_assert_eq!(people.map(|(_, counted)| counted.reads).sum::<u64>(), *reads);
        }
        for ((party, key), reader) in &tables.readers {
            let months = || tables.people.iter().filter(|((_, p, k), _)| (p, k.as_ref()) == (party, Some(key)));
            let sum = |of: fn(&Counted) -> u64| months().map(|(_, counted)| of(counted)).sum::<u64>();
            prop_assert_eq!(sum(|it| it.reads), reader.reads);
            prop_assert_eq!(sum(|it| it.records), reader.records);
            prop_assert_eq!(sum(|it| it.night), reader.night);
            prop_assert_eq!(months().next_back().map(|(_, it)| it.last), Some(reader.last));
        }
        prop_assert_eq!(tables.purposes.values().sum::<u64>(), count);
        prop_assert_eq!(tables.classes.values().sum::<u64>(), count);
        prop_assert_eq!(tables.readers.values().map(|reader| reader.reads).sum::<u64>(), count);
        let institutions = tables.institutions.values();
        prop_assert_eq!(institutions.map(|it| (it.reads, it.records)).sum_pairs(), (count, 2 * count));
        let night: u64 = tables.hours.iter().enumerate().filter(|(h, _)| *h >= 23 || *h < 6).map(|(_, n)| n).sum();
        prop_assert_eq!(tables.readers.values().map(|reader| reader.night).sum::<u64>(), night);
    }
}

trait SumPairs {
    fn sum_pairs(self) -> (u64, u64);
}

impl<I: Iterator<Item = (u64, u64)>> SumPairs for I {
    fn sum_pairs(self) -> (u64, u64) {
        self.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }
}

#[test]
fn a_months_sheet_has_a_line_for_each_person_and_one_for_whom_nothing_names() {
    use super::report::{Language, csv};
    let (mut tables, noon) = (Tables::default(), MIDNIGHT + DAY / 2);
    let mut nameless = read(4, noon + 10 * DAY, 0);
    nameless.by = Told::Wrong;
    for read in [
        read(1, noon, 0),
        read(2, MIDNIGHT + DAY, 0),
        read(3, noon, 1),
        nameless,
        read(5, noon + 10 * DAY, 1),
    ] {
        tables.count(&Row::Read(read), &Thresholds::default());
    }
    let lines: Vec<String> = csv::months(&tables, Language::English).collect();
    let line = |month: &str, name: &str, counts: &str| {
        let found =
            lines.iter().filter(|line| line.starts_with(&format!("\"{month}\",\"CLINIC1\",\"{name}\",")));
        assert_eq!(
            found.filter(|line| line.ends_with(&format!("{counts}\r\n"))).count(),
            1,
            "{month} {name} {lines:?}"
        );
    };
    assert_eq!(lines.len(), 4);
    line("2026-11", "person 0", "\"physician\",\"2\",\"4\",\"1\"");
    line("2026-11", "person 1", "\"physician\",\"1\",\"2\",\"0\"");
    line("2026-12", "person 1", "\"physician\",\"1\",\"2\",\"0\"");
    line("2026-12", "", "\"\",\"\",\"1\",\"2\",\"0\"");
    let head = csv::Sheet::Months.begin();
    assert_eq!(head.split(',').count(), lines[0].split(',').count());
}

#[test]
fn one_who_reads_as_much_as_the_others_is_not_unusual() {
    let thresholds = Thresholds { many: 4, times: 3, ..Thresholds::default() };
    let noon = MIDNIGHT + DAY / 2;
    let reads = |counts: &[(usize, u64)]| {
        let each = counts.iter().flat_map(|(person, count)| (0..*count).map(|_| *person));
        (1u64..).zip(each).map(|(entry, person)| read(entry, noon, person)).collect::<Vec<_>>()
    };
    assert_eq!(watched(&reads(&[(0, 5), (1, 5), (2, 5)]), thresholds), []);
    let found = watched(&reads(&[(0, 15), (1, 5), (2, 4)]), thresholds);
    assert_eq!(found, [(15, Wrong::ManyReads { reads: 15, peers: Some(5) })]);
    // A pharmacist is no physician's peer.
    let found = watched(&reads(&[(0, 4), (3, 3)]), thresholds);
    assert_eq!(found, [(4, Wrong::ManyReads { reads: 4, peers: None })]);
    // The next day is another.
    let mut two_days = reads(&[(0, 3)]);
    two_days.push(read(4, noon + DAY, 0));
    assert_eq!(watched(&two_days, thresholds), []);
}

#[test]
fn a_server_works_at_night_and_a_person_is_named() {
    let thresholds = Thresholds { night_reads: 2, ..Thresholds::default() };
    let (evening, morning) = (MIDNIGHT - 1800, MIDNIGHT + 5 * 3600);
    let reads = |person| [read(1, evening, person), read(2, morning, person)];
    assert_eq!(watched(&reads(0), thresholds), [(2, Wrong::NightReads { reads: 2 })]);
    assert_eq!(watched(&reads(4), thresholds), []);
    assert!(!thresholds.is_night(MIDNIGHT + 6 * 3600) && !thresholds.is_night(MIDNIGHT + 22 * 3600));
}

#[test]
fn a_signed_list_of_files_tells_same_from_changed_and_takes_plain_names_only() {
    let file = |name: &str, bytes: &[u8]| ReportFile { name: name.into(), digest: Digest::of(bytes) };
    let statement = |files| AuditStatement {
        ledger: crate::id::LedgerId::from_bytes([1; 32]),
        size: 2,
        tree: Digest::of(b"t"),
        map: Digest::of(b"m"),
        time: 3,
        look: 1,
        files,
    };
    let sound = statement(vec![file("a.csv", b"a"), file("b.html", b"b")]);
    assert!(sound.is_sound());
    let verdicts = [("a.csv", b"a"), ("a.csv", b"b"), ("c.csv", b"a")].map(|(n, b)| sound.verdict(n, b));
    assert_eq!(verdicts, [FileVerdict::Same, FileVerdict::Changed, FileVerdict::Unknown]);
    for name in ["", "..", "a/b", "a\\b", "a\0"] {
        assert!(!statement(vec![file(name, b"")]).is_sound(), "{name:?}");
    }
    assert!(!statement(vec![file("b", b""), file("a", b"")]).is_sound());
    assert!(!statement(vec![file("a", b""), file("a", b"")]).is_sound());
}
