//! What needs no ledger: libp2p, the wallets' mailboxes, and the pages that may come. Every relay has one. `suishen mailbox` is
//! nothing else, at a place of its own, so that a wallet's devices meet there when the relay is gone.

use crate::{
    config::Limits,
    http::origin::{Origin, Origins},
    mailbox::{MailboxLimits, Mailboxes},
    order::Clock,
    p2p::{self, Peers},
};
use anyhow::Context as _;
use std::{fmt, net::SocketAddr, ops::Deref, path::Path, sync::Arc, time::Duration};
use suishen_core::id::LedgerId;
use tokio::sync::watch;

/// How often it is looked for what is over.
pub(crate) const EXPIRE_EVERY: Duration = Duration::from_mins(10);

/// The folder of mailboxes in the data folder.
pub(crate) const MAILBOXES: &str = "mailbox";

/// A handle to it.
#[derive(Clone)]
pub struct Post(Arc<Parts>);

/// Its parts, as handlers share them.
pub struct Parts {
    /// Whose wallets it serves.
    pub ledger: LedgerId,
    /// libp2p.
    pub peers: Peers,
    /// Copies of vaults for their devices.
    pub mailboxes: Mailboxes,
    /// Pages that may use it.
    pub origins: Origins,
    /// Where further mailboxes are.
    pub others: Vec<Origin>,
    /// The time.
    pub clock: Clock,
    /// Becomes true when it stops.
    pub stopping: watch::Sender<bool>,
}

/// Who comes, and where else they may go.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// Pages that may use it.
    pub origins: Origins,
    /// Where further mailboxes are.
    pub others: Vec<Origin>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Post({:?})", self.peers)
    }
}

impl Deref for Post {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Post {
    /// Opens the mailboxes of a data folder and starts libp2p on this runtime; `port` is a TCP port of its own for it.
    pub fn open(
        data: &Path,
        ledger: LedgerId,
        limits: &Limits,
        port: Option<SocketAddr>,
        Pages { origins, others }: Pages,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let mailboxes = Mailboxes::open(&data.join(MAILBOXES), ledger, mailbox_limits(limits))
            .context("could not open the mailboxes")?;
        let peers = Peers::start(limits, port)?;
        let stopping = watch::channel(false).0;
        Ok(Self(Arc::new(Parts { ledger, peers, mailboxes, origins, others, clock, stopping })))
    }

    /// Serves the streams that peers open, until it is dropped.
    pub async fn serve(self) {
        p2p::mailbox::serve(&self).await;
    }
}

/// Work that must go on with the next round whatever happens in this one.
pub(crate) async fn upkeep(work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "upkeep failed"),
        Err(error) => tracing::error!(%error, "upkeep failed"),
    }
}

fn mailbox_limits(limits: &Limits) -> MailboxLimits {
    MailboxLimits {
        events: limits.mailbox_events_mib << 20,
        content: limits.mailbox_content_mib << 20,
        largest: limits.blob_mib << 20,
        room: limits.mailboxes_mib << 20,
        keep: limits.mailbox_days * 86_400,
        bits: limits.mailbox_work,
    }
}
