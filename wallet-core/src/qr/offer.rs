//! What a patient shows: an offer to share (PROTOCOL §6) or an identity to deliver to (PROTOCOL §4).

use crate::{
    id::{GrantId, HolderCommitment, InboxId},
    sm::{Digest, Key32, PublicKey, SecretKey},
};

/// The most relays that a code names beside its own origin.
const MAX_RELAYS: usize = 4;

/// The code that a doctor scans. **Opens nothing by itself** unless it carries the patient's half.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct ConsentOffer {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The offer key; never leaves the desk that scanned it.
    #[n(1)]
    pub offer_key: SecretKey,
    /// The patient's half, only where the patient chose "works without my phone" (weaker, 5 minutes).
    #[n(2)]
    pub half: Option<Key32>,
    /// Root of the newest checkpoint that the wallet verified: a split view shows when they meet.
    #[n(3)]
    pub checkpoint: Option<Digest>,
    /// Further relays, as origins, where the link's own doesn't answer.
    #[n(4)]
    pub relays: Option<Relays>,
}

impl PartialEq for ConsentOffer {
    fn eq(&self, other: &Self) -> bool {
        self.grant == other.grant
            && self.offer_key.public() == other.offer_key.public()
            && self.half == other.half
            && self.checkpoint == other.checkpoint
            && self.relays == other.relays
    }
}

impl Eq for ConsentOffer {}

/// The code that a hospital desk scans, so that reports arrive without a code. Says nothing that links it to
/// another showing: all three are fresh each time.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct IdentityOffer {
    /// C = SM3(label ‖ salt ‖ holder id).
    #[n(0)]
    pub holder: HolderCommitment,
    /// Report keys are sealed to it.
    #[n(1)]
    pub encryption_key: PublicKey,
    /// Where they are put.
    #[n(2)]
    pub inbox: InboxId,
    /// Further relays, as origins, that have the inbox.
    #[n(3)]
    pub relays: Option<Relays>,
}

/// A code that says where a wallet, or a device that has none yet, waits for whoever scans it: a new device, the old one, or a
/// doctor in the same room. **Neither admits nor
/// shows anything by itself**: the patient compares six digits, or says yes to a certified name.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PeerOffer {
    /// The peer id in this session.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub peer: Vec<u8>,
    /// Shows that the code was seen.
    #[n(1)]
    pub secret: Key32,
    /// Further relays, as origins, where it waits.
    #[n(2)]
    pub relays: Option<Relays>,
}

/// Its secret is not printed.
impl core::fmt::Debug for PeerOffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PeerOffer([redacted])")
    }
}

/// A few relays, as origins: one to four.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode)]
#[cbor(transparent)]
pub struct Relays(#[n(0)] Vec<String>);

impl Relays {
    /// Takes one to four origins.
    pub fn new(origins: Vec<String>) -> Option<Self> {
        let good = (1..=MAX_RELAYS).contains(&origins.len()) && origins.iter().all(|o| super::is_origin(o));
        good.then_some(Self(origins))
    }

    /// The origins.
    pub fn origins(&self) -> &[String] {
        &self.0
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Relays {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let origins = Vec::<String>::decode(d, ctx)?;
        Self::new(origins).ok_or_else(|| minicbor::decode::Error::message("not one to four origins"))
    }
}
