//! A claim settled, reversed, settled again, its invoice reversed.

use super::{Found, Story};
use crate::sharing::{Sharing, redeem};
use suishen_core::consent::{Answer, AuditorSettlement, Choice, Decision};
use suishen_core::contract::{
    ReverseClaim, Role, SettleClaim, Slot, TagProof, Transaction, Views as _, Voucher,
};
use suishen_core::fhir::Json;
use suishen_core::id::TagId;
use suishen_core::report::{ClaimTag, Money};
use suishen_core::sm::{Digest, Key32, SecretKey, Signed};

impl Story {
    pub fn claims(&mut self, found: &mut Found) {
        let (world, record) = (&mut self.world, &self.records[0]);
        let role = Role::InsurerCommercial;
        let choice = Choice { role, duration: 86_400, accept_within: 3600, uses: 1, live: false };
        let drafts = vec![record.whole()];
        let names = [record.commitment];
        let sharing = Sharing::draft_for(world, &self.patient, &names, drafts, choice).unwrap().send(world);
        let insurer = world.insurer.clone();
        let desk = world.claims_desk(&insurer, role);
        sharing.accept(world, &desk).unwrap();
        redeem(world, &sharing, &desk, 1).unwrap();

        let (grant, ledger) = (sharing.grant(), world.ledger);
        let tag = SecretKey::generate(&mut world.random);
        let voucher =
            Voucher { issuer: world.hospital.id.clone(), tag: tag.public(), slot: Slot::Commercial };
        let mut told = AuditorSettlement {
            grant,
            tag: TagId::of(&voucher),
            invoice: Digest::of(b"0038217745"),
            paid: Money::parse("1280.50", "CNY").unwrap(),
            decision: Decision::Whole,
            reason: String::new(),
        };
        let seed = Key32::generate(&mut world.random);
        let auditor = world.state.auditor().unwrap().box_key;
        let signed = Signed::new(&voucher, &world.voucher, &ledger);
        let proof = TagProof { grant, grantee: desk.grantee.public() };
        let settle = Transaction::SettleClaim(SettleClaim {
            grant,
            credential: desk.credential.clone(),
            voucher: signed.clone(),
            proof: Signed::new(&proof, &tag, &ledger),
            auditor_box: told.seal(&seed, &auditor, &ledger).unwrap(),
        });
        world.send(settle, &desk.grantee).unwrap();
        let reverse = |desk: &crate::people::Desk, grant, why: &str| {
            let (credential, voucher) = (desk.credential.clone(), signed.clone());
            Transaction::ReverseClaim(ReverseClaim { credential, voucher, grant, why: why.into() })
        };
        world.send(reverse(&desk, Some(grant), "重复报销"), &desk.grantee).unwrap();
        let issuer = world.issuing_desk();
        world.send(reverse(&issuer, None, "冲红"), &issuer.grantee).unwrap();

        let invoice = Json::parse(r#"{"identifier":[{"value":"0038217745"}]}"#.as_bytes()).unwrap();
        let hospital = world.hospital.id.clone();
        let both = ClaimTag::both(&Key32::from_bytes([1; 32]), &hospital, &invoice, &world.voucher, &ledger);
        for tag in both.unwrap() {
            found.add("claim-tag", &tag);
        }
        let claim = world.state.claim(&told.tag).unwrap().unwrap();
        found.add("tag-id", &told.tag);
        found.add("reversal", claim.void.as_ref().unwrap());
        for slot in Slot::ALL {
            found.add("payer-slot", &slot);
        }
        let settled = suishen_core::contract::Settlement { party: insurer.id, grant, at: 1, entry: 2 };
        found.add("settlement", &settled);
        found.add("money", &told.paid);
        found.add("auditor-settlement", &told);
        let answer = Answer { told: told.clone(), seed: Some(seed) };
        found.add("claim-answer", &answer);
        let reply = sharing.draft.reply.public();
        found.add("drop", &answer.seal(&desk.grantee, &reply, &ledger, &mut world.random).unwrap());
        (told.decision, told.reason) = (Decision::Refused, "不在保障期内".into());
        found.add("claim-answer", &Answer { told, seed: None });
        for decision in [Decision::Whole, Decision::Partly, Decision::Refused] {
            found.add("decision", &decision);
        }
    }
}
