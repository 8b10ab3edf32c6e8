//! The lines of an audit as CSV (RFC 4180), one file a kind: line by line, so that their number doesn't matter.
//!
//! Every cell is quoted, so that no reader splits one at a separator of its own, and one that a spreadsheet would take for
//! a formula begins with an apostrophe, also where the sign is a full-width one or stands behind blanks. The files begin with a byte order mark,
//! without which spreadsheets take Chinese for something else.

use super::words::{Language, local};
use crate::audit::{Finding, Look, Professional, Read, Reversal, Row, Settlement, Tables, Told};
use crate::contract::Kind;

/// A file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sheet {
    /// What was settled.
    Claims,
    /// What is wrong or unusual.
    Findings,
    /// The auditor's own looks.
    Looks,
    /// Who read how much in which month.
    Months,
    /// Who read how much.
    Readers,
    /// Who read.
    Reads,
    /// What was taken back or voided.
    Reversals,
}

impl Sheet {
    /// All, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::Claims,
        Self::Findings,
        Self::Looks,
        Self::Months,
        Self::Readers,
        Self::Reads,
        Self::Reversals,
    ];

    /// The file's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claims => "claims.csv",
            Self::Findings => "findings.csv",
            Self::Looks => "looks.csv",
            Self::Months => "months.csv",
            Self::Readers => "readers.csv",
            Self::Reads => "reads.csv",
            Self::Reversals => "reversals.csv",
        }
    }

    /// How the file begins.
    pub fn begin(self) -> String {
        format!("\u{feff}{}", line(self.head()))
    }

    const fn head(self) -> &'static [&'static str] {
        match self {
            Self::Reads => &[
                "entry", "time", "grant", "use", "kind", "role", "party", "name", "title", "unit", "key",
                "purpose", "holder", "classes", "records", "box", "consent",
            ],
            Self::Claims => &[
                "entry", "time", "insurer", "slot", "hospital", "tag", "grant", "decision", "claimed",
                "paid", "currency", "reason", "invoice", "anchor", "box",
            ],
            Self::Reversals => &["entry", "time", "party", "slot", "tag", "why", "name", "words", "box"],
            Self::Looks => &["entry", "time", "why", "from", "to", "box"],
            Self::Findings => {
                &["entry", "time", "finding", "unusual", "what", "party", "role", "person", "proven", "key"]
            }
            Self::Months => {
                &["month", "party", "name", "title", "unit", "key", "role", "reads", "records", "night"]
            }
            Self::Readers => &[
                "party", "name", "title", "unit", "key", "role", "reads", "records", "night", "first", "last",
            ],
        }
    }
}

/// A line of cells.
fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell.as_ref())).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that is nothing but text, to whatever reads it.
fn escaped(cell: &str) -> String {
    let sign = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let formula = cell.starts_with(['\t', '\r', '\n']) || cell.trim_start().starts_with(sign);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

fn told<T>(told: &Told<T>) -> &'static str {
    match told {
        Told::Opened(_) => "opened",
        Told::NoKey => "no-key",
        Told::Wrong => "wrong",
    }
}

/// The line of an entry, and in which file it stands.
pub fn row(row: &Row, language: Language) -> (Sheet, String) {
    match row {
        Row::Read(it) => (Sheet::Reads, read(it, language)),
        Row::Settlement(it) => (Sheet::Claims, settlement(it, language)),
        Row::Reversal(it) => (Sheet::Reversals, reversal(it, language)),
        Row::Look(it) => (Sheet::Looks, look(it)),
    }
}

fn read(read: &Read, language: Language) -> String {
    let who = read.by.opened();
    let name = |of: fn(&Professional) -> &String| who.map(of).cloned().unwrap_or_default();
    let consent = read.consent.opened();
    let classes: Vec<&str> = read.classes.iter().map(|class| language.class(*class)).collect();
    let kind = match read.kind {
        Kind::Read => "read",
        Kind::Claim => "claim",
    };
    line(&[
        read.at.entry.to_string(),
        local(read.at.time),
        read.grant.to_hex(),
        read.number.to_string(),
        kind.to_owned(),
        language.role(read.role).to_owned(),
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

fn settlement(settlement: &Settlement, language: Language) -> String {
    let of = settlement.told.opened();
    let amount = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    line(&[
        settlement.at.entry.to_string(),
        local(settlement.at.time),
        settlement.party.to_string(),
        language.slot(settlement.slot).to_owned(),
        settlement.issuer.to_string(),
        settlement.tag.to_hex(),
        settlement.grant.to_hex(),
        of.map(|told| language.decision(told.decision).to_owned()).unwrap_or_default(),
        of.map(|told| amount(told.claimed.hundredths())).unwrap_or_default(),
        of.map(|told| amount(told.paid.hundredths())).unwrap_or_default(),
        of.map(|told| told.paid.currency().to_owned()).unwrap_or_default(),
        of.map(|told| told.reason.clone()).unwrap_or_default(),
        of.map(|told| told.invoice.to_hex()).unwrap_or_default(),
        of.map(|told| hex(&told.anchor)).unwrap_or_default(),
        told(&settlement.told).to_owned(),
    ])
}

fn reversal(reversal: &Reversal, language: Language) -> String {
    let (name, words) =
        reversal.told.opened().map(|(who, words)| (who.name.clone(), words.clone())).unwrap_or_default();
    line(&[
        reversal.at.entry.to_string(),
        local(reversal.at.time),
        reversal.party.to_string(),
        language.slot(reversal.slot).to_owned(),
        reversal.tag.to_hex(),
        language.reason(reversal.why).to_owned(),
        name,
        words,
        told(&reversal.told).to_owned(),
    ])
}

fn look(look: &Look) -> String {
    let said = look.told.opened();
    line(&[
        look.at.entry.to_string(),
        local(look.at.time),
        said.map(|(why, ..)| why.clone()).unwrap_or_default(),
        said.map(|(_, from, _)| from.to_string()).unwrap_or_default(),
        said.map(|(_, _, to)| to.to_string()).unwrap_or_default(),
        told(&look.told).to_owned(),
    ])
}

/// The line of a finding.
pub fn finding(finding: &Finding, tables: &Tables, language: Language) -> String {
    let (party, person) = language.signer(finding, tables);
    let signer = &finding.signer;
    line(&[
        finding.at.entry.to_string(),
        local(finding.at.time),
        finding.what.name().to_owned(),
        finding.what.is_unusual().to_string(),
        language.wrong(&finding.what, tables),
        signer.party.as_ref().map_or(party, ToString::to_string),
        signer.role.map(|role| language.role(role).to_owned()).unwrap_or_default(),
        person,
        signer.proven.to_string(),
        signer.desk.map(|key| key.key_id().to_string()).unwrap_or_default(),
    ])
}

/// The lines of who read how much.
pub fn readers(tables: &Tables, language: Language) -> impl Iterator<Item = String> {
    tables.readers.iter().map(move |((party, key), reader)| {
        line(&[
            party.to_string(),
            reader.who.name.clone(),
            reader.who.title.clone(),
            reader.who.unit.clone(),
            key.key_id().to_string(),
            language.role(reader.role).to_owned(),
            reader.reads.to_string(),
            reader.records.to_string(),
            reader.night.to_string(),
            local(reader.first.time),
            local(reader.last.time),
        ])
    })
}

/// The lines of who read how much in which month. Nameless reads have a line for each organisation, so that an
/// organisation's lines add up to what its people read.
pub fn months(tables: &Tables, language: Language) -> impl Iterator<Item = String> {
    tables.people.iter().map(move |((month, party, key), counted)| {
        let reader = tables.reader(party, key.as_ref());
        let of = |part: fn(&Professional) -> &String| {
            reader.map(|reader| part(&reader.who).clone()).unwrap_or_default()
        };
        line(&[
            month.to_string(),
            party.to_string(),
            of(|who| &who.name),
            of(|who| &who.title),
            of(|who| &who.unit),
            key.map(|key| key.key_id().to_string()).unwrap_or_default(),
            reader.map(|reader| language.role(reader.role).to_owned()).unwrap_or_default(),
            counted.reads.to_string(),
            counted.records.to_string(),
            counted.night.to_string(),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_holds() {
        for (cell, written) in [
            ("", "\"\""),
            ("李静", "\"李静\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@a", "\"'@a\""),
            ("＝1", "\"'＝1\""),
            ("＋1", "\"'＋1\""),
            ("－1", "\"'－1\""),
            ("＠a", "\"'＠a\""),
            (" =1", "\"' =1\""),
            ("\t1", "\"'\t1\""),
            ("1;=1", "\"1;=1\""),
            ("a,b", "\"a,b\""),
            ("a\r\nb", "\"a\r\nb\""),
        ] {
            assert_eq!(escaped(cell), written);
        }
    }
}
