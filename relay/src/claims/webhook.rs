//! Events on their way to an address of the insurer's: one after the other, in order, each until it was taken, signed with
//! the server's certified key the way its own requests are (RFC 9421, RFC 9530).
//!
//! **Nothing inside is called**: https only, no redirects, and what a name resolves to is checked each time; the
//! connection goes to the address that was checked. In the sandbox, plain http to this machine is taken as well.

use super::{
    ClaimsDesk, DeskError, Refusal,
    rows::{Event, RowsError},
    work::wait,
};
use crate::random::SystemRandom;
use axum::{body::Bytes, http::Uri};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::json;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use suishen_core::{
    identity::request::{self, Message},
    sm::Digest,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    sync::Mutex,
};
use tokio_rustls::TlsConnector;

/// The row of the target.
const TARGET: &str = "webhook";
/// Longest address.
const MOST_URL: usize = 1024;
/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// What the waits after failures grow from, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(1);
/// How often is looked without being told.
const IDLE: Duration = Duration::from_mins(1);
/// Events read at a time.
const AT_A_TIME: usize = 100;

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Target {
    /// https.
    #[n(0)]
    pub url: String,
    /// When it was set.
    #[n(1)]
    pub since: u64,
    /// The number of the last event that is done with: taken there, or from before it was set.
    #[n(2)]
    pub delivered: u64,
    /// Failures in a row.
    #[n(3)]
    pub failures: u32,
}

/// Why an event wasn't taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Not called.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The network.
    #[error(transparent)]
    Network(#[from] io::Error),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// Not a request.
    #[error(transparent)]
    Request(#[from] axum::http::Error),
    /// It said no.
    #[error("the webhook answered {0}")]
    Answer(u16),
    /// No answer in time.
    #[error("the webhook did not answer in time")]
    Late,
    /// The ledger's time.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// Whether an address is out on the public network.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match (a, b, c) {
        // This network; carriers' own; protocol assignments and examples; 6to4 relays; measuring; reserved.
        (0 | 240..=255, ..)
        | (100, 64..=127, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => true,
        _ => false,
    };
    !(reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Global unicast is 2000::/3; of it, what carries or stands for another address is judged by that, or not taken.
    match segments {
        [0x2002, high, low, ..] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        // Teredo and other protocol assignments; examples.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

/// An address as it is called.
#[derive(Clone, Debug)]
struct Place {
    host: String,
    port: u16,
    tls: bool,
    path: String,
    query: String,
}

impl Place {
    fn read(url: &str, sandbox: bool) -> Result<Self, Refusal> {
        if url.len() > MOST_URL
            || url.contains(['#', '@', '\\'])
            || !url.chars().all(|c| c.is_ascii_graphic())
        {
            return Err(Refusal::WebhookUrl);
        }
        let uri: Uri = url.parse().map_err(|_| Refusal::WebhookUrl)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if sandbox => false,
            _ => return Err(Refusal::WebhookUrl),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(Refusal::WebhookUrl)?;
        // A port that can't be read isn't taken for the usual one.
        let (authority, usual) = (uri.authority().map_or("", |it| it.as_str()), if tls { 443 } else { 80 });
        let port = match authority.strip_prefix(host).ok_or(Refusal::WebhookUrl)?.strip_prefix(':') {
            None if authority == host => usual,
            None => return Err(Refusal::WebhookUrl),
            Some(digits) => Some(digits)
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .filter(|port| *port != 0)
                .ok_or(Refusal::WebhookUrl)?,
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }

    /// Where it is, checked: of several addresses none may be inside.
    async fn find(&self, sandbox: bool) -> Result<SocketAddr, Refusal> {
        let found =
            lookup_host((self.host.as_str(), self.port)).await.map_err(|_| Refusal::WebhookPrivate)?;
        let found: Vec<SocketAddr> = found.collect();
        let allowed = |address: &SocketAddr| {
            let ip = address.ip();
            // Plain http goes no further than this machine.
            if self.tls { is_public(ip) || (sandbox && ip.is_loopback()) } else { ip.is_loopback() }
        };
        match found.first() {
            Some(first) if found.iter().all(allowed) => Ok(*first),
            Some(_) if !self.tls => Err(Refusal::WebhookUrl),
            _ => Err(Refusal::WebhookPrivate),
        }
    }
}

/// Brings events to the target.
pub struct Hook {
    desk: Arc<ClaimsDesk>,
    sandbox: bool,
    tls: TlsConnector,
    turn: Mutex<()>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Hook {
    /// For the events of this server, by the certificates that this machine trusts.
    pub fn new(desk: Arc<ClaimsDesk>, sandbox: bool) -> Result<Self, rustls::Error> {
        let config = crate::tls::trusting()?;
        Ok(Self { desk, sandbox, tls: TlsConnector::from(Arc::new(config)), turn: Mutex::default() })
    }

    /// Where events go now.
    pub fn target(&self) -> Result<Option<Target>, RowsError> {
        self.desk.rows.value(TARGET)
    }

    /// Sends events from now on there.
    pub async fn set(&self, url: &str) -> Result<Target, DeskError> {
        Place::read(url, self.sandbox)?.find(self.sandbox).await?;
        let since = self.desk.ledger.clock().await?;
        let _turn = self.turn.lock().await;
        let delivered = self.desk.rows.event_span()?.map_or(0, |(_, last)| last);
        let target = Target { url: url.to_owned(), since, delivered, failures: 0 };
        self.desk.rows.put_value(TARGET, &target).await?;
        self.desk.happened.notify_one();
        Ok(target)
    }

    /// Sends none any more; whether any were sent.
    pub async fn clear(&self) -> Result<bool, RowsError> {
        let _turn = self.turn.lock().await;
        self.desk.rows.remove_value(TARGET).await
    }

    /// Delivers until it is dropped.
    pub async fn work(self: Arc<Self>) {
        loop {
            let pause = match self.deliver().await {
                Ok(None) => IDLE,
                Ok(Some(failures)) => wait(failures, FIRST, LONGEST),
                Err(error) => {
                    tracing::error!(%error, "events cannot be read");
                    IDLE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // A failing target isn't called more often because more happens.
                () = self.desk.happened.notified(), if pause == IDLE => {}
            }
        }
    }

    /// Brings what is there. After a failure, how many there were in a row.
    async fn deliver(&self) -> Result<Option<u32>, RowsError> {
        loop {
            let Some(target) = self.target()? else { return Ok(None) };
            let events = self.desk.rows.events(target.delivered, AT_A_TIME)?;
            let Some(event) = events.first() else { return Ok(None) };
            let sent = match tokio::time::timeout(PATIENCE, self.send(&target, event)).await {
                Ok(sent) => sent,
                Err(_) => Err(DeliveryError::Late),
            };
            let _turn = self.turn.lock().await;
            // Set anew meanwhile: what was sent went to the old one.
            let same = |now: &Target| (&now.url, now.since) == (&target.url, target.since);
            let Some(now) = self.target()?.filter(same) else { continue };
            match sent {
                Ok(()) => {
                    let next = Target { delivered: event.number, failures: 0, ..now };
                    self.desk.rows.put_value(TARGET, &next).await?;
                }
                Err(error) => {
                    let failures = now.failures.saturating_add(1);
                    tracing::info!(%error, event = event.number, failures, "an event was not taken");
                    self.desk.rows.put_value(TARGET, &Target { failures, ..now }).await?;
                    return Ok(Some(failures));
                }
            }
        }
    }

    async fn send(&self, target: &Target, event: &Event) -> Result<(), DeliveryError> {
        let place = Place::read(&target.url, self.sandbox)?;
        let address = place.find(self.sandbox).await?;
        let body = body_of(event, self.sandbox);
        let now = self.desk.ledger.clock().await.map_err(DeskError::from)?;
        let (path, query) = (&place.path, &place.query);
        let message = Message { method: "POST", path, query, content: Digest::of(&body), once: None };
        let ledger = self.desk.ledger.id();
        let fields = request::sign(&message, self.desk.who().key(), &ledger, now, &mut SystemRandom);
        let target = if place.query.is_empty() {
            place.path.clone()
        } else {
            format!("{}?{}", place.path, place.query)
        };
        let host = if place.host.contains(':') { format!("[{}]", place.host) } else { place.host.clone() };
        let request = axum::http::Request::post(target)
            .header("host", format!("{host}:{}", place.port))
            .header("content-type", "application/json")
            .header("content-digest", fields.content_digest)
            .header("signature-input", fields.signature_input)
            .header("signature", fields.signature)
            .body(Full::new(Bytes::from(body)))?;
        let stream = TcpStream::connect(address).await?;
        let status = if place.tls {
            let name = ServerName::try_from(place.host).map_err(|_| Refusal::WebhookUrl)?;
            exchange(self.tls.connect(name, stream).await?, request).await?
        } else {
            exchange(stream, request).await?
        };
        if (200..300).contains(&status) { Ok(()) } else { Err(DeliveryError::Answer(status)) }
    }
}

/// What is sent of an event.
fn body_of(event: &Event, sandbox: bool) -> Vec<u8> {
    let mut body = json!({
        "number": event.number,
        "at": event.at,
        "claim": event.claim.to_hex(),
        "state": event.state,
    });
    if let (true, Some(object)) = (sandbox, body.as_object_mut()) {
        object.insert("sandbox".to_owned(), true.into());
    }
    body.to_string().into_bytes()
}

/// One request on one connection; of the answer its status alone.
async fn exchange<S>(stream: S, request: axum::http::Request<Full<Bytes>>) -> Result<u16, DeliveryError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    driving.abort();
    Ok(answer?.status().as_u16())
}

#[cfg(test)]
mod tests;
