//! A bit flipped anywhere in the copy, and whatever is changed in the database, is found and named.

use super::*;
use crate::replica::{
    Replica,
    copy::Writer,
    tests::{FOUNDED, accept, genesis, grant, key, open_holder},
};
use std::{fs, path::PathBuf};
use suishen_core::proof::tile::decode_entries;

/// 273 entries: one full tile, one that isn't, one hash above.
const ENTRIES: u64 = 273;

/// A data folder with a ledger and its copy.
pub(crate) fn ledger() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let replica = Replica::create(data.path(), &genesis(), key("cosigner"), FOUNDED).unwrap();
    let mut writer = Writer::start(replica.folder().unwrap(), &replica.published()).unwrap();
    let (_, issue, revoke) = grant("one");
    replica.append(&accept(&replica.published(), &[issue])).unwrap();
    replica.append(&accept(&replica.published(), &[revoke])).unwrap();
    for part in (0..ENTRIES - 3).collect::<Vec<_>>().chunks(90) {
        let batch: Vec<_> = part.iter().map(|n| open_holder(&n.to_string())).collect();
        replica.append(&accept(&replica.published(), &batch)).unwrap();
        writer.write(&replica.published()).unwrap();
    }
    data
}

fn findings(data: &Path) -> Vec<String> {
    examine(data).unwrap().findings.iter().map(ToString::to_string).collect()
}

fn file(data: &Path, name: &str) -> PathBuf {
    folder(data).join(name)
}

/// Examines the copy alone with one byte of a file changed, and puts it back.
fn with_flip(data: &Path, name: &str, at: usize) -> Vec<String> {
    let path = file(data, name);
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[at] ^= 1 << (at % 8);
    fs::write(&path, changed).unwrap();
    let mut report = Report::default();
    copy::examine(&Copy::of(data), &mut report, &Progress::new("entries")).unwrap();
    fs::write(&path, whole).unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

/// Where entry `number` of a bundle begins, its length included.
fn start_of(bundle: &[u8], number: usize) -> usize {
    decode_entries(bundle).unwrap()[..number].iter().map(|entry| entry.len() + 2).sum()
}

#[test]
fn a_whole_replica_is_found_whole() {
    let data = ledger();
    let report = examine(data.path()).unwrap();
    assert_eq!((report.findings, report.size, report.database), (vec![], ENTRIES, true));
    assert_eq!(report.ledger, Some(genesis().ledger_id()));
}

#[test]
fn a_bit_flipped_in_any_entry_names_the_entry() {
    let data = ledger();
    for (name, numbers) in
        [("tile/entries/000", &[0_usize, 1, 2, 200, 255][..]), ("tile/entries/001", &[0, 9, 16])]
    {
        let bundle = fs::read(file(data.path(), name)).unwrap();
        let first = if name.ends_with("001") { 256 } else { 0 };
        for number in numbers {
            let start = start_of(&bundle, *number);
            // Its length, its content, its last byte.
            let end = bundle.len().min(start_of_next(&bundle, *number));
            for at in [start, start + 1, start + 2, start + 60, end - 1] {
                let found = with_flip(data.path(), name, at);
                let named = format!("entry {}: ", first + number);
                assert!(
                    found.iter().any(|f| f.starts_with(&named)),
                    "{name} entry {number} byte {at}: {found:?}"
                );
            }
        }
    }
}

fn start_of_next(bundle: &[u8], number: usize) -> usize {
    start_of(bundle, number) + 2 + decode_entries(bundle).unwrap()[number].len()
}

#[test]
fn a_bit_flipped_in_any_tile_names_the_tile_and_the_hash() {
    let data = ledger();
    for (name, hashes) in
        [("tile/0/000", &[0_usize, 77, 255][..]), ("tile/0/001", &[0, 16]), ("tile/1/000", &[0])]
    {
        for hash in hashes {
            for at in [hash * 32, hash * 32 + 31] {
                let found = with_flip(data.path(), name, at);
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].starts_with(&format!("{name}: hash {hash}")), "{found:?}");
            }
        }
    }
}

#[test]
fn a_bit_flipped_anywhere_in_the_checkpoint_names_the_checkpoint() {
    let data = ledger();
    let length = fs::read(file(data.path(), "checkpoint")).unwrap().len();
    for at in (0..length).step_by(23).chain([length - 1]) {
        let found = with_flip(data.path(), "checkpoint", at);
        assert!(found.len() == 1 && found[0].starts_with("checkpoint"), "byte {at}: {found:?}");
    }
}

#[test]
fn a_missing_or_cut_file_is_named() {
    let data = ledger();
    let cases = [
        ("checkpoint", "checkpoint: it is missing"),
        ("tile/0/000", "tile/0/000: it ends after 0 of 256 hashes"),
        ("tile/1/000", "tile/1/000: it ends after 0 of 1 hashes"),
        ("tile/entries/001", "entry 256: it is missing or cut off"),
    ];
    for (name, expected) in cases {
        let (path, aside) = (file(data.path(), name), file(data.path(), "aside"));
        fs::rename(&path, &aside).unwrap();
        let found = findings(data.path());
        assert!(found.iter().any(|f| f == expected), "{name}: {found:?}");
        fs::rename(&aside, &path).unwrap();
    }
}

#[test]
fn it_works_while_the_relay_runs_and_says_so() {
    let data = ledger();
    let running = Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap();
    let report = examine(data.path()).unwrap();
    assert_eq!((report.findings, report.database), (vec![], false));
    drop(running);
    assert!(examine(data.path()).unwrap().database);
}

#[test]
fn entries_that_the_copy_does_not_have_yet_are_examined_in_the_database() {
    let data = ledger();
    let replica = Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap();
    replica.append(&accept(&replica.published(), &[open_holder("later")])).unwrap();
    drop(replica);
    let report = examine(data.path()).unwrap();
    assert_eq!((report.findings, report.size), (vec![], ENTRIES + 1));
}

#[test]
fn a_database_set_back_behind_its_copy_is_found() {
    let data = ledger();
    let (now, before) = (database_file(data.path()), file(data.path(), "before"));
    fs::copy(&now, &before).unwrap();
    let replica = Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap();
    let mut writer = Writer::start(replica.folder().unwrap(), &replica.published()).unwrap();
    writer.write(&replica.append(&accept(&replica.published(), &[open_holder("later")])).unwrap()).unwrap();
    drop(replica);
    fs::rename(before, now).unwrap();
    let found = findings(data.path());
    assert_eq!(found, ["database: it ends after 273 entries, the published copy after 274"]);
}

#[test]
fn whatever_is_changed_in_the_database_is_named() {
    use redb::{ReadableTable as _, TableDefinition};
    const BYTES: [&str; 2] = ["state", "pages"];
    let data = ledger();
    let whole = fs::read(database_file(data.path())).unwrap();
    let changed = |change: &dyn Fn(&redb::WriteTransaction)| {
        fs::write(database_file(data.path()), &whole).unwrap();
        let database = redb::Database::open(database_file(data.path())).unwrap();
        let write = database.begin_write().unwrap();
        change(&write);
        write.commit().unwrap();
        drop(database);
        findings(data.path())
    };
    let flip = |bytes: &[u8]| [&[bytes[0] ^ 1], &bytes[1..]].concat();
    let found = changed(&|write| {
        let mut table = write.open_table(TableDefinition::<u64, &[u8]>::new("entries")).unwrap();
        let other = flip(table.get(42).unwrap().unwrap().value());
        table.insert(42, other.as_slice()).unwrap();
    });
    assert_eq!(found, ["database: entry 42 is not the one in the published copy"]);
    let found = changed(&|write| {
        let mut table = write.open_table(TableDefinition::<(u8, u64), &[u8]>::new("tiles")).unwrap();
        let other = flip(table.get((0, 1)).unwrap().unwrap().value());
        table.insert((0, 1), other.as_slice()).unwrap();
    });
    assert_eq!(found, ["database: tile 1 of level 0 is not what the entries make"]);
    for name in BYTES {
        let found = changed(&|write| {
            let mut table = write.open_table(TableDefinition::<&[u8], &[u8]>::new(name)).unwrap();
            let (key, other) = {
                let (key, value) = table.last().unwrap().unwrap();
                (key.value().to_vec(), [value.value(), &[0]].concat())
            };
            table.insert(key.as_slice(), other.as_slice()).unwrap();
        });
        assert!(found.len() == 1 && found[0].ends_with("is not what the entries make"), "{name}: {found:?}");
    }
    let found = changed(&|write| {
        let mut table =
            write.open_table(TableDefinition::<([u8; 32], u64), ()>::new("grant-entries")).unwrap();
        table.insert(([9; 32], 5), ()).unwrap();
    });
    assert_eq!(found, ["database: the note that entry 5 is on a grant is not what the entries make"]);
    let found = changed(&|write| {
        let table = TableDefinition::<u8, (u64, [u8; 32], [u8; 32])>::new("signed");
        write.open_table(table).unwrap().insert(0, (ENTRIES, [1; 32], [2; 32])).unwrap();
    });
    assert_eq!(found, ["database: checkpoint 273: the roots stored for it are not those of the entries"]);
}

#[test]
fn examining_changes_nothing() {
    let data = ledger();
    let before = fs::read(database_file(data.path())).unwrap();
    examine(data.path()).unwrap();
    assert_eq!(fs::read(database_file(data.path())).unwrap(), before);
}

#[test]
fn no_ledger_is_no_verdict() {
    assert!(examine(tempfile::tempdir().unwrap().path()).is_err());
}

#[test]
fn the_database_of_an_earlier_version_is_completed_when_it_is_served_again() {
    let data = ledger();
    let database = redb::Database::open(database_file(data.path())).unwrap();
    let write = database.begin_write().unwrap();
    assert!(write.delete_table(crate::replica::CLAIMS).unwrap());
    write.commit().unwrap();
    drop(database);
    drop(Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap());
    assert_eq!(findings(data.path()), Vec::<String>::new());
}
