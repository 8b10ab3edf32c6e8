//! What the model proposes about claims.

use super::super::*;
use super::model::Run;
use super::naive::Attempt;
use super::pool::{CODES, k};
use super::world::*;
use crate::consent::{REVERSAL_BOX, SETTLEMENT_BOX, USE_BOX};
use crate::id::GrantId;
use crate::sm::PublicKey;

impl Run<'_> {
    /// One of a few invoices' slots, mostly vouched for by the hospital's key.
    fn voucher(&mut self, slot: Slot) -> (Voucher, PublicKey) {
        let (issuer, signer) = match self.dice.below(16) {
            0 => ("91LATE", k(70)),
            1 => ("91SHORT", k(70)),
            2 => ("91SHORT", k(310)),
            _ => (HOSPITAL, k(70)),
        };
        let signer = if self.dice.one_in(24) { k(398) } else { signer };
        let slot = if self.dice.one_in(16) { self.dice.pick(&Slot::ALL) } else { slot };
        (Voucher { issuer: party(issuer), tag: k(270 + self.small(4)), slot }, signer)
    }

    pub fn settle(&mut self) -> Attempt {
        let (wanted, now) = (self.dice.below(11), self.now);
        let (id, _) = self.grant(|naive, id| match (naive.issued(id), wanted) {
            (None, _) => false,
            (Some(_), 0) => true,
            (Some(_), 1) => naive.accepted_by(id).is_some(),
            (Some((grant, _)), 2..5) => grant.kind == Kind::Claim,
            (Some((grant, at)), _) => {
                let open = grant.kind == Kind::Claim && now < at + grant.duration;
                open && !naive.redemptions(id).is_empty()
            }
        });
        self.wait_for_an_edge(&id);
        let role = self.naive.issued(&id).map_or(Role::InsurerCommercial, |(grant, _)| grant.role);
        let slot = Slot::of(role).unwrap_or(Slot::Commercial);
        let credential = self.credential_that_accepted(&id, role);
        let voucher = self.voucher(slot);
        let mut proof = TagProof { grant: id };
        let mut include_before = self.now + 600;
        let mut signer = voucher.0.tag;
        let mut size = SETTLEMENT_BOX;
        match self.dice.below(20) {
            0 => signer = k(270 + self.small(6)),
            1 => proof.grant = GrantId::from_bytes([0; 32]),
            2 => include_before = self.dice.pick(&[self.now - 1, self.now + 661, u64::MAX]),
            3 => size = self.dice.pick(&[0, SETTLEMENT_BOX - 1, SETTLEMENT_BOX + 1, USE_BOX]),
            _ => {}
        }
        let (under_key, under_tag) = (forged(&voucher.0, &voucher.1), forged(&proof, &signer));
        // What differs from the settlement before, where a slot was reversed and is settled again.
        let filling = u8::try_from(self.dice.below(200)).expect("a byte");
        let mut attempt = self.with_credential(credential, |credential| {
            Transaction::SettleClaim(SettleClaim {
                grant: id,
                credential,
                voucher: under_key,
                proof: under_tag,
                auditor_box: vec![filling; size],
                include_before,
            })
        });
        (attempt.voucher, attempt.proof) = (Some(voucher), Some((proof, signer)));
        attempt
    }

    pub fn reverse(&mut self) -> Attempt {
        let settled: Vec<_> = self
            .naive
            .accepted
            .iter()
            .filter(|a| matches!(a.transaction, Transaction::SettleClaim(_)))
            .filter_map(|a| a.voucher.clone())
            .filter(|(voucher, _)| self.naive.settlement(voucher).is_some())
            .collect();
        let voucher = if settled.is_empty() || self.dice.one_in(6) {
            let slot = self.dice.pick(&Slot::ALL);
            self.voucher(slot)
        } else {
            self.dice.pick(&settled)
        };
        let settlement = self.naive.settlement(&voucher.0);
        let (code, role, settlement) = match (self.dice.below(13), settlement) {
            (0 | 1, _) => (voucher.0.issuer.as_str().to_owned(), Role::Issuer, None),
            (2..5, _) => (self.dice.pick(&CODES).to_owned(), Role::Issuer, None),
            (5..8, _) | (_, None) => {
                let own = voucher.0.slot.role();
                let role = self.dice.pick(&[own, own, own, Role::InsurerStatutory, Role::Physician]);
                (
                    self.dice.pick(&CODES).to_owned(),
                    role,
                    Some(Settled { grant: GrantId::from_bytes([0; 32]), entry: 1 }),
                )
            }
            (_, Some((party, settled))) => (party.as_str().to_owned(), voucher.0.slot.role(), Some(settled)),
        };
        let settlement = match (settlement, self.dice.below(24)) {
            (_, 0) => None,
            (Some(settled), 1) => Some(Settled { entry: settled.entry + 1, ..settled }),
            (settlement, _) => settlement,
        };
        let desk = self.small(4);
        let credential = self.credential(&code, role, desk);
        let (mut size, mut include_before) = (REVERSAL_BOX, self.now + 600);
        let (insurers, hospitals) = (ReversalReason::Duplicate, ReversalReason::Reversed);
        let mut why = if role == Role::Issuer { hospitals } else { insurers };
        match self.dice.below(24) {
            0 => why = if role == Role::Issuer { insurers } else { hospitals },
            1 => size = self.dice.pick(&[0, REVERSAL_BOX - 1, SETTLEMENT_BOX]),
            2 => include_before = self.dice.pick(&[self.now - 1, self.now + 661]),
            _ => {}
        }
        let filling = u8::try_from(self.dice.below(200)).expect("a byte");
        let signed = forged(&voucher.0, &voucher.1);
        let mut attempt = self.with_credential(credential, |credential| {
            Transaction::ReverseClaim(ReverseClaim {
                credential,
                voucher: signed,
                settlement,
                why,
                auditor_box: vec![filling; size],
                include_before,
            })
        });
        attempt.voucher = Some(voucher);
        attempt
    }
}
