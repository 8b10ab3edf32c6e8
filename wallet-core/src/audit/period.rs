//! A period by days, turned into entries: their times ascend, so halving over bundles of them finds the first of a day.
//! Whoever fetches them asks which come next ([`Search::wanted`]) and brings their times ([`Search::take`]).
//!
//! ⚠ What a relay shows in the search is enough to say what shall be looked at, and for nothing more: the replay holds
//! every entry against the days ([`Period::check`]).

use super::clock;
use super::row::At;
use crate::cbor;
use crate::contract::{Entry, Genesis};
use crate::proof::{remembered::FRESH, tile::WIDTH};
use core::{fmt, ops::Range};

/// Whole days by the clock in China, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: u64,
    last: u64,
}

/// Why there is no such period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPeriod {
    /// It ends before it begins.
    #[error("the period ends on {to}, before it begins on {from}: change one of the two", from = clock::written(*.0), to = clock::written(*.1))]
    Order(u64, u64),
    /// One of its days is not there yet.
    #[error("{day} has not begun, the ledger's day is {today}: name a day up to that", day = clock::written(*.0), today = clock::written(*.1))]
    Future(u64, u64),
    /// Nothing happened in it.
    #[error("the ledger has no entry in the period {0}: choose another")]
    Empty(Days),
    /// The entries that were shown can't be in that order, or some are missing.
    #[error(
        "the entries that were shown are not in the order of their times, or some are missing: no period can be found"
    )]
    Unsound,
    /// The replay met another time than the search was shown.
    #[error("it is of {at}, and the period {days} was said to be the entries from {from} on and before {to}: what was shown for the search of these days was not this ledger; look again from another copy, or choose the entries by number", at = super::report::local(.at.time), from = .range.start, to = .range.end)]
    Misled {
        /// What does not fit.
        at: At,
        /// The days.
        days: Days,
        /// What was said.
        range: Range<u64>,
    },
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} – {}", clock::written(self.first), clock::written(self.last))
    }
}

impl Days {
    /// From one day to another, both counted from 1970-01-01, as seen on the day `today`.
    pub const fn new(first: u64, last: u64, today: u64) -> Result<Self, NoPeriod> {
        if first > last {
            return Err(NoPeriod::Order(first, last));
        }
        if last > today {
            return Err(NoPeriod::Future(if first > today { first } else { last }, today));
        }
        Ok(Self { first, last })
    }

    /// The quarter of a day, up to that day.
    pub const fn this_quarter(today: u64) -> Self {
        Self { first: clock::quarter(today), last: today }
    }

    /// The quarter before that of a day.
    pub const fn last_quarter(today: u64) -> Self {
        let last = clock::quarter(today).saturating_sub(1);
        Self { first: clock::quarter(last), last }
    }

    /// The first day, counted from 1970-01-01.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The last day.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The first second, Unix seconds.
    const fn begins(&self) -> u64 {
        clock::midnight(self.first)
    }

    /// The second after the last.
    const fn ends(&self) -> u64 {
        clock::midnight(self.last.saturating_add(1))
    }
}

/// When an entry was written, by its bytes; entry 0 is the genesis object. Nothing else of it is looked at.
pub fn time_of(number: u64, bytes: &[u8]) -> Option<u64> {
    if number == 0 {
        return cbor::decode::<Genesis>(bytes).ok().map(|genesis| genesis.time);
    }
    Entry::from_bytes(bytes).ok().map(|entry| entry.now)
}

/// Where the first entry is that is not before a moment: all before `low` are, none from `high` on is.
#[derive(Clone, Debug)]
struct Bounds {
    moment: u64,
    low: u64,
    high: u64,
}

impl Bounds {
    const fn new(moment: u64, size: u64) -> Self {
        Self { moment, low: 0, high: size }
    }

    fn wanted(&self, size: u64) -> Option<Range<u64>> {
        let bundle = u64::midpoint(self.low, self.high) / WIDTH * WIDTH;
        (self.low < self.high).then(|| bundle..bundle.saturating_add(WIDTH).min(size))
    }

    fn take(&mut self, from: u64, times: &[u64]) -> Result<(), NoPeriod> {
        let before = times.partition_point(|time| *time < self.moment);
        let first = from.saturating_add(before as u64);
        if before > 0 {
            self.low = self.low.max(first);
        }
        if before < times.len() {
            self.high = self.high.min(first);
        }
        if self.low <= self.high { Ok(()) } else { Err(NoPeriod::Unsound) }
    }
}

/// The search for the entries of some days, in a ledger of so many entries.
#[derive(Clone, Debug)]
pub struct Search {
    days: Days,
    size: u64,
    time: u64,
    begin: Bounds,
    end: Bounds,
}

impl Search {
    /// Begins with the days, and size and time of a checkpoint that was verified.
    pub const fn new(days: Days, size: u64, time: u64) -> Self {
        let (begin, end) = (Bounds::new(days.begins(), size), Bounds::new(days.ends(), size));
        Self { days, size, time, begin, end }
    }

    /// The entries whose times are wanted next: one bundle, as far as the ledger has it. None where all is found.
    pub fn wanted(&self) -> Option<Range<u64>> {
        self.begin.wanted(self.size).or_else(|| self.end.wanted(self.size))
    }

    /// Takes the times of the entries that are [wanted](Self::wanted), in order.
    pub fn take(&mut self, times: &[u64]) -> Result<(), NoPeriod> {
        let Some(wanted) = self.wanted() else { return Ok(()) };
        if times.len() as u64 != wanted.end - wanted.start || !times.is_sorted() {
            return Err(NoPeriod::Unsound);
        }
        self.begin.take(wanted.start, times)?;
        self.end.take(wanted.start, times)
    }

    /// What was found, once nothing more is wanted.
    pub fn found(self) -> Result<Period, NoPeriod> {
        let Self { days, size, time, begin, end } = self;
        let range = begin.low..end.low;
        if begin.low != begin.high || end.low != end.high || range.start > range.end {
            return Err(NoPeriod::Unsound);
        }
        if range.is_empty() { Err(NoPeriod::Empty(days)) } else { Ok(Period { days, range, size, time }) }
    }
}

/// Some days and the entries that a search gave for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    days: Days,
    range: Range<u64>,
    size: u64,
    time: u64,
}

impl Period {
    /// The days.
    pub const fn days(&self) -> Days {
        self.days
    }

    /// The entries.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Holds an entry of the replay against the days: those within must be of them, those before and after must not.
    /// What came after the checkpoint of the search may be of the last day, and not from before that checkpoint.
    pub fn check(&self, at: At) -> Result<(), NoPeriod> {
        let Self { days, range, size, time } = self;
        let (begins, ends) = (days.begins(), days.ends());
        let fits = match at.entry {
            entry if entry < range.start => at.time < begins,
            entry if entry < range.end => begins <= at.time && at.time < ends,
            entry if entry < *size => at.time >= ends,
            _ => at.time >= ends.min(time.saturating_sub(FRESH)),
        };
        if fits { Ok(()) } else { Err(NoPeriod::Misled { at, days: *days, range: self.range() }) }
    }
}

#[cfg(test)]
mod tests;
