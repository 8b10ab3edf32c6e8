//! Records as the list shows them: grouped into visits, with an icon and one finding each; what may be in a bulk
//! choice; dates as reports write them.

use suishen_bridge::fhir::{Kind, Moment, ReportView, Sex};
use suishen_bridge::{RecordCard, RecordTag, Sensitivity};

use crate::words::{Words, figure};

/// One visit: its records, in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit<'a> {
    /// The visit's records.
    pub records: Vec<&'a RecordCard>,
}

/// Groups records of one visit that follow each other.
pub fn visits(records: &[RecordCard]) -> Vec<Visit<'_>> {
    let mut visits: Vec<Visit<'_>> = Vec::new();
    for record in records {
        match visits.last_mut().filter(|visit| visit.records[0].visit == record.visit) {
            Some(visit) => visit.records.push(record),
            None => visits.push(Visit { records: vec![record] }),
        }
    }
    visits
}

/// The icon of a kind.
pub fn icon(kind: Kind) -> &'static str {
    match kind {
        Kind::Laboratory => "test-tube",
        Kind::Imaging => "bone",
        Kind::Discharge => "article",
        Kind::Prescription => "pill",
        Kind::Invoice | Kind::Other => "file-text",
        Kind::Fees => "list-checks",
    }
}

/// The kinds that have a filter chip.
pub const KINDS: [Kind; 4] = [Kind::Laboratory, Kind::Imaging, Kind::Discharge, Kind::Prescription];

/// A mark's key and class.
pub fn mark(tag: RecordTag) -> (&'static str, &'static str) {
    match tag {
        RecordTag::New => ("mark-new", "new"),
        RecordTag::Corrected => ("mark-corrected", "caution"),
        RecordTag::Withdrawn => ("mark-withdrawn", "caution"),
        RecordTag::Reversed => ("mark-reversed", "caution"),
        RecordTag::OnPaper => ("mark-on-paper", "caution"),
        RecordTag::Damaged => ("mark-damaged", "caution"),
        RecordTag::Coming => ("mark-coming", "quiet"),
        RecordTag::IssuerSuspended | RecordTag::IssuerSuspendedSince => ("mark-suspended", "caution"),
    }
}

/// Records of the newest visit that a bulk choice may take: sensitive and hidden ones never are (FIELD, AIDS
/// ordinance 39).
pub fn of_newest_visit(records: &[RecordCard]) -> Vec<String> {
    let newest = visits(records).into_iter().next();
    newest.map(|visit| bulk(visit.records.into_iter())).unwrap_or_default()
}

/// The day so many months before a moment; one that its month doesn't have sorts behind those that it has.
pub fn months_before(now: &crate::clock::Moment, months: u32) -> String {
    let count = now.year * 12 + i64::from(now.month) - 1 - i64::from(months);
    format!("{:04}-{:02}-{:02}", count.div_euclid(12).max(0), count.rem_euclid(12) + 1, now.day)
}

/// Records since a day (`2026-11-12`) that a bulk choice may take.
pub fn since(records: &[RecordCard], day: &str) -> Vec<String> {
    bulk(records.iter().filter(|record| record.date.as_str() >= day))
}

fn bulk<'a>(records: impl Iterator<Item = &'a RecordCard>) -> Vec<String> {
    records
        .filter(|record| record.sensitivity == Sensitivity::Normal && record.can_be_shown())
        .filter(|record| !record.marks.contains(&RecordTag::Corrected))
        .map(|record| record.record.clone())
        .collect()
}

/// Year, month and day of `2026-11-12`, as far as it is known.
pub fn day_parts(date: &str) -> (Option<&str>, Option<u32>, Option<u32>) {
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| !year.is_empty());
    (year, parts.next().and_then(|month| month.parse().ok()), parts.next().and_then(|day| day.parse().ok()))
}

/// `2026-11-12` in words, as precise as it is known.
pub fn day_text(words: &Words, date: &str) -> String {
    let (Some(year), month, day) = day_parts(date) else { return date.to_owned() };
    let mut told = vec![("year", year.to_owned().into())];
    if let Some(month) = month {
        told.extend([("month", figure(month)), ("name", words.month_name(month).into())]);
    }
    told.extend(day.map(|day| ("day", figure(day))));
    words.with(
        match (month, day) {
            (Some(_), Some(_)) => "date-year",
            (Some(_), None) => "month-year",
            (None, _) => "year",
        },
        &told,
    )
}

/// A report's moment in words, as precise as it was written.
pub fn moment_text(words: &Words, moment: &Moment) -> String {
    let date = match (moment.month, moment.day) {
        (Some(month), Some(day)) => words.with(
            "date-year",
            &[
                ("year", moment.year.to_string().into()),
                ("month", figure(month)),
                ("name", words.month_name(month.into()).into()),
                ("day", figure(day)),
            ],
        ),
        (Some(month), None) => words.with(
            "month-year",
            &[
                ("year", moment.year.to_string().into()),
                ("month", figure(month)),
                ("name", words.month_name(month.into()).into()),
            ],
        ),
        (None, _) => words.with("year", &[("year", moment.year.to_string().into())]),
    };
    match (moment.hour, moment.minute) {
        (Some(hour), Some(minute)) => format!("{date} {hour:02}:{minute:02}"),
        _ => date,
    }
}

/// `26.11`: a date below a trend.
pub fn short_date(moment: &Moment) -> String {
    match moment.month {
        Some(month) => format!("{:02}.{month}", moment.year % 100),
        None => moment.year.to_string(),
    }
}

/// `林秀兰，女，68 岁`
pub fn patient_text(words: &Words, view: &ReportView) -> Option<String> {
    let patient = view.patient.as_ref()?;
    let mut parts: Vec<String> = patient.name.iter().cloned().collect();
    parts.extend(match patient.sex {
        Some(Sex::Male) => Some(words.say("sex-male")),
        Some(Sex::Female) => Some(words.say("sex-female")),
        _ => None,
    });
    parts.extend(patient.age.map(|age| words.count("age", age)));
    (!parts.is_empty()).then(|| parts.join(&words.say("comma")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_before_a_day_cross_years() {
        // 2026-01-15.
        let now = crate::clock::Moment::at(1_768_435_200, 480);
        assert_eq!(months_before(&now, 0), "2026-01-15");
        assert_eq!(months_before(&now, 1), "2025-12-15");
        assert_eq!(months_before(&now, 12), "2025-01-15");
        assert_eq!(months_before(&now, 25), "2023-12-15");
    }

    fn record(record: &str, visit: &str, date: &str, sensitivity: Sensitivity) -> RecordCard {
        RecordCard {
            record: record.to_owned(),
            visit: visit.to_owned(),
            date: date.to_owned(),
            department: String::new(),
            organisation: String::new(),
            kind: Kind::Laboratory,
            title: String::new(),
            high: 0,
            low: 0,
            finding: String::new(),
            marks: Vec::new(),
            tags: Vec::new(),
            hidden: false,
            sensitivity,
        }
    }

    #[test]
    fn records_of_one_visit_make_one_card() {
        let records = [
            record("a", "v1", "2026-11-12", Sensitivity::Normal),
            record("c", "v1", "2026-11-12", Sensitivity::Normal),
            record("b", "v2", "2026-09-03", Sensitivity::Normal),
        ];
        let visits = visits(&records);
        assert_eq!(visits.len(), 2);
        assert_eq!(visits[0].records.len(), 2);
    }

    #[test]
    fn a_sensitive_or_hidden_record_is_in_no_bulk_choice() {
        let mut records = vec![
            record("a", "v1", "2026-11-12", Sensitivity::Normal),
            record("b", "v1", "2026-11-12", Sensitivity::Sensitive),
            record("c", "v2", "2025-01-01", Sensitivity::Normal),
        ];
        assert_eq!(of_newest_visit(&records), ["a"]);
        assert_eq!(since(&records, "2025-11-12"), ["a"]);
        assert_eq!(since(&records, "2024-01-01"), ["a", "c"]);
        records[0].hidden = true;
        assert!(of_newest_visit(&records).is_empty());
    }
}
