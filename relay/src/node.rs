//! One running relay: its parts, as handlers share them.

use crate::{
    config::{Limits, Serve},
    http::{
        origin::{Origin, Origins},
        pace::Pace,
    },
    telemetry::Figures,
};
use std::{net::IpAddr, path::PathBuf};

/// A relay and its parts.
#[derive(Debug)]
pub struct Node {
    /// Pages that may use it.
    pub origins: Origins,
    /// Where tickets lead to.
    pub wallet_origin: Origin,
    /// The built pages.
    pub web: Option<PathBuf>,
    /// What is counted.
    pub figures: Figures,
    /// Limits by client.
    pub limits: Limits,
    /// Whether X-Forwarded-For names the client.
    pub trust_proxy: bool,
    /// Requests by address.
    pub by_address: Pace<IpAddr>,
}

impl Node {
    /// Puts a relay together that will listen on `port`.
    pub fn new(serve: &Serve, port: u16) -> anyhow::Result<Self> {
        let configured =
            serve.origins.iter().map(|text| Origin::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let wallet = match &serve.wallet_origin {
            Some(text) => Some(Origin::parse(text)?),
            None if serve.demo => None,
            None => configured.first().cloned(),
        };
        let local = Origin::parse(&format!("http://patient.localhost:{port}"))?;
        let loopback = serve.listen.is_loopback().then_some(port);
        Ok(Self {
            origins: Origins::new(configured.into_iter().chain(wallet.clone()), loopback),
            wallet_origin: wallet.unwrap_or(local),
            web: serve.web.clone(),
            figures: Figures::default(),
            limits: serve.limits.clone(),
            trust_proxy: serve.trust_proxy,
            by_address: Pace::new(serve.limits.requests_per_address),
        })
    }
}
