//! Which entries an audit looks at: by number, or by days, whose entries are searched in the ledger before anything is logged.

use super::{pass::read, source::Source};
use crate::replica::replay::Replay;
use anyhow::{Context as _, bail};
use suishen_core::{
    audit::{Days, NoPeriod, Period, Search, clock, time_of},
    proof::{bundle::first_epoch, checkpoint::SignedCheckpoint, tile::WIDTH},
};

/// An end of what is looked at, as it is written: `812` or `2026-07-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An entry's number.
    Entry(u64),
    /// A day by the clock in China, counted from 1970-01-01.
    Day(u64),
}

/// Reads `--from` and `--to`.
pub fn end(text: &str) -> Result<End, String> {
    let entry = text.parse().map(End::Entry).ok();
    entry
        .or_else(|| clock::read_day(text).map(End::Day))
        .ok_or_else(|| "an entry's number such as 812, or a day of the calendar such as 2026-07-01".into())
}

/// What shall be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// From this entry on, to the one before that; to the last where none is said.
    Entries(u64, Option<u64>),
    /// From this day to that one, both included; from the first, to the last where none is said.
    Days(Option<u64>, Option<u64>),
}

impl Chosen {
    /// By what was written.
    pub fn of(from: Option<End>, to: Option<End>) -> anyhow::Result<Self> {
        Ok(match (from, to) {
            (None, None) => Self::Entries(0, None),
            (Some(End::Entry(from)), Some(End::Entry(to))) if from >= to => {
                bail!("--from {from} --to {to} is no entry: --to is the entry after the last")
            }
            (None | Some(End::Entry(_)), None | Some(End::Entry(_))) => {
                let number = |end| if let Some(End::Entry(number)) = end { Some(number) } else { None };
                Self::Entries(number(from).unwrap_or(0), number(to))
            }
            (None | Some(End::Day(_)), None | Some(End::Day(_))) => {
                let day = |end| if let Some(End::Day(day)) = end { Some(day) } else { None };
                Self::Days(day(from), day(to))
            }
            _ => bail!("--from and --to are both entries' numbers or both days: write the two alike"),
        })
    }
}

/// Searches the entries of some days; the inner error says what is wrong with the ledger.
pub fn find(
    source: &mut Source,
    (first, last): (Option<u64>, Option<u64>),
) -> anyhow::Result<Result<Period, String>> {
    let note = source.note()?;
    let signed = match SignedCheckpoint::parse(&note) {
        Ok(signed) => signed,
        Err(error) => return Ok(Err(format!("checkpoint: {error}"))),
    };
    let size = signed.checkpoint.size;
    let begun = match read(source, 0, size)? {
        Ok(entries) => entries.first().map(|genesis| Replay::new(genesis)),
        Err(why) => return Ok(Err(why)),
    };
    let replay = match begun.context("the ledger has no entry")? {
        Ok(replay) => replay,
        Err(fault) => return Ok(Err(format!("entry {}: {}", fault.number, fault.why))),
    };
    let time = match signed.verify(&replay.ledger(), &first_epoch(replay.genesis())) {
        Ok(verified) => verified.time(),
        Err(error) => return Ok(Err(format!("checkpoint {size}: {error}"))),
    };
    let (founded, today) = (clock::day(replay.genesis().time), clock::day(time));
    let days = Days::new(first.unwrap_or(founded), last.unwrap_or(today), today)?;
    let mut search = Search::new(days, size, time);
    while let Some(wanted) = search.wanted() {
        let entries = match read(source, wanted.start / WIDTH, size)? {
            Ok(entries) => entries,
            Err(why) => return Ok(Err(why)),
        };
        let times: Option<Vec<u64>> =
            (wanted.start..).zip(&entries).map(|(number, bytes)| time_of(number, bytes)).collect();
        let Some(times) = times else {
            return Ok(Err(format!("the entries from {} on cannot be read", wanted.start)));
        };
        if let Err(why) = search.take(&times) {
            return Ok(Err(why.to_string()));
        }
    }
    match search.found() {
        Ok(period) => Ok(Ok(period)),
        Err(why @ NoPeriod::Empty(_)) => Err(why.into()),
        Err(why) => Ok(Err(why.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_number_or_a_day_and_both_ends_are_alike() {
        let read = |from: &str, to: &str| {
            let end = |text: &str| (!text.is_empty()).then(|| end(text).unwrap());
            Chosen::of(end(from), end(to))
        };
        assert_eq!(read("", "").unwrap(), Chosen::Entries(0, None));
        assert_eq!(read("7", "").unwrap(), Chosen::Entries(7, None));
        assert_eq!(read("", "9").unwrap(), Chosen::Entries(0, Some(9)));
        assert_eq!(read("2026-07-01", "").unwrap(), Chosen::Days(Some(20_635), None));
        assert_eq!(read("", "2026-09-30").unwrap(), Chosen::Days(None, Some(20_726)));
        for (from, to, why) in [
            ("7", "2026-09-30", "write the two alike"),
            ("2026-07-01", "9", "write the two alike"),
            ("9", "9", "the entry after the last"),
            ("9", "7", "the entry after the last"),
        ] {
            assert!(read(from, to).unwrap_err().to_string().contains(why), "{from} {to}");
        }
        for wrong in ["", "x", "-1", "2026-02-30", "2026-7-1", "2026-07", "01.07.2026", "1e3"] {
            assert!(end(wrong).unwrap_err().contains("2026-07-01"), "{wrong}");
        }
    }
}
