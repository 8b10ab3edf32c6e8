//! Who someone is: organisations, persons and servers by certificate (PROTOCOL §2), a patient by nothing but a
//! recovery secret (§3), and the signed requests of all of them.
//!
//! Keys are proven, names come from certificates only. A vault's keys are certified by nobody.

mod certificate;
mod chain;
mod enrolment;
mod issue;
mod recovery;
pub mod request;
mod role;
mod subject;
#[cfg(test)]
pub(crate) mod tests;
mod x509;

pub use certificate::{Certificate, CertificateError, Kind, Serial, Validity};
pub use chain::Chain;
pub use enrolment::{
    Admission, CREDENTIAL_LIFETIME, CREDENTIALS_AT_A_TIME, CredentialRequest, Enrolled, Enrolment,
    EnrolmentError, INVITE_LIFETIME, Invite, ServerSeat,
};
pub use issue::{LONGEST_PERSON_VALIDITY, Request, issue, self_sign};
pub use recovery::{
    CODE_PREFIX, Entropy, Language, PhraseError, RecoveryKeys, RecoveryPublic, WORDS, places_to_ask,
    word_list,
};
pub use role::Role;
pub use subject::Subject;
