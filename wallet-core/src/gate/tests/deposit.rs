//! Deposits: taken as committed on the ledger, or not at all.

use super::*;
use crate::contract::{AnchorReport, Destination, Role};
use crate::sm::Digest;

#[test]
fn a_deposit_travels_sealed_to_the_gates_key_of_the_day() {
    let shared = Shared::new(|_| ());
    let (object, day, ledger) = (*shared.id().digest(), key(900), shared.world.ledger);
    let sealed = shared.split.deposits[0].seal(&key(GRANT), &day.public(), &ledger, &mut Seeded::new(1));
    let opened = open_deposit(&sealed, &object, &day, &ledger).unwrap();
    assert_eq!(shared.accept(&opened, 1).unwrap(), shared.split.deposits[0]);
    let refused = |object: &Digest, day: &SecretKey, ledger: &LedgerId| {
        open_deposit(&sealed, object, day, ledger).unwrap_err()
    };
    assert_eq!(refused(&Digest::default(), &day, &ledger), GateRefusal::Form, "moved to another object");
    assert_eq!(refused(&object, &key(901), &ledger), GateRefusal::Form, "another day's key");
    assert_eq!(refused(&object, &day, &LedgerId::from_bytes([9; 32])), GateRefusal::Form);
    assert!(!sealed.windows(32).any(|w| w == shared.split.deposits[0].records[0].share.value.as_bytes()));
}

#[test]
fn every_gate_takes_its_own_deposit_and_no_other() {
    let shared = Shared::new(|_| ());
    for gate in 1..=4u8 {
        let signed = shared.signed(usize::from(gate));
        assert!(shared.accept(&signed, gate).is_ok());
        for other in (1..=4).filter(|other| *other != gate) {
            assert_eq!(shared.accept(&signed, other), Err(GateRefusal::Shares));
        }
    }
}

#[test]
fn whatever_differs_from_the_commitments_is_refused() {
    let shared = Shared::new(|_| ());
    let refused = |change: &dyn Fn(&mut Deposit)| {
        let mut deposit = shared.split.deposits[0].clone();
        change(&mut deposit);
        let signed = Signed::new(&deposit, &key(GRANT), &shared.world.ledger);
        assert_eq!(shared.accept(&signed, 1), Err(GateRefusal::Shares));
    };
    refused(&|deposit| deposit.records[1].share.value = Key32::from_bytes([0; 32]));
    refused(&|deposit| deposit.records[1].share.index = 2);
    refused(&|deposit| deposit.records[1].salt[0] ^= 1);
    refused(&|deposit| deposit.records[2].record = 1);
    refused(&|deposit| deposit.records.swap(0, 1));
    refused(&|deposit| deposit.records.truncate(2));
    refused(&|deposit| deposit.commitments.swap(5, 6));
    refused(&|deposit| deposit.commitments.truncate(11));
    refused(&|deposit| deposit.gate = 2);
    refused(&|deposit| {
        deposit.records.truncate(1);
        deposit.commitments.truncate(4);
    });
}

#[test]
fn only_the_grant_key_deposits_and_only_for_a_grant_that_stands() {
    let mut shared = Shared::new(|_| ());
    let deposit = &shared.split.deposits[0];
    let thief = Signed::new(deposit, &key(OFFER), &shared.world.ledger);
    assert_eq!(shared.accept(&thief, 1), Err(GateRefusal::Signature));
    let other = Signed::new(deposit, &key(GRANT), &LedgerId::from_bytes([9; 32]));
    assert_eq!(shared.accept(&other, 1), Err(GateRefusal::Signature));
    let unknown = Deposit { object: Digest::default(), ..deposit.clone() };
    let unknown = Signed::new(&unknown, &key(GRANT), &shared.world.ledger);
    assert_eq!(shared.accept(&unknown, 1), Err(GateRefusal::Unknown));
    shared.world.revoke(&shared.grant.clone()).unwrap();
    assert_eq!(shared.accept(&shared.signed(1), 1), Err(GateRefusal::Ended), "a revoked grant");
}

#[test]
fn a_tickets_half_is_deposited_by_the_key_that_anchored() {
    let mut world = World::open();
    let desk = Desk::new(HOSPITAL, Role::Issuer, world.now);
    let object = *commitment(1).digest();
    let split = split(&object, &halves(1), 3, 4, &mut Seeded::new(5)).unwrap();
    let anchor = |number: u8, destination| AnchorReport {
        commitment: commitment(number),
        credential: world.credential(&desk),
        destination,
    };
    let ticket = anchor(1, Destination::Ticket(public(TICKET), world.now + DAY, split.digest));
    let known = anchor(2, Destination::Holder(holder_commitment(1)));
    for body in [ticket, known] {
        world.take(&Transaction::AnchorReport(body), &desk.key()).unwrap();
    }
    let accept = |deposit: &Deposit, by: &SecretKey| {
        let signed = Signed::new(deposit, by, &world.ledger);
        accept_deposit(&world.state, &signed, 2, &now(world.now), &world.ledger)
    };
    assert!(accept(&split.deposits[1], &desk.key()).is_ok());
    assert_eq!(accept(&split.deposits[1], &key(TICKET)), Err(GateRefusal::Signature));
    let known = Deposit { object: *commitment(2).digest(), ..split.deposits[1].clone() };
    assert_eq!(accept(&known, &desk.key()), Err(GateRefusal::Unknown), "a known patient's has no ticket");
}

#[test]
fn a_row_opens_only_in_its_slot_and_for_its_object() {
    let shared = Shared::new(|_| ());
    let deposit = &shared.split.deposits[0];
    let (own, other) = (slot(1), slot(2));
    let row = own.seal_row(deposit, &mut Seeded::new(3));
    assert_eq!(own.open_row(&deposit.object, &row).unwrap(), *deposit);
    assert!(other.open_row(&deposit.object, &row).is_err());
    assert!(own.open_row(&Digest::default(), &row).is_err());
}

#[test]
fn deposits_slots_and_shares_print_no_secret() {
    let shared = Shared::new(|_| ());
    let printed = format!("{:?} {:?} {:?}", shared.split, slot(1), shared.halves);
    assert!(printed.contains("redacted"));
    let secret = shared.split.deposits[0].records[0].share.value.as_bytes()[0..4]
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    assert!(!printed.contains(&secret));
}
