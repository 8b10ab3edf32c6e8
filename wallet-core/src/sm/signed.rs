//! Signed objects: `COSE_Sign1` (RFC 9052) in exactly one form.
//!
//! Protected header {1: -65537, 3: "application/suishen.<object>+cbor", 4: kid}, unprotected header empty,
//! payload attached, raw 64-byte SM2 signature over the `Sig_structure`.
//!
//! **`external_aad` = "suishen" ‖ ledger id ‖ version: nothing replays on another ledger.** An envelope that
//! doesn't encode again to the same bytes is refused, so an object has one id and one spelling.

use super::{Digest, KeyId, PublicKey, SecretKey, Signature, SmError};
use crate::{cbor, id::LedgerId};
use core::{fmt, marker::PhantomData};

/// The version of all formats, part of every signature.
pub const VERSION: u8 = 1;

/// COSE algorithm identifier, private use: SM2 with SM3.
const ALGORITHM: i64 = -65537;

/// A type that may be signed, with its name in the content type.
pub trait Object: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// The `<object>` of `application/suishen.<object>+cbor`.
    const NAME: &'static str;
}

/// An object of type `T` under a signature. Its content is reachable only through [`Signed::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Signed<T> {
    kid: KeyId,
    payload: Vec<u8>,
    signature: Signature,
    object: PhantomData<fn() -> T>,
}

impl<T: Object> Signed<T> {
    /// Signs an object for one ledger.
    pub fn new(object: &T, key: &SecretKey, ledger: &LedgerId) -> Self {
        let payload = cbor::encode(object);
        let kid = key.public().key_id();
        let signature = key.sign(&sig_structure(T::NAME, kid, ledger, &payload));
        Self { kid, payload, signature, object: PhantomData }
    }

    /// The object, once the signature by `key` on `ledger` holds.
    pub fn verify(&self, key: &PublicKey, ledger: &LedgerId) -> Result<T, SmError> {
        self.verify_signature(key, ledger)?;
        self.claimed()
    }

    /// Whether the signature by `key` on `ledger` holds, for whoever has read what it [claims](Self::claimed) already.
    pub fn verify_signature(&self, key: &PublicKey, ledger: &LedgerId) -> Result<(), SmError> {
        if self.kid != key.key_id() {
            return Err(SmError::Signature);
        }
        key.verify(&sig_structure(T::NAME, self.kid, ledger, &self.payload), &self.signature)
    }

    /// The object as it claims to be, nothing verified: to find out which key it must verify with.
    pub fn claimed(&self) -> Result<T, SmError> {
        cbor::decode(&self.payload).map_err(|_| SmError::Form)
    }

    /// The key that claims to have signed.
    pub const fn kid(&self) -> KeyId {
        self.kid
    }

    /// SM3 of the payload: the object's id, the same whoever signs.
    pub fn id(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The canonical `COSE_Sign1` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads canonical `COSE_Sign1` bytes of this object type. Nothing is verified but the form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SmError> {
        cbor::decode(bytes).map_err(|_| SmError::Form)
    }
}

fn protected(name: &str, kid: KeyId) -> Vec<u8> {
    let mut e = minicbor::Encoder::new(Vec::with_capacity(64));
    let content_type = format!("application/suishen.{name}+cbor");
    let written = (|| {
        e.map(3)?.u8(1)?.i64(ALGORITHM)?;
        e.u8(3)?.str(&content_type)?;
        e.u8(4)?.bytes(kid.as_bytes())?.ok()
    })();
    written
        .unwrap_or_else(|never: minicbor::encode::Error<core::convert::Infallible>| unreachable!("{never}"));
    e.into_writer()
}

fn sig_structure(name: &str, kid: KeyId, ledger: &LedgerId, payload: &[u8]) -> Vec<u8> {
    let aad = [b"suishen", ledger.as_bytes().as_slice(), &[VERSION]].concat();
    let mut e = minicbor::Encoder::new(Vec::with_capacity(payload.len() + 160));
    let written = (|| {
        e.array(4)?.str("Signature1")?.bytes(&protected(name, kid))?;
        e.bytes(&aad)?.bytes(payload)?.ok()
    })();
    written
        .unwrap_or_else(|never: minicbor::encode::Error<core::convert::Infallible>| unreachable!("{never}"));
    e.into_writer()
}

impl<C, T: Object> minicbor::Encode<C> for Signed<T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(4)?.bytes(&protected(T::NAME, self.kid))?.map(0)?.bytes(&self.payload)?;
        e.bytes(self.signature.as_bytes())?.ok()
    }
}

impl<'b, C, T: Object> minicbor::Decode<'b, C> for Signed<T> {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = minicbor::decode::Error::message;
        if d.array()? != Some(4) {
            return Err(wrong("COSE_Sign1 has four elements"));
        }
        let header = d.bytes()?;
        // The kid is the last eight bytes; all else must then be exactly what we would write.
        let kid =
            header.last_chunk().copied().map(KeyId::from_bytes).ok_or_else(|| wrong("protected header"))?;
        if header != protected(T::NAME, kid) {
            return Err(wrong("protected header is not that of this object"));
        }
        if d.map()? != Some(0) {
            return Err(wrong("unprotected header must be empty"));
        }
        let payload = d.bytes()?.to_vec();
        let signature = Signature::from_bytes(cbor::fixed(d)?);
        Ok(Self { kid, payload, signature, object: PhantomData })
    }
}

impl<T: Object> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed<{}>({} by {})", T::NAME, self.id().to_hex(), self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coset::CborSerializable as _;

    #[derive(minicbor::Encode, minicbor::Decode, PartialEq, Debug)]
    struct Note {
        #[n(0)]
        text: String,
    }
    impl Object for Note {
        const NAME: &'static str = "note";
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; 32]).unwrap()
    }

    fn signed() -> (Note, LedgerId, Signed<Note>) {
        let note = Note { text: "安澜".into() };
        let ledger = LedgerId::from_bytes([7; 32]);
        let signed = Signed::new(&note, &key(1), &ledger);
        (note, ledger, signed)
    }

    #[test]
    fn a_signed_object_reads_back_and_verifies() {
        let (note, ledger, signed) = signed();
        let read = Signed::<Note>::from_bytes(&signed.to_bytes()).unwrap();
        assert_eq!(read.verify(&key(1).public(), &ledger).unwrap(), note);
    }

    #[test]
    fn it_is_a_cose_sign1_in_the_eyes_of_another_library() {
        let (_, ledger, signed) = signed();
        let cose = coset::CoseSign1::from_slice(&signed.to_bytes()).unwrap();
        let aad = [b"suishen", ledger.as_bytes().as_slice(), &[VERSION]].concat();
        cose.verify_signature(&aad, |signature, data| {
            key(1).public().verify(data, &Signature::from_bytes(signature.try_into().unwrap()))
        })
        .unwrap();
        assert_eq!(cose.protected.header.key_id, key(1).public().key_id().as_bytes());
    }

    #[test]
    fn it_holds_on_no_other_ledger_and_under_no_other_key() {
        let (_, ledger, signed) = signed();
        assert_eq!(signed.verify(&key(2).public(), &ledger), Err(SmError::Signature));
        assert_eq!(signed.verify(&key(1).public(), &LedgerId::from_bytes([8; 32])), Err(SmError::Signature));
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let (_, ledger, signed) = signed();
        let bytes = signed.to_bytes();
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            let verdict =
                Signed::<Note>::from_bytes(&changed).and_then(|s| s.verify(&key(1).public(), &ledger));
            assert!(verdict.is_err(), "byte {i}");
        }
    }

    #[test]
    fn a_longer_spelling_is_refused() {
        let (_, _, signed) = signed();
        let mut bytes = signed.to_bytes();
        bytes.push(0);
        assert!(Signed::<Note>::from_bytes(&bytes).is_err());
        // Array header 0x84 spelled in two bytes.
        let mut long = vec![0x98, 0x04];
        long.extend_from_slice(&signed.to_bytes()[1..]);
        assert!(Signed::<Note>::from_bytes(&long).is_err());
    }
}
