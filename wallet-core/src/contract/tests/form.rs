//! Form, order, sponsors: what holds for every kind.

use super::super::*;
use super::world::*;
use crate::cbor;
use crate::sm::Signed;

fn opening(number: u16) -> Transaction {
    Transaction::OpenHolder(OpenHolder {
        root: public(number),
        authority: public(number + 1),
        manage: public(number + 2),
    })
}

#[test]
fn a_transaction_is_an_array_of_kind_and_body_and_reads_back() {
    let transaction = opening(500);
    let bytes = cbor::encode(&transaction);
    assert_eq!(bytes[..3], [0x82, 4, 0xa3]);
    assert_eq!(cbor::decode::<Transaction>(&bytes).unwrap(), transaction);
    assert_eq!(transaction.id().digest(), &crate::sm::Digest::of(&bytes));
}

#[test]
fn an_unknown_kind_is_refused_by_form() {
    let mut bytes = cbor::encode(&opening(500));
    bytes[1] = 16;
    assert!(cbor::decode::<Transaction>(&bytes).is_err());
}

#[test]
fn bytes_in_another_spelling_are_refused() {
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    let bytes = signed.to_bytes();
    assert_eq!(SignedTransaction::from_bytes(&bytes).unwrap(), signed);
    let longer = [&[0x98, 1], &bytes[1..]].concat();
    assert_eq!(SignedTransaction::from_bytes(&longer), Err(Rejection::Form));
    assert_eq!(SignedTransaction::from_bytes(&bytes[..bytes.len() - 1]), Err(Rejection::Form));
    assert_eq!(SignedTransaction::from_bytes(&[0x80]), Err(Rejection::Form), "no signature at all");
}

#[test]
fn a_transaction_over_64_kib_is_too_large() {
    let mut world = World::open();
    let huge = Transaction::LogAudit(LogAudit { auditor_box: vec![1; MAX_TRANSACTION] });
    let signed = SignedTransaction::new(&huge, &key(20), &world.ledger);
    assert_eq!(SignedTransaction::from_bytes(&signed.to_bytes()), Err(Rejection::TooLarge));
    assert_eq!(world.submit(&signed), Err(Rejection::TooLarge));
}

#[test]
fn two_signatures_are_for_votes_only() {
    let mut world = World::open();
    let twice =
        vec![500, 501].into_iter().map(|k| Signed::new(&opening(500), &key(k), &world.ledger)).collect();
    assert_eq!(world.submit(&SignedTransaction::from_votes(twice).unwrap()), Err(Rejection::Form));
}

#[test]
fn signatures_over_different_payloads_are_no_transaction() {
    let world = World::open();
    let sign = |number| Signed::new(&opening(number), &key(number), &world.ledger);
    assert_eq!(SignedTransaction::from_votes(vec![sign(500), sign(510)]), None);
    assert_eq!(SignedTransaction::from_votes(Vec::new()), None);
}

#[test]
fn a_transaction_signed_for_another_ledger_is_refused() {
    let mut world = World::open();
    let other = LedgerId::from_bytes([9; 32]);
    let signed = SignedTransaction::new(&opening(500), &key(500), &other);
    assert_eq!(world.submit(&signed), Err(Rejection::Signature));
}

#[test]
fn a_repeat_is_answered_with_the_first_entry() {
    let mut world = World::open();
    let entry = world.take(&opening(500), &key(500)).unwrap();
    world.now += HOUR;
    assert_eq!(world.take(&opening(500), &key(500)), Err(Rejection::Duplicate { entry }));
}

#[test]
fn only_members_sponsor() {
    let mut world = World::open();
    world.sponsor = party(HOSPITAL);
    assert_eq!(world.take(&opening(500), &key(500)), Err(Rejection::Unsponsored));
}

#[test]
fn a_sponsor_has_its_quota_each_hour_and_refused_transactions_do_not_count() {
    let mut genesis = genesis_of(4);
    genesis.quota = 2;
    let mut world = World::founded(genesis);
    world.now = START - START % HOUR + HOUR;
    assert_eq!(world.take(&opening(500), &key(501)), Err(Rejection::Signature));
    world.take(&opening(500), &key(500)).unwrap();
    world.take(&opening(510), &key(510)).unwrap();
    assert_eq!(world.take(&opening(520), &key(520)), Err(Rejection::Quota));
    world.sponsor = world.genesis.members[1].party.clone();
    world.take(&opening(520), &key(520)).unwrap();
    world.sponsor = world.genesis.members[0].party.clone();
    world.now += HOUR;
    world.take(&opening(530), &key(530)).unwrap();
}

#[test]
fn a_used_up_quota_keeps_nobody_from_revoking_and_revocations_use_none_up() {
    let mut genesis = genesis_of(4);
    genesis.quota = 2;
    let mut world = World::founded(genesis);
    world.now = START - START % HOUR + HOUR;
    let body = grant(world.now);
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: world.grant_id(&body) });
    world.take(&Transaction::IssueGrant(body), &key(GRANT)).unwrap();
    world.take(&opening(500), &key(500)).unwrap();
    assert_eq!(world.take(&opening(510), &key(510)), Err(Rejection::Quota));
    world.take(&revoke, &key(GRANT)).unwrap();
    assert_eq!(world.take(&opening(510), &key(510)), Err(Rejection::Quota));

    world.now += HOUR;
    let again = IssueGrant { key: public(GRANT + 1), ..grant(world.now) };
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: world.grant_id(&again) });
    world.take(&Transaction::IssueGrant(again), &key(GRANT + 1)).unwrap();
    world.take(&revoke, &key(GRANT + 1)).unwrap();
    world.take(&opening(510), &key(510)).expect("one of two");
    assert_eq!(world.take(&opening(520), &key(520)), Err(Rejection::Quota));
}

#[test]
fn neither_time_nor_numbers_run_back() {
    let mut world = World::open();
    world.now += 10;
    world.take(&opening(500), &key(500)).unwrap();
    world.take(&opening(510), &key(510)).expect("the same second is no step back");
    world.now -= 1;
    assert_eq!(world.take(&opening(520), &key(520)), Err(Rejection::OutOfOrder));
    world.now += 1;
    let signed = SignedTransaction::new(&opening(520), &key(520), &world.ledger);
    let context = world.context();
    for number in [context.number - 1, context.number + 1] {
        let context = Context { number, ..context.clone() };
        assert_eq!(apply(&world.state, &context, &signed, &world.ledger), Err(Rejection::OutOfOrder));
    }
}

#[test]
fn a_damaged_store_is_named_and_nothing_is_decided_on_it() {
    struct Broken(Memory);
    impl State for Broken {
        fn get(&self, key: &Key) -> Option<Vec<u8>> {
            if matches!(key, Key::Holder(_)) { Some(vec![0xff]) } else { self.0.get(key) }
        }
    }
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    let verdict = apply(&Broken(world.state.clone()), &world.context(), &signed, &world.ledger);
    assert_eq!(verdict, Err(Rejection::Damaged));
}

#[test]
fn a_batch_opens_under_a_members_sponsor_key_only() {
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    let batch = Batch::new(vec![signed.clone()]).unwrap();
    let open = |bytes: &[u8]| Batch::open(bytes, &world.genesis, &world.ledger);
    assert_eq!(open(&batch.seal(&key(1102), &world.ledger)), Ok((party("91MEMBER2"), vec![signed])));
    assert_eq!(open(&batch.seal(&key(1002), &world.ledger)), Err(Rejection::Unsponsored), "a vote key");
    assert_eq!(open(&batch.seal(&key(7), &world.ledger)), Err(Rejection::Unsponsored));
    let other = LedgerId::from_bytes([9; 32]);
    assert_eq!(open(&batch.seal(&key(1102), &other)), Err(Rejection::Unsponsored), "another ledger's");
    assert_eq!(open(b"no batch"), Err(Rejection::Form));
}

#[test]
fn a_batch_holds_1_to_256_transactions() {
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    assert_eq!(Batch::new(Vec::new()), Err(Rejection::BatchSize));
    assert_eq!(Batch::new(vec![signed.clone(); 257]), Err(Rejection::BatchSize));
    assert!(Batch::new(vec![signed; 256]).is_ok());
    // {0: []}, which `Batch::new` doesn't make.
    let empty: Batch = cbor::decode(&[0xa1, 0, 0x80]).unwrap();
    let bytes = empty.seal(&key(1101), &world.ledger);
    assert_eq!(Batch::open(&bytes, &world.genesis, &world.ledger), Err(Rejection::BatchSize));
}

#[test]
fn an_entry_reads_back() {
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    let entry = Entry { now: world.now, sponsor: world.sponsor.clone(), signed };
    assert_eq!(Entry::from_bytes(&entry.to_bytes()).unwrap(), entry);
}

#[test]
fn keys_read_back_and_only_bookkeeping_is_left_out_of_the_map() {
    let (id, code) = ([7; 32], party("91A"));
    let keys = [
        Key::Genesis,
        Key::Party(code.clone()),
        Key::Serial(vec![1, 2]),
        Key::Holder(crate::id::HolderId::from_bytes(id)),
        Key::Anchor(commitment(7)),
        Key::Grant(crate::id::GrantId::from_bytes(id)),
        Key::Terms(crate::id::GrantId::from_bytes(id)),
        Key::Use(crate::id::GrantId::from_bytes(id), 3),
        Key::Quota(code, 5),
        Key::Auditor,
        Key::Transaction(TransactionId::from_bytes(id)),
        Key::Last,
        Key::Claim(crate::id::TagId::from_bytes(id)),
    ];
    for (tag, key) in (0u8..).zip(keys) {
        let bytes = key.to_bytes();
        assert_eq!(bytes[0], tag);
        assert_eq!(Key::is_mapped(&bytes), !matches!(tag, 10 | 11));
        assert_eq!(Key::from_bytes(&bytes), Some(key));
    }
    for bad in [&[12][..], &[13], &[13; 33]] {
        assert_eq!(Key::from_bytes(bad), None);
    }
}

#[test]
fn entries_of_one_batch_see_each_other_through_the_overlay() {
    let world = World::open();
    let mut overlay = Overlay::new(&world.state);
    let mut context = world.context();
    let signed = SignedTransaction::new(&opening(500), &key(500), &world.ledger);
    overlay.add(apply(&overlay, &context, &signed, &world.ledger).unwrap());
    context.number += 1;
    let again = apply(&overlay, &context, &signed, &world.ledger);
    assert_eq!(again, Err(Rejection::Duplicate { entry: context.number - 1 }));
    let mut state = world.state.clone();
    state.commit(overlay.into_changes());
    assert_eq!(state.last().unwrap().number, context.number - 1);
}

#[test]
fn signatures_checked_beforehand_hold_only_under_the_keys_of_the_moment() {
    let mut world = World::open();
    let desk = Desk::new(HOSPITAL, Role::Issuer, world.now);
    let transaction = world.anchor(1, ticket(world.now + DAY), &desk);
    let signed = SignedTransaction::new(&transaction, &desk.key(), &world.ledger);
    let mut checked = Checked::read(signed, &world.ledger).unwrap();
    checked.check(&world.state).unwrap();
    assert!(apply_checked(&world.state, &world.context(), &checked).is_ok());
    // The organisation's acceptance key changes between the check and the entry.
    let rotation =
        RotateKeys { party: party(HOSPITAL), sequence: 1, which: Rotated::Acceptance, key: public(9) };
    world.take(&Transaction::RotateKeys(rotation), &certified_key(HOSPITAL)).unwrap();
    let verdict = apply_checked(&world.state, &world.context(), &checked);
    assert_eq!(verdict, Err(Rejection::CredentialSignature));
}

#[test]
fn a_check_beforehand_says_what_the_entry_would() {
    let world = World::open();
    let signed = SignedTransaction::new(&opening(500), &key(501), &world.ledger);
    let mut checked = Checked::read(signed, &world.ledger).unwrap();
    assert_eq!(checked.check(&world.state), Err(Rejection::Signature));
    assert_eq!(apply_checked(&world.state, &world.context(), &checked), Err(Rejection::Signature));
}

#[test]
fn thresholds_are_those_of_the_protocol() {
    for (n, t) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (7, 5)] {
        let genesis = genesis_of(n);
        assert_eq!(genesis.threshold(), t);
        // Fewer than that could leave t gates with a share, f of them lying.
        assert_eq!(genesis.torn_quorum(), genesis.count() - t + 1 + genesis.faults());
    }
}

#[test]
fn a_genesis_that_shares_keys_or_exceeds_bounds_founds_nothing() {
    let refused = |change: fn(&mut Genesis)| {
        let mut genesis = genesis_of(4);
        change(&mut genesis);
        genesis.check().unwrap_err()
    };
    assert_eq!(refused(|g| g.members.clear()), GenesisError::Members);
    assert_eq!(refused(|g| g.members[1].vote = g.members[0].gate), GenesisError::Shared);
    assert_eq!(refused(|g| g.members[1].party = g.members[0].party.clone()), GenesisError::Shared);
    assert_eq!(refused(|g| g.members[1].name = g.members[0].name.clone()), GenesisError::Shared);
    assert_eq!(refused(|g| g.members[1].origins.clear()), GenesisError::Origin);
    assert_eq!(refused(|g| g.bounds.read += 1), GenesisError::Bounds);
    assert_eq!(refused(|g| g.quota = 0), GenesisError::Bounds);
    assert_eq!(refused(|g| g.root = certificate(HOSPITAL, ROOT, 1, YEARS)), GenesisError::Root);
    assert_eq!(refused(|g| g.root = CertificateDer(vec![0])), GenesisError::Root);
}

#[test]
fn every_change_of_the_genesis_is_another_ledger() {
    let genesis = genesis_of(4);
    let mut other = genesis.clone();
    other.bounds.read -= 1;
    assert_ne!(genesis.ledger_id(), other.ledger_id());
}
