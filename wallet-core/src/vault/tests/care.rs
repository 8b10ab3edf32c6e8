//! Another's wallet in the care of one's own.

use super::devices::Family;
use super::*;

/// A helper's own wallet, and a patient's with the helper's device in it: its vault, and the patient's family.
fn helper_and_patient(seed: u64, role: DeviceRole) -> (Vault, Vault, Family) {
    let (own, _) = protected(seed);
    let mut family = Family::of(seed + 1, &[role]);
    let other = family.vaults.pop().unwrap();
    (own, other, family)
}

#[test]
fn a_wallet_in_care_opens_with_its_keeper_alone_and_is_as_protected() {
    let (own, mut other, family) = helper_and_patient(610, DeviceRole::Share);
    assert!(!other.is_protected());
    assert_eq!(other.authority().err(), Some(VaultError::NotProtected));
    let sealed = own.take_into_care(&mut other, &mut Seeded::new(1)).unwrap();
    assert!(other.is_protected() && other.authority().is_ok());
    // Nobody hands its device key out again.
    assert_eq!(other.device_key().err(), Some(VaultError::Protected));
    let locked = other.lock();
    assert!(locked.slots().is_empty());
    let (stranger, _) = protected(619);
    assert_eq!(stranger.open_in_care(locked.clone(), &sealed).err(), Some(VaultError::Damaged));
    // What is kept for one wallet opens no other.
    assert_eq!(own.open_in_care(family.vaults[0].stored.clone(), &sealed).err(), Some(VaultError::Damaged));
    let mut opened = own.open_in_care(locked, &sealed).unwrap();
    assert_eq!(opened.load(&family.events, Origin::OwnStore).refused, []);
    assert!(opened.is_protected());
    assert_eq!(opened.role(), DeviceRole::Share);
}

#[test]
fn care_gives_no_role() {
    let (own, mut other, family) = helper_and_patient(620, DeviceRole::View);
    let mut random = Seeded::new(2);
    own.take_into_care(&mut other, &mut random).unwrap();
    other.load(&family.events, Origin::OwnStore);
    assert_eq!(other.authority().err(), Some(VaultError::Role));
    assert_eq!(other.append(Body::Hidden(record(1)), NOW, &mut random).err(), Some(VaultError::Role));
}

#[test]
fn only_a_protected_wallet_of_another_keeps_one() {
    let (_, mut other, family) = helper_and_patient(630, DeviceRole::View);
    let mut random = Seeded::new(3);
    let (bare, _) = created(640);
    assert_eq!(bare.take_into_care(&mut other, &mut random), Err(VaultError::NotProtected));
    // Nor the same wallet itself, nor one that has a lock of its own.
    assert_eq!(family.vaults[0].take_into_care(&mut other, &mut random), Err(VaultError::KnownDevice));
    let (own, _) = protected(650);
    let (mut locked, _) = protected(660);
    assert_eq!(own.take_into_care(&mut locked, &mut random), Err(VaultError::Protected));
    // And one in care keeps none.
    own.take_into_care(&mut other, &mut random).unwrap();
    let (mut third, _) = created(670);
    assert_eq!(other.take_into_care(&mut third, &mut random), Err(VaultError::NotProtected));
}

#[test]
fn a_share_says_which_device_made_it() {
    let mut family = Family::of(680, &[DeviceRole::Share]);
    let (own, _) = protected(690);
    let random = &mut Seeded::new(4);
    own.take_into_care(&mut family.vaults[1], random).unwrap();
    let grant = GrantId::from_bytes([1; 32]);
    let body = shares::offered(&family.vaults[1], grant);
    family.write(1, body).unwrap();
    family.sync();
    let by = family.vaults[0].index().grant(&grant).unwrap().by;
    assert_eq!(by, family.key(1));
}
