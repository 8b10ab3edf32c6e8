//! `suishen mailbox`: wallets' mailboxes and circuits at a further place, until SIGINT or SIGTERM. What it must know of the
//! ledger is its id; a relay is asked for it once.

use super::{Outcome, serve};
use crate::{
    client::{Client, ClientError},
    config::{Limits, Place},
    http::{
        self,
        connections::Bounds,
        origin::{Origin, Origins},
    },
    order::system_clock,
    post::{EXPIRE_EVERY, Pages, Post, upkeep},
    store::{make_folder, write_whole},
};
use anyhow::{Context as _, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};
use suishen_core::id::LedgerId;

/// File in the data folder that says whose wallets are served.
const SERVES: &str = "mailbox.json";
/// How long the relay may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `suishen mailbox`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
  suishen mailbox --relay https://relay.example.org --data mailbox
  suishen serve … --mailbox https://mailbox.example.org         the relay names it to wallets

Needs the relay for its first start only. Sees no more than a relay's own mailboxes: ciphertext by vault and address.")]
pub struct Mailbox {
    /// The relay whose ledger's wallets are served, at the first start
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
    /// Port; a busy one gives way to the next free
    #[arg(long, env = "SUISHEN_PORT", default_value_t = 8180)]
    pub port: u16,
    /// Address to listen on; another than loopback belongs behind a proxy that speaks HTTPS
    #[arg(long, env = "SUISHEN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// Port of its own for peers that speak libp2p over TCP; 0 for none
    #[arg(long, env = "SUISHEN_PEER_PORT", value_name = "PORT", default_value_t = 0)]
    pub peer_port: u16,
    /// Origin of a page that may use it [default: the relay's]; several by comma or repeated
    #[arg(long = "origin", env = "SUISHEN_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub origins: Vec<String>,
    /// Stop when the process that started this one has ended (Linux)
    #[arg(long, env = "SUISHEN_WITH_PARENT")]
    pub with_parent: bool,
    /// Take the client's address from the last entry of X-Forwarded-For: only behind a proxy that sets it
    #[arg(long, env = "SUISHEN_TRUST_PROXY")]
    pub trust_proxy: bool,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
}

/// Whose wallets are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Serves {
    /// The ledger's id.
    ledger: String,
    /// Pages that may come.
    origins: Vec<String>,
}

/// Runs the mailbox.
pub fn run(place: &Place, mailbox: &Mailbox) -> anyhow::Result<Outcome> {
    serve::end_with_parent(mailbox.with_parent)?;
    make_folder(&place.data)
        .with_context(|| format!("could not make the data folder {}", place.data.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let serves = serves(&place.data, mailbox).await?;
        let ledger = LedgerId::from_hex(&serves.ledger).with_context(|| {
            format!(
                "{} names no ledger: delete it, and start with --relay",
                place.data.join(SERVES).display()
            )
        })?;
        let origins = serves.origins.iter().map(|text| Origin::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let pages = Pages { origins: Origins::new(origins, None), others: Vec::new() };
        let listener = serve::bind(mailbox.listen, mailbox.port).await?;
        let peers = (mailbox.peer_port > 0).then(|| SocketAddr::new(mailbox.listen, mailbox.peer_port));
        let post = Post::open(&place.data, ledger, &mailbox.limits, peers, pages, system_clock())?;
        let tasks = [tokio::spawn(post.clone().serve()), tokio::spawn(expire(post.clone()))];
        let bounds = Bounds::new(&mailbox.limits, mailbox.trust_proxy);
        tracing::info!(address = %listener.local_addr()?, data = %place.data.display(), %ledger, "serving");
        let stop = serve::stop_signal()?;
        serve::tell_where(&place.data, &listener)?;
        serve::ending(listener, http::mailbox(post.clone()), &bounds, &post.stopping, stop).await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        Ok::<_, anyhow::Error>(())
    })?;
    tracing::info!("stopped");
    Ok(Outcome::Well)
}

/// What was written down at the first start, or what the relay says, which is written down.
async fn serves(data: &Path, mailbox: &Mailbox) -> anyhow::Result<Serves> {
    let path = data.join(SERVES);
    let known: Option<Serves> = match fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).with_context(|| {
            format!("could not read {}: delete it, and start with --relay", path.display())
        })?),
        Err(_) => None,
    };
    let Some(relay) = &mailbox.relay else {
        let known = known.context("whose wallets? Name their relay with --relay at the first start")?;
        return Ok(with_origins(known, mailbox));
    };
    let told = async {
        let client = Client::connect_within(relay, PATIENCE).await?;
        let origins = client.info().await?.origins;
        Ok::<_, ClientError>(Serves { ledger: client.ledger().to_string(), origins })
    };
    let told = match (told.await, &known) {
        (Ok(told), Some(known)) if told.ledger != known.ledger => {
            bail!("{relay} has another ledger than the one whose wallets are served here, {}", known.ledger)
        }
        (Ok(told), _) => told,
        // It is gone, which is what this is for.
        (Err(_), Some(known)) => return Ok(with_origins(known.clone(), mailbox)),
        (Err(error), None) => return Err(error.into()),
    };
    if known.as_ref() != Some(&told) {
        // Whole or not at all: it is needed just when the relay is gone.
        write_whole(data, &path.with_extension("new"), &path, &serde_json::to_vec_pretty(&told)?)?;
    }
    Ok(with_origins(told, mailbox))
}

fn with_origins(serves: Serves, mailbox: &Mailbox) -> Serves {
    let own = Some(mailbox.origins.clone()).filter(|own| !own.is_empty());
    Serves { origins: own.unwrap_or(serves.origins), ..serves }
}

async fn expire(post: Post) {
    loop {
        let (mailboxes, now) = (post.mailboxes.clone(), (post.clock)());
        upkeep(move || Ok(mailboxes.expire(now).map(drop)?)).await;
        tokio::time::sleep(EXPIRE_EVERY).await;
    }
}
