//! The swarm, and what the engine asks of it.

use crate::{
    address,
    stream::{Carrier, Handle, ends},
};
use futures::{StreamExt as _, channel::mpsc::UnboundedReceiver, select};
use libp2p::{
    PeerId, StreamProtocol, Swarm,
    core::transport::ListenerId,
    identify, ping, relay,
    swarm::{
        NetworkBehaviour, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use libp2p_stream as stream;
use std::{cell::RefCell, collections::BTreeMap, future::Future, pin::Pin, rc::Rc};
use suishen_bridge::peer::{PeerCommand, PeerEvent, Relay, Speech};

mod behaviour {
    #![expect(missing_docs, reason = "the derive documents none of its events")]
    use super::{NetworkBehaviour, identify, ping, relay, stream};

    /// What the swarm does: waits at relays, and carries streams.
    #[derive(NetworkBehaviour)]
    pub struct Behaviour {
        /// Waits at relays and goes through them.
        pub circuits: relay::client::Behaviour,
        /// Says what is spoken.
        pub identify: identify::Behaviour,
        /// Notices the dead.
        pub ping: ping::Behaviour,
        /// Carries streams.
        pub streams: stream::Behaviour,
    }
}
pub use behaviour::{Behaviour, BehaviourEvent};

/// Runs a task beside the others.
pub type Spawn = fn(Pin<Box<dyn Future<Output = ()>>>);
/// Tells the engine.
pub type Tell = fn(&PeerEvent);

/// Where others reach this wallet.
struct Waiting {
    listener: ListenerId,
    /// The relay has said yes.
    reached: bool,
}

type Handles = Rc<RefCell<BTreeMap<u32, Handle>>>;

/// The swarm and its streams.
pub struct Road {
    swarm: Swarm<Behaviour>,
    handles: Handles,
    /// Where others reach this wallet: the relay, and what listens there.
    waiting: BTreeMap<PeerId, Waiting>,
    spawn: Spawn,
    tell: Tell,
}

impl Road {
    /// A road that leads nowhere yet.
    pub fn new(swarm: Swarm<Behaviour>, spawn: Spawn, tell: Tell) -> Self {
        Self { swarm, handles: Handles::default(), waiting: BTreeMap::new(), spawn, tell }
    }

    /// Does what the engine asks, until it asks no more.
    pub async fn run(mut self, mut commands: UnboundedReceiver<PeerCommand>) {
        let mut control = self.swarm.behaviour().streams.new_control();
        for speech in Speech::ALL {
            let Ok(incoming) = control.accept(StreamProtocol::new(speech.protocol())) else { return };
            (self.spawn)(Box::pin(accept(incoming, speech, self.handles.clone(), self.spawn, self.tell)));
        }
        (self.tell)(&PeerEvent::Started(self.swarm.local_peer_id().to_bytes()));
        loop {
            select! {
                command = commands.next() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.notice(&event),
            }
        }
    }

    fn obey(&mut self, command: PeerCommand) {
        match command {
            PeerCommand::Listen(relay) => self.listen(&relay),
            PeerCommand::Open { stream, relay, peer, speech } => {
                self.open(stream, &relay, peer.as_deref(), speech);
            }
            PeerCommand::Frame { stream, bytes } => {
                if let Some(handle) = self.handles.borrow().get(&stream) {
                    handle.send(bytes);
                }
            }
            PeerCommand::Taken(stream) => {
                if let Some(handle) = self.handles.borrow().get(&stream) {
                    handle.took();
                }
            }
            PeerCommand::Close(stream) => drop(self.handles.borrow_mut().remove(&stream)),
        }
    }

    fn listen(&mut self, relay: &Relay) {
        let listening = address::relay(relay).and_then(|(peer, address)| {
            if let Some(waiting) = self.waiting.get(&peer) {
                if waiting.reached {
                    (self.tell)(&PeerEvent::Listening(relay.peer.clone()));
                }
                return Some(());
            }
            let listener = self.swarm.listen_on(address::circuit(address, None)).ok()?;
            self.waiting.insert(peer, Waiting { listener, reached: false });
            Some(())
        });
        if listening.is_none() {
            (self.tell)(&PeerEvent::Unreachable(relay.peer.clone()));
        }
    }

    fn open(&mut self, number: u32, relay: &Relay, peer: Option<&[u8]>, speech: Speech) {
        let closed = || (self.tell)(&PeerEvent::Closed(number));
        let Some((relay, address)) = address::relay(relay) else { return closed() };
        let (peer, address) = match peer.map(PeerId::from_bytes) {
            None => (relay, address),
            Some(Ok(peer)) => (peer, address::circuit(address, Some(peer))),
            Some(Err(_)) => return closed(),
        };
        // Connected already, or being connected, is as well: the stream waits for it.
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(vec![address.clone()])
            .build();
        let _ = self.swarm.dial(options);
        self.swarm.add_peer_address(peer, address);
        let (handle, carrier) = ends();
        self.handles.borrow_mut().insert(number, handle);
        let mut control = self.swarm.behaviour().streams.new_control();
        let (handles, tell) = (self.handles.clone(), self.tell);
        (self.spawn)(Box::pin(async move {
            if let Ok(stream) = control.open_stream(peer, StreamProtocol::new(speech.protocol())).await {
                tell(&PeerEvent::Opened(number));
                carry(number, stream, carrier, handles, tell).await;
            } else {
                handles.borrow_mut().remove(&number);
                tell(&PeerEvent::Closed(number));
            }
        }));
    }

    fn notice(&mut self, event: &SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Circuits(
                relay::client::Event::ReservationReqAccepted { relay_peer_id, .. },
            )) => {
                if let Some(waiting) = self.waiting.get_mut(relay_peer_id) {
                    waiting.reached = true;
                }
                (self.tell)(&PeerEvent::Listening(relay_peer_id.to_bytes()));
            }
            SwarmEvent::ListenerClosed { listener_id, .. } => {
                let relay = self.waiting.iter().find(|(_, waiting)| waiting.listener == *listener_id);
                if let Some(relay) = relay.map(|(relay, _)| *relay) {
                    self.waiting.remove(&relay);
                    (self.tell)(&PeerEvent::Unreachable(relay.to_bytes()));
                }
            }
            _ => {}
        }
    }
}

/// Streams that peers open get odd numbers, each speech its own.
async fn accept(
    mut incoming: stream::IncomingStreams,
    speech: Speech,
    handles: Handles,
    spawn: Spawn,
    tell: Tell,
) {
    let place = Speech::ALL.iter().position(|known| *known == speech).unwrap_or_default();
    let mut numbers = (1u32..).step_by(2).skip(place).step_by(Speech::ALL.len());
    while let (Some((peer, stream)), Some(number)) = (incoming.next().await, numbers.next()) {
        let (handle, carrier) = ends();
        handles.borrow_mut().insert(number, handle);
        tell(&PeerEvent::Incoming { stream: number, peer: peer.to_bytes(), speech });
        spawn(Box::pin(carry(number, stream, carrier, handles.clone(), tell)));
    }
}

async fn carry(number: u32, stream: libp2p::Stream, carrier: Carrier, handles: Handles, tell: Tell) {
    carrier.carry(number, stream, tell).await;
    handles.borrow_mut().remove(&number);
}
