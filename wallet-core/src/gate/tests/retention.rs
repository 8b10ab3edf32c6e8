//! What is destroyed when, and on whose word.

use super::*;
use crate::contract::{BindTicket, RevokeGrant, SignedTransaction, Views as _};

fn due(shared: &Shared, ledger: u64, own: u64) -> bool {
    let moment = Moment { ledger, own, tick: None };
    tear_due(&shared.world.state, &shared.subject(), &moment).unwrap()
}

#[test]
fn a_grants_share_goes_at_its_end() {
    let shared = Shared::new(|_| ());
    let end = START + shared.grant.duration;
    assert!(!due(&shared, end - 1, end - 1));
    assert!(due(&shared, end, end));
}

#[test]
fn a_grant_that_nobody_accepts_keeps_its_share_no_longer_than_that() {
    let mut world = World::open();
    let grant = world.offered(|_| ());
    let subject = Subject::Grant(world.grant_id(&grant));
    let due = |time| tear_due(&world.state, &subject, &now(time)).unwrap();
    assert!(!due(START + grant.accept_within - 1));
    assert!(due(START + grant.accept_within));
}

#[test]
fn an_exhausted_grants_share_goes_ten_minutes_after_the_last_use() {
    let mut shared = Shared::new(|grant| grant.uses = 2);
    shared.redeem(1, vec![0]);
    shared.world.now += 1000;
    assert!(!due(&shared, shared.world.now, shared.world.now), "a use is left");
    shared.redeem(2, vec![0]);
    let last = shared.world.now;
    assert!(!due(&shared, last + 599, last + 599));
    assert!(due(&shared, last + 600, last + 600));
}

#[test]
fn a_revocation_on_the_ledger_makes_it_due_at_once() {
    let mut shared = Shared::new(|_| ());
    shared.world.revoke(&shared.grant.clone()).unwrap();
    assert!(due(&shared, START, START));
}

#[test]
fn the_gates_own_clock_counts_only_when_the_ledger_stands_still_for_an_hour() {
    let shared = Shared::new(|_| ());
    let end = START + shared.grant.duration;
    assert!(!due(&shared, end - 3599, end), "a clock that runs ahead destroys nothing");
    assert!(due(&shared, end - 3600, end));
}

#[test]
fn what_the_state_does_not_know_is_not_due() {
    let shared = Shared::new(|_| ());
    for subject in [Subject::Grant(GrantId::from_bytes([1; 32])), Subject::Ticket(commitment(200))] {
        assert!(!tear_due(&shared.world.state, &subject, &now(u64::MAX)).unwrap());
        assert_eq!(Subject::find(&shared.world.state, subject.object()), Ok(None));
    }
    assert_eq!(Subject::find(&shared.world.state, shared.id().digest()), Ok(Some(shared.subject())));
}

#[test]
fn a_tickets_share_goes_at_expiry_or_a_week_after_it_was_bound() {
    let mut world = World::open();
    world.anchored(1);
    let subject = Subject::Ticket(commitment(1));
    let due = |world: &World, time| tear_due(&world.state, &subject, &now(time)).unwrap();
    assert!(!due(&world, START + 30 * DAY - 1));
    assert!(due(&world, START + 30 * DAY));
    world.now += 29 * DAY;
    let body = BindTicket {
        commitment: commitment(1),
        holder: holder_commitment(1),
        seal: public(SEAL),
        request: public(REQUEST),
    };
    world.take(&Transaction::BindTicket(body), &key(TICKET)).unwrap();
    assert!(!due(&world, world.now + 7 * DAY - 1), "bound in time, it outlives its expiry");
    assert!(due(&world, world.now + 7 * DAY));
}

fn revocation(world: &World, grant: GrantId, by: u16, key_given: u16) -> Revocation {
    let transaction = Transaction::RevokeGrant(RevokeGrant { grant });
    let signed = SignedTransaction::new(&transaction, &key(by), &world.ledger);
    Revocation { key: public(key_given), signed }
}

#[test]
fn a_revocation_counts_without_the_ledger_if_the_grants_own_key_signed_it() {
    let world = World::open();
    let id = GrantId::of(&world.ledger, &public(GRANT));
    let accept = |revocation: &Revocation| accept_revocation(revocation, &world.ledger);
    assert_eq!(accept(&revocation(&world, id, GRANT, GRANT)), Ok(id));
    assert_eq!(accept(&revocation(&world, id, OFFER, GRANT)), Err(GateRefusal::Signature));
    assert_eq!(accept(&revocation(&world, id, OFFER, OFFER)), Err(GateRefusal::Signature), "another's grant");
    let other = LedgerId::from_bytes([9; 32]);
    assert!(accept_revocation(&revocation(&world, id, GRANT, GRANT), &other).is_err());
    let opening = Transaction::IssueGrant(grant(START));
    let signed = SignedTransaction::new(&opening, &key(GRANT), &world.ledger);
    assert_eq!(accept(&Revocation { key: public(GRANT), signed }), Err(GateRefusal::Signature));
}

#[test]
fn only_the_wallet_that_bound_a_ticket_says_kept() {
    let mut world = World::open();
    world.anchored(1);
    let kept =
        |by: u16, ledger: &LedgerId| Signed::new(&Kept { commitment: commitment(1) }, &key(by), ledger);
    let accept = |world: &World, signed: &Signed<Kept>| accept_kept(&world.state, signed, &world.ledger);
    let ledger = world.ledger;
    assert_eq!(accept(&world, &kept(REQUEST, &ledger)), Err(GateRefusal::NotBound));
    let (seal, request) = (public(SEAL), public(REQUEST));
    let body = BindTicket { commitment: commitment(1), holder: holder_commitment(1), seal, request };
    world.take(&Transaction::BindTicket(body), &key(TICKET)).unwrap();
    assert_eq!(accept(&world, &kept(REQUEST, &ledger)), Ok(commitment(1)));
    assert_eq!(accept(&world, &kept(SEAL, &ledger)), Err(GateRefusal::Signature));
    let other = kept(REQUEST, &LedgerId::from_bytes([9; 32]));
    assert_eq!(accept(&world, &other), Err(GateRefusal::Signature));
}

#[test]
fn a_tombstone_outlives_everything_that_it_must_stop() {
    let shared = Shared::new(|_| ());
    let until = |subject: &Subject| tombstone_until(&shared.world.state, subject, &shared.moment()).unwrap();
    assert_eq!(until(&shared.subject()), START + shared.grant.duration + DAY);
    let longest = shared.world.state.genesis().unwrap().bounds.read;
    let unknown = Subject::Grant(GrantId::from_bytes([1; 32]));
    assert!(until(&unknown) > START + 600 + longest + DAY, "a grant that is still under way");
}

#[test]
fn words_of_gates_and_wallets_read_back() {
    let ledger = LedgerId::from_bytes([1; 32]);
    let torn = Torn { object: *commitment(1).digest(), at: START };
    let signed = Signed::new(&torn, &gate_key(1), &ledger);
    assert_eq!(
        Signed::<Torn>::from_bytes(&signed.to_bytes()).unwrap().verify(&public(1301), &ledger),
        Ok(torn)
    );
    let day = GateDay { from: START, until: START + DAY, key: public(900) };
    let signed = Signed::new(&day, &gate_key(1), &ledger);
    assert_eq!(signed.verify(&gate_key(1).public(), &ledger), Ok(day));
}

#[test]
fn applying_and_releasing_agree_on_the_state() {
    let mut shared = Shared::new(|_| ());
    let body = shared.world.redemption(&shared.grant, &shared.desk, 1);
    let transaction = Transaction::RedeemGrant(body);
    let signed = SignedTransaction::new(&transaction, &shared.desk.key(), &shared.world.ledger);
    let context: Context = shared.world.context();
    let changes = apply(&shared.world.state, &context, &signed, &shared.world.ledger).unwrap();
    assert_eq!(shared.may_release(1, &shared.moment()), Err(GateRefusal::NotRedeemed), "not committed yet");
    shared.world.state.commit(changes);
    let order = shared.may_release(1, &shared.moment()).unwrap();
    let recipient: PublicKey = public(EPK);
    assert_eq!((order.records(), order.subject()), (&[0][..], &shared.subject()));
    let deposit = &shared.split.deposits[0];
    let signed = order.release(deposit, &slot(1), &gate_key(1), &shared.world.ledger).unwrap();
    let release = signed.verify(&gate_key(1).public(), &shared.world.ledger).unwrap();
    assert!(!release.sealed.windows(65).any(|w| w == recipient.as_bytes()));
}
