//! An observation, or one of its components, as a row: the report's own text, its own verdict first.

use super::super::{
    datatype::{CodeableConcept, Quantity},
    element::Decimal,
    observation::{Measured, Observation, ObservationValue},
};
use super::{Code, LabRow, Value, Verdict, range};

const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

/// The row of what was measured. `panel` is the observation that it is a component of.
pub(super) fn row(observation: &Observation, measured: &Measured, panel: Option<&str>) -> LabRow {
    let quantity = match &measured.value {
        Some(ObservationValue::Quantity(quantity)) => Some(quantity),
        _ => None,
    };
    let unit = quantity.and_then(Quantity::unit_text);
    let chosen = range::choose(&measured.range, unit);
    let withdrawn = matches!(observation.status, "cancelled" | "entered-in-error");
    let number = quantity.and_then(|q| q.value.as_ref()).and_then(Decimal::number);
    let comparator = quantity.and_then(|q| q.comparator);
    let verdict = match own_verdict(&measured.interpretation) {
        _ if withdrawn => Verdict::None,
        Some(own) => own,
        None => match (&chosen, number) {
            (Some((_, limits)), Some(value)) => range::judge(value, comparator, limits),
            _ => Verdict::None,
        },
    };
    let bar = match (&chosen, number) {
        (Some((_, limits)), Some(value)) if !withdrawn => range::bar(value, verdict, limits),
        _ => None,
    };
    let notes: Vec<&str> = observation.note.iter().map(|n| n.text.as_str()).collect();
    LabRow {
        name: name(&measured.code).unwrap_or_default(),
        short: short(&measured.code),
        panel: panel.map(str::to_owned),
        value: value(measured),
        unit: unit.map(str::to_owned),
        ucum: quantity.and_then(ucum),
        range: chosen.map(|(view, _)| view),
        verdict,
        bar,
        codes: codes(&measured.code),
        status: observation.status.to_owned(),
        note: (panel.is_none() && !notes.is_empty()).then(|| notes.join("\n")),
    }
}

fn value(measured: &Measured) -> Value {
    let absent = || Value::Absent(measured.absent.as_ref().and_then(CodeableConcept::label));
    match &measured.value {
        Some(ObservationValue::Quantity(quantity)) => quantity.text().map_or_else(absent, Value::Text),
        Some(ObservationValue::Text(text)) if !text.is_empty() => Value::Text(text.clone()),
        Some(ObservationValue::YesNo(yes)) => Value::YesNo(*yes),
        _ => absent(),
    }
}

fn ucum(quantity: &Quantity) -> Option<String> {
    (quantity.system.as_deref() == Some("http://unitsofmeasure.org")).then(|| quantity.code.clone())?
}

/// The name for people: the chosen text, else the display of a local code, else any.
pub(super) fn name(code: &CodeableConcept) -> Option<String> {
    code.label()
}

/// A local code that reads as an abbreviation (`LDL-C`, `ALT`): letters, at most ten characters. LOINC and
/// SNOMED codes are numbers and never pass.
fn short(code: &CodeableConcept) -> Option<String> {
    let abbreviation = |c: &&String| {
        c.len() <= 10
            && c.starts_with(|c: char| c.is_ascii_alphabetic())
            && c.chars().all(|c| c.is_ascii_alphanumeric() || "-+/%#.".contains(c))
    };
    code.coding.iter().filter_map(|c| c.code.as_ref()).find(abbreviation).cloned()
}

fn codes(code: &CodeableConcept) -> Vec<Code> {
    code.coding
        .iter()
        .filter_map(|c| Some(Code { system: c.system.clone(), code: c.code.clone()? }))
        .collect()
}

/// The report's own interpretation: the standard's code, else an unmistakable word or arrow.
fn own_verdict(interpretation: &[CodeableConcept]) -> Option<Verdict> {
    let standard = |concept: &CodeableConcept| {
        concept.coding.iter().find_map(|c| {
            let known = c.system.as_deref().is_none_or(|s| {
                s == INTERPRETATION || s.ends_with("v2-0078") || s.ends_with("observation-interpretation")
            });
            if known { verdict_code(c.code.as_deref()?) } else { None }
        })
    };
    let in_words = |concept: &CodeableConcept| verdict_words(concept.text.as_deref()?);
    interpretation.iter().find_map(standard).or_else(|| interpretation.iter().find_map(in_words))
}

fn verdict_code(code: &str) -> Option<Verdict> {
    Some(match code {
        "N" => Verdict::Normal,
        "H" | "HU" | ">" => Verdict::High,
        "L" | "LU" | "<" => Verdict::Low,
        "HH" => Verdict::CriticalHigh,
        "LL" => Verdict::CriticalLow,
        "A" => Verdict::Abnormal,
        "AA" => Verdict::Critical,
        // Positive, resistant, better, … are findings, not a place in a range.
        _ => return None,
    })
}

fn verdict_words(text: &str) -> Option<Verdict> {
    Some(match text.trim() {
        "正常" | "范围内" | "Normal" | "normal" => Verdict::Normal,
        "↑" | "偏高" | "高" | "升高" | "High" | "high" | "H" => Verdict::High,
        "↓" | "偏低" | "低" | "降低" | "Low" | "low" | "L" => Verdict::Low,
        "↑↑" | "危急值偏高" => Verdict::CriticalHigh,
        "↓↓" | "危急值偏低" => Verdict::CriticalLow,
        "异常" | "Abnormal" | "abnormal" => Verdict::Abnormal,
        "危急值" => Verdict::Critical,
        _ => return None,
    })
}

/// Whether two spellings name one unit.
pub(super) fn same_unit(a: &str, b: &str) -> bool {
    unit_key(a) == unit_key(b)
}

/// A unit in one spelling: UCUM's for those that Chinese laboratories print otherwise.
fn unit_key(unit: &str) -> String {
    let mut key: String = unit
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '\u{3bc}' | '\u{b5}' => 'u',
            '×' | 'x' | 'X' | '^' => '*',
            '⁹' => '9',
            '¹' => '1',
            '²' => '2',
            '³' => '3',
            c => c,
        })
        .collect();
    for (from, to) in
        [("*10*", "10*"), ("*109/", "10*9/"), ("*1012/", "10*12/"), ("[iU]", "IU"), ("dl", "dL")]
    {
        key = key.replace(from, to);
    }
    if let Some(litre) = key.strip_suffix("/l") {
        key = format!("{litre}/L");
    }
    key
}

/// The unit by which rows may share an axis: UCUM if given, else the printed one, in one spelling.
pub(in crate::fhir) fn trend_unit(row: &LabRow) -> Option<String> {
    row.ucum.as_deref().or(row.unit.as_deref()).map(unit_key)
}

/// The number in a row's value, for geometry: none for values beyond what was measured (`<0.5`).
pub(in crate::fhir) fn value_number(row: &LabRow) -> Option<f64> {
    if matches!(row.status.as_str(), "cancelled" | "entered-in-error") {
        return None;
    }
    row.value.text()?.parse::<f64>().ok().filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_other_spellings_are_the_same_unit() {
        for (a, b) in [
            ("10^9/L", "×10⁹/L"),
            ("10*9/L", "10^9/L"),
            ("μmol/L", "µmol/L"),
            ("umol/L", "μmol/L"),
            ("mg/dl", "mg/dL"),
        ] {
            assert!(same_unit(a, b), "{a} {b}");
        }
        for (a, b) in [("mmol/L", "mg/dL"), ("g/L", "mg/L"), ("U/L", "IU/L")] {
            assert!(!same_unit(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_finding_is_not_a_place_in_a_range() {
        assert_eq!(verdict_code("POS"), None);
        assert_eq!(verdict_words("阳性"), None);
    }
}
