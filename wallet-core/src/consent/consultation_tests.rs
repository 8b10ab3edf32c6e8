//! A doctor's desk and a phone meet; everyone else is turned away.

use super::*;
use crate::identity::tests::{DAYS, NOW, hospital, key, organisation, root, serial};
use crate::identity::{Request, Subject, issue};
use crate::sm::seeded::Seeded;

const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
const PHONE: &[u8] = &[1; 38];
const DESK: &[u8] = &[2; 38];

fn consultation() -> Consultation {
    Consultation::new(LEDGER, &Key32::from_bytes([3; 32]), (PHONE, DESK))
}

/// A person's certificate for `key(n)`.
fn certificate(kind: Kind, role: Role, name: &str, n: u8) -> Chain {
    let subject = Subject { name: Some(name.into()), ..hospital() };
    let request = Request { kind, subject, key: key(n).public(), role: Some(role), inbox: None };
    let hospital = organisation(hospital(), 2);
    Chain::new(vec![issue(&hospital, &key(2), &request, &serial(n.into()), DAYS).unwrap(), hospital]).unwrap()
}

/// Dr Li, who signs with `key(3)` and is sealed to by `key(4)`.
fn li() -> [Chain; 2] {
    let li = |kind, n| certificate(kind, Role::Physician, "李文", n);
    [li(Kind::PersonSign, 3), li(Kind::PersonSeal, 4)]
}

fn wants() -> Wants {
    Wants { purpose: "TREAT".into(), months: Some(12), duration: 3600 }
}

fn call_of(greeting: &Greeting) -> Call {
    match Greeting::from_bytes(&greeting.to_bytes()).unwrap() {
        Greeting::Call(call) => *call,
        Greeting::Again(..) => panic!("not a call"),
    }
}

fn call(certificates: [Chain; 2]) -> Call {
    call_of(&consultation().call(&key(3), certificates, wants(), String::new()))
}

fn offer() -> ConsentOffer {
    ConsentOffer {
        grant: GrantId::from_bytes([5; 32]),
        offer_key: key(6),
        half: Some(Key32::from_bytes([8; 32])),
        checkpoint: None,
        relays: None,
    }
}

#[test]
fn the_patient_hears_who_asks_and_only_that_person_opens_the_answer() {
    let call = call(li());
    assert_eq!(consultation().hear(&call, &root(), NOW), Ok(()));
    assert_eq!((call.chain.leaf().subject().name.as_deref(), &call.wants), (Some("李文"), &wants()));
    let answer = consultation().yes(&call, &offer(), &mut Seeded::new(1)).to_bytes();
    let ConsultAnswer::Yes(grant, sealed) = ConsultAnswer::from_bytes(&answer).unwrap() else {
        panic!("no yes")
    };
    assert_eq!(consultation().open(&grant, &sealed, &key(4)), Ok(offer()));
    assert_eq!(consultation().open(&grant, &sealed, &key(3)), Err(ConsultFault::Offer));
    assert_eq!(
        consultation().open(&GrantId::from_bytes([9; 32]), &sealed, &key(4)),
        Err(ConsultFault::Offer)
    );
}

#[test]
fn malicious_a_call_is_good_on_one_connection_with_one_code_and_one_ledger_only() {
    let call = call(li());
    let secret = Key32::from_bytes([3; 32]);
    let others = [
        Consultation::new(LEDGER, &secret, (PHONE, &[9; 38])),
        Consultation::new(LEDGER, &secret, (&[9; 38], DESK)),
        Consultation::new(LEDGER, &Key32::from_bytes([4; 32]), (PHONE, DESK)),
        Consultation::new(LedgerId::from_bytes([8; 32]), &secret, (PHONE, DESK)),
    ];
    for other in others {
        assert_eq!(other.hear(&call, &root(), NOW), Err(ConsultFault::Caller));
    }
    // Whoever goes on after a break must be the same person.
    assert_eq!(consultation().is(&consultation().caller(&key(3)), call.chain.leaf().key()), Ok(()));
    assert_eq!(
        consultation().is(&consultation().caller(&key(5)), call.chain.leaf().key()),
        Err(ConsultFault::Caller)
    );
}

#[test]
fn malicious_nobody_borrows_a_name_or_a_role() {
    let [sign, seal] = li();
    // Somebody else's key to seal to would open the answer.
    let wang = certificate(Kind::PersonSeal, Role::Physician, "王敏", 5);
    let clerk = |kind, n| certificate(kind, Role::Issuer, "李文", n);
    for borrowed in [
        [sign.clone(), wang],
        [sign.clone(), sign.clone()],
        [seal.clone(), seal.clone()],
        [clerk(Kind::PersonSign, 3), clerk(Kind::PersonSeal, 4)],
        [sign.clone(), clerk(Kind::PersonSeal, 4)],
    ] {
        assert_eq!(consultation().hear(&call(borrowed), &root(), NOW), Err(ConsultFault::Certificate));
    }
    // A certificate that was seen, without its key.
    let stolen = call_of(&consultation().call(&key(5), [sign, seal], wants(), String::new()));
    assert_eq!(consultation().hear(&stolen, &root(), NOW), Err(ConsultFault::Caller));
    let late = DAYS.not_after + 1;
    assert_eq!(consultation().hear(&call(li()), &root(), late), Err(ConsultFault::Certificate));
}

#[test]
fn what_is_asked_for_has_bounds() {
    for wants in [
        Wants { purpose: String::new(), ..wants() },
        Wants { purpose: "P".repeat(17), ..wants() },
        Wants { months: Some(0), ..wants() },
        Wants { months: Some(1201), ..wants() },
    ] {
        let call = call_of(&consultation().call(&key(3), li(), wants, String::new()));
        assert_eq!(consultation().hear(&call, &root(), NOW), Err(ConsultFault::Form));
    }
    assert_eq!(Greeting::from_bytes(&vec![0; MOST_CALL + 1]), Err(ConsultFault::Form));
    let bytes = consultation().call(&key(3), li(), wants(), String::new()).to_bytes();
    assert!((0..bytes.len()).all(|cut| Greeting::from_bytes(&bytes[..cut]).is_err()));
}

#[test]
fn answers_come_back_as_they_were_sent() {
    let answers = [ConsultAnswer::No, ConsultAnswer::Busy, ConsultAnswer::GoOn];
    for answer in answers {
        assert_eq!(ConsultAnswer::from_bytes(&answer.to_bytes()), Ok(answer));
    }
    let again = Greeting::Again(GrantId::from_bytes([5; 32]), consultation().caller(&key(3)));
    assert_eq!(Greeting::from_bytes(&again.to_bytes()), Ok(again));
}
