//! Deposits: shares on their way to a gate (PROTOCOL §7, formats.cddl "gate").
//!
//! **No share is ever in a transaction, log, mailbox or backup.** A deposit is signed by the key that the
//! ledger knows for its object and sealed to one gate's key of the day. Every gate gets the list of all salted
//! share commitments, whose digest is on the ledger: a wrong share names its gate.

use super::{DEPOSIT, GateRefusal, Moment, Subject, tear_due};
use crate::cbor;
use crate::contract::{Destination, State, Views as _};
use crate::id::{BlobAddress, LedgerId};
use crate::sm::shamir::{self, ShamirError, Share};
use crate::sm::{Digest, DigestBuilder, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, sealed};
use minicbor::{Decode, Encode};

/// One gate's shares of one object.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Deposit {
    /// Grant id, or the ticket's report commitment.
    #[n(0)]
    pub object: Digest,
    /// The gate's position among the members, from 1.
    #[n(1)]
    pub gate: u8,
    /// One a record, ascending.
    #[n(2)]
    pub records: Vec<RecordDeposit>,
    /// Of all records, then gates.
    #[n(3)]
    pub commitments: Vec<Digest>,
}

impl Object for Deposit {
    const NAME: &'static str = "deposit";
}

/// One record's share.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RecordDeposit {
    /// The record's number in the grant; 0 for a ticket.
    #[n(0)]
    pub record: u32,
    /// Which blobs a reader may fetch with it.
    #[n(1)]
    pub blobs: Vec<BlobAddress>,
    /// The share.
    #[n(2)]
    pub share: Share,
    /// Salt of its commitment.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub salt: [u8; 16],
}

/// One record before the split.
#[derive(Clone, Debug)]
pub struct RecordHalf {
    /// The gates' random half of the record's key.
    pub half: Key32,
    /// The record's blobs.
    pub blobs: Vec<BlobAddress>,
}

/// What [`split`] makes.
#[derive(Clone, Debug)]
pub struct Split {
    /// For `IssueGrant` or `AnchorReport`.
    pub digest: Digest,
    /// One a gate, in the order of the members.
    pub deposits: Vec<Deposit>,
}

/// Splits the halves of all records, numbered from 0, over `gates` gates, any `threshold` of which suffice.
pub fn split(
    object: &Digest,
    records: &[RecordHalf],
    threshold: u8,
    gates: u8,
    random: &mut dyn Random,
) -> Result<Split, ShamirError> {
    let mut deposits: Vec<Deposit> = (1..=gates)
        .map(|gate| Deposit { object: *object, gate, records: Vec::new(), commitments: Vec::new() })
        .collect();
    let mut commitments = Vec::with_capacity(records.len() * usize::from(gates));
    for (record, half) in (0u32..).zip(records) {
        let shares = shamir::split(&half.half, threshold, gates, random)?;
        for (deposit, share) in deposits.iter_mut().zip(shares) {
            let mut salt = [0; 16];
            random.fill(&mut salt);
            commitments.push(share_commitment(object, record, deposit.gate, &salt, &share));
            deposit.records.push(RecordDeposit { record, blobs: half.blobs.clone(), share, salt });
        }
    }
    for deposit in &mut deposits {
        deposit.commitments.clone_from(&commitments);
    }
    Ok(Split { digest: share_commitments_digest(&commitments), deposits })
}

/// SM3(label ‖ object ‖ record ‖ gate ‖ salt ‖ index ‖ value).
pub fn share_commitment(object: &Digest, record: u32, gate: u8, salt: &[u8; 16], share: &Share) -> Digest {
    let parts: [&[u8]; 6] =
        [object.as_bytes(), &record.to_be_bytes(), &[gate], salt, &[share.index], share.value.as_bytes()];
    Digest::labelled(Label::new("share-commitment"), &parts)
}

/// SM3(label ‖ all commitments).
pub fn share_commitments_digest(commitments: &[Digest]) -> Digest {
    let mut builder = DigestBuilder::new();
    builder.update(&Label::new("share-commitments").to_bytes());
    for commitment in commitments {
        builder.update(commitment.as_bytes());
    }
    builder.finish()
}

impl Deposit {
    /// Signs with the grant key, or the key that signed `AnchorReport`, and seals to the gate's key of the day.
    pub fn seal(
        &self,
        key: &SecretKey,
        day: &PublicKey,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Vec<u8> {
        let signed = zeroize::Zeroizing::new(Signed::new(self, key, ledger).to_bytes());
        sealed::seal(day, ledger, &self.object, DEPOSIT, &signed, random)
    }

    /// The bytes that a gate stores, encrypted, in its database.
    pub(super) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        zeroize::Zeroizing::new(cbor::encode(self))
    }
}

/// Opens a deposit for `object` with the secret key of the day that it was sealed to. Nothing is believed yet.
pub fn open_deposit(
    box_bytes: &[u8],
    object: &Digest,
    day: &SecretKey,
    ledger: &LedgerId,
) -> Result<Signed<Deposit>, GateRefusal> {
    let bytes = sealed::open(day, ledger, object, DEPOSIT, box_bytes).map_err(|_| GateRefusal::Form)?;
    Signed::from_bytes(&bytes).map_err(|_| GateRefusal::Form)
}

/// Checks a deposit against what the ledger says of its object. `gate` is this gate's position, from 1. What
/// is due to be torn isn't taken; whether it was torn before, the tear file says.
pub fn accept_deposit(
    state: &dyn State,
    signed: &Signed<Deposit>,
    gate: u8,
    moment: &Moment,
    ledger: &LedgerId,
) -> Result<Deposit, GateRefusal> {
    let claimed = signed.claimed().map_err(|_| GateRefusal::Form)?;
    let subject = Subject::find(state, &claimed.object)?.ok_or(GateRefusal::Unknown)?;
    let expected = expected(state, &subject)?;
    let deposit = signed.verify(&expected.key, ledger).map_err(|_| GateRefusal::Signature)?;
    if tear_due(state, &subject, moment)? {
        return Err(GateRefusal::Ended);
    }
    let gates = state.genesis()?.count();
    if deposit.gate != gate || !deposit.matches(expected.records, gates, &expected.digest) {
        return Err(GateRefusal::Shares);
    }
    Ok(deposit)
}

/// The key that signs the deposits of an object. It must own every blob that a deposit names, which the gate's
/// relay knows: to name a blob is to let others fetch it.
pub fn depositor(state: &dyn State, subject: &Subject) -> Result<PublicKey, GateRefusal> {
    Ok(expected(state, subject)?.key)
}

impl Deposit {
    /// Whether it holds a share of every record, and each is the one committed to.
    fn matches(&self, records: u64, gates: usize, digest: &Digest) -> bool {
        let complete = self.records.len() as u64 == records
            && (0u32..).zip(&self.records).all(|(number, held)| held.record == number);
        complete
            && self.commitments.len() == self.records.len() * gates
            && share_commitments_digest(&self.commitments) == *digest
            && self.records.iter().all(|held| {
                let committed = commitment_of(&self.commitments, gates, held.record, self.gate);
                let own = share_commitment(&self.object, held.record, self.gate, &held.salt, &held.share);
                committed == Some(&own)
            })
    }
}

/// The commitment of one record's share at one gate (from 1), out of the list.
pub(super) fn commitment_of(list: &[Digest], gates: usize, record: u32, gate: u8) -> Option<&Digest> {
    let gate = usize::from(gate).checked_sub(1).filter(|gate| *gate < gates)?;
    list.get(usize::try_from(record).ok()?.checked_mul(gates)?.checked_add(gate)?)
}

struct Expected {
    key: PublicKey,
    digest: Digest,
    records: u64,
}

fn expected(state: &dyn State, subject: &Subject) -> Result<Expected, GateRefusal> {
    match subject {
        Subject::Grant(id) => {
            let grant = state.terms(id)?.ok_or(GateRefusal::Unknown)?.grant;
            Ok(Expected { key: grant.key, digest: grant.shares, records: grant.records })
        }
        Subject::Ticket(id) => {
            let anchor = state.anchor(id)?.ok_or(GateRefusal::Unknown)?;
            match anchor.destination {
                Destination::Ticket(_, _, digest) => Ok(Expected { key: anchor.issuer, digest, records: 1 }),
                Destination::Holder(_) => Err(GateRefusal::Unknown),
            }
        }
    }
}
