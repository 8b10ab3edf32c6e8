//! Settlements as a desk sends them: to a relay over HTTP, until the answer says that the entry stands durably. Afterwards
//! every slot is looked up on the ledger.

use crate::{
    busy::Stretch,
    due::{Rate, Round, milliseconds, send},
    prepared::{self, Claim},
    program::Program,
};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use suishen_core::{
    cbor,
    contract::{Claim as Slot, Key},
    id::LedgerId,
};
use suishen_relay::{
    client::Client,
    http::ledger::{ValuesAnswer, ValuesAsked},
};

/// What must hold, and for how long it is sent.
pub const WANTED: u32 = 200;
const FOR: u32 = 10;
/// What may take so long, but for one of a hundred.
pub const WITHIN: Duration = Duration::from_millis(250);
/// Rates that are tried after it, a quarter more each time, and for how long each.
const TRIED: [u32; 9] = [250, 310, 390, 490, 610, 760, 950, 1_190, 1_490];
const TRIED_FOR: u32 = 3;
/// Settlements before all others, which are not measured.
const WARM_UP: u32 = 100;
/// Slots that are looked up at once.
const LOOKED_UP: usize = 64;
/// How often the disk alone is measured.
const FSYNCS: u32 = 50;

/// Serves a demo in a folder of its own and settles.
pub async fn measure(folder: &Path) -> Result<Value> {
    let dir = tempfile::tempdir_in(folder)?;
    let count = WARM_UP + WANTED * FOR + TRIED.iter().map(|rate| rate * TRIED_FOR).sum::<u32>();
    let (ledger, claims) = prepared::found(dir.path(), usize::try_from(count)?).await?;
    eprintln!("  {} claims can be settled", claims.len());
    let relay = Program::relay(dir.path()).await?;
    let client = Arc::new(Client::connect(&relay.base).await?);
    let mut rest = claims.as_slice();
    let mut next = |rate: Rate, seconds: u32| {
        let count = usize::try_from(rate.per_second * seconds).unwrap_or_default();
        let (now, later) = rest.split_at_checked(count).context("no claims are left")?;
        rest = later;
        anyhow::Ok(now)
    };
    let alone = |per_second| Rate { per_second, together: 1 };
    settle(&client, &ledger, next(alone(WARM_UP), 1)?, alone(WARM_UP)).await?;
    let stretch = Stretch::begin(&[relay.id()]);
    let wanted = settle(&client, &ledger, next(alone(WANTED), FOR)?, alone(WANTED)).await?;
    let computed = stretch.end();
    let mut highest = wanted.clone();
    for rate in TRIED.map(alone) {
        let round = settle(&client, &ledger, next(rate, TRIED_FOR)?, rate).await?;
        if !round.holds(WITHIN) {
            break;
        }
        highest = round;
    }
    let fsync = fsync(&dir.path().join("page"))?;
    Ok(json!({
        "rate": WANTED, "seconds": FOR,
        "median_ms": milliseconds(wanted.percentile(50)), "p99_ms": milliseconds(wanted.percentile(99)),
        "highest_rate": if highest.holds(WITHIN) { highest.rate.per_second } else { 0 },
        "highest_p99_ms": milliseconds(highest.percentile(99)),
        "fsync_median_ms": milliseconds(fsync),
        "cores_ours": computed.map(|it| it.ours), "cores_others": computed.map(|it| it.others),
    }))
}

/// Signs settlements, sends each when it is due, and looks up afterwards that each slot holds the entry that was told.
async fn settle(client: &Arc<Client>, ledger: &LedgerId, claims: &[Claim], rate: Rate) -> Result<Round> {
    let signed = prepared::settlements(ledger, claims, client.info().await?.now)?;
    let (told, entries) = tokio::sync::mpsc::unbounded_channel();
    let work = signed.into_iter().zip(claims.iter().map(Claim::slot)).collect();
    let round = send(rate, work, |(settlement, slot)| {
        let (client, told) = (client.clone(), told.clone());
        async move {
            let standing = client.submit(&settlement).await?;
            told.send((slot, standing.number)).ok().context("nobody listens")
        }
    });
    let round = round.await?;
    drop(told);
    let stood = look_up(client, entries).await?;
    ensure!(stood == claims.len(), "{stood} of {} settlements stand", claims.len());
    round.tell("settlements");
    Ok(round)
}

/// How many slots hold the entry that was told.
async fn look_up(
    client: &Client,
    mut told: tokio::sync::mpsc::UnboundedReceiver<(suishen_core::id::TagId, u64)>,
) -> Result<usize> {
    let mut stood = 0;
    let mut some = Vec::new();
    while told.recv_many(&mut some, LOOKED_UP).await > 0 {
        let asked = ValuesAsked::of(some.iter().map(|(slot, _)| Key::Claim(*slot).to_bytes()));
        let answer: ValuesAnswer = cbor::decode(&client.post("/v1/ledger/values", &asked).await?)?;
        for (shown, (_, number)) in answer.values.iter().zip(some.drain(..)) {
            let value = shown.value.as_ref().context("a slot holds nothing")?;
            let slot: Slot = cbor::decode(value)?;
            stood += usize::from(slot.settlement.is_some_and(|settled| settled.entry == number));
        }
    }
    Ok(stood)
}

/// The median of what it takes until one page is on this disk.
fn fsync(page: &Path) -> Result<Duration> {
    let mut file = File::create(page)?;
    let mut took = Vec::new();
    for _ in 0..FSYNCS {
        let start = Instant::now();
        file.rewind()?;
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(took.get(took.len() / 2).copied().unwrap_or_default())
}
