//! What can be measured, by name.

use anyhow::Result;
use clap::ValueEnum;

use super::figure::Table;
use super::{audit, claims, crypto, peers, programs, sync};
use crate::place::Place;
use crate::steps::Steps;

/// What is measured together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Area {
    /// SM2, SM3, SM4-GCM, streams, sealed boxes: native beside openssl, as wasm beside sm-crypto-v2
    Crypto,
    /// Grants that stand a second beside what verification allows; a redemption over HTTP
    Ledger,
    /// A ledger replayed from entry 0 beside what verification allows
    Audit,
    /// Claims settled a second: at the relay, through an insurer's server, and groups opened as wasm
    Claims,
    /// The relay's memory when idle
    Relay,
    /// Two devices that come to hold the same, beside automerge
    Sync,
    /// Idle wallets in the relay's memory, and an honest one's time beside a thousand hostile peers
    Peers,
    /// QR codes read from pictures, beside rqrr
    Scan,
    /// From QR in view to report shown, by the pages and the relay as they are released
    Browser,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 9] = [
        Self::Crypto,
        Self::Ledger,
        Self::Audit,
        Self::Claims,
        Self::Relay,
        Self::Sync,
        Self::Peers,
        Self::Scan,
        Self::Browser,
    ];

    /// Builds what it needs and measures.
    pub fn measure(self, place: &Place, steps: &mut Steps) -> Result<Vec<Table>> {
        match self {
            Self::Crypto => crypto::measure(place, steps),
            Self::Ledger => programs::ledger(place, steps).map(|table| vec![table]),
            Self::Audit => audit::measure(place, steps).map(|table| vec![table]),
            Self::Claims => claims::measure(place, steps),
            Self::Relay => programs::relay(place, steps).map(|table| vec![table]),
            Self::Sync => sync::measure(place, steps).map(|table| vec![table]),
            Self::Peers => peers::measure(place, steps).map(|table| vec![table]),
            Self::Scan => programs::scan(place, steps).map(|table| vec![table]),
            Self::Browser => programs::browser(place, steps).map(|table| vec![table]),
        }
    }
}
