//! Claim tags (PROTOCOL §6): for each payer slot of an invoice a key pair that only this hospital can make, and
//! makes again when it issues the invoice again. Its public half, vouched for by the hospital, is a disclosure group
//! of its own, shown to one class of insurer in a claim grant; it stands on the ledger once the slot is settled.
//!
//! **The private half stays in the wallet** ([`ClaimKey`]): it signs for one grant at a time, so an insurer that was
//! shown an invoice settles it under that grant or not at all, and under none of its own making.
//! **The secret never leaves the hospital**, and its tags can't be told from random keys: nobody finds an invoice by
//! its number.

use super::{GroupOpening, InvoiceNumber, ReportError, Salt16};
use crate::cbor;
use crate::contract::{Party, Slot, TagProof, Voucher};
use crate::fhir::Json;
use crate::id::{GrantId, LedgerId, PartyId, TagId};
use crate::identity::Chain;
use crate::sm::{Key32, Label, Random, SecretKey, Signed};

const TAG: Label = Label::new("claim-tag");

/// The reserved paths of the tags' groups, by slot.
const PATHS: [(&str, Slot); 2] = [("#tag-statutory", Slot::Statutory), ("#tag-commercial", Slot::Commercial)];

/// The slot whose tag stands under a path; none for other paths.
pub(super) fn slot_at(path: &str) -> Option<Slot> {
    PATHS.iter().find(|(known, _)| *known == path).map(|(_, slot)| *slot)
}

/// One payer slot of an invoice, as an insurer of its class is shown it: the hospital's word for T.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct ClaimTag(#[n(0)] Signed<Voucher>);

/// t, a tag's private half: goes to the wallet beside the report's groups, and from there to nobody.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct ClaimKey(#[n(0)] SecretKey);

/// What a hospital's desk asks its organisation's relay, which keeps the secret, before it issues an invoice.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct TagRequest {
    /// The certificates of the person who issues; their key signs the request.
    #[n(0)]
    pub chain: Chain,
    /// The invoice's.
    #[n(1)]
    pub number: InvoiceNumber,
}

impl ClaimKey {
    /// The key that settles this tag, among those of a report.
    pub fn of<'k>(tag: &ClaimTag, keys: &'k [Self]) -> Option<&'k Self> {
        let expected = tag.claimed().ok()?.tag;
        keys.iter().find(|key| key.0.public() == expected)
    }

    /// The tag's word for this grant, for the ledger: the grant's grantee settles by it, and nobody else.
    pub fn prove(&self, grant: GrantId, ledger: &LedgerId) -> Signed<TagProof> {
        Signed::new(&TagProof { grant }, &self.0, ledger)
    }
}

impl ClaimTag {
    /// Both slots' tags of an invoice, in the order in which they pay, each with its private half:
    /// t = HKDF-SM3(secret, label ‖ ledger id ‖ slot ‖ number). Made again, they are the same, whatever else has changed
    /// in the invoice. The tags go to [`Manifest::make_claimable`](super::Manifest::make_claimable), the keys into the
    /// patient's [`TicketContents`](super::TicketContents).
    ///
    /// `secret` is the hospital's for all its invoices; it must never change, or a slot could be settled twice.
    pub fn both(
        secret: &Key32,
        issuer: &PartyId,
        number: &InvoiceNumber,
        voucher_key: &SecretKey,
        ledger: &LedgerId,
    ) -> [(Self, ClaimKey); 2] {
        Slot::ALL.map(|slot| {
            let seed = secret.derive(TAG, &[ledger.as_bytes(), &[slot as u8], number.as_str().as_bytes()]);
            let key = SecretKey::derive(seed.as_bytes(), TAG);
            let voucher = Voucher { issuer: issuer.clone(), tag: key.public(), slot };
            (Self(Signed::new(&voucher, voucher_key, ledger)), ClaimKey(key))
        })
    }

    /// Which payer's.
    pub fn slot(&self) -> Result<Slot, ReportError> {
        Ok(self.claimed()?.slot)
    }

    /// Its name on the ledger.
    pub fn id(&self) -> Result<TagId, ReportError> {
        Ok(TagId::of(&self.claimed()?))
    }

    /// The hospital's voucher, for the ledger.
    pub const fn voucher(&self) -> &Signed<Voucher> {
        &self.0
    }

    /// Whether the hospital vouches for it by a key that it has or had: a desk asks before it settles.
    pub fn check(&self, issuer: &Party, ledger: &LedgerId) -> Result<Voucher, ReportError> {
        let key = issuer.vouchers.iter().find(|key| key.key_id() == self.0.kid());
        let key = key.ok_or(ReportError::Tag)?;
        self.0.verify(key, ledger).map_err(|_| ReportError::Tag)
    }

    /// Its disclosure group.
    pub(super) fn opening(
        &self,
        issuer: &PartyId,
        random: &mut dyn Random,
    ) -> Result<GroupOpening, ReportError> {
        let Voucher { slot, issuer: claimed, .. } = self.claimed()?;
        if claimed != *issuer {
            return Err(ReportError::Tag);
        }
        let path = PATHS.iter().find(|(_, known)| *known == slot).map_or("", |(path, _)| path);
        let text = Json::String(data_encoding::BASE64URL_NOPAD.encode(&cbor::encode(self))).to_text();
        Ok(GroupOpening { salt: Salt16::generate(random), elements: vec![(path.to_owned(), text)] })
    }

    /// Reads a disclosure group of this hospital's, in the slot of the path.
    pub(super) fn read(slot: Slot, text: &str, issuer: &PartyId) -> Result<Self, ReportError> {
        let Ok(Json::String(text)) = Json::parse(text.as_bytes()) else { return Err(ReportError::Tag) };
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ReportError::Tag)?;
        let tag: Self = cbor::decode(&bytes).map_err(|_| ReportError::Tag)?;
        let claimed = tag.claimed()?;
        if claimed.slot == slot && claimed.issuer == *issuer { Ok(tag) } else { Err(ReportError::Tag) }
    }

    fn claimed(&self) -> Result<Voucher, ReportError> {
        self.0.claimed().map_err(|_| ReportError::Tag)
    }
}
