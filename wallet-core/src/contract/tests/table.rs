//! The table in the module's documentation is what the code does.

use super::super::{Rejection, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of the table: the kind, and the names in backquotes in the last column.
fn documented() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let rows = include_str!("../mod.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| {
        let (kind, rest) = row.split_once('`')?;
        let names = rest.rsplit('|').nth(1)?.split('`').skip(1).step_by(2).collect();
        Some((kind, names))
    })
    .collect()
}

fn expanded(kind: &str) -> BTreeSet<&'static str> {
    let table = documented();
    let mut names: BTreeSet<_> = table.get(kind).expect("every kind has a row").clone();
    if names.remove("credential") {
        names.extend(&table["credential"]);
    }
    names.extend(&table["every-kind"]);
    if kind == "revoke-grant" {
        names.remove("quota");
    }
    names
}

#[test]
fn the_table_names_rejections_that_exist() {
    let known: BTreeSet<_> = Rejection::ALL.iter().map(Rejection::name).chain(["credential"]).collect();
    for (kind, names) in documented() {
        let unknown: Vec<_> = names.difference(&known).collect();
        assert!(unknown.is_empty(), "{kind}: {unknown:?}");
    }
}

#[test]
fn numbers_and_names_of_rejections_are_their_own() {
    let numbers: BTreeSet<_> = Rejection::ALL.iter().map(Rejection::number).collect();
    let names: BTreeSet<_> = Rejection::ALL.iter().map(Rejection::name).collect();
    assert_eq!((numbers.len(), names.len()), (Rejection::ALL.len(), Rejection::ALL.len()));
}

/// Every reason that was met is in the table, and every reason in the table was met; the reasons of form don't
/// come up where signatures are only assumed, and each has its own test.
pub(super) fn agrees(met: &BTreeSet<(&str, &str)>) {
    let by_form = BTreeSet::from(["form", "too-large", "batch-size", "damaged"]);
    for kind in Transaction::NAMES {
        let met: BTreeSet<_> = met.iter().filter(|(k, _)| *k == kind).map(|(_, name)| *name).collect();
        let documented: BTreeSet<_> = expanded(kind).difference(&by_form).copied().collect();
        let undocumented: Vec<_> = met.difference(&documented).collect();
        let unmet: Vec<_> = documented.difference(&met).collect();
        assert!(undocumented.is_empty() && unmet.is_empty(), "{kind}: {undocumented:?}, never met {unmet:?}");
    }
}
