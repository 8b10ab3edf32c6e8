//! Which ledger an audit is of: named on the command line, or remembered from the first audit that held, beside the auditor's
//! keys and beside each report. Another ledger is refused before anything is asked of it or written.

use super::{Audit, keys::Rotate};
use anyhow::{Context as _, bail};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use suishen_core::id::LedgerId;

/// The file in a folder of keys or of CSV files; beside a page it has the page's name before it.
const FILE: &str = "ledger.id";

/// What is known of the ledger.
#[derive(Debug, Default)]
pub struct Pin {
    /// Which it must be, and who says so.
    known: Vec<(LedgerId, String)>,
    /// Where it is remembered.
    files: Vec<PathBuf>,
}

/// Reads `--ledger`.
pub fn ledger(text: &str) -> Result<LedgerId, String> {
    LedgerId::from_hex(text.trim()).ok_or_else(|| "a ledger's id is 64 hexadecimal digits".into())
}

fn beside(page: &Path) -> PathBuf {
    let mut name = page.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(FILE);
    page.with_file_name(name)
}

impl Pin {
    /// What an audit knows.
    pub fn of(audit: &Audit) -> anyhow::Result<Self> {
        let folders = audit.keys.iter().chain(&audit.csv).map(|folder| folder.join(FILE));
        let pages = audit.report.iter().map(|page| beside(page));
        let verified =
            audit.verify.iter().map(|path| if path.is_dir() { path.join(FILE) } else { beside(path) });
        Self::read(audit.ledger, folders.chain(pages).chain(verified).collect())
    }

    /// What changing a key knows.
    pub fn of_rotating(rotate: &Rotate, folder: &Path) -> anyhow::Result<Self> {
        Self::read(rotate.ledger, vec![folder.join(FILE)])
    }

    fn read(named: Option<LedgerId>, files: Vec<PathBuf>) -> anyhow::Result<Self> {
        let mut known: Vec<_> = named.map(|named| (named, "--ledger".to_owned())).into_iter().collect();
        for file in &files {
            let text = match fs::read_to_string(file) {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                other => other.with_context(|| format!("could not read {}", file.display()))?,
            };
            let remembered = ledger(&text).ok().with_context(|| {
                format!(
                    "{} holds no ledger's id: remove it, and name the ledger with --ledger",
                    file.display()
                )
            })?;
            known.push((remembered, file.display().to_string()));
        }
        Ok(Self { known, files })
    }

    /// Refuses another ledger than the one that is known.
    pub fn check(&self, ledger: &LedgerId) -> anyhow::Result<()> {
        match self.known.iter().find(|(known, _)| known != ledger) {
            None => Ok(()),
            Some((known, who)) => bail!(
                "this is the ledger {ledger}, and {who} says {known}: look at the right relay or data folder; where the ledger \
                 was founded anew, remove what is remembered"
            ),
        }
    }

    /// Remembers a ledger that held, where it isn't known yet.
    pub fn remember(&self, ledger: &LedgerId) -> anyhow::Result<()> {
        for file in self.files.iter().filter(|file| !file.exists()) {
            // What has no folder yet has nothing beside which to remember.
            if file.parent().is_some_and(Path::is_dir) {
                let text = format!("{}\n", ledger.to_hex());
                fs::write(file, text).with_context(|| format!("could not write {}", file.display()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_remembered_once_and_another_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("audit.html");
        let audit = Audit { report: Some(page), csv: Some(dir.path().join("none")), ..Audit::default() };
        let (mine, other) = (LedgerId::from_bytes([1; 32]), LedgerId::from_bytes([2; 32]));
        let first = Pin::of(&audit).unwrap();
        first.check(&mine).unwrap();
        first.check(&other).unwrap();
        first.remember(&mine).unwrap();
        let second = Pin::of(&audit).unwrap();
        second.check(&mine).unwrap();
        let refused = second.check(&other).unwrap_err().to_string();
        assert!(refused.contains("audit.html.ledger.id") && refused.contains(&mine.to_hex()), "{refused}");
        second.remember(&other).unwrap();
        Pin::of(&audit).unwrap().check(&mine).unwrap();
        let named = Audit { ledger: Some(other), ..audit.clone() };
        assert!(
            Pin::of(&named).unwrap().check(&other).is_err(),
            "what is named and what is remembered must agree"
        );
        fs::write(dir.path().join("audit.html.ledger.id"), "x").unwrap();
        assert!(Pin::of(&audit).unwrap_err().to_string().contains("remove it"));
        assert!(ledger("12").is_err());
    }
}
