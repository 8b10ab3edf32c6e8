//! Organisations, the auditor, holders.

use super::super::*;
use super::world::*;
use crate::id::HolderId;
use crate::identity::Validity;

fn changed(change: impl FnOnce(&mut RegisterParty)) -> Transaction {
    match registration("91NEW", 9, vec![Role::Issuer]) {
        Transaction::RegisterParty(mut body) => {
            change(&mut body);
            Transaction::RegisterParty(body)
        }
        other => other,
    }
}

fn rotation(code: &str, sequence: u64, which: Rotated) -> Transaction {
    Transaction::RotateKeys(RotateKeys { party: party(code), sequence, which, key: public(77) })
}

#[test]
fn an_organisation_registers_by_the_votes_of_t_members() {
    let mut world = World::open();
    let transaction = changed(|_| ());
    for votes in [&[1001, 1002][..], &[1001, 1001, 1002], &[1001, 1002, 1101], &[1001, 1002, 1003, 5]] {
        assert_eq!(world.vote_by(&transaction, votes), Err(Rejection::Votes), "{votes:?}");
    }
    world.vote_by(&transaction, &[1004, 1002, 1001]).unwrap();
    let registered = world.state.party(&party("91NEW")).unwrap().unwrap();
    assert_eq!((registered.since, registered.roles), (world.now, vec![Role::Issuer]));
}

#[test]
fn votes_for_another_ledger_do_not_count() {
    let mut world = World::open();
    let real = world.ledger;
    world.ledger = LedgerId::from_bytes([9; 32]);
    let votes = [1001, 1002, 1003].map(|k| crate::sm::Signed::new(&changed(|_| ()), &key(k), &world.ledger));
    world.ledger = real;
    let signed = SignedTransaction::from_votes(votes.to_vec()).unwrap();
    assert_eq!(world.submit(&signed), Err(Rejection::Signature));
}

#[test]
fn its_certificate_must_be_an_organisations_under_the_root_and_in_force() {
    let mut world = World::open();
    let past = Validity { not_before: START - DAY, not_after: START - 1 };
    let future = Validity { not_before: START + 1, not_after: START + DAY };
    let wrong = [
        certificate("91NEW", 2, 9, YEARS),
        certificate("91NEW", ROOT, 9, past),
        certificate("91NEW", ROOT, 9, future),
        CertificateDer::from(&root_certificate(ROOT)),
        CertificateDer(b"no certificate".to_vec()),
    ];
    for certificate in wrong {
        let transaction = changed(|body| body.certificate = certificate);
        assert_eq!(world.vote(&transaction), Err(Rejection::Certificate));
    }
}

#[test]
fn a_serial_number_registers_once() {
    let mut world = World::open();
    assert_eq!(world.vote(&registration(CLINIC, 1, vec![Role::Issuer])), Err(Rejection::SerialUsed));
}

#[test]
fn roles_are_named_once_each_and_voucher_keys_are_for_issuers() {
    let mut world = World::open();
    let wrong = [
        changed(|body| body.roles.clear()),
        changed(|body| body.roles = vec![Role::Physician, Role::Issuer]),
        changed(|body| body.roles = vec![Role::Issuer, Role::Issuer]),
        changed(|body| (body.roles, body.vouchers) = (vec![Role::Physician], vec![public(3)])),
        changed(|body| body.vouchers = vec![public(3); 65]),
    ];
    for transaction in wrong {
        assert_eq!(world.vote(&transaction), Err(Rejection::Roles));
    }
}

#[test]
fn a_renewal_keeps_sequence_first_day_and_earlier_voucher_keys() {
    let mut world = World::open();
    world.take(&rotation(HOSPITAL, 1, Rotated::Voucher), &certified_key(HOSPITAL)).unwrap();
    world.now += DAY;
    let renewal = registration(HOSPITAL, 2, vec![Role::Issuer]);
    world.vote(&renewal).unwrap();
    let renewed = world.state.party(&party(HOSPITAL)).unwrap().unwrap();
    assert_eq!((renewed.sequence, renewed.since), (1, START));
    assert_eq!(renewed.vouchers, [public(77)]);
    assert_eq!(renewed.roles, [Role::Issuer]);
}

#[test]
fn a_suspended_organisation_does_not_come_back_by_renewal() {
    let mut world = World::open();
    world.suspend(HOSPITAL, world.now + DAY);
    assert_eq!(world.vote(&registration(HOSPITAL, 2, vec![Role::Issuer])), Err(Rejection::PartySuspended));
}

#[test]
fn a_suspension_counts_from_its_from_and_moves_only_to_an_earlier_moment() {
    let mut world = World::open();
    world.suspend(HOSPITAL, world.now + 100);
    let rotate = rotation(HOSPITAL, 1, Rotated::Acceptance);
    assert_eq!(world.vote(&suspension(HOSPITAL, world.now + 100, "again")), Err(Rejection::AlreadySuspended));
    world.now += 99;
    world.take(&rotate, &certified_key(HOSPITAL)).unwrap();
    world.now += 1;
    let rotate = rotation(HOSPITAL, 2, Rotated::Acceptance);
    assert_eq!(world.take(&rotate, &certified_key(HOSPITAL)), Err(Rejection::PartySuspended));
    world.suspend(HOSPITAL, START);
    let suspended = world.state.party(&party(HOSPITAL)).unwrap().unwrap().suspension.unwrap();
    assert_eq!((suspended.from, suspended.at), (START, world.now));
}

#[test]
fn a_suspension_needs_a_reason_and_somebody_registered() {
    let mut world = World::open();
    assert_eq!(world.vote(&suspension("91NOBODY", START, "why")), Err(Rejection::UnknownParty));
    assert_eq!(world.vote(&suspension(CLINIC, START, "")), Err(Rejection::Text));
    assert_eq!(world.vote(&suspension(CLINIC, START, &"因".repeat(167))), Err(Rejection::Text));
}

#[test]
fn keys_rotate_by_the_certified_key_in_sequence() {
    let mut world = World::open();
    let transaction = rotation(HOSPITAL, 1, Rotated::Acceptance);
    assert_eq!(world.take(&transaction, &acceptance_key(HOSPITAL)), Err(Rejection::Signature));
    assert_eq!(world.take(&transaction, &certified_key(CLINIC)), Err(Rejection::Signature));
    for sequence in [0, 2] {
        let wrong = rotation(HOSPITAL, sequence, Rotated::Acceptance);
        assert_eq!(world.take(&wrong, &certified_key(HOSPITAL)), Err(Rejection::Sequence));
    }
    world.take(&transaction, &certified_key(HOSPITAL)).unwrap();
    assert_eq!(world.state.party(&party(HOSPITAL)).unwrap().unwrap().acceptance, public(77));
    let nobody = rotation("91NOBODY", 1, Rotated::Acceptance);
    assert_eq!(world.take(&nobody, &certified_key(HOSPITAL)), Err(Rejection::UnknownParty));
}

#[test]
fn only_issuers_have_voucher_keys_and_64_at_most() {
    let mut world = World::open();
    let wrong = rotation(CLINIC, 1, Rotated::Voucher);
    assert_eq!(world.take(&wrong, &certified_key(CLINIC)), Err(Rejection::RoleMissing));
    let many = changed(|body| body.vouchers = (0..64).map(|i| public(3000 + i)).collect());
    world.vote(&many).unwrap();
    let more = rotation("91NEW", 1, Rotated::Voucher);
    assert_eq!(world.take(&more, &certified_key("91NEW")), Err(Rejection::Roles));
}

#[test]
fn only_the_auditor_rotates_auditor_keys_and_the_old_box_key_holds_for_a_day() {
    let mut world = World::open();
    let wrong = rotation(HOSPITAL, 1, Rotated::Audit);
    assert_eq!(world.take(&wrong, &certified_key(HOSPITAL)), Err(Rejection::NotAuditor));
    world.now += HOUR;
    world.take(&rotation(AUDITOR, 1, Rotated::AuditorBox), &certified_key(AUDITOR)).unwrap();
    let keys = world.state.auditor().unwrap();
    let valid = |keys: &AuditorKeys, then| keys.valid_at(then).copied().collect::<Vec<_>>();
    assert_eq!(keys.box_key(), Ok(public(77)));
    assert_eq!(valid(&keys, world.now), [public(77), public(21)]);
    assert_eq!(valid(&keys, world.now + DAY - 1), [public(77), public(21)]);
    assert_eq!(valid(&keys, world.now + DAY), [public(77)]);
    assert_eq!(valid(&keys, world.now - 1), [public(21)], "what was made before is judged by its own time");
    world.take(&rotation(AUDITOR, 2, Rotated::Audit), &certified_key(AUDITOR)).unwrap();
    assert_eq!(world.state.auditor().unwrap().audit, public(77));
}

#[test]
fn a_box_key_stays_known_while_a_claim_of_its_time_can_run_and_not_for_ever() {
    let mut world = World::open();
    let mut rotate = |sequence, number| {
        let (party, which) = (party(AUDITOR), Rotated::AuditorBox);
        let body = RotateKeys { party, sequence, which, key: public(number) };
        world.now += 90 * DAY;
        let verdict = world.take(&Transaction::RotateKeys(body), &certified_key(AUDITOR));
        (verdict.map(|_| ()), world.now, world.state.auditor().unwrap())
    };
    let mut last = None;
    for sequence in 1..=6 {
        last = Some(rotate(sequence, 300 + u16::try_from(sequence).unwrap()));
    }
    let (_, now, keys) = last.unwrap();
    let then = |days| keys.valid_at(now - days * DAY).next().copied();
    assert_eq!(then(0), Some(public(306)));
    assert_eq!(then(180), Some(public(304)), "two rotations ago");
    assert_eq!(keys.boxes.len(), 6, "the first is forgotten");
    assert_eq!(then(6 * 90), None);
    let mut many = keys;
    (0..100).for_each(|_| many.renew(public(77), now));
    assert_eq!(many.boxes.len(), AuditorKeys::MOST);
}

#[test]
fn an_organisation_whose_certificate_has_expired_does_nothing_more() {
    let mut world = World::open();
    let short = Validity { not_before: START, not_after: START + DAY };
    world.vote(&changed(|body| body.certificate = certificate("91NEW", ROOT, 9, short))).unwrap();
    world.now = START + DAY + 1;
    let transaction = rotation("91NEW", 1, Rotated::Acceptance);
    assert_eq!(world.take(&transaction, &certified_key("91NEW")), Err(Rejection::PartyExpired));
}

#[test]
fn the_auditor_logs_with_its_audit_key_while_it_is_good() {
    let mut world = World::open();
    let log = |byte| Transaction::LogAudit(LogAudit { auditor_box: vec![byte; 40] });
    world.take(&log(1), &key(20)).unwrap();
    assert_eq!(world.take(&log(2), &certified_key(AUDITOR)), Err(Rejection::Signature));
    for size in [0, MAX_AUDITOR_BOX + 1] {
        let wrong = Transaction::LogAudit(LogAudit { auditor_box: vec![1; size] });
        assert_eq!(world.take(&wrong, &key(20)), Err(Rejection::AuditorBox));
    }
    world.suspend(AUDITOR, START);
    assert_eq!(world.take(&log(2), &key(20)), Err(Rejection::PartySuspended));
    let mut unregistered = World::founded(genesis_of(4));
    assert_eq!(unregistered.take(&log(1), &key(20)), Err(Rejection::UnknownParty));
}

fn opening(root: u16, authority: u16) -> Transaction {
    let (root, authority) = (public(root), public(authority));
    Transaction::OpenHolder(OpenHolder { root, authority, manage: public(502) })
}

#[test]
fn a_holder_opens_once_and_only_by_its_root() {
    let mut world = World::open();
    assert_eq!(world.take(&opening(500, 501), &key(502)), Err(Rejection::Signature));
    world.take(&opening(500, 501), &key(500)).unwrap();
    assert_eq!(world.take(&opening(500, 509), &key(500)), Err(Rejection::HolderKnown));
    let holder = world.state.holder(&HolderId::of(&public(500))).unwrap().unwrap();
    assert_eq!((holder.authority, holder.sequence), (public(501), 0));
}

#[test]
fn a_holder_moves_by_its_manage_key_or_its_root_in_sequence() {
    let mut world = World::open();
    world.take(&opening(500, 501), &key(500)).unwrap();
    let moving = |holder: u16, sequence, root: Option<u16>| {
        Transaction::MoveHolder(MoveHolder {
            holder: HolderId::of(&public(holder)),
            authority: public(511),
            manage: public(512),
            sequence,
            root: root.map(public),
        })
    };
    assert_eq!(world.take(&moving(600, 1, None), &key(502)), Err(Rejection::UnknownHolder));
    assert_eq!(world.take(&moving(500, 1, None), &key(501)), Err(Rejection::Signature), "authority key");
    assert_eq!(world.take(&moving(500, 1, Some(600)), &key(600)), Err(Rejection::HolderRoot));
    assert_eq!(world.take(&moving(500, 1, Some(500)), &key(502)), Err(Rejection::Signature));
    assert_eq!(world.take(&moving(500, 2, None), &key(502)), Err(Rejection::Sequence));
    world.take(&moving(500, 1, None), &key(502)).unwrap();
    assert_eq!(world.take(&moving(500, 2, None), &key(502)), Err(Rejection::Signature), "the old manage key");
    world.take(&moving(500, 2, Some(500)), &key(500)).unwrap();
}
