//! What lies in a grant's drop box, in the order of writing (PROTOCOL §6).
//!
//! **The name on the patient's screen comes from [`DeskIdentity::open`] and nowhere else**, and nothing is handed over
//! before it: whoever accepted must be a certified person, or an insurer's server, in the role that the patient chose, with the key that
//! accepted. Each message is padded: the relay that keeps it sees kinds, not whose certificate is long.

use crate::cbor;
use crate::contract::{Accepted, Role};
use crate::id::{GrantId, LedgerId};
use crate::identity::{Certificate, Chain};
use crate::sm::{Key32, Label, Object, PublicKey, Random, SecretKey, Signed, SmError, pad, sealed};
use zeroize::Zeroizing;

const DESK: Label = Label::new("desk-identity");
const HALF: Label = Label::new("patient-half");
const RECEIPT: Label = Label::new("receipt");

/// One message of a drop box. Each is ciphertext for the other side; the relay sees kinds and sizes.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Message {
    /// From the phone: the payload, a stream under the payload key.
    #[n(0)]
    Payload(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// From the desk: [`DeskIdentity`], sealed to the grant's reply key.
    #[n(1)]
    Desk(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// From the phone, after the tap: the patient's half, sealed to the desk's box key.
    #[n(2)]
    Half(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// From the desk: a signed [`Receipt`], sealed to the grant's reply key.
    #[n(3)]
    Receipt(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// From an insurer's desk: a signed [`Answer`](super::Answer), sealed to the grant's reply key.
    #[n(4)]
    Answer(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

impl Message {
    /// The patient's half, to the box key that accepted: only after the tap on the person's name.
    pub fn half(
        half: &Key32,
        accepted: &Accepted,
        grant: &GrantId,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Self {
        Self::Half(sealed::seal(&accepted.box_key, ledger, grant.digest(), HALF, half.as_bytes(), random))
    }

    /// Opens the half that [`Message::half`] sealed to this box key.
    pub fn open_half(
        sealed: &[u8],
        box_key: &SecretKey,
        grant: &GrantId,
        ledger: &LedgerId,
    ) -> Result<Key32, SmError> {
        let plain = sealed::open(box_key, ledger, grant.digest(), HALF, sealed)?;
        let half = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| SmError::Form)?;
        Ok(Key32::from_bytes(*Zeroizing::new(half)))
    }
}

/// Who is at the desk: a person, by certificate. The screen's name comes from here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct DeskIdentity {
    /// The person's certificate and its organisation's.
    #[n(0)]
    pub chain: Chain,
    /// The person's signature over grant and grantee key.
    #[n(1)]
    pub presence: Signed<Presence>,
    /// The newest checkpoint that the desk verified: a split view shows when phone and desk meet.
    #[n(2)]
    pub checkpoint: String,
}

/// What the ledger says of who may answer an offer.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Which ledger.
    pub ledger: &'a LedgerId,
    /// The consortium's root.
    pub root: &'a Certificate,
    /// The grant.
    pub grant: &'a GrantId,
    /// The role that the patient chose.
    pub role: Role,
    /// Which organisation accepted, with which keys, when.
    pub accepted: &'a Accepted,
}

/// Why nobody's name is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Not sealed to this grant's reply key, or not an identity.
    #[error("what the desk left cannot be opened")]
    Box,
    /// The certificates don't hold at the moment of the acceptance.
    #[error("the person's certificate does not hold")]
    Certificate,
    /// Neither a person's certificate to sign nor an insurer's server's, or of another role than the patient chose.
    #[error("who asks is not a person certified in the role that was chosen")]
    Role,
    /// A person of another organisation than the one that accepted.
    #[error("who asks is of another organisation than the one that accepted")]
    Organisation,
    /// The person didn't sign for this grant and the key that accepted.
    #[error("who asks did not sign for this grant and the key that accepted")]
    Presence,
}

impl DeskIdentity {
    /// Seals it for the phone.
    pub fn seal(
        &self,
        reply: &PublicKey,
        grant: &GrantId,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Message {
        let text = pad::pad(&cbor::encode(self));
        Message::Desk(sealed::seal(reply, ledger, grant.digest(), DESK, &text, random))
    }

    /// Opens it with the grant's reply key and checks who it is.
    pub fn open(sealed: &[u8], reply: &SecretKey, asking: &Asking<'_>) -> Result<Self, IdentityFault> {
        let Asking { ledger, root, grant, role, accepted } = *asking;
        let padded = sealed::open(reply, ledger, grant.digest(), DESK, sealed);
        let padded = padded.map_err(|_| IdentityFault::Box)?;
        let text = pad::unpad(&padded).map_err(|_| IdentityFault::Box)?;
        let identity: Self = cbor::decode(text).map_err(|_| IdentityFault::Box)?;
        let person = identity.chain.verify(root, accepted.at).map_err(|_| IdentityFault::Certificate)?;
        if !person.signs_as(role) {
            return Err(IdentityFault::Role);
        }
        if person.subject().party != accepted.party {
            return Err(IdentityFault::Organisation);
        }
        let expected = Presence { grant: *grant, grantee: accepted.grantee };
        match identity.presence.verify(person.key(), ledger) {
            Ok(presence) if presence == expected => Ok(identity),
            _ => Err(IdentityFault::Presence),
        }
    }
}

/// "This is me, at this grant, with this key."
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Presence {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The grantee key that accepted.
    #[n(1)]
    pub grantee: PublicKey,
}

impl Object for Presence {
    const NAME: &'static str = "presence";
}

/// What a desk opened, no values. Nothing relies on it: the ledger's entry counts.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The use, from 1.
    #[n(1)]
    pub number: u32,
    /// The records opened, by number.
    #[n(2)]
    pub records: Vec<u32>,
    /// The newest checkpoint that the desk verified.
    #[n(3)]
    pub checkpoint: String,
}

impl Object for Receipt {
    const NAME: &'static str = "receipt";
}

impl Receipt {
    /// Signs it with the key that accepted and seals it for the phone.
    pub fn seal(
        &self,
        grantee: &SecretKey,
        reply: &PublicKey,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Message {
        Message::Receipt(seal_reply(self, RECEIPT, &self.grant, grantee, (reply, ledger), random))
    }

    /// Opens a grant's receipt by the key that accepted; gives the signed form too, for the proof bundle.
    pub fn open(
        sealed: &[u8],
        reply: &SecretKey,
        grantee: &PublicKey,
        grant: &GrantId,
        ledger: &LedgerId,
    ) -> Result<(Self, Signed<Self>), SmError> {
        let signed: Signed<Self> = open_reply(sealed, RECEIPT, grant, reply, ledger)?;
        let receipt = signed.verify(grantee, ledger)?;
        if receipt.grant == *grant { Ok((receipt, signed)) } else { Err(SmError::Form) }
    }
}

/// Signs what a grantee tells the phone with the key that accepted, pads it, and seals it to the grant's reply key.
pub(super) fn seal_reply<T: Object>(
    told: &T,
    label: Label,
    grant: &GrantId,
    grantee: &SecretKey,
    (reply, ledger): (&PublicKey, &LedgerId),
    random: &mut dyn Random,
) -> Vec<u8> {
    let text = pad::pad(&Signed::new(told, grantee, ledger).to_bytes());
    sealed::seal(reply, ledger, grant.digest(), label, &text, random)
}

/// Opens what [`seal_reply`] sealed. Nothing is verified yet.
pub(super) fn open_reply<T: Object>(
    sealed: &[u8],
    label: Label,
    grant: &GrantId,
    reply: &SecretKey,
    ledger: &LedgerId,
) -> Result<Signed<T>, SmError> {
    let padded = sealed::open(reply, ledger, grant.digest(), label, sealed)?;
    Signed::from_bytes(pad::unpad(&padded)?)
}
