//! The patient's wallet: requests, responses, and what the screens show. Its records' types are in `record`.

use serde::{Deserialize, Serialize};

use crate::claim::{ClaimPreview, ClaimRequest, Claims};
use crate::device::{Device, DeviceRole, Sync};
use crate::record::{Filter, RecordDetail, RecordList};

/// Asked by the phone's pages.
#[derive(Clone, Serialize, Deserialize)]
pub enum PatientRequest {
    /// The wallet's state; the answer is [`PatientResponse::Wallet`].
    Wallet,
    /// Reads any scanned, pasted or opened text; nothing is bound. Answer: [`PatientResponse::Scanned`].
    Scan {
        /// The text, fragments included. Secret.
        text: String,
    },
    /// Binds the ticket to this wallet (a brand-new one is made when there is none) and brings the report in.
    /// Progress events follow; answer: [`PatientResponse::Kept`].
    Keep {
        /// The ticket's link. Secret.
        text: String,
    },
    /// The record list. Answer: [`PatientResponse::Records`].
    Records(Filter),
    /// One record with everything to read. Answer: [`PatientResponse::Record`].
    Record {
        /// The record.
        record: String,
    },
    /// An attachment's bytes, in `bytes`; answer: [`PatientResponse::File`].
    File {
        /// The record.
        record: String,
        /// The part's number.
        part: u32,
    },
    /// Adds or removes the person's own tag.
    Tag {
        /// The record.
        record: String,
        /// The tag's text, at most 24 characters.
        tag: String,
        /// On or off.
        on: bool,
    },
    /// Hides a record from lists and bulk choices, or shows it again.
    Hide {
        /// The record.
        record: String,
        /// Hidden or not.
        hidden: bool,
    },
    /// Asks for what a new passkey needs; answer: [`PatientResponse::Passkey`].
    NewPasskey,
    /// Stores a passkey slot. `prf` is secret.
    AddPasskey {
        /// The credential's id.
        credential: Vec<u8>,
        /// 32 bytes.
        prf: Vec<u8>,
    },
    /// How strong a passphrase is; answer: [`PatientResponse::Strength`]. Secret.
    Measure {
        /// The typed passphrase.
        passphrase: String,
    },
    /// Offers a generated passphrase; answer: [`PatientResponse::Suggestion`]. Secret.
    Suggest,
    /// Stores a passphrase slot. Secret.
    AddPassphrase {
        /// The typed passphrase.
        passphrase: String,
    },
    /// Opens the wallet with a passkey's PRF output. Secret.
    UnlockPasskey {
        /// The credential's id.
        credential: Vec<u8>,
        /// 32 bytes.
        prf: Vec<u8>,
    },
    /// Opens the wallet with the passphrase. Secret.
    UnlockPassphrase {
        /// The typed passphrase.
        passphrase: String,
    },
    /// Closes the wallet; the worker ends after the answer.
    Lock,
    /// The recovery phrase, until it was checked; answer: [`PatientResponse::Phrase`]. Secret.
    Phrase {
        /// Chinese (true) or English words.
        chinese: bool,
    },
    /// The three words asked for; when they are right the phrase leaves this device for good.
    CheckPhrase {
        /// (position from 1, word).
        words: Vec<(u8, String)>,
    },
    /// A new browser: everything back from a phrase or recovery QR text, and a backup file in `bytes`; without one from
    /// the mailbox.
    Restore {
        /// The words or the QR's text. Secret.
        phrase: String,
    },
    /// An encrypted backup file, in `bytes`; answer: [`PatientResponse::Backup`].
    Backup,
    /// The link of this wallet's identity code; answer: [`PatientResponse::Link`].
    Identity,
    /// Looks into the inboxes of the identity codes shown; brings in what was delivered.
    CheckInbox,
    /// What this share would mean, in the parts of a sentence; answer: [`PatientResponse::Sentence`].
    Preview(ShareChoice),
    /// Makes the grant and its code; answer: [`PatientResponse::Share`].
    Share(ShareChoice),
    /// About claims.
    Claim(ClaimRequest),
    /// A code for a doctor in the same room; answer: [`PatientResponse::Link`]. When one has scanned it, the event
    /// [`crate::Consultation::Asked`] says who.
    AwaitDoctor,
    /// The patient's answer to who asks: a share for this person alone (answer: [`PatientResponse::Share`]), or no.
    AnswerDoctor {
        /// The key id shown with the name.
        person: String,
        /// What is given, as the patient sees it; none is a no.
        choice: Option<ShareChoice>,
    },
    /// No doctor is awaited any longer.
    StopAwaiting,
    /// All shares, running and ended; answer: [`PatientResponse::Shares`].
    Shares,
    /// Yes to the person that the screen named.
    Consent {
        /// The grant.
        share: String,
        /// The key id shown with the name, so that the tap answers this one.
        person: String,
    },
    /// Takes a share back.
    Revoke {
        /// The grant.
        share: String,
    },
    /// Makes the same share anew and takes the old one back; answer: [`PatientResponse::Share`].
    Extend {
        /// The grant.
        share: String,
    },
    /// Who read what; answer: [`PatientResponse::Log`].
    Log,
    /// "Since you last looked" starts anew now.
    Looked,
    /// A proof bundle of one read, in `bytes`; answer: [`PatientResponse::File`].
    Bundle {
        /// The grant.
        share: String,
        /// The use, from 1.
        read: u32,
    },
    /// Whether other copies of the wallet have what this one has; answer: [`PatientResponse::Sync`].
    Sync,
    /// Compares with every other copy now.
    SyncNow,
    /// The wallet's devices, this one first; answer: [`PatientResponse::Devices`].
    Devices,
    /// On the old device: a code that a new one scans; answer: [`PatientResponse::Link`]. When one has, the event
    /// [`super::Pairing::Asked`] says so; [`PatientRequest::AnswerDevice`] answers it.
    InviteDevice {
        /// What the new device may do.
        role: DeviceRole,
        /// It is another person's, who helps.
        person: bool,
    },
    /// Yes or no to the device that asks. After a yes the answer comes when it has everything; progress events follow.
    AnswerDevice {
        /// Yes.
        admit: bool,
    },
    /// No device is awaited any longer.
    StopInviting,
    /// On the old device: takes in the new one whose code was scanned. What follows is as after
    /// [`PatientRequest::InviteDevice`].
    AdmitDevice {
        /// The code's link. Secret.
        text: String,
        /// What the new device may do.
        role: DeviceRole,
        /// It is another person's, who helps.
        person: bool,
    },
    /// On the new device: become a device of the wallet whose code was scanned, which is another person's where there is a
    /// wallet here already: it then lies beside that one, and is open. The event [`super::Pairing::Compare`] says what to
    /// show; the answer comes when the wallet is here and can be used; contents may still follow.
    Join {
        /// The code's link. Secret. None where the old device is to scan this one's: the event [`super::Pairing::Show`] brings it.
        text: Option<String>,
        /// How this device is to be called.
        name: String,
        /// Beside one's own: how the other person's wallet is to be called here.
        whose: String,
    },
    /// On the new device that was scanned: whether both show the same code.
    AnswerOwner {
        /// They do.
        same: bool,
    },
    /// On the new device: its code is shown no longer.
    StopJoining,
    /// Opens another person's wallet that is kept here, or this browser's owner's again.
    Switch {
        /// [`KeptWallet::wallet`]; none for the owner's own.
        to: Option<String>,
    },
    /// Deletes another person's wallet from this browser; the owner's is open then.
    PutAway {
        /// [`KeptWallet::wallet`].
        wallet: String,
    },
    /// Takes a device out of the wallet. Answer: the running shares that it could act on, [`PatientResponse::Shares`].
    RemoveDevice {
        /// The device.
        device: String,
    },
    /// Empties this browser of the owner's wallet, and of all others that are kept beside it. The hospital keeps its own
    /// records.
    Delete,
}

/// Answers to [`PatientRequest`].
#[derive(Clone, Serialize, Deserialize)]
pub enum PatientResponse {
    /// Done, nothing to say.
    Done,
    /// State of the wallet.
    Wallet(Wallet),
    /// What a scanned text is.
    Scanned(TicketNotice),
    /// A report is kept; its record id.
    Kept {
        /// The new record.
        record: String,
    },
    /// The list.
    Records(RecordList),
    /// One record.
    Record(Box<RecordDetail>),
    /// `bytes` holds the file.
    File {
        /// A safe file name.
        name: String,
        /// Its media type, one that the page may show.
        media_type: String,
    },
    /// What `navigator.credentials` is asked with.
    Passkey {
        /// The user handle, random.
        user: Vec<u8>,
        /// The PRF salt.
        salt: Vec<u8>,
    },
    /// Strength.
    Strength {
        /// Estimated bits.
        bits: u32,
        /// Enough to be accepted.
        enough: bool,
    },
    /// A generated passphrase. Secret.
    Suggestion(String),
    /// The phrase, to be written down. Secret.
    Phrase {
        /// 24 words.
        words: Vec<String>,
        /// The text of the recovery QR.
        code: String,
        /// The positions that will be asked, from 1.
        ask: [u8; 3],
    },
    /// `bytes` holds the backup file of this name.
    Backup {
        /// A file name.
        name: String,
        /// Records in it.
        records: u32,
    },
    /// A link, its QR's text. Secret.
    Link(String),
    /// See [`PatientRequest::Preview`].
    Sentence(ShareSentence),
    /// A share with its code.
    Share(Box<Share>),
    /// A claim before anything is sent.
    ClaimPreview(Box<ClaimPreview>),
    /// A record's claims.
    Claims(Claims),
    /// The record of such an invoice, if there is one.
    Unexpected(Option<String>),
    /// All shares.
    Shares(Vec<Share>),
    /// The access log.
    Log(AccessLog),
    /// How it stands with the other copies.
    Sync(Sync),
    /// The devices.
    Devices(Vec<Device>),
}

/// The wallet as the status line and the settings know it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wallet {
    /// No wallet in this browser.
    None,
    /// Locked; these slots open it.
    Locked(Vec<Slot>),
    /// Another tab holds it.
    Elsewhere,
    /// Open.
    Open {
        /// The name to show: the newest report's patient.
        name: Option<String>,
        /// Visible records.
        records: u32,
        /// Has a passkey or passphrase; nothing can be shared before.
        protected: bool,
        /// The phrase was written down and checked.
        phrase_checked: bool,
        /// The time of the newest backup file, if any.
        backed_up: Option<u64>,
        /// There is another copy: a mailbox or another device that has what this one has, or a backup file. Without
        /// one this is the only copy.
        copies: bool,
        /// Reads since the person last looked.
        unseen_reads: u32,
        /// The slots, for settings.
        slots: Vec<Slot>,
        /// What this device may do in it.
        role: DeviceRole,
        /// Whose it is, where it isn't this browser's owner's own: [`KeptWallet::wallet`].
        of: Option<String>,
        /// The wallets of others that are kept here beside the owner's, by name.
        kept: Vec<KeptWallet>,
    },
    /// The store cannot be read: damaged, not a wrong passphrase.
    Damaged,
}

/// Another person's wallet that is kept in this browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWallet {
    /// Its id.
    pub wallet: String,
    /// What this browser's owner calls it.
    pub name: String,
    /// Its owner took this device out of it: it can no longer be opened here, and may be put away.
    pub taken_back: bool,
}

/// A way to open the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// A passkey: what `navigator.credentials.get` needs.
    Passkey {
        /// The credential's id.
        credential: Vec<u8>,
        /// The PRF salt.
        salt: Vec<u8>,
    },
    /// A passphrase.
    Passphrase,
}

/// What a scanned text turned out to be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketNotice {
    /// A hospital's ticket, not yet bound. Who issued it is known only after it was kept.
    Ticket {
        /// Its state on the ledger, when a relay answers: `None` is fit to be kept.
        refused: Option<super::Fault>,
        /// The issuing organisation, from the ledger.
        issuer: Option<String>,
        /// Until when it can be kept.
        until: Option<u64>,
    },
    /// A consent code: for a doctor's desk, not for a wallet.
    ConsentOffer,
    /// An identity code: for a hospital's desk.
    Identity,
    /// This wallet's own recovery code: go to restore.
    Recovery,
    /// A wallet's invitation to a new device: [`PatientRequest::Join`].
    Pairing,
    /// A new device that waits for its wallet: [`PatientRequest::AdmitDevice`].
    NewDevice,
    /// Known, but not ours: the Fluent key `foreign-<name>` explains it.
    Foreign {
        /// For example `shc`, `shlink`, `medicare-code`, `health-card`, `invoice`, `web-link`, `unknown`.
        name: String,
    },
}

/// What the person chose to share.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareChoice {
    /// The records, in order.
    pub records: Vec<String>,
    /// What for.
    pub purpose: Purpose,
    /// How long.
    pub duration: Duration,
    /// How many reads, 1 to 1000.
    pub reads: u32,
    /// "Works without my phone": weaker, 5 minutes.
    pub offline: bool,
    /// The whole sentence as it stands on the screen; its hash is what the person signs.
    pub text: String,
}

/// Seconds, 15 minutes to 30 days.
pub type Duration = u64;

/// HL7 v3 PurposeOfUse codes that a patient can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// TREAT: outpatient visit, treatment.
    Treatment,
    /// COC: coordination of care, second opinion.
    Coordination,
    /// ETREAT: emergency treatment.
    Emergency,
    /// PATRQT: at the patient's own request.
    PatientRequest,
    /// HPAYMT: a claim. Chosen by making one.
    Payment,
}

impl Purpose {
    /// All that can be chosen when records are shown, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Treatment, Self::Coordination, Self::Emergency, Self::PatientRequest];

    /// The PurposeOfUse code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Treatment => "TREAT",
            Self::Coordination => "COC",
            Self::Emergency => "ETREAT",
            Self::PatientRequest => "PATRQT",
            Self::Payment => "HPAYMT",
        }
    }

    /// The purpose with this code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Payment]).find(|purpose| purpose.code() == code)
    }
}

/// The parts of the sentence, for the page to put into words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareSentence {
    /// Titles in order.
    pub titles: Vec<String>,
    /// Reads.
    pub reads: u32,
    /// Seconds.
    pub duration: Duration,
    /// Seconds within which a desk must scan.
    pub accept_within: u64,
    /// Sensitive ones among them.
    pub sensitive: u32,
}

/// A share as the phone knows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The grant.
    pub share: String,
    /// The choice that it was made of.
    pub choice: ShareChoice,
    /// The records' titles.
    pub titles: Vec<String>,
    /// Where it stands.
    pub state: ShareState,
    /// Issued, ledger time.
    pub issued: u64,
    /// Ends, ledger time.
    pub until: u64,
    /// Must be accepted by, ledger time.
    pub accept_by: u64,
    /// Reads left.
    pub reads_left: u32,
    /// The code's link, while a desk can still scan it. Secret.
    pub link: Option<String>,
}

/// Where a share stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareState {
    /// Waiting for a desk to scan.
    Offered,
    /// A desk has scanned: the person from its certificate waits for yes or no.
    Asked {
        /// The key id that the tap answers.
        person: String,
        /// Name.
        name: String,
        /// Title, department.
        title: String,
        /// Organisation.
        organisation: String,
    },
    /// Agreed; may be read.
    Open {
        /// Name.
        name: String,
        /// Title, department.
        title: String,
        /// Organisation.
        organisation: String,
    },
    /// All reads used.
    Exhausted,
    /// Time is up.
    Expired,
    /// Taken back, on the ledger.
    Revoked,
    /// Every gate has destroyed its share; the ledger entry follows.
    RevokedAtGates,
    /// Taken back on this phone, but no gate has heard of it: no network.
    NotYetRevoked,
}

/// Who read what.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLog {
    /// Proven complete by this phone against the ledger.
    pub complete: bool,
    /// As of this ledger time.
    pub as_of: Option<u64>,
    /// Newest first.
    pub accesses: Vec<Access>,
    /// When the person last looked, ledger time.
    pub last_looked: Option<u64>,
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The grant.
    pub share: String,
    /// The use, from 1; 0 for a refused attempt.
    pub read: u32,
    /// What came of it.
    pub outcome: AccessOutcome,
    /// Ledger time.
    pub at: u64,
    /// Person's name, from the certificate.
    pub name: String,
    /// Title, department.
    pub title: String,
    /// Organisation.
    pub organisation: String,
    /// Titles of the records.
    pub titles: Vec<String>,
    /// Their ids.
    pub records: Vec<String>,
    /// What for.
    pub purpose: Purpose,
    /// Ledger entry, one tap on.
    pub entry: Option<u64>,
    /// The device that gave it, where that isn't this one: by its name.
    pub by: Option<String>,
}

/// How an access ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessOutcome {
    /// Read, with a receipt.
    Read,
    /// The key was released, no receipt came: counts as read.
    NoReceipt,
    /// Refused, as the relay reports; Fluent key of the reason.
    Refused {
        /// `reject-<number>`.
        reason: String,
    },
}
