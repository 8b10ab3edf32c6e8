//! The lines that a page shows one by one: the newest reads and what was taken back, as many as a person reads.

use crate::audit::{Read, Reversal, Row};
use std::collections::VecDeque;

/// Lines of each kind that a page lists one by one, the newest; all of them are in the CSV files.
pub const MOST_LISTED: usize = 300;

/// The newest lines of a kind, and how many there were in all.
#[derive(Clone, Debug)]
pub struct Newest<T> {
    lines: VecDeque<T>,
    count: usize,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self { lines: VecDeque::new(), count: 0 }
    }
}

impl<T: Clone> Newest<T> {
    fn take(&mut self, line: &T) {
        self.count += 1;
        self.lines.push_back(line.clone());
        if self.lines.len() > MOST_LISTED {
            self.lines.pop_front();
        }
    }

    /// The lines, the newest first.
    pub fn lines(&self) -> impl Iterator<Item = &T> {
        self.lines.iter().rev()
    }

    /// Lines that are older than those.
    pub fn more(&self) -> usize {
        self.count.saturating_sub(self.lines.len())
    }
}

/// What a page lists one by one, taken as the entries come.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Who read.
    pub reads: Newest<Read>,
    /// What was taken back or voided.
    pub reversals: Newest<Reversal>,
}

impl Listed {
    /// Takes the line of an entry.
    pub fn take(&mut self, row: &Row) {
        match row {
            Row::Read(read) => self.reads.take(read),
            Row::Reversal(reversal) => self.reversals.take(reversal),
            Row::Settlement(_) | Row::Look(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_others_counted() {
        let mut newest = Newest::default();
        for line in 0..=MOST_LISTED {
            assert_eq!(newest.more(), 0);
            newest.take(&line);
        }
        assert_eq!((newest.more(), newest.lines().count()), (1, MOST_LISTED));
        assert_eq!((newest.lines().next(), newest.lines().last()), (Some(&MOST_LISTED), Some(&1)));
    }
}
