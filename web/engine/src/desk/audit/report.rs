//! The report of the audit that this worker did last: a page to print and CSV files, written and signed as
//! `suishen audit --report --csv` writes and signs them, so that `suishen audit --verify` takes them.

use core::ops::Range;
use std::io::{Cursor, Write as _};
use suishen_bridge::{Action, AuditRead, Fault, ReportForm};
use suishen_core::audit::report::{
    Content, Facts, Language, Listed, Looked, MOST_FINDINGS,
    csv::{self, Sheet},
    page,
};
use suishen_core::audit::{
    AuditStatement, BoxKeys, Days, FileVerdict, Finding, Professional, Read, ReportFile, Row, Tables, Taken,
    Thresholds, Told,
};
use suishen_core::report::Sensitivity;
use suishen_core::sm::{Digest, PublicKey, SecretKey, Signed};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Lines that are held for the CSV files; of a longer ledger `suishen audit --csv` writes them.
const MOST_LINES: usize = 100_000;
/// Reads that are shown at a time.
const READS: usize = 50;
/// The page's name, which the signature says.
const PAGE: &str = "audit.html";

/// What the entries gave, as they were taken.
#[derive(Debug, Default)]
pub struct Lines {
    rows: Vec<Row>,
    /// What the page lists of them, also beyond those that are held.
    listed: Listed,
    pub findings: Vec<Finding>,
    /// Findings in all.
    pub count: u64,
    /// Whether there were more lines than are held.
    pub cut: bool,
}

impl Lines {
    /// Takes what came of an entry.
    pub fn take(&mut self, taken: Taken) {
        self.note(taken.findings);
        if let Some(row) = taken.row {
            self.listed.take(&row);
            if self.rows.len() < MOST_LINES {
                self.rows.push(row);
            } else {
                self.cut = true;
            }
        }
    }

    /// Takes what was found.
    pub fn note(&mut self, findings: Vec<Finding>) {
        self.count += findings.len() as u64;
        let room = MOST_LINES.saturating_sub(self.findings.len());
        self.cut |= findings.len() > room;
        self.findings.extend(findings.into_iter().take(room));
    }
}

/// A look that is on the ledger.
#[derive(Clone, Debug)]
pub struct Logged {
    pub entry: u64,
    /// Whose boxes are opened.
    pub range: Range<u64>,
    pub why: String,
}

/// An audit that was done, with all that its report needs.
#[derive(Debug)]
pub struct Done {
    pub facts: Facts,
    /// None where no box was opened.
    pub look: Option<Logged>,
    /// None where it is of everything.
    pub days: Option<Days>,
    /// Both roots at that size.
    pub roots: (Digest, Digest),
    /// Whose signature a report needs.
    pub auditor: PublicKey,
    pub tables: Tables,
    pub thresholds: Thresholds,
    pub keys: BoxKeys,
    pub lines: Lines,
}

/// Hex digits by which a name is told from others on the screen; the files have it whole.
const BEGINNING: usize = 8;

fn beginning(hex: &str) -> String {
    hex.chars().take(BEGINNING).collect()
}

/// Each class once, in the order of the numbers of the format.
fn classes(read: &[Sensitivity]) -> Vec<String> {
    let all = [
        (Sensitivity::Ordinary, "ordinary"),
        (Sensitivity::Hiv, "hiv"),
        (Sensitivity::Psychiatric, "psychiatric"),
        (Sensitivity::Genetic, "genetic"),
        (Sensitivity::Reproductive, "reproductive"),
        (Sensitivity::Other, "other"),
    ];
    all.into_iter().filter(|(class, _)| read.contains(class)).map(|(_, name)| name.to_owned()).collect()
}

impl Done {
    /// Reads, newest first.
    pub fn reads(&self, skip: u64) -> Vec<AuditRead> {
        let reads = self.lines.rows.iter().rev().filter_map(|row| match row {
            Row::Read(read) => Some(read),
            _ => None,
        });
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let shown = |read: &Read| AuditRead {
            entry: read.at.entry,
            time: read.at.time,
            who: read.by.opened().map(Professional::described).unwrap_or_default(),
            organisation: self.tables.named(&read.party).to_owned(),
            records: read.records,
            classes: classes(&read.classes),
            authority: (
                read.consent.opened().map(|consent| beginning(&consent.holder.to_hex())),
                beginning(&read.grant.to_hex()),
            ),
            purpose: read.consent.opened().map(|consent| consent.purpose.clone()),
            proven: match &read.by {
                Told::Opened(_) => Some(true),
                Told::Wrong => Some(false),
                Told::NoKey => None,
            },
        };
        reads.skip(skip).take(READS).map(shown).collect()
    }

    /// A file to save: its name and bytes. `held` are the keys at hand, of which the auditor's signs.
    pub fn report(
        &self,
        form: ReportForm,
        english: bool,
        held: &[SecretKey],
    ) -> Result<(String, Vec<u8>), Fault> {
        let language = if english { Language::English } else { Language::Chinese };
        match form {
            ReportForm::Page => Ok((PAGE.to_owned(), self.page(language).into_bytes())),
            ReportForm::Whole => {
                let key = held.iter().find(|key| key.public() == self.auditor);
                let files = self.whole(language, key)?;
                let zip = zipped(&files).ok_or_else(|| Fault::new("audit-zip", Action::Retry))?;
                Ok(("audit.zip".to_owned(), zip))
            }
        }
    }

    fn page(&self, language: Language) -> String {
        let listed = self.lines.findings.get(..MOST_FINDINGS).unwrap_or(&self.lines.findings);
        page(&Content {
            language,
            facts: self.facts,
            days: self.days,
            look: self.look.as_ref().map(|look| Looked {
                entry: look.entry,
                why: &look.why,
                range: look.range.clone(),
            }),
            tables: &self.tables,
            listed: &self.lines.listed,
            findings: listed,
            more: self.lines.count - listed.len() as u64,
            thresholds: &self.thresholds,
            keys: &self.keys,
        })
    }

    /// Page, CSV files where all lines are held, and the signature where boxes were opened.
    fn whole(&self, language: Language, key: Option<&SecretKey>) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let mut files = vec![(PAGE.to_owned(), self.page(language).into_bytes())];
        if !self.lines.cut {
            files.extend(self.tables_as_csv(language));
        }
        let Some(look) = &self.look else { return Ok(in_folders(files, None)) };
        let key = key.ok_or_else(|| Fault::new("audit-no-signing", Action::Retry))?;
        let digest =
            |(name, bytes): &(String, Vec<u8>)| ReportFile { name: name.clone(), digest: Digest::of(bytes) };
        let (tree, map) = self.roots;
        let Facts { ledger, size, cosigned: time, .. } = self.facts;
        let mut named: Vec<ReportFile> = files.iter().map(digest).collect();
        named.sort_by(|a, b| a.name.cmp(&b.name));
        let statement = AuditStatement { ledger, size, tree, map, time, look: look.entry, files: named };
        let as_signed =
            |(name, bytes): &(String, Vec<u8>)| statement.verdict(name, bytes) == FileVerdict::Same;
        if !statement.is_sound() || !files.iter().all(as_signed) {
            return Err(Fault::new("audit-zip", Action::Retry));
        }
        let signature = Signed::new(&statement, key, &ledger).to_bytes();
        Ok(in_folders(files, Some(signature)))
    }

    fn tables_as_csv(&self, language: Language) -> Vec<(String, Vec<u8>)> {
        let mut texts: Vec<(Sheet, String)> = Sheet::ALL.map(|sheet| (sheet, sheet.begin())).into();
        let mut add = |sheet: Sheet, line: &str| {
            if let Some((_, text)) = texts.iter_mut().find(|(of, _)| *of == sheet) {
                text.push_str(line);
            }
        };
        for row in &self.lines.rows {
            let (sheet, line) = csv::row(row, language);
            add(sheet, &line);
        }
        for finding in &self.lines.findings {
            add(Sheet::Findings, &csv::finding(finding, &self.tables, language));
        }
        for line in csv::readers(&self.tables, language) {
            add(Sheet::Readers, &line);
        }
        for line in csv::months(&self.tables, language) {
            add(Sheet::Months, &line);
        }
        texts.into_iter().map(|(sheet, text)| (sheet.name().to_owned(), text.into_bytes())).collect()
    }
}

/// Where the files lie: the page with the signature beside it, the others in a folder with the same signature.
fn in_folders(files: Vec<(String, Vec<u8>)>, signature: Option<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let tables = files.len() > 1;
    let place = |(name, bytes)| (if name == PAGE { name } else { format!("csv/{name}") }, bytes);
    let mut placed: Vec<(String, Vec<u8>)> = files.into_iter().map(place).collect();
    if let Some(signature) = signature {
        if tables {
            placed.push(("csv/audit.cose".to_owned(), signature.clone()));
        }
        placed.push((format!("{PAGE}.cose"), signature));
    }
    placed
}

/// The files in one, not compressed: what reads it needs no more than to cut it.
fn zipped(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        zip.start_file(name.as_str(), plain).ok()?;
        zip.write_all(bytes).ok()?;
    }
    Some(zip.finish().ok()?.into_inner())
}
