//! The naive reference's part on claims.

use super::super::*;
use super::naive::{Attempt, Faults, Naive, one, unless};
use crate::id::GrantId;
use crate::sm::PublicKey;

impl Naive<'_> {
    /// The voucher keys that an organisation's registrations named, each once.
    pub fn registered_vouchers(&self, id: &PartyId) -> Vec<PublicKey> {
        let mut vouchers: Vec<PublicKey> = Vec::new();
        for (earlier, _) in self.registrations(id) {
            vouchers.extend(
                earlier.vouchers.iter().filter(|k| !vouchers.contains(k)).copied().collect::<Vec<_>>(),
            );
        }
        vouchers
    }

    fn may_vouch(&self, id: &PartyId, key: &PublicKey) -> bool {
        let rotated = |b: &RotateKeys| b.party == *id && b.which == Rotated::Voucher && b.key == *key;
        self.registered_vouchers(id).contains(key) || self.rotations(rotated) > 0
    }

    /// Who settled a slot last, under which grant and in which entry, unless it was reversed since.
    pub fn settlement(&self, voucher: &Voucher) -> Option<(PartyId, Settled)> {
        let mut settled = None;
        let about = |a: &Attempt| a.voucher.as_ref().is_some_and(|v| v.0 == *voucher);
        for (entry, attempt) in (1..).zip(&self.accepted).filter(|(_, a)| about(a)) {
            match &attempt.transaction {
                Transaction::SettleClaim(body) => {
                    let (credential, _) = attempt.credential.as_ref().expect("settled with one");
                    settled = Some((credential.party.clone(), Settled { grant: body.grant, entry }));
                }
                Transaction::ReverseClaim(body) if body.settlement.is_some() => settled = None,
                _ => {}
            }
        }
        settled
    }

    /// Settlements under a grant and what took them back: the first is one, taken back and settled again it is three.
    fn settled_under(&self, grant: &GrantId) -> usize {
        let about = |a: &&Attempt| match &a.transaction {
            Transaction::SettleClaim(body) => body.grant == *grant,
            Transaction::ReverseClaim(body) => body.settlement.as_ref().is_some_and(|s| s.grant == *grant),
            _ => false,
        };
        self.accepted.iter().filter(about).count() + 1
    }

    fn is_void(&self, voucher: &Voucher) -> bool {
        self.accepted.iter().any(|a| {
            let by_hospital =
                matches!(&a.transaction, Transaction::ReverseClaim(b) if b.settlement.is_none());
            by_hospital && a.voucher.as_ref().is_some_and(|v| v.0 == *voucher)
        })
    }

    fn vouched(&self, attempt: &Attempt) -> Faults {
        let (voucher, signer) = attempt.voucher.as_ref().expect("these kinds carry one");
        if self.registrations(&voucher.issuer).next().is_none() {
            return one(Rejection::UnknownParty);
        }
        unless(self.may_vouch(&voucher.issuer, signer), Rejection::Voucher)
    }

    pub fn settle(&self, attempt: &Attempt, body: &SettleClaim, now: u64) -> Faults {
        let Some((grant, issued)) = self.issued(&body.grant) else { return one(Rejection::UnknownGrant) };
        let mut faults = self.desk(attempt, grant.role, now);
        faults.extend(self.vouched(attempt));
        let (credential, _) = attempt.credential.as_ref().expect("these kinds carry one");
        let (voucher, _) = attempt.voucher.as_ref().expect("these kinds carry one");
        let (proof, signer) = attempt.proof.as_ref().expect("a settlement carries one");
        faults.extend(unless(*signer == voucher.tag, Rejection::TagSignature));
        faults.extend(unless(proof.grant == body.grant, Rejection::TagProof));
        let soon = now <= body.include_before && body.include_before <= now + 660;
        faults.extend(unless(soon, Rejection::IncludeBefore));
        faults.extend(unless(body.auditor_box.len() == 593, Rejection::AuditorBox));
        faults.extend(unless(grant.kind == Kind::Claim, Rejection::NotAClaim));
        faults.extend(unless(grant.role == voucher.slot.role(), Rejection::WrongSlot));
        faults.extend(self.grantee(&body.grant, credential));
        faults.extend(unless(!self.redemptions(&body.grant).is_empty(), Rejection::NotRedeemed));
        faults.extend(unless(!self.revoked(&body.grant), Rejection::GrantRevoked));
        faults.extend(unless(now < issued + grant.duration, Rejection::GrantExpired));
        faults.extend(unless(!self.is_void(voucher), Rejection::ClaimVoid));
        faults.extend(unless(self.settlement(voucher).is_none(), Rejection::ClaimSettled));
        faults.extend(unless(self.settled_under(&body.grant) <= 32, Rejection::GrantExhausted));
        faults
    }

    pub fn reverse(&self, attempt: &Attempt, body: &ReverseClaim, now: u64) -> Faults {
        let (credential, _) = attempt.credential.as_ref().expect("these kinds carry one");
        let (voucher, _) = attempt.voucher.as_ref().expect("these kinds carry one");
        let mut faults = self.vouched(attempt);
        faults.extend(unless(body.auditor_box.len() == 3665, Rejection::AuditorBox));
        let soon = now <= body.include_before && body.include_before <= now + 660;
        faults.extend(unless(soon, Rejection::IncludeBefore));
        let hospitals = [ReversalReason::Reversed, ReversalReason::OnPaper].contains(&body.why);
        faults.extend(unless(hospitals == (credential.role == Role::Issuer), Rejection::ReversalReason));
        if credential.role == Role::Issuer {
            faults.extend(self.desk(attempt, Role::Issuer, now));
            let own = credential.party == voucher.issuer && body.settlement.is_none();
            faults.extend(unless(own, Rejection::OtherVoucher));
            faults.extend(unless(!self.is_void(voucher), Rejection::ClaimVoid));
            return faults;
        }
        faults.extend(self.desk(attempt, voucher.slot.role(), now));
        let other = Slot::ALL.iter().any(|s| *s != voucher.slot && s.role() == credential.role);
        faults.extend(unless(!other, Rejection::WrongSlot));
        match self.settlement(voucher) {
            None => faults.extend(one(Rejection::NotSettled)),
            Some((party, settled)) => {
                let own = party == credential.party && body.settlement == Some(settled);
                faults.extend(unless(own, Rejection::OtherInsurer));
            }
        }
        faults
    }
}
