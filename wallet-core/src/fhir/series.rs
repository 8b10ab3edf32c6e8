//! One value over many reports: joined by LOINC, else WS 446, else the same hospital's local code (FIELD.md
//! "Codes"). **Never two units on one axis**: what has another unit is named apart, never converted.

use super::{
    Code, LabRow, Moment, RangeView, ReportView, Verdict,
    view::{trend_unit, value_number},
};
use crate::order;
use serde::{Deserialize, Serialize};

const LOINC: &str = "http://loinc.org";

/// One measurement of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Which of the given reports it is from.
    pub report: usize,
    /// When.
    pub at: Moment,
    /// The value in the report's text.
    pub value: String,
    /// Its own verdict, by its own report.
    pub verdict: Verdict,
    /// Its own range.
    pub range: Option<RangeView>,
    /// Where it was measured.
    pub organisation: Option<String>,
    /// Place on the time axis, 0 the first, 1 the last.
    pub x: f64,
    /// Place on the value axis, 0 the lowest tick, 1 the highest.
    pub y: f64,
}

/// A mark on the value axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Its figure.
    pub text: String,
    /// Its place, 0 to 1.
    pub y: f64,
}

/// A measurement of the same thing in another unit: listed, not drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherUnit {
    /// Which of the given reports it is from.
    pub report: usize,
    /// The value in the report's text.
    pub value: String,
    /// Its unit.
    pub unit: Option<String>,
}

/// A value's history in one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name, as the row that was asked for has it.
    pub name: String,
    /// Unit, as that row spells it.
    pub unit: Option<String>,
    /// Measurements, oldest first.
    pub points: Vec<Point>,
    /// Marks of the value axis, lowest first.
    pub ticks: Vec<Tick>,
    /// Limits of the last point's range, for shade and dashed line: figure and place.
    pub low: Option<Tick>,
    /// The upper limit.
    pub high: Option<Tick>,
    /// Whether all points are from one hospital.
    pub one_hospital: bool,
    /// Left out for their unit.
    pub other_units: Vec<OtherUnit>,
}

impl Series {
    /// The history of row `row` of report `report` over all `reports`. None where there are fewer than two
    /// points: one value has no trend.
    pub fn of(reports: &[ReportView], report: usize, row: usize) -> Option<Self> {
        let home = reports.get(report)?;
        let asked = home.rows.get(row)?;
        value_number(asked)?;
        let unit = trend_unit(asked);
        let mut found: Vec<(f64, Point)> = Vec::new();
        let mut other_units = Vec::new();
        for (i, other) in reports.iter().enumerate().filter(|(_, r)| r.status != "entered-in-error") {
            for candidate in other.rows.iter().filter(|c| same_thing(home, asked, other, c)) {
                let (Some(number), Some(at)) = (value_number(candidate), other.date()) else { continue };
                let value = candidate.value.text().unwrap_or_default().to_owned();
                if trend_unit(candidate) != unit {
                    other_units.push(OtherUnit { report: i, value, unit: candidate.unit.clone() });
                    continue;
                }
                let point = Point {
                    report: i,
                    at: at.clone(),
                    value,
                    verdict: candidate.verdict,
                    range: candidate.range.clone(),
                    organisation: other.organisation.clone(),
                    x: 0.0,
                    y: 0.0,
                };
                found.push((number, point));
            }
        }
        order::sort_by_key(&mut found, |(_, p)| p.at.minutes());
        (found.len() >= 2).then(|| Self::drawn(asked, found, other_units))
    }

    fn drawn(asked: &LabRow, found: Vec<(f64, Point)>, other_units: Vec<OtherUnit>) -> Self {
        let limit = |pick: fn(&RangeView) -> &Option<String>| {
            let text = pick(found.last()?.1.range.as_ref()?).clone()?;
            Some((text.parse::<f64>().ok().filter(|n| n.is_finite())?, text))
        };
        let (low, high) = (limit(|r| &r.low), limit(|r| &r.high));
        let shown = found.iter().map(|(n, _)| *n).chain(low.iter().chain(&high).map(|(n, _)| *n));
        let (least, most) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), n| (a.min(n), b.max(n)));
        let axis = Axis::over(least, most);
        let (start, end) =
            (found.first().map_or(0, |f| f.1.at.minutes()), found.last().map_or(0, |f| f.1.at.minutes()));
        let count = found.len();
        let points: Vec<Point> = found
            .into_iter()
            .enumerate()
            .map(|(i, (number, point))| {
                let minutes = point.at.minutes();
                // Dates of one and the same day keep apart by their order.
                let x = if end > start { ratio(minutes - start, end - start) } else { spread(i, count) };
                Point { x, y: axis.place(number), ..point }
            })
            .collect();
        let one_hospital = points
            .windows(2)
            .all(|pair| pair[0].organisation.is_some() && pair[0].organisation == pair[1].organisation);
        let tick = |(number, text): (f64, String)| Tick { text, y: axis.place(number) };
        Self {
            name: asked.name.clone(),
            unit: asked.unit.clone(),
            points,
            ticks: axis.ticks(),
            low: low.map(tick),
            high: high.map(tick),
            one_hospital,
            other_units,
        }
    }
}

/// Whether two rows measure the same thing. LOINC decides where both have it, then WS 446, then the local
/// code of one hospital; a name alone never does, that is for the patient to confirm.
fn same_thing(home: &ReportView, a: &LabRow, other: &ReportView, b: &LabRow) -> bool {
    if let (Some(a), Some(b)) = (loinc(a), loinc(b)) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (ws446(a), ws446(b)) {
        return a == b;
    }
    let local = |row: &LabRow| -> Vec<Code> {
        row.codes.iter().filter(|c| c.system.as_deref() != Some(LOINC) && !is_ws446(c)).cloned().collect()
    };
    let same_hospital = home.organisation.is_some() && home.organisation == other.organisation;
    same_hospital && local(a).iter().any(|code| local(b).contains(code))
}

fn loinc(row: &LabRow) -> Option<&str> {
    row.codes.iter().find(|c| c.system.as_deref() == Some(LOINC)).map(|c| c.code.as_str())
}

fn ws446(row: &LabRow) -> Option<&str> {
    row.codes.iter().find(|c| is_ws446(c)).map(|c| c.code.as_str())
}

/// WS/T 446, the code of laboratory items: no URI of it is settled, so its number in the system's name counts.
fn is_ws446(code: &Code) -> bool {
    code.system.as_deref().is_some_and(|s| {
        let plain: String = s.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        plain.contains("ws446") || plain.contains("wst446")
    })
}

#[allow(clippy::cast_precision_loss)] // minutes of a lifetime fit a float's 53 bits
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[allow(clippy::cast_precision_loss)] // places of points on a screen
fn spread(i: usize, count: usize) -> f64 {
    if count < 2 { 0.5 } else { i as f64 / (count - 1) as f64 }
}

/// A value axis with round figures: `first + i * step`, i in 0..=intervals.
struct Axis {
    first: f64,
    step: f64,
    intervals: u8,
    decimals: usize,
}

impl Axis {
    /// The finest axis of at most four intervals that holds both.
    fn over(least: f64, most: f64) -> Self {
        let room = if most > least { 0.0 } else { (most.abs() * 0.02).max(1e-9) };
        let (least, most) = (least - room, most + room);
        let span = most - least;
        let mut power = 10f64.powf((span / 4.0).log10().floor());
        loop {
            for factor in [1.0, 2.0, 5.0] {
                let step = power * factor;
                let first = (least / step + 1e-9).floor() * step;
                for intervals in 1..=4u8 {
                    if first + f64::from(intervals) * step >= most - step * 1e-9 {
                        let decimals = decimals(step);
                        return Self { first, step, intervals, decimals };
                    }
                }
            }
            power *= 10.0;
            if !power.is_finite() {
                return Self { first: least, step: span, intervals: 1, decimals: 0 };
            }
        }
    }

    fn place(&self, number: f64) -> f64 {
        ((number - self.first) / (self.step * f64::from(self.intervals))).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<Tick> {
        (0..=self.intervals)
            .map(|i| {
                let number = self.first + f64::from(i) * self.step;
                let text = format!("{number:.*}", self.decimals);
                Tick { text, y: f64::from(i) / f64::from(self.intervals) }
            })
            .collect()
    }
}

/// Places behind the point that a step of 1, 2 or 5 times a power of ten needs.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=12 before
fn decimals(step: f64) -> usize {
    (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(date: &str, hospital: &str, system: &str, code: &str, value: &str, unit: &str) -> ReportView {
        let json = format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[
            {{"resource":{{"resourceType":"DiagnosticReport","status":"final","code":{{"text":"血脂"}},
              "effectiveDateTime":"{date}","performer":[{{"reference":"Organization/h"}}],
              "result":[{{"reference":"Observation/o"}}]}}}},
            {{"resource":{{"resourceType":"Organization","id":"h","name":"{hospital}"}}}},
            {{"resource":{{"resourceType":"Observation","id":"o","status":"final",
              "code":{{"text":"低密度脂蛋白","coding":[{{"system":"{system}","code":"{code}"}}]}},
              "valueQuantity":{{"value":{value},"unit":"{unit}"}},
              "referenceRange":[{{"high":{{"value":3.40}},"text":"<3.40"}}]}}}}]}}"#
        );
        ReportView::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn reports_of_several_hospitals_join_by_loinc() {
        let reports = [
            report("2026-05-01", "安澜市人民医院", LOINC, "13457-7", "3.70", "mmol/L"),
            report("2024-11-01", "安澜市中医院", LOINC, "13457-7", "3.90", "mmol/L"),
            report("2025-05-01", "安澜市中医院", LOINC, "2093-3", "5.0", "mmol/L"),
        ];
        let series = Series::of(&reports, 0, 0).unwrap();
        let values: Vec<_> = series.points.iter().map(|p| (p.report, p.value.as_str())).collect();
        assert_eq!(values, [(1, "3.90"), (0, "3.70")]);
        assert!(!series.one_hospital);
        assert_eq!(series.high.unwrap().text, "3.40");
    }

    #[test]
    fn a_local_code_joins_within_its_hospital_only() {
        let reports = [
            report("2026-05-01", "安澜市人民医院", "urn:lab", "LDL", "3.70", "mmol/L"),
            report("2025-05-01", "安澜市人民医院", "urn:lab", "LDL", "3.60", "mmol/L"),
            report("2024-05-01", "安澜市中医院", "urn:lab", "LDL", "3.50", "mmol/L"),
        ];
        assert_eq!(Series::of(&reports, 0, 0).unwrap().points.len(), 2);
    }

    #[test]
    fn two_units_never_share_an_axis() {
        let reports = [
            report("2026-05-01", "H", LOINC, "13457-7", "3.70", "mmol/L"),
            report("2025-05-01", "H", LOINC, "13457-7", "143", "mg/dL"),
            report("2024-05-01", "H", LOINC, "13457-7", "3.50", "mmol/l"),
        ];
        let series = Series::of(&reports, 0, 0).unwrap();
        assert_eq!(series.points.len(), 2);
        assert_eq!(series.other_units.len(), 1);
    }

    #[test]
    fn one_value_has_no_trend() {
        let reports = [report("2026-05-01", "H", LOINC, "13457-7", "3.70", "mmol/L")];
        assert_eq!(Series::of(&reports, 0, 0), None);
        assert_eq!(Series::of(&reports, 0, 7), None);
    }

    #[test]
    fn the_axis_has_round_figures_around_all_values() {
        let texts =
            |least, most| Axis::over(least, most).ticks().into_iter().map(|t| t.text).collect::<Vec<_>>();
        assert_eq!(texts(3.2, 4.05), ["3.0", "3.5", "4.0", "4.5"]);
        assert_eq!(texts(0.0, 100.0), ["0", "50", "100"]);
        assert_eq!(texts(5.0, 5.0), ["4.90", "4.95", "5.00", "5.05", "5.10"]);
    }

    proptest! {
        #[test]
        fn any_two_values_have_an_axis(a in -1e15f64..1e15, b in -1e15f64..1e15) {
            let (least, most) = (a.min(b), a.max(b));
            let axis = Axis::over(least, most);
            prop_assert!(axis.ticks().len() <= 5);
            prop_assert!((0.0..=1.0).contains(&axis.place(least)));
            prop_assert!((0.0..=1.0).contains(&axis.place(most)));
        }
    }
}
