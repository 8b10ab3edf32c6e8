//! Dials `/p2p` as a browser does.

use futures_util::{
    AsyncRead, AsyncWrite, FutureExt as _, SinkExt as _, TryStreamExt as _,
    future::{self, BoxFuture, Pending},
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
use tokio_tungstenite::tungstenite::Message;

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}
/// A connection.
pub type Bytes = Pin<Box<dyn Duplex>>;

/// A transport of web sockets; it listens nowhere.
pub struct Dialing;

impl Transport for Dialing {
    type Output = Bytes;
    type Error = io::Error;
    type ListenerUpgrade = Pending<io::Result<Bytes>>;
    type Dial = BoxFuture<'static, io::Result<Bytes>>;

    fn listen_on(&mut self, _: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        Err(TransportError::MultiaddrNotSupported(address))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let mut port = None;
        for part in &address {
            match part {
                Protocol::Tcp(tcp) => port = Some(tcp),
                Protocol::P2pCircuit => return Err(TransportError::MultiaddrNotSupported(address)),
                _ => {}
            }
        }
        let port = port.ok_or(TransportError::MultiaddrNotSupported(address))?;
        Ok(connect(port).boxed())
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Poll::Pending
    }
}

async fn connect(port: u16) -> io::Result<Bytes> {
    let url = format!("ws://127.0.0.1:{port}/p2p");
    let (socket, _) = tokio_tungstenite::connect_async(url).await.map_err(io::Error::other)?;
    let socket = socket
        .sink_map_err(io::Error::other)
        .with(|bytes: Vec<u8>| future::ready(io::Result::Ok(Message::Binary(bytes.into()))))
        .map_err(io::Error::other)
        .try_filter_map(|message| {
            future::ready(Ok(match message {
                Message::Binary(bytes) => Some(Vec::from(bytes)),
                _ => None,
            }))
        });
    Ok(Box::pin(RwStreamSink::new(socket)))
}
