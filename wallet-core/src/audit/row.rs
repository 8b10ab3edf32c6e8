//! What an audit finds, one type a kind: who read, what was paid, what was taken back, what the auditor looked at, what is
//! wrong.

use crate::consent::{BoxFault, Decision};
use crate::contract::{Kind, ReversalReason, Role, Slot};
use crate::id::{GrantId, HolderId, PartyId, TagId};
use crate::identity::{self, Certificate};
use crate::report::{Money, Sensitivity};
use crate::sm::{Digest, PublicKey};

/// Longest purpose that is taken over from a patient's box, in bytes; codes are shorter.
pub const LONGEST_PURPOSE: usize = 40;

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Its number.
    pub entry: u64,
    /// Its time, Unix seconds.
    pub time: u64,
}

/// A person or server by certificate, proven up to the consortium's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Professional {
    /// The certified key: whoever is certified anew for it is the same.
    pub key: PublicKey,
    /// Name.
    pub name: String,
    /// Department.
    pub unit: String,
    /// Title.
    pub title: String,
    /// A server, which works at night.
    pub server: bool,
}

impl Professional {
    /// Whom a certificate names.
    pub fn of(certificate: &Certificate) -> Self {
        let subject = certificate.subject();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            key: *certificate.key(),
            name: text(&subject.name),
            unit: text(&subject.unit),
            title: text(&subject.title),
            server: certificate.kind() == identity::Kind::ServerSign,
        }
    }

    /// Name, title and department, as far as the certificate has them.
    pub fn described(&self) -> String {
        let parts = [&self.name, &self.title, &self.unit].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// A box of an entry's, as far as the keys at hand open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<T> {
    /// Opened, and it is about its entry.
    Opened(T),
    /// The key that was in force then isn't at hand.
    NoKey,
    /// Something is wrong with it: a [`Finding`] says what.
    Wrong,
}

impl<T> Told<T> {
    /// What it says, where it opened.
    pub const fn opened(&self) -> Option<&T> {
        match self {
            Self::Opened(told) => Some(told),
            Self::NoKey | Self::Wrong => None,
        }
    }
}

/// What a patient agreed to, from the box of the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// `PurposeOfUse` code; at most [`LONGEST_PURPOSE`] bytes, longer ones are cut.
    pub purpose: String,
    /// On whose authority: a pseudonym, the same for all grants of one wallet.
    pub holder: HolderId,
}

/// One read: key shares were released for it. Whether the desk sent a receipt the ledger can't tell: receipts go sealed
/// to the patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Where.
    pub at: At,
    /// Under which grant.
    pub grant: GrantId,
    /// Which use of it, from 1.
    pub number: u64,
    /// To read, or a claim.
    pub kind: Kind,
    /// As what.
    pub role: Role,
    /// For which organisation.
    pub party: PartyId,
    /// Who, by certificate.
    pub by: Told<Professional>,
    /// With whose consent, to what end.
    pub consent: Told<Consent>,
    /// The classes of the records that were read, as the patient's box lists them; empty where it didn't open.
    pub classes: Vec<Sensitivity>,
    /// How many records.
    pub records: u64,
}

/// One settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Where.
    pub at: At,
    /// The insurer.
    pub party: PartyId,
    /// The hospital that vouched.
    pub issuer: PartyId,
    /// Who pays.
    pub slot: Slot,
    /// Which slot of which invoice.
    pub tag: TagId,
    /// Under which grant.
    pub grant: GrantId,
    /// How much, why, of which invoice.
    pub told: Told<Paid>,
}

/// What an insurer says of a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// All, or a part.
    pub decision: Decision,
    /// What could be asked for.
    pub claimed: Money,
    /// What was paid.
    pub paid: Money,
    /// Why not all.
    pub reason: String,
    /// The invoice's number, hashed with the hospital's code.
    pub invoice: Digest,
    /// The first bytes of the report's commitment.
    pub anchor: [u8; 8],
}

/// One settlement taken back, or an invoice voided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Where.
    pub at: At,
    /// The insurer, or the hospital.
    pub party: PartyId,
    /// Which slot.
    pub tag: TagId,
    /// Who would pay.
    pub slot: Slot,
    /// Why, as on the ledger.
    pub why: ReversalReason,
    /// Who, in which words.
    pub told: Told<(Professional, String)>,
}

/// The auditor's own looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where.
    pub at: At,
    /// Why; the first entry and the one after the last.
    pub told: Told<(String, u64, u64)>,
}

/// One line of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Who read.
    Read(Read),
    /// What was paid.
    Settlement(Settlement),
    /// What was taken back.
    Reversal(Reversal),
    /// What the auditor looked at.
    Look(Look),
}

/// Whose box it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boxed {
    /// Of a grant: the patient made it, and whoever redeems in spite of it answers for it.
    Grant,
    /// Of a read.
    Use,
    /// Of a settlement.
    Settlement,
    /// Of a reversal.
    Reversal,
    /// Of the auditor's looking.
    Look,
}

/// What happened to an invoice before it was settled all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gone {
    /// There is a newer version.
    Replaced,
    /// Its hospital took it back.
    Cancelled,
    /// Its hospital was suspended from before it was issued.
    Suspended,
}

/// What is wrong, or worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A box that doesn't open, or is about something else, or is signed by nobody who may.
    Box(Boxed, BoxFault),
    /// The records that were read have no anchor, or the grant's box lists another number of them.
    Records,
    /// A second tag for the same slot of the same invoice: the hospital vouched for both.
    TwoTags {
        /// The hospital.
        issuer: PartyId,
        /// Where the first was settled, by whom.
        first: (u64, PartyId),
        /// Whether both are paid: the first was not taken back before.
        both: bool,
    },
    /// Settled although the invoice was gone.
    Settled(Gone, u64),
    /// The settlement is about a report that no hospital anchored, or another one than vouched.
    Anchor,
    /// Voided by its hospital and never taken back by the insurer.
    PaidVoid {
        /// Where it was voided.
        void: u64,
    },
    /// So many reads in one window, where peers have so many.
    ManyReads {
        /// By this one.
        reads: u64,
        /// The median of the others in the same role; none where nobody else read.
        peers: Option<u64>,
    },
    /// So many reads in one night.
    NightReads {
        /// By this one.
        reads: u64,
    },
    /// The auditor's box key is in force for longer than a quarter.
    KeyOverdue {
        /// Since when.
        since: u64,
    },
}

impl Wrong {
    /// Not wrong by itself, only unusual.
    pub const fn is_unusual(&self) -> bool {
        matches!(self, Self::ManyReads { .. } | Self::NightReads { .. } | Self::KeyOverdue { .. })
    }

    /// A stable name, for tables and files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Box(_, fault) => match fault {
                BoxFault::Sealed => "box-sealed",
                BoxFault::OtherQuarter => "box-other-quarter",
                BoxFault::Form => "box-form",
                BoxFault::Other => "box-other",
                BoxFault::Certificate => "box-certificate",
                BoxFault::Role => "box-role",
                BoxFault::Presence => "box-presence",
            },
            Self::Records => "records",
            Self::TwoTags { .. } => "two-tags",
            Self::Settled(Gone::Replaced, _) => "settled-replaced",
            Self::Settled(Gone::Cancelled, _) => "settled-cancelled",
            Self::Settled(Gone::Suspended, _) => "settled-suspended",
            Self::Anchor => "anchor",
            Self::PaidVoid { .. } => "paid-void",
            Self::ManyReads { .. } => "many-reads",
            Self::NightReads { .. } => "night-reads",
            Self::KeyOverdue { .. } => "key-overdue",
        }
    }
}

/// Who answers for a finding.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Signer {
    /// The organisation of the credential; none where a patient's grant key signed, which names nobody.
    pub party: Option<PartyId>,
    /// As what.
    pub role: Option<Role>,
    /// The key that signed the entry: the organisation knows to whom it gave that credential.
    pub desk: Option<PublicKey>,
    /// Who: proven where the certificate held, else only as the box claims.
    pub person: Option<Professional>,
    /// Whether that is proven.
    pub proven: bool,
}

/// Something wrong, or unusual, with a name on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The entry.
    pub at: At,
    /// What.
    pub what: Wrong,
    /// Who.
    pub signer: Signer,
}
