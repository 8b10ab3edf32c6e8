//! Which pages may use this relay: those of its own origins and of the other members', nobody else's.
//! Requests that carry no Origin don't come from a page and pass; nothing here rests on cookies.

use super::problem::Fault;
use crate::post::Post;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Scheme, host and port of a page, as a browser writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(String);

/// Why text isn't an origin.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not an origin: expected http(s)://host or http(s)://host:port, in lower case, without a path"
)]
pub struct OriginError(String);

impl Origin {
    /// Reads `https://host[:port]`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let host =
            text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(wrong)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
        if host.is_empty() || !host.chars().all(good) {
            return Err(wrong());
        }
        Ok(Self(text.to_owned()))
    }

    /// As a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same host for web sockets.
    fn socket(&self) -> String {
        self.0.replacen("http", "ws", 1)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All pages that may use this relay.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    known: BTreeSet<Origin>,
    /// Port on which every name under `localhost` is known: each role of a demo is an origin of its own.
    localhost: Option<u16>,
}

impl Origins {
    /// The configured origins and, with `localhost`, every name under `localhost` at that port.
    pub fn new(known: impl IntoIterator<Item = Origin>, localhost: Option<u16>) -> Self {
        Self { known: known.into_iter().collect(), localhost }
    }

    /// The origins known by name.
    pub fn known(&self) -> impl Iterator<Item = &Origin> {
        self.known.iter()
    }

    /// Whether a page of this origin may ask.
    pub fn allows(&self, origin: &str) -> bool {
        self.known.iter().any(|known| known.as_str() == origin) || self.is_local(origin)
    }

    /// Whether a request to this `Host` came by a name of ours: one under `localhost`, an address, or a known
    /// origin's. A name that somebody else's DNS has point here is none of these.
    pub fn is_own_host(&self, host: &str) -> bool {
        let authority = |origin: &Origin| origin.0.split_once("://").is_some_and(|(_, own)| own == host);
        if self.known.iter().any(authority) {
            return true;
        }
        let port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
        let name = match host.rsplit_once(':') {
            Some((name, digits)) if !digits.ends_with(']') && port(digits) => name,
            _ => host,
        };
        let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<Ipv4Addr>().is_ok()
            || bracketed.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok())
    }

    fn is_local(&self, origin: &str) -> bool {
        let Some((host, port)) = origin.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':')) else {
            return false;
        };
        let local =
            host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host.ends_with(".localhost");
        local && self.localhost.is_some_and(|known| port.parse() == Ok(known))
    }

    /// What the engine may connect to, for its `connect-src`, each with a space in front.
    pub fn connect_sources(&self, others: &[Origin]) -> String {
        let local = self.localhost.map(|port| Origin(format!("http://localhost:{port}")));
        let all = self.known.iter().chain(others).cloned().chain(local);
        all.fold(String::new(), |list, origin| format!("{list} {origin} {}", origin.socket()))
    }
}

/// Refuses pages of other sites, and answers the preflights of our own.
pub async fn check(State(post): State<Post>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return next.run(request).await;
    };
    if !origin.to_str().is_ok_and(|origin| post.origins.allows(origin)) {
        return Fault::Origin.into_response();
    }
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if preflight {
        let allow = |text: &'static str| HeaderValue::from_static(text);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow("GET, PUT, POST, DELETE"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            allow("content-type, content-digest, signature, signature-input, range, accept-language"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, allow("86400"));
    } else {
        let exposed = "content-range, content-digest, retry-after";
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_pages_and_the_demo_s_own_names_may_ask() {
        let origins = Origins::new([Origin::parse("https://wallet.example").unwrap()], Some(8080));
        for good in ["https://wallet.example", "http://patient.localhost:8080", "http://localhost:8080"] {
            assert!(origins.allows(good), "{good}");
        }
        for bad in [
            "http://wallet.example",
            "https://wallet.example.evil.example",
            "https://evil.example",
            "http://patient.localhost:8081",
            "http://patientlocalhost:8080",
            "http://localhost.evil.example:8080",
            "https://localhost:8080",
            "null",
        ] {
            assert!(!origins.allows(bad), "{bad}");
        }
        assert!(!Origins::default().allows("http://localhost:8080"));
    }

    #[test]
    fn the_engine_may_reach_every_member_by_https_and_wss() {
        let origins = Origins::new([Origin::parse("https://b.example").unwrap()], None);
        assert_eq!(origins.connect_sources(&[]), " https://b.example wss://b.example");
    }

    #[test]
    fn a_name_that_others_have_point_here_is_not_ours() {
        let origins = Origins::new([Origin::parse("https://demo.example").unwrap()], Some(8080));
        for own in [
            "localhost",
            "localhost:8080",
            "patient.localhost:8080",
            "127.0.0.1:8080",
            "192.0.2.7",
            "[::1]",
            "[::1]:8080",
            "demo.example",
        ] {
            assert!(origins.is_own_host(own), "{own}");
        }
        for other in
            ["", "evil.example", "evil.example:8080", "localhost.evil.example", "demo.example:1", "::1", "a]"]
        {
            assert!(!origins.is_own_host(other), "{other}");
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_room_for_a_second_policy() {
        for bad in
            ["wallet.example", "https://a/b", "https://", "https://a; script-src *", "https://A.example"]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
