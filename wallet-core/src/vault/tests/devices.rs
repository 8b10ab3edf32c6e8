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

    /// Admits a device by the one at `by`; what it stores is known to the two of them.
    pub(super) fn admit(&mut self, by: usize, role: DeviceRole) -> usize {
        let device = NewDevice::generate(&mut self.random);
        let (admission, certified) =
            self.vaults[by].admit(&device.request(), role, NOW, &mut self.random).unwrap();
        let admission = Admission::from_bytes(&admission.to_bytes()).unwrap();
        let mut vault = Vault::join(device, &admission, LEDGER, &mut self.random).unwrap();
        self.events.push(certified);
        assert_eq!(vault.load(&self.events, Origin::Elsewhere).refused, []);
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
