//! How fast a ledger is replayed from entry 0, beside what these cores could verify if they did nothing else:
//! `cargo bench -p suishen-relay --bench audit`, or as a table `cargo xtask bench audit`. Prints one JSON object.
//!
//! In turns, so that whatever else the machine does falls on both; the best of some rounds counts for both.

#[path = "../grants/mod.rs"]
#[expect(dead_code, reason = "what is settled needs more of a grant than its entries")]
mod grants;

use anyhow::{Context as _, bail};
use grants::{Grantee, fresh, redeemed};
use serde_json::json;
use std::{path::Path, thread, time::Instant};
use suishen_core::{
    contract::{Context as At, Entry, Genesis, Kind, Overlay, Role, apply},
    id::PartyId,
    sm::SecretKey,
};
use suishen_relay::{
    command::{
        audit::{
            pass::{Plan, pass},
            source::Source,
        },
        progress::Progress,
    },
    demo,
    desk::ORGANISATIONS,
    founding,
    keys::Keys,
    order::{Solo, system_clock},
    replica::{Accepted, Replica, copy::Writer},
};

/// Where the ledger lies while it is measured.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
const HOSPITAL: &str = "12520100ANLAN00018";
/// Grants, each accepted and read once.
const GRANTS: usize = 2_000;
/// Grants that are appended at once.
const AT_ONCE: usize = 80;
/// Signatures of a grant, its acceptance and its redemption: one; its own, the credential's, the offer's; its own and
/// the credential's.
const SIGNATURES: usize = 6;
/// Rounds, whose best counts.
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    std::fs::create_dir_all(FOLDER)?;
    let dir = tempfile::tempdir_in(FOLDER)?;
    let entries = make(dir.path())?;
    let cores = thread::available_parallelism()?.get();
    let signatures = GRANTS * SIGNATURES;
    let (mut replayed, mut verified) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        verified = verified.max(per_second(signatures, || verify_on_all(signatures / cores, cores))?);
        replayed = replayed.max(per_second(signatures, || replay(dir.path(), entries))?);
    }
    let figures = json!({
        "entries": entries,
        "cores": cores,
        "replayed_signatures_per_s": replayed,
        "verifications_per_s": verified,
    });
    println!("{figures}");
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // thousands
fn per_second(count: usize, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let since = Instant::now();
    work()?;
    Ok(count as f64 / since.elapsed().as_secs_f64())
}

/// What `suishen audit` does without keys.
fn replay(data: &Path, entries: u64) -> anyhow::Result<()> {
    let plan = Plan::default();
    let progress = Progress::new("entries");
    let passed = pass(&mut Source::folder(data), &plan, &progress, &mut |_, _| Ok(()))?;
    match passed {
        Ok(passed) if passed.replay.size() == entries => Ok(()),
        Ok(passed) => bail!("{} of {entries} entries", passed.replay.size()),
        Err(why) => bail!("{why}"),
    }
}

/// Every core verifies and does nothing else.
fn verify_on_all(each: usize, cores: usize) -> anyhow::Result<()> {
    let (key, message) = (fresh(), [7; 300]);
    let (public, signature) = (key.public(), key.sign(&message));
    let all_hold = thread::scope(|scope| {
        let verify = || (0..each).all(|_| public.verify(&message, &signature).is_ok());
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(verify)).collect();
        threads.into_iter().all(|thread| thread.join().is_ok_and(|held| held))
    });
    all_hold.then_some(()).context("a signature does not hold")
}

/// A demo's ledger with so many grants, and its published copy; how many entries it has.
fn make(data: &Path) -> anyhow::Result<u64> {
    let (keys, clock) = (Keys::new(data.join("keys")), system_clock());
    let consortium = demo::consortium("http://localhost");
    let genesis = founding::genesis(&keys, &consortium, 1_000_000, clock())?;
    let cosigner = keys.folder("member").read("cosigner")?;
    let replica = Replica::create(data, &genesis, cosigner, clock())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let order = Solo::start(replica.clone(), clock)?;
        founding::register(&keys, &consortium, &replica, &order).await
    })?;
    let acceptance = keys.folder(ORGANISATIONS).folder(HOSPITAL).read("acceptance")?;
    for _ in 0..GRANTS / AT_ONCE {
        append(&replica, &genesis, &acceptance)?;
    }
    let published = replica.published();
    Writer::start(replica.folder().context("a ledger on disk has a folder")?, &published)?;
    Ok(published.size())
}

fn append(replica: &Replica, genesis: &Genesis, acceptance: &SecretKey) -> anyhow::Result<()> {
    let published = replica.published();
    let (ledger, now) = (genesis.ledger_id(), published.snapshot().last_time());
    let sponsor = genesis.members.first().context("a member")?.party.clone();
    let party = PartyId::new(HOSPITAL).context("the hospital's code is not one")?;
    let by = Grantee {
        party: &party,
        acceptance,
        role: Role::Physician,
        kind: Kind::Read,
        duration: 3600,
        certified: 3600,
    };
    let accepted = published.snapshot().with_state(|state| {
        let (mut overlay, mut accepted) = (Overlay::new(state), Vec::new());
        let mut number = published.size();
        for _ in 0..AT_ONCE {
            for signed in redeemed(&by, &ledger, now).entries {
                let at = At { number, now, sponsor: sponsor.clone() };
                let changes = apply(&overlay, &at, &signed, &ledger)?;
                overlay.add(changes.clone());
                accepted.push(Accepted { entry: Entry { now, sponsor: sponsor.clone(), signed }, changes });
                number += 1;
            }
        }
        anyhow::Ok(accepted)
    })?;
    replica.append(&accepted?)?;
    Ok(())
}
