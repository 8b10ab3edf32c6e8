//! A live consultation (PROTOCOL §9): a doctor's desk asks a phone in the same room, directly.
//!
//! The phone's code names its peer id, which the transport authenticates, and a secret. The desk dials and says who it is:
//! **the name on the patient's screen comes from the certificate whose key signed both peer ids and the secret, and from
//! nowhere else.** The patient's yes is a grant like any other, made for this person: offer key and half go sealed to the
//! person's certified key, so nobody else can accept it. Contents then come from the phone itself, under keys that need
//! the gates' shares.
//!
//! ```text
//! desk                                  phone
//!   call(who, what)             →       the patient sees the name, chooses, says yes or no
//!                               ←   yes(sealed offer), no, or busy
//!   get(address, from) …        →
//!                               ←   content …
//! after a break, on a new stream:
//!   again(grant, who)           →
//!                               ←   go on, or no
//! ```

use crate::cbor;
use crate::id::{GrantId, LedgerId};
use crate::identity::{Certificate, Chain, Kind, Role};
use crate::qr::ConsentOffer;
use crate::sm::{Digest, Key32, Label, Object, PublicKey, Random, SecretKey, Signed, pad, sealed};
use core::fmt;
use minicbor::{Decode, Encode};

/// The libp2p protocol of a live consultation.
pub const CONSULT_PROTOCOL: &str = "/suishen/consult/1";
/// The longest message before contents, in bytes: four certificates and a checkpoint.
pub const MOST_CALL: usize = 32 << 10;
/// The furthest back that is asked for, in months.
const MOST_MONTHS: u32 = 1200;
/// The longest code of a purpose, in bytes.
const MOST_PURPOSE: usize = 16;

const CONSULT: Label = Label::new("consult");
const OFFER: Label = Label::new("consult-offer");

/// What a desk asks for; the patient decides.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wants {
    /// Purpose of use, as its code.
    #[n(0)]
    pub purpose: String,
    /// How many months back, 1 to 1200; everything where none is said.
    #[n(1)]
    pub months: Option<u32>,
    /// For how long, in seconds.
    #[n(2)]
    pub duration: u64,
}

/// That the person is at the other end of this connection and has seen the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Caller {
    #[n(0)]
    proof: Digest,
}

impl Object for Caller {
    const NAME: &'static str = "consult-caller";
}

/// Who asks, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Call {
    /// The person's certificate to sign, and its organisation's.
    #[n(0)]
    pub chain: Chain,
    /// The person's certificate to seal to.
    #[n(1)]
    sealing: Chain,
    #[n(2)]
    caller: Signed<Caller>,
    /// What is asked for.
    #[n(3)]
    pub wants: Wants,
    /// The newest checkpoint that the desk verified: a split view shows when phone and desk meet.
    #[n(4)]
    pub checkpoint: String,
}

/// A desk's first message on a stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Greeting {
    /// Asks.
    #[n(0)]
    Call(#[n(0)] Box<Call>),
    /// Goes on with contents of this grant, after a break.
    #[n(1)]
    Again(#[n(0)] GrantId, #[n(1)] Signed<Caller>),
}

/// What the phone says to a greeting.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ConsultAnswer {
    /// The patient's yes: the offer of a grant, sealed to the person's certified key.
    #[n(0)]
    Yes(#[n(0)] GrantId, #[cbor(n(1), with = "minicbor::bytes")] Vec<u8>),
    /// The patient's no, or nobody is awaited.
    #[n(1)]
    No,
    /// Somebody else is asking right now.
    #[n(2)]
    Busy,
    /// Contents are served again.
    #[n(3)]
    GoOn,
}

/// Why a caller isn't heard, or an answer isn't understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsultFault {
    /// No message of a consultation, or one outside its bounds.
    #[error("the other side does not speak this version: ask for a new code")]
    Form,
    /// The certificates don't hold now, or are not one person's pair in the role of a physician.
    #[error("who asks is not a person certified to read records")]
    Certificate,
    /// Not signed for this connection by the person, or by someone who hasn't seen the code.
    #[error("who asks did not sign for this connection and this code")]
    Caller,
    /// The offer isn't sealed to this desk, or is another grant's.
    #[error("the patient's answer cannot be opened at this desk")]
    Offer,
}

/// One meeting of a desk and a phone, as both know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Consultation {
    ledger: LedgerId,
    proof: Digest,
}

impl fmt::Debug for Consultation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Consultation([redacted])")
    }
}

impl Consultation {
    /// Between the peers `wallet` and `desk`, by the code with this secret.
    pub fn new(ledger: LedgerId, secret: &Key32, (wallet, desk): (&[u8], &[u8])) -> Self {
        let parts: [&[u8]; 4] = [ledger.as_bytes(), secret.as_bytes(), wallet, desk];
        Self { ledger, proof: Digest::labelled(CONSULT, &parts) }
    }

    /// The desk's: that the person with this key to sign is here.
    pub fn caller(&self, person: &SecretKey) -> Signed<Caller> {
        Signed::new(&Caller { proof: self.proof }, person, &self.ledger)
    }

    /// The desk's: asks, as the person of these certificates (to sign, to seal to).
    pub fn call(
        &self,
        person: &SecretKey,
        [chain, sealing]: [Chain; 2],
        wants: Wants,
        checkpoint: String,
    ) -> Greeting {
        let caller = self.caller(person);
        Greeting::Call(Box::new(Call { chain, sealing, caller, wants, checkpoint }))
    }

    /// The phone's: whether the call comes from the person whom its certificates name, at ledger time `now`.
    pub fn hear(&self, call: &Call, root: &Certificate, now: u64) -> Result<(), ConsultFault> {
        let certificate = |_| ConsultFault::Certificate;
        let person = call.chain.verify(root, now).map_err(certificate)?;
        let sealing = call.sealing.verify(root, now).map_err(certificate)?;
        let pair = (person.kind(), sealing.kind()) == (Kind::PersonSign, Kind::PersonSeal);
        let same = person.subject() == sealing.subject() && person.role() == sealing.role();
        if !pair || !same || person.role() != Some(Role::Physician) {
            return Err(ConsultFault::Certificate);
        }
        if !call.wants.are_bounded() {
            return Err(ConsultFault::Form);
        }
        self.is(&call.caller, person.key())
    }

    /// The phone's: whether the person with this key is at the other end.
    pub fn is(&self, caller: &Signed<Caller>, person: &PublicKey) -> Result<(), ConsultFault> {
        match caller.verify(person, &self.ledger) {
            Ok(Caller { proof }) if proof == self.proof => Ok(()),
            _ => Err(ConsultFault::Caller),
        }
    }

    /// The phone's: the patient's yes, for the person who called and nobody else.
    pub fn yes(&self, call: &Call, offer: &ConsentOffer, random: &mut dyn Random) -> ConsultAnswer {
        let text = pad::pad(&cbor::encode(offer));
        let (key, object) = (call.sealing.leaf().key(), offer.grant.digest());
        ConsultAnswer::Yes(offer.grant, sealed::seal(key, &self.ledger, object, OFFER, &text, random))
    }

    /// The desk's: opens the offer of a [`ConsultAnswer::Yes`] with the person's key to seal to.
    pub fn open(&self, grant: &GrantId, offer: &[u8], key: &SecretKey) -> Result<ConsentOffer, ConsultFault> {
        let text = sealed::open(key, &self.ledger, grant.digest(), OFFER, offer);
        let text = text.map_err(|_| ConsultFault::Offer)?;
        let offer: Option<ConsentOffer> = pad::unpad(&text).ok().and_then(|text| cbor::decode(text).ok());
        offer.filter(|offer| offer.grant == *grant).ok_or(ConsultFault::Offer)
    }
}

impl Wants {
    fn are_bounded(&self) -> bool {
        (1..=MOST_PURPOSE).contains(&self.purpose.len())
            && self.months.is_none_or(|months| (1..=MOST_MONTHS).contains(&months))
    }
}

impl Greeting {
    /// To be sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a desk's first message. Nothing is verified.
    pub fn from_bytes(frame: &[u8]) -> Result<Self, ConsultFault> {
        read(frame)
    }
}

impl ConsultAnswer {
    /// To be sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads the phone's answer.
    pub fn from_bytes(frame: &[u8]) -> Result<Self, ConsultFault> {
        read(frame)
    }
}

fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(frame: &[u8]) -> Result<T, ConsultFault> {
    let frame = Some(frame).filter(|frame| frame.len() <= MOST_CALL);
    frame.and_then(|frame| cbor::decode(frame).ok()).ok_or(ConsultFault::Form)
}

#[cfg(test)]
#[path = "consultation_tests.rs"]
mod tests;
