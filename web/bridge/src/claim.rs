//! Claims: what an insurer is shown of an invoice, and what came of it.

use serde::{Deserialize, Serialize};

/// Asked by the patient's pages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimRequest {
    /// What a claim would show; the text isn't needed. Answer: [`ClaimPreview`](crate::PatientResponse::ClaimPreview).
    Preview(ClaimChoice),
    /// Makes a claim's code; answer: [`Share`](crate::PatientResponse::Share).
    Make(ClaimChoice),
    /// How an invoice and its claims stand; answer: [`Claims`](crate::PatientResponse::Claims).
    List {
        /// The record.
        record: String,
    },
    /// An invoice with whose claims something is wrong that the person hasn't looked at since the wallet was opened; answer:
    /// [`Unexpected`](crate::PatientResponse::Unexpected).
    Unexpected,
}

/// A class of insurer. Each has a part of its own in every invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payer {
    /// Statutory insurance; pays first.
    Statutory,
    /// Commercial insurance; pays the self-paid part.
    Commercial,
}

/// What to show of which invoice to whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimChoice {
    /// The record.
    pub record: String,
    /// To which class of insurer.
    pub payer: Payer,
    /// The policy, where there are several: a number of [`ClaimPreview::policies`].
    pub policy: Option<u32>,
    /// What is left out of the proposal, by number.
    pub left_out: Vec<u32>,
    /// Other records that go along: records of [`ClaimPreview::along`].
    pub along: Vec<String>,
    /// The whole text as it stands on the screen; its hash is what the person signs.
    pub text: String,
}

/// A claim before anything is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPreview {
    /// Everything together, as 31290.30 CNY.
    pub total: String,
    /// What this class of insurer could pay; none where the invoice doesn't say.
    pub payable: Option<String>,
    /// What the insurer sees, what always goes along first.
    pub shown: Vec<ClaimPiece>,
    /// What it sees only the number of.
    pub hidden: Vec<ClaimPiece>,
    /// The policies to pick one from.
    pub policies: Vec<ClaimPiece>,
    /// Other records of the same treatment that may go along, what insurers usually ask for first.
    pub along: Vec<ClaimPaper>,
    /// What a claim usually needs and this invoice lacks.
    pub gaps: Vec<ClaimGap>,
    /// How long the insurer may look, in seconds.
    pub duration: u64,
    /// How often.
    pub reads: u32,
}

/// Another record that explains a claim.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPaper {
    /// The record.
    pub record: String,
    /// Its title.
    pub title: String,
    /// The day, as far as it is known.
    pub date: String,
    /// What it is.
    pub kind: ClaimPaperKind,
    /// Of a fee list: whether it makes up the invoice. None of what is none, or can't be read now.
    pub makes_up: Option<bool>,
}

/// What insurers usually ask for besides an invoice, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClaimPaperKind {
    /// What was charged, one by one.
    Fees,
    /// What a stay came to.
    Discharge,
    /// Anything else.
    Other,
}

/// A piece of an invoice's report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPiece {
    /// Its number in the report.
    pub number: u32,
    /// What it is.
    pub kind: ClaimPieceKind,
    /// Its name in the report.
    pub name: Option<String>,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClaimPieceKind {
    /// Number, status, date, total, who pays how much; always shown.
    Invoice,
    /// Whose invoice it is; always shown.
    Insured,
    /// Who issued it.
    Hospital,
    /// The policy.
    Policy,
    /// What was treated.
    Diagnosis,
    /// What was charged.
    Line,
    /// Numbers of patient and visit.
    Numbers,
    /// Telephone, address, relatives.
    Contact,
    /// The visit.
    Visit,
    /// A policy with another insurer.
    OtherPolicy,
    /// Anything else.
    Other,
}

impl ClaimPieceKind {
    /// Whether it goes along whatever the patient chooses.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Invoice | Self::Insured)
    }
}

/// What an invoice lacks for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimGap {
    /// The hospital gave nothing to settle with: no insurer can settle it here.
    Tag,
    /// No lines.
    Lines,
    /// No diagnosis.
    Diagnosis,
    /// No policy with this class of insurer.
    Policy,
    /// Several policies: one is to be picked.
    WhichPolicy,
    /// No discharge summary of this stay in the wallet.
    Discharge,
    /// No fee list of this treatment in the wallet.
    Fees,
    /// The fee lists don't make up the invoice.
    FeesDiffer,
    /// Statutory insurance, which usually settles its part first, hasn't.
    StatutoryFirst,
}

/// An invoice's claims.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The hospital's word that nothing is paid on it any more.
    pub void: Option<InvoiceVoid>,
    /// Parts that somebody settled under a grant that isn't this wallet's.
    pub foreign: Vec<Payer>,
    /// Newest first.
    pub claims: Vec<Claim>,
}

/// An invoice that its hospital reversed, or issued again on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceVoid {
    /// Issued again on paper (换开), rather than reversed (冲红).
    pub on_paper: bool,
    /// When, ledger time.
    pub at: u64,
    /// Whether an insurer's payment stands.
    pub paid: bool,
}

/// A claim as the patient follows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The grant.
    pub share: String,
    /// The class of insurer.
    pub payer: Payer,
    /// The insurer, once somebody accepted.
    pub insurer: Option<String>,
    /// When it was made, ledger time.
    pub made: u64,
    /// How it goes.
    pub state: ClaimState,
}

/// How a claim goes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimState {
    /// Nobody has accepted it yet.
    Shared,
    /// An insurer has accepted; the patient's yes is awaited.
    Asked,
    /// The patient said yes; not read yet.
    Agreed,
    /// The insurer has read it; no decision yet.
    Read(u64),
    /// Settled, proven by the ledger.
    Settled {
        /// When, ledger time.
        at: u64,
        /// How much and why, as the insurer says; none where it hasn't said.
        told: Option<ClaimDecision>,
    },
    /// Refused, as the insurer says; another may be asked.
    Refused(String),
    /// The insurer took its settlement back.
    Reversed {
        /// When, ledger time.
        at: u64,
        /// Why, in the insurer's words; none where it hasn't said.
        words: Option<String>,
    },
    /// Taken back by the patient, which is not everywhere yet.
    Leaving,
    /// Taken back by the patient, or over, without a decision.
    Over,
    /// The insurer's answer and the ledger don't agree.
    Alarm(ClaimAlarm),
}

/// What an insurer decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDecision {
    /// What is paid.
    pub paid: String,
    /// Whether that is all that could be paid.
    pub whole: bool,
    /// Why not all; empty where all is paid.
    pub reason: String,
}

/// What doesn't agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimAlarm {
    /// The auditor was told something else than the patient.
    Auditor,
    /// The answer is about another invoice, or in other sums.
    Other,
    /// The insurer says that it refused, and settled.
    Contradicts,
}

/// A claim as an insurer's desk has it open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskClaim {
    /// Which part of the invoice this desk settles.
    pub payer: Payer,
    /// Everything together.
    pub total: String,
    /// Who pays how much, in the invoice's words.
    pub shares: Vec<(String, String)>,
    /// The most that this desk may settle; none where the invoice doesn't say.
    pub payable: Option<String>,
    /// The payable sum without its currency, to begin with.
    pub amount: String,
    /// The invoice's own lines, as far as they are shown; none where they can't be added up.
    pub lines: Option<DeskFees>,
    /// The fee lists that were shown with it; none where there are none.
    pub fees: Option<DeskFees>,
    /// At a commercial insurer's: the part that statutory insurance usually settles first. Whether it has this desk isn't
    /// shown.
    pub statutory: Option<String>,
    /// How it stands.
    pub state: DeskClaimState,
}

/// Lines with their sum: an invoice's own, or those of the fee lists beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskFees {
    /// Items that were charged for.
    pub items: u64,
    /// Together; none in several currencies.
    pub total: Option<String>,
    /// Whether they make up the invoice's total.
    pub makes_up: bool,
}

/// How a claim stands, by ledger and desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeskClaimState {
    /// It may be settled.
    Open,
    /// Decided here, and the ledger doesn't show it yet; may be decided anew after this time.
    Underway(u64),
    /// Decided here while another insurer settled it; should that one take it back before this time, this desk's
    /// decision may still be included.
    Overtaken(u64),
    /// Decided here, and not included in its time: it may be decided anew.
    Late,
    /// Settled by this desk.
    Settled(ClaimDecision),
    /// Settled by this desk, which took it back.
    Returned(ClaimDecision),
    /// Refused by this desk.
    Refused(String),
    /// It can't be settled; why, as a fault's code.
    Closed(String),
    /// This desk settled it, and its hospital has reversed the invoice since.
    Flagged(ClaimDecision),
}

/// A decision on a claim in the list of an insurer's desk.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledClaim {
    /// The grant.
    pub share: String,
    /// The patient's name.
    pub patient: Option<String>,
    /// The invoice's number.
    pub invoice: Option<String>,
    /// When, ledger time.
    pub at: u64,
    /// What could be paid.
    pub claimed: String,
    /// How it stands; [`DeskClaimState::Open`] where another desk of this insurer took it back.
    pub state: DeskClaimState,
}

/// Why an insurer takes a settlement back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakeBack {
    /// Settled in error.
    Error,
    /// Paid for elsewhere.
    Duplicate,
    /// What was paid came back.
    PaidBack,
}

impl TakeBack {
    /// All, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Error, Self::Duplicate, Self::PaidBack];
}
