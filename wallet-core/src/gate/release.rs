//! Releases: from a redemption that stands to the half of a record's key (PROTOCOL §7).
//!
//! **[`may_release`] alone makes a [`ReleaseOrder`], from committed state alone, and without an order nothing
//! is released.** The same redemption gets the same answer, byte for byte, however often it asks.

use super::deposit::{commitment_of, share_commitment, share_commitments_digest};
use super::{Deposit, GateRefusal, Moment, RELEASE, Slot, Subject};
use crate::cbor;
use crate::contract::{State, Status, Views as _};
use crate::id::{BlobAddress, LedgerId};
use crate::sm::shamir::{self, ShamirError, Share};
use crate::sm::{Digest, Key32, Object, PublicKey, SecretKey, Signed, SmError, sealed};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// How long after a redemption its shares are released, in seconds.
pub const RELEASE_WITHIN: u64 = 600;

/// How far the last committed tick may lie behind the gate's clock, in seconds.
const TICK_WITHIN: u64 = 30;

/// What a gate releases: sealed to the reader.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Release {
    /// Grant id, or the ticket's report commitment.
    #[n(0)]
    pub object: Digest,
    /// Which use; 0 for a ticket.
    #[n(1)]
    pub use_number: u32,
    /// The records asked for.
    #[n(2)]
    pub records: Vec<ReleasedRecord>,
    /// Of all records, then gates; the ledger has their digest.
    #[n(3)]
    pub commitments: Vec<Digest>,
}

/// One record of a [`Release`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReleasedRecord {
    /// Its number.
    #[n(0)]
    pub record: u32,
    /// The gate's share.
    #[n(1)]
    pub share: Share,
    /// Salt of its commitment.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Which blobs relays serve for it.
    #[n(3)]
    pub blobs: Vec<BlobAddress>,
}

/// A sealed [`Release`], signed by the gate key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Released {
    /// Grant id, or the ticket's report commitment.
    #[n(0)]
    pub object: Digest,
    /// Which use; 0 for a ticket.
    #[n(1)]
    pub use_number: u32,
    /// Sealed to the redemption's epk, or to the ticket's seal key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Object for Released {
    const NAME: &'static str = "released";
}

/// A gate's decision to release. There is no way to it but [`may_release`].
#[derive(Debug, PartialEq, Eq)]
pub struct ReleaseOrder {
    subject: Subject,
    use_number: u32,
    records: Vec<u64>,
    recipient: PublicKey,
}

/// Decides whether the shares for a redemption (`use_number` from 1), or for a ticket (0), may go, and to whom.
/// Relays serve the blobs under the same decision.
pub fn may_release(
    state: &dyn State,
    subject: &Subject,
    use_number: u32,
    moment: &Moment,
) -> Result<ReleaseOrder, GateRefusal> {
    if moment.tick.is_some_and(|tick| moment.own.saturating_sub(tick) >= TICK_WITHIN) {
        return Err(GateRefusal::Behind);
    }
    let (records, recipient) = match subject {
        Subject::Grant(id) => redemption(state, id, use_number, moment)?,
        Subject::Ticket(id) if use_number == 0 => (vec![0], binding(state, id, moment)?),
        Subject::Ticket(_) => return Err(GateRefusal::NotRedeemed),
    };
    Ok(ReleaseOrder { subject: *subject, use_number, records, recipient })
}

fn redemption(
    state: &dyn State,
    id: &crate::id::GrantId,
    use_number: u32,
    moment: &Moment,
) -> Result<(Vec<u64>, PublicKey), GateRefusal> {
    let leaf = state.grant(id)?.ok_or(GateRefusal::Unknown)?;
    let terms = state.terms(id)?.ok_or(GateRefusal::Unknown)?;
    if leaf.status == Status::Revoked {
        return Err(GateRefusal::Revoked);
    }
    let redemption = state.redemption(id, use_number)?.ok_or(GateRefusal::NotRedeemed)?;
    let accepted = terms.accepted.as_ref().ok_or(GateRefusal::NotRedeemed)?;
    if moment.latest() >= terms.end() {
        return Err(GateRefusal::Ended);
    }
    if moment.latest().saturating_sub(redemption.at) >= RELEASE_WITHIN {
        return Err(GateRefusal::TooLate);
    }
    let party = state.party(&accepted.party)?.ok_or(GateRefusal::Damaged)?;
    if party.is_suspended(moment.latest()) {
        return Err(GateRefusal::Suspended);
    }
    Ok((redemption.records, redemption.epk))
}

fn binding(state: &dyn State, id: &crate::id::Commitment, moment: &Moment) -> Result<PublicKey, GateRefusal> {
    let anchor = state.anchor(id)?.ok_or(GateRefusal::Unknown)?;
    if anchor.cancellation.is_some() {
        return Err(GateRefusal::Cancelled);
    }
    let binding = anchor.binding.ok_or(GateRefusal::NotBound)?;
    if moment.latest() >= binding.at.saturating_add(super::BOUND_TICKET_TERM) {
        return Err(GateRefusal::Ended);
    }
    Ok(binding.seal)
}

impl ReleaseOrder {
    /// Whose shares.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Which records, ascending.
    pub fn records(&self) -> &[u64] {
        &self.records
    }

    /// Picks the shares, seals them to the reader, signs. `slot` is the deposit's live slot in the tear file.
    pub fn release(
        &self,
        deposit: &Deposit,
        slot: &Slot,
        gate: &SecretKey,
        ledger: &LedgerId,
    ) -> Result<Signed<Released>, GateRefusal> {
        let object = *self.subject.object();
        if deposit.object != object {
            return Err(GateRefusal::NoShare);
        }
        let pick = |number: &u64| {
            let held = deposit.records.iter().find(|held| u64::from(held.record) == *number);
            held.map(|held| ReleasedRecord {
                record: held.record,
                share: held.share.clone(),
                salt: held.salt,
                blobs: held.blobs.clone(),
            })
        };
        let records = self.records.iter().map(pick).collect::<Option<_>>().ok_or(GateRefusal::NoShare)?;
        let commitments = deposit.commitments.clone();
        let release = Release { object, use_number: self.use_number, records, commitments };
        let text = Zeroizing::new(cbor::encode(&release));
        let seed = slot.release_seed(&object, self.use_number);
        let sealed = sealed::seal_recomputable(&seed, &self.recipient, ledger, &object, RELEASE, &text);
        Ok(Signed::new(&Released { object, use_number: self.use_number, sealed }, gate, ledger))
    }
}

/// Checks a gate's signature and opens what it released for this object and use.
pub fn open_release(
    released: &Signed<Released>,
    gate: &PublicKey,
    secret: &SecretKey,
    object: &Digest,
    use_number: u32,
    ledger: &LedgerId,
) -> Result<Release, SmError> {
    let released = released.verify(gate, ledger)?;
    if (released.object, released.use_number) != (*object, use_number) {
        return Err(SmError::Form);
    }
    let text = sealed::open(secret, ledger, object, RELEASE, &released.sealed)?;
    let release: Release = cbor::decode(&text).map_err(|_| SmError::Form)?;
    if (release.object, release.use_number) == (*object, use_number) {
        Ok(release)
    } else {
        Err(SmError::Form)
    }
}

/// Why a half can't be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatheringError {
    /// What this gate released isn't what was deposited with it.
    #[error("gate {gate} released a share that is not the one deposited with it")]
    WrongShare {
        /// Its position among the members, from 1.
        gate: u8,
    },
    /// Not t gates yet that released this record.
    #[error("{have} of {need} gates have released record {record}")]
    TooFew {
        /// Which record.
        record: u32,
        /// How many did.
        have: usize,
        /// How many must.
        need: u8,
    },
    /// Committed shares that don't belong together: whoever split them made them so.
    #[error("the shares were split wrongly: {0}")]
    Split(#[from] ShamirError),
}

/// Releases as they come in from the gates, each checked against the commitments whose digest is on the ledger.
#[derive(Clone, Debug)]
pub struct Gathering {
    object: Digest,
    digest: Digest,
    threshold: u8,
    gates: u8,
    shares: BTreeMap<u32, BTreeMap<u8, Share>>,
}

impl Gathering {
    /// For one object; `digest` is the share commitments' from `IssueGrant` or `AnchorReport`.
    pub const fn new(object: Digest, digest: Digest, threshold: u8, gates: u8) -> Self {
        Self { object, digest, threshold, gates, shares: BTreeMap::new() }
    }

    /// Takes what a gate (position from 1) released, all of it or, if one share is wrong, nothing.
    pub fn add(&mut self, gate: u8, release: &Release) -> Result<(), GatheringError> {
        let list = &release.commitments;
        let right = share_commitments_digest(list) == self.digest
            && release.object == self.object
            && release.records.iter().all(|held| {
                let own = share_commitment(&self.object, held.record, gate, &held.salt, &held.share);
                commitment_of(list, self.gates.into(), held.record, gate) == Some(&own)
            });
        if !right {
            return Err(GatheringError::WrongShare { gate });
        }
        for held in &release.records {
            self.shares.entry(held.record).or_default().insert(gate, held.share.clone());
        }
        Ok(())
    }

    /// The gates' half of a record's key, once t gates have released it.
    pub fn half(&self, record: u32) -> Result<Key32, GatheringError> {
        let shares: Vec<Share> =
            self.shares.get(&record).map(|shares| shares.values().cloned().collect()).unwrap_or_default();
        if shares.len() < usize::from(self.threshold) {
            return Err(GatheringError::TooFew { record, have: shares.len(), need: self.threshold });
        }
        Ok(shamir::combine(self.threshold, &shares)?)
    }
}
