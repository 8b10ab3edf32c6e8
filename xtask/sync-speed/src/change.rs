//! What a person does, over and over: puts a tag on a record.

use suishen_core::{
    id::Commitment,
    sm::{Digest, Random},
};

/// Seconds since 1970 of the first change.
const BEGIN: u64 = 1_780_000_000;
/// Seconds from one change to the next.
const APART: u64 = 7200;
const TAGS: [&str; 8] =
    ["妈妈", "爸爸", "体检", "住院", "化验", "影像", "给保险公司", "to ask at the next visit"];

/// One tag on one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record, as the ledger knows it.
    pub record: Commitment,
    /// The tag.
    pub tag: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

impl Change {
    /// A record's first tag.
    pub fn of(record: u32) -> Self {
        let commitment = Commitment::from_digest(Digest::of(&record.to_be_bytes()));
        let tag = TAGS[record as usize % TAGS.len()].to_owned();
        Self { record: commitment, tag, time: BEGIN + u64::from(record) * APART }
    }

    /// Another tag on the same record, after so many changes in all.
    pub fn again(record: u32, after: u32) -> Self {
        Self {
            tag: format!("{} {after}", TAGS[after as usize % TAGS.len()]),
            time: BEGIN + u64::from(after) * APART,
            ..Self::of(record)
        }
    }
}

/// Bytes that are the same in every run, so that a run's sizes are the next one's: SM3 of a counter.
#[derive(Clone, Debug, Default)]
pub struct Repeatable(u64);

impl Repeatable {
    /// Others for every device.
    pub const fn of(device: u8) -> Self {
        Self((device as u64) << 32)
    }
}

impl Random for Repeatable {
    fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(32) {
            self.0 += 1;
            piece.copy_from_slice(&Digest::of(&self.0.to_be_bytes()).as_bytes()[..piece.len()]);
        }
    }
}
