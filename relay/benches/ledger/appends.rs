//! Grants that stand in a second, with many who submit at once, beside what these cores could verify if they did
//! nothing else. In turns, so that whatever else the machine does falls on both.

use anyhow::Context as _;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use suishen_core::{
    consent::GRANT_BOX,
    contract::{Genesis, IssueGrant, Kind, Role, SignedTransaction, Transaction},
    sm::{Digest, PublicKey, SecretKey},
};
use suishen_relay::{
    config::Limits,
    demo, founding,
    keys::Keys,
    order::{Order as _, Solo, system_clock},
    random::SystemRandom,
    replica::Replica,
};

/// Rounds, whose best counts.
const ROUNDS: usize = 5;
/// Grants a round: two seconds of work or more.
const GRANTS: usize = 8_000;
/// Who submit at once: fewer would all wait for the same commit, with nobody left to verify for.
const SUBMITTERS: usize = 2_048;

/// Rates a second.
pub struct Rates {
    /// Grants that stood durably.
    pub stood: f64,
    /// SM2 verifications on all cores.
    pub verified: f64,
    /// How many cores.
    pub cores: usize,
    /// Processor time of one grant from submission to answer, which another program's load lengthens least; none where
    /// the system doesn't say.
    pub grant_cpu: Option<Duration>,
    /// Processor time of one verification.
    pub verification_cpu: Option<Duration>,
}

/// Measures on a fresh ledger in a folder of its own.
pub async fn measure(folder: &Path) -> anyhow::Result<Rates> {
    let dir = tempfile::tempdir_in(folder)?;
    let keys = Keys::new(dir.path().join("keys"));
    let clock = system_clock();
    let genesis = founding::genesis(&keys, &demo::consortium("http://localhost"), Limits::QUOTA, clock())?;
    let cosigner = keys.folder("member").read("cosigner")?;
    let replica = Replica::create(dir.path(), &genesis, cosigner, clock())?;
    let order = Arc::new(Solo::start(replica, clock)?);
    let cores = thread::available_parallelism()?.get();
    let (mut stood, mut verified) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let grants = grants(&genesis, cores)?;
        let round = Round::start(GRANTS / cores * cores);
        verify_on_all(cores)?;
        verified.push(round.end());
        let round = Round::start(grants.len());
        append_all(&order, grants).await?;
        stood.push(round.end());
    }
    Ok(Rates {
        stood: best_rate(&stood),
        verified: best_rate(&verified),
        cores,
        grant_cpu: least_cpu(&stood),
        verification_cpu: least_cpu(&verified),
    })
}

fn best_rate(rounds: &[Ended]) -> f64 {
    rounds.iter().map(|round| round.per_second).fold(0.0, f64::max)
}

fn least_cpu(rounds: &[Ended]) -> Option<Duration> {
    rounds.iter().filter_map(|round| round.cpu).min()
}

/// A number of things under way.
struct Round {
    count: usize,
    since: Instant,
    cpu: Option<Duration>,
}

/// What they took.
struct Ended {
    per_second: f64,
    /// Of one.
    cpu: Option<Duration>,
}

impl Round {
    fn start(count: usize) -> Self {
        Self { count, cpu: processor_time(), since: Instant::now() }
    }

    #[allow(clippy::cast_precision_loss)] // thousands
    fn end(self) -> Ended {
        let per_second = self.count as f64 / self.since.elapsed().as_secs_f64();
        let spent = processor_time().zip(self.cpu).and_then(|(now, before)| now.checked_sub(before));
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        Ended { per_second, cpu: spent.map(|spent| spent / count) }
    }
}

/// What all threads of this process have computed so far, in Linux' ticks of 10 ms.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name, which ends with the last parenthesis: state is field 3, user and system time are 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 =
        [11, 12].map(|field| fields.get(field)?.parse::<u64>().ok()).into_iter().sum::<Option<_>>()?;
    Some(Duration::from_millis(ticks * 10))
}

async fn append_all(order: &Arc<Solo>, grants: Vec<SignedTransaction>) -> anyhow::Result<()> {
    let (grants, next) = (Arc::new(grants), Arc::new(AtomicUsize::new(0)));
    let submitters: Vec<_> = (0..SUBMITTERS)
        .map(|_| {
            let (order, grants, next) = (order.clone(), grants.clone(), next.clone());
            tokio::spawn(async move {
                while let Some(grant) = grants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    order.submit(grant.clone()).await?;
                }
                Ok::<_, anyhow::Error>(())
            })
        })
        .collect();
    for submitter in submitters {
        submitter.await??;
    }
    Ok(())
}

/// Every core verifies and does nothing else.
fn verify_on_all(cores: usize) -> anyhow::Result<()> {
    let (key, message) = (fresh(), [7; 300]);
    let (public, signature) = (key.public(), key.sign(&message));
    let all_hold = thread::scope(|scope| {
        let verify = || (0..GRANTS / cores).all(|_| public.verify(&message, &signature).is_ok());
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(verify)).collect();
        threads.into_iter().all(|thread| thread.join().is_ok_and(|held| held))
    });
    all_hold.then_some(()).context("a signature does not hold")
}

/// Fresh grants, each under a key of its own.
fn grants(genesis: &Genesis, cores: usize) -> anyhow::Result<Vec<SignedTransaction>> {
    let (ledger, offer) = (genesis.ledger_id(), fresh().public());
    let make = || (0..GRANTS / cores).map(|_| grant(&ledger, offer)).collect::<Vec<_>>();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(make)).collect();
        let mut grants = Vec::with_capacity(GRANTS);
        for thread in threads {
            grants.append(&mut thread.join().ok().context("no grants")?);
        }
        Ok(grants)
    })
}

fn grant(ledger: &suishen_core::id::LedgerId, offer: PublicKey) -> SignedTransaction {
    let key = fresh();
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer,
        role: Role::Physician,
        duration: 3600,
        accept_within: 300,
        uses: 3,
        interval: 0,
        records: 1,
        shares: Digest::of(b"shares"),
        auditor_box: vec![1; GRANT_BOX],
        reply: offer,
        include_before: system_clock()() + 600,
    };
    SignedTransaction::new(&Transaction::IssueGrant(issue), &key, ledger)
}

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}
