//! Reports as an issuer signs them and a patient shows them (PROTOCOL §4).
//!
//! | need | call |
//! |---|---|
//! | issue: manifest, salts and openings of a new report | [`Manifest::make`] |
//! | seal a part, open and check one | [`seal_part`], [`PartReader`], [`open_part`] |
//! | which groups there are, which may be left out | [`describe`], [`select`] |
//! | read what was shown, know how much wasn't | [`Manifest::open_groups`] |
//! | an invoice that can be claimed: its tags, its manifest | [`InvoiceNumber::in_report`], [`ClaimTag::both`], [`Manifest::make_claimable`] |
//! | what a claim needs of an invoice, what an insurer was shown | [`claim::proposal`], [`claim::Shown::read`] |
//! | a fee list beside an invoice, and whether it makes up its total | [`FeeList`] |
//! | the ticket of a QR code, and what it leads to | [`Ticket`], [`TicketContents`] |
//!
//! A report is a [`Manifest`] over parts, known to the ledger by a salted [`commitment`]. **A group of elements
//! discloses together or not at all**, by its one digest; a value never travels without its unit, range,
//! status, date and modifiers. Nothing here knows a clock or a relay.

pub mod claim;
mod disclosure;
mod fees;
mod invoice;
mod manifest;
mod part;
mod profile;
mod tag;
mod ticket;

pub(crate) use disclosure::decode_openings;
pub use disclosure::{GroupOpening, Opened, describe, select};
pub use fees::FeeList;
pub use invoice::{InvoiceNumber, Money, MoneyError};
pub use manifest::{Made, Manifest, NewPart, NewReport, PartEntry, Sensitivity, commitment};
pub use part::{FHIR_MEDIA_TYPE, FHIR_PART_NAME, PartCopy, PartReader, open_part, seal_part};
pub use profile::{GroupKind, PROFILE};
pub use tag::{ClaimKey, ClaimTag, TagRequest};
pub use ticket::{Ticket, TicketContents, TicketError};

use crate::{fhir::FhirError, sm::SmError};
use core::fmt;

/// 16 random bytes beside a digest, so that a guessed content can't be checked against it.
#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Salt16(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl Salt16 {
    /// A fresh salt.
    pub fn generate(random: &mut dyn crate::sm::Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// A salt that was made before.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Salt16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt16([redacted])")
    }
}

/// Why a report, or what is shown of it, is not what its issuer signed. None repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The FHIR JSON can't be read or shown.
    #[error(transparent)]
    Fhir(#[from] FhirError),
    /// Envelope, signature or ciphertext.
    #[error(transparent)]
    Crypto(#[from] SmError),
    /// Manifest or contents aren't their one encoding.
    #[error("the report's list of parts is not in its canonical form; ask the hospital to issue it again")]
    Form,
    /// A part is named twice, or by what isn't a plain file name.
    #[error("“{0}” can't be the name of a part: use a plain file name of its own")]
    PartName(String),
    /// Too many parts or groups.
    #[error("a report has at most {max} {what}; split it")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// No part has this number.
    #[error("the report has no part number {0}")]
    NoSuchPart(u32),
    /// Bytes that aren't the part that was signed.
    #[error("part {0} is not what the hospital signed; it was changed or belongs to another report")]
    PartChanged(u32),
    /// Another file than the ticket or grant names.
    #[error("the file fetched for part {0} is another one than the issuer named; fetch it again")]
    WrongCopy(u32),
    /// The signed manifest isn't the one on the ledger.
    #[error("the report is not the one that stands on the ledger under this name")]
    WrongCommitment,
    /// A shown group that the hospital never signed.
    #[error("something shown is not in the report that the hospital signed, so nothing of it is shown")]
    UnknownGroup,
    /// Two shown groups claim the same place.
    #[error("two pieces of what is shown claim the same place ({0}), so nothing of it is shown")]
    SamePlace(String),
    /// A path that isn't one.
    #[error("a piece of what is shown has no proper place ({0}), so nothing of it is shown")]
    BadPath(String),
    /// An element that may turn the meaning around.
    #[error("what is shown carries a modifier that is not known here ({0}), so nothing of it is shown")]
    Modifier(String),
    /// The group that says what and how much the report is was left out.
    #[error("the head of the report is missing from what is shown, so nothing of it is shown")]
    NoHead,
    /// A group without the one it belongs to.
    #[error("a piece is shown without the entry that it belongs to ({0}), so nothing of it is shown")]
    Torn(String),
    /// A claim tag that isn't this hospital's, or not for its slot.
    #[error("the claim tag is not one that this hospital vouched for; ask it to issue the invoice again")]
    Tag,
    /// A claim tag that the patient's wallet didn't give under this grant.
    #[error(
        "the patient did not give the claim tag under this grant; ask them to share the invoice with you"
    )]
    TagProof,
    /// An invoice without something that goes with every amount, or several in one report.
    #[error(
        "the invoice has no proper {0}, so nothing of it is shown or issued; ask the hospital to correct it"
    )]
    Invoice(&'static str),
    /// A claim without its invoice.
    #[error(
        "no invoice is shown with its number and status, so there is nothing to settle; ask the patient to share it"
    )]
    NoInvoice,
    /// A claim for an invoice that was reversed, or never finished.
    #[error("the hospital has set this invoice to “{0}”; it can't be settled")]
    NotPayable(&'static str),
    /// A profile of a later version.
    #[error("the report uses rules (profile {0}) that are newer than this program; update it")]
    Profile(u8),
}

#[cfg(test)]
mod claim_tests;
#[cfg(test)]
mod tests;
