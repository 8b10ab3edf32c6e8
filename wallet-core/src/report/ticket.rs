//! The bearer ticket (PROTOCOL §4): what a QR code's fragment carries and what it leads to.
//!
//! The fragment is a 32-byte seed and the report's commitment; ticket key and fragment half follow from the
//! seed. **The content key needs the gates' half as well**: a photograph of the code opens nothing once the
//! ticket is bound to another wallet.

use super::{ClaimKey, GroupOpening, Manifest, PartCopy, ReportError, commitment};
use crate::{
    id::{BlobAddress, Commitment, LedgerId},
    sm::{Key32, Label, Object, PublicKey, Random, SecretKey, Signed, pad, stream},
};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

/// What the contents' stream holds.
const CONTENTS: Label = Label::new("ticket-contents");

/// Why a fragment is no ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Cut off, mistyped, or changed.
    #[error("the code is damaged; scan it again or copy the whole link")]
    Damaged,
}

/// What the QR code of a report carries: 64 bytes, of which 32 are secret.
#[derive(Clone)]
pub struct Ticket {
    seed: Key32,
    commitment: Commitment,
    key: SecretKey,
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        // The key follows from these two.
        self.seed == other.seed && self.commitment == other.commitment
    }
}

impl Eq for Ticket {}

impl Ticket {
    /// A fresh ticket to the report that the ledger knows as `commitment`.
    pub fn generate(commitment: Commitment, random: &mut dyn Random) -> Self {
        loop {
            // A seed whose key is out of range turns up once in 2^32 tries.
            if let Ok(ticket) = Self::new(Key32::generate(random), commitment) {
                return ticket;
            }
        }
    }

    fn new(seed: Key32, commitment: Commitment) -> Result<Self, TicketError> {
        let scalar = seed.derive(Label::new("ticket-key"), &[commitment.as_bytes()]);
        let key = SecretKey::from_bytes(scalar.as_bytes()).map_err(|_| TicketError::Damaged)?;
        Ok(Self { seed, commitment, key })
    }

    /// The report it is for.
    pub const fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// The one-use key whose public half stands in `AnchorReport`; signs `BindTicket`.
    pub const fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The key of the contents: HKDF-SM3(fragment half ‖ gate half, label ‖ commitment).
    pub fn content_key(&self, gate_half: &Key32) -> Key32 {
        let half = self.seed.derive(Label::new("ticket-half"), &[self.commitment.as_bytes()]);
        let both = Zeroizing::new([half.as_bytes().as_slice(), gate_half.as_bytes()].concat());
        let label = Label::new("ticket-content");
        Key32::from_bytes(*crate::sm::kdf::derive(&both, label, &[self.commitment.as_bytes()]))
    }

    /// The 86 characters of its URL's fragment: seed ‖ commitment in base64url.
    pub fn to_fragment(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([self.seed.as_bytes().as_slice(), self.commitment.as_bytes()].concat());
        Zeroizing::new(BASE64URL_NOPAD.encode(&bytes))
    }

    /// Reads what [`Ticket::to_fragment`] wrote.
    pub fn from_fragment(fragment: &str) -> Result<Self, TicketError> {
        let bytes =
            Zeroizing::new(BASE64URL_NOPAD.decode(fragment.as_bytes()).map_err(|_| TicketError::Damaged)?);
        let (seed, commitment) = bytes.split_first_chunk::<32>().ok_or(TicketError::Damaged)?;
        let commitment = commitment.try_into().map_err(|_| TicketError::Damaged)?;
        Self::new(Key32::from_bytes(*seed), Commitment::from_bytes(commitment))
    }
}

impl core::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Ticket([redacted] of {})", self.commitment)
    }
}

/// All that a wallet needs beside the parts themselves. Signed by the issuer; encrypted under the ticket's
/// content key, or sealed into a known patient's inbox.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct TicketContents {
    /// The signed manifest, byte for byte as the commitment covers it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub manifest: Vec<u8>,
    /// The commitment's salt.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// Where the parts lie and what opens them, by number.
    #[n(2)]
    pub parts: Vec<PartCopy>,
    /// The opening of every group.
    #[n(3)]
    pub openings: Vec<GroupOpening>,
    /// The issuer's certificates (DER), its own first.
    #[n(4)]
    pub chain: Vec<minicbor::bytes::ByteVec>,
    /// For a known patient: the salt between C and the holder commitment in `AnchorReport`.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub holder_salt: Option<[u8; 32]>,
    /// The private halves of an invoice's claim tags; none for other reports.
    #[n(6)]
    pub claim_keys: Vec<ClaimKey>,
}

impl Object for TicketContents {
    const NAME: &'static str = "ticket-contents";
}

impl TicketContents {
    /// The report's name on the ledger.
    pub fn commitment(&self) -> Commitment {
        commitment(&self.salt, &self.manifest)
    }

    /// Signs and encrypts the contents under a ticket's content key: the blob and its address.
    pub fn seal(
        &self,
        issuer: &SecretKey,
        ledger: &LedgerId,
        content_key: &Key32,
        random: &mut dyn Random,
    ) -> (BlobAddress, Vec<u8>) {
        let signed = Zeroizing::new(Signed::new(self, issuer, ledger).to_bytes());
        let blob = stream::encrypt(content_key, CONTENTS, &pad::pad(&signed), random);
        (BlobAddress::of(&blob), blob)
    }

    /// Decrypts and verifies contents: signed by the key that the anchor on the ledger names, of the report
    /// that the ticket names. Gives the manifest with them; parts and groups are verified as they are opened.
    pub fn open(
        blob: &[u8],
        content_key: &Key32,
        expected: &Commitment,
        issuer_key: &PublicKey,
        ledger: &LedgerId,
    ) -> Result<(Self, Manifest), ReportError> {
        let padded = stream::decrypt(content_key, CONTENTS, blob)?;
        let signed = Signed::<Self>::from_bytes(pad::unpad(&padded)?)?;
        signed.verify(issuer_key, ledger)?.verified(expected, issuer_key, ledger)
    }

    /// The checks of [`TicketContents::open`] for contents that came another way.
    pub fn verified(
        self,
        expected: &Commitment,
        issuer_key: &PublicKey,
        ledger: &LedgerId,
    ) -> Result<(Self, Manifest), ReportError> {
        if self.commitment() != *expected {
            return Err(ReportError::WrongCommitment);
        }
        let signed = Signed::<Manifest>::from_bytes(&self.manifest)?;
        let manifest = Manifest::verify(&signed, issuer_key, ledger)?;
        let numbers: Vec<u32> = self.parts.iter().map(|p| p.part).collect();
        let all: Vec<u32> = (0..).take(manifest.parts.len()).collect();
        if numbers != all {
            return Err(ReportError::Form);
        }
        Ok((self, manifest))
    }
}

impl core::fmt::Debug for TicketContents {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TicketContents([redacted] of {}, {} parts)", self.commitment(), self.parts.len())
    }
}
