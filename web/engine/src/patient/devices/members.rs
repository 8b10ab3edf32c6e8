//! Who belongs to the wallet.

use crate::engine::Engine;
use crate::patient::{Session, fault};
use crate::platform::{BrowserRandom, sleep};
use crate::store::{Change, Table};
use crate::worker::tell;
use data_encoding::HEXLOWER;
use std::rc::Rc;
use suishen_bridge::{Action, Device, DeviceRole, Event, Fault, Share, Topic};
use suishen_core::id::GrantId;
use suishen_core::order;
use suishen_core::sm::{PublicKey, Random as _};
use suishen_core::vault::{Body, StoredEvent, Vault};

/// How often, in seconds, the ledger is asked whether it is ahead of the mailbox.
const LOOKS: u64 = 600;
/// How long to wait, in milliseconds, before it is asked again while the alarm is on: at first, and at the most.
const LOOK_AGAIN: (i32, i32) = (2000, 30_000);

impl Session {
    /// The wallet's devices, this one first, then by the time of their admission.
    pub(in crate::patient) fn members(&self) -> Result<Vec<Device>, Fault> {
        let this = self.with(|vault| vault.device())?;
        let mut devices: Vec<Device> = self.read(|index| {
            let shown = index.devices().map(|device| Device {
                person: index.setting(&person(&device.certificate.sign)).is_some(),
                device: id(&device.certificate.sign),
                name: device.name.clone().unwrap_or_default(),
                role: role_of(device.certificate.role),
                this: device.certificate.sign == this,
                since: device.certificate.time,
                removed: device.removed.as_ref().map(|removal| removal.time.unwrap_or_default()),
            });
            shown.collect()
        })?;
        order::sort_by_key(&mut devices, |device| (!device.this, device.removed.is_some(), device.since));
        Ok(devices)
    }

    /// Notes for all devices that this one is a person's, who helps.
    pub(super) async fn note_person(&self, engine: &Engine, device: &PublicKey) -> Result<(), Fault> {
        let noted = Body::SettingChanged(person(device), "helps".to_owned());
        self.append(engine, vec![noted], Vec::new()).await
    }

    /// Takes a device out of the wallet: the running shares that it could act on.
    pub(in crate::patient) async fn remove_device(
        &self,
        engine: &Rc<Engine>,
        device: &str,
    ) -> Result<Vec<Share>, Fault> {
        let key =
            HEXLOWER.decode(device.as_bytes()).ok().and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        let key = key.ok_or_else(|| Fault::new("no-device", Action::Nothing))?;
        let now = engine.ledger().await?.now().unwrap_or_default();
        let events = self.with(|vault| vault.remove_device(&key, now, &mut BrowserRandom))?.map_err(fault)?;
        self.store_and_tell(engine, &events).await?;
        // The ledger is told at once where there is a network, and else as soon as there is.
        let _ = self.refresh(engine).await;
        let reach: Vec<String> =
            self.read(|index| index.within_reach(&key).map(|(id, _): (&GrantId, _)| id.to_hex()).collect())?;
        let shares = self.shares(engine).await?;
        Ok(shares.into_iter().filter(|share| reach.contains(&share.share) && is_running(share)).collect())
    }
}

/// The other device moves the holder in its own time: an alarm that has ended so ends here too.
async fn look_until_it_ends(engine: Rc<Engine>) {
    let mut wait = LOOK_AGAIN.0;
    while engine.patient.is_at_work() && engine.patient.devices.kept_back.get() {
        sleep(wait).await;
        wait = LOOK_AGAIN.1.min(wait * 2);
        // A ledger that can't be asked now is asked again.
        let _ = engine.patient.look_again_at_holder(&engine).await;
    }
}

impl Session {
    /// The holder on the ledger follows what has come, then is looked at.
    pub(super) async fn bring_holder(&self, engine: &Rc<Engine>) -> Result<(), Fault> {
        // Where the ledger is ahead of this device, another one must move it: that is what is looked for then.
        let _ = self.move_holder(engine, engine.ledger().await?).await;
        self.look_at_holder(engine).await
    }

    /// Whether the ledger knows of a removal that the mailbox doesn't serve (PROTOCOL §3): an alarm for as long as it lasts.
    pub(super) async fn look_at_holder(&self, engine: &Rc<Engine>) -> Result<(), Fault> {
        let ledger = engine.ledger().await?;
        let now = ledger.now().unwrap_or_default();
        let before = self.devices.kept_back.get();
        let due = self.devices.looked.get().is_none_or(|looked| now.saturating_sub(looked) >= LOOKS);
        if !due && !before {
            return Ok(());
        }
        let id = self.with(|vault| vault.holder())?;
        let standing = ledger.holder(engine.store().await?, id).await?;
        let ahead = match standing {
            Some(standing) => self.with(|vault| vault.is_outrun(&standing.authority))?,
            None => false,
        };
        self.devices.looked.set(Some(now));
        // A look that began before may have told otherwise by now.
        let before = self.devices.kept_back.replace(ahead);
        if ahead != before {
            tell(&Event::Changed(Topic::Devices));
        }
        if ahead && !before {
            wasm_bindgen_futures::spawn_local(look_until_it_ends(Rc::clone(engine)));
        }
        Ok(())
    }

    /// The same, where the alarm is on.
    pub(super) async fn look_again_at_holder(&self, engine: &Rc<Engine>) -> Result<(), Fault> {
        if self.devices.kept_back.get() { self.look_at_holder(engine).await } else { Ok(()) }
    }

    /// After removals that didn't know of each other: one epoch that all who are left have the keys of. By chance one
    /// device is first.
    pub(super) async fn settle(&self, engine: &Rc<Engine>) -> Result<(), Fault> {
        if !self.with(Vault::is_unsettled)? {
            return Ok(());
        }
        let [chance]: [u8; 1] = BrowserRandom.bytes();
        sleep(i32::from(chance) * 20).await;
        let now = engine.ledger().await?.now().unwrap_or_default();
        // A device that may not, or is out by now, leaves it to another.
        let settled = self.with(|vault| {
            if vault.is_unsettled() {
                vault.settle(now, &mut BrowserRandom).unwrap_or_default()
            } else {
                Vec::new()
            }
        })?;
        if !settled.is_empty() {
            self.store_and_tell(engine, &settled).await?;
        }
        Ok(())
    }

    /// Stores events of this device with the epochs among them, then tells the other copies.
    async fn store_and_tell(&self, engine: &Engine, events: &[StoredEvent]) -> Result<(), Fault> {
        let changes = events
            .iter()
            .map(|event| Change::Put(Table::Events, event.address.to_hex(), event.bytes.clone()))
            .collect();
        self.save_vault(engine, changes).await?;
        self.devices.news(events);
        tell(&Event::Changed(Topic::Devices));
        Ok(())
    }
}

fn is_running(share: &Share) -> bool {
    use suishen_bridge::ShareState::{Asked, NotYetRevoked, Offered, Open};
    matches!(share.state, Offered | Asked { .. } | Open { .. } | NotYetRevoked)
}

/// The setting that says of a device that it is a person's.
fn person(key: &PublicKey) -> String {
    format!("person/{}", id(key))
}

fn id(key: &PublicKey) -> String {
    HEXLOWER.encode(key.as_bytes())
}

/// A role as the pages know it.
pub const fn role_of(role: suishen_core::vault::DeviceRole) -> DeviceRole {
    match role {
        suishen_core::vault::DeviceRole::View => DeviceRole::View,
        suishen_core::vault::DeviceRole::Share => DeviceRole::Share,
        suishen_core::vault::DeviceRole::Manage => DeviceRole::Manage,
    }
}
