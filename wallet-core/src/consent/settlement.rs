//! What an insurer decided on a claim, for those whom it concerns (PROTOCOL §5, §6): the ledger's entry says only
//! that a slot was settled; how much and why lies in a box for the auditor, and in an answer for the patient.
//!
//! **Nothing is settled without a fresh look at the ledger** ([`Settleable`]), and nothing beyond what the invoice
//! leaves to this class of insurer. **The answer carries what the auditor's box is made from**, so the patient sees that
//! both were told the same, and that it is about this invoice. A refusal is an answer and no entry: the slot stays open
//! for another insurer.

use super::auditor::anchor_of;
use super::draft::INCLUDE_WITHIN;
use super::message::{open_reply, seal_reply};
use super::signer::BoxFault;
use super::{AuditorReversal, Message, Settleable};
use crate::cbor;
use crate::contract::{AuditorKeys, Credential, ReverseClaim, SettleClaim, Transaction};
use crate::id::{Commitment, GrantId, LedgerId, TagId};
use crate::report::claim::{Invoice, Shown};
use crate::report::{ClaimTag, Money};
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, SmError, pad, sealed};

/// Text bytes in the box of a `SettleClaim`, whatever it says.
pub const SETTLEMENT_TEXT: usize = 512;
/// Bytes of the box in a `SettleClaim`.
pub const SETTLEMENT_BOX: usize = SETTLEMENT_TEXT + sealed::OVERHEAD;
/// Longest reason, in bytes: some eighty Chinese characters.
pub const LONGEST_REASON: usize = 240;

const SETTLEMENT: Label = Label::new("auditor-settlement");
const ANSWER: Label = Label::new("claim-answer");

/// What an insurer decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All that could be claimed is paid.
    Whole,
    /// A part is paid; the reason says why not all.
    Partly,
    /// Nothing is paid, and nothing is settled; the reason says why.
    Refused,
}

/// What an insurer tells of a claim: the auditor where it settles, the patient always.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
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
    /// The first eight bytes of the report's commitment: what its hospital did with it since is found by it.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub anchor: [u8; 8],
    /// What this class of insurer could be asked for.
    #[n(4)]
    pub claimed: Money,
    /// What is paid.
    #[n(5)]
    pub paid: Money,
    /// Why not all, or not at all; at most [`LONGEST_REASON`] bytes, not empty unless all is paid.
    #[n(6)]
    pub reason: String,
}

/// Sums and reasons are the patient's.
impl core::fmt::Debug for AuditorSettlement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AuditorSettlement([redacted] under {})", self.grant)
    }
}

impl AuditorSettlement {
    /// What is told of an invoice as it was shown in the record of this name; nothing paid refuses. Nothing beyond what
    /// this class of insurer pays of it ([`Invoice::payable`]), or in another currency.
    pub fn of(shown: &Shown, record: &Commitment, paid: Money, reason: &str) -> Result<Self, AnswerFault> {
        Self::about(&shown.invoice, &shown.tag, record, shown.grant, paid, reason)
    }

    fn about(
        invoice: &Invoice,
        tag: &ClaimTag,
        record: &Commitment,
        grant: GrantId,
        paid: Money,
        reason: &str,
    ) -> Result<Self, AnswerFault> {
        let voucher = tag.voucher().claimed().map_err(|_| AnswerFault::Other)?;
        let claimed = match invoice.payable(voucher.slot) {
            Some(payable) => payable,
            // Nobody can say how much, so nothing is paid; it may still be refused.
            None if paid.hundredths() == 0 => invoice.total.clone(),
            None => return Err(AnswerFault::Shares),
        };
        let told = Self {
            grant,
            tag: TagId::of(&voucher),
            invoice: invoice.number.digest(&voucher.issuer),
            anchor: anchor_of(record),
            claimed,
            paid,
            reason: reason.trim().to_owned(),
        };
        told.check()?;
        Ok(told)
    }

    /// Whole, partly, or not at all.
    pub fn decision(&self) -> Decision {
        match self.paid.hundredths() {
            0 => Decision::Refused,
            paid if paid == self.claimed.hundredths() => Decision::Whole,
            _ => Decision::Partly,
        }
    }

    /// The box for `SettleClaim`, the same each time. A refusal settles nothing and has none.
    pub fn seal(&self, seed: &Key32, auditor: &PublicKey, ledger: &LedgerId) -> Result<Vec<u8>, AnswerFault> {
        self.check()?;
        if self.decision() == Decision::Refused {
            return Err(AnswerFault::Refusal);
        }
        let text = pad::pad_to(&cbor::encode(self), SETTLEMENT_TEXT).map_err(|_| AnswerFault::Reason)?;
        let object = Self::object(&self.grant, &self.tag);
        Ok(sealed::seal_recomputable(seed, auditor, ledger, &object, SETTLEMENT, &text))
    }

    /// Opens a settlement's box with the quarter's key. What is in it must be about that settlement.
    pub fn open(
        secret: &SecretKey,
        ledger: &LedgerId,
        grant: &GrantId,
        tag: &TagId,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let told = Self::unseal(secret, ledger, grant, tag, sealed)?;
        told.verify(grant, tag).map_err(|_| SmError::Form)?;
        Ok(told)
    }

    /// Opens a settlement's box. Nothing of it is checked: that is [`AuditorSettlement::verify`].
    pub fn unseal(
        secret: &SecretKey,
        ledger: &LedgerId,
        grant: &GrantId,
        tag: &TagId,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let text = sealed::open(secret, ledger, &Self::object(grant, tag), SETTLEMENT, sealed)?;
        cbor::decode(pad::unpad_from(&text, SETTLEMENT_TEXT)?).map_err(|_| SmError::Form)
    }

    /// Whether it is an account of this settlement.
    pub fn verify(&self, grant: &GrantId, tag: &TagId) -> Result<(), BoxFault> {
        if (&self.grant, &self.tag) != (grant, tag) {
            return Err(BoxFault::Other);
        }
        let paid = self.decision() != Decision::Refused;
        if paid && self.check().is_ok() { Ok(()) } else { Err(BoxFault::Form) }
    }

    /// The transaction that settles, still to be signed with the grantee key. Once it stands, the patient is told
    /// [`Answer::Settled`] with this text, this seed and the entry's number. `shown` is what the claim grant disclosed,
    /// `settleable` what the ledger says of it now, `credential` that of the keys that accepted.
    pub fn settle(
        &self,
        shown: &Shown,
        settleable: &Settleable,
        credential: Signed<Credential>,
        seed: &Key32,
        (auditor, ledger): (&PublicKey, &LedgerId),
    ) -> Result<Transaction, AnswerFault> {
        let tag = shown.tag.id().map_err(|_| AnswerFault::Other)?;
        if self.grant != shown.grant || tag != self.tag || settleable.tag() != tag {
            return Err(AnswerFault::Other);
        }
        let auditor_box = self.seal(seed, auditor, ledger)?;
        Ok(Transaction::SettleClaim(SettleClaim {
            grant: self.grant,
            credential,
            voucher: shown.tag.voucher().clone(),
            proof: shown.proof.clone(),
            auditor_box,
            include_before: settleable.at().saturating_add(INCLUDE_WITHIN),
        }))
    }

    fn object(grant: &GrantId, tag: &TagId) -> Digest {
        Digest::labelled(SETTLEMENT, &[grant.as_bytes(), tag.as_bytes()])
    }

    /// A reason where less than all is paid, short enough; nothing beyond what was claimed.
    fn check(&self) -> Result<(), AnswerFault> {
        if !self.paid.is_within(&self.claimed) {
            return Err(AnswerFault::Amount);
        }
        check_words(&self.reason, self.decision() != Decision::Whole)
    }
}

/// Whether a box included at `then` is the one that its text makes, under a key of the auditor's that held then.
fn same_box(
    auditor: &AuditorKeys,
    then: u64,
    shown: &[u8],
    seal: impl Fn(&PublicKey) -> Result<Vec<u8>, AnswerFault>,
) -> Result<(), AnswerFault> {
    let same = auditor.valid_at(then).any(|key| seal(key).is_ok_and(|made| made == shown));
    if same { Ok(()) } else { Err(AnswerFault::AuditorBox) }
}

/// Words for patient and auditor: short enough, and there where they must be.
pub(super) fn check_words(words: &str, must: bool) -> Result<(), AnswerFault> {
    let said = !must || !words.trim().is_empty();
    if said && words.len() <= LONGEST_REASON { Ok(()) } else { Err(AnswerFault::Reason) }
}

/// Why an insurer's answer isn't made, or isn't believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not sealed to this grant's reply key, or not signed by the key that accepted.
    #[error("what the insurer left cannot be opened; ask the insurer to send it again")]
    Box,
    /// No reason, or one too long.
    #[error("say why in 1 to {LONGEST_REASON} bytes, some 80 Chinese characters")]
    Reason,
    /// A settlement of too much, or in another currency.
    #[error("at most this insurer's part of the invoice is paid, in its currency; correct the amount")]
    Amount,
    /// An invoice that doesn't say who pays how much, or whose shares don't make up its total.
    #[error(
        "the invoice does not say who pays how much, or its shares do not make up the total; ask the patient for the fund's statement, or refuse"
    )]
    Shares,
    /// A refusal has no entry on the ledger, and a settlement pays something.
    #[error("a refusal settles nothing; send it to the patient only")]
    Refusal,
    /// About another grant, tag or invoice than the entry's.
    #[error("the answer is about another claim than the entry on the ledger")]
    Other,
    /// The insurer says that it refused, and settled.
    #[error(
        "the insurer says that it refused, and the ledger says that it settled; report this to the auditor"
    )]
    Contradicts,
    /// The auditor's box in the entry isn't the one that the answer makes.
    #[error("the auditor was told something else than the patient; report this to the auditor")]
    AuditorBox,
}

/// What an insurer tells the patient, in the grant's drop box.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Answer {
    /// Settled: what the auditor reads, the seed that makes the auditor's box again, the number of the entry.
    #[n(0)]
    Settled(#[n(0)] AuditorSettlement, #[n(1)] Key32, #[n(2)] u64),
    /// Refused, with the reason.
    #[n(1)]
    Refused(#[n(0)] AuditorSettlement),
    /// A settlement was taken back: what the auditor reads, and the seed of that box.
    #[n(2)]
    Reversed(#[n(0)] AuditorReversal, #[n(1)] Key32),
}

impl Object for Answer {
    const NAME: &'static str = "claim-answer";
}

/// The patient's own copy of what an insurer was shown.
#[derive(Clone, Copy, Debug)]
pub struct OwnClaim<'a> {
    /// The invoice.
    pub invoice: &'a Invoice,
    /// The tag that went along.
    pub tag: &'a ClaimTag,
    /// The record.
    pub record: &'a Commitment,
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
        let grant = self.grant().ok_or(AnswerFault::Other)?;
        Ok(Message::Answer(seal_reply(self, ANSWER, &grant, grantee, (reply, ledger), random)))
    }

    /// Opens a grant's answer by the key that accepted; gives the signed form too, which is the patient's evidence.
    pub fn open(
        sealed: &[u8],
        reply: &SecretKey,
        grantee: &PublicKey,
        grant: &GrantId,
        ledger: &LedgerId,
    ) -> Result<(Self, Signed<Self>), AnswerFault> {
        let signed =
            open_reply::<Self>(sealed, ANSWER, grant, reply, ledger).map_err(|_| AnswerFault::Box)?;
        let answer = signed.verify(grantee, ledger).map_err(|_| AnswerFault::Box)?;
        if answer.grant() != Some(*grant) {
            return Err(AnswerFault::Other);
        }
        answer.check()?;
        Ok((answer, signed))
    }

    /// Whether what was decided is about the patient's own invoice.
    pub fn is_about(&self, own: &OwnClaim<'_>) -> Result<(), AnswerFault> {
        match self {
            Self::Settled(told, ..) | Self::Refused(told) => {
                let (paid, reason) = (told.paid.clone(), &told.reason);
                let same =
                    AuditorSettlement::about(own.invoice, own.tag, own.record, told.grant, paid, reason)?;
                if same == *told { Ok(()) } else { Err(AnswerFault::Other) }
            }
            Self::Reversed(told, _) if own.tag.id().ok() == Some(told.tag) => Ok(()),
            Self::Reversed(..) => Err(AnswerFault::Other),
        }
    }

    /// Whether the settlement in an entry of this number, included at `then`, tells the auditor the same.
    pub fn agrees(
        &self,
        entry: &SettleClaim,
        (number, then): (u64, u64),
        auditor: &AuditorKeys,
        ledger: &LedgerId,
    ) -> Result<(), AnswerFault> {
        let (told, seed) = match self {
            Self::Settled(told, seed, entry) if *entry == number => (told, seed),
            Self::Refused(_) => return Err(AnswerFault::Contradicts),
            Self::Settled(..) | Self::Reversed(..) => return Err(AnswerFault::Other),
        };
        let voucher = entry.voucher.claimed().map_err(|_| AnswerFault::Other)?;
        if entry.grant != told.grant || TagId::of(&voucher) != told.tag {
            return Err(AnswerFault::Other);
        }
        same_box(auditor, then, &entry.auditor_box, |key| told.seal(seed, key, ledger))
    }

    /// The same of a reversal's entry, included at `then`.
    pub fn agrees_reversal(
        &self,
        entry: &ReverseClaim,
        then: u64,
        auditor: &AuditorKeys,
        ledger: &LedgerId,
    ) -> Result<(), AnswerFault> {
        let Self::Reversed(told, seed) = self else { return Err(AnswerFault::Other) };
        let voucher = entry.voucher.claimed().map_err(|_| AnswerFault::Other)?;
        if (TagId::of(&voucher), entry.settlement, entry.why) != (told.tag, told.settlement, told.why) {
            return Err(AnswerFault::Other);
        }
        same_box(auditor, then, &entry.auditor_box, |key| told.seal(seed, key, ledger))
    }

    fn grant(&self) -> Option<GrantId> {
        match self {
            Self::Settled(told, ..) | Self::Refused(told) => Some(told.grant),
            Self::Reversed(told, _) => told.settlement.map(|settled| settled.grant),
        }
    }

    fn check(&self) -> Result<(), AnswerFault> {
        match self {
            Self::Settled(told, ..) | Self::Refused(told) => {
                told.check()?;
                let refused = told.decision() == Decision::Refused;
                if refused == matches!(self, Self::Refused(_)) { Ok(()) } else { Err(AnswerFault::Refusal) }
            }
            Self::Reversed(told, _) => told.check(),
        }
    }
}
