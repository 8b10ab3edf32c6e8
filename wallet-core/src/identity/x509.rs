//! The DER of a certificate (RFC 5280, GM/T 0015), and nothing of its meaning. Private to `identity`.
//!
//! One profile: version 3, SM2 with SM3, no unique identifiers. What doesn't encode again to the same bytes
//! is refused, so a certificate has one spelling.

use super::CertificateError;
use crate::sm::{PublicKey, Signature};
use der::asn1::{Any, BitString, ObjectIdentifier, OctetString, Uint};
use der::{Decode, Encode, Sequence, Tag, Tagged as _};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{name::Name, serial_number::SerialNumber, time::Validity};

/// sm2-with-sm3 (GM/T 0006).
const SM2_WITH_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");
/// id-ecPublicKey (RFC 5480).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// The SM2 curve (GM/T 0006).
const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

/// No certificate of this profile comes near it.
const LONGEST: usize = 4096;

/// `Certificate` of RFC 5280 §4.1.
#[derive(Sequence)]
pub(super) struct Envelope {
    pub(super) tbs: Tbs,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: BitString,
}

/// `TBSCertificate`, version 3 with extensions.
#[derive(Sequence)]
pub(super) struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) version: u8,
    pub(super) serial: SerialNumber,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) issuer: Name,
    pub(super) validity: Validity,
    pub(super) subject: Name,
    pub(super) key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(super) extensions: Vec<Extension>,
}

/// `Extension`. The id is kept as bytes: ours is a UUID under 2.25, whose arc is wider than the 32 bits that
/// `ObjectIdentifier` can hold.
#[derive(Sequence)]
pub(super) struct Extension {
    id: Any,
    #[asn1(default = "Default::default")]
    pub(super) critical: bool,
    pub(super) value: OctetString,
}

impl Extension {
    pub(super) fn new(id: &[u8], critical: bool, value: &impl Encode) -> der::Result<Self> {
        let id = Any::new(Tag::ObjectIdentifier, id)?;
        Ok(Self { id, critical, value: OctetString::new(value.to_der()?)? })
    }

    /// The content octets of the object identifier.
    pub(super) fn id(&self) -> &[u8] {
        self.id.value()
    }

    pub(super) fn decode<'a, T: Decode<'a, Error = der::Error>>(&'a self) -> der::Result<T> {
        T::from_der(self.value.as_bytes())
    }
}

/// `SEQUENCE { r INTEGER, s INTEGER }` (GM/T 0009).
#[derive(Sequence)]
struct RawSignature {
    r: Uint,
    s: Uint,
}

/// Reads the outer form and checks that algorithm and encoding are the only ones allowed.
pub(super) fn read(bytes: &[u8]) -> Result<Envelope, CertificateError> {
    if bytes.len() > LONGEST {
        return Err(CertificateError::Form("it is longer than 4 KiB"));
    }
    let envelope = Envelope::from_der(bytes)?;
    if envelope.to_der()? != bytes {
        return Err(CertificateError::Form("it is not in the one DER encoding"));
    }
    if envelope.tbs.version != 2 {
        return Err(CertificateError::Form("it is not of version 3"));
    }
    if envelope.algorithm != signature_algorithm() || envelope.tbs.algorithm != envelope.algorithm {
        return Err(CertificateError::Form("it is not signed with SM2 and SM3"));
    }
    if envelope.tbs.extensions.iter().any(|e| e.id.tag() != Tag::ObjectIdentifier) {
        return Err(CertificateError::Form("an extension has no object identifier"));
    }
    Ok(envelope)
}

pub(super) const fn signature_algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: SM2_WITH_SM3, parameters: None }
}

pub(super) fn key_info(key: &PublicKey) -> der::Result<SubjectPublicKeyInfoOwned> {
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: EC_PUBLIC_KEY,
            parameters: Some(Any::encode_from(&SM2_CURVE)?),
        },
        subject_public_key: BitString::from_bytes(key.as_bytes())?,
    })
}

pub(super) fn read_key(info: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, CertificateError> {
    let bytes = info.subject_public_key.as_bytes().unwrap_or_default();
    let key = PublicKey::from_bytes(bytes)
        .map_err(|_| CertificateError::Form("its key is not a point of the SM2 curve"))?;
    if key_info(&key)? != *info {
        return Err(CertificateError::Form("its key is not named as an SM2 key"));
    }
    Ok(key)
}

pub(super) fn write_signature(signature: &Signature) -> der::Result<BitString> {
    let (r, s) = signature.as_bytes().split_at(32);
    BitString::from_bytes(&RawSignature { r: Uint::new(r)?, s: Uint::new(s)? }.to_der()?)
}

pub(super) fn read_signature(bits: &BitString) -> Result<Signature, CertificateError> {
    let raw = RawSignature::from_der(bits.as_bytes().unwrap_or_default())?;
    let mut bytes = [0; 64];
    for (number, half) in [raw.r, raw.s].iter().zip(bytes.chunks_mut(32)) {
        let number = number.as_bytes();
        let start = half
            .len()
            .checked_sub(number.len())
            .ok_or(CertificateError::Form("its signature has numbers of more than 32 bytes"))?;
        half[start..].copy_from_slice(number);
    }
    Ok(Signature::from_bytes(bytes))
}
