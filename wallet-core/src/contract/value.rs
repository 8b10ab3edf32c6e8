//! What the state holds (formats.cddl, "state"): one struct a kind of leaf.

use super::body::{CertificateDer, Destination, IssueGrant, Kind, ReversalReason, Slot};
use super::state::Damaged;
use crate::id::{Commitment, GrantId, HolderCommitment, PartyId, TransactionId};
use crate::identity::Role;
use crate::sm::{Digest, Label, PublicKey};
use minicbor::{Decode, Encode};

/// A registered organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Party {
    /// Its certificate.
    #[n(0)]
    pub certificate: CertificateDer,
    /// Signs its credentials.
    #[n(1)]
    pub acceptance: PublicKey,
    /// All keys that ever signed its vouchers.
    #[n(2)]
    pub vouchers: Vec<PublicKey>,
    /// What it may act as.
    #[n(3)]
    pub roles: Vec<Role>,
    /// Of the last [`RotateKeys`](super::RotateKeys); 0 at first.
    #[n(4)]
    pub sequence: u64,
    /// When it registered first.
    #[n(5)]
    pub since: u64,
    /// Set once, moved only to an earlier moment, never lifted.
    #[n(6)]
    pub suspension: Option<Suspension>,
}

impl Party {
    /// Whether it is suspended at this moment.
    pub fn is_suspended(&self, now: u64) -> bool {
        self.suspension.as_ref().is_some_and(|suspension| suspension.from <= now)
    }
}

/// An organisation's suspension.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Suspension {
    /// From when on; may be before [`Suspension::at`].
    #[n(0)]
    pub from: u64,
    /// Why.
    #[n(1)]
    pub why: String,
    /// When the members decided.
    #[n(2)]
    pub at: u64,
}

/// A vault's holder.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holder {
    /// Its hash is the holder's id.
    #[n(0)]
    pub root: PublicKey,
    /// Signs grants' bindings.
    #[n(1)]
    pub authority: PublicKey,
    /// Signs moves.
    #[n(2)]
    pub manage: PublicKey,
    /// How often it moved.
    #[n(3)]
    pub sequence: u64,
}

/// A report's anchor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Anchor {
    /// Who issued it.
    #[n(0)]
    pub party: PartyId,
    /// When.
    #[n(1)]
    pub at: u64,
    /// For whom.
    #[n(2)]
    pub destination: Destination,
    /// Which wallet kept it, for a ticket.
    #[n(3)]
    pub binding: Option<Binding>,
    /// Whether the issuer took it back.
    #[n(4)]
    pub cancellation: Option<Cancellation>,
    /// The version that it replaces.
    #[n(5)]
    pub replaces: Option<Commitment>,
    /// The version that replaces it.
    #[n(6)]
    pub replaced_by: Option<Commitment>,
    /// The desk's credential key, which signed; it signs the ticket's deposits too.
    #[n(7)]
    pub issuer: PublicKey,
}

impl Anchor {
    /// The holder that it belongs to: named by the issuer, or by the ticket's binding.
    pub fn holder(&self) -> Option<&HolderCommitment> {
        match (&self.destination, &self.binding) {
            (Destination::Holder(holder), _) => Some(holder),
            (Destination::Ticket(..), binding) => binding.as_ref().map(|binding| &binding.holder),
        }
    }
}

/// A ticket's binding to a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Binding {
    /// Whose.
    #[n(0)]
    pub holder: HolderCommitment,
    /// Gates seal to it.
    #[n(1)]
    pub seal: PublicKey,
    /// Signs requests for blobs, and "kept".
    #[n(2)]
    pub request: PublicKey,
    /// When.
    #[n(3)]
    pub at: u64,
}

/// The issuer took a report back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cancellation {
    /// Why.
    #[n(0)]
    pub why: String,
    /// When.
    #[n(1)]
    pub at: u64,
}

/// A grant's leaf in the state map: what a wallet compares with the entries it holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantLeaf {
    /// What it allows.
    #[n(0)]
    pub kind: Kind,
    /// Where it stands; that it has expired is computed, never stored.
    #[n(1)]
    pub status: Status,
    /// Redemptions so far.
    #[n(2)]
    pub uses: u64,
    /// Entries so far, all kinds.
    #[n(3)]
    pub count: u64,
    /// Over all of those entries, in order: [`extend_chain`].
    #[n(4)]
    pub chain: Digest,
}

/// Settlements that one grant takes: what is taken back may be settled again, but not without end.
pub const MOST_SETTLEMENTS: u64 = 16;

impl GrantLeaf {
    /// Whether another settlement fits. Beside its issue, its acceptance and its uses, the entries of a claim grant that runs
    /// are settlements and their reversals, each pair two.
    pub const fn takes_settlement(&self) -> bool {
        self.count.saturating_sub(self.uses) < 2 + 2 * MOST_SETTLEMENTS
    }
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// Nobody has accepted it.
    #[n(0)]
    Offered,
    /// Somebody has; uses are left.
    #[n(1)]
    Accepted,
    /// No uses are left.
    #[n(2)]
    Exhausted,
    /// The patient withdrew it.
    #[n(3)]
    Revoked,
}

/// The chain before the first entry of a grant.
pub const CHAIN_START: Digest = Digest::from_bytes([0; 32]);

/// The chain of a grant, one entry longer: SM3(label ‖ previous ‖ transaction id ‖ now). So the leaf proves
/// that the entries one holds are all there are.
pub fn extend_chain(previous: &Digest, id: &TransactionId, now: u64) -> Digest {
    let parts: [&[u8]; 3] = [previous.as_bytes(), id.as_bytes(), &now.to_be_bytes()];
    Digest::labelled(Label::new("grant-chain"), &parts)
}

/// A grant's terms, beside its leaf.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Terms {
    /// As issued.
    #[n(0)]
    pub grant: IssueGrant,
    /// When it was included: its start.
    #[n(1)]
    pub issued: u64,
    /// By whom it was accepted.
    #[n(2)]
    pub accepted: Option<Accepted>,
    /// 0.
    #[n(3)]
    pub reserved: u64,
}

impl Terms {
    /// The first second in which it no longer holds.
    pub const fn end(&self) -> u64 {
        self.issued.saturating_add(self.grant.duration)
    }

    /// The first second in which it can no longer be accepted.
    pub const fn accept_end(&self) -> u64 {
        self.issued.saturating_add(self.grant.accept_within)
    }
}

/// Who accepted a grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Accepted {
    /// The organisation.
    #[n(0)]
    pub party: PartyId,
    /// Signs redemptions.
    #[n(1)]
    pub grantee: PublicKey,
    /// The patient's half is sealed to it.
    #[n(2)]
    pub box_key: PublicKey,
    /// When.
    #[n(3)]
    pub at: u64,
}

/// One redemption.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Use {
    /// Gates seal to it.
    #[n(0)]
    pub epk: PublicKey,
    /// Which records.
    #[n(1)]
    pub records: Vec<u64>,
    /// When.
    #[n(2)]
    pub at: u64,
    /// By which transaction.
    #[n(3)]
    pub transaction: TransactionId,
}

/// One payer slot of an invoice, once a settlement or a reversal has named it. Nothing stands for one that nobody
/// has claimed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The hospital.
    #[n(0)]
    pub issuer: PartyId,
    /// Who pays.
    #[n(1)]
    pub slot: Slot,
    /// The settlement in force. It stays where the invoice becomes void afterwards: see [`Claim::is_flagged`].
    #[n(2)]
    pub settlement: Option<Settlement>,
    /// The insurer's last reversal; the slot was open after it.
    #[n(3)]
    pub reversal: Option<Reversal>,
    /// The hospital's reversal: nothing is settled from then on.
    #[n(4)]
    pub void: Option<Reversal>,
}

impl Claim {
    /// The number of the entry that changed it last.
    pub fn last_entry(&self) -> u64 {
        let reversals = [&self.reversal, &self.void].into_iter().flatten().map(|reversal| reversal.entry);
        reversals.chain(self.settlement.iter().map(|settled| settled.entry)).max().unwrap_or_default()
    }

    /// Paid for an invoice that its hospital has reversed or issued on paper: somebody must look at it.
    pub const fn is_flagged(&self) -> bool {
        self.settlement.is_some() && self.void.is_some()
    }

    /// Whether it may be settled now.
    pub const fn is_open(&self) -> bool {
        self.settlement.is_none() && self.void.is_none()
    }
}

/// Who settled a slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Settlement {
    /// The insurer.
    #[n(0)]
    pub party: PartyId,
    /// Under which grant.
    #[n(1)]
    pub grant: GrantId,
    /// When.
    #[n(2)]
    pub at: u64,
    /// The number of the entry.
    #[n(3)]
    pub entry: u64,
}

/// Why a settlement or an invoice no longer counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Reversal {
    /// Why.
    #[n(0)]
    pub why: ReversalReason,
    /// When.
    #[n(1)]
    pub at: u64,
    /// The number of the entry.
    #[n(2)]
    pub entry: u64,
}

/// The auditor's keys in force.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AuditorKeys {
    /// The organisation.
    #[n(0)]
    pub party: PartyId,
    /// Signs [`LogAudit`](super::LogAudit).
    #[n(1)]
    pub audit: PublicKey,
    /// Auditor boxes are sealed to the last of these. The earlier ones stay for as long as anything made in their time
    /// can be judged, ascending by time.
    #[n(2)]
    pub boxes: Vec<BoxKey>,
    /// Of the last [`RotateKeys`](super::RotateKeys) of an auditor's key; 0 at first.
    #[n(3)]
    pub sequence: u64,
}

/// A key to which auditor boxes are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BoxKey {
    /// The key.
    #[n(0)]
    pub key: PublicKey,
    /// Since when it is in force; it ends where the next one begins, and still holds for [`AuditorKeys::OVERLAP`].
    #[n(1)]
    pub since: u64,
}

impl AuditorKeys {
    /// How long a box key still holds after the next one is in force, in seconds.
    pub const OVERLAP: u64 = 86_400;
    /// How long a box key stays known after that, in seconds: the longest grant, and a month for its drop box.
    pub const KNOWN: u64 = 400 * 86_400;
    /// Most box keys known at a time.
    pub const MOST: usize = 64;

    /// What an auditor's box is sealed to now.
    pub fn box_key(&self) -> Result<PublicKey, Damaged> {
        self.boxes.last().map(|newest| newest.key).ok_or(Damaged)
    }

    /// The keys to which a box in an entry at `then` may have been sealed: the one in force, the newer first.
    pub fn valid_at(&self, then: u64) -> impl Iterator<Item = &PublicKey> {
        let ends =
            |next: Option<&BoxKey>| next.map_or(u64::MAX, |next| next.since.saturating_add(Self::OVERLAP));
        let times = self.boxes.iter().enumerate().rev();
        let valid = times.filter(move |(i, it)| it.since <= then && then < ends(self.boxes.get(i + 1)));
        valid.map(|(_, it)| &it.key)
    }

    /// A newer box key from `now` on; those that nobody can need any more are forgotten, and the oldest of too many.
    pub(super) fn renew(&mut self, key: PublicKey, now: u64) {
        self.boxes.push(BoxKey { key, since: now });
        let known = |next: &&BoxKey| next.since.saturating_add(Self::KNOWN) < now;
        let over = self.boxes.iter().skip(1).take_while(known).count();
        self.boxes.drain(..over.max(self.boxes.len().saturating_sub(Self::MOST)));
    }
}

/// The last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Last {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// Its time.
    #[n(1)]
    pub now: u64,
}
