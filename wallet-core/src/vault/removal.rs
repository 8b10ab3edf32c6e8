//! Removing devices (PROTOCOL §3): a further epoch, whose keys the removed ones don't get, and the holder moved to them.

use super::epoch::Earlier;
use super::event::{Body, StoredEvent};
use super::roster::MOST_HEADS;
use super::{DeviceCertificate, DeviceRole, Epoch, EpochKeys, MOST_DEVICES, RosterError, Vault, VaultError};
use crate::contract::{MoveHolder, SignedTransaction, Transaction};
use crate::identity::{Entropy, RecoveryKeys};
use crate::order;
use crate::sm::{PublicKey, Random, SecretKey, Signed};

impl Vault {
    /// Removes a device: a new epoch, the event that tells it, and `MoveHolder`. Store all three and
    /// [`Vault::to_bytes`] before sending any. What the device could act on: [`super::RecordIndex::within_reach`].
    pub fn remove_device(
        &mut self,
        device: &PublicKey,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<Vec<StoredEvent>, VaultError> {
        self.check_manages()?;
        let counts = self.members().iter().any(|(_, sign)| sign == device);
        if *device == self.device() || !counts {
            return Err(VaultError::NoDevice);
        }
        let stay = self.members().into_iter().filter(|(_, sign)| sign != device);
        let stay = stay.map(|(signed, _)| signed).collect();
        self.start_epoch(stay, &[*device], None, now, random)
    }

    /// By the phrase, on a device that was restored with it and has rejoined: from now on this device and those in
    /// `stay` are the wallet's, whoever removed whom before. **Overrides every epoch that isn't known here.**
    pub fn decide(
        &mut self,
        entropy: &Entropy,
        stay: &[PublicKey],
        now: u64,
        random: &mut dyn Random,
    ) -> Result<Vec<StoredEvent>, VaultError> {
        let keys = entropy.keys();
        if keys.public() != self.secrets.recovery {
            return Err(VaultError::OtherWallet);
        }
        self.check_manages()?;
        let own = self.device();
        let stays = |device: &PublicKey| *device == own || stay.contains(device);
        let known = self.log.certified();
        let known = known.iter().filter(|known| stays(&known.certificate.sign));
        let known: Vec<_> = known.map(|known| known.signed.clone()).collect();
        let removed = self.members();
        let removed: Vec<_> = removed.into_iter().map(|(_, sign)| sign).filter(|sign| !stays(sign)).collect();
        self.start_epoch(known, &removed, Some(&keys), now, random)
    }

    /// Whether a new epoch is due without anybody's removal: devices removed others at the same time, so that of the
    /// newest epochs' keys one or the other is in a removed device's hands, or a device that counts has no keys of them.
    pub fn is_unsettled(&mut self) -> bool {
        let members = self.log.members();
        let members: Vec<_> =
            members.iter().map(|known| (known.signed.id(), known.certificate.epoch)).collect();
        let roster = self.log.roster();
        roster.tips().len() > 1 || members.iter().any(|(id, epoch)| !roster.has_keys(id, *epoch))
    }

    /// Starts an epoch that removes nobody, where [`Vault::is_unsettled`].
    pub fn settle(&mut self, now: u64, random: &mut dyn Random) -> Result<Vec<StoredEvent>, VaultError> {
        self.check_manages()?;
        let stay = self.members().into_iter().map(|(signed, _)| signed).collect();
        self.start_epoch(stay, &[], None, now, random)
    }

    /// `MoveHolder` from what the ledger has to the keys of the newest epoch: where the one of the epoch's event came
    /// too late. `manage` and `sequence` are the holder's, as the ledger has them; with the phrase at hand it holds
    /// whosever the manage key is.
    pub fn move_holder(
        &self,
        manage: &PublicKey,
        sequence: u64,
        entropy: Option<&Entropy>,
    ) -> Result<SignedTransaction, VaultError> {
        let (_, _, keys) = self.current().ok_or(VaultError::Incomplete)?;
        let sequence = sequence.saturating_add(1);
        if let Some(root) = entropy.map(|entropy| entropy.keys().holder_root) {
            return self.moved(keys, sequence, &root, Some(root.public()));
        }
        let mut held = self.keys.newest_first().filter_map(EpochKeys::holder_manage);
        let signer = held.find(|key| key.public() == *manage).ok_or(VaultError::Role)?;
        self.moved(keys, sequence, &signer, None)
    }

    fn check_manages(&mut self) -> Result<(), VaultError> {
        if self.secrets.role < DeviceRole::Manage {
            return Err(VaultError::Role);
        }
        if self.is_removed() {
            return Err(VaultError::Removed);
        }
        if self.log.sequence(&self.device()) == 0 {
            return Err(VaultError::Incomplete);
        }
        Ok(())
    }

    /// The devices that count: certificate, key to sign.
    fn members(&mut self) -> Vec<(Signed<DeviceCertificate>, PublicKey)> {
        let members = self.log.members().into_iter();
        members.map(|known| (known.signed.clone(), known.certificate.sign)).collect()
    }

    /// All that a new epoch brings, whose keys those get that `stay`. `root` signs it when given, this device otherwise.
    fn start_epoch(
        &mut self,
        mut stay: Vec<Signed<DeviceCertificate>>,
        removed: &[PublicKey],
        root: Option<&RecoveryKeys>,
        now: u64,
        random: &mut dyn Random,
    ) -> Result<Vec<StoredEvent>, VaultError> {
        let (_, _, before) = self.current().ok_or(VaultError::Incomplete)?;
        let before = before.holder_manage();
        let tips = self.log.roster().tips();
        let number = tips.iter().map(|(_, number)| *number).max().ok_or(VaultError::Incomplete)?;
        let number = number.checked_add(1).ok_or(VaultError::Admission(RosterError::Full))?;
        let keys = EpochKeys::generate(random);
        // A box for each key: two certificates of one device would ask for two.
        let mut sealed_to = order::set([self.secrets.recovery.encryption]);
        stay.retain(|signed| signed.claimed().is_ok_and(|device| sealed_to.insert(device.seal)));
        if stay.len() > MOST_DEVICES {
            return Err(VaultError::TooManyDevices);
        }
        let ledger = self.stored.ledger;
        let mut epoch = Epoch::draft(&keys, number, &stay, &self.secrets.recovery, &ledger, random);
        for (id, number) in tips {
            let known = self.keys.get(number, &id);
            epoch.earlier.extend(known.map(|known| Earlier::seal(&id, known, &keys, random)));
            epoch.previous.push(id);
        }
        epoch.removed = order::set(removed.iter().copied()).into_iter().collect();
        epoch.heads = self.log.heads();
        epoch.heads.truncate(MOST_HEADS);
        let signed = if let Some(root) = root {
            Signed::new(&epoch, &root.vault_root, &ledger)
        } else {
            epoch.pass = self.pass();
            self.sign_as_device(&epoch)
        };
        self.know_epoch(&signed).map_err(VaultError::Admission)?;
        let mut events = vec![StoredEvent::of_epoch(&signed)];
        self.stored.seal();
        for device in removed {
            events.push(self.write(Body::DeviceRemoved(*device), now, random));
        }
        let (mover, root) = match root {
            Some(keys) => (Some(keys.holder_root.clone()), Some(keys.holder_root.public())),
            None => (before, None),
        };
        let transaction = self.moved(&keys, u64::from(number), &mover.ok_or(VaultError::Role)?, root)?;
        events.push(self.write(Body::HolderMoved(transaction), now, random));
        Ok(events)
    }

    fn moved(
        &self,
        keys: &EpochKeys,
        sequence: u64,
        signer: &SecretKey,
        root: Option<PublicKey>,
    ) -> Result<SignedTransaction, VaultError> {
        let authority = keys.authority().ok_or(VaultError::Role)?.public();
        let manage = keys.holder_manage().ok_or(VaultError::Role)?.public();
        let body = MoveHolder { holder: self.holder(), authority, manage, sequence, root };
        Ok(SignedTransaction::new(&Transaction::MoveHolder(body), signer, &self.stored.ledger))
    }
}
