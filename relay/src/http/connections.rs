//! Connections: how many there may be, how long a request's head may take, and their end in good order.
//!
//! A place is held by the connection's stream itself, so that a web socket, which outlives the request that opened
//! it, goes on counting.

use super::pace;
use crate::config::Limits;
use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service as _, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

/// How long to wait when the system has no more files for connections.
const RECOVERY: Duration = Duration::from_millis(250);

/// What connections are held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections in all.
    all: usize,
    /// Of one address; `None` where a proxy stands before all clients, or there is no limit.
    each: Option<usize>,
    /// How long a request's head may take.
    head: Duration,
}

impl Bounds {
    /// Those of the configuration.
    pub fn new(limits: &Limits, trust_proxy: bool) -> Self {
        let all = match limits.connections {
            0 => Semaphore::MAX_PERMITS,
            most => most.min(Semaphore::MAX_PERMITS),
        };
        let each = limits.connections_per_address;
        let each = (each > 0 && !trust_proxy).then_some(each);
        Self { all, each, head: Duration::from_secs(limits.head_seconds) }
    }
}

/// Serves until `stopped`, then ends what is idle and waits for what is under way. Dropping it ends everything.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    bounds: &Bounds,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Places::new(bounds);
    let head = bounds.head;
    let router = TowerToHyperService::new(service);
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            // What is over the limit waits in the system's queue.
            let free = places.any().await;
            (free, listener.accept().await)
        };
        let (free, accepted) = tokio::select! {
            next = next => next,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_the_peer_s(&error) {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(RECOVERY).await;
                }
                continue;
            }
        };
        // One address's connections over its limit are closed, so that they hold nobody else up.
        let Some(place) = places.take(free, peer.ip()) else { continue };
        let stream = Held { stream, _place: place };
        connections.spawn(one(stream, peer, router.clone(), head, stopped.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection, from its first byte to its end.
async fn one(
    stream: Held,
    peer: SocketAddr,
    router: TowerToHyperService<Router>,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let stop = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// Whether the connection failed, not the listening for others.
fn is_the_peer_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

type ByAddress = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The places that there are, in all and for one address.
struct Places {
    all: Arc<Semaphore>,
    by_address: ByAddress,
    each: Option<usize>,
}

impl Places {
    fn new(bounds: &Bounds) -> Self {
        let all = Arc::new(Semaphore::new(bounds.all));
        Self { all, by_address: ByAddress::default(), each: bounds.each }
    }

    /// Waits for a place.
    async fn any(&self) -> OwnedSemaphorePermit {
        self.all.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// A place for this address, if it may have one more.
    fn take(&self, free: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let network = pace::network(address);
        let mut taken = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_default();
        if self.each.is_some_and(|each| *count >= each) {
            return None;
        }
        *count += 1;
        Some(Place { network, by_address: self.by_address.clone(), _free: free })
    }
}

/// One connection's place, free again when this is dropped.
struct Place {
    network: IpAddr,
    by_address: ByAddress,
    _free: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

/// A stream that holds its place.
struct Held {
    stream: TcpStream,
    _place: Place,
}

impl AsyncRead for Held {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
