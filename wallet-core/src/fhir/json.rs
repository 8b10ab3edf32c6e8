//! JSON with numbers as literal text, for FHIR's decimals: their precision is part of the value
//! (FHIR R4 §2.24.0.1). `serde_json` parses; a tree of our own keeps what it read.
//!
//! Never recurses deeper than 48 levels, never lets a member stand twice.

use super::FhirError;
use core::fmt;
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The deepest nesting read. FHIR resources stay well below 30.
const MAX_DEPTH: usize = 48;

/// The largest file read, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A JSON value; numbers as written, members in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as its own text.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; no name twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Self, FhirError> {
        if bytes.len() > MAX_BYTES {
            return Err(FhirError::TooLarge { max: MAX_BYTES });
        }
        let text = core::str::from_utf8(bytes).map_err(|e| FhirError::NotJson {
            line: bytes[..e.valid_up_to()].split(|b| *b == b'\n').count(),
            column: 1,
            problem: "not UTF-8".to_owned(),
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| not_json(&e))?;
        build(raw, 0)
    }

    /// The compact text: no white space, members in their order, numbers as they were written.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Follows a JSON Pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |json, token| match json {
            Self::Object(_) => json.get(&token.replace("~1", "/").replace("~0", "~")),
            Self::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The kind of value, for error sentences.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::String(_) => "a text",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    // Writing a str to JSON in memory has no way to fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn not_json(error: &serde_json::Error) -> FhirError {
    // serde_json's sentence ends with its position, which stands in fields of its own here.
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or_default().to_owned();
    FhirError::NotJson { line: error.line(), column: error.column(), problem }
}

fn build(raw: &RawValue, depth: usize) -> Result<Json, FhirError> {
    if depth > MAX_DEPTH {
        return Err(FhirError::TooDeep { max: MAX_DEPTH });
    }
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::Deserializer::from_str(text)
                .deserialize_map(MembersVisitor)
                .map_err(|e| not_json(&e))?;
            let mut read: Vec<(String, Json)> = Vec::with_capacity(members.len());
            let mut names = std::collections::BTreeSet::new();
            for (name, value) in members {
                if !names.insert(name.clone()) {
                    return Err(FhirError::Twice { at: short(&name) });
                }
                let value = build(value, depth + 1).map_err(|e| e.within(&short(&name)))?;
                read.push((name, value));
            }
            Ok(Json::Object(read))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| not_json(&e))?;
            let items = items
                .into_iter()
                .enumerate()
                .map(|(i, item)| build(item, depth + 1).map_err(|e| e.within_index(i)));
            Ok(Json::Array(items.collect::<Result<_, _>>()?))
        }
        Some(b'"') => serde_json::from_str(text).map(Json::String).map_err(|e| not_json(&e)),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        Some(b'n') => Ok(Json::Null),
        _ => Ok(Json::Number(text.to_owned())),
    }
}

/// A name as an error may show it.
pub(super) fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
            if members.len() >= 100_000 {
                return Err(A::Error::custom("more than 100,000 members"));
            }
            members.push(entry);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_keeps_its_last_zero() {
        let json = Json::parse(br#"{"value": 6.30, "big": 1e2, "text": "\u5b89\u6f9c"}"#).unwrap();
        assert_eq!(json.get("value"), Some(&Json::Number("6.30".to_owned())));
        assert_eq!(json.to_text(), r#"{"value":6.30,"big":1e2,"text":"安澜"}"#);
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_with_its_place() {
        let error = Json::parse(br#"{"entry":[{"a":1,"a":2}]}"#).unwrap_err();
        assert_eq!(error, FhirError::Twice { at: "entry[0].a".to_owned() });
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(
            Json::parse(deep.as_bytes()),
            Err(FhirError::TooDeep { .. } | FhirError::NotJson { .. })
        ));
        let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(Json::parse(fits.as_bytes()).is_ok());
    }

    #[test]
    fn a_pointer_finds_what_it_names() {
        let json = Json::parse(br#"{"a/b":[10,{"~":2.50}]}"#).unwrap();
        assert_eq!(json.pointer("/a~1b/1/~0"), Some(&Json::Number("2.50".to_owned())));
        assert_eq!(json.pointer("/a~1b/7"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Json::parse(&bytes);
        }

        #[test]
        fn what_was_read_is_written_and_read_again(text in "[ -~]{0,40}", n in any::<i32>()) {
            let source = format!("{{\"t\":{},\"n\":[{n}.10,null,true]}}", serde_json::to_string(&text).unwrap());
            let json = Json::parse(source.as_bytes()).unwrap();
            prop_assert_eq!(json.to_text(), source);
        }
    }
}
