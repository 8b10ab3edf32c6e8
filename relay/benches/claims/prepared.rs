//! A demo's ledger with claims that can be settled: each a grant of its own, accepted and redeemed by a desk with keys of
//! its own, and a slot of an invoice that nobody has settled.

use crate::grants::{Grantee, Redeemed, fresh, redeemed};
use anyhow::{Context as _, Result};
use std::{path::Path, thread};
use suishen_core::{
    consent::SETTLEMENT_BOX,
    contract::{
        Checked, Context as At, Credential, Entry, Genesis, Kind, Overlay, SettleClaim, SignedTransaction,
        Slot, TagProof, Transaction, Voucher, apply_unverified,
    },
    id::{GrantId, LedgerId, PartyId, TagId},
    sm::{SecretKey, Signed},
};
use suishen_relay::{
    demo,
    desk::ORGANISATIONS,
    founding,
    keys::Keys,
    node::KEYS,
    order::{Solo, system_clock},
    replica::{Accepted, Replica},
};

pub const HOSPITAL: &str = "12520100ANLAN00018";
pub const INSURER: &str = "91520100ANLAN00051";
/// Claims that are appended at once.
const AT_ONCE: usize = 100;
/// Entries that its relay may bring in an hour.
const QUOTA: u64 = 1_000_000;
const DAY: u64 = 86_400;

/// A claim that can be settled.
#[derive(Clone, Debug)]
pub struct Claim {
    grant: GrantId,
    desk: SecretKey,
    tag: SecretKey,
    credential: Signed<Credential>,
    voucher: Voucher,
    vouched: Signed<Voucher>,
}

/// Who signs.
struct Signers {
    ledger: LedgerId,
    acceptance: SecretKey,
    voucher: SecretKey,
    now: u64,
}

/// Founds a ledger in this folder with so many claims that can be settled.
pub async fn found(data: &Path, count: usize) -> Result<(LedgerId, Vec<Claim>)> {
    let (keys, clock) = (Keys::new(data.join(KEYS)), system_clock());
    let consortium = demo::consortium("http://localhost");
    let genesis = founding::genesis(&keys, &consortium, QUOTA, clock())?;
    let cosigner = keys.folder("member").read("cosigner")?;
    let replica = Replica::create(data, &genesis, cosigner, clock())?;
    let order = Solo::start(replica.clone(), clock)?;
    founding::register(&keys, &consortium, &replica, &order).await?;
    drop(order);
    let organisation = |code| keys.folder(ORGANISATIONS).folder(code);
    let signers = Signers {
        ledger: genesis.ledger_id(),
        acceptance: organisation(INSURER).read("acceptance")?,
        voucher: organisation(HOSPITAL).read("voucher")?,
        now: replica.published().snapshot().last_time(),
    };
    let cores = thread::available_parallelism()?.get();
    let mut claims = Vec::with_capacity(count);
    while claims.len() < count {
        let made = on_all(cores, AT_ONCE.div_ceil(cores), || claim(&signers))?;
        let (made, entries): (Vec<Claim>, Vec<_>) = made.into_iter().unzip();
        append(&replica, &genesis, &signers, entries.into_iter().flatten())?;
        claims.extend(made);
    }
    Ok((signers.ledger, claims))
}

/// Makes so many on each core.
fn on_all<T: Send>(cores: usize, each: usize, make: impl Fn() -> Result<T> + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let work = || (0..each).map(|_| make()).collect::<Result<Vec<T>>>();
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().ok().context("a thread ended")??);
        }
        Ok(all)
    })
}

/// Signed by the desk's key just now, as an insurer decides just now; on all cores.
pub fn settlements(ledger: &LedgerId, claims: &[Claim], now: u64) -> Result<Vec<SignedTransaction>> {
    let cores = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let each = claims.len().div_ceil(cores).max(1);
        let sign =
            |part: &[Claim]| -> Vec<_> { part.iter().map(|claim| claim.settlement(ledger, now)).collect() };
        let threads: Vec<_> = claims.chunks(each).map(|part| scope.spawn(move || sign(part))).collect();
        let mut signed = Vec::with_capacity(claims.len());
        for thread in threads {
            signed.extend(thread.join().ok().context("a thread ended")?);
        }
        Ok(signed)
    })
}

impl Claim {
    /// The slot.
    pub fn slot(&self) -> TagId {
        TagId::of(&self.voucher)
    }

    fn settlement(&self, ledger: &LedgerId, now: u64) -> SignedTransaction {
        let body = SettleClaim {
            grant: self.grant,
            credential: self.credential.clone(),
            voucher: self.vouched.clone(),
            proof: Signed::new(&TagProof { grant: self.grant }, &self.tag, ledger),
            // Sealed to the auditor, so that the ledger sees as many bytes and nothing else.
            auditor_box: vec![0; SETTLEMENT_BOX],
            include_before: now + 600,
        };
        SignedTransaction::new(&Transaction::SettleClaim(body), &self.desk, ledger)
    }
}

/// A claim and the three entries before its settlement: issued, accepted, redeemed.
fn claim(signers: &Signers) -> Result<(Claim, [SignedTransaction; 3])> {
    let Signers { ledger, acceptance, voucher, now } = signers;
    let party = |code| PartyId::new(code).context("an organisation's code");
    let by = Grantee {
        party: &party(INSURER)?,
        acceptance,
        role: Slot::Commercial.role(),
        kind: Kind::Claim,
        duration: 30 * DAY,
        certified: DAY / 2,
    };
    let Redeemed { grant, desk, credential, entries } = redeemed(&by, ledger, *now);
    let tag = fresh();
    let slot = Voucher { issuer: party(HOSPITAL)?, tag: tag.public(), slot: Slot::Commercial };
    let vouched = Signed::new(&slot, voucher, ledger);
    Ok((Claim { grant, desk, tag, credential, voucher: slot, vouched }, entries))
}

/// Written without being verified: what is measured verifies all that it is sent.
fn append(
    replica: &Replica,
    genesis: &Genesis,
    signers: &Signers,
    entries: impl Iterator<Item = SignedTransaction>,
) -> Result<()> {
    let published = replica.published();
    let sponsor = genesis.members.first().context("a member")?.party.clone();
    let now = signers.now;
    let accepted = published.snapshot().with_state(|state| {
        let (mut overlay, mut accepted) = (Overlay::new(state), Vec::new());
        for (number, signed) in (published.size()..).zip(entries) {
            let at = At { number, now, sponsor: sponsor.clone() };
            let checked = Checked::read(signed.clone(), &signers.ledger)?;
            let (changes, _) = apply_unverified(&overlay, &at, &checked)?;
            overlay.add(changes.clone());
            accepted.push(Accepted { entry: Entry { now, sponsor: sponsor.clone(), signed }, changes });
        }
        anyhow::Ok(accepted)
    })?;
    replica.append(&accepted?)?;
    Ok(())
}
