//! Calendar time for people, from Unix seconds of the ledger and the place's offset. Never asks a clock itself:
//! "now" is the ledger's and comes from the engine.

/// A moment in the place's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Gregorian year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// Days since 1970-01-01 in this place.
    pub day_number: i64,
}

impl Moment {
    /// The moment of Unix seconds in a place that is `offset_minutes` ahead of UTC.
    pub fn at(seconds: u64, offset_minutes: i32) -> Self {
        let local = i64::try_from(seconds).unwrap_or(i64::MAX / 2) + i64::from(offset_minutes) * 60;
        let (day_number, within) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = civil(day_number);
        let part = |value: i64| u32::try_from(value).unwrap_or_default();
        Self {
            year,
            month,
            day,
            hour: part(within / 3600),
            minute: part(within % 3600 / 60),
            weekday: part((day_number + 4).rem_euclid(7)),
            day_number,
        }
    }

    /// `14:02`.
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

/// Year, month and day of a day number (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(day_number: i64) -> (i64, u32, u32) {
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or_default(), u32::try_from(day).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_second_is_the_right_moment_in_its_place() {
        // 2026-11-12T06:02:11Z is 14:02 on a Thursday in China.
        let moment = Moment::at(1_794_463_331, 480);
        assert_eq!((moment.year, moment.month, moment.day), (2026, 11, 12));
        assert_eq!(moment.time(), "14:02");
        assert_eq!(moment.weekday, 4);
    }

    #[test]
    fn leap_days_and_midnights_fall_where_they_should() {
        let leap = Moment::at(1_709_164_800, 0);
        assert_eq!((leap.year, leap.month, leap.day, leap.time()), (2024, 2, 29, "00:00".to_owned()));
        let before = Moment::at(1_709_164_800, -1);
        assert_eq!((before.month, before.day, before.time()), (2, 28, "23:59".to_owned()));
    }
}
