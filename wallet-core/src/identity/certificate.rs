//! One certificate: X.509 with SM2 (GM/T 0015, RFC 5280), in the profile of PROTOCOL §2.
//!
//! Five kinds: consortium root, organisation, and pairs for persons and servers, one to sign and one to seal
//! to. Kind, role and inbox are in a private extension, 2.25.81323294834588388598330063311712313254 (an arc
//! under a UUID, which needs no registration): an OCTET STRING of CBOR {0: kind, ? 1: role, ? 2: inbox}.
//! basicConstraints and keyUsage must say the same, for the sake of other software.
//!
//! Reading is strict and total. It doesn't verify: that is [`Certificate::verify_issued_by`] and [`Chain`].
//!
//! [`Chain`]: super::Chain

use super::{Role, Subject, x509};
use crate::{cbor, id::InboxId, sm::PublicKey};
use core::fmt;
use der::asn1::OctetStringRef;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};

pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(super) const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
pub(super) const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
/// 2.25.81323294834588388598330063311712313254
pub(super) const SUISHEN: &[u8] = &[
    0x69, 0xfa, 0xae, 0xa5, 0xff, 0xf5, 0x90, 0xca, 0xad, 0xe3, 0xba, 0xcb, 0xea, 0xea, 0x8d, 0xd0, 0xe1,
    0xbf, 0x26,
];

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not X.509, or outside of the profile.
    #[error("not a certificate of this consortium: {0}")]
    Form(&'static str),
    /// The signature isn't that of the issuer.
    #[error("the certificate was not signed by the one it names as issuer")]
    Signature,
    /// The issuer's name or key identifier is another.
    #[error("the certificate names another issuer")]
    Issuer,
    /// An organisation certified somebody else's person, or a person certified anything.
    #[error(
        "the issuer may not certify this: a root certifies organisations, an organisation its own people"
    )]
    NotAllowed,
    /// Before the first second of validity.
    #[error("the certificate is not valid before {not_before} (Unix seconds)")]
    NotYetValid {
        /// First second of validity.
        not_before: u64,
    },
    /// After the last second of validity.
    #[error("the certificate expired at {not_after} (Unix seconds); the organisation must renew it")]
    Expired {
        /// Last second of validity.
        not_after: u64,
    },
}

impl From<der::Error> for CertificateError {
    fn from(_: der::Error) -> Self {
        Self::Form("its DER encoding is broken")
    }
}

/// What a certificate certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// The consortium's root, an offline key.
    #[n(0)]
    Root,
    /// An organisation; certifies its persons and servers and signs its own registrations.
    #[n(1)]
    Organisation,
    /// A person's key to sign.
    #[n(2)]
    PersonSign,
    /// A person's key to seal to.
    #[n(3)]
    PersonSeal,
    /// A server's key to sign.
    #[n(4)]
    ServerSign,
    /// A server's key to seal to.
    #[n(5)]
    ServerSeal,
}

impl Kind {
    /// Whether this kind certifies others.
    pub const fn certifies(self) -> bool {
        matches!(self, Self::Root | Self::Organisation)
    }

    pub(super) const fn constraints(self) -> BasicConstraints {
        let path_len_constraint = match self {
            Self::Root => Some(1),
            Self::Organisation => Some(0),
            _ => None,
        };
        BasicConstraints { ca: self.certifies(), path_len_constraint }
    }

    pub(super) fn usage(self) -> KeyUsage {
        KeyUsage(match self {
            Self::Root => KeyUsages::KeyCertSign.into(),
            Self::Organisation => KeyUsages::KeyCertSign | KeyUsages::DigitalSignature,
            Self::PersonSign | Self::ServerSign => KeyUsages::DigitalSignature | KeyUsages::NonRepudiation,
            Self::PersonSeal | Self::ServerSeal => {
                KeyUsages::KeyEncipherment | KeyUsages::DataEncipherment | KeyUsages::KeyAgreement
            }
        })
    }
}

/// The content of our extension.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(super) struct Purpose {
    #[n(0)]
    pub(super) kind: Kind,
    #[n(1)]
    pub(super) role: Option<Role>,
    #[n(2)]
    pub(super) inbox: Option<InboxId>,
}

/// A serial number: 1 to 20 bytes, positive, without leading zeros.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// A fresh serial number of 127 random bits.
    pub fn generate(random: &mut dyn crate::sm::Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes.to_vec())
    }

    /// Big-endian, shortest.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn read(serial: &x509_cert::serial_number::SerialNumber) -> Result<Self, CertificateError> {
        let bytes = serial.as_bytes();
        let bytes = if bytes.first() == Some(&0) {
            &bytes[1..]
        } else if bytes.first().is_some_and(|b| *b >= 0x80) {
            return Err(CertificateError::Form("its serial number is negative"));
        } else {
            bytes
        };
        if bytes.is_empty() || bytes.len() > 20 {
            return Err(CertificateError::Form("its serial number is not of 1 to 20 bytes"));
        }
        Ok(Self(bytes.to_vec()))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({})", data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// From the first second to the last, both included; Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: u64,
    /// Last second.
    pub not_after: u64,
}

impl Validity {
    /// Checks a moment.
    pub const fn check(&self, now: u64) -> Result<(), CertificateError> {
        if now < self.not_before {
            return Err(CertificateError::NotYetValid { not_before: self.not_before });
        }
        if now > self.not_after {
            return Err(CertificateError::Expired { not_after: self.not_after });
        }
        Ok(())
    }
}

/// A certificate whose form is right. Whether it is true, [`Certificate::verify_issued_by`] says.
///
/// Encoded in CBOR as a byte string of its DER.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: Serial,
    subject: Subject,
    validity: Validity,
    key: PublicKey,
    purpose: Purpose,
    subject_key: Vec<u8>,
    authority_key: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads DER. Verifies nothing but the form.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        let envelope = x509::read(bytes)?;
        x509::read_signature(&envelope.signature)?;
        let tbs = &envelope.tbs;
        let extensions = Extensions::read(&tbs.extensions)?;
        let subject = Subject::from_name(&tbs.subject)?;
        check_subject(&subject, &extensions.purpose)?;
        let key = x509::read_key(&tbs.key)?;
        let validity = Validity {
            not_before: tbs.validity.not_before.to_unix_duration().as_secs(),
            not_after: tbs.validity.not_after.to_unix_duration().as_secs(),
        };
        if validity.not_before > validity.not_after {
            return Err(CertificateError::Form("it ends before it begins"));
        }
        Ok(Self {
            der: bytes.to_vec(),
            serial: Serial::read(&tbs.serial)?,
            subject,
            validity,
            key,
            subject_key: extensions.subject_key.unwrap_or_default(),
            authority_key: extensions.authority_key,
            purpose: extensions.purpose,
        })
    }

    /// The DER that it was read from.
    pub fn to_der(&self) -> &[u8] {
        &self.der
    }

    /// The serial number, unique under its issuer.
    pub const fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Whom it names.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// When it holds.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The certified key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether its key signs for its organisation in this role: a person's, or an insurer's server's.
    pub fn signs_as(&self, role: Role) -> bool {
        let fits = match self.purpose.kind {
            Kind::PersonSign => true,
            Kind::ServerSign => role.is_insurer(),
            Kind::Root | Kind::Organisation | Kind::PersonSeal | Kind::ServerSeal => false,
        };
        fits && self.purpose.role == Some(role)
    }

    /// What it certifies.
    pub const fn kind(&self) -> Kind {
        self.purpose.kind
    }

    /// A person's or server's role; organisations have theirs on the ledger.
    pub const fn role(&self) -> Option<Role> {
        self.purpose.role
    }

    /// Where a known recipient takes grants, on certificates to seal to.
    pub const fn inbox(&self) -> Option<&InboxId> {
        self.purpose.inbox.as_ref()
    }

    /// Checks that `issuer` signed this and may: a root organisations, an organisation persons and servers
    /// under its own code and name. Looks at no clock.
    pub fn verify_issued_by(&self, issuer: &Self) -> Result<(), CertificateError> {
        let own = self.subject.party == issuer.subject.party
            && self.subject.organisation == issuer.subject.organisation;
        match (issuer.kind(), self.kind()) {
            (Kind::Root, Kind::Organisation) => {}
            (Kind::Organisation, kind) if own && !kind.certifies() => {
                if self.validity.not_after - self.validity.not_before > super::LONGEST_PERSON_VALIDITY {
                    return Err(CertificateError::Form("a person's or server's runs for at most 90 days"));
                }
            }
            _ => return Err(CertificateError::NotAllowed),
        }
        self.verify_signature(issuer)
    }

    /// Checks that this is a root, signed with its own key. Whether it is *the* root, its hash or the genesis
    /// says.
    pub fn verify_root(&self) -> Result<(), CertificateError> {
        if self.kind() != Kind::Root {
            return Err(CertificateError::NotAllowed);
        }
        self.verify_signature(self)
    }

    fn verify_signature(&self, issuer: &Self) -> Result<(), CertificateError> {
        let (envelope, above) = (x509::read(&self.der)?, x509::read(&issuer.der)?);
        let other_key = self.authority_key.as_ref().is_some_and(|key| *key != issuer.subject_key);
        if envelope.tbs.issuer != above.tbs.subject || other_key {
            return Err(CertificateError::Issuer);
        }
        let signature = x509::read_signature(&envelope.signature)?;
        let signed = der::Encode::to_der(&envelope.tbs)?;
        issuer.key.verify(&signed, &signature).map_err(|_| CertificateError::Signature)
    }
}

/// Each kind has the names that it needs and no others.
pub(super) fn check_subject(subject: &Subject, purpose: &Purpose) -> Result<(), CertificateError> {
    let persons = subject.unit.is_some() || subject.name.is_some() || subject.title.is_some();
    if purpose.kind.certifies() && (persons || purpose.role.is_some() || purpose.inbox.is_some()) {
        return Err(CertificateError::Form("an organisation's names a person, role or inbox"));
    }
    if !purpose.kind.certifies() && (subject.name.is_none() || purpose.role.is_none()) {
        return Err(CertificateError::Form("a person's or server's names no one, or no role"));
    }
    if purpose.inbox.is_some() && !matches!(purpose.kind, Kind::PersonSeal | Kind::ServerSeal) {
        return Err(CertificateError::Form("an inbox stands only with a key to seal to"));
    }
    Ok(())
}

/// The extensions, each at most once.
struct Extensions {
    purpose: Purpose,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
}

impl Extensions {
    fn read(list: &[x509::Extension]) -> Result<Self, CertificateError> {
        let (mut constraints, mut usage, mut purpose) = (None, None, None);
        let (mut subject_key, mut authority_key) = (None, None);
        for (i, extension) in list.iter().enumerate() {
            if list[..i].iter().any(|earlier| earlier.id() == extension.id()) {
                return Err(CertificateError::Form("an extension stands twice"));
            }
            match extension.id() {
                BASIC_CONSTRAINTS => constraints = Some(extension.decode::<BasicConstraints>()?),
                KEY_USAGE => usage = Some(extension.decode::<KeyUsage>()?),
                SUISHEN => purpose = Some(read_purpose(extension)?),
                SUBJECT_KEY => {
                    subject_key = Some(extension.decode::<SubjectKeyIdentifier>()?.0.into_bytes().into());
                }
                AUTHORITY_KEY => {
                    let identifier = extension.decode::<AuthorityKeyIdentifier>()?.key_identifier;
                    authority_key = identifier.map(|id| id.into_bytes().into());
                }
                _ if extension.critical => {
                    return Err(CertificateError::Form("a critical extension is unknown"));
                }
                _ => {}
            }
        }
        let purpose = purpose.ok_or(CertificateError::Form("it doesn't say what it is for"))?;
        let constraints = constraints.unwrap_or(BasicConstraints { ca: false, path_len_constraint: None });
        if constraints != purpose.kind.constraints() || usage != Some(purpose.kind.usage()) {
            return Err(CertificateError::Form("its constraints and key usage belong to another kind"));
        }
        Ok(Self { purpose, subject_key, authority_key })
    }
}

fn read_purpose(extension: &x509::Extension) -> Result<Purpose, CertificateError> {
    let content = extension.decode::<&OctetStringRef>()?;
    cbor::decode(content.as_bytes()).map_err(|_| CertificateError::Form("its purpose is not readable"))
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?} {} {:?})", self.kind(), self.subject.party, self.serial)
    }
}

impl<C> minicbor::Encode<C> for Certificate {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.der)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Certificate {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_der(d.bytes()?).map_err(|_| minicbor::decode::Error::message("not a certificate"))
    }
}
