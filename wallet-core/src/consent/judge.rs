//! What a desk checks in a payload before it redeems (PROTOCOL §3, §6). **A desk that finds one of these refuses to
//! redeem**: a redemption would stand on the ledger for something that the patient did not give.

use super::auditor::AuditedRecord;
use super::payload::{GrantBinding, Payload, PayloadRecord};
use crate::contract::{Anchor, AuditorKeys, Holder, IssueGrant, Key, Kind};
use crate::id::{Commitment, GrantId, HolderCommitment, HolderId, LedgerId};
use crate::identity::Certificate;
use crate::proof::checkpoint::{Checkpoint, Epoch, SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::log::ProvenValue;
use crate::report::{Manifest, commitment};
use crate::sm::PublicKey;

/// How much older than the grant the proof of its holder may be, in seconds.
pub const HOLDER_PROOF_AGE: u64 = 600;

/// Why a desk refuses to redeem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadFault {
    /// The checkpoint inside isn't vouched for by the members.
    #[error("the payload's checkpoint does not hold")]
    Checkpoint,
    /// The checkpoint inside is more than ten minutes older than the grant.
    #[error("the payload's proof is older than ten minutes before the grant")]
    Old,
    /// The holder's leaf doesn't hold.
    #[error("the holder is not proven")]
    Holder,
    /// The holder's authority didn't sign this grant, these records with these copies, this consent.
    #[error("the holder's signature does not cover this grant")]
    Binding,
    /// Other records, or another number of them, than the ledger's entry says.
    #[error("the records are not those of the grant")]
    Records,
    /// A record's anchor doesn't hold, or belongs to another holder.
    #[error("record {0} is not proven to be this holder's")]
    Anchor(u32),
    /// The issuer took a record back.
    #[error("record {0} was cancelled by its issuer")]
    Cancelled(u32),
    /// A claim for a version that its issuer has replaced.
    #[error("record {0} was replaced by a newer version, which is the one to claim for")]
    Replaced(u32),
    /// A record's manifest isn't the one anchored, or not signed by its issuer.
    #[error("record {0} is not what its hospital anchored")]
    Manifest(u32),
    /// A record gives nothing, a part that its manifest doesn't have, or something twice.
    #[error("record {0} does not name parts that its hospital signed")]
    Parts(u32),
    /// The auditor's box in the entry isn't the one that the payload makes.
    #[error("the auditor's box does not match the payload")]
    AuditorBox,
}

impl PayloadFault {
    /// Its name for machines, under which desks find the sentence.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Checkpoint | Self::Old | Self::Holder | Self::Anchor(_) => "payload-holder",
            Self::Binding | Self::Records => "payload-consent",
            Self::Cancelled(_) => "payload-cancelled",
            Self::Replaced(_) => "payload-replaced",
            Self::AuditorBox => "payload-auditor",
            Self::Manifest(_) | Self::Parts(_) => "payload",
        }
    }
}

/// What the ledger says about a grant, proven before.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Which ledger.
    pub ledger: &'a LedgerId,
    /// Who cosigns.
    pub epoch: &'a Epoch,
    /// The consortium's root.
    pub root: &'a Certificate,
    /// The grant as issued.
    pub grant: &'a IssueGrant,
    /// When it was included.
    pub issued: u64,
    /// The auditor's keys, those of that time among them.
    pub auditor: &'a AuditorKeys,
}

/// A payload in which everything holds.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The checkpoint inside: the desk still compares it with the ledger that it knows.
    pub checkpoint: VerifiedCheckpoint,
    /// The records.
    pub records: Vec<JudgedRecord>,
}

/// One record in which everything holds.
#[derive(Clone, Debug)]
pub struct JudgedRecord {
    /// What the issuer signed.
    pub manifest: Manifest,
    /// Its anchor.
    pub anchor: Anchor,
    /// Its name on the ledger.
    pub commitment: Commitment,
}

impl Payload {
    /// Checks holder, records, consent and auditor box against the ledger's facts.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<Judged, PayloadFault> {
        let grant = GrantId::of(facts.ledger, &facts.grant.key);
        let checkpoint = SignedCheckpoint::parse(&self.holder.checkpoint)
            .and_then(|signed| signed.verify(facts.ledger, facts.epoch))
            .map_err(|_| PayloadFault::Checkpoint)?;
        if checkpoint.time().saturating_add(HOLDER_PROOF_AGE) < facts.issued {
            return Err(PayloadFault::Old);
        }
        let shown = checkpoint.checkpoint();
        let holder: Holder = self
            .holder
            .leaf
            .verify(&Key::Holder(self.holder.holder), shown)
            .map_err(|_| PayloadFault::Holder)?;
        let binding =
            self.binding.verify(&holder.authority, facts.ledger).map_err(|_| PayloadFault::Binding)?;
        if binding.grant != grant || binding.consent != self.consent.digest() {
            return Err(PayloadFault::Binding);
        }
        let many = self.records.len();
        let counted = u64::try_from(many) == Ok(facts.grant.records);
        let numbered = self.records.iter().zip(0..).all(|(record, number)| record.number == number);
        if !counted || !numbered || many != self.holder.anchors.len() || many != binding.records.len() {
            return Err(PayloadFault::Records);
        }
        let records = self.records.iter().zip(&self.holder.anchors).zip(&binding.records);
        let records = records
            .map(|((record, anchor), named)| {
                let judged = record.judge(facts, anchor, shown, &self.holder.holder)?;
                if judged.commitment == *named { Ok(judged) } else { Err(PayloadFault::Records) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if binding.content != GrantBinding::content_of(&self.records) {
            return Err(PayloadFault::Binding);
        }
        self.judge_box(facts, &grant, &records)?;
        Ok(Judged { checkpoint, records })
    }

    /// What the auditor is told is what the desk sees, classes included, and it is what the entry holds.
    fn judge_box(
        &self,
        facts: &Facts<'_>,
        grant: &GrantId,
        records: &[JudgedRecord],
    ) -> Result<(), PayloadFault> {
        let told = &self.auditor.grant;
        let whole = told.grant == *grant
            && told.holder == self.holder.holder
            && told.purpose == self.consent.purpose
            && told.records.iter().copied().eq(records.iter().map(JudgedRecord::audited));
        let made = |key: &PublicKey| self.auditor.seal(key, facts.ledger);
        let matches = facts
            .auditor
            .valid_at(facts.issued)
            .any(|key| made(key).as_ref() == Ok(&facts.grant.auditor_box));
        if whole && matches { Ok(()) } else { Err(PayloadFault::AuditorBox) }
    }
}

impl JudgedRecord {
    fn audited(&self) -> AuditedRecord {
        AuditedRecord::of(self.manifest.sensitivity, &self.commitment)
    }
}

impl PayloadRecord {
    /// The record's name on the ledger, by manifest and salt.
    pub fn commitment(&self) -> Commitment {
        commitment(&self.salt.0, &self.manifest.to_bytes())
    }

    fn judge(
        &self,
        facts: &Facts<'_>,
        anchor: &ProvenValue,
        shown: &Checkpoint,
        holder: &HolderId,
    ) -> Result<JudgedRecord, PayloadFault> {
        let number = self.number;
        let commitment = self.commitment();
        let anchor: Anchor =
            anchor.verify(&Key::Anchor(commitment), shown).map_err(|_| PayloadFault::Anchor(number))?;
        // A ticket that nobody bound has no holder, and no salts open none: that must not pass for agreement.
        let own = self.holder_commitment(holder).ok_or(PayloadFault::Anchor(number))?;
        if anchor.holder() != Some(&own) {
            return Err(PayloadFault::Anchor(number));
        }
        if anchor.cancellation.is_some() {
            return Err(PayloadFault::Cancelled(number));
        }
        if facts.grant.kind == Kind::Claim && anchor.replaced_by.is_some() {
            return Err(PayloadFault::Replaced(number));
        }
        let issuer = self.chain.verify(facts.root, anchor.at).map_err(|_| PayloadFault::Manifest(number))?;
        if issuer.subject().party != anchor.party {
            return Err(PayloadFault::Manifest(number));
        }
        let manifest = Manifest::verify(&self.manifest, &anchor.issuer, facts.ledger)
            .map_err(|_| PayloadFault::Manifest(number))?;
        if manifest.issuer != anchor.party {
            return Err(PayloadFault::Manifest(number));
        }
        if !self.names_parts_of(&manifest) {
            return Err(PayloadFault::Parts(number));
        }
        Ok(JudgedRecord { manifest, anchor, commitment })
    }

    fn names_parts_of(&self, manifest: &Manifest) -> bool {
        let whole = self.parts.iter().any(|wrapped| manifest.fhir_part() == Some(wrapped.part));
        // Whole or in groups, not both; and something.
        let once = !(whole && self.groups.is_some()) && (!self.parts.is_empty() || self.groups.is_some());
        once && self.parts.is_sorted_by(|a, b| a.part < b.part)
            && self.parts.iter().all(|wrapped| manifest.part(wrapped.part).is_ok())
    }

    /// One salt for a ticket, two for a known patient (a commitment to the one of the identity code).
    fn holder_commitment(&self, holder: &HolderId) -> Option<HolderCommitment> {
        match self.holder_salts.as_slice() {
            [salt] => Some(HolderCommitment::of(&salt.0, holder)),
            [outer, inner] => Some(HolderCommitment::of(&inner.0, holder).again(&outer.0)),
            _ => None,
        }
    }
}
