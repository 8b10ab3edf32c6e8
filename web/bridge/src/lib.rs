//! The messages between interface and engine: all that the two share.
//!
//! The interface (main thread) posts `{id, message, bytes?}` with a [`Request`]; the engine (worker) answers
//! `{id, message, bytes?}` with a [`Reply`], and posts [`Event`]s as `{id: 0, message}`. A message is what
//! [`encode`] makes of it: both sides are of one release, so names of fields needn't travel, nor the code that reads
//! them. File contents travel as `bytes`. Both are transferred `ArrayBuffer`s.
//!
//! What is secret and may cross is a closed list, each on the request or response that says so: the typed
//! passphrase, the passkey's PRF output, the recovery phrase on screen, QR payloads, an auditor's key files.

mod audit;
mod claim;
mod consultation;
mod desk;
mod device;
mod patient;
pub mod peer;
mod record;

pub use audit::{
    AuditClaims, AuditFinding, AuditInstitution, AuditKeys, AuditMonth, AuditPeriod, AuditRead, AuditReader,
    AuditRequest, AuditResponse, AuditView, ReportForm,
};
pub use claim::{
    Claim, ClaimAlarm, ClaimChoice, ClaimDecision, ClaimGap, ClaimPaper, ClaimPaperKind, ClaimPiece,
    ClaimPieceKind, ClaimPreview, ClaimRequest, ClaimState, Claims, DeskClaim, DeskClaimState, DeskFees,
    InvoiceVoid, Payer, SettledClaim, TakeBack,
};
pub use consultation::{ConsultAsk, ConsultWants, Consultation};
pub use desk::{
    Attachment, Correction, CorrectionReason, Desk, DeskRequest, DeskResponse, IssuedInvoice, IssuedReport,
    IssuedState, OfferState, OfferView, Preview, ReadRecord, Reading,
};
pub use device::{Counterpart, Device, DeviceRole, Pairing, Sync, SyncState};
pub use patient::{
    Access, AccessLog, AccessOutcome, Duration, KeptWallet, PatientRequest, PatientResponse, Purpose, Share,
    ShareChoice, ShareSentence, ShareState, Slot, TicketNotice, Wallet,
};
pub use record::{Filter, ProofLine, RecordCard, RecordDetail, RecordList, RecordTag, Sensitivity};

/// What a report says, as `wallet-core` reads it: the one part of it that pages need.
pub use suishen_core::fhir;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What holds passphrases, words, codes or what records say is not printed.
macro_rules! unprinted {
    ($($name:ident),* $(,)?) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}

unprinted!(
    PatientRequest,
    PatientResponse,
    Share,
    ShareChoice,
    ShareSentence,
    AccessLog,
    Access,
    TicketNotice,
    Wallet,
    DeskRequest,
    DeskResponse,
    Preview,
    ReadRecord,
    Reading,
    IssuedReport,
    OfferView,
    Pairing,
    RecordDetail,
    RecordList,
    RecordCard,
    Filter,
    Claim,
    Claims,
    ClaimPreview,
    ClaimState,
    ClaimDecision,
    DeskClaim,
    DeskClaimState,
    SettledClaim,
    ClaimPiece,
    ClaimPaper,
    ClaimChoice,
    ClaimRequest,
);

/// A message's bytes.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // Only a sequence of unknown length could fail, and messages have none.
    postcard::to_allocvec(message).unwrap_or_default()
}

/// Reads what [`encode`] made; none where the bytes are no such message, as when the sides are of two releases.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

/// What a page asks of the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// The first message: who this page is, and where its relays are.
    Start {
        /// The relay origins, the page's own first.
        relays: Vec<String>,
        /// The interface language, for texts that are signed (consent).
        language: String,
    },
    /// "Use here": takes the wallet over from another tab, which is then told.
    UseHere,
    /// Connection and ledger as this device knows them; cheap.
    Ledger,
    /// Asks the relays now: time, checkpoint, everything that the page watches.
    Refresh,
    /// For the patient's wallet.
    Patient(PatientRequest),
    /// For the desks.
    Desk(DeskRequest),
}

/// The engine's answer to one request.
pub type Reply = Result<Response, Fault>;

/// What a request gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Response {
    /// Done, nothing to say.
    Done,
    /// The engine's greeting.
    Started {
        /// The release that runs.
        release: String,
    },
    /// See [`Request::Ledger`].
    Ledger(Ledger),
    /// See [`PatientRequest`].
    Patient(PatientResponse),
    /// See [`DeskRequest`].
    Desk(DeskResponse),
}

/// The ledger as this device has proven it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// What can be said about it.
    pub state: LedgerState,
    /// The ledger's verified time now, Unix seconds; `None` before the first answer.
    pub now: Option<u64>,
    /// Entries in the last verified checkpoint.
    pub size: u64,
    /// The time of the last verified checkpoint.
    pub checked: Option<u64>,
    /// Seconds by which the phone's own clock differs from the ledger's.
    pub clock_off: i64,
}

/// How fresh and how sound the ledger looks from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerState {
    /// Verified within the last 60 s.
    Fresh,
    /// Verified, but older: "as of".
    AsOf,
    /// Never verified on this device.
    Unknown,
    /// Two ledgers of one name: an alarm. See `log.fork`.
    Forked,
    /// The relay shows an older ledger than this device remembers: an alarm.
    Rewound,
}

/// What the engine says unasked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Something that the page may show has changed: ask again.
    Changed(Topic),
    /// How far a long step is; the same `task` as the request's id.
    Progress {
        /// The request's id.
        task: u32,
        /// What is being done.
        step: Step,
        /// Done so far.
        done: u64,
        /// Of how many; 0 when unknown.
        total: u64,
    },
    /// A device is being added: what to show.
    Pairing(Pairing),
    /// A doctor in the same room asks: what to show.
    Consultation(Consultation),
    /// Another tab took this wallet over: show "open in another tab · use here".
    TakenOver,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Records, tags, filters.
    Records,
    /// Shares and their consents: a desk has accepted, a share ended.
    Shares,
    /// The access log.
    Log,
    /// Ledger state, connection.
    Ledger,
    /// Locked, unlocked, protected, backed up.
    Wallet,
    /// Desk lists.
    Desk,
    /// Whether other devices and mailboxes have what this one has; who belongs to the wallet.
    Devices,
}

/// Steps of long work, each a word on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Bytes coming in.
    Fetching,
    /// Signatures, digests, proofs.
    Checking,
    /// Bytes going out.
    Sending,
    /// Encrypting under the wallet's own keys.
    Sealing,
    /// The passphrase being stretched.
    Unlocking,
    /// Waiting for the ledger.
    Anchoring,
}

/// An error as the person meets it: a sentence key of the Fluent files, with what is safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Fluent key of the sentence: `reject-<number>` for the contract's, `fault-<name>` for all others.
    pub key: String,
    /// The stable code shown small under the sentence.
    pub code: String,
    /// A detail that is true in any language: a file name, a time, a number.
    pub detail: Option<String>,
    /// What the person can do next.
    pub action: Action,
}

impl Fault {
    /// A fault of the engine's own: `fault-<name>`, with what to do.
    pub fn new(name: &str, action: Action) -> Self {
        Self { key: format!("fault-{name}"), code: name.to_owned(), detail: None, action }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// The one button under an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Try the same again.
    Retry,
    /// Scan another code.
    ScanAgain,
    /// Ask at the issuing desk.
    AskDesk,
    /// Ask the patient for a new code.
    AskPatient,
    /// Protect the wallet first.
    Protect,
    /// Unlock first.
    Unlock,
    /// Use the recovery phrase.
    Recover,
    /// Nothing to press.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        const CANARY: &str = "金丝雀";
        let text = || CANARY.to_owned();
        let requests = [
            PatientRequest::Scan { text: text() },
            PatientRequest::Keep { text: text() },
            PatientRequest::Measure { passphrase: text() },
            PatientRequest::AddPassphrase { passphrase: text() },
            PatientRequest::UnlockPassphrase { passphrase: text() },
            PatientRequest::UnlockPasskey { credential: Vec::new(), prf: CANARY.into() },
            PatientRequest::CheckPhrase { words: vec![(1, text())] },
            PatientRequest::Restore { phrase: text() },
        ];
        let responses = [
            PatientResponse::Suggestion(text()),
            PatientResponse::Phrase { words: vec![text()], code: text(), ask: [1, 2, 3] },
            PatientResponse::Link(text()),
        ];
        let desk = [DeskRequest::Enrol { text: text() }];
        let mut printed: Vec<String> = requests.map(|it| format!("{:?}", Request::Patient(it))).into();
        printed.extend(responses.map(|it| format!("{:?}", Ok::<_, Fault>(Response::Patient(it)))));
        printed.extend(desk.map(|it| format!("{:?}", Request::Desk(it))));
        printed.push(format!("{:?}", Event::Pairing(Pairing::Show { link: text() })));
        let bytes = format!("{:?}", CANARY.as_bytes());
        for line in printed {
            assert!(!line.contains(CANARY) && !line.contains(&bytes), "{line}");
            assert!(line.contains("[redacted]"), "{line}");
        }
    }
}
