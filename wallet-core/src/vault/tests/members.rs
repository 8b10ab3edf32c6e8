//! The roster as a specification: who belongs to a vault, from epochs and certificates alone.

use super::*;
use crate::id::VaultId;
use crate::sm::{Digest, PublicKey};

const ROOT: u8 = 100;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).unwrap()
}

fn public(n: u8) -> PublicKey {
    key(n).public()
}

fn vault() -> VaultId {
    VaultId::of(&public(ROOT))
}

/// The certificate of device `n`, by the root or another device.
fn device(n: u8, role: DeviceRole, epoch: u32, by: u8) -> Signed<DeviceCertificate> {
    let (sign, seal) = (public(n), public(n + 50));
    let certificate = DeviceCertificate { vault: vault(), sign, seal, role, epoch, time: NOW };
    Signed::new(&certificate, &key(by), &LEDGER)
}

fn wraps(devices: &[&Signed<DeviceCertificate>]) -> Vec<Wrap> {
    let to_device = |signed: &&Signed<DeviceCertificate>| {
        let to = signed.claimed().unwrap().seal;
        Wrap { to, sealed: vec![1], device: Some(signed.id()) }
    };
    let recovery = Wrap { to: public(99), sealed: vec![1], device: None };
    devices.iter().map(to_device).chain([recovery]).collect()
}

/// An epoch that vouches for these devices.
fn epoch(number: u32, previous: &[&Signed<Epoch>], devices: &[&Signed<DeviceCertificate>]) -> Epoch {
    let mut previous: Vec<Digest> = previous.iter().map(|epoch| epoch.id()).collect();
    previous.sort();
    let (removed, heads, pass, earlier) = <_>::default();
    Epoch { root: public(ROOT), number, previous, wraps: wraps(devices), removed, heads, pass, earlier }
}

fn by_root(epoch: &Epoch) -> Signed<Epoch> {
    Signed::new(epoch, &key(ROOT), &LEDGER)
}

fn by_device(mut epoch: Epoch, pass: &[Signed<DeviceCertificate>], n: u8) -> Signed<Epoch> {
    epoch.pass = pass.to_vec();
    Signed::new(&epoch, &key(n), &LEDGER)
}

fn removing(epoch: Epoch, mut removed: Vec<PublicKey>) -> Epoch {
    removed.sort();
    Epoch { removed, ..epoch }
}

fn manage() -> DeviceRole {
    DeviceRole::Manage
}

fn roster(epochs: &[&Signed<Epoch>]) -> Roster {
    let mut roster = Roster::new(LEDGER, vault());
    for epoch in epochs {
        assert_eq!(roster.take(epoch), Ok(true));
    }
    roster
}

/// What the roster says about each pass.
fn says(roster: &Roster, passes: &[&[Signed<DeviceCertificate>]]) -> Vec<Result<DeviceRole, RosterError>> {
    passes.iter().map(|pass| roster.admits(pass).map(|member| member.role)).collect()
}

#[test]
fn a_device_counts_as_the_root_or_one_that_manages_says() {
    let first = device(1, manage(), 0, ROOT);
    let roster = roster(&[&by_root(&epoch(0, &[], &[&first]))]);
    assert_eq!(roster.newest(), Some(0));
    let second = [device(2, manage(), 0, 1), first.clone()];
    let third = [&[device(3, DeviceRole::View, 0, 2)], &second[..]].concat();
    let by_viewer = [&[device(4, DeviceRole::View, 0, 3)], &third[..]].concat();
    let by_root = [device(5, DeviceRole::Share, 0, ROOT)];
    let by_nobody = [device(6, manage(), 0, 6)];
    let unlinked = [device(7, manage(), 0, 2), first.clone()];
    assert_eq!(
        says(&roster, &[&[first], &second, &third, &by_viewer, &by_root, &by_nobody, &unlinked, &[]]),
        [
            Ok(manage()),
            Ok(manage()),
            Ok(DeviceRole::View),
            Err(RosterError::Issuer),
            Ok(DeviceRole::Share),
            Err(RosterError::Certificate),
            Err(RosterError::Certificate),
            Err(RosterError::Length),
        ]
    );
    let member = roster.admits(&second).unwrap();
    assert_eq!(member, Member { sign: public(2), seal: public(52), role: manage() });
}

#[test]
fn malicious_mailbox_makes_no_second_epoch_of_one_by_another_signature() {
    let first = device(1, manage(), 0, ROOT);
    let zero = by_root(&epoch(0, &[], &[&first]));
    let one = by_device(epoch(1, &[&zero], &[&first]), core::slice::from_ref(&first), 1);
    let two = by_device(epoch(2, &[&one], &[&first]), core::slice::from_ref(&first), 1);
    // One that is known, and one that waits for what it builds on.
    let mut roster = roster(&[&zero, &two]);
    let bytes = roster.bytes();
    for known in [&zero, &two] {
        assert_eq!(roster.take(known), Ok(false));
        let copy = Signed::new(&known.claimed().unwrap(), &key(9), &LEDGER);
        assert_eq!(copy.id(), known.id());
        assert_eq!(roster.take(&copy), Err(RosterError::Signature));
    }
    assert_eq!(roster.bytes(), bytes);
    assert_eq!((roster.take(&one), roster.newest()), (Ok(true), Some(2)));
}

#[test]
fn certificates_of_another_vault_or_ledger_count_for_nothing() {
    let first = device(1, manage(), 0, ROOT);
    let known = by_root(&epoch(0, &[], &[&first]));
    let roster = roster(&[&known]);
    let mut certificate = device(2, manage(), 0, ROOT).claimed().unwrap();
    let elsewhere = Signed::new(&certificate, &key(ROOT), &LedgerId::from_bytes([8; 32]));
    certificate.vault = VaultId::of(&public(9));
    let others = Signed::new(&certificate, &key(ROOT), &LEDGER);
    assert_eq!(
        says(&roster, &[&[elsewhere], &[others]]),
        [Err(RosterError::Certificate), Err(RosterError::OtherVault)]
    );
    let unknown = Roster::new(LEDGER, vault());
    assert_eq!(unknown.admits(&[first]), Err(RosterError::Unknown));
    assert_eq!(unknown.newest(), None);
    let mut other = Roster::new(LedgerId::from_bytes([8; 32]), vault());
    assert_eq!(other.take(&known), Err(RosterError::Signature));
    let mut other = Roster::new(LEDGER, VaultId::of(&public(9)));
    assert_eq!(other.take(&known), Err(RosterError::OtherVault));
}

#[test]
fn an_epoch_that_is_not_as_it_must_be_is_refused_by_name() {
    let first = device(1, manage(), 0, ROOT);
    let viewer = device(3, DeviceRole::View, 0, ROOT);
    let zero = by_root(&epoch(0, &[], &[&first, &viewer]));
    let mut roster = roster(&[&zero]);
    assert_eq!(roster.take(&zero), Ok(false), "twice");
    let one = epoch(1, &[&zero], &[&first]);
    let pass = [first.clone()];
    let doubled = Epoch { wraps: [wraps(&[&first]), wraps(&[])].concat(), ..one.clone() };
    let many = Epoch {
        wraps: (1..90).flat_map(|n| wraps(&[&device(n, manage(), 0, ROOT)])).collect(),
        ..one.clone()
    };
    let unordered = Epoch { removed: vec![public(1), public(1)], ..one.clone() };
    let long: Vec<_> = (0..9).map(|_| first.clone()).collect();
    let unsigned = [device(2, manage(), 0, 2)];
    for (refused, why) in [
        (by_device(one.clone(), &pass, 2), RosterError::Signature),
        (by_device(one.clone(), &[], 1), RosterError::Signature),
        (by_device(one.clone(), core::slice::from_ref(&viewer), 3), RosterError::Role),
        (by_device(one.clone(), &unsigned, 2), RosterError::Certificate),
        (by_device(one.clone(), &long, 1), RosterError::Length),
        (by_device(Epoch { number: 2, ..one.clone() }, &pass, 1), RosterError::Number),
        (by_device(Epoch { number: 0, ..one.clone() }, &pass, 1), RosterError::Number),
        (by_device(Epoch { previous: Vec::new(), ..one.clone() }, &pass, 1), RosterError::Number),
        (by_device(Epoch { wraps: Vec::new(), ..one.clone() }, &pass, 1), RosterError::Form),
        (by_device(doubled, &pass, 1), RosterError::Form),
        (by_device(many, &pass, 1), RosterError::Form),
        (by_device(unordered, &pass, 1), RosterError::Form),
        (by_device(Epoch { root: public(2), ..one.clone() }, &pass, 1), RosterError::OtherVault),
    ] {
        assert_eq!(roster.take(&refused), Err(why), "{refused:?}");
    }
    assert_eq!(roster.newest(), Some(0));
    assert_eq!(roster.take(&by_device(one, &pass, 1)), Ok(true));
    assert_eq!(roster.newest(), Some(1));
}

#[test]
fn a_removed_device_signs_no_epoch_and_a_key_of_somebody_else_does_not_bring_it_back() {
    let (first, second) =
        (device(1, manage(), 0, ROOT), [device(2, manage(), 0, 1), device(1, manage(), 0, ROOT)]);
    let zero = by_root(&epoch(0, &[], &[&first]));
    let pass = [first.clone()];
    let one = by_device(removing(epoch(1, &[&zero], &[&first]), vec![public(2)]), &pass, 1);
    let mut roster = roster(&[&zero, &one]);
    assert_eq!(roster.admits(&second), Err(RosterError::Removed));
    let two = epoch(2, &[&one], &[&first, &second[0]]);
    assert_eq!(roster.take(&by_device(two, &second, 2)), Err(RosterError::Removed));
    // A new certificate with a key in it that the newest epoch is sealed to.
    let mut stolen = first.claimed().unwrap();
    stolen.sign = public(3);
    let stolen = [vec![Signed::new(&stolen, &key(2), &LEDGER)], second.to_vec()].concat();
    assert_eq!(roster.admits(&stolen), Err(RosterError::Removed));
    let alone = [stolen[0].clone()];
    assert_eq!(roster.admits(&alone), Err(RosterError::Certificate));
}

#[test]
fn whom_the_newest_epochs_vouch_for_needs_no_issuer() {
    let first = device(1, manage(), 0, ROOT);
    let second = device(2, manage(), 0, 1);
    let third = device(3, DeviceRole::Share, 0, 2);
    let zero = by_root(&epoch(0, &[], &[&first]));
    let pass = [first.clone()];
    let one = removing(epoch(1, &[&zero], &[&first, &third]), vec![public(2)]);
    let roster = roster(&[&zero, &by_device(one, &pass, 1)]);
    let passes: [&[_]; 3] =
        [core::slice::from_ref(&third), &[third.clone(), second.clone(), first.clone()], &[second, first]];
    assert_eq!(
        says(&roster, &passes),
        [Ok(DeviceRole::Share), Ok(DeviceRole::Share), Err(RosterError::Removed)]
    );
}

#[test]
fn epochs_say_the_same_in_whatever_order_they_come() {
    let (first, second) = (device(1, manage(), 0, ROOT), device(2, manage(), 0, ROOT));
    let third = device(3, manage(), 0, ROOT);
    let zero = by_root(&epoch(0, &[], &[&first, &second, &third]));
    let one_a = removing(epoch(1, &[&zero], &[&first, &third]), vec![public(2)]);
    let one_a = by_device(one_a, core::slice::from_ref(&first), 1);
    let one_b = removing(epoch(1, &[&zero], &[&second, &third]), vec![public(1)]);
    let one_b = by_device(one_b, core::slice::from_ref(&second), 2);
    let two = by_device(epoch(2, &[&one_a, &one_b], &[&third]), core::slice::from_ref(&third), 3);
    let root = removing(epoch(2, &[&one_a], &[&second]), vec![public(1), public(3)]);
    let root = by_root(&root);
    let all = [&zero, &one_a, &one_b, &two, &root];
    let passes: [&[_]; 3] = [&[first], &[second], &[third]];
    let mut orders = vec![(0..5).collect::<Vec<usize>>()];
    for at in 1..5 {
        orders = orders
            .iter()
            .flat_map(|order| {
                (at..5)
                    .map(|with| {
                        let mut order = order.clone();
                        order.swap(at - 1, with);
                        order
                    })
                    .collect::<Vec<_>>()
            })
            .chain(orders.clone())
            .collect();
    }
    for order in orders {
        let roster = roster(&order.iter().map(|i| all[*i]).collect::<Vec<_>>());
        assert_eq!(
            says(&roster, &passes),
            [Err(RosterError::Removed), Ok(manage()), Err(RosterError::Removed)],
            "{order:?}: the root has decided"
        );
        assert_eq!((roster.newest(), roster.epochs().len()), (Some(2), 5));
    }
    let without_root = roster(&[&two, &one_b, &zero, &one_a]);
    assert_eq!(
        says(&without_root, &passes),
        [Err(RosterError::Removed), Err(RosterError::Removed), Ok(manage())]
    );
}

#[test]
fn one_that_waits_for_its_past_is_judged_then() {
    let (first, stranger) = (device(1, manage(), 0, ROOT), device(2, manage(), 0, 2));
    let zero = by_root(&epoch(0, &[], &[&first]));
    let one = by_device(epoch(1, &[&zero], &[&stranger]), core::slice::from_ref(&stranger), 2);
    let mut roster = roster(&[&one]);
    assert_eq!(
        (roster.newest(), roster.admits(core::slice::from_ref(&stranger))),
        (None, Err(RosterError::Unknown))
    );
    assert_eq!(roster.take(&zero), Ok(true));
    assert_eq!(roster.newest(), Some(0));
    assert_eq!(roster.admits(&[stranger]), Err(RosterError::Certificate));
    assert_eq!(roster.take(&one), Err(RosterError::Certificate));
    // No number of them fills the memory.
    let waiting = (0..100).map(|n| {
        let mut unknown = epoch(1, &[], &[&first]);
        unknown.previous = vec![Digest::of(&[n])];
        roster.take(&by_root(&unknown))
    });
    assert!(waiting.last().unwrap() == Err(RosterError::Full));
}

#[test]
fn malicious_device_cannot_fill_the_roster_so_that_the_phrase_no_longer_puts_it_out() {
    let first = device(1, manage(), 0, ROOT);
    let pass = [first.clone()];
    let zero = by_root(&epoch(0, &[], &[&first]));
    let mut roster = roster(&[&zero]);
    let large = |previous: &Signed<Epoch>, number, bytes| {
        let mut epoch = epoch(number, &[previous], &[&first]);
        epoch.wraps[0].sealed = vec![1; bytes];
        epoch
    };
    let huge = by_device(large(&zero, 1, 200 << 10), &pass, 1);
    assert_eq!(roster.take(&huge), Err(RosterError::Form));
    let mut newest = zero.clone();
    let full = (1..).find_map(|number| {
        let next = by_device(large(&newest, number, 100 << 10), &pass, 1);
        match roster.take(&next) {
            Ok(_) => newest = next,
            Err(error) => return Some((number, error)),
        }
        None
    });
    assert_eq!(full, Some((6, RosterError::Full)), "half a mebibyte of one device");
    assert!((500 << 10..600 << 10).contains(&roster.bytes()));
    let out = removing(epoch(6, &[&newest], &[]), vec![public(1)]);
    assert_eq!(roster.take(&by_root(&out)), Ok(true));
    assert_eq!(roster.admits(&pass), Err(RosterError::Removed));
}

#[test]
fn malicious_device_cannot_name_removed_devices_without_end() {
    let first = device(1, manage(), 0, ROOT);
    let pass = [first.clone()];
    let zero = by_root(&epoch(0, &[], &[&first]));
    let mut roster = roster(&[&zero]);
    let never_were = |from: u16, to: u16| -> Vec<PublicKey> {
        let key = |n: u16| {
            SecretKey::from_bytes(&[[2; 30].as_slice(), &n.to_be_bytes()].concat().try_into().unwrap())
        };
        (from..to).map(|n| key(n).unwrap().public()).collect()
    };
    let one = by_device(removing(epoch(1, &[&zero], &[&first]), never_were(0, 512)), &pass, 1);
    assert_eq!(roster.take(&one), Ok(true));
    let two = by_device(removing(epoch(2, &[&one], &[&first]), never_were(512, 513)), &pass, 1);
    assert_eq!(roster.take(&two), Err(RosterError::Full));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_are_no_epoch_and_no_admission(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(StoredEvent::from_bytes(bytes.clone()).epoch().is_none());
        prop_assert!(Admission::from_bytes(&bytes).is_err());
    }
}
