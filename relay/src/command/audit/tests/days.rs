//! An audit of some days: their entries are found, the replay finds out who lied about them, the report names them.

use super::*;
use suishen_core::{audit::clock, contract::Entry, proof::tile::decode_entries};

const DAY: u64 = clock::DAY;

/// Reads on three days: two on the first, one on the fourth, three on the sixth, and a look on the last.
fn days() -> (World, u64) {
    let mut world = World::new();
    let first = clock::day(world.now);
    let desk = world.desk("李文");
    world.reads(&desk, "TREAT", 2);
    world.now += 3 * DAY;
    let desk = world.desk("周岚");
    world.reads(&desk, "TREAT", 1);
    world.now += 2 * DAY;
    let desk = world.desk("王一");
    world.reads(&desk, "COC", 3);
    world.now += DAY;
    world.looks();
    (world, first)
}

fn found(world: &World, first: u64, last: u64) -> Period {
    find(&mut Source::folder(world.dir.path()), (Some(first), Some(last))).unwrap().unwrap()
}

/// Entries as a copy holds them.
fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let length = |entry: &Vec<u8>| u16::try_from(entry.len()).unwrap().to_be_bytes();
    entries.iter().flat_map(|entry| [&length(entry)[..], entry].concat()).collect()
}

/// Passes with the auditor's keys over the entries of a period.
fn passed_over(world: &World, period: &Period) -> Result<(Passed, Vec<Row>), String> {
    let keys = keys::boxes(&world.auditor_folder()).unwrap();
    let plan = Plan { keys, range: period.range(), period: Some(period.clone()), ..Plan::default() };
    let mut rows = Vec::new();
    let mut source = Source::folder(world.dir.path());
    let passed = pass(&mut source, &plan, &Progress::new("entries"), &mut |taken, _| {
        rows.extend(taken.row);
        Ok(())
    });
    passed.unwrap().map(|passed| (passed, rows))
}

#[test]
fn the_entries_of_some_days_are_found_and_nothing_beyond_is_opened() {
    let (world, first) = days();
    let names = |from: u64, to: u64| {
        let (passed, rows) = passed_over(&world, &found(&world, first + from, first + to)).unwrap();
        let names: Vec<_> = reads(&rows).iter().map(|read| read.by.opened().unwrap().name.clone()).collect();
        assert_eq!(passed.tables.people.values().map(|it| it.reads).sum::<u64>(), names.len() as u64);
        names
    };
    assert_eq!(names(0, 0), ["李文", "李文"]);
    assert_eq!(names(3, 3), ["周岚"]);
    assert_eq!(names(1, 5), ["周岚", "王一", "王一", "王一"]);
    assert_eq!(names(0, 6).len(), 6);
    assert_eq!(names(6, 6), Vec::<String>::new());
    // Without an end it is from the founding to the last day.
    let whole = find(&mut Source::folder(world.dir.path()), (None, None)).unwrap().unwrap();
    assert_eq!(whole, found(&world, first, first + 6));
}

#[test]
fn a_period_that_is_none_is_refused_with_a_sentence_before_a_file_is_written() {
    let (world, first) = days();
    let out = tempfile::tempdir().unwrap();
    let refused = |from: Option<u64>, to: Option<u64>| {
        let csv = Some(out.path().join("csv"));
        let (from, to) = (from.map(End::Day), to.map(End::Day));
        let audit = Audit { from, to, csv, ..Audit::default() };
        let why = run(&place(world.dir.path()), &audit).unwrap_err().to_string();
        assert!(!out.path().join("csv").exists());
        why
    };
    let empty = refused(Some(first + 1), Some(first + 2));
    assert!(empty.contains(&format!("no entry in the period {}", clock::written(first + 1))), "{empty}");
    assert!(refused(Some(first - 9), Some(first - 1)).contains("no entry in the period"));
    assert!(refused(Some(first + 2), Some(first)).contains("before it begins on"));
    let future = refused(Some(first), Some(first + 7));
    let (day, today) = (clock::written(first + 7), clock::written(first + 6));
    assert!(future.contains(&format!("{day} has not begun, the ledger's day is {today}")), "{future}");
    // The same days without keys: counted, and nothing is opened.
    let audit = Audit {
        from: Some(End::Day(first)),
        to: Some(End::Day(first + 3)),
        csv: Some(out.path().join("csv")),
        ..Audit::default()
    };
    assert_eq!(run(&place(world.dir.path()), &audit).unwrap(), Outcome::Well);
    let read = fs::read_to_string(out.path().join("csv/reads.csv")).unwrap();
    assert_eq!((read.lines().count(), read.matches("no-key").count()), (4, 6), "{read}");
}

#[test]
fn malicious_relay_that_shows_other_times_in_the_search_gets_nothing_signed() {
    let (world, first) = days();
    let path = folder(world.dir.path()).join("tile/entries/000");
    let whole = fs::read(&path).unwrap();
    let honest = found(&world, first + 3, first + 3);
    // The reads of the fourth day are said to be of the second, and of the sixth; then those of the sixth of the fourth.
    for (of, said) in [(3, 1), (3, 5), (5, 3)] {
        let shown: Vec<Vec<u8>> = (0u64..)
            .zip(decode_entries(&whole).unwrap())
            .map(|(number, bytes)| match Entry::from_bytes(bytes) {
                Ok(mut entry) if number > 0 && clock::day(entry.now) == first + of => {
                    entry.now = entry.now + said * DAY - of * DAY;
                    entry.to_bytes()
                }
                _ => bytes.to_vec(),
            })
            .collect();
        fs::write(&path, bundle(&shown)).unwrap();
        let lied = find(&mut Source::folder(world.dir.path()), (Some(first + 3), Some(first + 3)));
        fs::write(&path, &whole).unwrap();
        let Ok(Ok(period)) = lied else {
            // Made to look as if nothing had happened that day: nothing is logged either.
            assert_eq!(of, 3);
            continue;
        };
        assert_ne!(period.range(), honest.range());
        let why = passed_over(&world, &period).err().unwrap();
        assert!(why.contains("was not this ledger") && why.contains(&clock::written(first + 3)), "{why}");
    }
    // Edges that are moved by one entry.
    let range = honest.range();
    for moved in [range.start - 1..range.end, range.start + 1..range.end, range.start..range.end - 1] {
        let mut entries: Vec<Vec<u8>> = decode_entries(&whole).unwrap().into_iter().map(Into::into).collect();
        for (number, bytes) in (0u64..).zip(&mut entries).skip(1) {
            let mut entry = Entry::from_bytes(bytes).unwrap();
            let day = first
                + if number < moved.start {
                    0
                } else if number < moved.end {
                    3
                } else {
                    6
                };
            // In the afternoon: the ledger was founded at noon.
            entry.now = clock::midnight(day) + DAY / 2 + 3600 + number;
            *bytes = entry.to_bytes();
        }
        fs::write(&path, bundle(&entries)).unwrap();
        let period = found(&world, first + 3, first + 3);
        fs::write(&path, &whole).unwrap();
        assert_eq!(period.range(), moved);
        let why = passed_over(&world, &period).err().unwrap();
        assert!(why.contains("was not this ledger"), "{why}");
    }
    assert_eq!(reads(&passed_over(&world, &honest).unwrap().1).len(), 1);
}

#[test]
fn a_report_of_some_days_names_them_and_holds() {
    let (world, first) = days();
    let (out, _) = written_of(&world, Language::English, Some((Some(first + 3), Some(first + 5))));
    let page = fs::read_to_string(out.path().join("audit.html")).unwrap();
    let (from, to) = (clock::written(first + 3), clock::written(first + 5));
    assert!(page.contains(&format!("<dt>Period</dt><dd>{from} – {to}</dd>")), "{page}");
    assert!(page.contains("By person and month") && page.contains("周岚") && !page.contains("李文"));
    let months = fs::read_to_string(out.path().join("csv/months.csv")).unwrap();
    assert_eq!(months.lines().count(), 3, "{months}");
    for path in ["audit.html", "csv"] {
        let mut source = Source::folder(world.dir.path());
        let verdict = report::sign::verify(&out.path().join(path), &mut source, &Pin::default()).unwrap();
        assert_eq!(verdict.wrong, Vec::<String>::new());
    }
}

#[test]
fn a_report_from_before_there_was_a_sheet_of_months_still_holds() {
    let (world, _) = days();
    let (out, _) = written(&world, Language::Chinese);
    let csv = out.path().join("csv");
    fs::remove_file(csv.join("months.csv")).unwrap();
    let wrong =
        || report::sign::verify(&csv, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap().wrong;
    assert_eq!(wrong(), ["months.csv: it was signed and is not here"]);
    let (whole, ..) = passed(world.dir.path(), None).unwrap();
    let key = keys::signing(&world.auditor_folder(), &whole.replay.state().auditor().unwrap().audit).unwrap();
    let names =
        ["claims", "findings", "looks", "readers", "reads", "reversals"].map(|name| format!("{name}.csv"));
    let files = names.map(|name| (name.clone(), report::sign::digest_of(&csv.join(&name)).unwrap()));
    report::sign::sign(&whole, whole.replay.size() - 1, &key, files.into(), (None, Some(&csv))).unwrap();
    assert_eq!(wrong(), Vec::<String>::new());
}
