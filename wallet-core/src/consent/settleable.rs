//! Whether a slot may be settled *now*: asked of the ledger right before, however long ago the invoice was opened.
//!
//! The contract knows tags and no reports: that an invoice was replaced, taken back, or anchored by a hospital after it
//! went bad, only who was shown it can find, and the auditor afterwards.

use crate::contract::{Anchor, Claim, Party};
use crate::id::{PartyId, TagId};
use crate::report::ClaimTag;

/// What the ledger says of an invoice and its slot, proven before.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The invoice's report.
    pub anchor: &'a Anchor,
    /// Its slot; none while nobody has named it.
    pub claim: Option<&'a Claim>,
    /// Its hospital.
    pub hospital: &'a Party,
    /// The ledger's time.
    pub now: u64,
}

/// A slot that was open at a moment: without it nothing is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settleable {
    tag: TagId,
    at: u64,
}

/// Why an invoice isn't settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettleable {
    /// There is a newer version.
    #[error("the hospital has replaced this invoice; ask the patient to share the newer one")]
    Replaced,
    /// The hospital took it back.
    #[error("the hospital has taken this invoice back; it can't be settled")]
    Cancelled,
    /// Anchored after the moment from which its hospital is suspended.
    #[error(
        "the hospital was suspended when it issued this invoice; ask the regulator before anything is paid"
    )]
    Suspended,
    /// The tag is another hospital's.
    #[error("the claim tag is not one that this hospital vouched for; ask it to issue the invoice again")]
    Tag,
    /// Settled already.
    #[error("this part of the invoice was settled already")]
    Settled(PartyId),
    /// 冲红 or 换开.
    #[error("the hospital has reversed this invoice or issued it on paper; it can't be settled")]
    Void,
}

impl Standing<'_> {
    /// The witness for [`AuditorSettlement::settle`](super::AuditorSettlement::settle).
    pub fn settleable(&self, tag: &ClaimTag) -> Result<Settleable, Unsettleable> {
        let Self { anchor, claim, hospital, now } = *self;
        let voucher = tag.voucher().claimed().map_err(|_| Unsettleable::Tag)?;
        if voucher.issuer != anchor.party {
            return Err(Unsettleable::Tag);
        }
        if anchor.cancellation.is_some() {
            return Err(Unsettleable::Cancelled);
        }
        if anchor.replaced_by.is_some() {
            return Err(Unsettleable::Replaced);
        }
        if hospital.suspension.as_ref().is_some_and(|suspension| suspension.from <= anchor.at) {
            return Err(Unsettleable::Suspended);
        }
        if claim.is_some_and(|claim| claim.void.is_some()) {
            return Err(Unsettleable::Void);
        }
        if let Some(settled) = claim.and_then(|claim| claim.settlement.as_ref()) {
            return Err(Unsettleable::Settled(settled.party.clone()));
        }
        Ok(Settleable { tag: TagId::of(&voucher), at: now })
    }
}

impl Settleable {
    /// Which slot.
    pub const fn tag(&self) -> TagId {
        self.tag
    }

    /// When it was open, by the ledger's time.
    pub const fn at(&self) -> u64 {
        self.at
    }
}
