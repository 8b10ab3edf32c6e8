//! Claim tags (PROTOCOL §6): for each payer slot of an invoice a key pair that only this hospital can make, and
//! makes again when it issues the invoice again. Its public half stands on the ledger once the slot is settled; its
//! private half travels in a disclosure group of its own, to one class of insurer in a claim grant.
//!
//! **The secret never leaves the hospital**, and its tags can't be told from random keys: nobody finds an invoice by
//! its number.

use super::{GroupOpening, InvoiceNumber, ReportError, Salt16, claim};
use crate::cbor;
use crate::contract::{Party, Slot, TagProof, Voucher};
use crate::fhir::Json;
use crate::id::{GrantId, LedgerId, PartyId, TagId};
use crate::sm::{Key32, Label, PublicKey, Random, SecretKey, Signed};
use zeroize::Zeroizing;

const TAG: Label = Label::new("claim-tag");

/// The reserved paths of the tags' groups, by slot.
const PATHS: [(&str, Slot); 2] = [("#tag-statutory", Slot::Statutory), ("#tag-commercial", Slot::Commercial)];

/// The slot whose tag stands under a path; none for other paths.
pub(super) fn slot_at(path: &str) -> Option<Slot> {
    PATHS.iter().find(|(known, _)| *known == path).map(|(_, slot)| *slot)
}

/// One payer slot of an invoice, with the key that settles it.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct ClaimTag {
    /// t.
    #[n(0)]
    key: SecretKey,
    /// The hospital's word for T.
    #[n(1)]
    voucher: Signed<Voucher>,
}

impl ClaimTag {
    /// Both slots' tags of an `Invoice`, in the order in which they pay: t = HKDF-SM3(secret, label ‖ slot ‖ number).
    /// Made again, they are the same, whatever else has changed in the invoice.
    ///
    /// `secret` is the hospital's for all its invoices; it must never change, or a slot could be settled twice.
    pub fn both(
        secret: &Key32,
        issuer: &PartyId,
        invoice: &Json,
        voucher_key: &SecretKey,
        ledger: &LedgerId,
    ) -> Result<[Self; 2], ReportError> {
        let number = InvoiceNumber::of(invoice).ok_or(ReportError::Invoice("number"))?;
        Ok(Slot::ALL.map(|slot| {
            let seed = secret.derive(TAG, &[&[slot as u8], number.as_str().as_bytes()]);
            let key = SecretKey::derive(seed.as_bytes(), TAG);
            let voucher = Voucher { issuer: issuer.clone(), tag: key.public(), slot };
            Self { voucher: Signed::new(&voucher, voucher_key, ledger), key }
        }))
    }

    /// The same for a report that is to be issued: both slots' tags, or none where it has no invoice. What a hospital's
    /// desk and `suishen issue` hand to [`Manifest::make_claimable`](super::Manifest::make_claimable).
    pub fn of_report(
        secret: &Key32,
        issuer: &PartyId,
        fhir: &[u8],
        voucher_key: &SecretKey,
        ledger: &LedgerId,
    ) -> Result<Vec<Self>, ReportError> {
        let report = Json::parse(fhir)?;
        let Some(invoice) = claim::resource_in(&report)? else { return Ok(Vec::new()) };
        Self::both(secret, issuer, invoice, voucher_key, ledger).map(Vec::from)
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
        &self.voucher
    }

    /// The tag's word for this grant and this key, for the ledger.
    pub fn prove(&self, grant: GrantId, grantee: PublicKey, ledger: &LedgerId) -> Signed<TagProof> {
        Signed::new(&TagProof { grant, grantee }, &self.key, ledger)
    }

    /// Whether the hospital vouches for it by a key that it has or had: a desk asks before it settles.
    pub fn check(&self, issuer: &Party, ledger: &LedgerId) -> Result<Voucher, ReportError> {
        let key = issuer.vouchers.iter().find(|key| key.key_id() == self.voucher.kid());
        let key = key.ok_or(ReportError::Tag)?;
        self.voucher.verify(key, ledger).map_err(|_| ReportError::Tag)
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
        let bytes = Zeroizing::new(cbor::encode(self));
        let text = Json::String(data_encoding::BASE64URL_NOPAD.encode(&bytes)).to_text();
        Ok(GroupOpening { salt: Salt16::generate(random), elements: vec![(path.to_owned(), text)] })
    }

    /// Reads a disclosure group of this hospital's: the key is the one vouched for, in the slot of the path.
    pub(super) fn read(slot: Slot, text: &str, issuer: &PartyId) -> Result<Self, ReportError> {
        let Ok(Json::String(text)) = Json::parse(text.as_bytes()) else { return Err(ReportError::Tag) };
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ReportError::Tag)?;
        let tag: Self = cbor::decode(&Zeroizing::new(bytes)).map_err(|_| ReportError::Tag)?;
        let expected = Voucher { issuer: issuer.clone(), tag: tag.key.public(), slot };
        if tag.claimed()? == expected { Ok(tag) } else { Err(ReportError::Tag) }
    }

    fn claimed(&self) -> Result<Voucher, ReportError> {
        self.voucher.claimed().map_err(|_| ReportError::Tag)
    }
}
