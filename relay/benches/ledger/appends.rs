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
    time::Instant,
};
use suishen_core::{
    contract::{Genesis, IssueGrant, Kind, Role, SignedTransaction, Transaction},
    sm::{Digest, PublicKey, SecretKey},
};
use suishen_relay::{
    config::serve_defaults,
    demo,
    keys::Keys,
    order::{Order as _, Solo, system_clock},
    random::SystemRandom,
    replica::Replica,
};

/// Rounds, whose best counts.
const ROUNDS: usize = 5;
/// Grants a round: a second's work and more.
const GRANTS: usize = 4_000;
/// Who submit at once.
const SUBMITTERS: usize = 512;

/// Rates a second.
pub struct Rates {
    /// Grants that stood durably.
    pub stood: f64,
    /// SM2 verifications on all cores.
    pub verified: f64,
    /// How many cores.
    pub cores: usize,
}

/// Measures on a fresh ledger in a folder of its own.
pub async fn measure(folder: &Path) -> anyhow::Result<Rates> {
    let dir = tempfile::tempdir_in(folder)?;
    let keys = Keys::new(dir.path().join("keys"));
    let clock = system_clock();
    let genesis = demo::genesis(&keys, "http://localhost", &serve_defaults().limits, clock())?;
    let cosigner = keys.folder("member").read("cosigner")?;
    let replica = Replica::create(dir.path(), &genesis, cosigner, clock())?;
    let order = Arc::new(Solo::start(replica, clock)?);
    let cores = thread::available_parallelism()?.get();
    let (mut stood, mut verified) = (0_f64, 0_f64);
    for _ in 0..ROUNDS {
        let grants = grants(&genesis, cores)?;
        verified = verified.max(verifications_per_second(cores)?);
        stood = stood.max(appends_per_second(&order, grants).await?);
    }
    Ok(Rates { stood, verified, cores })
}

async fn appends_per_second(order: &Arc<Solo>, grants: Vec<SignedTransaction>) -> anyhow::Result<f64> {
    let (grants, next) = (Arc::new(grants), Arc::new(AtomicUsize::new(0)));
    let start = Instant::now();
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
    Ok(per_second(grants.len(), start))
}

/// Every core verifies and does nothing else.
fn verifications_per_second(cores: usize) -> anyhow::Result<f64> {
    let (key, message) = (fresh(), [7; 300]);
    let (public, signature) = (key.public(), key.sign(&message));
    let start = Instant::now();
    let all_hold = thread::scope(|scope| {
        let verify = || (0..GRANTS / cores).all(|_| public.verify(&message, &signature).is_ok());
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(verify)).collect();
        threads.into_iter().all(|thread| thread.join().is_ok_and(|held| held))
    });
    all_hold.then(|| per_second(GRANTS / cores * cores, start)).context("a signature does not hold")
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
        auditor_box: vec![1; 64],
        reply: offer,
        include_before: u64::MAX,
    };
    SignedTransaction::new(&Transaction::IssueGrant(issue), &key, ledger)
}

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

#[allow(clippy::cast_precision_loss)] // thousands
fn per_second(count: usize, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}
