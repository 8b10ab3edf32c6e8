//! The audit counts what stands, and refuses what doesn't.

use super::*;
use crate::{
    command::fsck::tests::ledger as sample,
    replica::{
        Replica, folder,
        tests::{FOUNDED, grant, key},
    },
};

fn place(data: &Path) -> Place {
    Place { data: data.to_owned(), config: None }
}

#[test]
fn the_ledger_is_replayed_and_counted() {
    let data = sample();
    let audited = ledger(data.path()).unwrap().unwrap();
    assert_eq!(audited.size(), 273);
    let counted = |name: &str| {
        let kind = Transaction::NAMES.iter().position(|n| *n == name).unwrap();
        audited.totals().kinds[kind]
    };
    assert_eq!([counted("open-holder"), counted("issue-grant"), counted("revoke-grant")], [270, 1, 1]);
    assert_eq!(run(&place(data.path()), &Audit { bundle: None }).unwrap(), Outcome::Well);
}

#[test]
fn a_changed_entry_is_named_and_ends_with_found_wrong() {
    let data = sample();
    let path = folder(data.path()).join("tile/entries/000");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let why = ledger(data.path()).unwrap().unwrap_err();
    assert!(why.starts_with("entry 255: "), "{why}");
    assert_eq!(run(&place(data.path()), &Audit { bundle: None }).unwrap(), Outcome::FoundWrong);
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
        run(&place(elsewhere.path()), &Audit { bundle: Some(file.clone()) }).unwrap()
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
    assert!(run(&place(nowhere.path()), &Audit { bundle: None }).is_err());
    assert!(run(&place(nowhere.path()), &Audit { bundle: Some(nowhere.path().join("none")) }).is_err());
}
