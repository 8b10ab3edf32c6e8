//! Rate limits: a bucket an address, a bucket a signing party. A bucket holds a minute's worth and refills
//! evenly.

use super::{Fault, Shared};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Beyond this many, full buckets are forgotten.
const REMEMBERED: usize = 10_000;

/// Buckets of tokens by client.
#[derive(Debug)]
pub struct Pace<K> {
    a_minute: u32,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Hash + Eq> Pace<K> {
    /// `a_minute` requests a minute and client; 0 for no limit.
    pub fn new(a_minute: u32) -> Self {
        Self { a_minute, buckets: Mutex::default() }
    }

    /// Takes a token, or says how long to wait for the next one.
    pub fn take(&self, client: K, now: Instant) -> Result<(), Duration> {
        if self.a_minute == 0 {
            return Ok(());
        }
        let (full, a_second) = (f64::from(self.a_minute), f64::from(self.a_minute) / 60.0);
        let refilled = |bucket: &Bucket| {
            (bucket.tokens + now.saturating_duration_since(bucket.at).as_secs_f64() * a_second).min(full)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED {
            buckets.retain(|_, bucket| refilled(bucket) < full);
        }
        let bucket = buckets.entry(client).or_insert(Bucket { tokens: full, at: now });
        let tokens = refilled(bucket);
        let granted = tokens >= 1.0;
        *bucket = Bucket { tokens: if granted { tokens - 1.0 } else { tokens }, at: now };
        if granted {
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - tokens) / a_second))
    }
}

/// Limits API requests by the client's address.
pub async fn by_address(State(node): State<Shared>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let Some(address) = client(peer, request.headers(), node.trust_proxy) else {
        return next.run(request).await;
    };
    match node.by_address.take(network(address), Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

/// The answer to one who must wait.
pub fn too_many(wait: Duration) -> Response {
    let mut response = Fault::TooMany.into_response();
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// The peer's address, or the one that the proxy in front of us saw.
fn client(peer: Option<IpAddr>, headers: &HeaderMap, trust_proxy: bool) -> Option<IpAddr> {
    if !trust_proxy {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    forwarded.rsplit(',').next()?.trim().parse().ok().or(peer)
}

/// An IPv6 client has a whole /64 to itself.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_minute_s_worth_and_then_waits_for_the_next_token() {
        let (pace, start) = (Pace::new(60), Instant::now());
        for _ in 0..60 {
            pace.take("a", start).unwrap();
        }
        assert!(pace.take("a", start).unwrap_err() <= Duration::from_secs(1));
        pace.take("b", start).unwrap();
        pace.take("a", start + Duration::from_secs(1)).unwrap();
        assert!(pace.take("a", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let pace = Pace::new(0);
        for _ in 0..1000 {
            pace.take((), Instant::now()).unwrap();
        }
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 2.2.2.2"));
        let peer = Some("127.0.0.1".parse().unwrap());
        assert_eq!(client(peer, &headers, false), peer);
        assert_eq!(client(peer, &headers, true), Some("2.2.2.2".parse().unwrap()));
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::2".parse().unwrap()));
    }
}
