//! What the auditor says of its own looking, sealed to itself in a `LogAudit` (PROTOCOL §5): who reads what the auditor
//! reads can ask the auditor, and nobody opens boxes without an entry.

use super::settlement::{AnswerFault, LONGEST_REASON, check_words};
use crate::cbor;
use crate::contract::LogAudit;
use crate::id::LedgerId;
use crate::sm::{Digest, Label, PublicKey, Random, SecretKey, SmError, pad, sealed};

/// Text bytes in the box of a `LogAudit`, whatever it says.
pub const LOOK_TEXT: usize = 512;

const LOOK: Label = Label::new("auditor-look");

/// One look of the auditor's.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorLook {
    /// Why, in words; at most [`LONGEST_REASON`] bytes.
    #[n(0)]
    pub why: String,
    /// The first entry whose box is opened.
    #[n(1)]
    pub from: u64,
    /// The entry after the last.
    #[n(2)]
    pub to: u64,
}

impl AuditorLook {
    /// What goes on the ledger, still to be signed with the audit key.
    pub fn log(
        &self,
        audit: &PublicKey,
        box_key: &PublicKey,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Result<LogAudit, AnswerFault> {
        self.check()?;
        let text = pad::pad_to(&cbor::encode(self), LOOK_TEXT).map_err(|_| AnswerFault::Reason)?;
        let auditor_box = sealed::seal(box_key, ledger, &Self::object(audit), LOOK, &text, random);
        Ok(LogAudit { auditor_box })
    }

    /// Opens a look by the audit key that signed it.
    pub fn open(
        secret: &SecretKey,
        ledger: &LedgerId,
        audit: &PublicKey,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let text = sealed::open(secret, ledger, &Self::object(audit), LOOK, sealed)?;
        let look: Self = cbor::decode(pad::unpad_from(&text, LOOK_TEXT)?).map_err(|_| SmError::Form)?;
        if look.check().is_ok() { Ok(look) } else { Err(SmError::Form) }
    }

    fn check(&self) -> Result<(), AnswerFault> {
        if self.from > self.to || self.why.len() > LONGEST_REASON {
            return Err(AnswerFault::Reason);
        }
        check_words(&self.why, true)
    }

    fn object(audit: &PublicKey) -> Digest {
        Digest::labelled(LOOK, &[audit.as_bytes()])
    }
}
