//! `suishen claims`: an insurer's own server, until SIGINT or SIGTERM; and the keys whose requests it takes.

use super::{Outcome, serve};
use crate::{
    claims::{
        ClaimsDesk,
        clients::Clients,
        door::{self, Door},
        enrolment,
        sandbox::{FOLDER, Sandbox, Started},
        webhook::Hook,
        work,
    },
    client::Client,
    config::{Place, serve_defaults},
    http::connections::Bounds,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// File in the server's folder that says where it serves.
const URL: &str = "url";
/// How long the relay may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `suishen claims`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Connections are held to what a relay's are: SUISHEN_CONNECTIONS in all, SUISHEN_CONNECTIONS_PER_ADDRESS, SUISHEN_HEAD_SECONDS
for a request's head; SUISHEN_TRUST_PROXY where a proxy stands before all clients (see suishen serve --help).")]
pub struct Claims {
    /// What else than serving
    #[command(subcommand)]
    pub what: Option<What>,
    /// Port of the insurer's interface; a busy one gives way to the next free
    #[arg(long, env = "SUISHEN_CLAIMS_PORT", default_value_t = 8090)]
    pub port: u16,
    /// Address to listen on; another than loopback belongs behind a proxy that speaks HTTPS
    #[arg(long, env = "SUISHEN_CLAIMS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// The relay [default: the one of the data folder]
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
    /// A link of `suishen invite --server`, which enrols this server where it isn't yet; a certificate lasts 90 days and is
    /// renewed by `suishen claims enrol`
    #[arg(long, env = "SUISHEN_INVITE", value_name = "LINK", hide_env_values = true)]
    pub invite: Option<String>,
    /// A public key (PEM) whose requests are taken, registered under the file's name if it isn't yet; repeatable
    #[arg(long = "client-key", env = "SUISHEN_CLIENT_KEY", value_name = "FILE", value_delimiter = ',')]
    pub client_keys: Vec<PathBuf>,
    /// Try it: a demo relay in this process, and patients who are played; data apart from the real ones
    #[arg(long, env = "SUISHEN_SANDBOX")]
    pub sandbox: bool,
}

/// What else than serving.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// Enrol this server with a link of `suishen invite --server`, or renew its certificate: a server that is running goes on
    /// with the old one until the new one is there
    Enrol {
        /// The link
        link: String,
    },
    /// The keys whose requests are taken
    #[command(subcommand)]
    Key(Key),
}

/// What to do with the keys.
#[derive(Clone, Debug, Subcommand)]
pub enum Key {
    /// Take requests that this public key signs
    Add {
        /// An SM2 public key in PEM
        file: PathBuf,
        /// What it is called [default: the file's name]
        #[arg(long)]
        name: Option<String>,
    },
    /// Take no more of its requests
    Remove {
        /// What it is called
        name: String,
    },
    /// Print the registered keys
    List,
}

/// Serves, or changes the keys.
pub fn run(place: &Place, claims: &Claims) -> anyhow::Result<Outcome> {
    let data = if claims.sandbox { place.data.join(FOLDER) } else { place.data.clone() };
    match &claims.what {
        Some(What::Key(key)) => return keys(&Clients::of(&data), key),
        Some(What::Enrol { link }) => return enrol(place, &data, claims, link),
        None => {}
    }
    let clients = Clients::of(&data);
    for file in &claims.client_keys {
        clients.ensure(&name_of(file), file)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(place, &data, claims))?;
    Ok(Outcome::Well)
}

/// Asks for a certificate beside the one there is; whoever serves takes it over.
fn enrol(place: &Place, data: &Path, claims: &Claims, link: &str) -> anyhow::Result<Outcome> {
    if claims.sandbox {
        bail!("the sandbox enrols its server by itself: leave --sandbox away");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let who = runtime.block_on(async {
        let client = connect(&relay_of(place, claims)?).await?;
        let now = client.info().await?.now;
        anyhow::Ok(enrolment::enrol(data, &client, link, now).await?)
    })?;
    let leaf = who.chain().leaf();
    let (subject, until) = (leaf.subject(), super::moment::utc(leaf.validity().not_after));
    println!("{} {}: certified until {until}", subject.organisation, subject.party.as_str());
    Ok(Outcome::Well)
}

/// The relay that is named, or the one of the data folder.
fn relay_of(place: &Place, claims: &Claims) -> anyhow::Result<String> {
    let named = claims.relay.clone().or_else(|| serve::last_url(&place.data));
    named.context("name the relay with --relay")
}

async fn connect(relay: &str) -> anyhow::Result<Client> {
    Client::connect_within(relay, PATIENCE).await.with_context(|| format!("at the relay {relay}"))
}

fn keys(clients: &Clients, key: &Key) -> anyhow::Result<Outcome> {
    match key {
        Key::Add { file, name } => {
            let name = name.clone().unwrap_or_else(|| name_of(file));
            let key = clients.add(&name, file)?;
            println!("{name}: {}", key.key_id());
        }
        Key::Remove { name } => clients.remove(name)?,
        Key::List => {
            for (name, key) in clients.list()? {
                println!("{name}: {}", key.key_id());
            }
        }
    }
    Ok(Outcome::Well)
}

fn name_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

async fn serve(place: &Place, data: &Path, claims: &Claims) -> anyhow::Result<()> {
    let rows = enrolment::rows(data)?;
    let (relay, sandbox, invite, embedded) = if claims.sandbox {
        let Started { sandbox, relay, invite } = Sandbox::start(data).await?;
        (relay.url().to_owned(), Some(sandbox), Some(invite), Some(relay))
    } else {
        (relay_of(place, claims)?, None, claims.invite.clone(), None)
    };
    let client = connect(&relay).await?;
    let desk = Arc::new(enrolment::open(data, client, rows, invite.as_deref()).await?);
    let hook = Arc::new(Hook::new(desk.clone(), claims.sandbox).context("TLS could not be set up")?);
    let door = Door::open(data, desk.clone(), hook.clone(), sandbox).await?;
    let listener = serve::bind(claims.listen, claims.port).await?;
    let url = format!("http://{}", serve::local_address(&listener)?);
    std::fs::write(data.join(enrolment::FOLDER).join(URL), &url)?;
    if door.clients.list()?.is_empty() {
        tracing::warn!("no client key is registered: nobody can ask yet; see suishen claims key add --help");
    }
    tracing::info!(address = %listener.local_addr()?, relay, sandbox = claims.sandbox, "serving insurers");
    let mut working = start(desk.clone(), hook, &door);
    working.spawn(enrolment::follow(desk, data.to_owned()));
    let relays = serve_defaults();
    until(listener, &door, &Bounds::new(&relays.limits, relays.trust_proxy), serve::stop_signal()?).await;
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Serves insurers' systems until `stop`, within a relay's own bounds on connections; then waits for what is under way.
pub async fn until(
    listener: TcpListener,
    door: &door::Shared,
    bounds: &Bounds,
    stop: impl Future<Output = ()>,
) {
    let (stopping, _) = watch::channel(false);
    serve::ending(listener, door::service(door), bounds, &stopping, stop).await;
}

/// Starts what runs beside the requests; it ends when the set is dropped.
pub fn start(desk: Arc<ClaimsDesk>, hook: Arc<Hook>, door: &door::Shared) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work::work(desk));
    tasks.spawn(hook.work());
    tasks.spawn(door.clone().upkeep());
    tasks
}
