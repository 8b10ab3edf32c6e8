//! `suishen serve`: runs the relay until SIGINT or SIGTERM, then lets requests under way finish.

use super::Outcome;
use crate::{
    config::{Place, Serve},
    http::{self, connections::Bounds},
    node::Node,
    order::system_clock,
};
use anyhow::Context as _;
use axum::{Router, routing::get};
use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, signal::unix, sync::watch};

/// File in the data folder that says where the relay serves, for commands on the same machine.
const URL: &str = "url";
/// Ports tried after a busy one.
const NEXT_PORTS: u16 = 100;
/// How long requests under way may take to finish.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the relay.
pub fn run(place: &Place, serve: &Serve) -> anyhow::Result<Outcome> {
    end_with_parent(serve.with_parent)?;
    crate::store::make_folder(&place.data)
        .with_context(|| format!("could not make the data folder {}", place.data.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = bind(serve.listen, serve.port).await?;
        let port = listener.local_addr()?.port();
        let node = Node::open(&place.data, serve, port, system_clock()).await?;
        let upkeep = node.start();
        let metrics = metrics(&node, serve.metrics_port).await?;
        let stop = stop_signal()?;
        tell_where(&place.data, &listener)?;
        tracing::info!(address = %listener.local_addr()?, data = %place.data.display(), "serving");
        until(listener, node, stop).await;
        drop(upkeep);
        metrics.abort();
        Ok::<_, anyhow::Error>(())
    })?;
    tracing::info!("stopped");
    Ok(Outcome::Well)
}

/// Has this process end with the one that started it, where that is asked for and there is a way.
pub(super) fn end_with_parent(asked: bool) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if asked {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = asked;
    Ok(())
}

/// Writes down where it serves.
pub(super) fn tell_where(data: &Path, listener: &TcpListener) -> io::Result<()> {
    std::fs::write(data.join(URL), format!("http://{}", local_address(listener)?))
}

/// Where the relay of a data folder serves, or served last.
pub fn last_url(data: &Path) -> Option<String> {
    std::fs::read_to_string(data.join(URL)).ok().map(|url| url.trim().to_owned())
}

/// As this machine reaches it, whatever it listens on.
pub(super) fn local_address(listener: &TcpListener) -> io::Result<SocketAddr> {
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Ok(address)
}

/// Takes the port, or the next free one.
pub(super) async fn bind(listen: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let last = port.saturating_add(NEXT_PORTS);
    for candidate in port..=last {
        match TcpListener::bind((listen, candidate)).await {
            Ok(listener) => {
                if candidate != port && port != 0 {
                    tracing::warn!(busy = port, taken = candidate, "port is busy, took the next free one");
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(error).with_context(|| format!("could not listen on {listen}:{candidate}"));
            }
        }
    }
    anyhow::bail!("ports {port} to {last} on {listen} are all busy: choose another with --port")
}

/// Serves a relay until `stop`, then waits for what is under way.
pub async fn until(listener: TcpListener, node: Arc<Node>, stop: impl Future<Output = ()>) {
    let stopping = node.post.stopping.clone();
    let bounds = Bounds::new(&node.limits, node.trust_proxy);
    ending(listener, http::service(node), &bounds, &stopping, stop).await;
}

/// Serves until `stop`, then waits for what is under way.
pub(super) async fn ending(
    listener: TcpListener,
    service: Router,
    bounds: &Bounds,
    stopping: &watch::Sender<bool>,
    stop: impl Future<Output = ()>,
) {
    let mut serving = pin!(http::connections::serve(listener, service, bounds, stopping.subscribe()));
    tokio::select! {
        () = &mut serving => return,
        () = stop => {}
    }
    tracing::info!("stopping");
    stopping.send_replace(true);
    // An open event socket or a slow client doesn't keep the relay alive.
    let _ = tokio::time::timeout(GRACE, serving).await;
}

/// Figures for Prometheus, on loopback only.
async fn metrics(node: &Arc<Node>, port: u16) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    if port == 0 {
        return Ok(tokio::spawn(async {}));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("could not listen on port {port} for metrics"))?;
    let node = node.clone();
    let figures = move || {
        let text = node.figures.to_text();
        async { ([("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")], text) }
    };
    let service = Router::new().route("/metrics", get(figures));
    tracing::info!(port, "metrics");
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "metrics ended");
        }
    }))
}

pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
