//! A relay that runs inside of another command, for as long as that does.

use crate::{config::Serve, node::Node, order::system_clock};
use std::path::Path;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A relay on a free port of this machine.
#[derive(Debug)]
pub struct Embedded {
    url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Embedded {
    /// Starts the relay of a data folder; links lead to where its pages are, on `pages`.
    pub async fn start(data: &Path, options: &Serve, pages: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let node = Node::open(data, options, pages, system_clock()).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let _upkeep = node.start();
            let stopped = async {
                let _ = stopped.await;
            };
            super::serve::until(listener, node, stopped).await;
        });
        Ok(Self { url, stop, serving })
    }

    /// Where it serves.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it in good order.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}
