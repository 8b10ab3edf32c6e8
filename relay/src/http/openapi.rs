//! `/v1/openapi.json`: the API described for machines. Bodies in CBOR are named by their type in
//! `formats.cddl`, which that format can't spell.

use super::wire;
use axum::{http::StatusCode, response::Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn document() -> Response {
    wire::bytes(StatusCode::OK, "application/json", DOCUMENT.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn described() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let routes: BTreeSet<_> =
            super::super::routes().iter().map(|(path, _)| path.replace("{*", "{")).collect();
        let document = described();
        let paths: BTreeSet<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(paths, routes);
    }

    #[test]
    fn every_method_of_a_route_is_described_and_no_other() {
        for (path, methods) in super::super::routes() {
            let document = described();
            let described = document["paths"][path.replace("{*", "{")].as_object().unwrap();
            for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
                // How a router prints names the methods that it takes.
                let printed = format!("{methods:?}");
                let field = format!("{}: ", method.as_str().to_lowercase());
                let taken = printed.split(&field).nth(1).is_some_and(|rest| !rest.starts_with("None"));
                assert_eq!(described.contains_key(&method.as_str().to_lowercase()), taken, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_parameter_of_a_path_is_described() {
        for (path, item) in described()["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                let none = Vec::new();
                let named: BTreeSet<_> = operation["parameters"]
                    .as_array()
                    .unwrap_or(&none)
                    .iter()
                    .filter(|p| p["in"] == "path")
                    .map(|p| p["name"].as_str().unwrap())
                    .collect();
                let wanted: BTreeSet<_> =
                    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
                assert_eq!(named, wanted, "{path}");
            }
        }
    }
}
