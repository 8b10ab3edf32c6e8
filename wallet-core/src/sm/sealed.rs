//! Sealed boxes: encryption to a public key, for one recipient, ledger, object and purpose (PROTOCOL §1).
//!
//! `ephemeral point (65) ‖ ciphertext ‖ tag (16)`, HPKE base mode (RFC 9180 §5.1.1) in shape: SM4 key and
//! nonce are HKDF-SM3(x of the shared point ‖ ephemeral point ‖ recipient, label ‖ ledger id ‖ recipient ‖
//! object id). **A box moved to another object, ledger, recipient or purpose doesn't open.** It says nothing
//! about who sealed it: what must be believed is signed inside.
//!
//! [`seal_recomputable`] draws the ephemeral scalar from a seed *and the text*: same input, same box, and a
//! changed text never meets the same key and nonce. For a box of fixed size seal what [`super::pad::pad_to`]
//! gave. One key, one use: a key that opens boxes signs nothing.

use super::{Digest, Key32, Label, PublicKey, Random, SecretKey, SmError, curve, gcm, kdf};
use crate::id::LedgerId;
use zeroize::Zeroizing;

const POINT: usize = 65;

/// Bytes that sealing adds.
pub const OVERHEAD: usize = POINT + gcm::TAG;

/// Seals a text to `recipient`, under a fresh ephemeral key.
pub fn seal(
    recipient: &PublicKey,
    ledger: &LedgerId,
    object: &Digest,
    label: Label,
    plaintext: &[u8],
    random: &mut dyn Random,
) -> Vec<u8> {
    seal_with(&SecretKey::generate(random), recipient, ledger, object, label, plaintext)
}

/// Seals a text so that whoever knows seed and text makes the same box again, byte for byte.
///
/// The ephemeral scalar is HKDF-SM3(seed, label ‖ ledger id ‖ recipient ‖ object id ‖ SM3(text) ‖ try), try
/// counting from zero (one byte) until the scalar is in range.
pub fn seal_recomputable(
    seed: &Key32,
    recipient: &PublicKey,
    ledger: &LedgerId,
    object: &Digest,
    label: Label,
    plaintext: &[u8],
) -> Vec<u8> {
    let digest = Digest::of(plaintext);
    let ephemeral = (0..=u8::MAX)
        .find_map(|attempt| {
            let context: [&[u8]; 5] =
                [ledger.as_bytes(), recipient.as_bytes(), object.as_bytes(), digest.as_bytes(), &[attempt]];
            SecretKey::from_bytes(&kdf::derive(seed.as_bytes(), label, &context)).ok()
        })
        .expect("a scalar is out of range once in 2^32 tries, and 256 are made");
    seal_with(&ephemeral, recipient, ledger, object, label, plaintext)
}

/// Opens a box that was sealed to this key for this ledger, object and purpose.
pub fn open(
    secret: &SecretKey,
    ledger: &LedgerId,
    object: &Digest,
    label: Label,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SmError> {
    let (point, text) = sealed.split_first_chunk::<POINT>().ok_or(SmError::Open)?;
    let ephemeral = PublicKey::from_bytes(point).map_err(|_| SmError::Open)?;
    let shared = curve::agree(secret, &ephemeral).map_err(|_| SmError::Open)?;
    let (cipher, nonce) = cipher(&shared, &ephemeral, &secret.public(), ledger, object, label);
    let mut text = Zeroizing::new(text.to_vec());
    cipher.open(&nonce, &[], &mut text)?;
    Ok(text)
}

fn seal_with(
    ephemeral: &SecretKey,
    recipient: &PublicKey,
    ledger: &LedgerId,
    object: &Digest,
    label: Label,
    plaintext: &[u8],
) -> Vec<u8> {
    let shared = curve::agree(ephemeral, recipient)
        .expect("a checked point times a scalar in range is not the identity: the order is prime");
    let point = ephemeral.public();
    let (cipher, nonce) = cipher(&shared, &point, recipient, ledger, object, label);
    let mut text = Vec::with_capacity(plaintext.len() + gcm::TAG);
    text.extend_from_slice(plaintext);
    cipher.seal(&nonce, &[], &mut text);
    [point.as_bytes().as_slice(), &text].concat()
}

fn cipher(
    shared: &curve::SharedPoint,
    ephemeral: &PublicKey,
    recipient: &PublicKey,
    ledger: &LedgerId,
    object: &Digest,
    label: Label,
) -> (gcm::Cipher, [u8; 12]) {
    let mut ikm = Zeroizing::new([0; 32 + 2 * POINT]);
    ikm[..32].copy_from_slice(shared.x());
    ikm[32..32 + POINT].copy_from_slice(ephemeral.as_bytes());
    ikm[32 + POINT..].copy_from_slice(recipient.as_bytes());
    let context: [&[u8]; 3] = [ledger.as_bytes(), recipient.as_bytes(), object.as_bytes()];
    gcm::Cipher::from_derived(&kdf::derive(ikm.as_slice(), label, &context))
}

#[cfg(test)]
mod tests {
    use super::super::pad;
    use super::super::seeded::Seeded;
    use super::*;
    use proptest::prelude::*;

    const LABEL: Label = Label::new("auditor-box");

    struct Scene {
        secret: SecretKey,
        ledger: LedgerId,
        object: Digest,
        random: Seeded,
    }

    fn scene() -> Scene {
        let mut random = Seeded::new(4);
        let secret = SecretKey::generate(&mut random);
        Scene { secret, ledger: LedgerId::from_bytes([1; 32]), object: Digest::of(b"grant"), random }
    }

    impl Scene {
        fn seal(&mut self, text: &[u8]) -> Vec<u8> {
            seal(&self.secret.public(), &self.ledger, &self.object, LABEL, text, &mut self.random)
        }

        fn recompute(&self, seed: u8, text: &[u8]) -> Vec<u8> {
            let seed = Key32::from_bytes([seed; 32]);
            seal_recomputable(&seed, &self.secret.public(), &self.ledger, &self.object, LABEL, text)
        }

        fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SmError> {
            open(&self.secret, &self.ledger, &self.object, LABEL, sealed).map(|text| text.to_vec())
        }
    }

    #[test]
    fn a_box_moved_to_another_recipient_ledger_object_or_purpose_does_not_open() {
        let mut scene = scene();
        let sealed = scene.seal(b"half");
        assert_eq!(sealed.len(), 4 + OVERHEAD);
        assert_eq!(scene.open(&sealed).unwrap(), b"half");
        let Scene { secret, ledger, object, random } = &mut scene;
        let (other_secret, other_ledger) = (SecretKey::generate(random), LedgerId::from_bytes([2; 32]));
        let other_object = Digest::of(b"another grant");
        assert!(open(&other_secret, ledger, object, LABEL, &sealed).is_err());
        assert!(open(secret, &other_ledger, object, LABEL, &sealed).is_err());
        assert!(open(secret, ledger, &other_object, LABEL, &sealed).is_err());
        assert!(open(secret, ledger, object, Label::new("auditor-bow"), &sealed).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let mut scene = scene();
        let sealed = scene.seal(b"half");
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(scene.open(&changed), Err(SmError::Open), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert_eq!(scene.open(&sealed[..len]), Err(SmError::Open), "{len} bytes");
        }
        assert_eq!(scene.open(&[sealed.as_slice(), &[0]].concat()), Err(SmError::Open));
    }

    #[test]
    fn the_other_point_with_the_same_x_does_not_open_it() {
        // x of the shared point is the same for P and -P; the ephemeral point itself is in the derivation.
        let mut scene = scene();
        let mut sealed = scene.seal(b"half");
        let negated = negate(&sealed[..POINT]);
        sealed[..POINT].copy_from_slice(&negated);
        assert!(PublicKey::from_bytes(&negated).is_ok());
        assert_eq!(scene.open(&sealed), Err(SmError::Open));
    }

    fn negate(point: &[u8]) -> [u8; POINT] {
        use sm2::elliptic_curve::sec1::ToSec1Point as _;
        let point = sm2::PublicKey::from_sec1_bytes(point).unwrap();
        let negated = sm2::AffinePoint::from(-sm2::ProjectivePoint::from(point));
        negated.to_sec1_point(false).as_bytes().try_into().unwrap()
    }

    #[test]
    fn a_recomputable_box_depends_on_everything_that_goes_into_it() {
        let scene = scene();
        let sealed = scene.recompute(1, b"text");
        assert_eq!(sealed, scene.recompute(1, b"text"));
        assert_eq!(scene.open(&sealed).unwrap(), b"text");
        let point = |sealed: Vec<u8>| sealed[..POINT].to_vec();
        let base = point(sealed);
        assert_ne!(base, point(scene.recompute(2, b"text")));
        assert_ne!(base, point(scene.recompute(1, b"texu")));
        let seed = Key32::from_bytes([1; 32]);
        let again = |recipient: &PublicKey, ledger: u8, object: &[u8], label: &'static str| {
            let (ledger, object) = (LedgerId::from_bytes([ledger; 32]), Digest::of(object));
            point(seal_recomputable(&seed, recipient, &ledger, &object, Label::new(label), b"text"))
        };
        let recipient = scene.secret.public();
        let stranger = SecretKey::from_bytes(&[9; 32]).unwrap().public();
        assert_eq!(base, again(&recipient, 1, b"grant", "auditor-box"));
        assert_ne!(base, again(&stranger, 1, b"grant", "auditor-box"));
        assert_ne!(base, again(&recipient, 2, b"grant", "auditor-box"));
        assert_ne!(base, again(&recipient, 1, b"grants", "auditor-box"));
        assert_ne!(base, again(&recipient, 1, b"grant", "auditor-boy"));
    }

    #[test]
    fn the_same_text_twice_gives_unlike_boxes() {
        let mut scene = scene();
        assert_ne!(scene.seal(b"half")[..POINT], scene.seal(b"half")[..POINT]);
    }

    #[test]
    fn boxes_of_a_fixed_size_tell_no_length() {
        let scene = scene();
        let sealed = |text: &[u8]| scene.recompute(1, &pad::pad_to(text, 256).unwrap());
        assert_eq!(sealed(b"a").len(), sealed(&[7; 200]).len());
        let opened = scene.open(&sealed(b"a")).unwrap();
        assert_eq!(pad::unpad_from(&opened, 256).unwrap(), b"a");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut scene = scene();
            let sealed = scene.seal(&text);
            prop_assert_eq!(scene.open(&sealed).unwrap(), text);
        }

        #[test]
        fn no_bytes_open_or_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(scene().open(&bytes), Err(SmError::Open));
        }
    }
}
