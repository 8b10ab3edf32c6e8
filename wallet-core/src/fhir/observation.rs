//! Observations of FHIR R4: what was measured, its value in whichever type, its reference ranges.

use super::{
    FhirError, Json, Moment,
    datatype::{Annotation, CodeableConcept, Period, Quantity, Range, Ratio, Reference},
    element::{Element, Fields, shown},
    resource::period_choice,
};

const OBSERVATION_STATUS: [&str; 8] = [
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
];

/// `value[x]` of Observation and its components.
#[derive(Clone, Debug)]
pub(super) enum ObservationValue {
    Quantity(Quantity),
    Text(String),
    YesNo(bool),
}

fn value_choice(f: Fields<'_>) -> Result<Option<ObservationValue>, FhirError> {
    let Some((suffix, json)) = f.choice("value")? else { return Ok(None) };
    let read = match suffix {
        "Quantity" => Quantity::read(json).map(ObservationValue::Quantity),
        "Boolean" => bool::read(json).map(ObservationValue::YesNo),
        "CodeableConcept" => {
            CodeableConcept::read(json).map(|c| ObservationValue::Text(c.label().unwrap_or_default()))
        }
        "Range" => Range::read(json).map(|r| {
            let end = |q: Option<Quantity>| q.and_then(|q| q.with_unit()).unwrap_or_default();
            ObservationValue::Text(format!("{} – {}", end(r.low), end(r.high)))
        }),
        "Ratio" => Ratio::read(json).map(|r| {
            let end = |q: Option<Quantity>| {
                q.and_then(|q| if q.code.as_deref() == Some("1") { q.text() } else { q.with_unit() })
            };
            let (n, d) = (end(r.numerator).unwrap_or_default(), end(r.denominator).unwrap_or_default());
            ObservationValue::Text(format!("{n}:{d}"))
        }),
        "Integer" => match json {
            Json::Number(text) => Ok(ObservationValue::Text(shown(text))),
            other => Err(FhirError::wrong("a whole number", other.kind())),
        },
        "DateTime" => Moment::read(json).map(|m| ObservationValue::Text(m.text)),
        "String" | "Time" => String::read(json).map(ObservationValue::Text),
        "Period" => Period::read(json).map(|p| {
            let end = |m: Option<Moment>| m.map(|m| m.text).unwrap_or_default();
            ObservationValue::Text(format!("{} – {}", end(p.start), end(p.end)))
        }),
        // A curve has no text; the report says so by showing the name without a value.
        "SampledData" => return Ok(None),
        _ => Err(FhirError::wrong("a value type of FHIR R4", "another type")),
    };
    read.map(Some).map_err(|e| e.within(&format!("value{}", super::json::short(suffix))))
}

#[derive(Clone, Debug)]
pub(super) struct ReferenceRange {
    pub low: Option<Quantity>,
    pub high: Option<Quantity>,
    pub code: Option<CodeableConcept>,
    pub text: Option<String>,
}

impl Element for ReferenceRange {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self {
            low: f.optional("low")?,
            high: f.optional("high")?,
            code: f.optional("type")?,
            text: f.optional("text")?,
        })
    }
}

/// What an observation and each of its components have in common.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub code: CodeableConcept,
    pub value: Option<ObservationValue>,
    pub absent: Option<CodeableConcept>,
    pub interpretation: Vec<CodeableConcept>,
    pub range: Vec<ReferenceRange>,
}

impl Measured {
    fn of(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            code: f.required("code")?,
            value: value_choice(f)?,
            absent: f.optional("dataAbsentReason")?,
            interpretation: f.list("interpretation")?,
            range: f.list("referenceRange")?,
        })
    }
}

impl Element for Measured {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        f.no_unknown_modifier()?;
        Self::of(f)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub status: &'static str,
    pub category: Vec<CodeableConcept>,
    pub measured: Measured,
    pub subject: Option<Reference>,
    pub encounter: Option<Reference>,
    pub effective: Option<Moment>,
    pub issued: Option<Moment>,
    pub performer: Vec<Reference>,
    pub specimen: Option<Reference>,
    pub note: Vec<Annotation>,
    pub component: Vec<Measured>,
    pub member: Vec<Reference>,
}

impl Observation {
    pub(super) fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            status: f.code("status", &OBSERVATION_STATUS)?,
            category: f.list("category")?,
            measured: Measured::of(f)?,
            subject: f.optional("subject")?,
            encounter: f.optional("encounter")?,
            effective: period_choice(f, "effective")?.0,
            issued: f.optional("issued")?,
            performer: f.list("performer")?,
            specimen: f.optional("specimen")?,
            note: f.list("note")?,
            component: f.list("component")?,
            member: f.list("hasMember")?,
        })
    }
}
