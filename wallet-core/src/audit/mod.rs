//! The auditor's rules (PROTOCOL §5, §6): who read what class of data, when, to what end, on whose authority; what was
//! claimed, paid and taken back; which boxes don't open or don't match their entry, and whose they are.
//!
//! | need | call |
//! |---|---|
//! | which entries are of some days | [`Search`], [`Period`] |
//! | begin, with all entries or some | [`Audit::new`], [`Audit::within`] |
//! | an entry in its turn, verified, with the state that it makes | [`Audit::boxes`] |
//! | open its boxes with the quarters' keys, on any thread | [`Boxes::open`] |
//! | take it in order: its line, and what is wrong | [`Audit::take`] |
//! | the tables, and what only the end shows | [`Audit::end`] |
//! | the report to print, and the lines of CSV files | [`mod@report`] |
//! | sign the report, check a signed one | [`AuditStatement`] |
//!
//! **Every name is proven**: it comes from a certificate that the credential's own organisation issued, up to the
//! consortium's root, and from a signature for this very entry. A box that fails any of that is a [`Finding`] with the
//! credential's organisation and key on it, and the name that the box claims, marked as a claim.
//!
//! **What the ledger can't tell, isn't told**: whether a desk sent its receipt (receipts go sealed to the patient), what
//! a record says, who a patient is, and what an insurer refused.

pub mod clock;
mod fold;
mod open;
mod period;
pub mod report;
mod row;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod unusual;

pub use fold::{Audit, Taken};
pub use open::{BoxKeys, Boxes, Opened};
pub use period::{Days, NoPeriod, Period, Search, time_of};
pub use row::{
    At, Boxed, Consent, Finding, Gone, LONGEST_PURPOSE, Look, Paid, Professional, Read, Reversal, Row,
    Settlement, Signer, Told, Wrong,
};
pub use statement::{AuditStatement, FileVerdict, MOST_FILES, ReportFile};
pub use table::{Claims, Counted, Institution, OTHER_PURPOSE, Reader, Tables};
pub use unusual::Thresholds;
