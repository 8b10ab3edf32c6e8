//! What an insurer tells: the patient and the auditor the same, about the patient's own invoice, signed.

use crate::audit::certifiers;
use crate::claims::{INVOICE, issued, tags};
use suishen_core::consent::{
    Answer, AnswerFault, AuditorReversal, AuditorSettlement, Behind, BoxFault, Decision, Message, OwnClaim,
    Reversing,
};
use suishen_core::contract::{
    ReversalReason, ReverseClaim, Role, SettleClaim, Slot, Transaction, Views as _,
};
use suishen_core::fhir::Json;
use suishen_core::id::GrantId;
use suishen_core::report::Money;
use suishen_core::report::claim::Invoice;
use suishen_core::sm::{Digest, Key32, Signed};

#[test]
fn patient_and_auditor_are_told_the_same() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let answer = scene.settle(&by, "6127.86");
    let ledger = scene.world.ledger;
    let auditor = scene.world.state.auditor().unwrap();
    let (grant, reply) = (by.sharing.grant(), &by.sharing.draft.reply);
    let message = answer.seal(&by.desk.grantee, &reply.public(), &ledger, &mut scene.world.random).unwrap();
    let Message::Answer(sealed) = &message else { panic!("an answer") };
    let open = |key| Answer::open(sealed, reply, &key, &grant, &ledger);
    assert_eq!(open(by.desk.box_key.public()), Err(AnswerFault::Box));
    let (heard, signed) = open(by.desk.grantee.public()).unwrap();
    assert_eq!(signed.verify(&by.desk.grantee.public(), &ledger).as_ref(), Ok(&heard));
    let Answer::Settled(told, seed, at) = heard.clone() else { panic!("settled") };
    assert_eq!((told.paid.to_string().as_str(), told.decision()), ("6127.86 CNY", Decision::Partly));
    assert_eq!(told.claimed.to_string(), "9927.86 CNY");
    let (entry, now) = (scene.entry(), scene.world.now);
    assert_eq!(heard.agrees(&entry, (at, now), &auditor, &ledger), Ok(()));
    assert_eq!(heard.agrees(&entry, (at, 0), &auditor, &ledger), Err(AnswerFault::AuditorBox));

    let secret = &scene.world.auditor_box;
    let opened = AuditorSettlement::open(secret, &ledger, &grant, &told.tag, &entry.auditor_box).unwrap();
    assert_eq!(opened, told);
    let number = by.shown.invoice.number.digest(&scene.world.hospital.id);
    assert_eq!((opened.invoice, &opened.anchor[..]), (number, &scene.record.commitment.as_bytes()[..8]));
    // An insurer that tells the auditor less, or tells the patient that it refused, is found out.
    let less = AuditorSettlement { paid: Money::parse("1.00", "CNY").unwrap(), ..told.clone() };
    let lie = Answer::Settled(less, seed, at);
    // What it said of an earlier settlement is not held against a later one.
    assert_eq!(heard.agrees(&entry, (at + 1, now), &auditor, &ledger), Err(AnswerFault::Other));
    assert_eq!(lie.agrees(&entry, (at, now), &auditor, &ledger), Err(AnswerFault::AuditorBox));
    let none = AuditorSettlement { paid: Money::parse("0", "CNY").unwrap(), ..told.clone() };
    assert_eq!(
        Answer::Refused(none).agrees(&entry, (at, now), &auditor, &ledger),
        Err(AnswerFault::Contradicts)
    );
    let moved = SettleClaim { grant: GrantId::from_bytes([1; 32]), ..entry };
    assert_eq!(heard.agrees(&moved, (at, now), &auditor, &ledger), Err(AnswerFault::Other));
    for fault in [AnswerFault::AuditorBox, AnswerFault::Contradicts] {
        assert!(fault.to_string().contains("report this to the auditor"));
    }
}

#[test]
fn an_answer_is_held_against_the_patients_own_invoice() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let Answer::Settled(told, seed, entry) = scene.settle(&by, "6127.86") else { panic!("settled") };
    let invoice = Invoice::in_report(&Json::parse(INVOICE).unwrap()).unwrap().unwrap();
    let [(statutory, _), (tag, _)] = tags(&scene.world, INVOICE);
    let record = scene.record.commitment;
    let own = OwnClaim { invoice: &invoice, tag: &tag, record: &record };
    let verdict = |told: AuditorSettlement| Answer::Settled(told, seed.clone(), entry).is_about(&own);
    assert_eq!(verdict(told.clone()), Ok(()));
    for wrong in [
        AuditorSettlement { invoice: Digest::of(b"another"), ..told.clone() },
        AuditorSettlement { anchor: [0; 8], ..told.clone() },
        AuditorSettlement { claimed: Money::parse("31290.30", "CNY").unwrap(), ..told.clone() },
        AuditorSettlement { tag: statutory.id().unwrap(), ..told },
    ] {
        assert_eq!(verdict(wrong), Err(AnswerFault::Other));
    }
}

#[test]
fn a_refusal_says_why_and_leaves_the_slot_open() {
    let mut scene = issued();
    let (insurer, rival) = (scene.world.insurer.clone(), scene.world.rival.clone());
    let by = scene.opened_by(&insurer, Slot::Commercial);
    let (ledger, reply) = (scene.world.ledger, by.sharing.draft.reply.clone());
    let auditor = scene.world.auditor_box.public();
    let refused = scene.told(&by, "0", "不在保障期内");
    let seed = Key32::from_bytes([1; 32]);
    assert_eq!(refused.seal(&seed, &auditor, &ledger), Err(AnswerFault::Refusal));
    let mut seal =
        |answer: Answer| answer.seal(&by.desk.grantee, &reply.public(), &ledger, &mut scene.world.random);
    let message = seal(Answer::Refused(refused.clone())).unwrap();
    let Message::Answer(sealed) = &message else { panic!("an answer") };
    let grantee = by.desk.grantee.public();
    let (told, _) = Answer::open(sealed, &reply, &grantee, &by.sharing.grant(), &ledger).unwrap();
    assert_eq!(told, Answer::Refused(refused.clone()));
    assert_eq!(seal(Answer::Settled(refused.clone(), seed, 1)).err(), Some(AnswerFault::Refusal));
    let silent = AuditorSettlement { reason: " ".into(), ..refused.clone() };
    assert_eq!(seal(Answer::Refused(silent)).err(), Some(AnswerFault::Reason));
    let long = AuditorSettlement { reason: "因".repeat(81), ..refused.clone() };
    assert_eq!(seal(Answer::Refused(long)).err(), Some(AnswerFault::Reason));
    let paying = AuditorSettlement { paid: Money::parse("5", "CNY").unwrap(), ..refused };
    assert_eq!(seal(Answer::Refused(paying)).err(), Some(AnswerFault::Refusal));
    let other = scene.opened_by(&rival, Slot::Commercial);
    scene.settle(&other, "7927.86");
}

#[test]
fn who_reversed_and_in_which_words_the_auditor_reads_and_the_patient_of_an_insurer() {
    let mut scene = issued();
    let insurer = scene.world.insurer.clone();
    let by = scene.opened_by(&insurer, Slot::Commercial);
    scene.settle(&by, "7927.86");
    let told = scene.reversal(&by.desk, &by.shown.tag, false);
    let (ledger, secret) = (scene.world.ledger, scene.world.auditor_box.clone());
    let seed = Key32::from_bytes([3; 32]);
    let (voucher, credential) = (by.shown.tag.voucher().clone(), by.desk.credential.clone());
    let sealed = (&secret.public(), &ledger);
    let made = told.reverse(voucher, credential, &seed, scene.world.now, sealed).unwrap();
    let Transaction::ReverseClaim(entry) = &made else { panic!("a reversal") };
    let certifiers = certifiers(&scene.world, &insurer);
    let desk = by.desk.credential.claimed().unwrap();
    let behind = Behind { ledger: &ledger, certifiers: &certifiers, desk: &desk, at: scene.world.now };
    let open = |entry: &ReverseClaim| AuditorReversal::open(&secret, entry, &behind).map(|(told, _)| told);
    assert_eq!(open(entry), Ok(told.clone()));
    let mut moved = entry.clone();
    moved.why = ReversalReason::Error;
    assert_eq!(open(&moved), Err(BoxFault::Other));
    // Somebody else's word for another key is nobody's.
    let other = scene.world.claims_desk(&insurer, Role::InsurerCommercial);
    let reversing = Reversing { tag: told.tag, desk: other.grantee.public() };
    let forged =
        AuditorReversal { presence: Signed::new(&reversing, &other.person, &ledger), ..told.clone() };
    let forged =
        ReverseClaim { auditor_box: forged.seal(&seed, &secret.public(), &ledger).unwrap(), ..entry.clone() };
    assert_eq!(open(&forged), Err(BoxFault::Presence));
    let silent = AuditorReversal { words: String::new(), ..told.clone() };
    assert_eq!(silent.seal(&seed, &secret.public(), &ledger), Err(AnswerFault::Reason));
    let (entry, then) = (entry.clone(), scene.world.now);
    scene.world.send(made, &by.desk.grantee).unwrap();

    let (grant, reply) = (by.sharing.grant(), &by.sharing.draft.reply);
    let answer = Answer::Reversed(told, seed);
    let message = answer.seal(&by.desk.grantee, &reply.public(), &ledger, &mut scene.world.random).unwrap();
    let Message::Answer(sealed) = &message else { panic!("an answer") };
    let (heard, _) = Answer::open(sealed, reply, &by.desk.grantee.public(), &grant, &ledger).unwrap();
    assert_eq!(heard, answer);
    let auditor = scene.world.state.auditor().unwrap();
    assert_eq!(heard.agrees_reversal(&entry, then, &auditor, &ledger), Ok(()));
    assert_eq!(heard.agrees_reversal(&moved, then, &auditor, &ledger), Err(AnswerFault::Other));
    let other = ReverseClaim { auditor_box: forged.auditor_box, ..entry };
    assert_eq!(heard.agrees_reversal(&other, then, &auditor, &ledger), Err(AnswerFault::AuditorBox));
    let printed = format!("{heard:?}");
    assert!(!printed.contains("重复报销") && printed.contains("redacted"));
}
