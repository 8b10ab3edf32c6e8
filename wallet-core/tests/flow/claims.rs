//! An invoice from the hospital's desk to its settlement: what the insurer sees and what not, what closes a slot, what
//! opens it again, what voids it; and who was told what.

use crate::people::{Desk, Organisation, Patient};
use crate::records::Kept;
use crate::sharing::{Sharing, redeem};
use crate::world::{DAY, World};
use suishen_core::consent::{
    Answer, AnswerFault, AuditorSettlement, Choice, Decision, DraftError, Message, RecordKey,
};
use suishen_core::contract::{
    Entry, Key, Rejection, ReverseClaim, Role, RotateKeys, Rotated, SettleClaim, Slot, Transaction,
    Views as _,
};
use suishen_core::fhir::{Finding, Json, Kind, ReportView, Value};
use suishen_core::gate::Subject;
use suishen_core::id::{GrantId, TagId};
use suishen_core::proof::log::{ShownGrant, ShownGrants};
use suishen_core::proof::map::{MapKey, Prefix};
use suishen_core::report::claim::{Shown, proposal};
use suishen_core::report::{ClaimTag, Money, Opened, ReportError};
use suishen_core::sm::Key32;

const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");

/// A patient with an invoice that the hospital made claimable.
struct Scene {
    world: World,
    patient: Patient,
    record: Kept,
}

fn secret() -> Key32 {
    Key32::from_bytes([77; 32])
}

fn tags(world: &World, fhir: &[u8]) -> [ClaimTag; 2] {
    let json = Json::parse(fhir).unwrap();
    let invoice = json.pointer("/entry/0/resource").unwrap();
    ClaimTag::both(&secret(), &world.hospital.id, invoice, &world.voucher, &world.ledger).unwrap()
}

fn issued() -> Scene {
    let mut world = World::of(4);
    let patient = Patient::open(&mut world);
    let tags = tags(&world, INVOICE);
    let record = Kept::invoice(&mut world, &patient, INVOICE, &tags);
    Scene { world, patient, record }
}

/// An insurer's desk that has opened an invoice.
struct Opening {
    sharing: Sharing,
    desk: Desk,
    opened: Opened,
    shown: Shown,
}

impl Scene {
    fn choice(slot: Slot) -> Choice {
        Choice { role: slot.role(), duration: 30 * DAY, accept_within: 15 * DAY, uses: 2, live: false }
    }

    /// A claim grant with what a claim needs, to whichever insurer of that slot scans it.
    fn claim(&mut self, record: &Kept, slot: Slot) -> Sharing {
        let openings = proposal(&record.openings, slot).unwrap().openings(&record.openings);
        let drafts = vec![record.in_groups(openings)];
        let names = [record.commitment];
        let sharing =
            Sharing::draft_for(&mut self.world, &self.patient, &names, drafts, Self::choice(slot)).unwrap();
        sharing.send(&mut self.world)
    }

    fn opened_by(&mut self, insurer: &Organisation, slot: Slot) -> Opening {
        let record = self.record.clone();
        self.opens(&record, insurer, slot)
    }

    /// Granted, accepted, judged, redeemed, opened, verified.
    fn opens(&mut self, record: &Kept, insurer: &Organisation, slot: Slot) -> Opening {
        let sharing = self.claim(record, slot);
        let desk = self.world.claims_desk(insurer, slot.role());
        sharing.accept(&mut self.world, &desk).unwrap();
        let payload = sharing.payload();
        let judged = sharing.judge(&self.world, &payload).unwrap();
        let epk = redeem(&mut self.world, &sharing, &desk, 1).unwrap();
        let shares = sharing.issued(&self.world).shares;
        let gathered = self.world.gather(&Subject::Grant(sharing.grant()), shares, 1, &epk).unwrap();
        let (address, blob) = &sharing.draft.blobs[0];
        let named = &sharing.draft.deposits[0].records[0].blobs;
        assert_eq!(*named, [*address], "the deposit names the fresh blob and nothing else");
        let half = gathered.half(0).unwrap();
        let key = RecordKey::new(&sharing.draft.half, &half, &sharing.grant(), 0);
        let groups = key.open_groups(payload.records[0].groups.as_ref().unwrap(), blob).unwrap();
        let opened = judged.records[0].manifest.open_groups(&groups).unwrap();
        let shown = Shown::read(&opened, slot).unwrap();
        let hospital = self.world.state.party(&self.world.hospital.id).unwrap().unwrap();
        shown.tag.check(&hospital, &self.world.ledger).unwrap();
        Opening { sharing, desk, opened, shown }
    }

    fn told(&self, by: &Opening, amount: &str, decision: Decision, reason: &str) -> AuditorSettlement {
        let (grant, paid) = (by.sharing.grant(), Money::parse(amount, "CNY").unwrap());
        AuditorSettlement::of(&by.shown, &self.world.hospital.id, grant, (decision, paid), reason).unwrap()
    }

    /// Settles; the answer that goes to the patient once the entry stands.
    fn settle(&mut self, by: &Opening, amount: &str) -> Result<Answer, Rejection> {
        let told = self.told(by, amount, Decision::Partly, "超出约定的自费项目");
        let seed = Key32::generate(&mut self.world.random);
        let auditor = self.world.state.auditor().unwrap().box_key;
        let desk = (by.desk.credential.clone(), by.desk.grantee.public());
        let ledger = self.world.ledger;
        let (transaction, answer) = told.settle(&by.shown.tag, desk, seed, (&auditor, &ledger)).unwrap();
        self.world.send(transaction, &by.desk.grantee).map(|_| answer)
    }

    fn reverse(&mut self, desk: &Desk, tag: &ClaimTag, grant: Option<GrantId>) -> Result<u64, Rejection> {
        let body = ReverseClaim {
            credential: desk.credential.clone(),
            voucher: tag.voucher().clone(),
            grant,
            why: "票据冲红".into(),
        };
        self.world.send(Transaction::ReverseClaim(body), &desk.grantee)
    }

    /// The last settlement on the ledger.
    fn entry(&self) -> SettleClaim {
        let claimed = |leaf: &Vec<u8>| Entry::from_bytes(leaf).unwrap().signed.claimed().unwrap();
        let settled = |transaction| match transaction {
            Transaction::SettleClaim(body) => Some(body),
            _ => None,
        };
        self.world.leaves[1..].iter().map(claimed).rev().find_map(settled).unwrap()
    }
}

#[test]
fn an_invoice_is_shared_withholding_a_life_settled_once_reversed_settled_elsewhere_and_voided() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let first = scene.opened_by(&insurer, Slot::Commercial);
    // Shown: the invoice. Withheld: numbers and telephone, the visit, another diagnosis, the other insurance.
    assert_eq!(first.opened.withheld, 6);
    let view = first.opened.view().unwrap();
    assert_eq!((view.kind, view.status.as_str()), (Kind::Invoice, "balanced"));
    assert!(!first.opened.json.to_text().contains("高血压"));
    assert_eq!(first.shown.invoice.adds_up(), Some(true));

    let second = scene.opened_by(&rival, Slot::Commercial);
    scene.settle(&first, "7927.86").unwrap();
    assert_eq!(scene.settle(&second, "7927.86").err(), Some(Rejection::ClaimSettled));
    // Statutory insurance has its own.
    let fund = scene.world.fund.clone();
    let statutory = scene.opened_by(&fund, Slot::Statutory);
    scene.settle(&statutory, "19862.44").unwrap();

    let grant = Some(first.sharing.grant());
    let desk = second.desk.clone();
    assert_eq!(scene.reverse(&desk, &first.shown.tag, grant), Err(Rejection::OtherInsurer));
    let desk = first.desk.clone();
    scene.reverse(&desk, &first.shown.tag, grant).unwrap();
    scene.settle(&second, "7927.86").unwrap();

    // 冲红: the hospital voids both slots; what was paid raises a flag, and nothing is paid any more.
    let issuer = scene.world.issuing_desk();
    for tag in tags(&scene.world, INVOICE) {
        scene.reverse(&issuer, &tag, None).unwrap();
        let claim = scene.world.state.claim(&tag.id().unwrap()).unwrap().unwrap();
        assert!(claim.is_flagged() && !claim.is_open());
    }
    assert_eq!(scene.settle(&first, "1.00").err(), Some(Rejection::ClaimVoid));
    // Whoever holds the tag's name has that proven, without asking what was paid.
    let key = Key::Claim(first.shown.tag.id().unwrap());
    let note = suishen_core::proof::checkpoint::SignedCheckpoint::parse(&scene.world.note()).unwrap();
    let claim: suishen_core::contract::Claim =
        scene.world.proven(&key).verify(&key, &note.checkpoint).unwrap();
    assert_eq!(claim.settlement.unwrap().party, rival.id);
}

#[test]
fn patient_and_auditor_are_told_the_same() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let answer = scene.settle(&by, "6127.86").unwrap();
    let (ledger, auditor) = (scene.world.ledger, scene.world.auditor_box.public());
    let (grant, reply) = (by.sharing.grant(), &by.sharing.draft.reply);
    let message = answer.seal(&by.desk.grantee, &reply.public(), &ledger, &mut scene.world.random).unwrap();
    let Message::Answer(sealed) = &message else { panic!("an answer") };
    let open = |key| Answer::open(sealed, reply, &key, &grant, &ledger);
    assert_eq!(open(by.desk.box_key.public()), Err(AnswerFault::Box));
    let told = open(by.desk.grantee.public()).unwrap();
    assert_eq!(told.told.paid.to_string(), "6127.86 CNY");
    let entry = scene.entry();
    assert_eq!(told.agrees(&entry, &auditor, &ledger), Ok(()));

    let secret = &scene.world.auditor_box;
    let opened =
        AuditorSettlement::open(secret, &ledger, &grant, &told.told.tag, &entry.auditor_box).unwrap();
    assert_eq!(opened, told.told);
    let number = by.shown.invoice.number.digest(&scene.world.hospital.id);
    assert_eq!((opened.invoice, opened.decision), (number, Decision::Partly));
    // An insurer that tells the auditor less is found out by the patient.
    let mut other = told.clone();
    other.told.paid = Money::parse("1.00", "CNY").unwrap();
    assert_eq!(other.agrees(&entry, &auditor, &ledger), Err(AnswerFault::AuditorBox));
    let moved = SettleClaim { grant: GrantId::from_bytes([1; 32]), ..entry };
    assert_eq!(told.agrees(&moved, &auditor, &ledger), Err(AnswerFault::Other));
    assert!(AnswerFault::AuditorBox.to_string().contains("report this to the auditor"));
}

#[test]
fn a_refusal_says_why_and_leaves_the_slot_open() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let (ledger, reply) = (scene.world.ledger, by.sharing.draft.reply.clone());
    let auditor = scene.world.auditor_box.public();
    let refused = scene.told(&by, "0", Decision::Refused, "不在保障期内");
    let seed = Key32::from_bytes([1; 32]);
    assert_eq!(refused.seal(&seed, &auditor, &ledger), Err(AnswerFault::Refusal));
    let mut seal = |told: AuditorSettlement, seed| {
        let answer = Answer { told, seed };
        answer.seal(&by.desk.grantee, &reply.public(), &ledger, &mut scene.world.random)
    };
    let message = seal(refused.clone(), None).unwrap();
    let Message::Answer(sealed) = &message else { panic!("an answer") };
    let grantee = by.desk.grantee.public();
    let told = Answer::open(sealed, &reply, &grantee, &by.sharing.grant(), &ledger).unwrap();
    assert_eq!(told.told.reason, "不在保障期内");
    assert_eq!(seal(refused.clone(), Some(seed.clone())).err(), Some(AnswerFault::Refusal));
    let silent = AuditorSettlement { reason: " ".into(), ..refused.clone() };
    assert_eq!(seal(silent, None).err(), Some(AnswerFault::Reason));
    let long = AuditorSettlement { reason: "因".repeat(81), ..refused.clone() };
    assert_eq!(seal(long, None).err(), Some(AnswerFault::Reason));
    let paying = AuditorSettlement { paid: Money::parse("5", "CNY").unwrap(), ..refused };
    assert_eq!(seal(paying, None).err(), Some(AnswerFault::Amount));
    let other = scene.opened_by(&rival, Slot::Commercial);
    scene.settle(&other, "7927.86").unwrap();
}

#[test]
fn commercial_insurance_pays_the_self_paid_part_at_most_and_in_the_invoices_currency() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let hospital = scene.world.hospital.id.clone();
    let told = |amount: &str, currency: &str| {
        let paid = (Decision::Whole, Money::parse(amount, currency).unwrap());
        AuditorSettlement::of(&by.shown, &hospital, by.sharing.grant(), paid, "").map(|_| ())
    };
    // The self-paid part: what statutory insurance and other funds left.
    assert_eq!(told("9927.86", "CNY"), Ok(()));
    for (amount, currency) in [("9927.87", "CNY"), ("1.00", "HKD"), ("0", "CNY")] {
        assert_eq!(told(amount, currency), Err(AnswerFault::Amount));
    }
    assert!(AnswerFault::Amount.to_string().contains("correct the amount"));
}

#[test]
fn issuing_again_with_a_new_voucher_key_opens_no_second_slot() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let first = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&first, "7927.86").unwrap();
    let newer = suishen_core::sm::SecretKey::generate(&mut scene.world.random);
    let rotate = RotateKeys {
        party: scene.world.hospital.id.clone(),
        sequence: 1,
        which: Rotated::Voucher,
        key: newer.public(),
    };
    let certified = scene.world.hospital.key.clone();
    scene.world.send(Transaction::RotateKeys(rotate), &certified).unwrap();
    scene.world.voucher = newer;
    let again = tags(&scene.world, INVOICE);
    let record = Kept::invoice(&mut scene.world, &scene.patient, INVOICE, &again);
    let second = scene.opens(&record, &rival, Slot::Commercial);
    assert_eq!(scene.settle(&second, "7927.86").err(), Some(Rejection::ClaimSettled));
}

#[test]
fn a_tag_goes_to_its_own_class_of_insurer_and_to_nobody_who_only_reads() {
    let mut scene = issued();
    let record = scene.record.clone();
    let names = [record.commitment];
    let statutory = proposal(&record.openings, Slot::Statutory).unwrap().openings(&record.openings);
    for (role, openings) in [
        (Role::InsurerCommercial, statutory.clone()),
        (Role::Physician, statutory),
        (Role::InsurerCommercial, record.openings.clone()),
    ] {
        let choice = Choice { role, ..Scene::choice(Slot::Commercial) };
        let drafts = vec![record.in_groups(openings)];
        let draft = Sharing::draft_for(&mut scene.world, &scene.patient, &names, drafts, choice);
        assert_eq!(draft.err(), Some(DraftError::Tag));
    }
    assert!(DraftError::Tag.to_string().contains("leave it out"));
}

#[test]
fn a_physicians_grant_and_a_tag_of_ones_own_settle_nothing() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let theirs = scene.opened_by(&rival, Slot::Commercial);
    // The rival has its own claim grant; under the first insurer's it settles nothing.
    let desk = (theirs.desk.credential.clone(), theirs.desk.grantee.public());
    let auditor = scene.world.auditor_box.public();
    let ledger = scene.world.ledger;
    let told = scene.told(&by, "1.00", Decision::Whole, "");
    let (stolen, _) =
        told.settle(&theirs.shown.tag, desk, Key32::from_bytes([2; 32]), (&auditor, &ledger)).unwrap();
    assert_eq!(scene.world.send(stolen, &theirs.desk.grantee), Err(Rejection::OtherGrantee));
    // A tag that no hospital vouched for.
    let json = Json::parse(INVOICE).unwrap();
    let invoice = json.pointer("/entry/0/resource").unwrap();
    let key = theirs.desk.person.clone();
    let [_, invented] = ClaimTag::both(&secret(), &scene.world.hospital.id, invoice, &key, &ledger).unwrap();
    let told =
        AuditorSettlement { tag: invented.id().unwrap(), ..scene.told(&theirs, "1.00", Decision::Whole, "") };
    let desk = (theirs.desk.credential.clone(), theirs.desk.grantee.public());
    let (forged, _) = told.settle(&invented, desk, Key32::from_bytes([3; 32]), (&auditor, &ledger)).unwrap();
    assert_eq!(scene.world.send(forged, &theirs.desk.grantee), Err(Rejection::Voucher));
    let hospital = scene.world.state.party(&scene.world.hospital.id).unwrap().unwrap();
    assert_eq!(invented.check(&hospital, &ledger), Err(ReportError::Tag));
}

#[test]
fn the_patients_log_shows_settlement_and_reversal_and_is_complete() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86").unwrap();
    let (grant, desk) = (by.sharing.grant(), by.desk.clone());
    scene.reverse(&desk, &by.shown.tag, Some(grant)).unwrap();

    let world = &scene.world;
    let on = |number: &u64| {
        let leaf = &world.leaves[usize::try_from(*number).unwrap()];
        match Entry::from_bytes(leaf).unwrap().signed.claimed().unwrap() {
            Transaction::IssueGrant(body) => GrantId::of(&world.ledger, &body.key) == grant,
            Transaction::AcceptGrant(body) => body.grant == grant,
            Transaction::RedeemGrant(body) => body.grant == grant,
            Transaction::SettleClaim(body) => body.grant == grant,
            Transaction::ReverseClaim(body) => body.grant == Some(grant),
            _ => false,
        }
    };
    let numbers: Vec<u64> = (1..world.leaves.len() as u64).filter(on).collect();
    assert_eq!(numbers.len(), 5);
    let key = Key::Grant(grant);
    let proven = world.proven(&key);
    let entries = numbers.iter().map(|number| world.proven_entry(*number)).collect();
    let shown = ShownGrants {
        note: world.note(),
        proof: proven.proof,
        grants: vec![ShownGrant { id: grant, leaf: proven.value, entries }],
    };
    let prefix = Prefix::whole(&MapKey::of(&key.to_bytes()));
    let log = shown.log_of(&grant, &prefix, &world.checkpoint()).unwrap().unwrap();
    let kinds: Vec<_> = log.entries.iter().map(|entry| entry.transaction.name()).collect();
    assert_eq!(kinds, ["issue-grant", "accept-grant", "redeem-grant", "settle-claim", "reverse-claim"]);
    // A relay that hides the settlement proves nothing.
    let mut short = shown;
    short.grants[0].entries.remove(3);
    assert!(short.log_of(&grant, &prefix, &world.checkpoint()).is_err());
}

#[test]
fn the_ledger_shows_issuer_and_insurer_and_neither_invoice_nor_amount() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86").unwrap();
    let mut longer = scene.told(&by, "1.00", Decision::Partly, "免赔额内");
    let auditor = scene.world.auditor_box.public();
    let seal = |told: &AuditorSettlement| {
        told.seal(&Key32::from_bytes([1; 32]), &auditor, &scene.world.ledger).unwrap()
    };
    let short = seal(&longer);
    longer.reason = "因".repeat(80);
    assert_eq!(short.len(), seal(&longer).len());
    let everything: Vec<u8> = scene.world.leaves.concat();
    for hidden in ["0038217745", "7927.86", "超出约定", "林秀兰", "KN-2026"] {
        assert!(!everything.windows(hidden.len()).any(|w| w == hidden.as_bytes()), "{hidden}");
    }
    assert_eq!(TagId::of(&by.shown.tag.voucher().claimed().unwrap()), by.shown.tag.id().unwrap());
}

#[test]
fn the_invoice_reads_as_rows_with_currencies_and_its_status_in_each() {
    let view = ReportView::from_json(INVOICE).unwrap();
    assert_eq!((view.kind, view.title.as_str()), (Kind::Invoice, "住院收费票据"));
    assert_eq!(view.organisation.as_deref(), Some("安澜市人民医院"));
    assert_eq!(view.finding, Finding::Sentence("31290.30 CNY".into()));
    let row = |name: &str| view.rows.iter().find(|row| row.name == name).unwrap();
    for (name, value, unit, note) in [
        ("票据号码", "0038217745", None, None),
        ("住院收费票据", "31290.30", Some("CNY"), None),
        ("医保统筹基金支付", "19862.44", Some("CNY"), None),
        ("床位费", "480.00", Some("CNY"), Some("8 日")),
        ("左膝骨关节炎", "M17.1", None, None),
        ("百万医疗险（2026 版）", "KN-2026-0087315", None, Some("康宁健康保险")),
    ] {
        let found = row(name);
        assert_eq!((&found.value, found.unit.as_deref()), (&Value::Text(value.into()), unit), "{name}");
        assert_eq!((found.note.as_deref(), found.status.as_str()), (note, "balanced"), "{name}");
    }
    let text = core::str::from_utf8(INVOICE).unwrap();
    let reversed = text.replacen("\"balanced\"", "\"cancelled\", \"cancelledReason\": \"冲红\"", 1);
    let view = ReportView::from_json(reversed.as_bytes()).unwrap();
    assert_eq!((view.status.as_str(), view.conclusion.as_deref()), ("cancelled", Some("冲红")));
    assert_eq!(view.finding, Finding::Sentence("冲红".into()));
    assert!(view.rows.iter().all(|row| row.status == "cancelled"));
}
