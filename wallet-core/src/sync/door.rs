//! The door: what is said first on a connection, before a byte of the vault's data flows (PROTOCOL §9).
//!
//! A device proves that it holds the key of its certificate **on this very connection**: it signs both sides' peer ids,
//! which the transport has authenticated and which are fresh each time, so a proof that was heard elsewhere opens nothing.
//! The ids have their places, who proves first, who is proven to second: a wallet that answers proves itself by a
//! [`Knock`] in the other direction, and nobody's proof can be held up to its own maker.
//!
//! ```text
//! who dials                      a mailbox                     another wallet
//!   knock                →
//!                        ←   open, or refused(why)         ←  open(its own knock), or refused(why)
//!                        ←   unknown(bits), then:
//!   found(epochs, work)  →
//!                        ←   open, or refused(why)
//! ```
//!
//! What a certificate is worth says the vault's roster; [`Knock::verify`] says only that its key was here.

use crate::cbor;
use crate::id::{LedgerId, VaultId};
use crate::sm::{Digest, DigestBuilder, Label, Object, SecretKey, Signed};
use crate::vault::{DeviceCertificate, Epoch, MOST_PASS, Vault};
use minicbor::{Decode, Encode};

/// The largest message at the door, in bytes. Epochs for which there is no room follow in the first session.
pub const MOST_AT_DOOR: usize = 256 << 10;
/// What founding a mailbox costs where nothing else is said: about 2^18 digests.
pub const WORK_BITS: u8 = 18;
/// The most that a wallet works for a mailbox, about a minute on a phone: beyond it the mailbox only wastes its battery.
pub const MOST_WORK_BITS: u8 = 24;

const WORK: Label = Label::new("mailbox-work");

/// "I am here": signed by a device for one connection. Object "device-presence".
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Presence {
    /// The vault that it asks for.
    #[n(0)]
    pub vault: VaultId,
    /// The peer id of who proves.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub by: Vec<u8>,
    /// The peer id of who is proven to.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub to: Vec<u8>,
}

impl Object for Presence {
    const NAME: &'static str = "device-presence";
}

/// A device asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Knock {
    /// The vault.
    #[n(0)]
    pub vault: VaultId,
    /// The device's certificate, its issuer's, … up to one by the vault's root.
    #[n(1)]
    pub pass: Vec<Signed<DeviceCertificate>>,
    /// By the key of the first certificate.
    #[n(2)]
    pub proof: Signed<Presence>,
}

impl Knock {
    /// The knock of this device at an open vault: `by` is its own peer id, `to` the other side's.
    pub fn of(vault: &Vault, (by, to): (&[u8], &[u8])) -> Self {
        let presence = Presence { vault: *vault.id(), by: by.to_vec(), to: to.to_vec() };
        Self { vault: *vault.id(), pass: vault.pass(), proof: vault.sign_as_device(&presence) }
    }

    /// The knock of a device with this key: `by` is its own peer id, `to` the other side's.
    pub fn new(
        vault: VaultId,
        pass: Vec<Signed<DeviceCertificate>>,
        (by, to): (&[u8], &[u8]),
        key: &SecretKey,
        ledger: &LedgerId,
    ) -> Self {
        let presence = Presence { vault, by: by.to_vec(), to: to.to_vec() };
        Self { vault, pass, proof: Signed::new(&presence, key, ledger) }
    }

    /// The device's certificate, once form, vault and proof hold for this connection: `by` is the peer id of who knocked,
    /// `to` this side's own. **No certificate's signature is verified**: the vault's roster judges the pass.
    pub fn verify(&self, ledger: &LedgerId, by: &[u8], to: &[u8]) -> Result<DeviceCertificate, Refused> {
        if !(1..=MOST_PASS).contains(&self.pass.len()) || by == to {
            return Err(Refused::Form);
        }
        let certificate = self.pass[0].claimed().map_err(|_| Refused::Form)?;
        let presence = self.proof.verify(&certificate.sign, ledger).map_err(|_| Refused::Proof)?;
        let here = Presence { vault: self.vault, by: by.to_vec(), to: to.to_vec() };
        if presence != here {
            return Err(Refused::Proof);
        }
        if certificate.vault == self.vault { Ok(certificate) } else { Err(Refused::Device) }
    }
}

/// What a mailbox that doesn't know the vault needs to begin one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Found {
    /// The vault's epoch objects, epoch 0 first.
    #[n(0)]
    pub epochs: Vec<Signed<Epoch>>,
    /// What [`Work`] found.
    #[n(1)]
    pub work: u64,
}

/// The answer to a knock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Welcome {
    /// Come in. A wallet proves itself in turn; a mailbox doesn't.
    #[n(0)]
    Open(#[n(0)] Option<Box<Knock>>),
    /// This mailbox doesn't know the vault: it begins one for work of so many bits.
    #[n(1)]
    Unknown(#[n(0)] u8),
    /// No.
    #[n(2)]
    Refused(#[n(0)] Refused),
}

/// Why a device isn't let in, or not any longer. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
pub enum Refused {
    /// Not a message of the door.
    #[n(0)]
    #[error("the other side could not read the request: update the app")]
    Form,
    /// The signature isn't this device's, or was made for another connection.
    #[n(1)]
    #[error("the connection is not the one that this device signed: connect again")]
    Proof,
    /// Not a device of the vault, or not any longer.
    #[n(2)]
    #[error("this device is not among the wallet's devices, or was removed")]
    Device,
    /// The work doesn't hold.
    #[n(3)]
    #[error("the work for a new mailbox does not hold: connect again")]
    Work,
    /// The epoch objects aren't this vault's, or one doesn't hold.
    #[n(4)]
    #[error("the wallet's list of devices does not hold")]
    Epochs,
    /// There is no room for this vault, or for more of it.
    #[n(5)]
    #[error("the mailbox is full")]
    Full,
    /// Too much at once.
    #[n(6)]
    #[error("the other side is busy: try again later")]
    Busy,
}

macro_rules! message {
    ($($name:ident),*) => {$(
        impl $name {
            /// The message.
            pub fn to_bytes(&self) -> Vec<u8> {
                cbor::encode(self)
            }

            /// Reads a message of at most [`MOST_AT_DOOR`] bytes. Nothing is verified but the form.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
                if bytes.len() > MOST_AT_DOOR {
                    return Err(Refused::Form);
                }
                cbor::decode(bytes).map_err(|_| Refused::Form)
            }
        }
    )*};
}
message!(Knock, Found, Welcome);

/// The work that a mailbox asks for before it begins one for a vault: a number under which
/// SM3(label ‖ vault ‖ the mailbox's peer id ‖ number) begins with so many zero bits.
#[derive(Clone, Debug)]
pub struct Work {
    begun: DigestBuilder,
    bits: u8,
    next: u64,
}

impl Work {
    /// The search for one vault at one mailbox; none when it asks for more than [`MOST_WORK_BITS`].
    pub fn new(vault: &VaultId, mailbox_peer: &[u8], bits: u8) -> Option<Self> {
        (bits <= MOST_WORK_BITS).then(|| Self { begun: work(vault, mailbox_peer), bits, next: 0 })
    }

    /// Tries so many numbers more; call it again when none of them was one.
    pub fn search(&mut self, tries: u32) -> Option<u64> {
        let end = self.next.saturating_add(tries.into());
        let found = (self.next..end).find(|number| holds(&self.begun, *number, self.bits));
        self.next = found.unwrap_or(end);
        found
    }
}

/// Whether the work was done.
pub fn work_holds(vault: &VaultId, mailbox_peer: &[u8], number: u64, bits: u8) -> bool {
    holds(&work(vault, mailbox_peer), number, bits)
}

fn work(vault: &VaultId, mailbox_peer: &[u8]) -> DigestBuilder {
    let mut begun = DigestBuilder::new();
    begun.update(&WORK.to_bytes());
    begun.update(vault.as_bytes());
    begun.update(mailbox_peer);
    begun
}

fn holds(begun: &DigestBuilder, number: u64, bits: u8) -> bool {
    let mut digest = begun.clone();
    digest.update(&number.to_be_bytes());
    zeros(&digest.finish()) >= u32::from(bits)
}

/// Zero bits at the beginning.
fn zeros(digest: &Digest) -> u32 {
    let bytes = digest.as_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let part = bytes.get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).map_or(u32::MAX, |zeros| zeros * 8 + part)
}

#[cfg(test)]
#[path = "door_tests.rs"]
mod tests;
