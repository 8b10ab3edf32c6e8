//! Dates as FHIR writes them: as precise as they were known, in the zone they were written in. A screen shows
//! the hospital's own clock; only the order over reports uses UTC.

use super::{FhirError, Json, element::Element};
use serde::{Deserialize, Serialize};

/// A date or a moment (FHIR `date`, `dateTime`, `instant`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// As it was written.
    pub text: String,
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: Option<u8>,
    /// Day, 1 to 31.
    pub day: Option<u8>,
    /// Hour, 0 to 23, on the clock where it was written.
    pub hour: Option<u8>,
    /// Minute, 0 to 59.
    pub minute: Option<u8>,
    /// Minutes east of UTC, where a zone was written.
    pub offset: Option<i16>,
}

impl Moment {
    /// Reads what FHIR allows, and times without seconds or zone, which Chinese systems write.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 40 || !text.is_ascii() {
            return None;
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let year: u16 = digits(parts.next()?, 4)?;
        let month: Option<u8> = parts.next().map(|p| digits(p, 2)).map_or(Some(None), |m| m.map(Some))?;
        let day: Option<u8> = parts.next().map(|p| digits(p, 2)).map_or(Some(None), |d| d.map(Some))?;
        if parts.next().is_some() || year == 0 || month.is_some_and(|m| !(1..=12).contains(&m)) {
            return None;
        }
        if let (Some(month), Some(day)) = (month, day)
            && !(1..=days_in(year, month)).contains(&day)
        {
            return None;
        }
        let mut moment =
            Self { text: text.to_owned(), year, month, day, hour: None, minute: None, offset: None };
        if let Some(time) = time {
            day?;
            moment.read_time(time)?;
        }
        Some(moment)
    }

    fn read_time(&mut self, time: &str) -> Option<()> {
        let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at_checked(zone_at)?;
        let mut parts = clock.split(':');
        let hour: u8 = digits(parts.next()?, 2)?;
        let minute: u8 = digits(parts.next()?, 2)?;
        if let Some(second) = parts.next() {
            let (whole, part) = second.split_once('.').unwrap_or((second, "0"));
            let whole: u8 = digits(whole, 2)?;
            if whole > 60 || part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
        }
        if parts.next().is_some() || hour > 23 || minute > 59 {
            return None;
        }
        self.offset = match zone {
            "" => None,
            "Z" => Some(0),
            zone => {
                let (hours, minutes) = zone.get(1..)?.split_once(':')?;
                let minutes = digits::<i16>(hours, 2)? * 60 + digits::<i16>(minutes, 2)?;
                if minutes > 14 * 60 {
                    return None;
                }
                Some(if zone.starts_with('-') { -minutes } else { minutes })
            }
        };
        (self.hour, self.minute) = (Some(hour), Some(minute));
        Some(())
    }

    /// Minutes since 1970 in UTC, for order and distance. What isn't known counts as the earliest.
    pub fn minutes(&self) -> i64 {
        let days = days_from_civil(
            i64::from(self.year),
            i64::from(self.month.unwrap_or(1)),
            i64::from(self.day.unwrap_or(1)),
        );
        let clock = i64::from(self.hour.unwrap_or(0)) * 60 + i64::from(self.minute.unwrap_or(0));
        days * 1440 + clock - i64::from(self.offset.unwrap_or(0))
    }

    /// Whole years from `birth` to this date, none where the dates don't say.
    pub fn years_since(&self, birth: &Self) -> Option<u16> {
        let years = self.year.checked_sub(birth.year)?;
        let before_birthday = match (self.month, birth.month) {
            (Some(month), Some(born)) if month != born => month < born,
            (Some(_), Some(_)) => matches!((self.day, birth.day), (Some(d), Some(b)) if d < b),
            _ => false,
        };
        if before_birthday { years.checked_sub(1) } else { Some(years) }
    }
}

impl Element for Moment {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let text = json.as_str().ok_or_else(|| FhirError::wrong("a date", json.kind()))?;
        Self::parse(text).ok_or_else(|| {
            FhirError::wrong("a date such as 2026-11-12 or 2026-11-12T08:26:00+08:00", "another text")
        })
    }
}

fn digits<N: core::str::FromStr>(text: &str, length: usize) -> Option<N> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn a_date_is_as_precise_as_it_was_written() {
        assert_eq!((at("1958-03").month, at("1958-03").day), (Some(3), None));
        let drawn = at("2026-11-12T08:26:00+08:00");
        assert_eq!((drawn.hour, drawn.minute, drawn.offset), (Some(8), Some(26), Some(480)));
        assert_eq!(at("2026-11-12T08:26").offset, None);
    }

    #[test]
    fn dates_that_no_calendar_has_are_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "26-01-01",
            "2026-01-01T24:00:00Z",
            "2026-01T08:00",
            "2026-01-01T08:00:00+99:00",
            "",
            "昨天",
            "2026-01-01-01",
            "+026-01-01",
            "2026-01-01T08:00:00.",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert!(Moment::parse("2024-02-29").is_some());
    }

    #[test]
    fn age_counts_birthdays_and_not_years() {
        assert_eq!(at("2026-11-12").years_since(&at("1958-03")), Some(68));
        assert_eq!(at("2026-02-28").years_since(&at("1958-03-01")), Some(67));
        assert_eq!(at("1957").years_since(&at("1958")), None);
    }

    #[test]
    fn order_is_that_of_utc() {
        assert_eq!(at("1970-01-01T00:00:00Z").minutes(), 0);
        assert_eq!(at("2026-11-12T08:26:00+08:00").minutes(), at("2026-11-12T00:26:00Z").minutes());
        assert_eq!(at("2000-03-01").minutes() - at("2000-02-28").minutes(), 2 * 1440);
    }
}
