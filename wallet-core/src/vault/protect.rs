//! What opens a vault on this device, and how the phrase leaves it.

use super::event::{Body, StoredEvent};
use super::{ENOUGH_BITS, Locked, Slot, Vault, VaultError, passphrase};
use crate::identity::Entropy;
use crate::sm::{Key32, Label, Random, SmError, aead};
use zeroize::Zeroizing;

const LOCAL: Label = Label::new("device-local");

impl Vault {
    // ---- unlock slots ------------------------------------------------------------------------------------

    /// The bytes to store beside the events, after every change to slots, platform key or phrase.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.stored.to_bytes()
    }

    /// Locks: every secret is wiped, what was stored stays.
    #[must_use]
    pub fn lock(self) -> Locked {
        self.stored
    }

    /// The ways to open this wallet.
    pub fn slots(&self) -> &[Slot] {
        &self.stored.slots
    }

    /// Whether there is a passkey or passphrase, or that of the wallet whose care it is in. Before, nothing can be shared or
    /// leave this device.
    pub fn is_protected(&self) -> bool {
        self.in_care || !self.stored.slots.is_empty()
    }

    /// Adds a passphrase, if it is hard enough to guess. Takes a second.
    pub fn add_passphrase(&mut self, text: &str, random: &mut dyn Random) -> Result<(), VaultError> {
        let bits = passphrase::strength(text);
        if bits < ENOUGH_BITS {
            return Err(VaultError::Weak { bits });
        }
        let slot = Slot::passphrase(text, &self.device, &self.stored.vault, random);
        self.add_slot(slot);
        Ok(())
    }

    /// Adds a passkey: its id, the salt that its PRF was asked with, and the 32 bytes that it answered.
    pub fn add_passkey(
        &mut self,
        credential: Vec<u8>,
        salt: [u8; 32],
        prf: &[u8; 32],
        random: &mut dyn Random,
    ) {
        self.stored.slots.retain(|slot| !slot.is_passkey(&credential));
        let slot = Slot::passkey(credential, salt, prf, &self.device, &self.stored.vault, random);
        self.add_slot(slot);
    }

    /// The first slot replaces the platform's key: delete that too.
    fn add_slot(&mut self, slot: Slot) {
        self.stored.slots.push(slot);
        self.stored.platform = None;
        self.stored.seal();
    }

    /// The device key, for the platform to wrap while there is no slot.
    pub fn device_key(&self) -> Result<&Key32, VaultError> {
        if self.is_protected() { Err(VaultError::Protected) } else { Ok(&self.device) }
    }

    /// Keeps the device key as the platform wrapped it, while there is no slot.
    pub fn set_platform(&mut self, wrapped: Vec<u8>) {
        if !self.is_protected() {
            self.stored.platform = Some(wrapped);
            self.stored.seal();
        }
    }

    /// Encrypts something that concerns this device only: work in progress, shares that wait for a gate.
    pub fn seal_local(&self, name: &str, text: &[u8], random: &mut dyn Random) -> Vec<u8> {
        aead::seal(&self.device, LOCAL, name.as_bytes(), text, random)
    }

    /// Opens what [`Vault::seal_local`] made under the same name.
    pub fn open_local(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SmError> {
        aead::open(&self.device, LOCAL, name.as_bytes(), sealed)
    }

    // ---- recovery ----------------------------------------------------------------------------------------

    /// The recovery secret, until it was written down.
    pub fn entropy(&self) -> Option<Entropy> {
        self.secrets.entropy.as_ref().map(|entropy| Entropy::from_bytes(*entropy.as_bytes()))
    }

    /// Checks the words at three places; when they are right the secret leaves this device for good: store
    /// [`Vault::to_bytes`] and the event.
    pub fn confirm_phrase(
        &mut self,
        words: &[(u8, &str)],
        now: u64,
        random: &mut dyn Random,
    ) -> Result<StoredEvent, VaultError> {
        let entropy = self.entropy().ok_or(VaultError::PhraseGone)?;
        if !entropy.has_words(words) {
            return Err(VaultError::Words);
        }
        let event = self.append(Body::PhraseWritten, now, random)?;
        self.secrets.entropy = None;
        self.rewrite(random);
        Ok(event)
    }
}
