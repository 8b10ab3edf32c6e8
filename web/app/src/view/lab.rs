//! A laboratory row in words: its verdict, its range, its sentence for screen readers (LOOK "Screen readers").

use suishen_bridge::fhir::{LabRow, RangeView, Value, Verdict};

use super::claim::{YUAN, sum};
use crate::words::Words;

/// How a value stands, as a shape and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Arrow up.
    High,
    /// Arrow down.
    Low,
    /// Abnormal without a direction.
    Abnormal,
    /// Within the range.
    Within,
    /// The report says nothing.
    Unsaid,
}

impl Standing {
    /// What a verdict looks like.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::None => Self::Unsaid,
            Verdict::Normal => Self::Within,
            Verdict::High | Verdict::CriticalHigh => Self::High,
            Verdict::Low | Verdict::CriticalLow => Self::Low,
            Verdict::Abnormal | Verdict::Critical => Self::Abnormal,
        }
    }

    /// Class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::High | Self::Abnormal => "high",
            Self::Low => "low",
            Self::Within | Self::Unsaid => "within",
        }
    }
}

/// The key of a verdict's word; none where the report says nothing.
pub fn verdict_key(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::None => None,
        Verdict::Normal => Some("verdict-within"),
        Verdict::High => Some("verdict-high"),
        Verdict::Low => Some("verdict-low"),
        Verdict::CriticalHigh => Some("verdict-critical-high"),
        Verdict::CriticalLow => Some("verdict-critical-low"),
        Verdict::Abnormal => Some("verdict-abnormal"),
        Verdict::Critical => Some("verdict-critical"),
    }
}

/// A value in words.
fn value_text(words: &Words, value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::YesNo(true) => words.say("value-yes"),
        Value::YesNo(false) => words.say("value-no"),
        Value::Absent(reason) => reason.clone().unwrap_or_else(|| words.say("value-absent")),
    }
}

/// A value and its unit as they are shown: a sum of money as people write it.
pub fn shown(words: &Words, row: &LabRow) -> (String, String) {
    let unit = row.unit.clone().unwrap_or_default();
    match &row.value {
        Value::Text(text) if unit == YUAN => (sum(&format!("{text} {unit}")), String::new()),
        value => (value_text(words, value), unit),
    }
}

/// A range in words: `1.04–1.55`, `低于 3.40`, or the report's own.
pub fn range_text(words: &Words, range: &RangeView) -> Option<String> {
    match (&range.low, &range.high) {
        (Some(low), Some(high)) => Some(format!("{low}–{high}")),
        (None, Some(high)) => Some(words.with("range-below", &[("limit", high.as_str().into())])),
        (Some(low), None) => Some(words.with("range-above", &[("limit", low.as_str().into())])),
        (None, None) => range.text.clone(),
    }
}

/// A unit as it is spoken; as it is written where it has no spoken form.
pub fn spoken_unit(words: &Words, unit: &str) -> String {
    let key = match unit {
        "mmol/L" => "unit-mmol-l",
        "μmol/L" | "µmol/L" | "umol/L" => "unit-umol-l",
        "g/L" => "unit-g-l",
        "mg/L" => "unit-mg-l",
        "mg/dL" => "unit-mg-dl",
        "U/L" | "IU/L" => "unit-u-l",
        "10^9/L" | "×10⁹/L" | "10*9/L" => "unit-giga-l",
        "10^12/L" | "×10¹²/L" | "10*12/L" => "unit-tera-l",
        "%" => "unit-percent",
        _ => return unit.to_owned(),
    };
    words.say(key)
}

/// "低密度脂蛋白，4.05 毫摩尔每升，偏高，参考范围低于 3.40"
pub fn sentence(words: &Words, row: &LabRow) -> String {
    let (mut value, unit) = shown(words, row);
    if let (false, Value::Text(_)) = (unit.is_empty(), &row.value) {
        value = format!("{value} {}", spoken_unit(words, &unit));
    }
    let mut parts = vec![row.name.clone(), value];
    parts.extend(verdict_key(row.verdict).map(|key| words.say(key)));
    if let Some(range) = row.range.as_ref().and_then(|range| range_text(words, range)) {
        parts.push(words.with("range-spoken", &[("range", range.into())]));
    }
    parts.join(&words.say("comma"))
}

/// The order of rows: abnormal first, each group in the report's order; or the report's order.
pub fn order(rows: &[LabRow], abnormal_first: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    if abnormal_first {
        order.sort_by_key(|index| !rows[*index].verdict.is_abnormal());
    }
    order
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::words::Language;

    /// A row for tests of views.
    pub fn row(
        name: &str,
        value: &str,
        range: Option<(Option<&str>, Option<&str>)>,
        verdict: Verdict,
    ) -> LabRow {
        LabRow {
            name: name.to_owned(),
            short: None,
            panel: None,
            value: Value::Text(value.to_owned()),
            unit: Some("mmol/L".to_owned()),
            ucum: None,
            range: range.map(|(low, high)| RangeView {
                low: low.map(str::to_owned),
                high: high.map(str::to_owned),
                text: None,
            }),
            verdict,
            bar: None,
            codes: Vec::new(),
            status: "final".to_owned(),
            note: None,
        }
    }

    #[test]
    fn a_row_is_spoken_as_a_sentence() {
        let words = Words::new(Language::Chinese, 480);
        let row = row("低密度脂蛋白", "4.05", Some((None, Some("3.40"))), Verdict::High);
        assert_eq!(sentence(&words, &row), "低密度脂蛋白，4.05 毫摩尔每升，偏高，参考范围低于 3.40");
    }

    #[test]
    fn without_a_range_nothing_is_said_about_it() {
        let words = Words::new(Language::English, 0);
        assert_eq!(
            sentence(&words, &row("LDL-C", "4.05", None, Verdict::None)),
            "LDL-C, 4.05 millimoles per litre"
        );
    }

    #[test]
    fn abnormal_rows_come_first_in_the_reports_order() {
        let rows = [
            row("a", "1", None, Verdict::Normal),
            row("b", "2", None, Verdict::Low),
            row("c", "3", None, Verdict::None),
            row("d", "4", None, Verdict::CriticalHigh),
        ];
        assert_eq!(order(&rows, true), [1, 3, 0, 2]);
        assert_eq!(order(&rows, false), [0, 1, 2, 3]);
    }
}
