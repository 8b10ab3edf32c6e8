//! Licences and sources of everything that is built, by `cargo tree` alone: no download, a second's work. The list of what
//! is allowed is deny.toml's, so that `cargo deny`, where it is installed, judges by the same. Cargo.lock and `cargo metadata`
//! also name packages that no feature in use brings in; `cargo tree` doesn't.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine;
use crate::place::Place;
use crate::steps::{output, succeed};
use crate::wasm::clean;

/// Checks the dependencies; with cargo-deny too where it is there.
pub fn check(place: &Place) -> Result<()> {
    let list = std::fs::read_to_string(place.root.join("deny.toml")).context("could not read deny.toml")?;
    let allowed = allowed(&list)?;
    let mut cargo = Command::new("cargo");
    clean(&mut cargo).current_dir(&place.root).args(["tree", "--locked", "--workspace", "--target", "all"]);
    cargo.args(["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}\t{l}"]);
    let tree = output(&mut cargo).context("`cargo tree --locked` failed: is Cargo.lock up to date?")?;
    let packages: BTreeSet<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    let faults: Vec<String> = packages.iter().filter_map(|package| fault(package, &allowed)).collect();
    if !faults.is_empty() {
        bail!("not allowed by deny.toml:\n{}", faults.join("\n"));
    }
    eprintln!("  {} packages, all under allowed licences and from the registry", packages.len());
    if machine::program("cargo-deny").is_some() {
        let mut deny = Command::new("cargo");
        clean(&mut deny).current_dir(&place.root);
        succeed(deny.args(["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
    } else {
        eprintln!("  cargo-deny is not here: bans not checked (`cargo install --locked cargo-deny`)");
    }
    Ok(())
}

/// The strings of `allow = [ … ]` in the section `[licenses]`.
fn allowed(list: &str) -> Result<Vec<String>> {
    let section = list.split("[licenses]").nth(1).context("deny.toml has no [licenses]")?;
    let (_, rest) = section.split_once("allow = [").context("deny.toml allows no licences")?;
    let (names, _) = rest.split_once(']').context("deny.toml: the list of licences does not end")?;
    Ok(names.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// What is wrong with a package, as `cargo tree` names it: name, version, and in brackets its source where that is none of
/// the registry; a tab; its licence.
fn fault(package: &str, allowed: &[String]) -> Option<String> {
    let (name, licence) = package.split_once('\t').unwrap_or((package, ""));
    let source = name.split_once(" (").map(|(_, source)| source).filter(|source| *source != "proc-macro)");
    if source.is_some_and(|source| source.contains("://")) {
        return Some(format!("{name}: not from the registry"));
    }
    match licence {
        "" => Some(format!("{name}: no licence stated")),
        licence if permits(licence, allowed) => None,
        licence => Some(format!("{name}: {licence}")),
    }
}

/// Whether an SPDX expression can be fulfilled with these licences: one side of OR, both of AND.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed) == Some(true) && rest.is_empty()
}

/// `A OR B OR …`; nothing where this is no expression.
fn either(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut any = both(words, allowed)?;
    while let ["OR", rest @ ..] = words {
        *words = rest;
        any |= both(words, allowed)?;
    }
    Some(any)
}

fn both(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut all = one(words, allowed)?;
    while let ["AND", rest @ ..] = words {
        *words = rest;
        all &= one(words, allowed)?;
    }
    Some(all)
}

fn one(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let is_allowed = |licence: &str| allowed.iter().any(|known| known == licence);
    match words {
        ["(", rest @ ..] => {
            *words = rest;
            let inner = either(words, allowed)?;
            let [")", rest @ ..] = words else { return None };
            *words = rest;
            Some(inner)
        }
        [name, "WITH", exception, rest @ ..] => {
            *words = rest;
            Some(is_allowed(name) || is_allowed(&format!("{name} WITH {exception}")))
        }
        [name, rest @ ..] => {
            *words = rest;
            Some(is_allowed(name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{fault, permits};

    fn allows(expression: &str) -> bool {
        permits(expression, &["MIT", "Apache-2.0", "ISC"].map(str::to_owned))
    }

    #[test]
    fn a_package_is_named_with_what_is_wrong_with_it() {
        let allowed = ["MIT".to_owned()];
        assert_eq!(fault("a v1.0.0\tMIT", &allowed), None);
        assert_eq!(fault("a v1.0.0 (proc-macro)\tMIT", &allowed), None);
        assert_eq!(fault("a v1.0.0 (/here/a)\tMIT", &allowed), None);
        assert_eq!(fault("a v1.0.0\tGPL-3.0", &allowed).as_deref(), Some("a v1.0.0: GPL-3.0"));
        assert_eq!(fault("a v1.0.0\t", &allowed).as_deref(), Some("a v1.0.0: no licence stated"));
        assert!(fault("a v1.0.0 (https://elsewhere.example/a#1)\tMIT", &allowed).is_some());
    }

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_needs_all() {
        assert!(allows("MIT") && allows("GPL-3.0 OR MIT") && allows("MIT/Apache-2.0"));
        assert!(allows("(GPL-3.0 OR Apache-2.0) AND ISC") && allows("Apache-2.0 WITH LLVM-exception"));
        assert!(!allows("GPL-3.0") && !allows("MIT AND GPL-3.0") && !allows("(MIT OR ISC) AND GPL-3.0"));
    }

    #[test]
    fn what_is_no_expression_is_not_allowed() {
        assert!(!allows("") && !allows("(MIT") && !allows("MIT ISC") && !allows("MIT OR"));
    }
}
