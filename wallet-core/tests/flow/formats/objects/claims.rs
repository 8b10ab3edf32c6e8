//! A claim settled, reversed, settled again, its invoice reversed.

use super::{Found, Story};
use crate::sharing::{Sharing, redeem};
use suishen_core::audit::{AuditStatement, ReportFile};
use suishen_core::consent::{
    Answer, AuditorLook, AuditorReversal, AuditorSettlement, Choice, Disclosure, Reversing,
};
use suishen_core::contract::ReversalReason::{Duplicate, Error, OnPaper, PaidBack, Reversed};
use suishen_core::contract::{Role, SettleClaim, Settled, Slot, TagProof, Transaction, Views as _, Voucher};
use suishen_core::id::TagId;
use suishen_core::report::{ClaimTag, InvoiceNumber, Money, TagRequest};
use suishen_core::sm::{Digest, Key32, SecretKey, Signed};

impl Story {
    pub fn claims(&mut self, found: &mut Found) {
        let (world, record) = (&mut self.world, &self.records[0]);
        let role = Role::InsurerCommercial;
        let choice = Choice { role, duration: 86_400, accept_within: 3600, uses: 1, live: false };
        let drafts = vec![record.in_groups(record.openings.clone())];
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
        let paid = Money::parse("1280.50", "CNY").unwrap();
        let mut told = AuditorSettlement {
            grant,
            tag: TagId::of(&voucher),
            invoice: Digest::of(b"0038217745"),
            anchor: [7; 8],
            claimed: paid.clone(),
            paid,
            reason: String::new(),
        };
        let seed = Key32::generate(&mut world.random);
        let auditor = world.state.auditor().unwrap().box_key().unwrap();
        let signed = Signed::new(&voucher, &world.voucher, &ledger);
        let proof = Signed::new(&TagProof { grant }, &tag, &ledger);
        let settle = Transaction::SettleClaim(SettleClaim {
            grant,
            credential: desk.credential.clone(),
            voucher: signed.clone(),
            proof: proof.clone(),
            auditor_box: told.seal(&seed, &auditor, &ledger).unwrap(),
            include_before: world.now + 600,
        });
        let entry = world.send(settle, &desk.grantee).unwrap();
        let reversal = |desk: &crate::people::Desk, settlement, why| AuditorReversal {
            tag: told.tag,
            settlement,
            why,
            words: "重复报销".into(),
            certificate: desk.chain.leaf().to_der().to_vec(),
            presence: Signed::new(
                &Reversing { tag: told.tag, desk: desk.grantee.public() },
                &desk.person,
                &ledger,
            ),
        };
        let issuer = world.issuing_desk();
        let settled = Settled { grant, entry };
        let taken_back = reversal(&desk, Some(settled), Duplicate);
        let voided = reversal(&issuer, None, Reversed);
        for (reversal, desk) in [(&taken_back, &desk), (&voided, &issuer)] {
            let (credential, sealed) = (desk.credential.clone(), (&auditor, &ledger));
            let made = reversal.reverse(signed.clone(), credential, &seed, world.now, sealed).unwrap();
            world.send(made, &desk.grantee).unwrap();
            found.add("auditor-reversal", reversal);
        }
        found.add("settled", &settled);
        found.add("reversing", &Reversing { tag: told.tag, desk: desk.grantee.public() });
        found.add("auditor-look", &AuditorLook { why: "季度例行审计".into(), from: 0, to: 90 });
        let file = ReportFile { name: "audit.html".into(), digest: Digest::of(b"html") };
        found.add("report-file", &file);
        let (tree, map) = (Digest::of(b"tree"), Digest::of(b"map"));
        let statement = AuditStatement { ledger, size: 9, tree, map, time: 1, look: 8, files: vec![file] };
        found.add("audit-statement", &statement);
        found.add("box-key", &world.state.auditor().unwrap().boxes[0]);
        for why in [Error, Duplicate, PaidBack, Reversed, OnPaper] {
            found.add("reversal-reason", &why);
        }
        found.add("disclosure", &Disclosure { groups: record.openings.clone(), proof: Some(proof) });

        let invoice = r#"{"resourceType":"Invoice","identifier":[{"use":"official","value":"0038217745"}]}"#;
        let number = InvoiceNumber::in_report(invoice.as_bytes()).unwrap().unwrap();
        let hospital = world.hospital.id.clone();
        found.add("tag-request", &TagRequest { chain: issuer.chain.clone(), number: number.clone() });
        let secret = Key32::from_bytes([1; 32]);
        for (tag, key) in ClaimTag::both(&secret, &hospital, &number, &world.voucher, &ledger) {
            found.add("claim-tag", &tag);
            found.add("claim-key", &key);
        }
        let claim = world.state.claim(&told.tag).unwrap().unwrap();
        found.add("tag-id", &told.tag);
        let value = suishen_core::cbor::encode(&claim);
        found.add("shown-claim", &suishen_core::proof::log::ShownClaim { id: told.tag, value });
        found.add("reversal", claim.void.as_ref().unwrap());
        for slot in Slot::ALL {
            found.add("payer-slot", &slot);
        }
        let settled = suishen_core::contract::Settlement { party: insurer.id, grant, at: 1, entry: 2 };
        found.add("settlement", &settled);
        found.add("money", &told.paid);
        found.add("auditor-settlement", &told);
        let answer = Answer::Settled(told.clone(), seed.clone(), entry);
        found.add("claim-answer", &answer);
        let reply = sharing.draft.reply.public();
        found.add("drop", &answer.seal(&desk.grantee, &reply, &ledger, &mut world.random).unwrap());
        (told.paid, told.reason) = (Money::parse("0", "CNY").unwrap(), "不在保障期内".into());
        found.add("claim-answer", &Answer::Refused(told));
        found.add("claim-answer", &Answer::Reversed(taken_back, seed));
    }
}
