//! `/v1/openapi.json`: the insurers' interface, described for machines and with examples.

use super::Shared;
use crate::http::wire;
use axum::{extract::State, http::StatusCode, response::Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn document(State(_): State<Shared>) -> Response {
    wire::bytes(StatusCode::OK, "application/json", DOCUMENT.as_bytes().to_vec())
}

/// The document, read.
#[cfg(test)]
pub fn described() -> serde_json::Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::held::State as Where;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_and_method_is_described_and_nothing_else() {
        let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
        for (path, methods) in super::super::routes() {
            // How a router prints names the methods that it takes.
            let printed = format!("{methods:?}");
            for method in ["get", "put", "post", "delete"] {
                let taken = printed.split(&format!("{method}: ")).nth(1);
                if taken.is_some_and(|rest| !rest.starts_with("None")) {
                    wanted.insert((path.to_owned(), method.to_owned()));
                }
            }
        }
        for (path, method) in
            [("/v1/openapi.json", "get"), ("/v1/info", "get"), ("/v1/sandbox/claims", "post")]
        {
            wanted.insert((path.to_owned(), method.to_owned()));
        }
        let document = described();
        let paths = document["paths"].as_object().unwrap();
        let found = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), wanted);
    }

    #[test]
    fn every_state_is_described_and_every_json_has_an_example() {
        let document = described();
        let names: Vec<Value> = Where::ALL.iter().map(|state| state.name().into()).collect();
        for schema in ["Claim", "Event"] {
            let states = &document["components"]["schemas"][schema]["properties"]["state"]["enum"];
            assert_eq!(*states, Value::from(names.clone()), "{schema}");
        }
        // What the server itself sends is described as well.
        let sent = document["webhooks"].as_object().unwrap();
        assert!(sent.keys().eq(["event"]));
        for (path, item) in document["paths"].as_object().unwrap().iter().chain(sent) {
            for (method, operation) in item.as_object().unwrap() {
                let asked = operation["requestBody"]["content"].as_object().into_iter().flatten();
                let told = operation["responses"].as_object().unwrap().values();
                let told = told.filter_map(|answer| answer["content"].as_object()).flatten();
                for (_, content) in asked.chain(told).filter(|_| path != "/v1/openapi.json") {
                    assert!(!content["example"].is_null(), "{method} {path}");
                }
            }
        }
    }
}
