//! Consent: what travels between a patient's phone and a grantee's desk around a grant (PROTOCOL §6).
//!
//! | step | who | call |
//! |---|---|---|
//! | make the grant: keys, halves, deposits, payload | phone | [`Draft::new`] |
//! | show the code | phone | [`Offer`](crate::qr::ConsentOffer) |
//! | say who is at the desk | desk | [`DeskIdentity`] |
//! | hand over the half | phone | [`Message::Half`] |
//! | check everything before redeeming | desk | [`Payload::judge`] |
//! | open what the gates released | desk | [`RecordKey`] |
//! | tell what was opened | desk | [`Receipt`] |
//!
//! **Nothing here opens a record without a gate's half**: the payload key comes from the patient's half alone and
//! shows lists, digests and openings, never values.

mod auditor;
mod draft;
mod judge;
mod message;
mod payload;

pub use auditor::{
    AuditedRecord, AuditorGrant, AuditorOpening, AuditorUse, GRANT_BOX, MOST_RECORDS, USE_BOX,
};
pub use draft::{Choice, Draft, DraftError, DraftRecord, INCLUDE_WITHIN, Surroundings};
pub use judge::{Facts, HOLDER_PROOF_AGE, Judged, JudgedRecord, PayloadFault};
pub use message::{DeskIdentity, Message, Presence, Receipt};
pub use payload::{
    Consent, GrantBinding, HolderProof, PartKey, Payload, PayloadRecord, RecordKey, Salt, WrappedPart,
};
