//! The desks: hospital (issue), doctor (read).

use crate::{AuditRequest, AuditResponse, ConsultWants, DeskClaim, Fault, SettledClaim, TakeBack};
use serde::{Deserialize, Serialize};
use suishen_core::fhir::{ReportView, Series};

/// Asked by the desks' pages.
#[derive(Clone, Serialize, Deserialize)]
pub enum DeskRequest {
    /// Who this desk is; answer: [`DeskResponse::Desk`].
    Desk,
    /// Enrols this browser with an invite link; the key is made here. Answer: [`DeskResponse::Desk`].
    Enrol {
        /// The link. Secret.
        text: String,
    },
    /// Reads a FHIR bundle (in `bytes`) and shows it; answer: [`DeskResponse::Preview`].
    Preview,
    /// Adds a file (in `bytes`) to the report being prepared.
    Attach {
        /// File name.
        name: String,
        /// Media type.
        media_type: String,
    },
    /// Drops what was prepared.
    Clear,
    /// Signs, seals, stores and anchors the prepared report; answer: [`DeskResponse::Issued`].
    Issue {
        /// Sensitive class (never in a bulk choice).
        sensitive: bool,
        /// A patient's identity link, when the report goes straight to that wallet.
        identity: Option<String>,
        /// What it corrects, if it does.
        corrects: Option<Correction>,
    },
    /// What this desk issued; answer: [`DeskResponse::IssuedList`].
    Issued,
    /// Makes a ticket void.
    Cancel {
        /// The report.
        report: String,
        /// Why.
        why: String,
    },
    /// Makes an issued invoice void for every insurer, for good; answer: [`DeskResponse::Done`].
    Void {
        /// The report.
        report: String,
        /// Issued again on paper (换开), rather than reversed (冲红).
        on_paper: bool,
        /// Why, for the auditor.
        words: String,
    },
    /// Accepts a consent code and puts this person's certificate before the patient. Answer: [`DeskResponse::Offer`];
    /// [`DeskResponse::Live`] when the patient waits to be asked ([`DeskRequest::Ask`]).
    Accept {
        /// The link. Secret.
        text: String,
    },
    /// Asks a patient in the same room, directly; the answer comes with the patient's: [`DeskResponse::Offer`].
    Ask {
        /// The link. Secret.
        text: String,
        /// What for.
        wants: ConsultWants,
    },
    /// Asks no longer.
    HangUp,
    /// All offers and readings of this desk; answer: [`DeskResponse::Offers`].
    Offers,
    /// Redeems one use and opens the records; answer: [`DeskResponse::Reading`].
    Read {
        /// The grant.
        share: String,
    },
    /// A reading again, from this session's memory; answer: [`DeskResponse::Reading`].
    Reading {
        /// The grant.
        share: String,
    },
    /// An attachment's bytes, in `bytes`; answer: [`DeskResponse::File`].
    File {
        /// The grant.
        share: String,
        /// The record's number in the grant.
        record: u32,
        /// The part.
        part: u32,
    },
    /// Settles the open claim, or refuses it where nothing is paid. Stored before it is sent; answer:
    /// [`DeskResponse::Reading`].
    Settle {
        /// The grant.
        share: String,
        /// What is paid, without its currency.
        amount: String,
        /// Why not all.
        reason: String,
    },
    /// Takes a settlement back; answer: [`DeskResponse::Reading`] where its reading is open.
    TakeBack {
        /// The grant.
        share: String,
        /// Why, on the ledger.
        why: TakeBack,
        /// Why, for patient and auditor.
        words: String,
    },
    /// What this desk has decided on claims; answer: [`DeskResponse::Settled`].
    Settled,
    /// For the auditor's desk; answer: [`DeskResponse::Audit`].
    Audit(AuditRequest),
    /// Closes a reading: its content leaves this desk's memory.
    Close {
        /// The grant.
        share: String,
    },
}

/// Answers to [`DeskRequest`].
#[derive(Clone, Serialize, Deserialize)]
pub enum DeskResponse {
    /// Done, nothing to say.
    Done,
    /// Who this desk is, if enrolled.
    Desk(Option<Desk>),
    /// The prepared report.
    Preview(Box<Preview>),
    /// A report has been issued.
    Issued(Box<IssuedReport>),
    /// All of them, newest first.
    IssuedList(Vec<IssuedReport>),
    /// An offer.
    Offer(OfferView),
    /// The code is a patient's who waits to be asked.
    Live,
    /// All offers, newest first.
    Offers(Vec<OfferView>),
    /// What was opened.
    Reading(Box<Reading>),
    /// Decisions on claims, newest first.
    Settled(Vec<SettledClaim>),
    /// See [`AuditRequest`].
    Audit(AuditResponse),
    /// `bytes` holds the file.
    File {
        /// A safe file name.
        name: String,
        /// Its media type.
        media_type: String,
    },
}

/// The person at the desk, from the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Department or unit.
    pub unit: String,
    /// Organisation.
    pub organisation: String,
    /// `issuer`, `physician`…
    pub role: String,
    /// Until when the certificate is good.
    pub until: u64,
}

/// A report before it is issued.
#[derive(Clone, Serialize, Deserialize)]
pub struct Preview {
    /// Its content.
    pub view: ReportView,
    /// Files attached.
    pub attachments: Vec<Attachment>,
}

/// A file that goes with a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
}

/// A report that this desk issued.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedReport {
    /// The commitment, hex.
    pub report: String,
    /// Title.
    pub title: String,
    /// The patient's name.
    pub patient: String,
    /// Issued, ledger time.
    pub issued: u64,
    /// Where it stands.
    pub state: IssuedState,
    /// The ticket's link, in this session only. Secret.
    pub link: Option<String>,
    /// How its payer slots stand; none for what isn't a claimable invoice.
    pub invoice: Option<IssuedInvoice>,
}

/// An issued invoice, by the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedInvoice {
    /// Since when nothing is paid on it any more.
    pub void: Option<u64>,
    /// Whether it was issued again on paper.
    pub on_paper: bool,
    /// Whether an insurer's settlement stands.
    pub paid: bool,
}

/// A new version in place of a report that this desk's organisation issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The report that it replaces.
    pub report: String,
    /// Why.
    pub why: CorrectionReason,
}

/// Why a report is corrected. It stands on the ledger for everyone: a choice of three, so that nothing personal gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrectionReason {
    /// A value or a finding was wrong.
    Content,
    /// It was about somebody else.
    Person,
    /// Something was missing.
    Addition,
}

impl CorrectionReason {
    /// All, the most frequent first.
    pub const ALL: [Self; 3] = [Self::Content, Self::Addition, Self::Person];

    /// As the ledger has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Person => "person",
            Self::Addition => "addition",
        }
    }
}

/// Where an issued report stands, by the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IssuedState {
    /// Waiting to be kept, until this time.
    Waiting(u64),
    /// Kept by a wallet at this time.
    Kept(u64),
    /// Made void at this time.
    Cancelled(u64),
    /// Nobody came.
    Expired,
    /// Delivered to a known patient's inbox.
    Delivered,
    /// A newer version stands in its place.
    Corrected,
}

/// A share as the doctor's desk knows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// The grant.
    pub share: String,
    /// Where it stands.
    pub state: OfferState,
    /// The patient's name and what else the list shows, once read.
    pub patient: Option<String>,
    /// At an insurer's, the invoice's number, once read.
    pub invoice: Option<String>,
    /// Number of records.
    pub records: u32,
    /// Purpose code.
    pub purpose: Option<crate::Purpose>,
    /// Ends, ledger time.
    pub until: u64,
    /// Reads in all.
    pub reads: u32,
    /// Reads left.
    pub reads_left: u32,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferState {
    /// Accepted; the patient's yes is awaited.
    Waiting,
    /// The patient said yes and everything in the payload holds: may be read.
    Ready,
    /// Opened, in this session's memory.
    Reading,
    /// The patient said no or took it back.
    Revoked,
    /// Used up.
    Exhausted,
    /// Time is up.
    Expired,
    /// The desk refuses to redeem: something in the payload doesn't hold.
    Refused(Fault),
}

/// Opened records.
#[derive(Clone, Serialize, Deserialize)]
pub struct Reading {
    /// The share.
    pub offer: OfferView,
    /// The records.
    pub records: Vec<ReadRecord>,
    /// Values with a history over these records.
    pub series: Vec<Series>,
    /// Redeemed at, ledger time.
    pub at: u64,
    /// The ledger entry.
    pub entry: u64,
    /// The consent text that the patient saw.
    pub consent: String,
    /// The claim in it, at an insurer's desk.
    pub claim: Option<DeskClaim>,
}

/// One opened record.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadRecord {
    /// Its number in the grant.
    pub number: u32,
    /// Its content.
    pub view: ReportView,
    /// Disclosure groups that were not opened.
    pub withheld: u32,
    /// Files: (part, name, media type, bytes).
    pub files: Vec<(u32, String, String, u64)>,
    /// The issuer's name from its certificate.
    pub issuer: String,
    /// Signature, chain, digests and anchor hold.
    pub sound: bool,
    /// The hospital had issued a newer version when this was shared.
    pub corrected: bool,
}
