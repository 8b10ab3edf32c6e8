//! What wallets that are connected by `/p2p` take of a relay's memory, and what those who do harm take of an honest one's
//! time: `cargo bench -p suishen-relay --bench peers`, or as a table `cargo xtask bench peers`. Prints one JSON object.
//!
//! The relay is the program as it is released; honest clients share this process, those who do harm another.

mod client;
mod crowd;
#[path = "../../tests/service/dialing.rs"]
mod dialing;
mod hostile;

use anyhow::{Context as _, Result, ensure};
use client::{Target, Wallet};
use crowd::Crowd;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use libp2p::PeerId;
use serde_json::json;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use suishen_relay::client::Client;
use tokio::time::sleep;

/// Wallets that are connected and say nothing.
const WALLETS: usize = 2000;
/// Those who do harm.
const HOSTILE: usize = 1000;
/// Changes of the honest one, and how long it goes on with them where they take long.
const CHANGES: u64 = 200;
const GOES_ON: Duration = Duration::from_secs(30);
/// Peers that come in at the same time.
const AT_ONCE: usize = 16;
/// How long a relay is left alone before it is measured.
const SETTLES: Duration = Duration::from_secs(5);
/// What is between two changes.
const PAUSE: Duration = Duration::from_millis(20);
/// Where files are in memory, if the system has such a place: nothing is timed while wallets come to be idle.
const IN_MEMORY: &str = "/dev/shm";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let crowd: Vec<String> = env::args().skip_while(|argument| argument != crowd::ARGUMENT).skip(1).collect();
    if let [port, peer, ledger] = &crowd[..] {
        return runtime.block_on(crowd::comes(Target::read(port, peer, ledger)?));
    }
    runtime.block_on(async {
        let idle = idle().await.context("idle wallets")?;
        eprintln!("  {WALLETS} idle wallets: {} bytes beside {}", idle.1 - idle.0, idle.0);
        let Measured { quiet, beset, deeds, hostile } = beset().await.context("hostile peers")?;
        let figures = json!({
            "wallets": WALLETS, "base_bytes": idle.0, "connected_bytes": idle.1,
            "hostile": hostile, "deeds_per_s": deeds, "changes": quiet.len().min(beset.len()),
            "quiet_median_ms": share(&quiet, 50), "quiet_p99_ms": share(&quiet, 99),
            "beset_median_ms": share(&beset, 50), "beset_p99_ms": share(&beset, 99),
        });
        println!("{figures}");
        Ok(())
    })
}

/// Resident bytes of the relay without and with wallets.
async fn idle() -> Result<(u64, u64)> {
    let folder = Path::new(IN_MEMORY);
    let folder = if folder.is_dir() { folder } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    let relay = Relay::start(&folder.join("suishen-peers-idle")).await?;
    sleep(SETTLES).await;
    let base = relay.resident()?;
    let wallets: Vec<Wallet> = stream::iter(0..WALLETS)
        .map(|_| Wallet::new(relay.target, 0))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    sleep(SETTLES).await;
    let connected = relay.resident()?;
    ensure!(wallets.iter().all(|wallet| wallet.link.is_level()), "a wallet was cut off");
    Ok((base, connected))
}

/// What those who do harm take of an honest one's time.
struct Measured {
    /// How long its changes take without them, and with them.
    quiet: Vec<Duration>,
    beset: Vec<Duration>,
    /// What they did in a second, and how many of them went on to the end.
    deeds: f64,
    hostile: u64,
}

async fn beset() -> Result<Measured> {
    let relay = Relay::start(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers-beset")).await?;
    let mut honest = Wallet::new(relay.target, 0).await?;
    let quiet = changes(&mut honest, 0).await?;
    eprintln!("  quiet: {}", shown(&quiet));
    let mut crowd = Crowd::start(relay.target)?;
    eprintln!("  {HOSTILE} hostile peers came");
    sleep(SETTLES).await;
    let (before, begun) = (crowd.asked()?, Instant::now());
    let beset = changes(&mut honest, CHANGES).await?;
    let (after, took) = (crowd.asked()?, begun.elapsed());
    eprintln!("  beset: {}", shown(&beset));
    let deeds = f64::from(u32::try_from(after.deeds - before.deeds)?) / took.as_secs_f64();
    Ok(Measured { quiet, beset, deeds, hostile: after.there })
}

async fn changes(wallet: &mut Wallet, from: u64) -> Result<Vec<Duration>> {
    let (mut took, first) = (Vec::new(), Instant::now());
    for time in from..from + CHANGES {
        if first.elapsed() > GOES_ON {
            break;
        }
        sleep(PAUSE).await;
        let begun = Instant::now();
        wallet.writes(time).await?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn shown(took: &[Duration]) -> String {
    format!("{} changes, median {:.1} ms, 99 of 100 {:.1} ms", took.len(), share(took, 50), share(took, 99))
}

/// The time that so many of a hundred keep to, in milliseconds.
fn share(sorted: &[Duration], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1e3
}

/// The program, on a data folder of its own.
struct Relay {
    child: Child,
    data: PathBuf,
    target: Target,
}

impl Relay {
    async fn start(data: &Path) -> Result<Self> {
        let data = data.to_path_buf();
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
        command.args(["--log", "error", "serve", "--demo", "--port", "0", "--mailbox-work", "0"]);
        // All come from one address, and there are more of them than a small relay takes.
        command.args([
            "--connections",
            "6000",
            "--connections-per-address",
            "0",
            "--requests-per-address",
            "0",
        ]);
        let child = command.arg("--data").arg(&data).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let url = data.join("url");
        let base = loop {
            match std::fs::read_to_string(&url) {
                Ok(base) if Client::connect(&base).await.is_ok() => break base,
                _ => sleep(Duration::from_millis(50)).await,
            }
        };
        let info = Client::connect(&base).await?.info().await?;
        let port = base.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).context("no port")?;
        let target = Target { port, peer: PeerId::from_bytes(&info.peer)?, ledger: info.ledger };
        Ok(Self { child, data, target })
    }

    /// `VmRSS`, which Linux gives in KiB.
    fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .context("the relay's memory can only be read on Linux")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kib.context("the system does not say how large the relay is")? * 1024)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
