//! Several devices: how one joins, what it may do, how one leaves.

use super::*;
use crate::sm::PublicKey;

/// Vaults of one wallet and everything that any of them stored.
pub(super) struct Family {
    pub(super) vaults: Vec<Vault>,
    pub(super) events: Vec<StoredEvent>,
    pub(super) entropy: Entropy,
    pub(super) random: Seeded,
}

impl Family {
    pub(super) fn new(seed: u64) -> Self {
        let (vault, events) = protected(seed);
        let entropy = vault.entropy().unwrap();
        Self { vaults: vec![vault], events, entropy, random: Seeded::new(seed + 7000) }
    }

    /// A family of devices with these roles beside the first one, all of which know all.
    pub(super) fn of(seed: u64, roles: &[DeviceRole]) -> Self {
        let mut family = Self::new(seed);
        for role in roles {
            family.admit(0, *role);
        }
        family.sync();
        family
    }

    /// Admits a device by one that knows all.
    pub(super) fn admit(&mut self, by: usize, role: DeviceRole) -> usize {
        self.vaults[by].load(&self.events, Origin::Elsewhere);
        self.admit_apart(by, role, self.events.len())
    }

    /// Admits a device by the one at `by`, which knows so many events; what is stored is known to the two of them.
    pub(super) fn admit_apart(&mut self, by: usize, role: DeviceRole, known: usize) -> usize {
        let device = NewDevice::generate(&mut self.random);
        let (admission, certified) =
            self.vaults[by].admit(&device.request(), role, NOW, &mut self.random).unwrap();
        let admission = Admission::from_bytes(&admission.to_bytes()).unwrap();
        let mut vault = Vault::join(device, &admission, LEDGER, &mut self.random).unwrap();
        let known = self.events[..known].iter().chain([&certified]);
        assert_eq!(vault.load(known, Origin::Elsewhere).refused, []);
        self.events.push(certified);
        let entered = vault.enter(&format!("d{}", self.vaults.len()), NOW, &mut self.random).unwrap();
        self.vaults[by].load([&entered], Origin::Elsewhere);
        self.events.push(entered);
        self.vaults.push(vault);
        self.vaults.len() - 1
    }

    pub(super) fn write(&mut self, by: usize, body: Body) -> Result<(), VaultError> {
        let event = self.vaults[by].append(body, NOW, &mut self.random)?;
        self.events.push(event);
        Ok(())
    }

    pub(super) fn remove(&mut self, by: usize, device: usize) -> Result<(), VaultError> {
        let device = self.vaults[device].device();
        let events = self.vaults[by].remove_device(&device, NOW + 5, &mut self.random)?;
        self.events.extend(events);
        Ok(())
    }

    /// Everybody gets everything.
    pub(super) fn sync(&mut self) {
        for vault in &mut self.vaults {
            assert_eq!(vault.load(&self.events, Origin::Elsewhere).refused, []);
        }
    }

    pub(super) fn key(&self, device: usize) -> PublicKey {
        self.vaults[device].device()
    }

    /// What a mailbox knows that was handed all epochs.
    pub(super) fn roster(&self) -> Roster {
        let mut roster = Roster::new(LEDGER, *self.vaults[0].id());
        for epoch in self.events.iter().filter_map(StoredEvent::epoch) {
            roster.take(&epoch).unwrap();
        }
        roster
    }
}

#[test]
fn a_device_joins_reads_all_and_writes_what_its_role_allows() {
    let mut family = Family::new(1);
    family.write(0, added(1)).unwrap();
    for role in [DeviceRole::View, DeviceRole::Share, DeviceRole::Manage] {
        let device = family.admit(0, role);
        let vault = &mut family.vaults[device];
        assert_eq!(vault.role(), role);
        assert!(vault.index().record(&record(1)).is_some());
        assert_eq!(vault.holder_manage().is_ok(), role == DeviceRole::Manage);
        assert_eq!(vault.pass().len(), 2);
        assert_eq!(family.write(device, added(2)).is_ok(), role > DeviceRole::View);
        assert!(family.write(device, Body::LastLooked(NOW)).is_ok());
        let member = family.roster().admits(&family.vaults[device].pass()).unwrap();
        assert_eq!((member.sign, member.role), (family.key(device), role));
    }
    family.sync();
    let names: std::collections::BTreeSet<_> =
        family.vaults[0].index().devices().map(|d| d.name.clone().unwrap()).collect();
    assert_eq!(names, ["d1", "d2", "d3", "手机"].map(String::from).into());
    assert!(family.vaults.iter_mut().all(|vault| vault.index().alarms().count() == 0));
}

#[test]
fn a_device_is_known_before_it_has_written_anything() {
    let mut family = Family::new(1);
    let device = NewDevice::generate(&mut family.random);
    let (_, certified) =
        family.vaults[0].admit(&device.request(), DeviceRole::View, NOW, &mut family.random).unwrap();
    assert!(certified.epoch().is_none());
    let sign = device.request().sign;
    assert_eq!(family.vaults[0].index().device(&sign).unwrap().name, None);
    family.vaults[0].remove_device(&sign, NOW, &mut family.random).unwrap();
    assert!(family.vaults[0].index().device(&sign).unwrap().removed.is_some());
    let again = family.vaults[0].admit(&device.request(), DeviceRole::View, NOW, &mut family.random);
    assert_eq!(again.err(), Some(VaultError::KnownDevice), "a removed device comes back with fresh keys");
}

#[test]
fn only_a_device_that_manages_admits_and_none_twice() {
    let mut family = Family::of(1, &[DeviceRole::View, DeviceRole::Share]);
    let request = NewDevice::generate(&mut family.random).request();
    let random = &mut Seeded::new(9);
    for device in [1, 2] {
        let refused = family.vaults[device].admit(&request, DeviceRole::View, NOW, random);
        assert_eq!(refused.err(), Some(VaultError::Role));
        let sign = family.key(0);
        let refused = family.vaults[device].remove_device(&sign, NOW, random);
        assert_eq!(refused.err(), Some(VaultError::Role));
    }
    let known = DeviceRequest { sign: family.key(2), seal: request.seal };
    let refused = family.vaults[0].admit(&known, DeviceRole::View, NOW, random);
    assert_eq!(refused.err(), Some(VaultError::KnownDevice));
    let own = family.key(0);
    let refused = family.vaults[0].remove_device(&own, NOW, random);
    assert_eq!(refused.err(), Some(VaultError::NoDevice));
    let refused = family.vaults[0].remove_device(&request.sign, NOW, random);
    assert_eq!(refused.err(), Some(VaultError::NoDevice));
}

#[test]
fn a_device_enters_only_after_what_admitted_it() {
    let mut family = Family::new(1);
    let device = NewDevice::generate(&mut family.random);
    let random = &mut Seeded::new(9);
    let (admission, certified) =
        family.vaults[0].admit(&device.request(), DeviceRole::Share, NOW, random).unwrap();
    let mut vault = Vault::join(device, &admission, LEDGER, random).unwrap();
    assert_eq!(vault.enter("x", NOW, random), Err(VaultError::Incomplete));
    vault.load(&family.events, Origin::Elsewhere);
    assert_eq!(vault.enter("x", NOW, random), Err(VaultError::Incomplete));
    vault.load([&certified], Origin::Elsewhere);
    assert!(vault.enter("x", NOW, random).is_ok());
    assert_eq!(vault.enter("x", NOW, random), Err(VaultError::Incomplete), "once");
    let text = format!("{:?} {vault:?} {admission:?}", NewDevice::generate(random));
    assert!(text.starts_with("NewDevice([redacted])"));
}

#[test]
fn an_admission_that_was_changed_or_is_anothers_is_refused_by_name() {
    let random = &mut Seeded::new(9);
    let join = |device: &Seeded, admission: &Admission, ledger| {
        let device = NewDevice::generate(&mut device.clone());
        Vault::join(device, admission, ledger, &mut Seeded::new(5)).err()
    };
    let (same, other) = (Seeded::new(77), Seeded::new(78));
    let request = NewDevice::generate(&mut same.clone()).request();
    let mut family = Family::of(1, &[DeviceRole::View]);
    let (admission, _) = family.vaults[0].admit(&request, DeviceRole::View, NOW, random).unwrap();
    assert_eq!(join(&same, &admission, LEDGER), None);
    assert_eq!(join(&other, &admission, LEDGER), Some(VaultError::OtherDevice));
    let another = LedgerId::from_bytes([8; 32]);
    assert_eq!(join(&same, &admission, another), Some(VaultError::OtherDevice));
    let moved = Admission { ledger: another, ..admission.clone() };
    assert_eq!(join(&same, &moved, another), Some(VaultError::Admission(RosterError::Signature)));

    // A greater role, signed by whoever may sign something, but not that.
    let certificate = admission.pass[0].claimed().unwrap();
    let greater = DeviceCertificate { role: DeviceRole::Manage, ..certificate };
    let with = |first, rest: &[Signed<DeviceCertificate>]| Admission {
        pass: [vec![first], rest.to_vec()].concat(),
        ..admission.clone()
    };
    let by_viewer = with(family.vaults[1].sign_as_device(&greater), &family.vaults[1].pass());
    assert_eq!(join(&same, &by_viewer, LEDGER), Some(VaultError::Admission(RosterError::Issuer)));
    let by_itself = Signed::new(&greater, &SecretKey::generate(&mut same.clone()), &LEDGER);
    let by_itself = with(by_itself, &admission.pass[1..]);
    assert_eq!(join(&same, &by_itself, LEDGER), Some(VaultError::Admission(RosterError::Certificate)));
    let resigned = with(family.vaults[0].sign_as_device(&greater), &admission.pass[1..]);
    assert_eq!(join(&same, &resigned, LEDGER), Some(VaultError::OtherDevice), "the box is for the other one");

    // Another vault's epochs, none at all, too many certificates.
    let mut strangers = Family::new(2);
    let epochs = strangers.vaults[0].epochs();
    let (theirs, _) = strangers.vaults[0].admit(&request, DeviceRole::View, NOW, random).unwrap();
    let swapped = Admission { epochs, ..admission.clone() };
    assert_eq!(join(&same, &swapped, LEDGER), Some(VaultError::Admission(RosterError::OtherVault)));
    let mixed = with(admission.pass[0].clone(), &theirs.pass[1..]);
    assert_eq!(join(&same, &mixed, LEDGER), Some(VaultError::Admission(RosterError::OtherVault)));
    let boxed = Admission { sealed: theirs.sealed, ..admission.clone() };
    assert_eq!(join(&same, &boxed, LEDGER), Some(VaultError::OtherDevice));
    let none = Admission { epochs: Vec::new(), ..admission.clone() };
    assert_eq!(join(&same, &none, LEDGER), Some(VaultError::Admission(RosterError::Unknown)));
    let long = with(admission.pass[0].clone(), &vec![admission.pass[1].clone(); MOST_PASS]);
    assert_eq!(join(&same, &long, LEDGER), Some(VaultError::Admission(RosterError::Length)));
    let empty = Admission { pass: Vec::new(), ..admission };
    assert_eq!(join(&same, &empty, LEDGER), Some(VaultError::Admission(RosterError::Length)));
    assert_eq!(Admission::from_bytes(&[0x80]), Err(VaultError::Admission(RosterError::Form)));
}

#[test]
fn devices_admitted_one_by_the_other_still_show_a_short_pass() {
    let mut family = Family::new(1);
    for _ in 0..MOST_PASS - 1 {
        let newest = family.vaults.len() - 1;
        family.admit(newest, DeviceRole::Manage);
    }
    let last = family.vaults.len() - 1;
    assert_eq!(family.vaults[last].pass().len(), MOST_PASS);
    // One more would not hold; a device further up admits it, or an epoch vouches for what is left of the pass.
    let request = NewDevice::generate(&mut Seeded::new(9)).request();
    let random = &mut Seeded::new(10);
    let refused = family.vaults[last].admit(&request, DeviceRole::Share, NOW, random);
    assert_eq!(refused.err(), Some(VaultError::Admission(RosterError::Length)));
    family.sync();
    let events = family.vaults[0].settle(NOW, random).unwrap();
    family.events.extend(events);
    family.sync();
    let next = family.admit(last, DeviceRole::Share);
    assert!(family.vaults[next].pass().len() <= MOST_PASS);
    assert!(family.roster().admits(&family.vaults[next].pass()).is_ok());
}

#[test]
fn a_certificate_by_a_viewer_admits_nobody_to_the_log() {
    let mut family = Family::of(1, &[DeviceRole::View]);
    let stranger = SecretKey::from_bytes(&[9; 32]).unwrap();
    let certificate = DeviceCertificate {
        vault: *family.vaults[0].id(),
        sign: stranger.public(),
        seal: SecretKey::from_bytes(&[10; 32]).unwrap().public(),
        role: DeviceRole::Share,
        epoch: 0,
        time: NOW,
    };
    let seen = family.vaults[0].log.next(&stranger.public()).2;
    let forge = |certificate: Signed<DeviceCertificate>, seen: Vec<crate::sm::Digest>, read: &Key32| {
        let body = Body::DeviceAdmitted(certificate, "x".into());
        let event =
            Event { device: stranger.public(), sequence: 0, previous: None, seen, epoch: 0, time: NOW, body };
        super::forge(&family.vaults[0], read, &stranger, &event)
    };
    let keys = family.vaults[0].epochs()[0].claimed().unwrap();
    let read = keys.open(&family.entropy.keys().encryption, &LEDGER).unwrap().read;
    let by_viewer = forge(family.vaults[1].sign_as_device(&certificate), seen.clone(), &read);
    let by_manager = family.vaults[0].sign_as_device(&certificate);
    let too_early = forge(by_manager.clone(), Vec::new(), &read);
    let in_order = forge(by_manager, seen, &read);
    let vault = &mut family.vaults[0];
    assert_eq!(refusal(vault, &by_viewer), Some(EventError::Device));
    assert_eq!(refusal(vault, &too_early), Some(EventError::Device), "its issuer isn't in its past");
    assert_eq!(refusal(vault, &in_order), None);
}
