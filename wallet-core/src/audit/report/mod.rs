//! The report of an audit: a page of HTML to print ([`page`]) and the lines of CSV files ([`csv`]), in Chinese or
//! English. `suishen audit` and the auditor's desk write the same. Who signs it: [`AuditStatement`](super::AuditStatement).

pub mod csv;
mod html;
mod listed;
mod markup;
mod plot;
mod words;

pub use html::page;
pub use listed::{Listed, MOST_LISTED, Newest};
pub use words::{Language, local, sum};

use super::{BoxKeys, Days, Finding, Tables, Thresholds};
use crate::id::LedgerId;
use core::ops::Range;

/// Findings that a page lists one by one; all of them are counted, and in the CSV files.
pub const MOST_FINDINGS: usize = 5000;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The ledger.
    pub ledger: LedgerId,
    /// Entries, the genesis object included.
    pub size: u64,
    /// When it was founded.
    pub founded: u64,
    /// When its last entry was written.
    pub last: u64,
    /// When its checkpoint was cosigned.
    pub cosigned: u64,
}

/// The look by which boxes were opened.
#[derive(Debug)]
pub struct Looked<'a> {
    /// Its entry.
    pub entry: u64,
    /// Why.
    pub why: &'a str,
    /// Which entries.
    pub range: Range<u64>,
}

/// Everything that a page shows.
#[derive(Debug)]
pub struct Content<'a> {
    /// In which language.
    pub language: Language,
    /// About which ledger.
    pub facts: Facts,
    /// By which look; none where no box was opened.
    pub look: Option<Looked<'a>>,
    /// Of which days, where they were chosen by days.
    pub days: Option<Days>,
    /// What was counted.
    pub tables: &'a Tables,
    /// What is listed one by one.
    pub listed: &'a Listed,
    /// What is wrong, in the order of the entries.
    pub findings: &'a [Finding],
    /// Findings beyond those that are listed.
    pub more: u64,
    /// What is unusual.
    pub thresholds: &'a Thresholds,
    /// The quarters' keys at hand.
    pub keys: &'a BoxKeys,
}
