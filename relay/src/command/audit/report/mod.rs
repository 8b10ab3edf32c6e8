//! The report: a page of HTML, CSV files, and a signature over both.

pub mod csv;
mod html;
mod markup;
mod plot;
pub mod sign;
pub mod words;

pub use html::page;

use std::ops::Range;
use suishen_core::{
    audit::{BoxKeys, Finding, Tables, Thresholds},
    id::LedgerId,
};
use words::Language;

/// What a report is about.
#[derive(Debug)]
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
    /// What was counted.
    pub tables: &'a Tables,
    /// What is wrong, in the order of the entries.
    pub findings: &'a [Finding],
    /// Findings beyond those that are listed.
    pub more: u64,
    /// What is unusual.
    pub thresholds: &'a Thresholds,
    /// The quarters' keys at hand.
    pub keys: &'a BoxKeys,
}
