//! The names in a certificate: organisation, department, person. What a patient is shown before consenting
//! comes from here and from nowhere else (PROTOCOL §6).

use super::CertificateError;
use crate::id::PartyId;
use der::asn1::{Any, ObjectIdentifier, SetOfVec};
use der::{Decode as _, Encode as _};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::name::DirectoryString;
use x509_cert::name::Name;

const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// organizationIdentifier (X.520), the organisation's unified credit code.
const PARTY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.97");
const UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const TITLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.12");

/// Longest name, in characters (RFC 5280 appendix A.1 allows 64; hospitals have longer ones).
const LONGEST: usize = 100;

/// Whom a certificate names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The organisation's code.
    pub party: PartyId,
    /// The organisation's name, as the members registered it.
    pub organisation: String,
    /// Department.
    pub unit: Option<String>,
    /// A person's name, or a server's.
    pub name: Option<String>,
    /// A person's title, such as 主任医师.
    pub title: Option<String>,
}

impl Subject {
    /// An organisation as a whole.
    pub fn organisation(party: PartyId, organisation: impl Into<String>) -> Self {
        Self { party, organisation: organisation.into(), unit: None, name: None, title: None }
    }

    pub(super) fn to_name(&self) -> Result<Name, CertificateError> {
        let attributes = [
            (PARTY, Some(self.party.as_str())),
            (ORGANISATION, Some(self.organisation.as_str())),
            (UNIT, self.unit.as_deref()),
            (COMMON_NAME, self.name.as_deref()),
            (TITLE, self.title.as_deref()),
        ];
        let mut sequence = Vec::new();
        for (oid, text) in attributes {
            let Some(text) = text else { continue };
            check_text(text)?;
            let value = Any::encode_from(&text.to_owned())?;
            sequence.push(SetOfVec::try_from([AttributeTypeAndValue { oid, value }])?);
        }
        Ok(Name::from_der(&sequence.to_der()?)?)
    }

    pub(super) fn from_name(name: &Name) -> Result<Self, CertificateError> {
        if name.iter_rdn().any(|rdn| rdn.len() != 1) {
            return Err(CertificateError::Form("a name has several values in one place"));
        }
        let code = text(name, PARTY)?.ok_or(CertificateError::Form("it has no organisation code"))?;
        Ok(Self {
            party: PartyId::new(&code).ok_or(CertificateError::Form("its organisation code is not one"))?,
            organisation: text(name, ORGANISATION)?
                .ok_or(CertificateError::Form("it names no organisation"))?,
            unit: text(name, UNIT)?,
            name: text(name, COMMON_NAME)?,
            title: text(name, TITLE)?,
        })
    }
}

/// The one value of an attribute, in the two string types that show what they hold.
fn text(name: &Name, oid: ObjectIdentifier) -> Result<Option<String>, CertificateError> {
    let mut values = name.iter().filter(|attribute| attribute.oid == oid);
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CertificateError::Form("a name is given twice"));
    }
    let text = match DirectoryString::try_from(&first.value)? {
        DirectoryString::Utf8String(text) => text,
        DirectoryString::PrintableString(text) => text.to_string(),
        _ => return Err(CertificateError::Form("a name is neither UTF-8 nor printable")),
    };
    check_text(&text)?;
    Ok(Some(text))
}

/// What a screen shows must be what was certified: nothing empty, invisible or turning the direction.
pub(super) fn check_text(text: &str) -> Result<(), CertificateError> {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if text.trim().is_empty() || text.trim() != text || text.chars().count() > LONGEST {
        return Err(CertificateError::Form("a name is empty, padded with blanks, or over 100 characters"));
    }
    if text.chars().any(invisible) {
        return Err(CertificateError::Form("a name holds invisible characters"));
    }
    Ok(())
}
