//! Who someone is: organisations, persons and servers by certificate (PROTOCOL §2).
//!
//! Keys are proven, names come from certificates only. Nothing here knows a patient: a vault's keys are not
//! certified by anyone.

mod certificate;
mod chain;
mod issue;
mod role;
mod subject;
#[cfg(test)]
mod tests;
mod x509;

pub use certificate::{Certificate, CertificateError, Kind, Serial, Validity};
pub use chain::Chain;
pub use issue::{LONGEST_PERSON_VALIDITY, Request, issue, self_sign};
pub use role::Role;
pub use subject::Subject;
