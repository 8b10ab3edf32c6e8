//! Making certificates: the consortium's root offline, an organisation at its relay (PROTOCOL §2).

use super::certificate::{
    AUTHORITY_KEY, BASIC_CONSTRAINTS, KEY_USAGE, Purpose, SUBJECT_KEY, SUISHEN, check_subject,
};
use super::{Certificate, CertificateError, Kind, Role, Serial, Subject, Validity, x509};
use crate::{cbor, id::InboxId, sm::Digest, sm::PublicKey, sm::SecretKey};
use core::time::Duration;
use der::asn1::{GeneralizedTime, OctetString, UtcTime};
use der::{DateTime, Encode as _};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
use x509_cert::{serial_number::SerialNumber, time::Time};

/// 90 days, in seconds: the longest validity of a person's or server's certificate.
pub const LONGEST_PERSON_VALIDITY: u64 = 90 * 86_400;

/// What is to be certified.
#[derive(Clone, Debug)]
pub struct Request {
    /// What for.
    pub kind: Kind,
    /// Whom it names.
    pub subject: Subject,
    /// The key, made by whom it names.
    pub key: PublicKey,
    /// For persons and servers.
    pub role: Option<Role>,
    /// For a known recipient, with a key to seal to.
    pub inbox: Option<InboxId>,
}

/// Certifies `request` under `issuer`, whose private key is `key`.
///
/// Refuses what [`Certificate::verify_issued_by`] would refuse.
pub fn issue(
    issuer: &Certificate,
    key: &SecretKey,
    request: &Request,
    serial: &Serial,
    validity: Validity,
) -> Result<Certificate, CertificateError> {
    let certificate = sign(Some(issuer), key, request, serial, validity)?;
    certificate.verify_issued_by(issuer)?;
    Ok(certificate)
}

/// Makes a root for a consortium.
pub fn self_sign(
    subject: Subject,
    key: &SecretKey,
    serial: &Serial,
    validity: Validity,
) -> Result<Certificate, CertificateError> {
    let request = Request { kind: Kind::Root, subject, key: key.public(), role: None, inbox: None };
    let certificate = sign(None, key, &request, serial, validity)?;
    certificate.verify_root()?;
    Ok(certificate)
}

fn sign(
    issuer: Option<&Certificate>,
    key: &SecretKey,
    request: &Request,
    serial: &Serial,
    validity: Validity,
) -> Result<Certificate, CertificateError> {
    let purpose = Purpose { kind: request.kind, role: request.role, inbox: request.inbox };
    check_subject(&request.subject, &purpose)?;
    let issuer_key = issuer.map_or(&request.key, Certificate::key);
    let tbs = x509::Tbs {
        version: 2,
        serial: SerialNumber::new(serial.as_bytes())?,
        algorithm: x509::signature_algorithm(),
        issuer: issuer.map_or(&request.subject, Certificate::subject).to_name()?,
        validity: x509_cert::time::Validity::new(time(validity.not_before)?, time(validity.not_after)?),
        subject: request.subject.to_name()?,
        key: x509::key_info(&request.key)?,
        extensions: extensions(&purpose, &request.key, issuer_key)?,
    };
    let signature = key.sign(&tbs.to_der()?);
    let envelope = x509::Envelope {
        tbs,
        algorithm: x509::signature_algorithm(),
        signature: x509::write_signature(&signature)?,
    };
    Certificate::from_der(&envelope.to_der()?)
}

fn extensions(
    purpose: &Purpose,
    key: &PublicKey,
    issuer: &PublicKey,
) -> Result<Vec<x509::Extension>, CertificateError> {
    let authority = AuthorityKeyIdentifier {
        key_identifier: Some(key_identifier(issuer)?),
        ..AuthorityKeyIdentifier::default()
    };
    let content = OctetString::new(cbor::encode(purpose))?;
    Ok(vec![
        x509::Extension::new(BASIC_CONSTRAINTS, true, &purpose.kind.constraints())?,
        x509::Extension::new(KEY_USAGE, true, &purpose.kind.usage())?,
        x509::Extension::new(SUBJECT_KEY, false, &SubjectKeyIdentifier(key_identifier(key)?))?,
        x509::Extension::new(AUTHORITY_KEY, false, &authority)?,
        x509::Extension::new(SUISHEN, false, &content)?,
    ])
}

/// The first 20 bytes of SM3(point): unique, as RFC 5280 §4.2.1.2 asks, whichever way it is made.
fn key_identifier(key: &PublicKey) -> der::Result<OctetString> {
    OctetString::new(&Digest::of(key.as_bytes()).as_bytes()[..20])
}

/// `UTCTime` through 2049, `GeneralizedTime` from then on (RFC 5280 §4.1.2.5).
fn time(seconds: u64) -> der::Result<Time> {
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds))?;
    Ok(UtcTime::from_date_time(date)
        .map_or_else(|_| Time::GeneralTime(GeneralizedTime::from_date_time(date)), Time::UtcTime))
}
