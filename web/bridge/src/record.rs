//! The wallet's records: what the list is asked for, its rows, and one record to be read with what was checked of it.

use serde::{Deserialize, Serialize};
use suishen_core::fhir::{Kind, ReportView, Series};

/// What the record list shows.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Words that must all occur in title, hospital, department, finding, values' names, tags.
    pub search: String,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Hidden ones too.
    pub hidden: bool,
    /// At most so many, the first ones; all where it isn't said.
    pub most: Option<u32>,
}

/// The rows that were asked for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordList {
    /// The first ones, newest first.
    pub cards: Vec<RecordCard>,
    /// How many more there are.
    pub more: u32,
    /// The person's own tags on any of them, shown or not.
    pub tags: Vec<String>,
}

/// One row of the list. Rows of the same `visit` make a card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCard {
    /// The record.
    pub record: String,
    /// Groups a visit: date, department, hospital.
    pub visit: String,
    /// The day, `2026-11-12`.
    pub date: String,
    /// Department, may be empty.
    pub department: String,
    /// Hospital.
    pub organisation: String,
    /// Laboratory, imaging, discharge…
    pub kind: Kind,
    /// Title.
    pub title: String,
    /// Values above their range.
    pub high: u32,
    /// Values below their range.
    pub low: u32,
    /// The finding in words, when there are no counts.
    pub finding: String,
    /// New, corrected…
    pub marks: Vec<RecordTag>,
    /// The person's own tags.
    pub tags: Vec<String>,
    /// Hidden by the person.
    pub hidden: bool,
    /// Never in a bulk choice when sensitive.
    pub sensitivity: Sensitivity,
}

impl RecordCard {
    /// Whether it can be put before somebody else: not hidden, and still whole on this device.
    pub fn can_be_shown(&self) -> bool {
        !self.hidden && !self.marks.contains(&RecordTag::Damaged) && !self.marks.contains(&RecordTag::Coming)
    }
}

/// The marks of LOOK's record card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordTag {
    /// 新: kept since the person last looked.
    New,
    /// 已更正: the issuer has issued a newer version.
    Corrected,
    /// 已撤回: the issuer has withdrawn it.
    Withdrawn,
    /// 已冲红: an invoice that its hospital reversed.
    Reversed,
    /// 已换开: an invoice that its hospital issued again on paper.
    OnPaper,
    /// The issuing organisation was suspended from before it was issued: not to be relied on.
    IssuerSuspended,
    /// The issuing organisation was suspended since; what it issued before holds.
    IssuerSuspendedSince,
    /// Its content can't be read from this device's storage any more.
    Damaged,
    /// Its content is still on its way from another device or the mailbox.
    Coming,
}

/// Whether a record may be in a bulk choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sensitivity {
    /// Ordinary.
    Normal,
    /// HIV, psychiatric, genetic, reproductive: added by hand only.
    Sensitive,
}

/// One record, to be read.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecordDetail {
    /// The row.
    pub card: RecordCard,
    /// Its content.
    pub view: ReportView,
    /// Values with a history in this wallet.
    pub series: Vec<Series>,
    /// Attachments: (part, name, media type, bytes).
    pub files: Vec<(u32, String, String, u64)>,
    /// What was checked.
    pub proof: Vec<ProofLine>,
    /// Every check passed.
    pub sound: bool,
}

/// One line of the proof sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofLine {
    /// Fluent key, for example `proof-signature`, `proof-chain`, `proof-digests`, `proof-anchor`.
    pub key: String,
    /// Passed.
    pub good: bool,
    /// Detail: organisation, entry number, hash.
    pub detail: String,
}
