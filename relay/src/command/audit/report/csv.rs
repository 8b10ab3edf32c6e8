//! The lines of an audit as CSV (RFC 4180), one file a kind: written as they come, so that their number doesn't matter.
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe. The files begin with a byte order mark,
//! without which spreadsheets take Chinese for something else.

use super::words::{Language, local};
use anyhow::Context as _;
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};
use suishen_core::{
    audit::{Finding, Look, Read, Reversal, Row, Settlement, Tables, Told},
    sm::Digest,
};

/// The files, in the order of their names.
pub const NAMES: [&str; 6] =
    ["claims.csv", "findings.csv", "looks.csv", "readers.csv", "reads.csv", "reversals.csv"];

/// The files of an audit under way.
pub struct Csv {
    folder: PathBuf,
    language: Language,
    reads: Sheet,
    claims: Sheet,
    reversals: Sheet,
    looks: Sheet,
    findings: Sheet,
}

/// One file.
struct Sheet(BufWriter<File>);

impl Sheet {
    fn new(folder: &Path, name: &str, head: &[&str]) -> anyhow::Result<Self> {
        let path = folder.join(name);
        let file = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
        let mut sheet = Self(BufWriter::new(file));
        sheet.0.write_all("\u{feff}".as_bytes())?;
        sheet.row(head)?;
        Ok(sheet)
    }

    fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> anyhow::Result<()> {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell.as_ref())).collect();
        self.0.write_all(cells.join(",").as_bytes())?;
        Ok(self.0.write_all(b"\r\n")?)
    }
}

/// A cell that is nothing but text, to whatever reads it.
fn escaped(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn told<T>(told: &Told<T>) -> &'static str {
    match told {
        Told::Opened(_) => "opened",
        Told::NoKey => "no-key",
        Told::Wrong => "wrong",
    }
}

impl Csv {
    /// Begins all files in a folder, which is made.
    pub fn new(folder: &Path, language: Language) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        let sheet = |name, head: &[&str]| Sheet::new(folder, name, head);
        Ok(Self {
            folder: folder.to_owned(),
            language,
            reads: sheet(
                "reads.csv",
                &[
                    "entry", "time", "grant", "use", "kind", "role", "party", "name", "title", "unit", "key",
                    "purpose", "holder", "classes", "records", "box", "consent",
                ],
            )?,
            claims: sheet(
                "claims.csv",
                &[
                    "entry", "time", "insurer", "slot", "hospital", "tag", "grant", "decision", "claimed",
                    "paid", "currency", "reason", "invoice", "anchor", "box",
                ],
            )?,
            reversals: sheet(
                "reversals.csv",
                &["entry", "time", "party", "slot", "tag", "why", "name", "words", "box"],
            )?,
            looks: sheet("looks.csv", &["entry", "time", "why", "from", "to", "box"])?,
            findings: sheet(
                "findings.csv",
                &["entry", "time", "finding", "unusual", "what", "party", "role", "person", "proven", "key"],
            )?,
        })
    }

    /// One line.
    pub fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        match row {
            Row::Read(read) => self.read(read),
            Row::Settlement(settlement) => self.settlement(settlement),
            Row::Reversal(reversal) => self.reversal(reversal),
            Row::Look(look) => self.look(look),
        }
    }

    fn read(&mut self, read: &Read) -> anyhow::Result<()> {
        let who = read.by.opened();
        let name =
            |of: fn(&suishen_core::audit::Professional) -> &String| who.map(of).cloned().unwrap_or_default();
        let consent = read.consent.opened();
        let classes: Vec<&str> = read.classes.iter().map(|class| self.language.class(*class)).collect();
        let kind = match read.kind {
            suishen_core::contract::Kind::Read => "read",
            suishen_core::contract::Kind::Claim => "claim",
        };
        self.reads.row(&[
            read.at.entry.to_string(),
            local(read.at.time),
            read.grant.to_hex(),
            read.number.to_string(),
            kind.to_owned(),
            self.language.role(read.role).to_owned(),
            read.party.to_string(),
            name(|who| &who.name),
            name(|who| &who.title),
            name(|who| &who.unit),
            who.map(|who| who.key.key_id().to_string()).unwrap_or_default(),
            consent.map(|consent| consent.purpose.clone()).unwrap_or_default(),
            consent.map(|consent| consent.holder.to_hex()).unwrap_or_default(),
            classes.join(" "),
            read.records.to_string(),
            told(&read.by).to_owned(),
            told(&read.consent).to_owned(),
        ])
    }

    fn settlement(&mut self, settlement: &Settlement) -> anyhow::Result<()> {
        let of = settlement.told.opened();
        let amount = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        self.claims.row(&[
            settlement.at.entry.to_string(),
            local(settlement.at.time),
            settlement.party.to_string(),
            self.language.slot(settlement.slot).to_owned(),
            settlement.issuer.to_string(),
            settlement.tag.to_hex(),
            settlement.grant.to_hex(),
            of.map(|told| self.language.decision(told.decision).to_owned()).unwrap_or_default(),
            of.map(|told| amount(told.claimed.hundredths())).unwrap_or_default(),
            of.map(|told| amount(told.paid.hundredths())).unwrap_or_default(),
            of.map(|told| told.paid.currency().to_owned()).unwrap_or_default(),
            of.map(|told| told.reason.clone()).unwrap_or_default(),
            of.map(|told| told.invoice.to_hex()).unwrap_or_default(),
            of.map(|told| hex(&told.anchor)).unwrap_or_default(),
            told(&settlement.told).to_owned(),
        ])
    }

    fn reversal(&mut self, reversal: &Reversal) -> anyhow::Result<()> {
        let (name, words) =
            reversal.told.opened().map(|(who, words)| (who.name.clone(), words.clone())).unwrap_or_default();
        self.reversals.row(&[
            reversal.at.entry.to_string(),
            local(reversal.at.time),
            reversal.party.to_string(),
            self.language.slot(reversal.slot).to_owned(),
            reversal.tag.to_hex(),
            self.language.reason(reversal.why).to_owned(),
            name,
            words,
            told(&reversal.told).to_owned(),
        ])
    }

    fn look(&mut self, look: &Look) -> anyhow::Result<()> {
        let said = look.told.opened();
        self.looks.row(&[
            look.at.entry.to_string(),
            local(look.at.time),
            said.map(|(why, ..)| why.clone()).unwrap_or_default(),
            said.map(|(_, from, _)| from.to_string()).unwrap_or_default(),
            said.map(|(_, _, to)| to.to_string()).unwrap_or_default(),
            told(&look.told).to_owned(),
        ])
    }

    /// One finding.
    pub fn finding(&mut self, finding: &Finding, tables: &Tables) -> anyhow::Result<()> {
        let (party, person) = self.language.signer(finding, tables);
        let signer = &finding.signer;
        self.findings.row(&[
            finding.at.entry.to_string(),
            local(finding.at.time),
            finding.what.name().to_owned(),
            finding.what.is_unusual().to_string(),
            self.language.wrong(&finding.what, tables),
            signer.party.as_ref().map_or(party, ToString::to_string),
            signer.role.map(|role| self.language.role(role).to_owned()).unwrap_or_default(),
            person,
            signer.proven.to_string(),
            signer.desk.map(|key| key.key_id().to_string()).unwrap_or_default(),
        ])
    }

    /// Ends all files, with who read how much; their names and digests.
    pub fn end(mut self, tables: &Tables) -> anyhow::Result<Vec<(String, Digest)>> {
        let head =
            ["party", "name", "title", "unit", "key", "role", "reads", "records", "night", "first", "last"];
        let mut readers = Sheet::new(&self.folder, "readers.csv", &head)?;
        for ((party, key), reader) in &tables.readers {
            readers.row(&[
                party.to_string(),
                reader.who.name.clone(),
                reader.who.title.clone(),
                reader.who.unit.clone(),
                key.key_id().to_string(),
                self.language.role(reader.role).to_owned(),
                reader.reads.to_string(),
                reader.records.to_string(),
                reader.night.to_string(),
                local(reader.first.time),
                local(reader.last.time),
            ])?;
        }
        for sheet in [
            &mut self.reads,
            &mut self.claims,
            &mut self.reversals,
            &mut self.looks,
            &mut self.findings,
            &mut readers,
        ] {
            sheet.0.flush()?;
        }
        let digest = |name: &str| Ok((name.to_owned(), super::sign::digest_of(&self.folder.join(name))?));
        NAMES.into_iter().map(digest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_holds() {
        for (cell, written) in [
            ("李静", "李静"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@a", "'@a"),
            ("a,b", "\"a,b\""),
            ("a\r\nb", "\"a\r\nb\""),
        ] {
            assert_eq!(escaped(cell), written);
        }
    }
}
