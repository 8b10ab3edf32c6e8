//! Reports and tickets.

use super::super::*;
use super::world::*;

fn desk(world: &World) -> Desk {
    Desk::new(HOSPITAL, Role::Issuer, world.now)
}

fn binding(number: u8, holder: u8) -> Transaction {
    Transaction::BindTicket(BindTicket {
        commitment: commitment(number),
        holder: holder_commitment(holder),
        seal: public(SEAL),
        request: public(REQUEST),
    })
}

fn cancelling(world: &World, number: u8, desk: &Desk) -> CancelTicket {
    let credential = world.credential(desk);
    CancelTicket { commitment: commitment(number), credential, why: "给错了人".to_owned() }
}

fn superseding(world: &World, number: u8, replaces: u8, desk: &Desk) -> SupersedeReport {
    SupersedeReport {
        commitment: commitment(number),
        credential: world.credential(desk),
        destination: Destination::Holder(holder_commitment(1)),
        replaces: commitment(replaces),
        why: "更正".to_owned(),
    }
}

#[test]
fn a_report_is_anchored_once_by_a_desk_with_an_issuers_credential() {
    let mut world = World::open();
    world.anchored(1);
    let anchor = world.state.anchor(&commitment(1)).unwrap().unwrap();
    assert_eq!(
        (anchor.party, anchor.at, anchor.issuer),
        (party(HOSPITAL), START, desk(&world).credential.grantee)
    );
    let again = world.anchor(1, Destination::Holder(holder_commitment(2)), &desk(&world));
    assert_eq!(world.take(&again, &desk(&world).key()), Err(Rejection::AnchorKnown));
}

#[test]
fn a_credential_must_be_the_organisations_own_for_this_role_and_this_day() {
    let mut world = World::open();
    let now = world.now;
    let issuer = || Desk::new(HOSPITAL, Role::Issuer, now);
    let refused = [
        (Desk::new("91NOBODY", Role::Issuer, now), Rejection::UnknownParty),
        (Desk::new(HOSPITAL, Role::Physician, now), Rejection::CredentialRole),
        (Desk::new(CLINIC, Role::Issuer, now), Rejection::RoleMissing),
        (issuer().until(now), Rejection::CredentialExpired),
        (issuer().until(now + DAY + 1), Rejection::CredentialTooLong),
    ];
    for (desk, rejection) in refused {
        let transaction = world.anchor(1, ticket(now + DAY), &desk);
        assert_eq!(world.take(&transaction, &desk.key()), Err(rejection));
    }
    let desk = issuer().until(now + DAY);
    let transaction = world.anchor(1, ticket(now + DAY), &desk);
    assert_eq!(
        world.take(&transaction, &key(1)),
        Err(Rejection::Signature),
        "another key than the credential's"
    );
    world.take(&transaction, &desk.key()).unwrap();
}

#[test]
fn a_credential_that_another_organisation_signed_is_refused() {
    let mut world = World::open();
    let desk = desk(&world);
    let credential = crate::sm::Signed::new(&desk.credential, &acceptance_key(CLINIC), &world.ledger);
    let destination = ticket(world.now + DAY);
    let body = AnchorReport { commitment: commitment(1), credential, destination };
    let verdict = world.take(&Transaction::AnchorReport(body), &desk.key());
    assert_eq!(verdict, Err(Rejection::CredentialSignature));
}

#[test]
fn a_suspended_issuer_anchors_nothing_and_what_it_anchored_before_stays() {
    let mut world = World::open();
    world.anchored(1);
    world.suspend(HOSPITAL, world.now);
    let transaction = world.anchor(2, ticket(world.now + DAY), &desk(&world));
    assert_eq!(world.take(&transaction, &desk(&world).key()), Err(Rejection::PartySuspended));
    world.take(&binding(1, 1), &key(TICKET)).unwrap();
}

#[test]
fn a_ticket_that_has_expired_already_is_not_anchored() {
    let mut world = World::open();
    let transaction = world.anchor(1, ticket(world.now), &desk(&world));
    assert_eq!(world.take(&transaction, &desk(&world).key()), Err(Rejection::TicketTerm));
}

#[test]
fn the_first_wallet_keeps_the_report_and_the_second_is_told() {
    let mut world = World::open();
    world.anchored(1);
    world.take(&binding(1, 1), &key(TICKET)).unwrap();
    assert_eq!(world.take(&binding(1, 2), &key(TICKET)), Err(Rejection::TicketUsed));
    let anchor = world.state.anchor(&commitment(1)).unwrap().unwrap();
    assert_eq!(anchor.holder(), Some(&holder_commitment(1)));
    assert!(matches!(world.take(&binding(1, 1), &key(TICKET)), Err(Rejection::Duplicate { .. })));
}

#[test]
fn a_ticket_binds_by_its_key_only() {
    let mut world = World::open();
    world.anchored(1);
    assert_eq!(world.take(&binding(1, 1), &key(REQUEST)), Err(Rejection::Signature));
    assert_eq!(world.take(&binding(2, 1), &key(TICKET)), Err(Rejection::UnknownAnchor));
}

#[test]
fn an_expired_ticket_says_so_to_whoever_is_late() {
    let mut world = World::open();
    world.anchored(1);
    world.now += 30 * DAY;
    assert_eq!(world.take(&binding(1, 1), &key(TICKET)), Err(Rejection::TicketExpired));
    world.anchored(2);
    world.now += 30 * DAY - 1;
    world.take(&binding(2, 1), &key(TICKET)).unwrap();
    world.now += 1;
    assert_eq!(world.take(&binding(2, 2), &key(TICKET)), Err(Rejection::TicketUsed), "used, not expired");
}

#[test]
fn a_cancelled_ticket_says_so_bound_or_unbound() {
    let mut world = World::open();
    let desk = desk(&world);
    for number in [1, 2] {
        world.anchored(number);
    }
    world.take(&binding(1, 1), &key(TICKET)).unwrap();
    for number in [1, 2] {
        let cancel = Transaction::CancelTicket(cancelling(&world, number, &desk));
        world.take(&cancel, &desk.key()).unwrap();
        assert_eq!(world.take(&binding(number, 9), &key(TICKET)), Err(Rejection::TicketCancelled));
        let again = CancelTicket { why: "又".to_owned(), ..cancelling(&world, number, &desk) };
        let verdict = world.take(&Transaction::CancelTicket(again), &desk.key());
        assert_eq!(verdict, Err(Rejection::TicketCancelled));
    }
}

#[test]
fn a_known_patients_report_has_no_ticket_and_can_be_taken_back() {
    let mut world = World::open();
    let desk = desk(&world);
    let transaction = world.anchor(1, Destination::Holder(holder_commitment(3)), &desk);
    world.take(&transaction, &desk.key()).unwrap();
    assert_eq!(world.take(&binding(1, 1), &key(TICKET)), Err(Rejection::NotATicket));
    assert_eq!(world.state.anchor(&commitment(1)).unwrap().unwrap().holder(), Some(&holder_commitment(3)));
    let cancel = Transaction::CancelTicket(cancelling(&world, 1, &desk));
    world.take(&cancel, &desk.key()).unwrap();
}

#[test]
fn only_the_issuing_organisation_cancels_or_replaces() {
    let mut world = World::open();
    world.vote(&registration("91NEW", 9, vec![Role::Issuer])).unwrap();
    world.anchored(1);
    let other = Desk::new("91NEW", Role::Issuer, world.now);
    let cancel = Transaction::CancelTicket(cancelling(&world, 1, &other));
    assert_eq!(world.take(&cancel, &other.key()), Err(Rejection::OtherIssuer));
    let supersede = Transaction::SupersedeReport(superseding(&world, 2, 1, &other));
    assert_eq!(world.take(&supersede, &other.key()), Err(Rejection::OtherIssuer));
    let unknown = Transaction::CancelTicket(cancelling(&world, 7, &other));
    assert_eq!(world.take(&unknown, &other.key()), Err(Rejection::UnknownAnchor));
    let reasonless = CancelTicket { why: String::new(), ..cancelling(&world, 1, &desk(&world)) };
    let verdict = world.take(&Transaction::CancelTicket(reasonless), &desk(&world).key());
    assert_eq!(verdict, Err(Rejection::Text));
}

#[test]
fn a_report_is_replaced_once_and_the_new_version_names_the_old() {
    let mut world = World::open();
    let desk = desk(&world);
    world.anchored(1);
    let supersede = |world: &mut World, number, replaces| {
        let body = superseding(world, number, replaces, &desk);
        world.take(&Transaction::SupersedeReport(body), &desk.key())
    };
    assert_eq!(supersede(&mut world, 2, 7), Err(Rejection::UnknownAnchor));
    supersede(&mut world, 2, 1).unwrap();
    assert_eq!(supersede(&mut world, 3, 1), Err(Rejection::AlreadyReplaced));
    assert_eq!(supersede(&mut world, 1, 2), Err(Rejection::AnchorKnown));
    supersede(&mut world, 3, 2).unwrap();
    let middle = world.state.anchor(&commitment(2)).unwrap().unwrap();
    assert_eq!((middle.replaces, middle.replaced_by), (Some(commitment(1)), Some(commitment(3))));
}
