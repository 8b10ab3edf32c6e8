//! FHIR R4 data types (§2.24), as far as a report shows them.

use super::{
    FhirError, Json, Moment,
    element::{Decimal, Element, Fields},
};
use core::fmt::Write as _;

#[derive(Clone, Debug, Default)]
pub(super) struct Coding {
    pub system: Option<String>,
    pub code: Option<String>,
    pub display: Option<String>,
}

impl Element for Coding {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { system: f.optional("system")?, code: f.optional("code")?, display: f.optional("display")? })
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct CodeableConcept {
    pub coding: Vec<Coding>,
    pub text: Option<String>,
}

impl CodeableConcept {
    /// What a person reads: the text that was chosen, else a display, else a code.
    pub(super) fn label(&self) -> Option<String> {
        let display = || self.coding.iter().find_map(|c| c.display.clone());
        let code = || self.coding.iter().find_map(|c| c.code.clone());
        self.text.clone().or_else(display).or_else(code)
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.coding.iter().any(|c| c.code.as_deref() == Some(code))
    }
}

impl Element for CodeableConcept {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { coding: f.list("coding")?, text: f.optional("text")? })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub value: Option<Decimal>,
    pub comparator: Option<&'static str>,
    pub unit: Option<String>,
    pub system: Option<String>,
    pub code: Option<String>,
}

impl Quantity {
    /// Comparator and number as written.
    pub(super) fn text(&self) -> Option<String> {
        let value = self.value.as_ref()?.text();
        let sign = match self.comparator {
            Some("<=") => "≤",
            Some(">=") => "≥",
            Some(other) => other,
            None => "",
        };
        Some(format!("{sign}{value}"))
    }

    pub(super) fn unit_text(&self) -> Option<&str> {
        self.unit.as_deref().or(self.code.as_deref())
    }

    pub(super) fn with_unit(&self) -> Option<String> {
        let mut text = self.text()?;
        if let Some(unit) = self.unit_text() {
            let _ = write!(text, " {unit}");
        }
        Some(text)
    }
}

impl Element for Quantity {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        let comparator = f.json("comparator").map(|_| f.code("comparator", &["<", "<=", ">=", ">"]));
        Ok(Self {
            value: f.optional("value")?,
            comparator: comparator.transpose()?,
            unit: f.optional("unit")?,
            system: f.optional("system")?,
            code: f.optional("code")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Range {
    pub low: Option<Quantity>,
    pub high: Option<Quantity>,
}

impl Element for Range {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { low: f.optional("low")?, high: f.optional("high")? })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Ratio {
    pub numerator: Option<Quantity>,
    pub denominator: Option<Quantity>,
}

impl Element for Ratio {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { numerator: f.optional("numerator")?, denominator: f.optional("denominator")? })
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    pub reference: Option<String>,
    pub display: Option<String>,
}

impl Element for Reference {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { reference: f.optional("reference")?, display: f.optional("display")? })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Period {
    pub start: Option<Moment>,
    pub end: Option<Moment>,
}

impl Element for Period {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { start: f.optional("start")?, end: f.optional("end")? })
    }
}

#[derive(Clone, Debug)]
pub(super) struct HumanName {
    pub official: bool,
    text: Option<String>,
    family: Option<String>,
    given: Vec<String>,
}

impl HumanName {
    /// The name as its bearer writes it: family name first and without a space where it is Chinese.
    pub(super) fn label(&self) -> Option<String> {
        if self.text.is_some() {
            return self.text.clone();
        }
        let family = self.family.clone().unwrap_or_default();
        let given = self.given.join(" ");
        let name = if family.chars().next().is_some_and(|c| ('\u{3400}'..='\u{9fff}').contains(&c)) {
            format!("{family}{}", self.given.concat())
        } else {
            format!("{given} {family}").trim().to_owned()
        };
        (!name.is_empty()).then_some(name)
    }
}

impl Element for HumanName {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        let usage: Option<String> = f.optional("use")?;
        Ok(Self {
            official: usage.as_deref() == Some("official"),
            text: f.optional("text")?,
            family: f.optional("family")?,
            given: f.list("given")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub content_type: Option<String>,
    pub title: Option<String>,
    pub url: Option<String>,
    pub size: Option<u64>,
    /// Length of the base64 text, where the bytes are inside.
    pub inline: Option<u64>,
}

impl Element for Attachment {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        let inline = match f.json("data") {
            None => None,
            Some(Json::String(text)) => Some(text.len() as u64),
            Some(other) => {
                return Err(FhirError::wrong("base64 text", other.kind()).within("data"));
            }
        };
        Ok(Self {
            content_type: f.optional("contentType")?,
            title: f.optional("title")?,
            url: f.optional("url")?,
            size: f.optional("size")?,
            inline,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Annotation {
    pub text: String,
}

impl Element for Annotation {
    fn read(json: &Json) -> Result<Self, FhirError> {
        Ok(Self { text: Fields::of(json)?.required("text")? })
    }
}

/// `Resource.text`: XHTML turned into plain text.
#[derive(Clone, Debug)]
pub(super) struct Narrative(pub String);

impl Element for Narrative {
    fn read(json: &Json) -> Result<Self, FhirError> {
        match Fields::of(json)?.json("div") {
            Some(Json::String(div)) => Ok(Self(super::narrative::plain_text(div))),
            Some(other) => Err(FhirError::wrong("XHTML in a text", other.kind()).within("div")),
            None => Err(FhirError::missing("div")),
        }
    }
}
