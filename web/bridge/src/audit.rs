//! The auditor's desk: the ledger replayed in the worker, boxes opened with the quarters' keys, and what came of it.

use serde::{Deserialize, Serialize};

use crate::Payer;

/// Asked by the auditor's page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AuditRequest {
    /// Takes one of the auditor's key files (in `bytes`, secret) into the worker's memory, where it stays until the page
    /// goes or forgets it; answer: [`AuditResponse::Keys`].
    Key,
    /// Forgets the keys; answer: [`AuditResponse::Keys`].
    Forget,
    /// Which keys are at hand; answer: [`AuditResponse::Keys`].
    Keys,
    /// Replays the ledger from entry 0. With keys at hand the look is written on the ledger first, and boxes are
    /// opened. Answer: [`AuditResponse::Audit`].
    Run {
        /// Why, for whoever audits the auditor; not looked at without keys.
        why: String,
        /// Of which days.
        period: AuditPeriod,
    },
    /// Reads of the last audit, newest first, so many at a time. Answer: [`AuditResponse::Reads`].
    Reads {
        /// How many are passed over.
        skip: u64,
    },
    /// The report of the last audit as a file to save. Answer: [`AuditResponse::Report`], with the file.
    Report {
        /// Which files.
        form: ReportForm,
        /// In English, not in Chinese.
        english: bool,
    },
}

/// Of which days an audit is, by the clock in China.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditPeriod {
    /// Everything.
    #[default]
    Whole,
    /// The quarter of the ledger's day, up to that day.
    ThisQuarter,
    /// The quarter before that.
    LastQuarter,
    /// From one day to another, both included, each as `2026-07-01`.
    Days {
        /// The first.
        from: String,
        /// The last.
        to: String,
    },
}

/// What is saved of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportForm {
    /// One page of HTML to print.
    Page,
    /// Page, CSV files and, where boxes were opened, the auditor's signature, in one ZIP file.
    Whole,
}

/// Answers to [`AuditRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AuditResponse {
    /// What is at hand.
    Keys(AuditKeys),
    /// What was found.
    Audit(Box<AuditView>),
    /// Some of the reads that this worker holds.
    Reads(Vec<AuditRead>),
    /// A file to save, in the answer's bytes.
    Report {
        /// Its name.
        name: String,
    },
}

/// Keys in the worker's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditKeys {
    /// Of quarters that the ledger knows, as far as it still names them.
    pub quarters: u64,
    /// The auditor's own, without which no look is written.
    pub signs: bool,
    /// Others: of quarters that the ledger no longer names, or of something else.
    pub others: u64,
    /// Until when the key in force is to be changed, and whether that time is over; none before a key is at hand.
    pub due: Option<(u64, bool)>,
}

/// What an audit gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Entries, the genesis object included.
    pub size: u64,
    /// When the checkpoint was cosigned.
    pub checked: u64,
    /// The entry by which this look was logged; none where no box was opened.
    pub look: Option<u64>,
    /// The first and the last day that it is of, each as `2026-07-01`; none where it is of all.
    pub days: Option<(String, String)>,
    /// Whether the ledger has more lines than this worker holds: the report goes without CSV files.
    pub cut: bool,
    /// Quarters whose key is at hand, of how many.
    pub quarters: (u64, u64),
    /// Boxes whose key isn't at hand.
    pub no_key: u64,
    /// The auditor's looks in all.
    pub looks: u64,
    /// Reads in all.
    pub reads: u64,
    /// What is wrong or unusual, the first of them.
    pub findings: Vec<AuditFinding>,
    /// How many more.
    pub more: u64,
    /// By organisation.
    pub institutions: Vec<AuditInstitution>,
    /// By person or server, the busiest first, the first of them.
    pub readers: Vec<AuditReader>,
    /// The same by month, the newest month first, so many of them.
    pub months: Vec<AuditMonth>,
    /// Reads by hour of the day in China, and whether that hour is night.
    pub hours: Vec<(u64, bool)>,
    /// Reads by purpose code.
    pub purposes: Vec<(String, u64)>,
    /// By insurer, slot and currency.
    pub claims: Vec<AuditClaims>,
}

/// Something wrong or unusual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// The entry.
    pub entry: u64,
    /// Its time.
    pub time: u64,
    /// A stable name: `box-sealed`, `two-tags`…
    pub name: String,
    /// Whose box, by a stable name: `grant`, `use`, `settlement`, `reversal`, `look`; empty for what isn't about one.
    pub boxed: String,
    /// Another entry that it is about, or since when; 0 where there is none.
    pub other: u64,
    /// A number that it is about: reads; peers' reads.
    pub counts: (u64, Option<u64>),
    /// Another organisation that it is about.
    pub who: String,
    /// The organisation that answers for it; empty for a patient's key.
    pub organisation: String,
    /// The person.
    pub person: String,
    /// Whether the person is proven, and not only what the box claims.
    pub proven: bool,
    /// Unusual, and not wrong by itself.
    pub unusual: bool,
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRead {
    /// The entry.
    pub entry: u64,
    /// Its time.
    pub time: u64,
    /// Name, title, department, by the certificate; empty where its box isn't open.
    pub who: String,
    /// Organisation, by the ledger.
    pub organisation: String,
    /// Records in it.
    pub records: u64,
    /// Of which classes, by stable names, as the patient's box says; empty where that isn't open.
    pub classes: Vec<String>,
    /// On whose authority: the beginnings of the holder's name and of the grant's; no holder where the box isn't open.
    pub authority: (Option<String>, String),
    /// The purpose's code, as the patient agreed to; none where that box isn't open.
    pub purpose: Option<String>,
    /// Whether the name is proven; none where its key isn't at hand.
    pub proven: Option<bool>,
}

/// What an organisation's people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditInstitution {
    /// Name.
    pub name: String,
    /// Reads.
    pub reads: u64,
    /// Records in them.
    pub records: u64,
    /// Reads of sensitive classes.
    pub sensitive: u64,
    /// Reads that no certificate stands for.
    pub nameless: u64,
    /// Reads by month (`2026-11`), ascending.
    pub months: Vec<(String, u64)>,
}

/// Who read in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditMonth {
    /// `2026-11`.
    pub month: String,
    /// By person or server, the busiest first, the first of them.
    pub readers: Vec<AuditReader>,
}

/// What one person or server read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReader {
    /// Name, title, department; empty for reads that no certificate stands for.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// Reads.
    pub reads: u64,
    /// Records in them.
    pub records: u64,
    /// At night.
    pub night: u64,
    /// The last one's time.
    pub last: u64,
}

/// What an insurer did in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditClaims {
    /// Insurer.
    pub insurer: String,
    /// Who pays.
    pub payer: Payer,
    /// Paid whole; in part; taken back; of unknown sum.
    pub counts: [u64; 4],
    /// Claimed and paid, in hundredths.
    pub claimed: u64,
    /// Paid and not taken back.
    pub paid: u64,
    /// Currency; empty where it isn't known.
    pub currency: String,
}
