//! Streams that peers open, handed on one by one. A crowd of them waits; none is lost because another came at the same time.

use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{DeniedUpgrade, InboundUpgrade, UpgradeInfo},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, SubstreamProtocol, ToSwarm,
        handler::{ConnectionEvent, FullyNegotiatedInbound},
    },
};
use std::{
    array,
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};
use suishen_core::sync::{CONTENT_PROTOCOL, SYNC_PROTOCOL};
use tokio::sync::mpsc;

/// Streams that may wait to be handed on; beyond them one is closed.
const WAITING: usize = 1024;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The events of a mailbox.
    Link,
    /// Its content.
    Content,
}

/// A stream that was opened, and by whom.
pub struct Opened {
    /// The other end.
    pub peer: PeerId,
    /// What it is for.
    pub purpose: Purpose,
    /// The stream.
    pub stream: Stream,
}

/// Takes the streams of both protocols.
pub struct Behaviour(mpsc::Sender<Opened>);

impl Behaviour {
    /// The behaviour, and where its streams come out.
    pub fn new() -> (Self, mpsc::Receiver<Opened>) {
        let (sender, opened) = mpsc::channel(WAITING);
        (Self(sender), opened)
    }
}

/// One connection's.
pub struct Handler {
    peer: PeerId,
    opened: mpsc::Sender<Opened>,
}

/// Which of the protocols.
#[derive(Clone, Copy, Debug)]
pub struct Protocols;

impl UpgradeInfo for Protocols {
    type Info = StreamProtocol;
    type InfoIter = array::IntoIter<StreamProtocol, 2>;

    fn protocol_info(&self) -> Self::InfoIter {
        [SYNC_PROTOCOL, CONTENT_PROTOCOL].map(StreamProtocol::new).into_iter()
    }
}

impl InboundUpgrade<Stream> for Protocols {
    type Output = (Stream, Purpose);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        let is_link = protocol.as_ref() == SYNC_PROTOCOL;
        ready(Ok((stream, if is_link { Purpose::Link } else { Purpose::Content })))
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler { peer, opened: self.0.clone() })
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler { peer, opened: self.0.clone() })
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        Poll::Pending
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Protocols;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Protocols> {
        SubstreamProtocol::new(Protocols, ())
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Protocols, DeniedUpgrade>) {
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) = event {
            let (stream, purpose) = protocol;
            // One that has no room is closed.
            let _ = self.opened.try_send(Opened { peer: self.peer, purpose, stream });
        }
    }
}
