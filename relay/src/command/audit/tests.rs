//! The audit counts what stands, refuses what doesn't, opens what its keys open, and signs what it says.

mod days;
mod world;

use super::*;
use crate::{
    command::fsck::tests::ledger as sample,
    replica::{
        Replica, folder,
        tests::{FOUNDED, grant, key},
    },
};
use suishen_core::audit::{Read, Row, Told};
use suishen_core::report::Sensitivity;
use world::World;

fn place(data: &Path) -> Place {
    Place { data: data.to_owned(), config: None }
}

/// What `suishen audit` gives without anything else.
fn audited(data: &Path) -> anyhow::Result<Outcome> {
    run(&place(data), &Audit::default())
}

/// Passes over a data folder with the keys of a folder.
fn passed(data: &Path, keys: Option<&Path>) -> Result<(Passed, Vec<Row>, Findings), String> {
    let keys = keys.map(|folder| keys::boxes(folder).unwrap()).unwrap_or_default();
    let plan = Plan { keys, ..Plan::default() };
    let (mut rows, mut findings) = (Vec::new(), Findings::default());
    let mut source = Source::folder(data);
    let passed = pass(&mut source, &plan, &Progress::new("entries"), &mut |taken, tables| {
        rows.extend(taken.row);
        taken.findings.into_iter().try_for_each(|finding| findings.take(finding, None, tables))
    })
    .unwrap()?;
    Ok((passed, rows, findings))
}

fn reads(rows: &[Row]) -> Vec<&Read> {
    rows.iter().filter_map(|row| if let Row::Read(read) = row { Some(read) } else { None }).collect()
}

#[test]
fn the_ledger_is_replayed_and_counted() {
    let data = sample();
    let (passed, ..) = passed(data.path(), None).unwrap();
    assert_eq!(passed.replay.size(), 273);
    let counted = |name: &str| {
        let kind = Transaction::NAMES.iter().position(|n| *n == name).unwrap();
        passed.replay.totals().kinds[kind]
    };
    assert_eq!([counted("open-holder"), counted("issue-grant"), counted("revoke-grant")], [270, 1, 1]);
    assert_eq!(audited(data.path()).unwrap(), Outcome::Well);
}

#[test]
fn a_changed_entry_is_named_and_ends_with_found_wrong() {
    let data = sample();
    let path = folder(data.path()).join("tile/entries/000");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let why = passed(data.path(), None).err().unwrap();
    assert!(why.starts_with("entry 255: "), "{why}");
    assert_eq!(audited(data.path()).unwrap(), Outcome::FoundWrong);
    // Of two the first is named, whichever core meets which first.
    let entries = suishen_core::proof::tile::decode_entries(&whole).unwrap();
    let end = |number: usize| entries[..=number].iter().map(|entry| entry.len() + 2).sum::<usize>() - 1;
    for number in [1, 40, 254] {
        bytes.clone_from(&whole);
        for changed in [number, 255] {
            bytes[end(changed)] ^= 1;
        }
        fs::write(&path, &bytes).unwrap();
        let why = passed(data.path(), None).err().unwrap();
        assert!(why.starts_with(&format!("entry {number}: ")), "{why}");
    }
}

#[test]
fn a_bundle_is_verified_without_any_ledger() {
    let data = sample();
    let replica = Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap();
    let bundle = replica.published().bundle(&grant("one").0).unwrap().unwrap().to_bytes();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("bundle");
    let verdict = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        run(&place(elsewhere.path()), &Audit { bundle: Some(file.clone()), ..Audit::default() }).unwrap()
    };
    assert_eq!(verdict(&bundle), Outcome::Well);
    for at in (0..bundle.len()).step_by(97) {
        let mut changed = bundle.clone();
        changed[at] ^= 1;
        assert_eq!(verdict(&changed), Outcome::FoundWrong, "byte {at}");
    }
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    let nowhere = tempfile::tempdir().unwrap();
    assert!(audited(nowhere.path()).is_err());
    let none = Some(nowhere.path().join("none"));
    assert!(run(&place(nowhere.path()), &Audit { bundle: none.clone(), ..Audit::default() }).is_err());
    assert!(run(&place(nowhere.path()), &Audit { verify: none, ..Audit::default() }).is_err());
    // Opening is an entry: without a relay, or without a reason, nothing is opened.
    let mut world = World::new();
    let desk = world.desk("李文");
    world.reads(&desk, "TREAT", 1);
    let data = world.dir.path();
    let opens = |why: Option<&str>| {
        let (keys, why) = (Some(world.auditor_folder()), why.map(str::to_owned));
        let verdict = run(&place(data), &Audit { keys, why, ..Audit::default() });
        format!("{:#}", verdict.unwrap_err())
    };
    assert!(opens(None).contains("--why"));
    fs::write(data.join(crate::node::GENESIS), "").unwrap();
    assert!(opens(Some("例行")).contains("start the relay, or name one with --relay"));
    let keys = Some(nowhere.path().to_owned());
    let verdict = run(&place(data), &Audit { keys, why: Some("x".into()), ..Audit::default() });
    assert!(format!("{:#}", verdict.unwrap_err()).contains("there is no box*.pem"));
}

#[test]
fn an_old_key_opens_nothing_new_and_a_new_one_nothing_old() {
    let mut world = World::new();
    let desk = world.desk("李文");
    world.reads(&desk, "TREAT", 2);
    world.next_quarter(1);
    let desk = world.desk("周岚");
    world.reads(&desk, "COC", 1);
    let (both, data) = (world.auditor_folder(), world.dir.path());
    let names = |keys: Option<&Path>| -> Vec<String> {
        let (passed, rows, findings) = passed(data, keys).unwrap();
        assert_eq!(findings.count, 0, "{:?}", findings.listed);
        assert_eq!(passed.tables.reads, 3);
        let name = |read: &Read| match &read.by {
            Told::Opened(who) => who.name.clone(),
            Told::NoKey => "no key".into(),
            Told::Wrong => "wrong".into(),
        };
        reads(&rows).into_iter().map(name).collect()
    };
    assert_eq!(names(None), ["no key"; 3]);
    assert_eq!(names(Some(&both)), ["李文", "李文", "周岚"]);
    for (name, expected) in [("box", ["李文", "李文", "no key"]), ("box-1", ["no key", "no key", "周岚"])]
    {
        let alone = tempfile::tempdir().unwrap();
        fs::copy(both.join(format!("{name}.pem")), alone.path().join(format!("{name}.pem"))).unwrap();
        assert_eq!(names(Some(alone.path())), expected);
    }
}

/// A ledger with three reads at night by somebody whose name is markup.
fn night() -> World {
    let mut world = World::new();
    world.now += 12 * 3600;
    let desk = world.desk("<b onload=\"x\">'王'&");
    world.reads(&desk, "=cmd|' /C calc'!A0", 3);
    world.looks();
    world
}

/// Writes page and CSV files as `suishen audit` does once its look is logged.
fn written(world: &World, language: Language) -> (tempfile::TempDir, Audit) {
    written_of(world, language, None)
}

fn written_of(
    world: &World,
    language: Language,
    days: Option<(Option<u64>, Option<u64>)>,
) -> (tempfile::TempDir, Audit) {
    let out = tempfile::tempdir().unwrap();
    let audit = Audit {
        report: Some(out.path().join("audit.html")),
        csv: Some(out.path().join("csv")),
        language,
        ..Audit::default()
    };
    let folder = world.auditor_folder();
    let keys = keys::boxes(&folder).unwrap();
    let period = days.map(|days| find(&mut Source::folder(world.dir.path()), days).unwrap().unwrap());
    let range = period.as_ref().map_or(0..u64::MAX, Period::range);
    let plan = Plan { keys, range, period, ..Plan::default() };
    let mut csv = Csv::new(audit.csv.as_deref().unwrap(), language).unwrap();
    let mut findings = Findings::default();
    let mut source = Source::folder(world.dir.path());
    let mut passed = pass(&mut source, &plan, &Progress::new("entries"), &mut |taken, tables| {
        findings.all(taken, Some(&mut csv), tables)
    })
    .unwrap()
    .unwrap();
    for finding in std::mem::take(&mut passed.findings) {
        findings.take(finding, Some(&mut csv), &passed.tables).unwrap();
    }
    let look = passed.replay.size() - 1;
    let opening = Opening { folder: &folder, why: "<i>例行</i>", entry: look, range: 0..look };
    let files = write(&audit, &plan, &passed, &findings, Some(&opening), Some(csv)).unwrap();
    let key = keys::signing(&folder, &passed.replay.state().auditor().unwrap().audit).unwrap();
    let places = (audit.report.as_deref(), audit.csv.as_deref());
    report::sign::sign(&passed, look, &key, files, places).unwrap();
    (out, audit)
}

#[test]
fn a_page_says_all_escapes_all_and_needs_nothing_else() {
    let world = night();
    for (language, title) in
        [(Language::Chinese, "随身账本审计报告"), (Language::English, "Audit of a Suishen ledger")]
    {
        let (out, audit) = written(&world, language);
        let page = fs::read_to_string(audit.report.unwrap()).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.contains(title));
        assert!(page.contains("&lt;b onload=&quot;x&quot;&gt;&#39;王&#39;&amp;"));
        assert!(page.contains("&lt;i&gt;例行&lt;/i&gt;"));
        // Each read has its line, and the page says whose audit it is.
        let lists = language.say("逐次读取", "Reads one by one");
        let (_, after) = page.split_once(lists).unwrap();
        let (table, _) = after.split_once("</table>").unwrap();
        let shown = ["<tr><td>", "&#39;王&#39;", language.class(Sensitivity::Genetic), "=cmd|"];
        assert_eq!(shown.map(|it| table.matches(it).count()), [3; 4], "{table}");
        assert!(page.contains("安澜市卫生健康委员会"), "{page}");
        for bad in ["<b ", "<i>", "<script", "http://", "https://", "src=", "style=\"", "onload=\""] {
            assert!(!page.contains(bad), "{bad}");
        }
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(page.matches("<svg").count() >= 2);
        for tag in ["table", "tbody", "tr", "td", "h2", "dl", "p"] {
            let opened =
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        let read = fs::read_to_string(out.path().join("csv/reads.csv")).unwrap();
        assert!(read.starts_with('\u{feff}') && read.contains(",\"'=cmd|"), "{read}");
        assert_eq!(read.lines().count(), 4);
        let found = fs::read_to_string(out.path().join("csv/findings.csv")).unwrap();
        assert!(found.contains(",\"night-reads\",\"true\","), "{found}");
    }
}

#[test]
fn a_signed_report_is_checked_and_what_differs_is_named() {
    let world = night();
    let (out, _) = written(&world, Language::Chinese);
    let page = out.path().join("audit.html");
    let csv = out.path().join("csv");
    let verdict = |path: &Path| {
        let verdict =
            report::sign::verify(path, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap();
        (verdict.good.len(), verdict.wrong)
    };
    assert_eq!(verdict(&page), (3, vec![]));
    assert_eq!(verdict(&csv), (9, vec![]));
    let changed = |path: &Path, at: usize| {
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
        whole
    };
    let said = |path: &Path| {
        report::sign::verify(path, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap().said()
    };
    assert!(said(&page).starts_with("what is here holds: as 安澜市"), "{}", said(&page));
    let whole = changed(&page, 300);
    assert_eq!(said(&page), "it does NOT hold: one thing is wrong");
    assert_eq!(verdict(&page).1, ["audit.html: it is not as it was signed"]);
    fs::write(&page, whole).unwrap();
    changed(&csv.join("reads.csv"), 9);
    assert_eq!(verdict(&csv).1, ["reads.csv: it is not as it was signed"]);
    // A page of another name was never signed.
    fs::copy(&page, out.path().join("other.html")).unwrap();
    fs::copy(out.path().join("audit.html.cose"), out.path().join("other.html.cose")).unwrap();
    assert_eq!(verdict(&out.path().join("other.html")).1, ["other.html: no file of this name was signed"]);
    // Another ledger's auditor vouches for nothing here; every changed byte of the signature is found.
    let other = World::new();
    let elsewhere =
        report::sign::verify(&page, &mut Source::folder(other.dir.path()), &Pin::default()).unwrap();
    assert!(!elsewhere.wrong.is_empty());
    let signature = out.path().join("audit.html.cose");
    let length = fs::read(&signature).unwrap().len();
    for at in (0..length).step_by(length / 8) {
        let whole = changed(&signature, at);
        assert!(!verdict(&page).1.is_empty(), "byte {at}");
        fs::write(&signature, whole).unwrap();
    }
    fs::remove_file(&signature).unwrap();
    assert!(report::sign::verify(&page, &mut Source::folder(world.dir.path()), &Pin::default()).is_err());
}

#[test]
fn a_signed_sheet_that_is_gone_and_one_that_was_never_signed_are_named() {
    let world = night();
    let (out, _) = written(&world, Language::Chinese);
    let csv = out.path().join("csv");
    let wrong =
        || report::sign::verify(&csv, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap().wrong;
    assert_eq!(wrong(), Vec::<String>::new());
    fs::rename(csv.join("findings.csv"), csv.join("more.CSV")).unwrap();
    assert_eq!(wrong(), ["findings.csv: it was signed and is not here", "more.CSV: it was not signed"]);
    // The page's signature alone says nothing of a folder of CSV files.
    let (whole, ..) = passed(world.dir.path(), None).unwrap();
    let folder = world.auditor_folder();
    let key = keys::signing(&folder, &whole.replay.state().auditor().unwrap().audit).unwrap();
    let page = vec![("audit.html".to_owned(), suishen_core::sm::Digest::of(b"page"))];
    report::sign::sign(&whole, whole.replay.size() - 1, &key, page, (None, Some(&csv))).unwrap();
    assert_eq!(wrong()[0], "audit.cose: it signs no CSV file");
}

#[test]
fn no_box_is_opened_beyond_what_the_look_says_but_its_own() {
    let mut world = World::new();
    let desk = world.desk("李文");
    world.reads(&desk, "TREAT", 1);
    let (before, ..) = passed(world.dir.path(), None).unwrap();
    world.reads(&desk, "TREAT", 1);
    world.looks();
    let to = before.replay.size();
    let keys = keys::boxes(&world.auditor_folder()).unwrap();
    let (whole, ..) = passed(world.dir.path(), None).unwrap();
    let look = Some(whole.replay.size() - 1);
    let plan = Plan { keys, range: 0..to, look, ..Plan::default() };
    let mut rows = Vec::new();
    let mut source = Source::folder(world.dir.path());
    let passed = pass(&mut source, &plan, &Progress::new("entries"), &mut |taken, _| {
        rows.extend(taken.row);
        Ok(())
    });
    assert_eq!(passed.unwrap().unwrap().tables.reads, 1);
    assert!(matches!(&rows[..], [Row::Read(read), Row::Look(_)] if read.at.entry < to), "{rows:?}");
}

#[test]
fn a_report_that_names_no_look_of_the_auditors_is_named_itself() {
    let world = night();
    let (out, _) = written(&world, Language::Chinese);
    let folder = world.keys.folder("auditor").path().to_owned();
    let (whole, ..) = passed(world.dir.path(), None).unwrap();
    let key = keys::signing(&folder, &whole.replay.state().auditor().unwrap().audit).unwrap();
    let page = out.path().join("audit.html");
    let files = vec![("audit.html".to_owned(), report::sign::digest_of(&page).unwrap())];
    for entry in [1, whole.replay.size(), u64::MAX] {
        report::sign::sign(&whole, entry, &key, files.clone(), (Some(&page), None)).unwrap();
        let verdict =
            report::sign::verify(&page, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap();
        assert!(verdict.wrong[0].starts_with(&format!("look: entry {entry} is not")), "{:?}", verdict.wrong);
    }
}

#[test]
fn a_report_still_holds_when_the_ledger_has_grown_and_the_key_was_changed() {
    let mut world = night();
    let (out, _) = written(&world, Language::Chinese);
    world.next_quarter(1);
    let desk = world.desk("周岚");
    world.reads(&desk, "TREAT", 1);
    let page = out.path().join("audit.html");
    let verdict =
        report::sign::verify(&page, &mut Source::folder(world.dir.path()), &Pin::default()).unwrap();
    assert_eq!(verdict.wrong, Vec::<String>::new());
    // On a copy from before there are not enough entries to tell.
    let older = World::new();
    let verdict =
        report::sign::verify(&page, &mut Source::folder(older.dir.path()), &Pin::default()).unwrap();
    assert!(verdict.wrong[0].contains("fewer than"), "{:?}", verdict.wrong);
}

#[test]
fn another_ledgers_folder_is_refused_before_a_file_is_written_over() {
    let (mine, other) = (World::new(), World::new());
    let out = tempfile::tempdir().unwrap();
    let csv = out.path().join("csv");
    let audit = Audit { csv: Some(csv.clone()), ..Audit::default() };
    assert_eq!(run(&place(mine.dir.path()), &audit).unwrap(), Outcome::Well);
    assert_eq!(fs::read_to_string(csv.join("ledger.id")).unwrap().trim(), mine.ledger.to_hex());
    fs::write(csv.join("reads.csv"), "as it was").unwrap();
    let left = || assert_eq!(fs::read_to_string(csv.join("reads.csv")).unwrap(), "as it was");
    let refused = run(&place(other.dir.path()), &audit).unwrap_err().to_string();
    assert!(refused.contains("ledger.id") && refused.contains(&mine.ledger.to_hex()), "{refused}");
    left();
    // No ledger, and one whose genesis cannot be read, leave the files alone too.
    assert!(run(&place(out.path()), &audit).is_err());
    left();
    fs::write(folder(mine.dir.path()).join("tile/entries/000"), [0, 1, 0]).unwrap();
    assert_eq!(run(&place(mine.dir.path()), &audit).unwrap(), Outcome::FoundWrong);
    left();
}
