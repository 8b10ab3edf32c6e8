//! Boxes for the auditor: fixed in size, recomputable from seed and text, bound to grant and use (PROTOCOL §6).
//!
//! ⚠ A grantee refuses to redeem when the grant's box isn't the one that the payload's opening makes, and signs its
//! own for what it opens: a false box has a name on it.

use crate::cbor;
use crate::id::{Commitment, GrantId, HolderId, LedgerId};
use crate::report::Sensitivity;
use crate::sm::{Digest, Key32, Label, PublicKey, SecretKey, Signed, SmError, pad, sealed};

use super::Presence;

/// Text bytes in the box of an `IssueGrant`, whatever it says.
pub const GRANT_TEXT: usize = 1024;
/// Text bytes in the box of a `RedeemGrant`: a person's certificate goes in, with the longest names that are certified.
pub const USE_TEXT: usize = 3072;
/// Bytes of the box in an `IssueGrant`.
pub const GRANT_BOX: usize = GRANT_TEXT + sealed::OVERHEAD;
/// Bytes of the box in a `RedeemGrant`.
pub const USE_BOX: usize = USE_TEXT + sealed::OVERHEAD;
/// Records that a grant may have, so that its box holds them all.
pub const MOST_RECORDS: usize = 48;

const GRANT: Label = Label::new("auditor-grant");
const USE: Label = Label::new("auditor-use");

/// A record as the auditor sees it: its class and the first eight bytes of its commitment, enough to find the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct AuditedRecord {
    /// Sensitivity class, as in the manifest.
    #[n(0)]
    pub class: Sensitivity,
    /// The first eight bytes of the commitment.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub anchor: [u8; 8],
}

impl AuditedRecord {
    /// The auditor's view of one record.
    pub fn of(class: Sensitivity, commitment: &Commitment) -> Self {
        Self { class, anchor: anchor_of(commitment) }
    }
}

/// The first eight bytes of a report's commitment.
pub(crate) fn anchor_of(commitment: &Commitment) -> [u8; 8] {
    let mut anchor = [0; 8];
    anchor.copy_from_slice(&commitment.as_bytes()[..8]);
    anchor
}

/// What the patient tells the auditor of a grant.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorGrant {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// `PurposeOfUse` code.
    #[n(1)]
    pub purpose: String,
    /// The records in order.
    #[n(2)]
    pub records: Vec<AuditedRecord>,
    /// On whose authority.
    #[n(3)]
    pub holder: HolderId,
}

/// From what a grant's box is made again: in the payload.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorOpening {
    /// The seed.
    #[n(0)]
    pub seed: Key32,
    /// The text.
    #[n(1)]
    pub grant: AuditorGrant,
}

impl AuditorOpening {
    /// The box for `IssueGrant`, the same each time.
    pub fn seal(&self, auditor: &PublicKey, ledger: &LedgerId) -> Result<Vec<u8>, SmError> {
        let text = pad::pad_to(&cbor::encode(&self.grant), GRANT_TEXT)?;
        Ok(sealed::seal_recomputable(&self.seed, auditor, ledger, self.grant.grant.digest(), GRANT, &text))
    }
}

impl AuditorGrant {
    /// Opens a grant's box with the quarter's key.
    pub fn open(
        secret: &SecretKey,
        ledger: &LedgerId,
        grant: &GrantId,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let text = sealed::open(secret, ledger, grant.digest(), GRANT, sealed)?;
        cbor::decode(pad::unpad_from(&text, GRANT_TEXT)?).map_err(|_| SmError::Form)
    }
}

/// What the grantee tells the auditor of one use.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AuditorUse {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The use, from 1.
    #[n(1)]
    pub number: u32,
    /// The person's certificate, DER.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// The person's signature over grant and grantee key.
    #[n(3)]
    pub presence: Signed<Presence>,
    /// The records opened.
    #[n(4)]
    pub records: Vec<u32>,
}

impl AuditorUse {
    /// The box for `RedeemGrant`.
    pub fn seal(&self, seed: &Key32, auditor: &PublicKey, ledger: &LedgerId) -> Result<Vec<u8>, SmError> {
        let text = pad::pad_to(&cbor::encode(self), USE_TEXT)?;
        Ok(sealed::seal_recomputable(
            seed,
            auditor,
            ledger,
            &Self::object(&self.grant, self.number),
            USE,
            &text,
        ))
    }

    /// Opens a use's box with the quarter's key.
    pub fn open(
        secret: &SecretKey,
        ledger: &LedgerId,
        grant: &GrantId,
        number: u32,
        sealed: &[u8],
    ) -> Result<Self, SmError> {
        let text = sealed::open(secret, ledger, &Self::object(grant, number), USE, sealed)?;
        cbor::decode(pad::unpad_from(&text, USE_TEXT)?).map_err(|_| SmError::Form)
    }

    fn object(grant: &GrantId, number: u32) -> Digest {
        Digest::labelled(USE, &[grant.as_bytes(), &number.to_be_bytes()])
    }
}
