//! Web sockets of `/p2p` as the swarm's incoming connections: pages and peers come in by the same port.

use super::Address;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{
    AsyncRead, AsyncWrite, SinkExt as _, TryStreamExt as _,
    future::{self, Pending, Ready},
};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    multiaddr::Protocol,
};
use rw_stream_sink::RwStreamSink;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc;

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}
type Bytes = Pin<Box<dyn Duplex>>;

/// A web socket that was opened, and by whom.
pub struct Arrival {
    /// The socket.
    pub socket: WebSocket,
    /// The other end.
    pub from: Address,
}

/// Listens for what the HTTP service hands over; dials nobody.
pub struct Sockets {
    came: mpsc::Receiver<Arrival>,
    listener: Option<ListenerId>,
    address: Multiaddr,
}

impl Sockets {
    /// Takes what comes out of `came`.
    pub fn new(came: mpsc::Receiver<Arrival>) -> Self {
        Self { came, listener: None, address: Multiaddr::empty() }
    }
}

impl Transport for Sockets {
    type Output = Bytes;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Bytes>>;
    type Dial = Pending<io::Result<Bytes>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        let is_ours = address.iter().any(|part| matches!(part, Protocol::Ws(_)));
        if !is_ours || self.listener.is_some() {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.listener = Some(id);
        self.address = address;
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let is_ours = self.listener == Some(id);
        self.listener = self.listener.filter(|_| !is_ours);
        is_ours
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let Some(listener_id) = self.listener else { return Poll::Pending };
        match self.came.poll_recv(cx) {
            Poll::Ready(Some(Arrival { socket, from })) => Poll::Ready(TransportEvent::Incoming {
                listener_id,
                upgrade: future::ready(Ok(bytes(socket))),
                local_addr: self.address.clone(),
                send_back_addr: from.multiaddr().with(Protocol::Ws("/".into())),
            }),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Binary messages as a stream of bytes; a text message is no part of it.
fn bytes(socket: WebSocket) -> Bytes {
    let socket = socket
        .sink_map_err(io::Error::other)
        .with(|bytes: Vec<u8>| future::ready(io::Result::Ok(Message::Binary(bytes.into()))))
        .map_err(io::Error::other)
        .try_take_while(|message| future::ready(Ok(!matches!(message, Message::Close(_)))))
        .try_filter_map(|message| {
            future::ready(match message {
                Message::Binary(bytes) => Ok(Some(Vec::from(bytes))),
                Message::Text(_) => Err(io::Error::other("a text message")),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => Ok(None),
            })
        });
    Box::pin(RwStreamSink::new(socket))
}
