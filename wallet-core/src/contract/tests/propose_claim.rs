//! What the model proposes about claims.

use super::super::*;
use super::model::Run;
use super::naive::Attempt;
use super::pool::{CODES, k};
use super::world::*;
use crate::consent::{SETTLEMENT_BOX, USE_BOX};
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
        let mut proof = TagProof { grant: id, grantee: credential.0.grantee };
        let mut signer = voucher.0.tag;
        let mut size = SETTLEMENT_BOX;
        match self.dice.below(20) {
            0 => signer = k(270 + self.small(6)),
            1 => proof.grant = GrantId::from_bytes([0; 32]),
            2 => proof.grantee = k(80 + 2 * self.small(4)),
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
        let (code, role, grant) = match (self.dice.below(13), settlement) {
            (0 | 1, _) => (voucher.0.issuer.as_str().to_owned(), Role::Issuer, None),
            (2..5, _) => (self.dice.pick(&CODES).to_owned(), Role::Issuer, None),
            (5..8, _) | (_, None) => {
                let own = voucher.0.slot.role();
                let role = self.dice.pick(&[own, own, own, Role::InsurerStatutory, Role::Physician]);
                (self.dice.pick(&CODES).to_owned(), role, Some(GrantId::from_bytes([0; 32])))
            }
            (_, Some((party, grant))) => (party.as_str().to_owned(), voucher.0.slot.role(), Some(grant)),
        };
        let grant = if self.dice.one_in(24) { None } else { grant };
        let desk = self.small(4);
        let credential = self.credential(&code, role, desk);
        let (signed, why) = (forged(&voucher.0, &voucher.1), self.reason());
        let mut attempt = self.with_credential(credential, |credential| {
            Transaction::ReverseClaim(ReverseClaim { credential, voucher: signed, grant, why })
        });
        attempt.voucher = Some(voucher);
        attempt
    }
}
