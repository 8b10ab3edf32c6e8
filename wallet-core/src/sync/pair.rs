//! Admitting a device (PROTOCOL §3): what two devices say to each other before the new one belongs.
//!
//! The old device's code names its peer id, which the transport authenticates, and a secret. So the new device knows whom
//! it speaks to; the old one knows only that the other has seen the code. **A photograph of the code admits nobody**: the
//! patient compares six digits, which are drawn from the new device's keys and a nonce that the old one says only after
//! it has heard the keys. Whoever asks with other keys shows other digits, and can't try keys until theirs fit.
//!
//! ```text
//! new device                            old device
//!   ask(proof, keys, name)      →
//!                               ←   nonce          both show the code, the patient says yes on the old one
//!                               ←   admitted(admission), or no
//! ```
//!
//! The other way round the new device shows the code, and the old one, which has a camera, dials: it says first that it has
//! seen the code. A photograph of that code could bring the new device into a wallet of the photographer's, so there the
//! patient says on the new device too that both show the same.

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
const GREETING: Label = Label::new("pair-greeting");
const CODE: Label = Label::new("pair-code");

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

    /// What the old device says first where it has scanned the new one's code.
    pub fn greeting(&self) -> Vec<u8> {
        cbor::encode(&self.seen(GREETING))
    }

    /// Whether this is the greeting of one that has seen the new device's code.
    pub fn is_greeting(&self, frame: &[u8]) -> bool {
        frame.len() <= MOST_PAIR
            && cbor::decode::<Digest>(frame).is_ok_and(|said| said == self.seen(GREETING))
    }

    /// What the new device says first.
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
    fn a_greeting_is_of_the_code_and_of_these_two() {
        let greeting = pair(1, 2).greeting();
        assert!(pair(1, 2).is_greeting(&greeting));
        for wrong in [pair(2, 2), pair(1, 3)] {
            assert!(!wrong.is_greeting(&greeting));
        }
        for cut in 0..greeting.len() {
            assert!(!pair(1, 2).is_greeting(&greeting[..cut]));
        }
        // What the new device says is no greeting, so it can't be sent back to it.
        assert!(!pair(1, 2).is_greeting(&pair(1, 2).ask(keys(1), "a").to_bytes()));
        assert!(!pair(1, 2).is_greeting(&cbor::encode(&pair(1, 2).proof())));
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
        for reply in [PairReply::Nonce([1; 32]), PairReply::Admitted(vec![1, 2]), PairReply::No] {
            assert_eq!(PairReply::read(&reply.to_bytes()), Ok(reply));
        }
        assert_eq!(PairReply::read(&[]), Err(PairError));
    }
}
