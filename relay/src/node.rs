//! One running relay: its parts, as handlers share them.

use crate::{
    blob::{BlobLimits, Blobs},
    boxes::{Boxes, DROP_TERM},
    config::{Limits, Serve},
    demo::{self, Demo},
    desk::Desks,
    events::Events,
    founding,
    gate::Gate,
    http::{
        nonces::Nonces,
        origin::{Origin, Origins},
        pace::Pace,
    },
    keys::Keys,
    order::{Clock, Solo},
    post::{EXPIRE_EVERY, Pages, Post, upkeep},
    replica::{self, Replica, ReplicaError},
    store::Store,
    telemetry::Figures,
};
use anyhow::{Context as _, bail};
use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use suishen_core::{
    cbor,
    contract::Views as _,
    id::GrantId,
    sm::{PublicKey, SecretKey},
};
use tokio::task::JoinSet;

/// The relay's own database in the data folder.
pub(crate) const DATABASE: &str = "relay.redb";
/// The genesis object in the data folder, for tools that need the ledger's id while the relay runs.
pub const GENESIS: &str = "genesis.cbor";
/// The folder of blobs in the data folder.
pub(crate) const BLOBS: &str = "blobs";
/// The nonces of signed requests in the data folder.
const NONCES: &str = "nonces";
/// The folder of keys in the data folder.
pub const KEYS: &str = "keys";
/// How often the gate looks for what must be torn.
const TEAR_EVERY: Duration = Duration::from_secs(5);

/// A relay and its parts.
pub struct Node {
    /// The ledger.
    pub replica: Replica,
    /// Who orders.
    pub order: Solo,
    /// The ledger's clock.
    pub clock: Clock,
    /// Signs the time.
    pub time_key: SecretKey,
    /// The gate.
    pub gate: Gate,
    /// Ciphertext.
    pub blobs: Blobs,
    /// Drop boxes and inboxes.
    pub boxes: Boxes,
    /// Organisations and people.
    pub desks: Desks,
    /// What changed.
    pub events: Events,
    /// libp2p, mailboxes, pages.
    pub post: Post,
    /// Nonces of signed requests.
    pub nonces: Nonces,
    /// Set in a demo.
    pub demo: Option<Demo>,
    /// Where tickets lead to.
    pub wallet_origin: Origin,
    /// The built pages.
    pub web: Option<PathBuf>,
    /// What is counted.
    pub figures: Figures,
    /// Limits by client.
    pub limits: Limits,
    /// Whether X-Forwarded-For names the client.
    pub trust_proxy: bool,
    /// Requests by address.
    pub by_address: Pace<IpAddr>,
    /// Signed requests by key.
    pub by_key: Pace<PublicKey>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?})", self.replica)
    }
}

impl Node {
    /// Puts together the relay of a data folder that will listen on `port`.
    pub async fn open(data: &Path, serve: &Serve, port: u16, clock: Clock) -> anyhow::Result<Arc<Self>> {
        let keys = Keys::new(data.join(KEYS));
        let replica = open_replica(data, &keys, serve, port, &clock)?;
        std::fs::write(data.join(GENESIS), cbor::encode(replica.genesis()))?;
        let order = Solo::start(replica.clone(), clock.clone())?;
        if serve.demo {
            founding::register(&keys, &demo::consortium(&origin_of(port)), &replica, &order).await?;
        }
        let store = Store::open(&data.join(DATABASE)).context("could not open the relay's database")?;
        let limits = BlobLimits {
            largest: serve.limits.blob_mib << 20,
            room: serve.limits.blobs_mib << 20,
            keep: serve.limits.blob_days * 86_400,
        };
        let blobs = Blobs::open(data.join(BLOBS), store.clone(), limits)?;
        let member = keys.folder("member");
        let gate = Gate::open(
            data,
            replica.clone(),
            store.clone(),
            blobs.clone(),
            clock.clone(),
            member.read("gate")?,
        )
        .context("could not open the gate")?;
        let root = demo::root_of(replica.genesis())?;
        let (pages, wallet_origin) = pages(serve, &replica, port)?;
        Ok(Arc::new(Self {
            time_key: member.read("time")?,
            desks: Desks::open(&keys, store.clone(), root, replica.ledger())?,
            boxes: Boxes::open(store, serve.limits.boxes_mib << 20)?,
            events: Events::default(),
            post: Post::open(
                data,
                replica.ledger(),
                &serve.limits,
                serve.peer_address(),
                pages,
                clock.clone(),
            )?,
            nonces: Nonces::open(&data.join(NONCES), clock()).context("could not open the nonces")?,
            demo: serve.demo.then_some(Demo { port }),
            web: serve.web.clone(),
            figures: Figures::default(),
            limits: serve.limits.clone(),
            trust_proxy: serve.trust_proxy,
            by_address: Pace::new(serve.limits.requests_per_address),
            by_key: Pace::new(serve.limits.requests_per_key),
            replica,
            order,
            clock,
            gate,
            blobs,
            wallet_origin,
        }))
    }

    /// The ledger's time: this relay orders alone, so its own clock, never before the last entry.
    pub fn now(&self) -> u64 {
        (self.clock)().max(self.replica.published().snapshot().last_time())
    }

    /// Origins of pages, the wallet's first.
    pub fn page_origins(&self) -> Vec<String> {
        let wallet = self.wallet_origin.to_string();
        let others = self.post.origins.known().map(ToString::to_string).filter(|origin| *origin != wallet);
        std::iter::once(wallet.clone()).chain(others).collect()
    }

    /// When a grant's drop box closes; `None` for a grant that the ledger doesn't have.
    pub fn drop_until(&self, grant: &GrantId) -> Result<Option<u64>, ReplicaError> {
        let terms = self.replica.published().snapshot().view(|state| state.terms(grant))?;
        Ok(terms.map(|terms| terms.end().saturating_add(DROP_TERM)))
    }

    /// Starts what runs beside the requests; it ends when the set is dropped.
    pub fn start(self: &Arc<Self>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.post.clone().serve());
        tasks.spawn(self.events.clone().follow(self.replica.clone()));
        let replica = self.replica.clone();
        tasks.spawn(async move {
            if let Err(error) = replica::copy::follow(replica).await {
                tracing::error!(%error, "the published copy of the ledger is no longer kept");
            }
        });
        let node = self.clone();
        tasks.spawn(async move {
            loop {
                let node = node.clone();
                upkeep(move || node.tear()).await;
                tokio::time::sleep(TEAR_EVERY).await;
            }
        });
        let node = self.clone();
        tasks.spawn(async move {
            loop {
                let node = node.clone();
                upkeep(move || node.expire()).await;
                tokio::time::sleep(EXPIRE_EVERY).await;
            }
        });
        tasks
    }

    fn tear(&self) -> anyhow::Result<()> {
        self.nonces.sync()?;
        let torn = self.gate.tear_due()?;
        self.figures.torn.inc_by(torn as u64);
        let entries = i64::try_from(self.replica.published().size()).unwrap_or(i64::MAX);
        self.figures.entries.set(entries);
        self.figures.blob_bytes.set(i64::try_from(self.blobs.used()).unwrap_or(i64::MAX));
        self.figures.mailbox_bytes.set(i64::try_from(self.post.mailboxes.used()).unwrap_or(i64::MAX));
        Ok(())
    }

    fn expire(&self) -> anyhow::Result<()> {
        let now = self.now();
        self.nonces.expire(now)?;
        self.boxes.expire(now)?;
        self.desks.expire(now)?;
        self.blobs.expire(now)?;
        self.post.mailboxes.expire(now)?;
        Ok(())
    }
}

fn open_replica(
    data: &Path,
    keys: &Keys,
    serve: &Serve,
    port: u16,
    clock: &Clock,
) -> anyhow::Result<Replica> {
    let now = clock();
    if !Replica::exists(data) {
        if !serve.demo {
            bail!(
                "there is no ledger in {}: found one with `suishen found`, or start with --demo",
                data.display()
            );
        }
        let genesis = founding::genesis(keys, &demo::consortium(&origin_of(port)), serve.limits.quota, now)?;
        let cosigner = keys.folder("member").read("cosigner")?;
        return Replica::create(data, &genesis, cosigner, now).context("could not found the ledger");
    }
    let cosigner = keys.folder("member").read("cosigner")?;
    Replica::open(data, cosigner, now).context("could not open the ledger")
}

fn origin_of(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// The pages that may use this relay, with the further mailboxes, and the one that tickets lead to.
fn pages(serve: &Serve, replica: &Replica, port: u16) -> anyhow::Result<(Pages, Origin)> {
    let configured = serve.origins.iter().map(|text| Origin::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let wallet = match &serve.wallet_origin {
        Some(text) => Some(Origin::parse(text)?),
        None if serve.demo => None,
        None => configured.first().cloned(),
    };
    let local = Origin::parse(&format!("http://patient.localhost:{port}"))?;
    let members = replica.genesis().members.iter().flat_map(|member| &member.origins);
    // A demo's member is wherever it listens today.
    let members = members.filter(|_| !serve.demo).filter_map(|text| Origin::parse(text).ok());
    let known: Vec<_> = members.chain(configured).chain(wallet.clone()).collect();
    let loopback = (serve.demo && serve.listen.is_loopback()).then_some(port);
    let others = serve.mailboxes.iter().map(|text| Origin::parse(text)).collect::<Result<Vec<_>, _>>()?;
    Ok((Pages { origins: Origins::new(known, loopback), others }, wallet.unwrap_or(local)))
}
