//! Devices that leave: by another one, by each other, by the phrase.

use super::devices::Family;
use super::shares::offered;
use super::*;
use crate::contract::Transaction;

fn manage() -> DeviceRole {
    DeviceRole::Manage
}

/// Whether a mailbox that knows all epochs admits the device.
fn admitted(family: &Family, device: usize) -> bool {
    family.roster().admits(&family.vaults[device].pass()).is_ok()
}

#[test]
fn a_removed_device_reads_and_writes_no_more() {
    let mut family = Family::of(1, &[DeviceRole::Share, DeviceRole::Share]);
    family.write(1, added(1)).unwrap();
    family.sync();
    family.remove(0, 1).unwrap();
    let before = family.events.len();
    assert!(!family.vaults[1].is_removed(), "nobody has told it");
    // What it writes before it knows comes late, whatever past it names.
    family.write(1, added(2)).unwrap();
    family.sync();
    family.write(2, added(3)).unwrap();
    assert!(family.vaults[1].is_removed() && !family.vaults[2].is_removed());
    assert_eq!(family.write(1, added(4)), Err(VaultError::Removed));
    let report = family.vaults[1].load(&family.events, Origin::Elsewhere);
    assert!(report.waiting >= 3, "what was written under the new keys: {report:?}");
    for device in [0, 2] {
        family.sync();
        let sign = family.key(1);
        let index = family.vaults[device].index();
        assert!(index.record(&record(1)).is_some() && index.record(&record(3)).is_some());
        assert_eq!(index.record(&record(2)), None);
        let removed = index.device(&sign).unwrap().removed;
        assert_eq!(removed, Some(Removal { time: Some(NOW + 5), reach: 0 }));
        assert_eq!(index.alarms().count(), 0);
    }
    assert_eq!([0, 1, 2].map(|device| admitted(&family, device)), [true, false, true]);
    assert_eq!(family.roster().admits(&family.vaults[1].pass()), Err(RosterError::Removed));
    assert_eq!(family.remove(2, 0), Err(VaultError::Role));
    assert!(family.events.len() > before);
    // The late event makes no difference to anyone.
    let mut fresh =
        Vault::restore(&family.entropy, LEDGER, family.vaults[0].epochs(), &mut Seeded::new(3)).unwrap();
    let without: Vec<_> =
        family.events.iter().enumerate().filter(|(i, _)| *i != before).map(|(_, e)| e).collect();
    fresh.load(without, Origin::Elsewhere);
    assert_eq!(fresh.index(), family.vaults[0].index());
}

#[test]
fn the_holder_moves_to_the_new_epochs_keys() {
    let mut family = Family::of(1, &[manage()]);
    let before = family.vaults[0].holder_manage().unwrap().public();
    family.remove(0, 1).unwrap();
    let holder = family.vaults[0].holder();
    let vault = &mut family.vaults[0];
    let (authority, manage) = (vault.authority().unwrap().public(), vault.holder_manage().unwrap().public());
    let [moved] = vault.index().holder_moves() else { panic!("one move") };
    let verified = moved.signatures()[0].verify(&before, &LEDGER).unwrap();
    let Transaction::MoveHolder(body) = verified else { panic!("not MoveHolder") };
    assert_eq!((body.holder, body.sequence, body.root), (holder, 1, None));
    assert_eq!((body.authority, body.manage), (authority, manage));
    assert_ne!(body.manage, before);
    // Where the ledger is further on than the wallet thought.
    let again = vault.move_holder(&before, 4, None).unwrap();
    let Transaction::MoveHolder(body) = again.claimed().unwrap() else { panic!("not MoveHolder") };
    assert_eq!(body.sequence, 5);
    let stranger = SecretKey::from_bytes(&[9; 32]).unwrap().public();
    assert_eq!(vault.move_holder(&stranger, 4, None).err(), Some(VaultError::Role));
    let by_root = vault.move_holder(&stranger, 4, Some(&family.entropy)).unwrap();
    let root = family.entropy.keys().holder_root.public();
    assert!(by_root.signatures()[0].verify(&root, &LEDGER).is_ok());
}

#[test]
fn malicious_relay_that_keeps_a_removal_back_is_outrun_by_the_holder_on_the_ledger() {
    let mut family = Family::of(1, &[manage(), DeviceRole::View]);
    let old = family.vaults[0].epochs();
    let first = family.vaults[0].authority().unwrap().public();
    family.remove(0, 1).unwrap();
    let moved = family.vaults[0].authority().unwrap().public();
    let random = &mut Seeded::new(50);
    let mut phone = Vault::restore(&family.entropy, LEDGER, old, random).unwrap();
    assert!(!phone.is_outrun(&first) && phone.is_outrun(&moved));
    assert!(!family.vaults[2].is_outrun(&moved), "one that may only look has no such keys to compare");
    phone.load(&family.events, Origin::Elsewhere);
    phone.rejoin(&family.entropy, "x", NOW, random).unwrap();
    assert!(!phone.is_outrun(&moved) && !phone.is_outrun(&first));
}

#[test]
fn what_a_removed_device_could_act_on_is_named() {
    let mut family = Family::of(1, &[DeviceRole::Share, DeviceRole::View]);
    let (one, two) = (GrantId::from_bytes([1; 32]), GrantId::from_bytes([2; 32]));
    let body = offered(&family.vaults[0], one);
    family.write(0, body).unwrap();
    family.sync();
    family.remove(0, 1).unwrap();
    family.remove(0, 2).unwrap();
    let body = offered(&family.vaults[0], two);
    family.write(0, body).unwrap();
    let [first, tablet, viewer] = [0, 1, 2].map(|device| family.key(device));
    assert!(family.vaults[1].grant_secrets(&one).is_ok());
    assert!(family.vaults[0].grant_secrets(&two).is_ok());
    let index = family.vaults[0].index();
    let within = |device| index.within_reach(device).map(|(grant, _)| *grant).collect::<Vec<_>>();
    assert_eq!(within(&tablet), [one]);
    assert_eq!(within(&viewer), [], "it never held the keys");
    assert_eq!(within(&first), [], "it is still there");
}

#[test]
fn keys_that_come_after_their_events_open_them_in_the_same_load_or_a_later_one() {
    let mut family = Family::of(1, &[DeviceRole::Share, DeviceRole::Share]);
    family.remove(0, 1).unwrap();
    family.write(0, added(1)).unwrap();
    let new = family.events.split_off(family.events.len() - 4);
    let (epoch, events) = new.split_first().unwrap();
    assert!(epoch.epoch().is_some());
    let vault = &mut family.vaults[2];
    let report = vault.load(events, Origin::Elsewhere);
    assert_eq!((report.waiting, report.refused.len()), (3, 0));
    assert_eq!(
        vault.load([epoch], Origin::Elsewhere),
        LoadReport { taken: 1, epochs: 1, ..LoadReport::default() }
    );
    let index = vault.index().clone();
    assert_eq!(*family.vaults[0].index(), index);
    // Kept over locking, though the epoch isn't loaded again.
    vault_reopens(&mut family, 0);
    let mut reversed = new.clone();
    reversed.reverse();
    let vault = &mut family.vaults[1];
    assert_eq!(vault.load(&reversed, Origin::Elsewhere).refused, []);
}

fn vault_reopens(family: &mut Family, device: usize) {
    let unlock = Unlock::Passkey { credential: &[1], prf: &PRF };
    let bytes = family.vaults[device].to_bytes();
    let mut again = Locked::from_bytes(&bytes).unwrap().open(unlock).unwrap();
    assert_eq!(again.epochs(), family.vaults[device].epochs());
    assert_eq!(again.authority().unwrap(), family.vaults[device].authority().unwrap());
    again.load(family.events.iter().filter(|event| event.epoch().is_none()), Origin::OwnStore);
}

#[test]
fn two_that_remove_each_other_are_both_out_and_the_phrase_decides() {
    let mut family = Family::of(1, &[manage(), DeviceRole::Share]);
    family.write(1, added(1)).unwrap();
    family.sync();
    family.write(1, added(2)).unwrap();
    family.remove(0, 1).unwrap();
    family.remove(1, 0).unwrap();
    family.sync();
    assert_eq!([0, 1, 2].map(|device| admitted(&family, device)), [false, false, true]);
    assert!(family.vaults[0].is_removed() && family.vaults[1].is_removed());
    assert!(family.write(2, added(3)).is_ok());
    family.sync();
    assert_eq!(family.vaults[2].index().record(&record(2)), None, "the other one had not seen it");

    let random = &mut Seeded::new(50);
    let mut phone = Vault::restore(&family.entropy, LEDGER, family.vaults[2].epochs(), random).unwrap();
    phone.load(&family.events, Origin::Elsewhere);
    family.events.push(phone.rejoin(&family.entropy, "新手机", NOW, random).unwrap());
    assert!(phone.is_unsettled());
    let stay = [1, 2].map(|device| family.key(device));
    let decided = phone.decide(&family.entropy, &stay, NOW, random).unwrap();
    family.events.extend(decided);
    family.vaults.push(phone);
    family.sync();
    assert_eq!([0, 1, 2, 3].map(|device| admitted(&family, device)), [false, true, true, true]);
    for device in 1..4 {
        let vault = &mut family.vaults[device];
        assert!(!vault.is_removed() && !vault.is_unsettled());
        assert_eq!(vault.index().records().count(), 3, "what the one that stays wrote is there again");
    }
    assert!(family.write(1, added(4)).is_ok());
    // The one that was left out tries to remove all others out of the past: the phrase has decided.
    let mut old = Family::of(1, &[manage(), DeviceRole::Share]);
    old.remove(0, 1).unwrap();
    old.remove(0, 2).unwrap();
    let new = &old.events[old.events.len() - 6..];
    family.events.extend_from_slice(new);
    family.sync();
    assert_eq!([0, 1, 2, 3].map(|device| admitted(&family, device)), [false, true, true, true]);
}

#[test]
fn removals_at_the_same_time_are_settled_by_one_more_epoch() {
    let mut family = Family::of(1, &[manage(), DeviceRole::Share, DeviceRole::Share]);
    family.remove(0, 2).unwrap();
    family.remove(1, 3).unwrap();
    family.sync();
    assert_eq!([0, 1, 2, 3].map(|device| admitted(&family, device)), [true, true, false, false]);
    assert!(family.vaults[0].is_unsettled() && family.vaults[1].is_unsettled());
    assert_eq!(family.roster().newest(), Some(1));
    let settled = family.vaults[0].settle(NOW, &mut Seeded::new(4)).unwrap();
    family.events.extend(settled);
    family.sync();
    assert!(!family.vaults[0].is_unsettled() && !family.vaults[1].is_unsettled());
    assert_eq!(family.roster().newest(), Some(2));
    family.write(1, added(1)).unwrap();
    for removed in [2, 3] {
        let event = &family.events[family.events.len() - 1..];
        assert!(family.vaults[removed].load(event, Origin::Elsewhere).waiting > 0);
        assert_eq!(family.vaults[removed].index().record(&record(1)), None);
    }
    family.sync();
    let index = family.vaults[1].index().clone();
    assert_eq!(*family.vaults[0].index(), index);
}

#[test]
fn a_device_admitted_while_another_one_was_removed_gets_the_keys_when_it_is_settled() {
    let mut family = Family::of(1, &[manage(), DeviceRole::Share]);
    let known = family.events.len();
    family.remove(0, 2).unwrap();
    let new = family.admit_apart(1, DeviceRole::Share, known);
    family.sync();
    assert!(admitted(&family, new) && !family.vaults[new].is_removed());
    assert!(family.vaults[0].is_unsettled());
    let settled = family.vaults[0].settle(NOW, &mut Seeded::new(4)).unwrap();
    family.events.extend(settled);
    family.sync();
    family.write(0, added(1)).unwrap();
    family.sync();
    assert!(family.vaults[new].index().record(&record(1)).is_some());
    assert!(!family.vaults[0].is_unsettled());
}

#[test]
fn whom_a_removed_device_admitted_stays_and_whom_it_admits_later_does_not() {
    let mut family = Family::of(1, &[manage()]);
    let early = family.admit(1, DeviceRole::Share);
    family.sync();
    let known = family.events.len();
    family.remove(0, 1).unwrap();
    let late = family.admit_apart(1, manage(), known);
    family.write(late, added(1)).unwrap();
    family.write(early, added(2)).unwrap();
    family.sync();
    assert!(admitted(&family, early) && !admitted(&family, late));
    assert!(family.vaults[late].is_removed());
    let index = family.vaults[0].index();
    assert!(index.record(&record(1)).is_none() && index.record(&record(2)).is_some());
}

#[test]
fn an_old_backup_and_the_phrase_catch_up_with_epochs_that_came_since() {
    let mut family = Family::of(1, &[manage()]);
    let epochs = family.vaults[0].epochs();
    family.remove(0, 1).unwrap();
    family.write(0, added(1)).unwrap();
    let random = &mut Seeded::new(50);
    let mut phone = Vault::restore(&family.entropy, LEDGER, epochs, random).unwrap();
    assert!(phone.load(&family.events, Origin::Elsewhere).waiting > 0);
    phone.rejoin(&family.entropy, "x", NOW, random).unwrap();
    assert!(phone.index().record(&record(1)).is_some());
    assert_eq!(phone.load([], Origin::Elsewhere).waiting, 0);
    let other = Entropy::from_bytes([1; 32]);
    assert_eq!(phone.decide(&other, &[], NOW, random).err(), Some(VaultError::OtherWallet));
}
