//! What lies in a grant's drop box, in the order of writing.

use crate::id::GrantId;
use crate::identity::Chain;
use crate::sm::{Object, PublicKey, Signed};

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
