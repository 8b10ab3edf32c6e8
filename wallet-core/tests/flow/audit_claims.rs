//! What the auditor finds of claims: sums, second tags, invoices that were gone, boxes and reversals that lie.

use crate::audit::{Audited, audit, audit_within};
use crate::claims::{Scene as Claim, issued};
use crate::people::Desk;
use crate::records::Kept;
use suishen_core::audit::report::{Content, Facts, Language, Listed, page};
use suishen_core::audit::{BoxKeys, Boxed, Gone, Row, Thresholds, Wrong};
use suishen_core::cbor;
use suishen_core::consent::{
    AuditorReversal, AuditorSettlement, BoxFault, Decision, SETTLEMENT_BOX, SETTLEMENT_TEXT,
};
use suishen_core::contract::{
    Rejection, ReversalReason, Role, SettleClaim, Settled, Slot, SuspendParty, Transaction,
};
use suishen_core::id::{GrantId, LedgerId, TagId};
use suishen_core::report::{ClaimTag, InvoiceNumber, Money};
use suishen_core::sm::{Digest, Key32, Label, pad, sealed};

/// What an insurer writes into its box instead.
type Lie = fn(&mut AuditorSettlement);
/// What happens to an invoice before it is settled.
type Happens = fn(&mut Claim);

fn audit_claim(scene: &Claim) -> Audited {
    audit(&scene.world, &[&scene.world.auditor_box])
}

#[test]
fn claims_are_counted_by_insurer_and_slot_and_what_is_taken_back_is_not_paid() {
    let mut scene = issued();
    let (insurer, fund) = (scene.world.insurer.clone(), scene.world.fund.clone());
    let (first, second) =
        (scene.opened_by(&insurer, Slot::Commercial), scene.opened_by(&fund, Slot::Statutory));
    scene.settle(&first, "7927.86");
    scene.settle(&second, "19862.44");
    let key = (insurer.id.clone(), Slot::Commercial, "CNY".to_owned());
    let audited = audit_claim(&scene);
    assert_eq!(audited.findings, []);
    let claims = &audited.tables.claims[&key];
    assert_eq!((claims.partly, claims.claimed, claims.paid), (1, 992_786, 792_786));
    let settled = audited.settlements();
    let told = settled[0].told.opened().unwrap();
    assert_eq!((told.decision, told.reason.as_str()), (Decision::Partly, "超出约定的自费项目"));
    assert_eq!((&settled[0].issuer, settled[1].slot), (&scene.world.hospital.id, Slot::Statutory));

    let desk = first.desk.clone();
    scene.reverse(&desk, &first.shown.tag, false).unwrap();
    let audited = audit_claim(&scene);
    assert_eq!(audited.findings, []);
    let claims = &audited.tables.claims[&key];
    assert_eq!((claims.partly, claims.reversed, claims.paid), (1, 1, 0));
    let Some(Row::Reversal(reversal)) = audited.rows.last() else { panic!("a reversal") };
    let (who, words) = reversal.told.opened().unwrap();
    assert_eq!((who.name.as_str(), words.as_str()), ("赵岚", "票据重复报销"));
    assert_eq!(reversal.why, ReversalReason::Duplicate);
    let mut listed = Listed::default();
    audited.rows.iter().for_each(|row| listed.take(row));
    assert_eq!((listed.reads.lines().count(), listed.reversals.lines().count()), (2, 1));
    for (language, told) in [
        (Language::Chinese, ["审计方", "逐次读取", "撤销与作废", "重复报销", "赵岚", "票据重复报销"]),
        (
            Language::English,
            ["Auditor", "Reads one by one", "Taken back", "paid for elsewhere", "赵岚", "票据重复报销"],
        ),
    ] {
        let page = written(&audited, &listed, language);
        for told in told {
            assert!(page.contains(told), "{told}");
        }
        assert_eq!(page.matches("</tr>").count(), page.matches("<tr").count());
    }
}

fn written(audited: &Audited, listed: &Listed, language: Language) -> String {
    let facts = Facts { ledger: LedgerId::from_bytes([1; 32]), size: 9, founded: 0, last: 0, cosigned: 0 };
    page(&Content {
        language,
        facts,
        look: None,
        days: None,
        tables: &audited.tables,
        listed,
        findings: &[],
        more: 0,
        thresholds: &Thresholds::default(),
        keys: &BoxKeys::default(),
    })
}

#[test]
fn two_tags_for_one_invoice_name_the_hospital_and_both_insurers() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let first = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&first, "7927.86");
    // The hospital makes another tag for the same number.
    let hospital = scene.world.hospital.id.clone();
    let number =
        InvoiceNumber::in_report(include_bytes!("../../../samples/invoice/report.json")).unwrap().unwrap();
    let again = ClaimTag::both(
        &Key32::from_bytes([78; 32]),
        &hospital,
        &number,
        &scene.world.voucher,
        &scene.world.ledger,
    );
    let json = include_bytes!("../../../samples/invoice/report.json");
    scene.record = Kept::invoice(&mut scene.world, &scene.patient, json, &again);
    let second = scene.opened_by(&rival, Slot::Commercial);
    scene.settle(&second, "7927.86");
    let audited = audit_claim(&scene);
    let Wrong::TwoTags { issuer, first: (entry, by), both } = &audited.one().what else { panic!("two tags") };
    assert_eq!((issuer, by, both), (&hospital, &insurer.id, &true));
    assert_eq!(*entry, audited.settlements()[0].at.entry);
    assert_eq!(audited.one().signer.party.as_ref(), Some(&rival.id));
    // The person who opened the claim answers for it.
    assert_eq!(audited.one().signer.person.as_ref().unwrap().name, "赵岚");
    // Taken back before, it is still two tags, and nothing is paid twice.
    let desk = first.desk.clone();
    scene.reverse(&desk, &first.shown.tag, false).unwrap();
    assert_eq!(audit_claim(&scene).findings.len(), 1);
}

#[test]
fn what_was_settled_after_the_hospital_took_the_invoice_back_is_found() {
    let after: [(Happens, Gone); 3] = [
        (|scene| scene.record.clone().cancel(&mut scene.world), Gone::Cancelled),
        (|scene| scene.record.clone().supersede(&mut scene.world), Gone::Replaced),
        (
            |scene| {
                let (party, from) = (scene.world.hospital.id.clone(), scene.world.now - 3600);
                let votes = scene.world.votes(&Transaction::SuspendParty(SuspendParty {
                    party,
                    from,
                    why: "吊销".into(),
                }));
                scene.world.order(votes).unwrap();
            },
            Gone::Suspended,
        ),
    ];
    for (happens, gone) in after {
        let mut scene = issued();
        let insurer = scene.world.insurer.clone();
        let by = scene.opened_by(&insurer, Slot::Commercial);
        let before = scene.standing(&by).unwrap();
        happens(&mut scene);
        let entry = scene.world.leaves.len() as u64 - 1;
        assert!(scene.standing(&by).is_err(), "an honest insurer looks");
        scene.settle_by(&by, "7927.86", &before).unwrap();
        let audited = audit_claim(&scene);
        assert_eq!(audited.one().what, Wrong::Settled(gone, entry));
        assert_eq!(audited.one().signer.party.as_ref(), Some(&insurer.id));
    }
}

#[test]
fn a_voided_invoice_is_not_settled_and_one_that_was_paid_before_is_found_until_taken_back() {
    let mut scene = issued();
    let (insurer, issuer) = (scene.world.insurer.clone(), scene.world.issuing_desk());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let before = scene.standing(&by).unwrap();
    scene.settle(&by, "7927.86");
    let void = scene.reverse(&issuer, &by.shown.tag, true).unwrap();
    assert_eq!(scene.settle_by(&by, "1.00", &before).err(), Some(Rejection::ClaimVoid));
    let audited = audit_claim(&scene);
    assert_eq!(audited.one().what, Wrong::PaidVoid { void });
    assert_eq!(audited.one().signer.party.as_ref(), Some(&insurer.id));
    assert_eq!(audited.tables.voided[&scene.world.hospital.id], 1);
    let desk = by.desk.clone();
    scene.reverse(&desk, &by.shown.tag, false).unwrap();
    assert_eq!(audit_claim(&scene).findings, []);
}

#[test]
fn a_payment_and_its_void_are_seen_across_the_edges_of_what_is_looked_at() {
    let mut scene = issued();
    let (insurer, issuer) = (scene.world.insurer.clone(), scene.world.issuing_desk());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86");
    let paid = scene.world.leaves.len() as u64 - 1;
    let void = scene.reverse(&issuer, &by.shown.tag, true).unwrap();
    let within = |scene: &Claim, range| audit_within(&scene.world, &[&scene.world.auditor_box], range);
    // Voided after the period, and paid before it: the finding is of both, and nothing beyond is opened or counted.
    for range in [paid..void, void..void + 1] {
        let audited = within(&scene, range.clone());
        assert_eq!(audited.one().what, Wrong::PaidVoid { void });
        assert_eq!((audited.one().at.entry, audited.rows.len()), (paid, 1));
        assert_eq!(audited.one().signer.party.as_ref(), Some(&insurer.id));
        assert_eq!(audited.tables.claims.is_empty(), range.start == void);
    }
    assert_eq!(within(&scene, 0..paid).findings, []);
    // Taken back after the period, it is paid in it and nothing is wrong.
    let desk = by.desk.clone();
    let back = scene.reverse(&desk, &by.shown.tag, false).unwrap();
    let audited = within(&scene, paid..back);
    assert_eq!(audited.findings, []);
    let key = (insurer.id.clone(), Slot::Commercial, "CNY".to_owned());
    assert_eq!((audited.tables.claims[&key].paid, audited.tables.claims[&key].reversed), (792_786, 0));
    // In the next period it is taken back, and how much isn't known there.
    let key = (insurer.id, Slot::Commercial, String::new());
    assert_eq!(within(&scene, back..back + 1).tables.claims[&key].reversed, 1);
}

#[test]
fn a_settlement_whose_box_tells_of_another_slot_or_no_report_is_found() {
    let ledger = issued().world.ledger;
    let lies: [(Lie, Wrong); 4] = [
        (|told| told.tag = TagId::from_bytes([1; 32]), Wrong::Box(Boxed::Settlement, BoxFault::Other)),
        (|told| told.grant = GrantId::from_bytes([1; 32]), Wrong::Box(Boxed::Settlement, BoxFault::Other)),
        (
            |told| told.paid = Money::parse("99999.00", "CNY").unwrap(),
            Wrong::Box(Boxed::Settlement, BoxFault::Form),
        ),
        (|told| told.anchor = [1; 8], Wrong::Anchor),
    ];
    for (lie, wrong) in lies {
        let mut scene = issued();
        let insurer = scene.world.insurer.clone();
        let by = scene.opened_by(&insurer, Slot::Commercial);
        let witness = scene.standing(&by).unwrap();
        let told = scene.told(&by, "7927.86", "x");
        let (tag, grant, auditor) = (told.tag, told.grant, scene.world.auditor_box.public());
        let seed = Key32::from_bytes([4; 32]);
        let credential = by.desk.credential.clone();
        let honest = told.settle(&by.shown, &witness, credential, &seed, (&auditor, &ledger)).unwrap();
        let Transaction::SettleClaim(honest) = honest else { panic!("a settlement") };
        let mut told = told;
        lie(&mut told);
        let label = Label::new("auditor-settlement");
        let object = Digest::labelled(label, &[grant.as_bytes(), tag.as_bytes()]);
        let text = pad::pad_to(&cbor::encode(&told), SETTLEMENT_TEXT).unwrap();
        let auditor_box = sealed::seal_recomputable(&seed, &auditor, &ledger, &object, label, &text);
        assert_eq!(auditor_box.len(), SETTLEMENT_BOX);
        let body = SettleClaim { auditor_box, ..honest };
        scene.world.send(Transaction::SettleClaim(body), &by.desk.grantee).unwrap();
        let audited = audit_claim(&scene);
        assert_eq!(audited.one().what, wrong);
        assert_eq!(audited.one().signer.desk, Some(by.desk.grantee.public()));
        assert_eq!(audited.one().signer.person.as_ref().unwrap().name, "赵岚");
    }
}

#[test]
fn a_reversal_signed_by_somebody_whom_its_organisation_did_not_certify_is_found() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86");
    // The credential is the insurer's; the certificate in the box is another's.
    let stranger = scene.world.claims_desk(&rival, Role::InsurerCommercial);
    let forged = Desk { grantee: by.desk.grantee.clone(), ..stranger };
    let told: AuditorReversal = scene.reversal(&forged, &by.shown.tag, false);
    assert!(matches!(told.settlement, Some(Settled { .. })));
    let (ledger, auditor) = (scene.world.ledger, scene.world.auditor_box.public());
    let (voucher, credential) = (by.shown.tag.voucher().clone(), by.desk.credential.clone());
    let seed = Key32::from_bytes([3; 32]);
    let made = told.reverse(voucher, credential, &seed, scene.world.now, (&auditor, &ledger)).unwrap();
    scene.world.send(made, &by.desk.grantee).unwrap();
    let audited = audit_claim(&scene);
    assert_eq!(audited.one().what, Wrong::Box(Boxed::Reversal, BoxFault::Certificate));
    assert_eq!(audited.one().signer.party.as_ref(), Some(&insurer.id));
    assert!(!audited.one().signer.proven);
    // It counts all the same: the ledger took it.
    let key = (insurer.id, Slot::Commercial, "CNY".to_owned());
    assert_eq!(audited.tables.claims[&key].reversed, 1);
}
