//! What a settlement and its reversal carry: formats only.

use super::Credential;
use crate::id::{GrantId, PartyId};
use crate::identity::Role;
use crate::sm::{Object, PublicKey, Signed};
use minicbor::{Decode, Encode};

/// Who pays: each slot of an invoice is settled once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Slot {
    /// Statutory insurance; pays first.
    #[n(0)]
    Statutory,
    /// Commercial insurance; pays the self-paid part.
    #[n(1)]
    Commercial,
}

impl Slot {
    /// Both, in the order in which they pay.
    pub const ALL: [Self; 2] = [Self::Statutory, Self::Commercial];

    /// The slot that an insurer of this role settles; none for other roles.
    pub const fn of(role: Role) -> Option<Self> {
        match role {
            Role::InsurerStatutory => Some(Self::Statutory),
            Role::InsurerCommercial => Some(Self::Commercial),
            Role::Issuer | Role::Physician | Role::Pharmacist | Role::Auditor => None,
        }
    }

    /// The role of the insurers that settle it.
    pub const fn role(self) -> Role {
        match self {
            Self::Statutory => Role::InsurerStatutory,
            Self::Commercial => Role::InsurerCommercial,
        }
    }
}

/// Signed by the grantee key that accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SettleClaim {
    /// The claim grant, redeemed before.
    #[n(0)]
    pub grant: GrantId,
    /// With the keys that accepted.
    #[n(1)]
    pub credential: Signed<Credential>,
    /// The hospital's word that the tag is a slot of one of its invoices.
    #[n(2)]
    pub voucher: Signed<Voucher>,
    /// Signed by the tag's key, which is in the patient's wallet: the tag was given under this grant, and whoever saw
    /// it pass, or was shown it under another grant, can't settle.
    #[n(3)]
    pub proof: Signed<TagProof>,
    /// How much, why, of which invoice; sealed to the auditor.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
    /// Ledger time by which it must be included: nobody holds it back and lets it stand later.
    #[n(5)]
    pub include_before: u64,
}

/// Signed by the credential's key: of the insurer that settled, or of the hospital that vouched.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReverseClaim {
    /// The insurer's, in the slot's role, or the hospital's, of role issuer.
    #[n(0)]
    pub credential: Signed<Credential>,
    /// Names the tag.
    #[n(1)]
    pub voucher: Signed<Voucher>,
    /// What is taken back, from the insurer; none from the hospital, which doesn't know it.
    #[n(2)]
    pub settlement: Option<Settled>,
    /// Why.
    #[n(3)]
    pub why: ReversalReason,
    /// Who reversed, in which words; sealed to the auditor.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
    /// Ledger time by which it must be included.
    #[n(5)]
    pub include_before: u64,
}

/// A settlement by the grant that it was made under and the number of its entry: another one under the same grant
/// takes another reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Settled {
    /// Under which grant.
    #[n(0)]
    pub grant: GrantId,
    /// The entry on the ledger.
    #[n(1)]
    pub entry: u64,
}

/// Why a settlement or an invoice no longer counts. Everybody reads it on the ledger; words go into the auditor's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ReversalReason {
    /// From the insurer: settled in error.
    #[n(0)]
    Error,
    /// From the insurer: paid for elsewhere.
    #[n(1)]
    Duplicate,
    /// From the insurer: what was paid came back.
    #[n(2)]
    PaidBack,
    /// From the hospital: the invoice was reversed (冲红).
    #[n(3)]
    Reversed,
    /// From the hospital: the invoice was issued again on paper (换开).
    #[n(4)]
    OnPaper,
}

impl ReversalReason {
    /// Whether it is a hospital's reason and not an insurer's.
    pub const fn is_hospitals(self) -> bool {
        matches!(self, Self::Reversed | Self::OnPaper)
    }
}

/// What a hospital's voucher key signs: this tag is that slot of one of its invoices.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Voucher {
    /// The hospital.
    #[n(0)]
    pub issuer: PartyId,
    /// T, the tag's public half; the same each time the invoice is issued.
    #[n(1)]
    pub tag: PublicKey,
    /// Who pays.
    #[n(2)]
    pub slot: Slot,
}

impl Object for Voucher {
    const NAME: &'static str = "voucher";
}

/// What the tag's key signs: it was given under this grant, whose grantee may settle it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TagProof {
    /// Under which grant.
    #[n(0)]
    pub grant: GrantId,
}

impl Object for TagProof {
    const NAME: &'static str = "tag-proof";
}
