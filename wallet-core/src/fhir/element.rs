//! How elements are read from JSON: by name, with the type that FHIR R4 gives them. A fault carries the path
//! of the element it was found in.

use super::{FhirError, Json, json::short};

/// Something that FHIR writes as one JSON value.
pub(super) trait Element: Sized {
    fn read(json: &Json) -> Result<Self, FhirError>;
}

/// The members of an object, read by name.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a [(String, Json)]);

impl<'a> Fields<'a> {
    pub(super) fn of(json: &'a Json) -> Result<Self, FhirError> {
        match json {
            Json::Object(members) => Ok(Self(members)),
            other => Err(FhirError::wrong("an object", other.kind())),
        }
    }

    /// The JSON of a member. `null` and `""`, which FHIR doesn't know but exporters write, count as absent.
    pub(super) fn json(&self, name: &str) -> Option<&'a Json> {
        let (_, json) = self.0.iter().find(|(n, _)| n == name)?;
        match json {
            Json::Null => None,
            Json::String(text) if text.is_empty() => None,
            json => Some(json),
        }
    }

    pub(super) fn optional<T: Element>(&self, name: &str) -> Result<Option<T>, FhirError> {
        self.json(name).map(T::read).transpose().map_err(|e| e.within(name))
    }

    pub(super) fn required<T: Element>(&self, name: &str) -> Result<T, FhirError> {
        self.optional(name)?.ok_or_else(|| FhirError::missing(name))
    }

    /// A repeating element; absent is empty. `null` inside holds the place of an extension and is skipped.
    pub(super) fn list<T: Element>(&self, name: &str) -> Result<Vec<T>, FhirError> {
        let Some(json) = self.json(name) else { return Ok(Vec::new()) };
        let Json::Array(items) = json else {
            return Err(FhirError::wrong("a list", json.kind()).within(name));
        };
        let mut read = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate().filter(|(_, item)| **item != Json::Null) {
            read.push(T::read(item).map_err(|e| e.within_index(i).within(name))?);
        }
        Ok(read)
    }

    /// A code from a value set that FHIR fixes.
    pub(super) fn code(&self, name: &str, set: &[&'static str]) -> Result<&'static str, FhirError> {
        let code: String = self.required(name)?;
        set.iter().find(|known| **known == code).copied().ok_or_else(|| {
            FhirError::wrong("one of the codes that FHIR R4 lists for it", format!("“{}”", short(&code)))
                .within(name)
        })
    }

    /// The one member of a choice such as `value[x]`: the suffix and its JSON.
    pub(super) fn choice(&self, stem: &str) -> Result<Option<(&'a str, &'a Json)>, FhirError> {
        let mut found: Option<(&str, &Json)> = None;
        for (name, json) in self.0 {
            let Some(suffix) = name.strip_prefix(stem) else { continue };
            if !suffix.starts_with(|c: char| c.is_ascii_uppercase()) || *json == Json::Null {
                continue;
            }
            if found.replace((suffix, json)).is_some() {
                return Err(FhirError::Twice { at: format!("{stem}[x]") });
            }
        }
        Ok(found)
    }

    /// Refuses what may turn the meaning around: no modifier extension and no implicit rules are known here
    /// (FHIR R4 §2.1.0.1, isModifier).
    pub(super) fn no_unknown_modifier(&self) -> Result<(), FhirError> {
        for name in ["modifierExtension", "implicitRules"] {
            if let Some(json) = self.json(name) {
                if matches!(json, Json::Array(items) if items.is_empty()) {
                    continue;
                }
                let first = json.as_array().and_then(<[Json]>::first).unwrap_or(json);
                let url = first.get("url").or(Some(first)).and_then(Json::as_str).unwrap_or("no name");
                return Err(FhirError::Modifier {
                    at: name.to_owned(),
                    url: url.chars().take(120).collect(),
                });
            }
        }
        Ok(())
    }
}

/// Text as it may be shown: without control characters and without those that turn the direction of reading
/// around, which could make a value look like another.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| match c {
            '\n' | '\t' => true,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => false,
            c => !c.is_control(),
        })
        .collect()
}

impl Element for String {
    fn read(json: &Json) -> Result<Self, FhirError> {
        match json {
            Json::String(text) => Ok(shown(text)),
            other => Err(FhirError::wrong("a text", other.kind())),
        }
    }
}

impl Element for bool {
    fn read(json: &Json) -> Result<Self, FhirError> {
        match json {
            Json::Bool(value) => Ok(*value),
            other => Err(FhirError::wrong("true or false", other.kind())),
        }
    }
}

impl Element for u64 {
    fn read(json: &Json) -> Result<Self, FhirError> {
        match json {
            Json::Number(text) => {
                text.parse().map_err(|_| FhirError::wrong("a whole number", "another number"))
            }
            other => Err(FhirError::wrong("a whole number", other.kind())),
        }
    }
}

/// A decimal in its own text: 6.30 stays 6.30.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal(String);

impl Decimal {
    /// The text, if it reads as a decimal number.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let number = |s: &str| !s.is_empty() && s.len() <= 18 && s.bytes().all(|b| b.is_ascii_digit());
        (number(whole) && number(part)).then(|| Self(text.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// For geometry and comparison; none where a float can't hold it.
    pub(super) fn number(&self) -> Option<f64> {
        self.0.parse::<f64>().ok().filter(|n| n.is_finite())
    }
}

impl Element for Decimal {
    fn read(json: &Json) -> Result<Self, FhirError> {
        match json {
            Json::Number(text) => Ok(Self(text.clone())),
            other => Err(FhirError::wrong("a number, without quotation marks", other.kind())),
        }
    }
}
