//! A report's signature: one COSE_Sign1 by the audit key over the SM3 of each file, size and roots of the ledger, and the
//! entry that logged the look. The same bytes lie beside the page (`FILE.cose`) and in the folder of the CSV files
//! (`audit.cose`), so that each place can be checked alone.

use crate::command::audit::{
    pass::{Passed, Plan, pass},
    pin::Pin,
    source::Source,
};
use crate::command::{moment, progress::Progress};
use anyhow::{Context as _, bail};
use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};
use suishen_core::{
    audit::{AuditStatement, FileVerdict, ReportFile, Row, report::csv::Sheet},
    contract::Views as _,
    sm::{Digest, DigestBuilder, SecretKey, Signed},
};

/// The signature's name in the folder of the CSV files.
const IN_FOLDER: &str = "audit.cose";
/// Largest signature that is read.
const MOST: u64 = 64 * 1024;
/// Largest file that is checked as a whole in memory; larger ones are hashed piece by piece.
const PIECE: usize = 1 << 16;

/// SM3 of a file, piece by piece.
pub fn digest_of(path: &Path) -> anyhow::Result<Digest> {
    let mut file = File::open(path).with_context(|| format!("could not read {}", path.display()))?;
    let (mut digest, mut piece) = (DigestBuilder::new(), vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece)?;
        let Some(part) = piece.get(..read).filter(|part| !part.is_empty()) else {
            return Ok(digest.finish());
        };
        digest.update(part);
    }
}

/// The signature's file beside a page.
fn beside(page: &Path) -> PathBuf {
    let mut name = page.file_name().unwrap_or_default().to_owned();
    name.push(".cose");
    page.with_file_name(name)
}

/// Signs the files and writes the signature into each place that has some.
pub fn sign(
    passed: &Passed,
    look: u64,
    key: &SecretKey,
    mut files: Vec<(String, Digest)>,
    (page, folder): (Option<&Path>, Option<&Path>),
) -> anyhow::Result<()> {
    files.sort();
    let statement = AuditStatement {
        ledger: passed.replay.ledger(),
        size: passed.replay.size(),
        tree: passed.replay.tree_root(),
        map: passed.replay.map_root(),
        time: passed.time,
        look,
        files: files.into_iter().map(|(name, digest)| ReportFile { name, digest }).collect(),
    };
    if !statement.is_sound() {
        bail!("the page of the report needs a name of its own: choose another with --report");
    }
    let bytes = Signed::new(&statement, key, &statement.ledger).to_bytes();
    for place in [page.map(beside), folder.map(|folder| folder.join(IN_FOLDER))].into_iter().flatten() {
        fs::write(&place, &bytes).with_context(|| format!("could not write {}", place.display()))?;
    }
    Ok(())
}

/// What checking a report gave, for printing.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What holds.
    pub good: Vec<String>,
    /// What doesn't.
    pub wrong: Vec<String>,
    /// Named and not in this place.
    pub absent: Vec<String>,
    /// Who signed, where the signature holds.
    pub by: Option<String>,
}

impl Verdict {
    /// All of it in a sentence.
    pub fn said(&self) -> String {
        match (&self.by, self.wrong.len()) {
            (Some(by), 0) if self.absent.is_empty() => {
                format!("it holds: as {by} signed it, over this ledger")
            }
            (Some(by), 0) => {
                format!(
                    "what is here holds: as {by} signed it, over this ledger; {} elsewhere",
                    self.absent.len()
                )
            }
            (_, 1) => "it does NOT hold: one thing is wrong".to_owned(),
            (_, wrong) => format!("it does NOT hold: {wrong} things are wrong"),
        }
    }
}

/// Checks a page or a folder of CSV files against its signature, and the signature against the ledger: replays as
/// many entries as it was made over, compares both roots, asks that state whose key signed, and looks at the entry by which
/// the look was logged.
pub fn verify(path: &Path, source: &mut Source, pin: &Pin) -> anyhow::Result<Verdict> {
    let (signature, folder) = if path.is_dir() {
        (path.join(IN_FOLDER), path.to_owned())
    } else {
        (beside(path), path.parent().unwrap_or(Path::new("")).to_owned())
    };
    let mut bytes = Vec::new();
    File::open(&signature).and_then(|file| file.take(MOST).read_to_end(&mut bytes)).with_context(|| {
        format!("there is no signature {}: it belongs beside the report", signature.display())
    })?;
    let mut verdict = Verdict::default();
    let claimed = Signed::<AuditStatement>::from_bytes(&bytes)
        .ok()
        .and_then(|signed| Some((signed.claimed().ok().filter(AuditStatement::is_sound)?, signed)));
    let Some((statement, signed)) = claimed else {
        verdict.wrong.push(format!("{}: it is no signature of an audit", signature.display()));
        return Ok(verdict);
    };
    pin.check(&statement.ledger)?;
    check_ledger(&statement, &signed, source, &mut verdict)?;
    let of_folder = path.is_dir();
    for ReportFile { name, .. } in &statement.files {
        let file = folder.join(name);
        match fs::metadata(&file) {
            Err(_) if of_folder && Sheet::ALL.iter().any(|sheet| sheet.name() == name) => {
                verdict.wrong.push(format!("{name}: it was signed and is not here"));
            }
            Err(_) => verdict.absent.push(name.clone()),
            Ok(_)
                if statement
                    .files
                    .iter()
                    .any(|it| it.name == *name && digest_of(&file).is_ok_and(|d| d == it.digest)) =>
            {
                verdict.good.push(name.clone());
            }
            Ok(_) => verdict.wrong.push(format!("{name}: it is not as it was signed")),
        }
    }
    named(path, &statement, &mut verdict);
    if of_folder {
        unsigned(&folder, &statement, &mut verdict)?;
    }
    Ok(verdict)
}

/// A folder's CSV files must all be ones that were signed, and there must be some.
fn unsigned(folder: &Path, statement: &AuditStatement, verdict: &mut Verdict) -> anyhow::Result<()> {
    if !statement.files.iter().any(|file| Sheet::ALL.iter().any(|sheet| sheet.name() == file.name)) {
        verdict.wrong.push(format!("{IN_FOLDER}: it signs no CSV file"));
    }
    let listed = fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut extra = Vec::new();
    for entry in listed {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let csv = Path::new(&name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if csv && !statement.files.iter().any(|file| file.name == name) {
            extra.push(format!("{name}: it was not signed"));
        }
    }
    extra.sort();
    verdict.wrong.append(&mut extra);
    Ok(())
}

/// The file that was asked for must be one that was signed.
fn named(path: &Path, statement: &AuditStatement, verdict: &mut Verdict) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if path.is_file() && statement.verdict(name, &[]) == FileVerdict::Unknown {
        verdict.wrong.push(format!("{name}: no file of this name was signed"));
    }
}

fn check_ledger(
    statement: &AuditStatement,
    signed: &Signed<AuditStatement>,
    source: &mut Source,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let plan = Plan {
        range: statement.look..statement.look.saturating_add(1),
        size: Some(statement.size),
        ..Plan::default()
    };
    let progress = Progress::new("entries");
    let mut look = None;
    let passed = pass(source, &plan, &progress, &mut |taken, _| {
        if let Some(Row::Look(found)) = taken.row {
            look = Some(found.at);
        }
        Ok(())
    })?;
    progress.done();
    let passed = match passed {
        Ok(passed) => passed,
        Err(why) => {
            verdict.wrong.push(why);
            return Ok(());
        }
    };
    let replay = &passed.replay;
    if replay.ledger() != statement.ledger {
        verdict.wrong.push(format!(
            "ledger: the report is about {}, not {}",
            statement.ledger,
            replay.ledger()
        ));
        return Ok(());
    }
    for (name, here, there) in
        [("tree", replay.tree_root(), statement.tree), ("map", replay.map_root(), statement.map)]
    {
        if here != there {
            verdict
                .wrong
                .push(format!("{name} root: that of the first {} entries is another", statement.size));
        }
    }
    match look {
        Some(at) => verdict.good.push(format!("looked by entry {}, of {}", at.entry, moment::utc(at.time))),
        None => verdict.wrong.push(format!(
            "look: entry {} is not one by which the auditor looked at this ledger",
            statement.look
        )),
    }
    let auditor = replay.state().auditor()?;
    match signed.verify_signature(&auditor.audit, &statement.ledger) {
        Ok(()) => {
            let by = passed.tables.named(&auditor.party).to_owned();
            verdict.good.push(format!("signed by the auditor's key, entry {}: {by}", statement.look));
            verdict.by = Some(by);
        }
        Err(_) => verdict.wrong.push("signature: not by the auditor's key of that time".into()),
    }
    Ok(())
}
