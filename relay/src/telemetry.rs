//! Logs and figures for the operator. Neither ever holds a body, a key, a link's fragment, or who reads what:
//! a request is logged by its route, not by its path.

use crate::config::{Log, LogFormat};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{fmt, io, time::Duration};
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. A second call does nothing.
pub fn start_logging(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A subscriber that is already there stays: tests start several relays in one process.
    let _ = match log.format {
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
        LogFormat::Text => subscriber.compact().try_init(),
    };
}

/// What is counted.
pub struct Figures {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Histogram,
    /// Entries of the ledger.
    pub entries: Gauge,
    /// Bytes of all blobs.
    pub blob_bytes: Gauge,
    /// Bytes of all mailboxes.
    pub mailbox_bytes: Gauge,
    /// Open event sockets.
    pub sockets: Gauge,
    /// Transactions that were refused.
    pub refused: Counter,
    /// Shares that the gate released.
    pub released: Counter,
    /// Shares that the gate destroyed.
    pub torn: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: String,
    status: u16,
}

impl Default for Figures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("suishen");
        let buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
        let figures = Self {
            requests: Family::default(),
            seconds: Histogram::new(buckets),
            entries: Gauge::default(),
            blob_bytes: Gauge::default(),
            mailbox_bytes: Gauge::default(),
            sockets: Gauge::default(),
            refused: Counter::default(),
            released: Counter::default(),
            torn: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests by route, method and status", figures.requests.clone());
        registry.register("request_seconds", "Time to answer a request", figures.seconds.clone());
        registry.register("entries", "Entries of the ledger", figures.entries.clone());
        registry.register("blob_bytes", "Bytes of all blobs", figures.blob_bytes.clone());
        registry.register("mailbox_bytes", "Bytes of all mailboxes", figures.mailbox_bytes.clone());
        registry.register("event_sockets", "Open event sockets", figures.sockets.clone());
        registry.register("refused_transactions", "Transactions refused", figures.refused.clone());
        registry.register("released_shares", "Gate shares released", figures.released.clone());
        registry.register("torn_shares", "Gate shares destroyed", figures.torn.clone());
        Self { registry, ..figures }
    }
}

impl Figures {
    /// Counts one answered request. `route` is the pattern, never the path.
    pub fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let request = Request { route: route.to_owned(), method: method.to_owned(), status };
        self.requests.get_or_create(&request).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// All figures in the text format of Prometheus.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(fmt::Error) => unreachable!("writing into memory cannot fail"),
        }
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}
