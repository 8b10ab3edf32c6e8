//! Reading JSON that isn't what is asked for: the answer names the member and what belongs there, and repeats nothing of
//! what was sent, not even the names of members that it invented.

use crate::http::{Fault, Problem, Text};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::iter;

/// Every member of every body, and what belongs there in Chinese and English.
const MEMBERS: [(&str, &str, &str); 9] = [
    ("link", "患者的理赔链接，写成文字", "the patient's claim link, a text"),
    ("paid", "金额，写成文字，如 \"1280.50\"", "a sum as a text, such as \"1280.50\""),
    ("reason", "理由，写成文字", "the reason, a text"),
    ("why", "error、duplicate 或 paid-back", "error, duplicate or paid-back"),
    ("words", "说明，写成文字", "the reason in words, a text"),
    ("items", "1 到 100 项的列表", "a list of 1 to 100 items"),
    ("do", "take、decide 或 reverse", "take, decide or reverse"),
    ("id", "理赔的编号，64 位十六进制文字", "the claim's id, a text of 64 hexadecimal digits"),
    ("url", "https 地址，写成文字", "an https address, a text"),
];

/// A JSON body of exactly these members.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Fault::MediaType.into());
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Fault::TooLarge)?;
        read(&bytes, "").map(Self)
    }
}

/// Reads what lies at this place of a body.
pub fn read<T: DeserializeOwned>(json: &[u8], place: &str) -> Result<T, Problem> {
    let mut source = serde_json::Deserializer::from_slice(json);
    let read: T = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().clone();
        let error = error.into_inner();
        if error.is_data() { told(place, &path, &error.to_string()) } else { broken(&error) }
    })?;
    source.end().map(|()| read).map_err(|error| broken(&error))
}

/// It is no JSON at all: where it breaks is told.
fn broken(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Fault::Malformed.because(
        format!("内容不是 JSON（第 {line} 行第 {column} 列）"),
        format!("The body is not JSON (line {line}, column {column})"),
    )
}

/// It is JSON of another form. Of serde's message only its kind counts, and a member's name of ours.
fn told(place: &str, path: &Path, message: &str) -> Problem {
    let ours = |start: &str| message.strip_prefix(start)?.split('`').next().and_then(known);
    let at = pointer(place, path);
    let said = if message.starts_with("unknown field `") {
        Text::new(
            format!("{at}：有多余的成员；按 /v1/openapi.json 只写列出的成员"),
            format!("{at}: it has a member that is not one of those in /v1/openapi.json"),
        )
    } else if let Some((name, zh, en)) = ours("missing field `") {
        Text::new(format!("{at}/{name}：缺少；应为{zh}"), format!("{at}/{name}: it is missing; it is {en}"))
    } else if let Some((name, ..)) = ours("duplicate field `") {
        Text::new(format!("{at}/{name}：出现了两次"), format!("{at}/{name}: it stands there twice"))
    } else if let Some((_, zh, en)) = at.rsplit('/').next().and_then(known) {
        Text::new(format!("{at}：应为{zh}"), format!("{at}: {en}"))
    } else {
        Text::new(format!("{at}：应为 JSON 对象"), format!("{at}: a JSON object belongs there"))
    };
    Fault::Malformed.because(said.zh, said.en)
}

fn known(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    MEMBERS.into_iter().find(|(member, ..)| *member == name)
}

/// The place as a JSON pointer (RFC 6901), as far as its names are ours; the whole body is the empty one.
fn pointer(place: &str, path: &Path) -> String {
    let names = path.iter().map_while(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => known(key).map(|(name, ..)| format!("/{name}")),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    iter::once(place.to_owned()).chain(names).collect()
}

#[cfg(test)]
mod tests {
    use super::super::bodies::{BatchBody, DecisionBody, ItemBody, ReversalBody};
    use super::*;
    use crate::http::problem::Language;

    fn said<T: DeserializeOwned>(json: &str) -> [String; 2] {
        let problem = read::<T>(json.as_bytes(), "").err().unwrap();
        assert_eq!(problem.code(), "malformed");
        [Language::Chinese, Language::English].map(|language| problem.body(language).detail)
    }

    #[test]
    fn the_member_and_what_belongs_there_are_named_and_nothing_that_was_sent() {
        let sum = "/paid: a sum as a text, such as \"1280.50\"";
        for (json, expected) in [
            (r#"{"paid": 100}"#, sum),
            (r#"{"paid": {"secret": 1}}"#, sum),
            (r#"{"reason": "x"}"#, "/paid: it is missing; it is a sum as a text, such as \"1280.50\""),
            (r#"{"paid": "1", "paid": "2"}"#, "/paid: it stands there twice"),
            (r#"{"paid": "1", "reason": null}"#, "/reason: the reason, a text"),
            (
                r#"{"paid": "1", "secret, expected a string": 1}"#,
                ": it has a member that is not one of those in /v1/openapi.json",
            ),
            (r#""secret""#, ": a JSON object belongs there"),
            (r#"{"paid": "1"} secret"#, "The body is not JSON (line 1, column 15)"),
            (r#"{"paid": secret}"#, "The body is not JSON (line 1, column 10)"),
        ] {
            let [zh, en] = said::<DecisionBody>(json);
            assert_eq!(en, expected, "{json}");
            assert!(!zh.is_ascii() && !zh.contains("secret"), "{zh}");
        }
        assert_eq!(
            said::<ReversalBody>(r#"{"why": "secret", "words": "x"}"#)[1],
            "/why: error, duplicate or paid-back"
        );
        assert_eq!(said::<BatchBody>(r#"{"items": 3}"#)[1], "/items: a list of 1 to 100 items");
    }

    #[test]
    fn an_item_of_a_batch_is_read_by_what_it_is_to_do() {
        let body: BatchBody = read(
            br#"{"items": [{"do": "take", "link": "x"}, {"do": "decide", "id": "a", "paid": 3}, {"do": "pay"}, 7]}"#,
            "",
        )
        .unwrap();
        let read: Vec<Result<ItemBody, String>> = body
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| ItemBody::read(item, at).map_err(|it| it.body(Language::English).detail))
            .collect();
        assert!(matches!(&read[0], Ok(ItemBody::Take(body)) if body.link == "x"));
        let refused: Vec<&str> = read[1..].iter().map(|it| it.as_ref().err().unwrap().as_str()).collect();
        assert_eq!(
            refused,
            [
                "/items/1/paid: a sum as a text, such as \"1280.50\"",
                "/items/2/do: take, decide or reverse",
                "/items/3: a JSON object belongs there"
            ]
        );
    }
}
