//! An invoice from the hospital's desk to its settlement: what the insurer sees and what not, what closes a slot, what
//! opens it again, what voids it; and who was told what.

use crate::people::{Desk, Organisation, Patient};
use crate::records::Kept;
use crate::sharing::{Sharing, redeem};
use crate::world::{DAY, World};
use suishen_core::consent::{
    Answer, AnswerFault, AuditorReversal, AuditorSettlement, Choice, Decision, DraftError, PayloadFault,
    RecordKey, Reversing, Settleable, Standing, Unsettleable,
};
use suishen_core::contract::{
    Anchor, Entry, Key, Party, Rejection, ReversalReason, Role, RotateKeys, Rotated, SettleClaim, Settled,
    Slot, State as _, Suspension, Transaction, Views as _,
};
use suishen_core::fhir::{Finding, Kind, ReportView, Value};
use suishen_core::gate::Subject;
use suishen_core::id::{GrantId, TagId};
use suishen_core::proof::log::{LogError, ShownClaim, ShownGrant, ShownGrants};
use suishen_core::proof::map::{MapKey, Prefix};
use suishen_core::report::claim::{Shown, proposal};
use suishen_core::report::{ClaimKey, ClaimTag, InvoiceNumber, Money, Opened, ReportError};
use suishen_core::sm::{Key32, Signed};

pub const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");

/// A patient with an invoice that the hospital made claimable.
pub struct Scene {
    pub world: World,
    pub patient: Patient,
    pub record: Kept,
}

pub fn secret() -> Key32 {
    Key32::from_bytes([77; 32])
}

pub fn tags(world: &World, fhir: &[u8]) -> [(ClaimTag, ClaimKey); 2] {
    let number = InvoiceNumber::in_report(fhir).unwrap().unwrap();
    ClaimTag::both(&secret(), &world.hospital.id, &number, &world.voucher, &world.ledger)
}

pub fn issued() -> Scene {
    let mut world = World::of(4);
    let patient = Patient::open(&mut world);
    let tags = tags(&world, INVOICE);
    let record = Kept::invoice(&mut world, &patient, INVOICE, &tags);
    Scene { world, patient, record }
}

/// An insurer's desk that has opened an invoice.
pub struct Opening {
    pub sharing: Sharing,
    pub desk: Desk,
    pub opened: Opened,
    pub shown: Shown,
}

impl Scene {
    pub fn choice(slot: Slot) -> Choice {
        Choice { role: slot.role(), duration: 30 * DAY, accept_within: 15 * DAY, uses: 2, live: false }
    }

    /// A claim grant with what a claim needs, to whichever insurer of that slot scans it.
    pub fn claim(&mut self, record: &Kept, slot: Slot) -> Sharing {
        let openings = proposal(&record.openings, slot, None).unwrap().openings(&record.openings);
        let drafts = vec![record.in_groups(openings)];
        let names = [record.commitment];
        let sharing =
            Sharing::draft_for(&mut self.world, &self.patient, &names, drafts, Self::choice(slot)).unwrap();
        sharing.send(&mut self.world)
    }

    pub fn opened_by(&mut self, insurer: &Organisation, slot: Slot) -> Opening {
        let record = self.record.clone();
        self.opens(&record, insurer, slot)
    }

    /// Granted, accepted, judged, redeemed, opened, verified.
    pub fn opens(&mut self, record: &Kept, insurer: &Organisation, slot: Slot) -> Opening {
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
        let disclosed = key.open_groups(payload.records[0].groups.as_ref().unwrap(), blob).unwrap();
        let opened = judged.records[0].manifest.open_groups(&disclosed.groups).unwrap();
        let under = (&sharing.grant(), &self.world.ledger);
        let shown = Shown::read(&opened, disclosed.proof.as_ref(), slot, under).unwrap();
        let hospital = self.world.state.party(&self.world.hospital.id).unwrap().unwrap();
        shown.tag.check(&hospital, &self.world.ledger).unwrap();
        Opening { sharing, desk, opened, shown }
    }

    pub fn told(&self, by: &Opening, amount: &str, reason: &str) -> AuditorSettlement {
        let paid = Money::parse(amount, "CNY").unwrap();
        AuditorSettlement::of(&by.shown, &self.record.commitment, paid, reason).unwrap()
    }

    /// What the ledger says of the invoice and its slot now.
    pub fn standing(&self, by: &Opening) -> Result<Settleable, Unsettleable> {
        let state = &self.world.state;
        let tag = by.shown.tag.id().unwrap();
        Standing {
            anchor: &state.anchor(&self.record.commitment).unwrap().unwrap(),
            claim: state.claim(&tag).unwrap().as_ref(),
            hospital: &state.party(&self.world.hospital.id).unwrap().unwrap(),
            now: self.world.now,
        }
        .settleable(&by.shown.tag)
    }

    /// Settles by a witness from before; the answer that goes to the patient once the entry stands.
    pub fn settle_by(
        &mut self,
        by: &Opening,
        amount: &str,
        witness: &Settleable,
    ) -> Result<Answer, Rejection> {
        let told = self.told(by, amount, "超出约定的自费项目");
        let seed = Key32::generate(&mut self.world.random);
        let auditor = self.world.state.auditor().unwrap().box_key().unwrap();
        let credential = by.desk.credential.clone();
        let sealed = (&auditor, &self.world.ledger);
        let transaction = told.settle(&by.shown, witness, credential, &seed, sealed).unwrap();
        let entry = self.world.send(transaction, &by.desk.grantee)?;
        Ok(Answer::Settled(told, seed, entry))
    }

    pub fn settle(&mut self, by: &Opening, amount: &str) -> Answer {
        let witness = self.standing(by).unwrap();
        self.settle_by(by, amount, &witness).unwrap()
    }

    /// What a desk tells the auditor of a reversal: an insurer of what it settled, a hospital of its invoice.
    pub fn reversal(&self, desk: &Desk, tag: &ClaimTag, by_hospital: bool) -> AuditorReversal {
        let tag = tag.id().unwrap();
        let settled = self.world.state.claim(&tag).unwrap().and_then(|claim| claim.settlement);
        let settlement = settled.map(|settled| Settled { grant: settled.grant, entry: settled.entry });
        let reversing = Reversing { tag, desk: desk.grantee.public() };
        AuditorReversal {
            tag,
            settlement: settlement.filter(|_| !by_hospital),
            why: if by_hospital { ReversalReason::Reversed } else { ReversalReason::Duplicate },
            words: "票据重复报销".into(),
            certificate: desk.chain.leaf().to_der().to_vec(),
            presence: Signed::new(&reversing, &desk.person, &self.world.ledger),
        }
    }

    pub fn reverse(&mut self, desk: &Desk, tag: &ClaimTag, by_hospital: bool) -> Result<u64, Rejection> {
        let told = self.reversal(desk, tag, by_hospital);
        let seed = Key32::generate(&mut self.world.random);
        let auditor = self.world.state.auditor().unwrap().box_key().unwrap();
        let (credential, sealed) = (desk.credential.clone(), (&auditor, &self.world.ledger));
        let transaction =
            told.reverse(tag.voucher().clone(), credential, &seed, self.world.now, sealed).unwrap();
        self.world.send(transaction, &desk.grantee)
    }

    /// The last settlement on the ledger.
    pub fn entry(&self) -> SettleClaim {
        let claimed = |leaf: &Vec<u8>| Entry::from_bytes(leaf).unwrap().signed.claimed().unwrap();
        let settled = |transaction| match transaction {
            Transaction::SettleClaim(body) => Some(body),
            _ => None,
        };
        self.world.leaves[1..].iter().map(claimed).rev().find_map(settled).unwrap()
    }
}

/// A witness by a look at the invoice as it was before anybody settled.
pub fn blind(by: &Opening, scene: &Scene) -> Settleable {
    let state = &scene.world.state;
    let anchor = &state.anchor(&scene.record.commitment).unwrap().unwrap();
    let hospital = &state.party(&scene.world.hospital.id).unwrap().unwrap();
    Standing { anchor, claim: None, hospital, now: scene.world.now }.settleable(&by.shown.tag).unwrap()
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
    let both_look = scene.standing(&second).unwrap();
    scene.settle(&first, "7927.86");
    assert_eq!(scene.settle_by(&second, "7927.86", &both_look).err(), Some(Rejection::ClaimSettled));
    assert_eq!(scene.standing(&second), Err(Unsettleable::Settled(insurer.id.clone())));
    // Statutory insurance has its own.
    let fund = scene.world.fund.clone();
    let statutory = scene.opened_by(&fund, Slot::Statutory);
    scene.settle(&statutory, "19862.44");

    let desk = second.desk.clone();
    assert_eq!(scene.reverse(&desk, &first.shown.tag, false), Err(Rejection::OtherInsurer));
    let desk = first.desk.clone();
    scene.reverse(&desk, &first.shown.tag, false).unwrap();
    scene.settle(&second, "7927.86");

    // 冲红: the hospital voids both slots; what was paid raises a flag, and nothing is paid any more.
    let issuer = scene.world.issuing_desk();
    for (tag, _) in tags(&scene.world, INVOICE) {
        scene.reverse(&issuer, &tag, true).unwrap();
        let claim = scene.world.state.claim(&tag.id().unwrap()).unwrap().unwrap();
        assert!(claim.is_flagged() && !claim.is_open());
    }
    assert_eq!(scene.standing(&first), Err(Unsettleable::Void));
    assert_eq!(scene.settle_by(&first, "1.00", &blind(&first, &scene)).err(), Some(Rejection::ClaimVoid));
    // Whoever holds the tag's name has that proven, without asking what was paid.
    let key = Key::Claim(first.shown.tag.id().unwrap());
    let note = suishen_core::proof::checkpoint::SignedCheckpoint::parse(&scene.world.note()).unwrap();
    let claim: suishen_core::contract::Claim =
        scene.world.proven(&key).verify(&key, &note.checkpoint).unwrap();
    assert_eq!(claim.settlement.unwrap().party, rival.id);
}

#[test]
fn an_insurer_pays_its_part_at_most_in_the_invoices_currency_and_says_why_not_all() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let record = scene.record.commitment;
    let told = |amount: &str, currency: &str, reason: &str| {
        let paid = Money::parse(amount, currency).unwrap();
        AuditorSettlement::of(&by.shown, &record, paid, reason).map(|told| told.decision())
    };
    // The self-paid part: what statutory insurance and other funds left.
    assert_eq!(told("9927.86", "CNY", ""), Ok(Decision::Whole));
    assert_eq!(told("1.00", "CNY", "免赔额内"), Ok(Decision::Partly));
    assert_eq!(told("0", "CNY", "不在保障期内"), Ok(Decision::Refused));
    assert_eq!(told("1.00", "CNY", " "), Err(AnswerFault::Reason));
    for (amount, currency) in [("9927.87", "CNY"), ("1.00", "HKD")] {
        assert_eq!(told(amount, currency, "x"), Err(AnswerFault::Amount));
    }
    assert!(AnswerFault::Amount.to_string().contains("correct the amount"));
    // An invoice that doesn't say what the fund paid can only be refused.
    let mut silent = by.shown.clone();
    silent.invoice.shares.clear();
    let told = |amount: &str| {
        let paid = Money::parse(amount, "CNY").unwrap();
        AuditorSettlement::of(&silent, &record, paid, "缺基金结算单").map(|_| ())
    };
    assert_eq!((told("1.00"), told("0")), (Err(AnswerFault::Shares), Ok(())));
    assert!(AnswerFault::Shares.to_string().contains("ask the patient for the fund's statement"));
}

#[test]
fn an_invoice_that_was_replaced_taken_back_or_anchored_by_a_suspended_hospital_is_not_settled() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    assert!(scene.standing(&by).is_ok());
    let mut anchor = scene.world.state.anchor(&scene.record.commitment).unwrap().unwrap();
    let mut hospital = scene.world.state.party(&scene.world.hospital.id).unwrap().unwrap();
    let standing = |anchor: &Anchor, hospital: &Party| {
        Standing { anchor, claim: None, hospital, now: 1 }.settleable(&by.shown.tag).err()
    };
    anchor.replaced_by = Some(scene.record.commitment);
    assert_eq!(standing(&anchor, &hospital), Some(Unsettleable::Replaced));
    anchor.replaced_by = None;
    let suspended = |from| Some(Suspension { from, why: "吊销".into(), at: 1 });
    hospital.suspension = suspended(anchor.at);
    assert_eq!(standing(&anchor, &hospital), Some(Unsettleable::Suspended));
    hospital.suspension = suspended(anchor.at + 1);
    assert_eq!(standing(&anchor, &hospital), None, "what was anchored before stays valid");
    anchor.party = insurer.id;
    assert_eq!(standing(&anchor, &hospital), Some(Unsettleable::Tag));
    scene.record.cancel(&mut scene.world);
    assert_eq!(scene.standing(&by), Err(Unsettleable::Cancelled));
    assert!(Unsettleable::Replaced.to_string().contains("ask the patient to share the newer one"));
}

#[test]
fn a_claim_for_a_replaced_invoice_is_not_redeemed() {
    let mut scene = issued();
    let old = scene.record.clone();
    old.supersede(&mut scene.world);
    let sharing = scene.claim(&old, Slot::Commercial);
    let insurer = scene.world.insurer.clone();
    let desk = scene.world.claims_desk(&insurer, Role::InsurerCommercial);
    sharing.accept(&mut scene.world, &desk).unwrap();
    let fault = sharing.judge(&scene.world, &sharing.payload()).err();
    assert_eq!(fault, Some(PayloadFault::Replaced(0)));
    assert!(PayloadFault::Replaced(0).to_string().contains("newer version"));
}

#[test]
fn issuing_again_with_a_new_voucher_key_opens_no_second_slot() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let first = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&first, "7927.86");
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
    let open = scene.standing(&first).err();
    assert_eq!(open, Some(Unsettleable::Settled(insurer.id)));
    scene.record = Kept::invoice(&mut scene.world, &scene.patient, INVOICE, &again);
    let second = scene.opened_by(&rival, Slot::Commercial);
    let blind = blind(&second, &scene);
    assert_eq!(scene.settle_by(&second, "7927.86", &blind).err(), Some(Rejection::ClaimSettled));
}

#[test]
fn a_tag_goes_to_its_own_class_of_insurer_and_to_nobody_who_only_reads() {
    let mut scene = issued();
    let record = scene.record.clone();
    let names = [record.commitment];
    let statutory = proposal(&record.openings, Slot::Statutory, None).unwrap();
    let statutory = statutory.openings(&record.openings);
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
    // A wallet without the tag's key can't give it, and an insurer is shown no report whole.
    let mut keyless = record
        .in_groups(proposal(&record.openings, Slot::Commercial, None).unwrap().openings(&record.openings));
    keyless.claim_keys.clear();
    for (draft, fault) in [(keyless, DraftError::TagKey), (record.whole(), DraftError::Whole)] {
        let choice = Scene::choice(Slot::Commercial);
        let draft = Sharing::draft_for(&mut scene.world, &scene.patient, &names, vec![draft], choice);
        assert_eq!(draft.err(), Some(fault));
    }
    assert!(DraftError::TagKey.to_string().contains("ask the hospital to issue the invoice again"));
}

#[test]
fn a_physicians_grant_and_a_tag_of_ones_own_settle_nothing() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let theirs = scene.opened_by(&rival, Slot::Commercial);
    // The rival has its own claim grant; under the first insurer's it settles nothing, nor with the first one's word.
    let auditor = scene.world.auditor_box.public();
    let ledger = scene.world.ledger;
    let seed = |byte| Key32::from_bytes([byte; 32]);
    let witness = scene.standing(&by).unwrap();
    let told = scene.told(&by, "9927.86", "");
    let credential = theirs.desk.credential.clone();
    let stolen = told.settle(&by.shown, &witness, credential.clone(), &seed(2), (&auditor, &ledger)).unwrap();
    assert_eq!(scene.world.send(stolen.clone(), &theirs.desk.grantee), Err(Rejection::OtherGrantee));
    let Transaction::SettleClaim(stolen) = stolen else { panic!("a settlement") };
    let moved = SettleClaim { grant: theirs.sharing.grant(), ..stolen };
    let verdict = scene.world.send(Transaction::SettleClaim(moved), &theirs.desk.grantee);
    assert_eq!(verdict, Err(Rejection::TagProof));
    // A tag that no hospital vouched for.
    let number = InvoiceNumber::in_report(INVOICE).unwrap().unwrap();
    let key = theirs.desk.person.clone();
    let [_, (invented, own)] = ClaimTag::both(&secret(), &scene.world.hospital.id, &number, &key, &ledger);
    let grant = theirs.sharing.grant();
    let shown = Shown { tag: invented.clone(), proof: own.prove(grant, &ledger), ..theirs.shown.clone() };
    let told =
        AuditorSettlement::of(&shown, &scene.record.commitment, Money::parse("1", "CNY").unwrap(), "x")
            .unwrap();
    let forged = told.settle(&shown, &witness, credential, &seed(3), (&auditor, &ledger)).unwrap();
    assert_eq!(scene.world.send(forged, &theirs.desk.grantee), Err(Rejection::Voucher));
    let hospital = scene.world.state.party(&scene.world.hospital.id).unwrap().unwrap();
    assert_eq!(invented.check(&hospital, &ledger), Err(ReportError::Tag));
}

#[test]
fn the_patients_log_shows_settlement_and_reversal_and_is_complete() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86");
    let (grant, desk) = (by.sharing.grant(), by.desk.clone());
    scene.reverse(&desk, &by.shown.tag, false).unwrap();

    let world = &scene.world;
    let on = |number: &u64| {
        let leaf = &world.leaves[usize::try_from(*number).unwrap()];
        match Entry::from_bytes(leaf).unwrap().signed.claimed().unwrap() {
            Transaction::IssueGrant(body) => GrantId::of(&world.ledger, &body.key) == grant,
            Transaction::AcceptGrant(body) => body.grant == grant,
            Transaction::RedeemGrant(body) => body.grant == grant,
            Transaction::SettleClaim(body) => body.grant == grant,
            Transaction::ReverseClaim(body) => body.settlement.is_some_and(|settled| settled.grant == grant),
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
        claims: Vec::new(),
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
fn how_a_slot_stands_is_proven_to_whoever_knows_its_name_and_can_not_be_hidden() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let id = by.shown.tag.id().unwrap();
    let key = Key::Claim(id);
    let prefix = Prefix::of(&MapKey::of(&key.to_bytes()), 0);
    let shown = |world: &World| ShownGrants {
        note: world.note(),
        proof: world.proof(&prefix),
        grants: Vec::new(),
        claims: world.state.get(&key).into_iter().map(|value| ShownClaim { id, value }).collect(),
    };
    let looked = |world: &World, shown: &ShownGrants| shown.claim_of(&id, &prefix, &world.checkpoint());
    assert_eq!(looked(&scene.world, &shown(&scene.world)), Ok(None));
    scene.settle(&by, "7927.86");
    let settled = shown(&scene.world);
    let claim = looked(&scene.world, &settled).unwrap().unwrap();
    assert_eq!(claim.settlement.unwrap().grant, by.sharing.grant());
    // Left out, or an older one in its place.
    let hidden = ShownGrants { claims: Vec::new(), ..settled.clone() };
    assert_eq!(looked(&scene.world, &hidden), Err(LogError::Withheld));
    let issuer = scene.world.issuing_desk();
    scene.reverse(&issuer, &by.shown.tag, true).unwrap();
    let old = ShownGrants { claims: settled.claims, ..shown(&scene.world) };
    assert!(looked(&scene.world, &old).is_err());
    assert!(looked(&scene.world, &shown(&scene.world)).unwrap().unwrap().is_flagged());
}

#[test]
fn the_ledger_shows_issuer_and_insurer_and_neither_invoice_nor_amount() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86");
    let mut longer = scene.told(&by, "1.00", "免赔额内");
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
