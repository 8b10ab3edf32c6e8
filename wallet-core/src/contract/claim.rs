//! Rules for claims (PROTOCOL §5, §6): each payer slot of an invoice is settled once, at whichever insurer.
//!
//! **A tag alone settles nothing**: the hospital vouched for it, the patient's wallet signed with its private half for
//! this grant, and the grant was redeemed. Whatever the amount, the slot is closed afterwards.

use super::body::{Credential, Kind, ReverseClaim, SettleClaim, Settled, Slot, TagProof, Voucher};
use super::grant::check_grantee;
use super::state::{Key, Views as _};
use super::value::{Claim, Reversal, Settlement};
use super::{Rejection, Step};
use crate::consent::{REVERSAL_BOX, SETTLEMENT_BOX};
use crate::id::TagId;
use crate::identity::Role;

impl Step<'_> {
    /// By the grantee that opened the invoice under an unrevoked claim grant, before its end; of two who try at
    /// once, by whoever comes first in the ledger's order.
    pub(super) fn settle_claim(
        &mut self,
        body: &SettleClaim,
        desk: &Credential,
        voucher: &Voucher,
        proof: &TagProof,
    ) -> Result<(), Rejection> {
        super::check_box_size(&body.auditor_box, SETTLEMENT_BOX)?;
        self.check_included(body.include_before)?;
        if proof.grant != body.grant {
            return Err(Rejection::TagProof);
        }
        let (leaf, terms) = self.grant(&body.grant)?;
        if leaf.kind != Kind::Claim {
            return Err(Rejection::NotAClaim);
        }
        if Slot::of(terms.grant.role) != Some(voucher.slot) {
            return Err(Rejection::WrongSlot);
        }
        check_grantee(&leaf, &terms, desk)?;
        if leaf.uses == 0 {
            return Err(Rejection::NotRedeemed);
        }
        if self.now >= terms.end() {
            return Err(Rejection::GrantExpired);
        }
        self.good_desk(desk, terms.grant.role)?;
        let (id, mut claim) = self.claim_of(voucher)?;
        if claim.void.is_some() {
            return Err(Rejection::ClaimVoid);
        }
        if claim.settlement.is_some() {
            return Err(Rejection::ClaimSettled);
        }
        if !leaf.takes_settlement() {
            return Err(Rejection::GrantExhausted);
        }
        claim.settlement = Some(Settlement {
            party: desk.party.clone(),
            grant: body.grant,
            at: self.now,
            entry: self.number,
        });
        self.put_leaf(&body.grant, leaf);
        self.put(&Key::Claim(id), &claim);
        Ok(())
    }

    /// The hospital's word is for good, settled or not; an insurer takes back only what it settled itself.
    pub(super) fn reverse_claim(
        &mut self,
        body: &ReverseClaim,
        desk: &Credential,
        voucher: &Voucher,
    ) -> Result<(), Rejection> {
        super::check_box_size(&body.auditor_box, REVERSAL_BOX)?;
        self.check_included(body.include_before)?;
        let by_hospital = desk.role == Role::Issuer;
        if body.why.is_hospitals() != by_hospital {
            return Err(Rejection::ReversalReason);
        }
        let (id, mut claim) = self.claim_of(voucher)?;
        let reversal = Some(Reversal { why: body.why, at: self.now, entry: self.number });
        if by_hospital {
            self.good_desk(desk, Role::Issuer)?;
            // A grant named here would have to be extended: the hospital can't know whether it is the right one.
            if desk.party != voucher.issuer || body.settlement.is_some() {
                return Err(Rejection::OtherVoucher);
            }
            if claim.void.is_some() {
                return Err(Rejection::ClaimVoid);
            }
            claim.void = reversal;
        } else {
            if Slot::of(desk.role).is_some_and(|slot| slot != voucher.slot) {
                return Err(Rejection::WrongSlot);
            }
            self.good_desk(desk, voucher.slot.role())?;
            let settlement = claim.settlement.take().ok_or(Rejection::NotSettled)?;
            let named = Settled { grant: settlement.grant, entry: settlement.entry };
            if desk.party != settlement.party || body.settlement != Some(named) {
                return Err(Rejection::OtherInsurer);
            }
            let (leaf, _) = self.grant(&settlement.grant)?;
            self.put_leaf(&settlement.grant, leaf);
            claim.reversal = reversal;
        }
        self.put(&Key::Claim(id), &claim);
        Ok(())
    }

    /// The slot that a voucher names, as it stands: open where nobody has named it before.
    fn claim_of(&self, voucher: &Voucher) -> Result<(TagId, Claim), Rejection> {
        let id = TagId::of(voucher);
        let claim = self.state.claim(&id)?.unwrap_or_else(|| Claim {
            issuer: voucher.issuer.clone(),
            slot: voucher.slot,
            settlement: None,
            reversal: None,
            void: None,
        });
        Ok((id, claim))
    }
}
