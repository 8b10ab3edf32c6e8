//! Releases: no log, no key.

use super::*;
use crate::contract::{BindTicket, CancelTicket, Role};
use proptest::prelude::*;

fn released(shared: &Shared, gate: u8, use_number: u32) -> Signed<Released> {
    let order = shared.may_release(use_number, &shared.moment()).unwrap();
    let deposit = &shared.split.deposits[usize::from(gate) - 1];
    order.release(deposit, &slot(gate.into()), &gate_key(gate.into()), &shared.world.ledger).unwrap()
}

fn opened(shared: &Shared, gate: u8, use_number: u32) -> Release {
    let (signed, object) = (released(shared, gate, use_number), *shared.id().digest());
    let gate = gate_key(gate.into()).public();
    open_release(&signed, &gate, &key(EPK), &object, use_number, &shared.world.ledger).unwrap()
}

fn gathering(shared: &Shared) -> Gathering {
    Gathering::new(*shared.id().digest(), shared.grant.shares, 3, 4)
}

#[test]
fn t_gates_give_the_halves_of_the_records_redeemed_and_fewer_do_not() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0, 2]);
    let mut gathering = gathering(&shared);
    for (have, gate) in [4, 1, 3].into_iter().enumerate() {
        let few = GatheringError::TooFew { record: 2, have, need: 3 };
        assert_eq!(gathering.half(2), Err(few));
        gathering.add(gate, &opened(&shared, gate, 1)).unwrap();
    }
    for record in [0u32, 2] {
        assert_eq!(gathering.half(record).unwrap(), shared.halves[record as usize].half);
    }
    assert_eq!(gathering.half(1), Err(GatheringError::TooFew { record: 1, have: 0, need: 3 }));
}

#[test]
fn the_same_gate_twice_is_one_gate() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let mut gathering = gathering(&shared);
    for _ in 0..3 {
        gathering.add(1, &opened(&shared, 1, 1)).unwrap();
    }
    assert_eq!(gathering.half(0), Err(GatheringError::TooFew { record: 0, have: 1, need: 3 }));
}

#[test]
fn a_lying_gate_is_named_and_nothing_of_it_is_taken() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0, 1]);
    let honest = opened(&shared, 2, 1);
    let wrong = |change: &dyn Fn(&mut Release)| {
        let (mut lie, mut gathering) = (honest.clone(), gathering(&shared));
        change(&mut lie);
        assert_eq!(gathering.add(2, &lie), Err(GatheringError::WrongShare { gate: 2 }));
        assert_eq!(gathering.half(0), Err(GatheringError::TooFew { record: 0, have: 0, need: 3 }));
    };
    wrong(&|lie| lie.records[1].share.value = Key32::from_bytes([7; 32]));
    wrong(&|lie| lie.records[1].salt[3] ^= 1);
    wrong(&|lie| lie.records[1].share.index = 1);
    wrong(&|lie| lie.records[1].record = 3);
    wrong(&|lie| lie.commitments[0] = lie.commitments[1]);
    wrong(&|lie| *lie = opened(&shared, 3, 1));
}

#[test]
fn the_same_redemption_gets_the_same_answer() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let first = released(&shared, 1, 1);
    shared.world.now += 100;
    assert_eq!(released(&shared, 1, 1).to_bytes(), first.to_bytes());
    shared.redeem(2, vec![0]);
    assert_ne!(released(&shared, 1, 2).to_bytes(), first.to_bytes());
}

#[test]
fn a_release_opens_only_for_the_redeemer_this_use_and_this_gate() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let (signed, object, ledger) = (released(&shared, 1, 1), *shared.id().digest(), shared.world.ledger);
    let open = |gate: u16, epk: u16, use_number, ledger: &LedgerId| {
        open_release(&signed, &gate_key(gate).public(), &key(epk), &object, use_number, ledger).is_ok()
    };
    assert!(open(1, EPK, 1, &ledger));
    assert!(!open(2, EPK, 1, &ledger), "another gate's signature");
    assert!(!open(1, GRANT, 1, &ledger), "another key");
    assert!(!open(1, EPK, 2, &ledger), "another use");
    assert!(!open(1, EPK, 1, &LedgerId::from_bytes([9; 32])), "another ledger");
}

#[test]
fn a_deposit_of_another_object_is_never_released() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let order = shared.may_release(1, &shared.moment()).unwrap();
    let other = split(commitment(1).digest(), &shared.halves, 3, 4, &mut Seeded::new(6)).unwrap();
    let verdict = order.release(&other.deposits[0], &slot(1), &gate_key(1), &shared.world.ledger);
    assert_eq!(verdict, Err(GateRefusal::NoShare));
}

#[test]
fn without_a_redemption_nothing_goes() {
    let mut shared = Shared::new(|_| ());
    assert_eq!(shared.may_release(1, &shared.moment()), Err(GateRefusal::NotRedeemed));
    shared.redeem(1, vec![0]);
    for wrong in [0, 2] {
        assert_eq!(shared.may_release(wrong, &shared.moment()), Err(GateRefusal::NotRedeemed));
    }
    let unknown = Subject::Grant(GrantId::from_bytes([1; 32]));
    let verdict = may_release(&shared.world.state, &unknown, 1, &shared.moment());
    assert_eq!(verdict, Err(GateRefusal::Unknown));
}

#[test]
fn asked_too_late_by_either_clock_nothing_goes() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let start = shared.world.now;
    let at = |ledger: u64, own: u64| shared.may_release(1, &Moment { ledger, own, tick: None });
    assert!(at(start + 599, start + 599).is_ok());
    assert_eq!(at(start + 600, start), Err(GateRefusal::TooLate));
    assert_eq!(at(start, start + 600), Err(GateRefusal::TooLate));
}

#[test]
fn after_revocation_suspension_or_the_end_nothing_goes_though_the_redemption_stands() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    shared.world.revoke(&shared.grant.clone()).unwrap();
    assert_eq!(shared.may_release(1, &shared.moment()), Err(GateRefusal::Revoked));

    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    shared.world.suspend(CLINIC, shared.world.now);
    assert_eq!(shared.may_release(1, &shared.moment()), Err(GateRefusal::Suspended));

    let mut shared = Shared::new(|_| ());
    shared.world.now += shared.grant.duration - 10;
    shared.desk = shared.desk.clone().until(shared.world.now + HOUR);
    shared.redeem(1, vec![0]);
    assert!(shared.may_release(1, &now(shared.world.now + 9)).is_ok());
    assert_eq!(shared.may_release(1, &now(shared.world.now + 10)), Err(GateRefusal::Ended));
}

#[test]
fn an_exhausted_grant_still_releases_what_was_redeemed() {
    let mut shared = Shared::new(|grant| grant.uses = 1);
    shared.redeem(1, vec![0]);
    assert!(shared.may_release(1, &shared.moment()).is_ok());
}

#[test]
fn a_gate_whose_ledger_lags_releases_nothing() {
    let mut shared = Shared::new(|_| ());
    shared.redeem(1, vec![0]);
    let time = shared.world.now;
    let with = |tick| shared.may_release(1, &Moment { ledger: time, own: time, tick: Some(tick) });
    assert!(with(time - 29).is_ok());
    assert_eq!(with(time - 30), Err(GateRefusal::Behind));
    assert!(with(time + 4).is_ok(), "a tick may run a little ahead of this clock");
}

#[test]
fn a_tickets_half_goes_to_the_wallet_that_bound_it_and_to_no_one_after_cancellation() {
    let mut world = World::open();
    world.anchored(1);
    let subject = Subject::Ticket(commitment(1));
    let decide = |world: &World, time| may_release(&world.state, &subject, 0, &now(time));
    assert_eq!(decide(&world, world.now), Err(GateRefusal::NotBound));
    let body = BindTicket {
        commitment: commitment(1),
        holder: holder_commitment(1),
        seal: public(SEAL),
        request: public(REQUEST),
    };
    world.take(&Transaction::BindTicket(body), &key(TICKET)).unwrap();
    let split = split(subject.object(), &halves(1), 3, 4, &mut Seeded::new(5)).unwrap();
    let order = decide(&world, world.now + 7 * DAY - 1).expect("as often as asked");
    let signed = order.release(&split.deposits[0], &slot(1), &gate_key(1), &world.ledger).unwrap();
    let gate = gate_key(1).public();
    assert!(open_release(&signed, &gate, &key(SEAL), subject.object(), 0, &world.ledger).is_ok());
    assert_eq!(decide(&world, world.now + 7 * DAY), Err(GateRefusal::Ended));
    let verdict = may_release(&world.state, &subject, 1, &now(world.now));
    assert_eq!(verdict, Err(GateRefusal::NotRedeemed), "a ticket has no uses");
    let desk = Desk::new(HOSPITAL, Role::Issuer, world.now);
    let credential = world.credential(&desk);
    let cancel = CancelTicket { commitment: commitment(1), credential, why: "why".to_owned() };
    world.take(&Transaction::CancelTicket(cancel), &desk.key()).unwrap();
    assert_eq!(decide(&world, world.now), Err(GateRefusal::Cancelled));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The rule of PROTOCOL §7 in one line, against every mix of what may have happened.
    #[test]
    fn a_release_is_made_exactly_when_every_condition_holds(
        redeemed in any::<bool>(),
        revoked in any::<bool>(),
        suspended in any::<bool>(),
        wait in prop_oneof![0u64..650, Just(599), Just(600), Just(7199), Just(7200)],
        skew in prop_oneof![Just(0i64), -700i64..700, Just(-8000), Just(8000)],
        lag in prop_oneof![Just(None), (0u64..60).prop_map(Some)],
    ) {
        prop_assume!(!(revoked && suspended) || redeemed);
        let mut shared = Shared::new(|_| ());
        if redeemed {
            shared.redeem(1, vec![0]);
        }
        if revoked {
            shared.world.revoke(&shared.grant.clone()).unwrap();
        }
        if suspended {
            shared.world.suspend(CLINIC, shared.world.now);
        }
        let ledger = START + wait;
        let own = ledger.saturating_add_signed(skew);
        let moment = Moment { ledger, own, tick: lag.map(|lag| own - lag) };
        let latest = ledger.max(own);
        let expected = redeemed
            && !revoked
            && !suspended
            && latest < START + 600
            && latest < START + shared.grant.duration
            && lag.is_none_or(|lag| lag < 30);
        prop_assert_eq!(shared.may_release(1, &moment).is_ok(), expected);
    }
}

#[test]
fn refusals_have_numbers_and_names_of_their_own() {
    let rejections = crate::contract::Rejection::ALL.iter().map(|r| (r.number(), r.name()));
    let all: Vec<_> = GateRefusal::ALL.iter().map(|r| (r.number(), r.name())).chain(rejections).collect();
    let numbers: std::collections::BTreeSet<_> = all.iter().map(|(number, _)| number).collect();
    let names: std::collections::BTreeSet<_> = all.iter().map(|(_, name)| name).collect();
    assert_eq!((numbers.len(), names.len()), (all.len(), all.len()));
}
