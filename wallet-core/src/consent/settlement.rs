//! What an insurer decided on a claim, for those whom it concerns (PROTOCOL §5, §6): the ledger's entry says only
//! that a slot was settled; how much and why lies in a box for the auditor, and in an answer for the patient.
//!
//! **The answer carries what the auditor's box is made from**, so the patient sees that both were told the same.
//! A refusal is an answer and no entry: the slot stays open for another insurer.

use crate::cbor;
use crate::contract::{Credential, SettleClaim, Transaction};
use crate::id::{GrantId, LedgerId, PartyId, TagId};
use crate::report::claim::Shown;
use crate::report::{ClaimTag, Money};
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, SmError, pad, sealed};

use super::Message;
use super::message::{open_reply, seal_reply};

/// Text bytes in the box of a `SettleClaim`, whatever it says.
pub const SETTLEMENT_TEXT: usize = 512;
/// Bytes of the box in a `SettleClaim`.
pub const SETTLEMENT_BOX: usize = SETTLEMENT_TEXT + sealed::OVERHEAD;
/// Longest reason, in bytes: some eighty Chinese characters.
pub const LONGEST_REASON: usize = 240;

const SETTLEMENT: Label = Label::new("auditor-settlement");
const ANSWER: Label = Label::new("claim-answer");

/// What an insurer decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Decision {
    /// All that was claimed is paid.
    #[n(0)]
    Whole,
    /// A part is paid; the reason says why not all.
    #[n(1)]
    Partly,
    /// Nothing is paid, and nothing is settled; the reason says why.
    #[n(2)]
    Refused,
}

/// What an insurer tells the auditor of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorSettlement {
    /// Under which grant.
    #[n(0)]
    pub grant: GrantId,
    /// Which slot of which hospital's.
    #[n(1)]
    pub tag: TagId,
    /// [`InvoiceNumber::digest`](crate::report::InvoiceNumber::digest): two tags for one (hospital, invoice, slot)
    /// come to light.
    #[n(2)]
    pub invoice: Digest,
    /// What is paid.
    #[n(3)]
    pub paid: Money,
    /// Whole or partly.
    #[n(4)]
    pub decision: Decision,
    /// Why; at most [`LONGEST_REASON`] bytes, not empty unless all is paid.
    #[n(5)]
    pub reason: String,
}

impl AuditorSettlement {
    /// What is told of an invoice as it was shown. `issuer` is the hospital in its manifest; nothing beyond what this
    /// class of insurer pays of it ([`Invoice::payable`](crate::report::claim::Invoice::payable)), or in another currency.
    pub fn of(
        shown: &Shown,
        issuer: &PartyId,
        grant: GrantId,
        (decision, paid): (Decision, Money),
        reason: &str,
    ) -> Result<Self, AnswerFault> {
        let slot = shown.tag.slot().map_err(|_| AnswerFault::Other)?;
        if !paid.is_within(&shown.invoice.payable(slot)) {
            return Err(AnswerFault::Amount);
        }
        let told = Self {
            grant,
            tag: shown.tag.id().map_err(|_| AnswerFault::Other)?,
            invoice: shown.invoice.number.digest(issuer),
            paid,
            decision,
            reason: reason.trim().to_owned(),
        };
        told.check()?;
        Ok(told)
    }

    /// The box for `SettleClaim`, the same each time. A refusal settles nothing and has none.
    pub fn seal(&self, seed: &Key32, auditor: &PublicKey, ledger: &LedgerId) -> Result<Vec<u8>, AnswerFault> {
        self.check()?;
        if self.decision == Decision::Refused {
            return Err(AnswerFault::Refusal);
        }
        let text = pad::pad_to(&cbor::encode(self), SETTLEMENT_TEXT).map_err(|_| AnswerFault::Reason)?;
        let object = Self::object(&self.grant, &self.tag);
        Ok(sealed::seal_recomputable(seed, auditor, ledger, &object, SETTLEMENT, &text))
    }

    /// Opens a settlement's box with the quarter's key.
    pub fn open(
        secret: &SecretKey,
        ledger: &LedgerId,
        grant: &GrantId,
        tag: &TagId,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let text = sealed::open(secret, ledger, &Self::object(grant, tag), SETTLEMENT, sealed)?;
        cbor::decode(pad::unpad_from(&text, SETTLEMENT_TEXT)?).map_err(|_| SmError::Form)
    }

    /// The transaction that settles, still to be signed with the grantee key, and the patient's answer: one after the
    /// other, the answer only once the entry stands. `tag` is what the claim grant disclosed.
    pub fn settle(
        self,
        tag: &ClaimTag,
        (credential, grantee): (Signed<Credential>, PublicKey),
        seed: Key32,
        (auditor, ledger): (&PublicKey, &LedgerId),
    ) -> Result<(Transaction, Answer), AnswerFault> {
        if tag.id().map_err(|_| AnswerFault::Other)? != self.tag {
            return Err(AnswerFault::Other);
        }
        let auditor_box = self.seal(&seed, auditor, ledger)?;
        let body = SettleClaim {
            grant: self.grant,
            credential,
            voucher: tag.voucher().clone(),
            proof: tag.prove(self.grant, grantee, ledger),
            auditor_box,
        };
        Ok((Transaction::SettleClaim(body), Answer { told: self, seed: Some(seed) }))
    }

    fn object(grant: &GrantId, tag: &TagId) -> Digest {
        Digest::labelled(SETTLEMENT, &[grant.as_bytes(), tag.as_bytes()])
    }

    /// A reason where less than all is paid, short enough; money exactly where something is paid.
    fn check(&self) -> Result<(), AnswerFault> {
        let told = self.decision == Decision::Whole || !self.reason.trim().is_empty();
        if !told || self.reason.len() > LONGEST_REASON {
            return Err(AnswerFault::Reason);
        }
        let paid = self.paid.hundredths() > 0;
        if paid == (self.decision == Decision::Refused) { Err(AnswerFault::Amount) } else { Ok(()) }
    }
}

/// Why an insurer's answer isn't made, or isn't believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not sealed to this grant's reply key, or not signed by the key that accepted.
    #[error("what the insurer left cannot be opened; ask the insurer to send it again")]
    Box,
    /// No reason, or one too long.
    #[error("say in 1 to {LONGEST_REASON} bytes why not all is paid")]
    Reason,
    /// A settlement of nothing or of too much, or a refusal that pays.
    #[error(
        "a settlement pays something, at most this insurer's part of the invoice and in its currency, a refusal nothing; correct the amount"
    )]
    Amount,
    /// A refusal has no entry on the ledger.
    #[error("a refusal settles nothing; send it to the patient only")]
    Refusal,
    /// About another grant or tag than the entry's.
    #[error("the answer is about another claim than the entry on the ledger")]
    Other,
    /// The auditor's box in the entry isn't the one that the answer makes.
    #[error("the auditor was told something else than the patient; report this to the auditor")]
    AuditorBox,
}

/// What an insurer tells the patient, in the grant's drop box.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Answer {
    /// What was decided, as the auditor reads it.
    #[n(0)]
    pub told: AuditorSettlement,
    /// Makes the auditor's box again; none for a refusal.
    #[n(1)]
    pub seed: Option<Key32>,
}

impl Object for Answer {
    const NAME: &'static str = "claim-answer";
}

impl Answer {
    /// Signs it with the key that accepted and seals it for the phone.
    pub fn seal(
        &self,
        grantee: &SecretKey,
        reply: &PublicKey,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Result<Message, AnswerFault> {
        self.check()?;
        let grant = &self.told.grant;
        Ok(Message::Answer(seal_reply(self, ANSWER, grant, grantee, (reply, ledger), random)))
    }

    /// Opens a grant's answer by the key that accepted.
    pub fn open(
        sealed: &[u8],
        reply: &SecretKey,
        grantee: &PublicKey,
        grant: &GrantId,
        ledger: &LedgerId,
    ) -> Result<Self, AnswerFault> {
        let signed = open_reply::<Self>(sealed, ANSWER, grant, reply, ledger);
        let answer =
            signed.and_then(|signed| signed.verify(grantee, ledger)).map_err(|_| AnswerFault::Box)?;
        if answer.told.grant != *grant {
            return Err(AnswerFault::Other);
        }
        answer.check()?;
        Ok(answer)
    }

    /// Whether the entry on the ledger tells the auditor the same. `auditor` is the box key in force when it was
    /// included.
    pub fn agrees(
        &self,
        entry: &SettleClaim,
        auditor: &PublicKey,
        ledger: &LedgerId,
    ) -> Result<(), AnswerFault> {
        let voucher = entry.voucher.claimed().map_err(|_| AnswerFault::Other)?;
        if entry.grant != self.told.grant || TagId::of(&voucher) != self.told.tag {
            return Err(AnswerFault::Other);
        }
        let seed = self.seed.as_ref().ok_or(AnswerFault::Refusal)?;
        let same = self.told.seal(seed, auditor, ledger)? == entry.auditor_box;
        if same { Ok(()) } else { Err(AnswerFault::AuditorBox) }
    }

    fn check(&self) -> Result<(), AnswerFault> {
        self.told.check()?;
        let refused = self.told.decision == Decision::Refused;
        if refused == self.seed.is_some() { Err(AnswerFault::Refusal) } else { Ok(()) }
    }
}
