//! Admitting a device (PROTOCOL §3): what two devices say to each other before the new one belongs.
//!
//! One of them shows a code, which names its peer id, which the transport authenticates, and a secret; the other scans it and
//! dials. **A code that was photographed, or exchanged for another on its way, admits nobody and leads nobody into a stranger's
//! wallet**: the patient compares six digits, which are drawn from the new device's keys and a nonce of the old one's. The old
//! one promises its nonce before it hears the keys and says it afterwards, so neither side can try until its digits fit.
//!
//! ```text
//! new device                            old device
//!   new(proof)                  →                  where the new one has scanned
//!                               ←   promise
//!                               ←   old(proof, promise)   where the old one has scanned
//!   ask(proof, keys, name)      →
//!                               ←   nonce          both show the digits, the patient says yes on the old one, and on the
//!                                                  new one too where that was scanned
//!                               ←   admitted(admission), or no
//! ```

use crate::cbor;
use crate::id::LedgerId;
use crate::sm::{Digest, Key32, Label, Random};
use crate::vault::DeviceRequest;
use core::fmt;
use minicbor::{Decode, Encode};

/// The longest name of a device, in bytes.
pub const MOST_NAME: usize = 64;
/// The longest message, in bytes: an admission holds every epoch of a vault.
pub const MOST_PAIR: usize = 128 << 10;

const PROOF: Label = Label::new("pair-proof");
const NEW: Label = Label::new("pair-new");
const OLD: Label = Label::new("pair-old");
const PROMISE: Label = Label::new("pair-promise");
const CODE: Label = Label::new("pair-code");

/// What the one that has scanned says first.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Hello {
    /// The new device: that it has seen the code.
    #[n(0)]
    New(#[n(0)] Digest),
    /// The old device: that it has seen the code, and its promise.
    #[n(1)]
    Old(#[n(0)] Digest, #[n(1)] Digest),
}

/// The new device's keys and name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ask {
    /// That it has seen the code.
    #[n(0)]
    proof: Digest,
    /// Its keys.
    #[n(1)]
    pub device: DeviceRequest,
    /// As it calls itself; shown to the patient, at most [`MOST_NAME`] bytes.
    #[n(2)]
    pub name: String,
}

/// What the old device says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PairReply {
    /// Draws the code.
    #[n(0)]
    Nonce(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// The patient said yes.
    #[n(1)]
    Admitted(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// The patient said no, or there is another one asking.
    #[n(2)]
    No,
    /// To the new device's hello: what the nonce will be.
    #[n(3)]
    Promise(#[n(0)] Digest),
}

/// Not a message of a pairing, or one from somebody who hasn't seen the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side is not the device whose code was scanned, or speaks another version")]
pub struct PairError;

/// One pairing, as both devices know it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    ledger: LedgerId,
    secret: Key32,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair([redacted])")
    }
}

impl Pair {
    /// Between the peers `old` and `new`, by the code with this secret.
    pub fn new(ledger: LedgerId, secret: Key32, (old, new): (&[u8], &[u8])) -> Self {
        Self { ledger, secret, old: old.to_vec(), new: new.to_vec() }
    }

    /// Whether this is the pairing by the code with this secret.
    pub fn is_by(&self, secret: &Key32) -> bool {
        self.secret == *secret
    }

    /// What the new device says first where it has scanned the old one's code.
    pub fn hello_of_new(&self) -> Vec<u8> {
        cbor::encode(&Hello::New(self.seen(NEW)))
    }

    /// Whether a new device says so that has seen the old one's code.
    pub fn is_hello_of_new(&self, frame: &[u8]) -> bool {
        hello(frame) == Some(Hello::New(self.seen(NEW)))
    }

    /// What the old device says first where it has scanned the new one's code.
    pub fn hello_of_old(&self, nonce: &[u8; 32]) -> Vec<u8> {
        cbor::encode(&Hello::Old(self.seen(OLD), self.promise(nonce)))
    }

    /// The promise of an old device that has seen the new one's code.
    pub fn promise_of_old(&self, frame: &[u8]) -> Option<Digest> {
        match hello(frame)? {
            Hello::Old(seen, promise) if seen == self.seen(OLD) => Some(promise),
            Hello::Old(..) | Hello::New(_) => None,
        }
    }

    /// What the old device says of its nonce before it has heard the new one's keys.
    pub fn promise(&self, nonce: &[u8; 32]) -> Digest {
        Digest::labelled(PROMISE, &[self.proof().as_bytes(), nonce])
    }

    /// What the new device says of itself, once it has a promise.
    pub fn ask(&self, device: DeviceRequest, name: &str) -> Ask {
        let mut end = name.len().min(MOST_NAME);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        Ask { proof: self.proof(), device, name: name[..end].to_owned() }
    }

    /// Reads what a new device said; nobody who hasn't seen the code gets past this.
    pub fn hear(&self, frame: &[u8]) -> Result<Ask, PairError> {
        let ask: Ask = Some(frame)
            .filter(|frame| frame.len() <= MOST_PAIR)
            .and_then(|frame| cbor::decode(frame).ok())
            .ok_or(PairError)?;
        if ask.proof == self.proof() && ask.name.len() <= MOST_NAME { Ok(ask) } else { Err(PairError) }
    }

    /// The six digits that both show.
    pub fn code(&self, ask: &Ask, nonce: &[u8; 32]) -> String {
        let transcript = cbor::encode(ask);
        let digest = Digest::labelled(CODE, &[self.proof().as_bytes(), &transcript, nonce]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        format!("{:06}", u32::from_be_bytes([a, b, c, d]) % 1_000_000)
    }

    /// The old device's nonce.
    pub fn nonce(random: &mut dyn Random) -> [u8; 32] {
        let mut nonce = [0; 32];
        random.fill(&mut nonce);
        nonce
    }

    fn proof(&self) -> Digest {
        self.seen(PROOF)
    }

    fn seen(&self, label: Label) -> Digest {
        let parts: [&[u8]; 4] = [self.ledger.as_bytes(), self.secret.as_bytes(), &self.old, &self.new];
        Digest::labelled(label, &parts)
    }
}

fn hello(frame: &[u8]) -> Option<Hello> {
    Some(frame).filter(|frame| frame.len() <= MOST_PAIR).and_then(|frame| cbor::decode(frame).ok())
}

impl Ask {
    /// To be sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}

impl PairReply {
    /// To be sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads what the old device said.
    pub fn read(frame: &[u8]) -> Result<Self, PairError> {
        if frame.len() > MOST_PAIR {
            return Err(PairError);
        }
        cbor::decode(frame).map_err(|_| PairError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm::seeded::Seeded;
    use crate::vault::NewDevice;

    fn pair(secret: u8, new: u8) -> Pair {
        Pair::new(LedgerId::from_bytes([1; 32]), Key32::from_bytes([secret; 32]), (&[7; 38], &[new; 38]))
    }

    fn keys(seed: u64) -> DeviceRequest {
        NewDevice::generate(&mut Seeded::new(seed)).request()
    }

    #[test]
    fn both_devices_draw_the_same_six_digits() {
        let device = keys(1);
        let ask = pair(1, 2).ask(device, "平板");
        let heard = pair(1, 2).hear(&ask.to_bytes()).unwrap();
        assert_eq!(heard, ask);
        let code = pair(1, 2).code(&heard, &[3; 32]);
        assert_eq!(code, pair(1, 2).code(&ask, &[3; 32]));
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
    }

    #[test]
    fn other_keys_another_name_or_another_nonce_draw_other_digits() {
        let device = keys(1);
        let ask = pair(1, 2).ask(device, "a");
        let code = pair(1, 2).code(&ask, &[3; 32]);
        let other = keys(2);
        for other in
            [DeviceRequest { sign: other.sign, ..device }, DeviceRequest { seal: other.seal, ..device }]
        {
            assert_ne!(code, pair(1, 2).code(&pair(1, 2).ask(other, "a"), &[3; 32]));
        }
        assert_ne!(code, pair(1, 2).code(&pair(1, 2).ask(device, "b"), &[3; 32]));
        assert_ne!(code, pair(1, 2).code(&ask, &[4; 32]));
    }

    #[test]
    fn who_has_not_seen_the_code_or_repeats_what_another_said_is_not_heard() {
        let device = keys(1);
        let ask = pair(1, 2).ask(device, "a").to_bytes();
        for wrong in [pair(2, 2), pair(1, 3)] {
            assert_eq!(wrong.hear(&ask), Err(PairError));
        }
        for cut in 0..ask.len() {
            assert_eq!(pair(1, 2).hear(&ask[..cut]), Err(PairError));
        }
    }

    #[test]
    fn a_hello_is_of_the_code_of_these_two_and_of_its_side() {
        let (new, old) = (pair(1, 2).hello_of_new(), pair(1, 2).hello_of_old(&[3; 32]));
        assert!(pair(1, 2).is_hello_of_new(&new));
        assert_eq!(pair(1, 2).promise_of_old(&old), Some(pair(1, 2).promise(&[3; 32])));
        for wrong in [pair(2, 2), pair(1, 3)] {
            assert!(!wrong.is_hello_of_new(&new));
            assert_eq!(wrong.promise_of_old(&old), None);
        }
        for cut in 0..new.len() {
            assert_eq!(pair(1, 2).promise_of_old(&old[..cut]), None);
            assert!(!pair(1, 2).is_hello_of_new(&new[..cut]));
        }
        // What one side says can't be sent back to it as the other's.
        assert!(!pair(1, 2).is_hello_of_new(&old));
        assert_eq!(pair(1, 2).promise_of_old(&new), None);
        assert!(!pair(1, 2).is_hello_of_new(&pair(1, 2).ask(keys(1), "a").to_bytes()));
    }

    #[test]
    fn malicious_peer_between_two_devices_cannot_choose_a_nonce_once_it_has_heard_the_keys() {
        // It has asked the old device with keys of its own, and knows what that one shows.
        let shown = pair(1, 9).code(&pair(1, 9).ask(keys(9), "a"), &[3; 32]);
        let promised = pair(2, 2).promise(&[4; 32]);
        let ask = pair(2, 2).ask(keys(1), "a");
        let mut nonces = (0_u32..).map(|number| {
            let mut nonce = [0; 32];
            nonce[..4].copy_from_slice(&number.to_be_bytes());
            nonce
        });
        let fits = nonces.find(|nonce| pair(2, 2).code(&ask, nonce) == shown).unwrap();
        assert_ne!(pair(2, 2).promise(&fits), promised);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let device = keys(1);
        let ask = pair(1, 2).ask(device, &"平板".repeat(40));
        assert_eq!(ask.name.len(), 63);
        assert!(pair(1, 2).hear(&ask.to_bytes()).is_ok());
    }

    #[test]
    fn replies_come_back_as_they_were_sent() {
        let promise = PairReply::Promise(pair(1, 2).promise(&[1; 32]));
        for reply in [PairReply::Nonce([1; 32]), PairReply::Admitted(vec![1, 2]), PairReply::No, promise] {
            assert_eq!(PairReply::read(&reply.to_bytes()), Ok(reply));
        }
        assert_eq!(PairReply::read(&[]), Err(PairError));
    }
}
