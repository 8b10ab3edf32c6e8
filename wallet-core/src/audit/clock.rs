//! The clock in China, by which a night is a night: eight hours ahead of UTC everywhere, without summer time since 1991.

use crate::fhir::Moment;

/// How far ahead of UTC, in seconds.
const AHEAD: u64 = 8 * 3600;
/// Minutes of a day.
const MINUTES: i64 = 24 * 60;
/// A day, in seconds.
pub const DAY: u64 = 86_400;

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Year.
    pub year: u64,
    /// 1 to 12.
    pub month: u8,
}

impl core::fmt::Display for Month {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Month {
    /// The month of a moment (Unix seconds).
    pub const fn of(at: u64) -> Self {
        let (year, month, _) = civil(day(at));
        Self { year, month }
    }
}

/// Hour of the day, 0 to 23.
pub const fn hour(at: u64) -> u8 {
    (at.saturating_add(AHEAD) / 3600 % 24) as u8
}

/// Minute of the hour, 0 to 59.
pub const fn minute(at: u64) -> u8 {
    (at / 60 % 60) as u8
}

/// The day, counted from 1970-01-01.
pub const fn day(at: u64) -> u64 {
    at.saturating_add(AHEAD) / DAY
}

/// The first second of a day counted from 1970-01-01, Unix seconds.
pub const fn midnight(day: u64) -> u64 {
    day.saturating_mul(DAY).saturating_sub(AHEAD)
}

/// The first day of the quarter of a day, both counted from 1970-01-01.
pub const fn quarter(day: u64) -> u64 {
    let (mut first, mut at) = (day, civil(day));
    // The last day of the month before, until that month begins a quarter.
    while at.1 % 3 != 1 {
        first = first.saturating_sub(at.2 as u64);
        at = civil(first);
    }
    first.saturating_sub(at.2 as u64 - 1)
}

/// Reads a day such as `2026-07-01`, counted from 1970-01-01; none that the calendar doesn't have.
pub fn read_day(text: &str) -> Option<u64> {
    let date = Moment::parse(text).filter(|date| date.day.is_some() && date.hour.is_none())?;
    u64::try_from(date.minutes() / MINUTES).ok().filter(|_| date.year >= 1970)
}

/// A day counted from 1970-01-01 as [`read_day`] reads it.
pub fn written(day: u64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The night, counted so that an evening and the morning after are one.
pub const fn night(at: u64) -> u64 {
    (at.saturating_add(AHEAD).saturating_sub(DAY / 2)) / DAY
}

/// Year, month and day of a day counted from 1970-01-01, by the era of 400 years (Howard Hinnant's `civil_from_days`).
#[allow(clippy::cast_possible_truncation, reason = "a month is at most 12, a day at most 31")]
pub const fn civil(days: u64) -> (u64, u8, u8) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + (month <= 2) as u64, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_that_of_shanghai() {
        // 2026-11-21T16:30:00Z is half past midnight on the 22nd.
        let at = 1_795_278_600;
        assert_eq!((hour(at), minute(at), civil(day(at))), (0, 30, (2026, 11, 22)));
        assert_eq!(Month::of(at).to_string(), "2026-11");
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let written_first = read_day("2026-11-22").unwrap();
        assert_eq!(midnight(written_first), 1_795_276_800);
        assert_eq!(day(midnight(written_first)), written_first);
        assert_eq!(day(midnight(written_first) - 1), written_first - 1);
        assert_eq!((read_day("1970-01-01"), written(11_016)), (Some(0), "2000-02-29".into()));
        for wrong in
            ["2026-02-29", "2026-13-01", "2026-7-1", "2026-07", "1969-12-31", "12", "", "2026-07-01T00:00"]
        {
            assert_eq!(read_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_quarter_begins_with_its_first_month() {
        let first = |text: &str| written(quarter(read_day(text).unwrap()));
        for (of, expected) in [
            ("2026-07-01", "2026-07-01"),
            ("2026-09-30", "2026-07-01"),
            ("2026-11-22", "2026-10-01"),
            ("2028-03-31", "2028-01-01"),
            ("2028-02-29", "2028-01-01"),
            ("1970-01-01", "1970-01-01"),
        ] {
            assert_eq!(first(of), expected, "{of}");
        }
    }

    #[test]
    fn an_evening_and_the_morning_after_are_one_night() {
        // 22:00 on the 21st and 05:00 on the 22nd in Shanghai; the next evening is another.
        let (evening, morning) = (1_795_269_600, 1_795_294_800);
        assert_eq!((hour(evening), hour(morning)), (22, 5));
        assert_eq!(night(evening), night(morning));
        assert_eq!(night(evening + DAY), night(evening) + 1);
    }
}
