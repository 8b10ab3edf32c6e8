//! What is unusual among reads: many by one person, where peers have few; several in one night. By thresholds that are
//! said, never learned: whoever is named can be told why.

use super::clock;
use super::row::{At, Finding, Professional, Read, Signer, Told, Wrong};
use crate::contract::Role;
use crate::id::PartyId;
use crate::sm::PublicKey;
use std::collections::BTreeMap;

/// From when on a read is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Reads are counted in windows of so many seconds, side by side, the first from midnight in China.
    pub window: u64,
    /// Fewer reads in a window are never unusual.
    pub many: u64,
    /// So many times the median of the others in the same role is unusual.
    pub times: u64,
    /// The night in China: from this hour on, and until this one.
    pub night: (u8, u8),
    /// So many reads in one night are unusual. Servers work at night and aren't counted.
    pub night_reads: u64,
    /// A box key should be changed after so many seconds.
    pub quarter: u64,
}

impl Default for Thresholds {
    /// 30 reads a day and four times the median; three reads between 23 and 6 o'clock; 93 days.
    fn default() -> Self {
        Self {
            window: clock::DAY,
            many: 30,
            times: 4,
            night: (23, 6),
            night_reads: 3,
            quarter: 93 * clock::DAY,
        }
    }
}

impl Thresholds {
    /// Whether it is night in China.
    pub const fn is_night(&self, at: u64) -> bool {
        let (hour, (from, to)) = (clock::hour(at), self.night);
        if from <= to { from <= hour && hour < to } else { hour >= from || hour < to }
    }

    fn window_of(&self, at: u64) -> u64 {
        at.saturating_add(8 * 3600) / self.window.max(1)
    }
}

type Who = (Role, PartyId, PublicKey);

/// One person's reads in the window that is open.
#[derive(Clone, Debug)]
struct Count {
    reads: u64,
    last: At,
    signer: Signer,
}

/// Counts the window and the night that are open, and nothing of those before.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    thresholds: Thresholds,
    window: (u64, BTreeMap<Who, Count>),
    night: (u64, BTreeMap<Who, Count>),
}

impl Watch {
    pub(super) const fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, window: (0, BTreeMap::new()), night: (0, BTreeMap::new()) }
    }

    /// Takes the next read; tells of the window and the night that it ends.
    pub(super) fn take(&mut self, read: &Read, signer: &Signer) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (window, night) = (self.thresholds.window_of(read.at.time), clock::night(read.at.time));
        if window != self.window.0 {
            self.end_window(&mut findings);
            self.window.0 = window;
        }
        if night != self.night.0 {
            self.end_night(&mut findings);
            self.night.0 = night;
        }
        if let Told::Opened(who) = &read.by {
            note(&mut self.window.1, read, who, signer);
            if self.thresholds.is_night(read.at.time) && !who.server {
                note(&mut self.night.1, read, who, signer);
            }
        }
        findings
    }

    /// Nothing comes any more.
    pub(super) fn end(mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.end_window(&mut findings);
        self.end_night(&mut findings);
        findings
    }

    fn end_window(&mut self, findings: &mut Vec<Finding>) {
        let counts = core::mem::take(&mut self.window.1);
        let many = counts.iter().filter(|(_, count)| count.reads >= self.thresholds.many.max(1));
        for (who, count) in many {
            let others = counts.iter().filter(|(other, _)| other.0 == who.0 && *other != who);
            let peers = median(others.map(|(_, count)| count.reads).collect());
            let most = peers.map_or(0, |median| median.saturating_mul(self.thresholds.times));
            if count.reads >= most {
                findings.push(count.finding(Wrong::ManyReads { reads: count.reads, peers }));
            }
        }
    }

    fn end_night(&mut self, findings: &mut Vec<Finding>) {
        let counts = core::mem::take(&mut self.night.1);
        let many = counts.into_values().filter(|count| count.reads >= self.thresholds.night_reads.max(1));
        findings.extend(many.map(|count| count.finding(Wrong::NightReads { reads: count.reads })));
    }
}

impl Count {
    fn finding(&self, what: Wrong) -> Finding {
        Finding { at: self.last, what, signer: self.signer.clone() }
    }
}

fn note(counts: &mut BTreeMap<Who, Count>, read: &Read, who: &Professional, signer: &Signer) {
    let key = (read.role, read.party.clone(), who.key);
    let fresh = || Count { reads: 0, last: read.at, signer: signer.clone() };
    let count = counts.entry(key).or_insert_with(fresh);
    count.reads += 1;
    count.last = read.at;
}

/// The middle one; of two, the greater.
fn median(mut counts: Vec<u64>) -> Option<u64> {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}
