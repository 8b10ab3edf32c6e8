//! A wallet at a relay: what a browser runs, without the browser.

use super::dialing::Dialing;
use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, Transport as _,
    core::upgrade::Version,
    identify,
    multiaddr::Protocol,
    noise, ping, relay,
    swarm::{NetworkBehaviour, SwarmEvent},
    yamux,
};
use std::{collections::VecDeque, time::Duration};
use suishen_core::{
    id::{BlobAddress, LedgerId},
    sync::{Act, Found, Knock, LINK_FRAME, Link, SYNC_PROTOCOL, Welcome, Work},
    vault::{Body, StoredEvent, Vault},
};
use suishen_relay::random::SystemRandom;
use tokio::{sync::oneshot, task::JoinHandle};

/// A client that waits longer for the relay is given up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where the relay is.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub port: u16,
    pub peer: PeerId,
    pub ledger: LedgerId,
}

impl Target {
    /// As it is written on a command line.
    pub fn read(port: &str, peer: &str, ledger: &str) -> Result<Self> {
        let ledger = LedgerId::from_hex(ledger).context("no ledger")?;
        Ok(Self { port: port.parse()?, peer: peer.parse()?, ledger })
    }

    pub fn address(&self) -> Multiaddr {
        let ip = Multiaddr::empty().with(Protocol::Ip4([127, 0, 0, 1].into()));
        ip.with(Protocol::Tcp(self.port)).with(Protocol::Ws("/".into())).with(Protocol::P2p(self.peer))
    }
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    circuits: relay::client::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// Somebody who is connected.
pub struct Peer {
    id: PeerId,
    target: Target,
    streams: libp2p_stream::Control,
    running: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Peer {
    /// Connects; and asks for a reservation, if it is to be reachable.
    pub async fn at(target: Target, reachable: bool) -> Result<Self> {
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_other_transport(|key| {
                let upgraded = Dialing.upgrade(Version::V1Lazy).authenticate(noise::Config::new(key)?);
                Ok(upgraded.multiplex(yamux::Config::default()))
            })?
            .with_relay_client(noise::Config::new, yamux::Config::default)?
            .with_behaviour(|key, circuits| Behaviour {
                circuits,
                identify: identify::Behaviour::new(identify::Config::new("/suishen/1".into(), key.public())),
                ping: ping::Behaviour::default(),
                streams: libp2p_stream::Behaviour::new(),
            })?
            .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
            .build();
        let (id, streams) = (*swarm.local_peer_id(), swarm.behaviour().streams.new_control());
        if reachable {
            swarm.listen_on(target.address().with(Protocol::P2pCircuit))?;
        } else {
            swarm.dial(target.address())?;
        }
        let (connected, waits) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut connected = Some(connected);
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => {
                        connected.take().map(|told| told.send(Ok(())));
                    }
                    SwarmEvent::OutgoingConnectionError { error, .. } => {
                        connected.take().map(|told| told.send(Err(error)));
                    }
                    _ => {}
                }
            }
        });
        let peer = Self { id, target, streams, running };
        tokio::time::timeout(PATIENCE, waits).await.context("connecting")???;
        Ok(peer)
    }

    /// Opens a stream and goes in at the mailbox's door, which is founded where there is none.
    pub async fn opens(&mut self, vault: &Vault, protocol: &'static str) -> Result<Frames> {
        let protocol = StreamProtocol::new(protocol);
        let mut frames = Frames(self.streams.open_stream(self.target.peer, protocol).await?);
        let (own, theirs) = (self.id.to_bytes(), self.target.peer.to_bytes());
        frames.send(&Knock::of(vault, (&own, &theirs)).to_bytes()).await?;
        let mut welcome = frames.welcome().await?;
        if let Welcome::Unknown(bits) = welcome {
            let work = Work::new(vault.id(), &theirs, bits).and_then(|mut work| work.search(1 << 20));
            let work = work.context("this bench does no work")?;
            frames.send(&Found { epochs: vault.epochs(), work }.to_bytes()).await?;
            welcome = frames.welcome().await?;
        }
        ensure!(welcome == Welcome::Open(None), "{welcome:?}");
        Ok(frames)
    }
}

/// A stream's frames.
pub struct Frames(Stream);

impl Frames {
    pub async fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.0.write_all(&u32::try_from(frame.len())?.to_be_bytes()).await?;
        self.0.write_all(frame).await?;
        Ok(self.0.flush().await?)
    }

    pub async fn next(&mut self) -> Result<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).await?;
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length))?];
        self.0.read_exact(&mut frame).await?;
        Ok(frame)
    }

    async fn welcome(&mut self) -> Result<Welcome> {
        Ok(Welcome::from_bytes(&self.next().await?)?)
    }
}

/// A wallet's only device, with its link.
pub struct Wallet {
    pub peer: Peer,
    pub vault: Vault,
    frames: Frames,
    pub link: Link,
    events: Vec<StoredEvent>,
}

impl Wallet {
    /// A new wallet with so many events more, level with its mailbox.
    pub async fn new(target: Target, more: u64) -> Result<Self> {
        let (mut vault, mut events) = Vault::create(target.ledger, "phone", 1, &mut SystemRandom);
        for time in 0..more {
            events.push(vault.append(Body::LastLooked(time), time, &mut SystemRandom)?);
        }
        let mut peer = Peer::at(target, false).await?;
        let frames = peer.opens(&vault, SYNC_PROTOCOL).await?;
        let mut wallet = Self { peer, vault, frames, link: Link::new(true, LINK_FRAME), events };
        let acts = wallet.link.start(wallet.addresses(), &mut SystemRandom)?;
        wallet.goes_on(acts).await?;
        Ok(wallet)
    }

    fn addresses(&self) -> Vec<BlobAddress> {
        self.events.iter().map(|event| event.address).collect()
    }

    /// Writes one event and waits until the mailbox has it.
    pub async fn writes(&mut self, time: u64) -> Result<()> {
        let event = self.vault.append(Body::LastLooked(time), time, &mut SystemRandom)?;
        let acts = self.link.news([event]);
        self.goes_on(acts).await
    }

    /// Forgets all that it has, and so compares and gets everything again.
    pub async fn forgets(&mut self) -> Result<()> {
        self.events.clear();
        let acts = self.link.again();
        self.goes_on(acts).await
    }

    /// Does what the link says until both are level.
    async fn goes_on(&mut self, acts: Vec<Act>) -> Result<()> {
        self.act(acts).await?;
        while !self.link.is_level() {
            let acts = self.link.take(&self.frames.next().await?)?;
            self.act(acts).await?;
        }
        Ok(())
    }

    async fn act(&mut self, acts: Vec<Act>) -> Result<()> {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => self.frames.send(&frame).await?,
                Act::Load(asked) => {
                    let found = self.events.iter().filter(|event| asked.contains(&event.address));
                    let found = found.map(|event| event.bytes.clone()).collect();
                    acts.extend(self.link.loaded(found)?);
                }
                Act::Compare => acts.extend(self.link.start(self.addresses(), &mut SystemRandom)?),
                Act::Refused(refused) => bail!("{refused}"),
                // What comes is thrown away: nobody reads it here.
                Act::Store(_) | Act::Finished | Act::Level => {}
            }
        }
        Ok(())
    }
}
