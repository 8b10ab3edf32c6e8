//! Consent: what travels between a patient's phone and a grantee's desk around a grant (PROTOCOL §6).
//!
//! | step | who | call |
//! |---|---|---|
//! | make the grant: keys, halves, deposits, payload | phone | [`Draft::new`] |
//! | show the code | phone | [`Offer`](crate::qr::ConsentOffer) |
//! | say who is at the desk | desk | [`DeskIdentity::seal`] |
//! | know who is at the desk | phone | [`DeskIdentity::open`] |
//! | hand over the half | phone, desk | [`Message::half`], [`Message::open_half`] |
//! | check everything before redeeming | desk | [`Payload::judge`] |
//! | open what the gates released | desk | [`RecordKey`] |
//! | ask and answer in a live consultation | desk, phone | [`Consultation`] |
//! | ask whether a slot is open now | insurer | [`Standing::settleable`] |
//! | tell patient and auditor what was paid, or why not | insurer, phone | [`AuditorSettlement::settle`], [`Answer`] |
//! | know what became of what was decided | insurer | [`stood`], [`taken_back`] |
//! | take a settlement back, void an invoice | insurer, hospital | [`AuditorReversal::reverse`] |
//! | say what the auditor looks at | [`AuditorLook::log`] |
//! | know who signed in an auditor's box | [`Behind`], [`AuditorUse::verify`], [`AuditorReversal::open`] |
//! | tell what was opened | desk, phone | [`Receipt::seal`], [`Receipt::open`] |
//!
//! **Nothing here opens a record without a gate's half**: the payload key comes from the patient's half alone and
//! shows lists, digests and salts, never values. Opened groups are values: they lie in a blob of the grant's own, its key
//! under the record key.

mod auditor;
mod consultation;
mod draft;
mod judge;
mod look;
mod message;
mod outcome;
mod payload;
mod reversal;
mod settleable;
mod settlement;
mod signer;

pub(crate) use auditor::anchor_of;
pub use auditor::{
    AuditedRecord, AuditorGrant, AuditorOpening, AuditorUse, GRANT_BOX, MOST_RECORDS, USE_BOX,
};
pub use consultation::{
    CONSULT_PROTOCOL, Call, Caller, ConsultAnswer, ConsultFault, Consultation, Greeting, MOST_CALL, Wants,
};
pub use draft::{Choice, Draft, DraftError, DraftRecord, INCLUDE_WITHIN, Surroundings};
pub use judge::{Facts, HOLDER_PROOF_AGE, Judged, JudgedRecord, PayloadFault};
pub use look::{AuditorLook, LOOK_TEXT};
pub use message::{Asking, DeskIdentity, IdentityFault, Message, Presence, Receipt};
pub use outcome::{Stood, stood, taken_back};
pub use payload::{
    Consent, Disclosure, GrantBinding, HolderProof, PartKey, Payload, PayloadRecord, RecordKey, Salt,
    ShownGroups, WrappedGroups, WrappedPart,
};
pub use reversal::{AuditorReversal, REVERSAL_BOX, REVERSAL_TEXT, Reversing};
pub use settleable::{Settleable, Standing, Unsettleable};
pub use settlement::{
    Answer, AnswerFault, AuditorSettlement, Decision, LONGEST_REASON, OwnClaim, SETTLEMENT_BOX,
    SETTLEMENT_TEXT,
};
pub use signer::{Behind, BoxFault, Certifiers};
