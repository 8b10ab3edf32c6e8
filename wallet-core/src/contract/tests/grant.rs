//! Grants: who may read, when, how often.

use super::super::*;
use super::world::*;
use crate::consent::{GRANT_BOX, USE_BOX};
use crate::sm::Signed;

fn issue(change: impl FnOnce(&mut IssueGrant)) -> Result<u64, Rejection> {
    let mut world = World::open();
    let mut body = grant(world.now);
    change(&mut body);
    world.take(&Transaction::IssueGrant(body), &key(GRANT))
}

#[test]
fn a_grant_keeps_its_bounds() {
    assert_eq!(issue(|g| g.duration = 0), Err(Rejection::Duration));
    assert_eq!(issue(|g| g.duration = 30 * DAY + 1), Err(Rejection::Duration));
    assert!(issue(|g| g.duration = 30 * DAY).is_ok());
    assert_eq!(issue(|g| g.accept_within = 0), Err(Rejection::AcceptWithin));
    assert_eq!(issue(|g| g.accept_within = HOUR / 2 + 1), Err(Rejection::AcceptWithin));
    assert_eq!(issue(|g| (g.duration, g.accept_within) = (900, 451)), Err(Rejection::AcceptWithin));
    assert!(issue(|g| (g.duration, g.accept_within) = (900, 450)).is_ok());
    assert!(issue(|g| g.accept_within = 300).is_ok(), "works without my phone");
    for uses in [0, 1001] {
        assert_eq!(issue(|g| g.uses = uses), Err(Rejection::Uses));
    }
    for records in [0, 257] {
        assert_eq!(issue(|g| g.records = records), Err(Rejection::Records));
    }
    for size in [0, GRANT_BOX - 1, GRANT_BOX + 1, USE_BOX] {
        assert_eq!(issue(|g| g.auditor_box = vec![1; size]), Err(Rejection::AuditorBox));
    }
}

#[test]
fn nobody_can_hold_a_grant_back_and_include_it_later() {
    assert!(issue(|g| g.include_before = START).is_ok());
    assert_eq!(issue(|g| g.include_before = START - 1), Err(Rejection::IncludeBefore));
    assert!(issue(|g| g.include_before = START + INCLUDE_AHEAD).is_ok());
    for far in [START + INCLUDE_AHEAD + 1, u64::MAX] {
        assert_eq!(issue(|g| g.include_before = far), Err(Rejection::IncludeBefore));
    }
}

#[test]
fn a_grant_is_signed_by_its_own_key_and_exists_once() {
    let mut world = World::open();
    let body = grant(world.now);
    let wrong = Transaction::IssueGrant(body.clone());
    assert_eq!(world.take(&wrong, &key(OFFER)), Err(Rejection::Signature));
    world.offered(|_| ());
    let again = Transaction::IssueGrant(IssueGrant { uses: 1000, ..body });
    assert_eq!(world.take(&again, &key(GRANT)), Err(Rejection::GrantKnown));
}

#[test]
fn a_grant_starts_at_its_inclusion_and_ends_after_its_duration() {
    let mut world = World::open();
    world.now += 500;
    let (grant, desk) = world.accepted(|_| ());
    let terms = world.state.terms(&world.grant_id(&grant)).unwrap().unwrap();
    assert_eq!((terms.issued, terms.end()), (START + 500, START + 500 + grant.duration));
    world.now = terms.end() - 1;
    world.redeem(&grant, &desk, 1).unwrap();
    world.now = terms.end();
    assert_eq!(world.redeem(&grant, &desk, 2), Err(Rejection::GrantExpired));
    assert_eq!(world.revoke(&grant), Err(Rejection::GrantExpired));
}

#[test]
fn a_grant_is_accepted_in_time_or_never() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    world.now += grant.accept_within;
    let desk = Desk::new(CLINIC, Role::Physician, world.now);
    let late = world.acceptance(&grant, &desk);
    assert_eq!(world.take(&late, &desk.key()), Err(Rejection::AcceptedTooLate));
    world.now -= 1;
    world.take(&late, &desk.key()).unwrap();
}

#[test]
fn the_first_to_accept_has_it() {
    let mut world = World::open();
    let (grant, _) = world.accepted(|_| ());
    let other = Desk::numbered(70, HOSPITAL, Role::Physician, world.now);
    let second = world.acceptance(&grant, &other);
    assert_eq!(world.take(&second, &other.key()), Err(Rejection::AlreadyAccepted));
    assert_eq!(world.redeem(&grant, &other, 1), Err(Rejection::OtherGrantee));
}

#[test]
fn who_sees_an_acceptance_pass_cannot_take_it_over() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    let (desk, thief) = (
        Desk::new(CLINIC, Role::Physician, world.now),
        Desk::numbered(70, HOSPITAL, Role::Physician, world.now),
    );
    let (Transaction::AcceptGrant(seen), id) = (world.acceptance(&grant, &desk), world.grant_id(&grant))
    else {
        unreachable!("an acceptance")
    };
    let taken = AcceptGrant { credential: world.credential(&thief), ..seen.clone() };
    assert_eq!(world.take(&Transaction::AcceptGrant(taken), &thief.key()), Err(Rejection::Acceptance));
    let own = Acceptance { grant: id, grantee: thief.credential.grantee, box_key: thief.credential.box_key };
    let acceptance = Signed::new(&own, &thief.key(), &world.ledger);
    let forged = AcceptGrant { grant: id, credential: world.credential(&thief), acceptance };
    let verdict = world.take(&Transaction::AcceptGrant(forged), &thief.key());
    assert_eq!(verdict, Err(Rejection::AcceptanceSignature));
    assert_eq!(world.take(&Transaction::AcceptGrant(seen), &thief.key()), Err(Rejection::Signature));
}

#[test]
fn an_acceptance_for_another_grant_is_refused() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    let desk = Desk::new(CLINIC, Role::Physician, world.now);
    let Transaction::AcceptGrant(mut body) = world.acceptance(&grant, &desk) else { unreachable!("accepts") };
    let credential = &desk.credential;
    let other = Acceptance {
        grant: crate::id::GrantId::from_bytes([1; 32]),
        grantee: credential.grantee,
        box_key: credential.box_key,
    };
    body.acceptance = Signed::new(&other, &key(OFFER), &world.ledger);
    assert_eq!(world.take(&Transaction::AcceptGrant(body), &desk.key()), Err(Rejection::Acceptance));
}

#[test]
fn only_the_role_that_the_patient_chose_accepts() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    let desk = Desk::new(HOSPITAL, Role::Issuer, world.now);
    let transaction = world.acceptance(&grant, &desk);
    assert_eq!(world.take(&transaction, &desk.key()), Err(Rejection::CredentialRole));
    world.suspend(HOSPITAL, START);
    let desk = Desk::new(HOSPITAL, Role::Physician, world.now);
    let transaction = world.acceptance(&grant, &desk);
    assert_eq!(world.take(&transaction, &desk.key()), Err(Rejection::PartySuspended));
}

#[test]
fn nothing_can_be_done_to_a_grant_that_is_not_there() {
    let mut world = World::open();
    let (grant, desk) = (grant(world.now), Desk::new(CLINIC, Role::Physician, world.now));
    let acceptance = world.acceptance(&grant, &desk);
    assert_eq!(world.take(&acceptance, &desk.key()), Err(Rejection::UnknownGrant));
    assert_eq!(world.redeem(&grant, &desk, 1), Err(Rejection::UnknownGrant));
    assert_eq!(world.revoke(&grant), Err(Rejection::UnknownGrant));
}

#[test]
fn a_grant_must_be_accepted_before_it_is_used() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    let desk = Desk::new(CLINIC, Role::Physician, world.now);
    assert_eq!(world.redeem(&grant, &desk, 1), Err(Rejection::NotAccepted));
}

#[test]
fn uses_are_numbered_and_end() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|g| g.uses = 2);
    for wrong in [0, 2, u64::from(u32::MAX) + 2] {
        assert_eq!(world.redeem(&grant, &desk, wrong), Err(Rejection::UseNumber));
    }
    world.redeem(&grant, &desk, 1).unwrap();
    assert!(matches!(world.redeem(&grant, &desk, 1), Err(Rejection::Duplicate { .. })));
    let mut other = world.redemption(&grant, &desk, 1);
    other.records = vec![1];
    assert_eq!(world.take(&Transaction::RedeemGrant(other), &desk.key()), Err(Rejection::UseNumber));
    world.redeem(&grant, &desk, 2).unwrap();
    assert_eq!(world.redeem(&grant, &desk, 3), Err(Rejection::GrantExhausted));
    let leaf = world.state.grant(&world.grant_id(&grant)).unwrap().unwrap();
    assert_eq!((leaf.status, leaf.uses, leaf.count), (Status::Exhausted, 2, 4));
}

#[test]
fn the_least_interval_lies_between_two_uses() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|g| g.interval = 100);
    world.redeem(&grant, &desk, 1).unwrap();
    world.now += 99;
    assert_eq!(world.redeem(&grant, &desk, 2), Err(Rejection::TooSoon));
    world.now += 1;
    world.redeem(&grant, &desk, 2).unwrap();
}

#[test]
fn after_a_revocation_nothing_is_read() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|_| ());
    let wrong = Transaction::RevokeGrant(RevokeGrant { grant: world.grant_id(&grant) });
    assert_eq!(world.take(&wrong, &desk.key()), Err(Rejection::Signature), "the grantee can't revoke");
    world.redeem(&grant, &desk, 1).unwrap();
    world.revoke(&grant).unwrap();
    assert_eq!(world.redeem(&grant, &desk, 2), Err(Rejection::GrantRevoked));
}

#[test]
fn a_grant_that_nobody_accepted_or_that_is_exhausted_can_be_revoked() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    world.revoke(&grant).unwrap();
    let desk = Desk::new(CLINIC, Role::Physician, world.now);
    let acceptance = world.acceptance(&grant, &desk);
    assert_eq!(world.take(&acceptance, &desk.key()), Err(Rejection::GrantRevoked));
    let mut world = World::open();
    let (grant, desk) = world.accepted(|g| g.uses = 1);
    world.redeem(&grant, &desk, 1).unwrap();
    world.revoke(&grant).unwrap();
    assert!(matches!(world.revoke(&grant), Err(Rejection::Duplicate { .. })));
}

#[test]
fn a_suspended_organisation_reads_nothing_though_it_accepted_before() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|_| ());
    world.suspend(CLINIC, START);
    assert_eq!(world.redeem(&grant, &desk, 1), Err(Rejection::PartySuspended));
}

#[test]
fn a_credential_expires_and_a_renewed_one_with_the_same_keys_goes_on() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|g| g.duration = 3 * DAY);
    world.now += 12 * HOUR;
    assert_eq!(world.redeem(&grant, &desk, 1), Err(Rejection::CredentialExpired));
    let renewed = desk.clone().until(world.now + HOUR);
    world.redeem(&grant, &renewed, 1).unwrap();
    let mut other = renewed;
    other.credential.box_key = public(99);
    assert_eq!(world.redeem(&grant, &other, 2), Err(Rejection::OtherGrantee));
}

#[test]
fn records_are_ascending_and_within_the_grant() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|_| ());
    for wrong in [vec![], vec![3], vec![1, 0], vec![1, 1]] {
        let body = RedeemGrant { records: wrong, ..world.redemption(&grant, &desk, 1) };
        let verdict = world.take(&Transaction::RedeemGrant(body), &desk.key());
        assert_eq!(verdict, Err(Rejection::RecordNumbers));
    }
    let boxless = RedeemGrant { auditor_box: Vec::new(), ..world.redemption(&grant, &desk, 1) };
    let verdict = world.take(&Transaction::RedeemGrant(boxless), &desk.key());
    assert_eq!(verdict, Err(Rejection::AuditorBox));
    let all = RedeemGrant { records: vec![0, 2], ..world.redemption(&grant, &desk, 1) };
    world.take(&Transaction::RedeemGrant(all), &desk.key()).unwrap();
    let used = world.state.redemption(&world.grant_id(&grant), 1).unwrap().unwrap();
    assert_eq!((used.records, used.epk, used.at), (vec![0, 2], public(EPK), world.now));
}

#[test]
fn every_entry_on_a_grant_extends_its_chain() {
    let mut world = World::open();
    let (grant, desk) = world.accepted(|_| ());
    world.redeem(&grant, &desk, 1).unwrap();
    let id = world.grant_id(&grant);
    let transactions = [
        Transaction::IssueGrant(grant.clone()),
        world.acceptance(&grant, &desk),
        Transaction::RedeemGrant(world.redemption(&grant, &desk, 1)),
        Transaction::RevokeGrant(RevokeGrant { grant: id }),
    ];
    world.revoke(&grant).unwrap();
    let expected = transactions
        .iter()
        .fold(CHAIN_START, |chain, transaction| extend_chain(&chain, &transaction.id(), START));
    let leaf = world.state.grant(&id).unwrap().unwrap();
    assert_eq!((leaf.chain, leaf.count), (expected, 4));
}
