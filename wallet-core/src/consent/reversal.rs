//! Who took a settlement back, or voided an invoice, and in which words: for the auditor, and for the patient where an
//! insurer did it (PROTOCOL §5, §6). The entry itself has a coded reason and no name.

use super::draft::INCLUDE_WITHIN;
use super::settlement::{AnswerFault, check_words};
use super::signer::{Behind, BoxFault};
use crate::cbor;
use crate::contract::{Credential, ReversalReason, ReverseClaim, Settled, Transaction, Voucher};
use crate::id::{LedgerId, TagId};
use crate::identity::Certificate;
use crate::sm::{Digest, Key32, Label, Object, PublicKey, SecretKey, Signed, SmError, pad, sealed};

/// Text bytes in the box of a `ReverseClaim`: a person's certificate, the longest words.
pub const REVERSAL_TEXT: usize = 3584;
/// Bytes of the box in a `ReverseClaim`.
pub const REVERSAL_BOX: usize = REVERSAL_TEXT + sealed::OVERHEAD;

const REVERSAL: Label = Label::new("auditor-reversal");

/// "This is me, reversing this, at a desk with this key."
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Reversing {
    /// Which slot.
    #[n(0)]
    pub tag: TagId,
    /// The credential's key, which signs the entry.
    #[n(1)]
    pub desk: PublicKey,
}

impl Object for Reversing {
    const NAME: &'static str = "reversing";
}

/// What is told of a reversal.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorReversal {
    /// Which slot.
    #[n(0)]
    pub tag: TagId,
    /// What an insurer takes back; none from a hospital.
    #[n(1)]
    pub settlement: Option<Settled>,
    /// Why, as on the ledger.
    #[n(2)]
    pub why: ReversalReason,
    /// Why, in words; at most [`LONGEST_REASON`](super::LONGEST_REASON) bytes.
    #[n(3)]
    pub words: String,
    /// The certificate of the person or server, DER.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// Their signature over tag and key.
    #[n(5)]
    pub presence: Signed<Reversing>,
}

impl core::fmt::Debug for AuditorReversal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AuditorReversal([redacted] of {})", self.tag)
    }
}

impl AuditorReversal {
    /// The box for `ReverseClaim`, the same each time.
    pub fn seal(&self, seed: &Key32, auditor: &PublicKey, ledger: &LedgerId) -> Result<Vec<u8>, AnswerFault> {
        self.check()?;
        let text = pad::pad_to(&cbor::encode(self), REVERSAL_TEXT).map_err(|_| AnswerFault::Reason)?;
        let object = Self::object(&self.tag, self.settlement.as_ref());
        Ok(sealed::seal_recomputable(seed, auditor, ledger, &object, REVERSAL, &text))
    }

    /// Opens a reversal's box with the quarter's key. Nothing of it is checked: that is [`AuditorReversal::verify`].
    pub fn unseal(secret: &SecretKey, ledger: &LedgerId, entry: &ReverseClaim) -> Result<Self, SmError> {
        let tag = TagId::of(&entry.voucher.claimed()?);
        let object = Self::object(&tag, entry.settlement.as_ref());
        let text = sealed::open(secret, ledger, &object, REVERSAL, &entry.auditor_box)?;
        cbor::decode(pad::unpad_from(&text, REVERSAL_TEXT)?).map_err(|_| SmError::Form)
    }

    /// Opens a reversal's box and checks who signed it: somebody whom the organisation of the entry's credential
    /// certified, up to the root, for this tag and the key that signed the entry.
    pub fn open(
        secret: &SecretKey,
        entry: &ReverseClaim,
        behind: &Behind<'_>,
    ) -> Result<(Self, Certificate), BoxFault> {
        let told = Self::unseal(secret, behind.ledger, entry)?;
        let person = told.verify(entry, behind)?;
        Ok((told, person))
    }

    /// The transaction, still to be signed with the credential's key. `now` is the ledger's time.
    pub fn reverse(
        &self,
        voucher: Signed<Voucher>,
        credential: Signed<Credential>,
        seed: &Key32,
        now: u64,
        (auditor, ledger): (&PublicKey, &LedgerId),
    ) -> Result<Transaction, AnswerFault> {
        if voucher.claimed().map(|voucher| TagId::of(&voucher)) != Ok(self.tag) {
            return Err(AnswerFault::Other);
        }
        Ok(Transaction::ReverseClaim(ReverseClaim {
            credential,
            voucher,
            settlement: self.settlement,
            why: self.why,
            auditor_box: self.seal(seed, auditor, ledger)?,
            include_before: now.saturating_add(INCLUDE_WITHIN),
        }))
    }

    pub(super) fn check(&self) -> Result<(), AnswerFault> {
        check_words(&self.words, true)
    }

    fn object(tag: &TagId, settlement: Option<&Settled>) -> Digest {
        let entry = settlement.map_or(0, |settled| settled.entry);
        Digest::labelled(REVERSAL, &[tag.as_bytes(), &entry.to_be_bytes()])
    }
}
