//! libp2p in the relay's process (DESIGN §5): wallets come in by web socket at `/p2p` of the port that serves the pages,
//! others by TCP. The relay carries circuits between wallets that both came to it, and holds their mailboxes.
//!
//! Its peer id is new at each start; wallets learn it from `/v1/info`. It dials nobody.

mod arrivals;
mod boxed;
mod frames;
pub mod mailbox;
mod noise;
mod places;
mod socket;
mod turns;

use crate::config::Limits;
use anyhow::Context as _;
use arrivals::Opened;
use axum::extract::ws::WebSocket;
use boxed::Boxed;
use futures_util::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, Transport as _,
    connection_limits::{self, ConnectionLimits},
    core::upgrade::Version,
    identify, memory_connection_limits,
    multiaddr::Protocol,
    ping, relay,
    swarm::{NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use noise::Noise;
pub use socket::Arrival;
use socket::Sockets;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, task::AbortHandle};

/// Sockets that were opened and not yet taken by the swarm.
const WAITING: usize = 64;
/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A connection without streams is closed after this.
const IDLE: Duration = Duration::from_mins(2);
/// Connections of one peer: one, and one that replaces it after a break.
const PER_PEER: u32 = 2;
/// Streams that one connection may have open.
const STREAMS: usize = 64;
/// Circuits and reservations that one peer may have.
const CIRCUITS_PER_PEER: usize = 8;
/// A circuit carries a whole wallet to a new device, and the content of a consultation.
const CIRCUIT_BYTES: u64 = 4 << 30;
/// Longer ones are made anew.
const CIRCUIT_TIME: Duration = Duration::from_hours(1);
/// Reservations and circuits that a peer or an address may begin in a minute; an address may be a clinic's.
const PER_MINUTE: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(60).unwrap(), NonZeroU32::new(600).unwrap());
const MINUTE: Duration = Duration::from_mins(1);

/// Where a connection came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl Address {
    fn multiaddr(self) -> Multiaddr {
        let ip = match self.0.ip() {
            IpAddr::V4(ip) => Protocol::Ip4(ip),
            IpAddr::V6(ip) => Protocol::Ip6(ip),
        };
        Multiaddr::empty().with(ip).with(Protocol::Tcp(self.0.port()))
    }
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    relay: relay::Behaviour,
    streams: arrivals::Behaviour,
}

/// The swarm, as the rest of the relay sees it. Dropping it ends the swarm.
pub struct Peers {
    id: PeerId,
    arrivals: mpsc::Sender<Arrival>,
    /// Streams that peers open, until somebody serves them.
    opened: Mutex<Option<mpsc::Receiver<Opened>>>,
    running: AbortHandle,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peers({})", self.id)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Peers {
    /// Starts the swarm on this runtime; `port` is a TCP port of its own, 0 for none.
    pub fn start(limits: &Limits, port: Option<SocketAddr>) -> anyhow::Result<Self> {
        let (arrivals, came) = mpsc::channel(WAITING);
        let (streams, opened) = arrivals::Behaviour::new();
        let mut swarm = swarm(limits, came, streams)?;
        swarm.listen_on("/ip4/0.0.0.0/tcp/0/ws".parse()?).context("peers by web socket")?;
        if let Some(address) = port {
            let listening = swarm.listen_on(Address(address).multiaddr());
            listening.with_context(|| format!("could not listen for peers on {address}"))?;
        }
        // Reservations name an address; whoever has one came by another way and knows that.
        swarm.add_external_address("/dns/localhost/tcp/1/ws".parse()?);
        let id = *swarm.local_peer_id();
        let running = tokio::spawn(run(swarm)).abort_handle();
        Ok(Self { id, arrivals, opened: Mutex::new(Some(opened)), running })
    }

    /// The relay's peer id.
    pub fn id(&self) -> PeerId {
        self.id
    }

    /// The streams that peers open, for the one who serves them.
    fn opened(&self) -> Option<mpsc::Receiver<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Hands a web socket to the swarm; one that comes while too many wait is closed.
    pub fn take(&self, socket: WebSocket, from: SocketAddr) {
        let _ = self.arrivals.try_send(Arrival { socket, from: Address(from) });
    }
}

fn swarm(
    limits: &Limits,
    came: mpsc::Receiver<Arrival>,
    streams: arrivals::Behaviour,
) -> anyhow::Result<Swarm<Boxed<Behaviour>>> {
    let most = u32::try_from(limits.connections).ok().filter(|most| *most > 0);
    let memory = usize::try_from(limits.peers_mib << 20).unwrap_or(usize::MAX);
    let swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), Noise::new, multiplexing)?
        .with_other_transport(|key| {
            let upgraded = Sockets::new(came).upgrade(Version::V1Lazy).authenticate(Noise::new(key)?);
            Ok(upgraded.multiplex(multiplexing()).timeout(HANDSHAKE))
        })?
        .with_behaviour(|key| {
            let identity = identify::Config::new("/suishen/1".to_owned(), key.public());
            let connections = ConnectionLimits::default()
                .with_max_established_incoming(most)
                .with_max_pending_incoming(most)
                .with_max_established_per_peer(Some(PER_PEER));
            Boxed(Behaviour {
                limits: connection_limits::Behaviour::new(connections),
                memory: memory_connection_limits::Behaviour::with_max_bytes(memory),
                identify: identify::Behaviour::new(identity.with_hide_listen_addrs(true)),
                ping: ping::Behaviour::default(),
                relay: relay::Behaviour::new(key.public().to_peer_id(), circuits(limits)),
                streams,
            })
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .with_connection_timeout(HANDSHAKE)
        .build();
    Ok(swarm)
}

fn multiplexing() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS);
    config
}

/// The defaults are for strangers who punch holes; here a circuit is the job.
fn circuits(limits: &Limits) -> relay::Config {
    let config = relay::Config {
        max_reservations: limits.circuits,
        max_reservations_per_peer: 1,
        reservation_rate_limiters: Vec::new(),
        max_circuits: limits.circuits,
        max_circuits_per_peer: CIRCUITS_PER_PEER,
        max_circuit_duration: CIRCUIT_TIME,
        max_circuit_bytes: CIRCUIT_BYTES,
        circuit_src_rate_limiters: Vec::new(),
        ..relay::Config::default()
    };
    let (peer, address) = PER_MINUTE;
    config
        .reservation_rate_per_peer(peer, MINUTE)
        .reservation_rate_per_ip(address, MINUTE)
        .circuit_src_per_peer(peer, MINUTE)
        .circuit_src_per_ip(address, MINUTE)
}

async fn run(mut swarm: Swarm<Boxed<Behaviour>>) {
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::debug!(%error, "a peer's connection was not taken");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listening for peers"),
            _ => {}
        }
    }
}
