//! The genesis object: entry 0, from which everything else follows (PROTOCOL §1, §8).
//!
//! The ledger's id is the SM3 of its canonical bytes, so a member, key or bound can't be changed behind
//! anyone's back.

use super::body::CertificateDer;
use crate::cbor;
use crate::id::{LedgerId, PartyId};
use crate::order;
use crate::sm::{Digest, PublicKey};
use minicbor::{Decode, Encode};
use std::collections::BTreeSet;

/// Most members: as many as a secret may have shares.
pub const MAX_MEMBERS: usize = 16;

/// Who founds the ledger, and by what bounds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Genesis {
    /// The consortium's root certificate.
    #[n(0)]
    pub root: CertificateDer,
    /// The members; a member's gate has its position here, counted from 1.
    #[n(1)]
    pub members: Vec<Member>,
    /// Who may open auditor boxes.
    #[n(2)]
    pub auditor: Auditor,
    /// Accepted entries a sponsor and hour.
    #[n(3)]
    pub quota: u64,
    /// How long grants may be.
    #[n(4)]
    pub bounds: Bounds,
    /// When.
    #[n(5)]
    pub time: u64,
}

/// A member of the consortium: one relay.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// The organisation that runs it.
    #[n(0)]
    pub party: PartyId,
    /// Where it is reached: `https://…`.
    #[n(1)]
    pub origins: Vec<String>,
    /// Signs votes.
    #[n(2)]
    pub vote: PublicKey,
    /// Signs batches.
    #[n(3)]
    pub sponsor: PublicKey,
    /// Signs checkpoints.
    #[n(4)]
    pub cosigner: PublicKey,
    /// Signs daily gate keys, releases and acknowledgements.
    #[n(5)]
    pub gate: PublicKey,
    /// Signs the time.
    #[n(6)]
    pub time: PublicKey,
    /// The name in cosignature lines.
    #[n(7)]
    pub name: String,
}

/// The auditor at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Auditor {
    /// The organisation.
    #[n(0)]
    pub party: PartyId,
    /// Signs [`LogAudit`](super::LogAudit).
    #[n(1)]
    pub audit: PublicKey,
    /// The first key that auditor boxes are sealed to.
    #[n(2)]
    pub box_key: PublicKey,
}

/// How long grants may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Bounds {
    /// Longest read grant, in seconds.
    #[n(0)]
    pub read: u64,
}

impl Bounds {
    /// 30 days, in seconds.
    pub const READ: u64 = 30 * 86_400;
}

/// Why a genesis can't found a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The root certificate isn't a root's, signed with its own key.
    #[error("the root certificate is not a root's")]
    Root,
    /// No member, or more than 16.
    #[error("a ledger has 1 to 16 members")]
    Members,
    /// Two members are the same organisation or relay, or a key is used twice.
    #[error("two members share an organisation, a relay name or a key")]
    Shared,
    /// A member without an origin.
    #[error("a member has no origin")]
    Origin,
    /// Quota or bound zero, or reads allowed for longer than 30 days.
    #[error("the quota is at least 1, the longest read 2 seconds to 30 days")]
    Bounds,
}

impl Genesis {
    /// The ledger's id: SM3 of the canonical bytes.
    pub fn ledger_id(&self) -> LedgerId {
        LedgerId::from_digest(Digest::of(&cbor::encode(self)))
    }

    /// n.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// How many may be dishonest or down: f = ⌊(n-1)/3⌋.
    pub fn faults(&self) -> usize {
        self.members.len().saturating_sub(1) / 3
    }

    /// How many must agree: t = n - f, for votes, gates and cosigners alike.
    pub fn threshold(&self) -> usize {
        self.members.len() - self.faults()
    }

    /// How many gates' signed acknowledgements make a revocation sure: n - t + 1 + f.
    pub fn torn_quorum(&self) -> usize {
        self.members.len() - self.threshold() + 1 + self.faults()
    }

    /// The member that runs for this organisation.
    pub fn member(&self, party: &PartyId) -> Option<&Member> {
        self.members.iter().find(|member| member.party == *party)
    }

    /// Checks what must hold before anybody builds on it.
    pub fn check(&self) -> Result<(), GenesisError> {
        let root = self.root.read().map_err(|_| GenesisError::Root)?;
        root.verify_root().map_err(|_| GenesisError::Root)?;
        if self.members.is_empty() || self.members.len() > MAX_MEMBERS {
            return Err(GenesisError::Members);
        }
        let distinct = |n: usize, of: usize| n == of * self.members.len();
        let parties = order::set(self.members.iter().map(|m| &m.party));
        let names = order::set(self.members.iter().map(|m| &m.name));
        let keys: BTreeSet<_> =
            self.members.iter().flat_map(|m| [m.vote, m.sponsor, m.cosigner, m.gate, m.time]).collect();
        if !distinct(parties.len(), 1) || !distinct(names.len(), 1) || !distinct(keys.len(), 5) {
            return Err(GenesisError::Shared);
        }
        if self.members.iter().any(|m| m.origins.is_empty()) {
            return Err(GenesisError::Origin);
        }
        if self.quota == 0 || !(2..=Bounds::READ).contains(&self.bounds.read) {
            return Err(GenesisError::Bounds);
        }
        Ok(())
    }
}
