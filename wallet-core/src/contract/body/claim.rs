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
    /// Signed by the tag's key: whoever only saw the tag pass can't settle.
    #[n(3)]
    pub proof: Signed<TagProof>,
    /// How much, why, of which invoice; sealed to the auditor.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub auditor_box: Vec<u8>,
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
    /// The grant that was settled under, from the insurer; none from the hospital, which doesn't know it.
    #[n(2)]
    pub grant: Option<GrantId>,
    /// Why. Everybody reads it: no name, no number of an invoice.
    #[n(3)]
    pub why: String,
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

/// What the tag's key signs: this grant and this grantee key settle it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TagProof {
    /// Under which grant.
    #[n(0)]
    pub grant: GrantId,
    /// By which key.
    #[n(1)]
    pub grantee: PublicKey,
}

impl Object for TagProof {
    const NAME: &'static str = "tag-proof";
}
