//! What the auditor signs under a report: which files, over which ledger, as of which checkpoint, logged where.

use crate::id::LedgerId;
use crate::sm::{Digest, Object};
use minicbor::{Decode, Encode};

/// Most files of one report.
pub const MOST_FILES: usize = 64;

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReportFile {
    /// A plain name, without folders.
    #[n(0)]
    pub name: String,
    /// SM3 of its bytes.
    #[n(1)]
    pub digest: Digest,
}

/// A report of the auditor's, signed with the audit key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AuditStatement {
    /// The ledger.
    #[n(0)]
    pub ledger: LedgerId,
    /// Entries that were replayed, the genesis object included.
    #[n(1)]
    pub size: u64,
    /// The entry tree's root at that size.
    #[n(2)]
    pub tree: Digest,
    /// The state map's root at that size.
    #[n(3)]
    pub map: Digest,
    /// When the checkpoint was cosigned.
    #[n(4)]
    pub time: u64,
    /// The entry by which this look was logged.
    #[n(5)]
    pub look: u64,
    /// The files, by name, ascending.
    #[n(6)]
    pub files: Vec<ReportFile>,
}

impl Object for AuditStatement {
    const NAME: &'static str = "audit-statement";
}

/// How a file stands against what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileVerdict {
    /// As it was signed.
    Same,
    /// Another content than was signed.
    Changed,
    /// No such file was signed.
    Unknown,
}

impl AuditStatement {
    /// Whether its list of files is one that this program makes: plain names, ascending, not too many.
    pub fn is_sound(&self) -> bool {
        let plain = |name: &str| !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\', '\0']);
        self.files.len() <= MOST_FILES
            && self.files.is_sorted_by(|a, b| a.name < b.name)
            && self.files.iter().all(|file| plain(&file.name) && file.name != ".." && file.name != ".")
    }

    /// Holds a file against what was signed.
    pub fn verdict(&self, name: &str, bytes: &[u8]) -> FileVerdict {
        match self.files.iter().find(|file| file.name == name) {
            None => FileVerdict::Unknown,
            Some(file) if file.digest == Digest::of(bytes) => FileVerdict::Same,
            Some(_) => FileVerdict::Changed,
        }
    }
}
