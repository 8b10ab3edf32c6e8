//! What transactions carry, one struct a kind (PROTOCOL §5; formats.cddl, "ledger"): formats only.

use crate::id::{Commitment, GrantId, HolderCommitment, HolderId, PartyId};
use crate::identity::{Certificate, CertificateError, Role};
use crate::sm::{Digest, Object, PublicKey, Signed};
use core::fmt;
use minicbor::{Decode, Encode};

mod claim;

pub use claim::{ReversalReason, ReverseClaim, SettleClaim, Settled, Slot, TagProof, Voucher};

/// A certificate's DER, not yet read.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateDer(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl CertificateDer {
    /// The certificate. Nothing is verified but the form.
    pub fn read(&self) -> Result<Certificate, CertificateError> {
        Certificate::from_der(&self.0)
    }
}

impl From<&Certificate> for CertificateDer {
    fn from(certificate: &Certificate) -> Self {
        Self(certificate.to_der().to_vec())
    }
}

impl fmt::Debug for CertificateDer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateDer({} bytes)", self.0.len())
    }
}

/// Signed by t members' vote keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RegisterParty {
    /// The organisation's certificate, under the root in the genesis.
    #[n(0)]
    pub certificate: CertificateDer,
    /// Signs its credentials.
    #[n(1)]
    pub acceptance: PublicKey,
    /// Sign vouchers for claim tags; issuers only.
    #[n(2)]
    pub vouchers: Vec<PublicKey>,
    /// What it may act as, ascending.
    #[n(3)]
    pub roles: Vec<Role>,
}

/// Signed by t members' vote keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SuspendParty {
    /// Whom.
    #[n(0)]
    pub party: PartyId,
    /// From when on; may be earlier than now. What was anchored before stays valid.
    #[n(1)]
    pub from: u64,
    /// Why.
    #[n(2)]
    pub why: String,
}

/// Signed by the organisation's certified key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RotateKeys {
    /// Whose.
    #[n(0)]
    pub party: PartyId,
    /// One more than the last: the party's, or the auditor's for the auditor's keys.
    #[n(1)]
    pub sequence: u64,
    /// Which key.
    #[n(2)]
    pub which: Rotated,
    /// The new key.
    #[n(3)]
    pub key: PublicKey,
}

/// Which key [`RotateKeys`] changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Rotated {
    /// The key that signs credentials; replaced.
    #[n(0)]
    Acceptance,
    /// One more key that signs vouchers; earlier ones stay on record.
    #[n(1)]
    Voucher,
    /// The auditor's signing key; replaced.
    #[n(2)]
    Audit,
    /// The key that auditor boxes are sealed to; the one before holds for 24 h.
    #[n(3)]
    AuditorBox,
}

/// Signed by the audit key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogAudit {
    /// Query, from, to; sealed to the auditor.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
}

/// Signed by the root key that it carries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenHolder {
    /// Its hash is the holder's id.
    #[n(0)]
    pub root: PublicKey,
    /// Signs what a grantee asks for: that this holder shares.
    #[n(1)]
    pub authority: PublicKey,
    /// Signs [`MoveHolder`].
    #[n(2)]
    pub manage: PublicKey,
}

/// Signed by the manage key, or by the root when it is given.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MoveHolder {
    /// Whom.
    #[n(0)]
    pub holder: HolderId,
    /// New authority key.
    #[n(1)]
    pub authority: PublicKey,
    /// New manage key.
    #[n(2)]
    pub manage: PublicKey,
    /// One more than the last.
    #[n(3)]
    pub sequence: u64,
    /// The root key, when it signs instead of the manage key.
    #[n(4)]
    pub root: Option<PublicKey>,
}

/// Signed by the issuing desk's credential key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AnchorReport {
    /// The report.
    #[n(0)]
    pub commitment: Commitment,
    /// Of role issuer.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// For whom it is.
    #[n(2)]
    pub destination: Destination,
}

/// Signed by the issuing desk's credential key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SupersedeReport {
    /// The new version.
    #[n(0)]
    pub commitment: Commitment,
    /// Of role issuer.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// For whom it is.
    #[n(2)]
    pub destination: Destination,
    /// The version that it replaces; the same organisation's.
    #[n(3)]
    pub replaces: Commitment,
    /// Why.
    #[n(4)]
    pub why: String,
}

/// Signed by the ticket key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BindTicket {
    /// The report.
    #[n(0)]
    pub commitment: Commitment,
    /// Whose wallet keeps it.
    #[n(1)]
    pub holder: HolderCommitment,
    /// Fresh; gates seal the ticket's half to it.
    #[n(2)]
    pub seal: PublicKey,
    /// Fresh; signs requests for the blobs, and "kept".
    #[n(3)]
    pub request: PublicKey,
}

/// Signed by the issuing desk's credential key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CancelTicket {
    /// The report.
    #[n(0)]
    pub commitment: Commitment,
    /// Of role issuer.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// Why.
    #[n(2)]
    pub why: String,
}

/// For whom a report is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Destination {
    /// Whoever holds the ticket.
    #[n(0)]
    Ticket(
        /// The one-use ticket key.
        #[n(0)]
        PublicKey,
        /// Unbound, it ends here.
        #[n(1)]
        u64,
        /// Digest of the share commitments of the ticket's half.
        #[n(2)]
        Digest,
    ),
    /// A known patient's wallet.
    #[n(1)]
    Holder(#[n(0)] HolderCommitment),
}

/// Signed by the fresh grant key that it carries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IssueGrant {
    /// Names the grant: [`GrantId::of`].
    #[n(0)]
    pub key: PublicKey,
    /// What it allows.
    #[n(1)]
    pub kind: Kind,
    /// Its private half is the secret of the consent offer.
    #[n(2)]
    pub offer: PublicKey,
    /// What the grantee must act as.
    #[n(3)]
    pub role: Role,
    /// Seconds from inclusion to the end.
    #[n(4)]
    pub duration: u64,
    /// Seconds from inclusion in which it may be accepted.
    #[n(5)]
    pub accept_within: u64,
    /// Redemptions, 1 to 1000.
    #[n(6)]
    pub uses: u64,
    /// Least seconds between two redemptions.
    #[n(7)]
    pub interval: u64,
    /// Records, 1 to 256; numbered from 0.
    #[n(8)]
    pub records: u64,
    /// Digest of the share commitments of all records and gates.
    #[n(9)]
    pub shares: Digest,
    /// To whom, what and whose; sealed to the auditor.
    #[cbor(n(10), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
    /// The grantee's certificate is sealed to it.
    #[n(11)]
    pub reply: PublicKey,
    /// Last second in which it may be included.
    #[n(12)]
    pub include_before: u64,
}

/// What a grant allows. 2 to 4 are reserved for dispense, referral, emergency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// To read.
    #[n(0)]
    Read,
    /// To read and to settle one payer slot of an invoice.
    #[n(1)]
    Claim,
}

impl Kind {
    /// What a grantee of this role is given: insurers settle, all others read.
    pub const fn of(role: Role) -> Self {
        if Slot::of(role).is_some() { Self::Claim } else { Self::Read }
    }
}

/// Signed by the grantee key of the credential.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AcceptGrant {
    /// Which.
    #[n(0)]
    pub grant: GrantId,
    /// Of the grant's role.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// Signed by the offer key: it never leaves the desk, so nobody can take the grant over in passing.
    #[n(2)]
    pub acceptance: Signed<Acceptance>,
}

/// What the offer key signs: this grant is for these keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Acceptance {
    /// Which grant.
    #[n(0)]
    pub grant: GrantId,
    /// The grantee key of the credential.
    #[n(1)]
    pub grantee: PublicKey,
    /// The box key of the credential.
    #[n(2)]
    pub box_key: PublicKey,
}

impl Object for Acceptance {
    const NAME: &'static str = "acceptance";
}

/// Signed by the grantee key that accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RedeemGrant {
    /// Which.
    #[n(0)]
    pub grant: GrantId,
    /// With the keys that accepted.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// The number of this use, from 1.
    #[n(2)]
    pub use_number: u64,
    /// Which records, ascending.
    #[n(3)]
    pub records: Vec<u64>,
    /// A fresh key; gates seal their shares to it.
    #[n(4)]
    pub epk: PublicKey,
    /// Who reads, signed by that person; sealed to the auditor.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
}

/// Signed by the grant key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevokeGrant {
    /// Which.
    #[n(0)]
    pub grant: GrantId,
}

/// An organisation vouches for one desk, for at most 24 hours; signed by its acceptance key. Persons are not
/// on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Credential {
    /// The organisation.
    #[n(0)]
    pub party: PartyId,
    /// What the desk acts as.
    #[n(1)]
    pub role: Role,
    /// Fresh; signs the desk's transactions.
    #[n(2)]
    pub grantee: PublicKey,
    /// Fresh; is sealed to.
    #[n(3)]
    pub box_key: PublicKey,
    /// The first second in which it no longer holds.
    #[n(4)]
    pub expiry: u64,
}

impl Object for Credential {
    const NAME: &'static str = "credential";
}
