//! Wallets that come in by libp2p at `/p2p`: mailboxes, circuits, and those who do harm.

use crate::{dialing::Dialing, relay::Relay};
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, Transport as _,
    core::upgrade::Version,
    multiaddr::Protocol,
    noise, relay,
    swarm::{NetworkBehaviour, SwarmEvent},
    yamux,
};
use std::time::Duration;
use suishen_core::{
    id::{BlobAddress, LedgerId},
    sync::{
        Act, CONTENT_PROTOCOL, ContentFrame, Found, Gathered, Gathering, Given, Giving, Knock, LINK_FRAME,
        Link, Outline, PAIR_PROTOCOL, Refused, SYNC_PROTOCOL, Welcome, Work,
    },
    vault::{Body, DeviceRole, NewDevice, Origin, StoredEvent, Vault},
};
use suishen_relay::random::SystemRandom;
use tokio::{sync::mpsc, time::timeout};

const SOON: Duration = Duration::from_secs(30);
const SYNC: StreamProtocol = StreamProtocol::new(SYNC_PROTOCOL);
const CONTENT: StreamProtocol = StreamProtocol::new(CONTENT_PROTOCOL);

#[derive(NetworkBehaviour)]
struct Behaviour {
    circuits: relay::client::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// Somebody at a relay.
struct Peer {
    id: PeerId,
    relay: PeerId,
    address: Multiaddr,
    streams: libp2p_stream::Control,
    dial: mpsc::UnboundedSender<(bool, Multiaddr)>,
    /// Told when it is connected to the relay, then when others can reach it there.
    told: mpsc::UnboundedReceiver<()>,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Peer {
    async fn at(relay: &Relay) -> Self {
        let info = relay.client().await.info().await.unwrap();
        let their_id = PeerId::from_bytes(&info.peer).unwrap();
        let port = relay.base.rsplit_once(':').unwrap().1;
        let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}/ws/p2p/{their_id}").parse().unwrap();
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_other_transport(|key| {
                let upgraded = Dialing.upgrade(Version::V1Lazy).authenticate(noise::Config::new(key)?);
                Ok(upgraded.multiplex(yamux::Config::default()))
            })
            .unwrap()
            .with_relay_client(noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_, circuits| Behaviour { circuits, streams: libp2p_stream::Behaviour::new() })
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(SOON))
            .build();
        let (id, streams) = (*swarm.local_peer_id(), swarm.behaviour().streams.new_control());
        let (dial, mut asked) = mpsc::unbounded_channel::<(bool, Multiaddr)>();
        let (reached, told) = mpsc::unbounded_channel();
        let running = tokio::spawn(async move {
            loop {
                tokio::select! {
                    asked = asked.recv() => match asked {
                        Some((true, address)) => drop(swarm.listen_on(address).unwrap()),
                        Some((false, address)) => swarm.dial(address).unwrap(),
                        None => return,
                    },
                    event = swarm.select_next_some() => if matches!(
                        event,
                        SwarmEvent::ConnectionEstablished { .. }
                            | SwarmEvent::Behaviour(BehaviourEvent::Circuits(
                                relay::client::Event::ReservationReqAccepted { .. },
                            ))
                    ) {
                        let _ = reached.send(());
                    },
                }
            }
        });
        let mut peer = Self { id, relay: their_id, address, streams, dial, told, running };
        peer.dial.send((false, peer.address.clone())).unwrap();
        peer.hears().await;
        peer
    }

    async fn hears(&mut self) {
        timeout(SOON, self.told.recv()).await.unwrap().unwrap();
    }

    async fn opens(&mut self, protocol: StreamProtocol) -> Frames {
        Frames(timeout(SOON, self.streams.open_stream(self.relay, protocol)).await.unwrap().unwrap())
    }

    fn ids(&self) -> (Vec<u8>, Vec<u8>) {
        (self.id.to_bytes(), self.relay.to_bytes())
    }

    /// Knocks as a device of a vault, and founds the mailbox where there is none.
    async fn knocks(&mut self, vault: &Vault, protocol: StreamProtocol) -> (Frames, Welcome) {
        let mut frames = self.opens(protocol).await;
        let (own, theirs) = self.ids();
        frames.send(&Knock::of(vault, (&own, &theirs)).to_bytes()).await;
        let mut welcome = Welcome::from_bytes(&frames.next().await.unwrap()).unwrap();
        if let Welcome::Unknown(bits) = welcome {
            let mut search = Work::new(vault.id(), &theirs, bits).unwrap();
            let work = loop {
                if let Some(work) = search.search(1 << 16) {
                    break work;
                }
            };
            frames.send(&Found { epochs: vault.epochs(), work }.to_bytes()).await;
            welcome = Welcome::from_bytes(&frames.next().await.unwrap()).unwrap();
        }
        (frames, welcome)
    }
}

struct Frames(Stream);

impl Frames {
    async fn send(&mut self, frame: &[u8]) {
        self.0.write_all(&u32::try_from(frame.len()).unwrap().to_be_bytes()).await.unwrap();
        self.0.write_all(frame).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        let read = async {
            let mut length = [0; 4];
            self.0.read_exact(&mut length).await.ok()?;
            let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
            self.0.read_exact(&mut frame).await.ok()?;
            Some(frame)
        };
        timeout(SOON, read).await.unwrap()
    }
}

/// A device with its copy of the vault, and its link to the mailbox.
struct Device {
    vault: Vault,
    events: Vec<StoredEvent>,
    frames: Frames,
    link: Link,
    _peer: Peer,
}

impl Device {
    async fn comes(relay: &Relay, vault: Vault, events: Vec<StoredEvent>) -> Self {
        let mut peer = Peer::at(relay).await;
        let (frames, welcome) = peer.knocks(&vault, SYNC).await;
        assert_eq!(welcome, Welcome::Open(None));
        let mut device = Self { vault, events, frames, link: Link::new(true, LINK_FRAME), _peer: peer };
        let addresses: Vec<BlobAddress> = device.events.iter().map(|event| event.address).collect();
        let acts = device.link.start(addresses, &mut SystemRandom).unwrap();
        device.acts(acts).await;
        device.is_level().await;
        device
    }

    async fn acts(&mut self, acts: Vec<Act>) -> Option<Refused> {
        let mut rest = std::collections::VecDeque::from(acts);
        while let Some(act) = rest.pop_front() {
            match act {
                Act::Send(frame) => self.frames.send(&frame).await,
                Act::Load(addresses) => {
                    let found = self.events.iter().filter(|event| addresses.contains(&event.address));
                    let found = found.map(|event| event.bytes.clone()).collect();
                    rest.extend(self.link.loaded(found).unwrap());
                }
                Act::Store(events) => {
                    self.vault.load(&events, Origin::Elsewhere);
                    self.events.extend(events);
                }
                Act::Compare => {
                    let addresses: Vec<BlobAddress> = self.events.iter().map(|event| event.address).collect();
                    rest.extend(self.link.start(addresses, &mut SystemRandom).unwrap());
                }
                Act::Refused(refused) => return Some(refused),
                Act::Level | Act::Finished => {}
            }
        }
        None
    }

    /// Goes on until something happens that `until` looks for.
    async fn goes_on(&mut self, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            let frame = self.frames.next().await.expect("the link is open");
            let acts = self.link.take(&frame).unwrap();
            assert_eq!(self.acts(acts).await, None);
        }
    }

    async fn is_level(&mut self) {
        self.goes_on(|device| device.link.is_level()).await;
    }

    async fn writes(&mut self, events: Vec<StoredEvent>) {
        self.events.extend(events.iter().cloned());
        let acts = self.link.news(events);
        self.acts(acts).await;
        self.is_level().await;
    }

    async fn looks(&mut self, time: u64) {
        let event = self.vault.append(Body::LastLooked(time), time, &mut SystemRandom).unwrap();
        self.writes(vec![event]).await;
    }
}

async fn ledger_of(relay: &Relay) -> LedgerId {
    relay.client().await.info().await.unwrap().ledger
}

/// A wallet with a second device.
async fn two(relay: &Relay) -> (Device, Device) {
    let ledger = ledger_of(relay).await;
    let random = &mut SystemRandom;
    let (vault, events) = Vault::create(ledger, "phone", 1, random);
    let mut phone = Device::comes(relay, vault, events).await;
    let new = NewDevice::generate(random);
    let (admission, event) = phone.vault.admit(&new.request(), DeviceRole::Manage, 2, random).unwrap();
    phone.writes(vec![event]).await;
    let vault = Vault::join(new, &admission, ledger, random).unwrap();
    let mut tablet = Device::comes(relay, vault, Vec::new()).await;
    let entered = tablet.vault.enter("tablet", 3, random).unwrap();
    tablet.writes(vec![entered]).await;
    (phone, tablet)
}

#[tokio::test]
async fn what_one_device_writes_reaches_the_other_through_the_mailbox_and_while_it_is_off() {
    let relay = Relay::start().await;
    let (mut phone, mut tablet) = two(&relay).await;
    phone.goes_on(|phone| phone.events.len() == 5).await;
    phone.looks(100).await;
    tablet.goes_on(|tablet| tablet.events.len() == 6).await;
    assert_eq!(tablet.vault.index().last_looked(), Some(100));
    // The tablet is off; so is the phone when it comes back.
    let Device { vault, events, .. } = tablet;
    phone.looks(200).await;
    drop(phone);
    let mut tablet = Device::comes(&relay, vault, events).await;
    assert_eq!(tablet.vault.index().last_looked(), Some(200));
}

#[tokio::test]
async fn malicious_strangers_and_removed_devices_stay_outside() {
    let relay = Relay::start().await;
    let (mut phone, mut tablet) = two(&relay).await;
    phone.goes_on(|phone| phone.events.len() == 5).await;
    let ledger = ledger_of(&relay).await;

    // Another wallet's device, knocking for this vault.
    let (stranger, _) = Vault::create(ledger, "stranger", 1, &mut SystemRandom);
    let mut peer = Peer::at(&relay).await;
    let (own, theirs) = peer.ids();
    let knock = Knock { vault: *phone.vault.id(), ..Knock::of(&stranger, (&own, &theirs)) };
    let mut frames = peer.opens(SYNC).await;
    frames.send(&knock.to_bytes()).await;
    let answer = Welcome::from_bytes(&frames.next().await.unwrap()).unwrap();
    assert!(matches!(answer, Welcome::Refused(_)), "{answer:?}");
    assert_eq!(frames.next().await, None, "the stream is closed");

    // A knock that was heard on another connection.
    let heard = Knock::of(&phone.vault, (&[1; 38], &theirs));
    let mut frames = peer.opens(CONTENT).await;
    frames.send(&heard.to_bytes()).await;
    let answer = Welcome::from_bytes(&frames.next().await.unwrap()).unwrap();
    assert_eq!(answer, Welcome::Refused(Refused::Proof));

    // The tablet is removed: its open link ends, and no new one opens.
    let events = phone.vault.remove_device(&tablet.vault.device(), 300, &mut SystemRandom).unwrap();
    phone.writes(events).await;
    let refused = loop {
        let frame = tablet.frames.next().await.expect("it is told");
        let acts = tablet.link.take(&frame).unwrap();
        if let Some(refused) = tablet.acts(acts).await {
            break refused;
        }
    };
    assert_eq!(refused, Refused::Device);
    for protocol in [SYNC, CONTENT] {
        let (_, welcome) = peer.knocks(&tablet.vault, protocol).await;
        assert_eq!(welcome, Welcome::Refused(Refused::Device));
    }
    phone.looks(400).await;
}

#[tokio::test]
async fn malicious_peers_that_send_no_frames_are_closed_and_others_go_on() {
    let relay = Relay::start().await;
    let (mut phone, _tablet) = two(&relay).await;
    let mut peer = Peer::at(&relay).await;
    for bad in [vec![0xff; 8], [&[0, 0, 0, 4][..], &[1, 2, 3, 4]].concat()] {
        let mut frames = peer.opens(SYNC).await;
        frames.0.write_all(&bad).await.unwrap();
        frames.0.flush().await.unwrap();
        while let Some(frame) = frames.next().await {
            assert!(matches!(Welcome::from_bytes(&frame), Ok(Welcome::Refused(_))));
        }
    }
    phone.goes_on(|phone| phone.events.len() == 5).await;
    phone.looks(7).await;
}

#[tokio::test]
async fn streams_that_are_opened_at_the_same_time_are_all_served() {
    let relay = Relay::start().await;
    let (vault, _) = Vault::create(ledger_of(&relay).await, "phone", 1, &mut SystemRandom);
    let peer = Peer::at(&relay).await;
    let (own, theirs) = peer.ids();
    let knock = Knock::of(&vault, (&own, &theirs)).to_bytes();
    let opened = (0..12).map(|_| async {
        let opened = peer.streams.clone().open_stream(peer.relay, SYNC).await;
        let mut frames = Frames(opened.unwrap());
        frames.send(&knock).await;
        Welcome::from_bytes(&frames.next().await.unwrap()).unwrap()
    });
    for welcome in futures_util::future::join_all(opened).await {
        assert!(matches!(welcome, Welcome::Unknown(_)), "{welcome:?}");
    }
}

#[tokio::test]
async fn content_goes_in_and_comes_out_whole() {
    let relay = Relay::start().await;
    let (phone, tablet) = two(&relay).await;
    let content: Vec<u8> = (0..2_500_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let address = BlobAddress::of(&content);
    let mut peer = Peer::at(&relay).await;
    let (mut frames, welcome) = peer.knocks(&phone.vault, CONTENT).await;
    assert_eq!(welcome, Welcome::Open(None));
    let (mut giving, offer) = Giving::new(address, content.len() as u64);
    frames.send(&offer).await;
    assert_eq!(giving.take(&frames.next().await.unwrap()).unwrap(), Given::From(0));
    for piece in content.chunks(60_000) {
        frames.send(&ContentFrame::piece(piece).to_bytes()).await;
    }
    assert_eq!(giving.take(&frames.next().await.unwrap()).unwrap(), Given::Kept);

    let (mut frames, _) = peer.knocks(&tablet.vault, CONTENT).await;
    frames.send(&ContentFrame::Get(address, 0).to_bytes()).await;
    let mut receiving = suishen_core::sync::Receiving::get(address, 4 << 20);
    let mut got = Vec::new();
    loop {
        use suishen_core::sync::Received::{Begun, Missing, Piece, Whole, Wrong};
        match receiving.take(&frames.next().await.unwrap()).unwrap() {
            Begun(size) => assert_eq!(size, 2_500_000),
            Piece(piece) => got.extend(piece),
            Whole(last) => break got.extend(last),
            Wrong | Missing => panic!("not what was given"),
        }
    }
    assert!(got == content);

    // Section by section, on two streams; what isn't there is said.
    let (mut other, _) = peer.knocks(&phone.vault, CONTENT).await;
    let mut gathering = Gathering::default();
    gathering.want(&[BlobAddress::of(b"elsewhere"), address]);
    let (first, second) = (gathering.join(), gathering.join());
    let mut whole = Vec::new();
    while whole.is_empty() || gathering.awaits(first) || gathering.awaits(second) {
        for (giver, frames) in [(first, &mut frames), (second, &mut other)] {
            while let Some(ask) = gathering.ask(giver) {
                frames.send(&ask).await;
            }
            if gathering.awaits(giver) {
                match gathering.take(giver, &frames.next().await.unwrap()).unwrap() {
                    Gathered::More => {}
                    Gathered::Lacks(lacked) => assert_ne!(lacked, address),
                    Gathered::Whole(_, bytes) => whole = bytes,
                }
            }
        }
    }
    assert!(whole == content);
    frames.send(&ContentFrame::Section(address, 3).to_bytes()).await;
    assert_eq!(frames.next().await.unwrap(), ContentFrame::outline(&Outline::of(&content)).to_bytes());
    frames.send(&ContentFrame::Lacks(vec![address]).to_bytes()).await;
    let next = ContentFrame::Lacking(Vec::new()).to_bytes();
    assert_eq!(frames.next().await.unwrap(), next, "there is no fourth section");
}

#[tokio::test]
async fn two_peers_that_came_to_the_relay_speak_through_it() {
    let relay = Relay::start().await;
    let (mut old, mut new) = (Peer::at(&relay).await, Peer::at(&relay).await);
    let protocol = StreamProtocol::new(PAIR_PROTOCOL);
    let mut incoming = old.streams.accept(protocol.clone()).unwrap();
    old.dial.send((true, old.address.clone().with(Protocol::P2pCircuit))).unwrap();
    old.hears().await;
    let through = new.address.clone().with(Protocol::P2pCircuit).with(Protocol::P2p(old.id));
    new.dial.send((false, through)).unwrap();
    let opened = loop {
        if let Ok(stream) = new.streams.open_stream(old.id, protocol.clone()).await {
            break stream;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let mut asks = Frames(opened);
    asks.send(b"may I").await;
    let (who, stream) = timeout(SOON, incoming.next()).await.unwrap().unwrap();
    assert_eq!(who, new.id);
    let mut answers = Frames(stream);
    assert_eq!(answers.next().await.unwrap(), b"may I");
    // More than the 128 KiB that a circuit carries by default.
    for _ in 0..8 {
        answers.send(&vec![7; 60_000]).await;
        assert_eq!(asks.next().await.unwrap().len(), 60_000);
    }
}
