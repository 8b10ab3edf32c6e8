//! Names of things: a type a kind, so that mixing two up does not compile.

use crate::contract::Voucher;
use crate::sm::{Digest, Label, PublicKey};
use core::fmt;

macro_rules! digest_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] Digest);

        impl $name {
            /// An id from its 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Digest::from_bytes(bytes))
            }

            /// An id from the digest that it is.
            pub const fn from_digest(digest: Digest) -> Self {
                Self(digest)
            }

            /// The digest that it is.
            pub const fn digest(&self) -> &Digest {
                &self.0
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }

            /// 64 lower-case hexadecimal digits.
            pub fn to_hex(self) -> String {
                self.0.to_hex()
            }

            /// Reads what `to_hex` wrote.
            pub fn from_hex(text: &str) -> Option<Self> {
                Digest::from_hex(text).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.to_hex())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }
    )*};
}

digest_id! {
    /// A ledger: SM3 of its genesis object.
    LedgerId;
    /// A transaction: SM3 of its payload.
    TransactionId;
    /// A consent grant: SM3(label ‖ ledger id ‖ grant public key).
    GrantId;
    /// A report as the ledger knows it: a commitment over its manifest.
    Commitment;
    /// A vault's holder on the ledger: SM3(label ‖ holder root public key).
    HolderId;
    /// A holder hidden in a report or ticket: SM3(label ‖ fresh salt ‖ holder id).
    HolderCommitment;
    /// A vault at a mailbox: SM3(label ‖ vault root public key).
    VaultId;
    /// Ciphertext by its SM3.
    BlobAddress;
    /// A drop box of a known patient: SM3(label ‖ a fresh signing key).
    InboxId;
    /// A payer slot of an invoice: SM3(label ‖ the tag's public key ‖ slot ‖ hospital).
    TagId;
}

impl GrantId {
    /// The id of the grant that `key` signs on `ledger`: known before the grant is made.
    pub fn of(ledger: &LedgerId, key: &PublicKey) -> Self {
        Self(Digest::labelled(Label::new("grant-id"), &[ledger.as_bytes(), key.as_bytes()]))
    }
}

impl HolderId {
    /// The id of the holder whose root key this is: nobody else can take it first.
    pub fn of(root: &PublicKey) -> Self {
        Self(Digest::labelled(Label::new("holder-id"), &[root.as_bytes()]))
    }
}

impl HolderCommitment {
    /// Hides a commitment once more under another fresh salt: what the ledger shows for a known patient.
    #[must_use]
    pub fn again(&self, salt: &[u8; 32]) -> Self {
        Self(Digest::labelled(Label::new("holder-commitment"), &[salt, self.as_bytes()]))
    }

    /// Hides a holder under a fresh salt.
    pub fn of(salt: &[u8; 32], holder: &HolderId) -> Self {
        Self(Digest::labelled(Label::new("holder-commitment"), &[salt, holder.as_bytes()]))
    }
}

impl VaultId {
    /// The mailbox address of the vault whose root key this is.
    pub fn of(root: &PublicKey) -> Self {
        Self(Digest::labelled(Label::new("vault-id"), &[root.as_bytes()]))
    }
}

impl BlobAddress {
    /// The address of these bytes.
    pub fn of(ciphertext: &[u8]) -> Self {
        Self(Digest::of(ciphertext))
    }
}

impl TagId {
    /// The slot that a voucher names. The hospital is part of it: one that saw another's tag pass and vouches for it
    /// too names a slot of its own, and closes nobody else's.
    pub fn of(voucher: &Voucher) -> Self {
        let slot = [voucher.slot as u8];
        let parts: [&[u8]; 3] = [voucher.tag.as_bytes(), &slot, voucher.issuer.as_str().as_bytes()];
        Self(Digest::labelled(Label::new("claim-tag-id"), &parts))
    }
}

impl InboxId {
    /// The inbox that `key` reads.
    pub fn of(key: &PublicKey) -> Self {
        Self(Digest::labelled(Label::new("inbox-id"), &[key.as_bytes()]))
    }
}

/// An organisation by its unified credit code: 2 to 32 of `0-9A-Z`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(String);

impl PartyId {
    /// Reads a code; anything but 2 to 32 digits and capital letters is none.
    pub fn new(code: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
        ((2..=32).contains(&code.len()) && code.bytes().all(allowed)).then(|| Self(code.to_owned()))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyId({})", self.0)
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> minicbor::Encode<C> for PartyId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for PartyId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).ok_or_else(|| minicbor::decode::Error::message("not an organisation's code"))
    }
}
