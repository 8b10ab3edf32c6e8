//! A claim as an insurer's server holds it: what must survive a crash, and what its state follows from.

use crate::issuing::Pass;
use minicbor::{Decode, Encode, bytes::ByteVec};
use suishen_core::{
    consent::{Answer, AuditorSettlement, Decision, Disclosure},
    contract::{Reversal, Settled, SignedTransaction},
    gate::RELEASE_WITHIN,
    id::{Commitment, GrantId, TagId},
    report::Manifest,
    sm::{Key32, PublicKey, SecretKey},
};

/// A claim grant here.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Held {
    /// Which grant.
    #[n(0)]
    pub grant: GrantId,
    /// The code's secret.
    #[n(1)]
    pub offer_key: SecretKey,
    /// The keys and the credential that accept.
    #[n(2)]
    pub pass: Pass,
    /// When it came here, by the ledger's time.
    #[n(3)]
    pub since: u64,
    /// The last second in which it can be accepted.
    #[n(4)]
    pub accept_until: u64,
    /// The last second of the patient's consent.
    #[n(5)]
    pub until: u64,
    /// Accepted with these keys, proven.
    #[n(6)]
    pub accepted: bool,
    /// The server's certificate is before the patient.
    #[n(7)]
    pub presented: bool,
    /// The patient's half: from the code, or from the drop box after the yes.
    #[n(8)]
    pub half: Option<Key32>,
    /// The payload as it lay in the drop box; let go once it was opened.
    #[n(9)]
    pub payload: Option<ByteVec>,
    /// The use under way, or the last.
    #[n(10)]
    pub redemption: Option<Redemption>,
    /// What the patient shows.
    #[n(11)]
    pub opened: Option<Opened>,
    /// What is about to be said.
    #[n(12)]
    pub saying: Option<Saying>,
    /// What was said last.
    #[n(13)]
    pub said: Option<Said>,
    /// Why it came to nothing before it was opened.
    #[n(14)]
    pub closed: Option<Closed>,
    /// Its hospital voided the invoice after it was settled here.
    #[n(15)]
    pub flagged: bool,
    /// Decisions that didn't come to stand in their time. They are still looked for: see [`Held::given_up`].
    #[n(16)]
    pub given_up: Option<Vec<Saying>>,
    /// What was said and the patient isn't told yet: see [`Held::telling`].
    #[n(17)]
    pub telling: Option<Vec<Answer>>,
    /// What is sealed for the patient is sealed to this key, of the grant's proven terms; none in rows from before it was kept.
    #[n(18)]
    pub reply: Option<PublicKey>,
    /// By which entry another desk of the insurer took back what was said last, a settlement.
    #[n(19)]
    pub taken_back: Option<Reversal>,
}

/// Secrets and a patient's claim.
impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Held([redacted] {}, {})", self.grant, self.state().name())
    }
}

/// A use of the grant.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Redemption {
    /// Which use, from 1.
    #[n(0)]
    pub number: u32,
    /// Gates seal their shares to it.
    #[n(1)]
    pub secret: SecretKey,
    /// As it is sent, and sent again. With another credential after a day, but the same key: at most one of them stands,
    /// and whichever it is opens.
    #[n(2)]
    pub transaction: SignedTransaction,
    /// The ledger's time in its entry, once it is seen there.
    #[n(3)]
    pub at: Option<u64>,
}

impl Redemption {
    /// Whether gates still release for it at this moment, or it doesn't stand yet.
    pub fn goes_on(&self, now: u64) -> bool {
        self.at.is_none_or(|at| now < at.saturating_add(RELEASE_WITHIN))
    }
}

/// What was opened: kept as it came, and verified again each time it is read.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Opened {
    /// The record.
    #[n(0)]
    pub record: Commitment,
    /// What its hospital signed.
    #[n(1)]
    pub manifest: Manifest,
    /// The groups that are shown, and the tag's word.
    #[n(2)]
    pub disclosed: Disclosure,
    /// The hospital's name by its certificate.
    #[n(3)]
    pub hospital: String,
    /// The hospital's code.
    #[n(4)]
    pub hospital_code: String,
    /// When, by the ledger's time.
    #[n(5)]
    pub at: u64,
    /// The patient was told what was opened.
    #[n(6)]
    pub receipt: bool,
    /// Which use it was opened by.
    #[n(7)]
    pub number: u32,
    /// What the patient agreed to.
    #[n(8)]
    pub consent: String,
    /// What goes along with the invoice: a discharge summary, a list of fees.
    #[n(9)]
    pub papers: Option<Vec<Paper>>,
}

impl Opened {
    /// What goes along with the invoice.
    pub fn papers(&self) -> &[Paper] {
        self.papers.as_deref().unwrap_or_default()
    }

    /// What is shown of it, which never changes: its row is written once.
    pub fn shown(&self) -> Shown {
        Shown { disclosed: self.disclosed.clone(), papers: self.papers.clone() }
    }

    /// With what is shown of it.
    pub fn show(&mut self, shown: Shown) {
        (self.disclosed, self.papers) = (shown.disclosed, shown.papers);
    }
}

/// What is shown of an open claim, in a row of its own.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub struct Shown {
    /// The invoice's groups.
    #[n(0)]
    pub disclosed: Disclosure,
    /// What goes along with it.
    #[n(1)]
    pub papers: Option<Vec<Paper>>,
}

/// A record that explains the invoice, kept as it came.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Paper {
    /// What its hospital signed.
    #[n(0)]
    pub manifest: Manifest,
    /// The groups that are shown.
    #[n(1)]
    pub disclosed: Disclosure,
    /// The hospital's name by its certificate.
    #[n(2)]
    pub hospital: String,
    /// The hospital's code.
    #[n(3)]
    pub hospital_code: String,
}

/// What is about to be said, and goes on after a crash.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Saying {
    /// The entry and the ledger time by which it can stand; a refusal has none.
    #[n(0)]
    pub entry: Option<(SignedTransaction, u64)>,
    /// What the patient is told once it stands.
    #[n(1)]
    pub answer: Answer,
    /// The number of its entry, once it is seen on the ledger.
    #[n(2)]
    pub stands: Option<u64>,
    /// What a relay last said against it: no proof that it will never stand.
    #[n(3)]
    pub against: Option<String>,
}

impl Saying {
    /// What would be paid; none for a reversal.
    pub const fn told(&self) -> Option<&AuditorSettlement> {
        match &self.answer {
            Answer::Settled(told, ..) | Answer::Refused(told) => Some(told),
            Answer::Reversed(..) => None,
        }
    }

    /// Which slot of an invoice an entry is about; none where there is no entry.
    pub const fn slot(&self) -> Option<TagId> {
        match &self.answer {
            Answer::Settled(told, ..) => Some(told.tag),
            Answer::Reversed(told, _) => Some(told.tag),
            Answer::Refused(_) => None,
        }
    }
}

/// What was said last.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct Said {
    /// Settled, refused, or taken back.
    #[n(0)]
    pub answer: Answer,
    /// The number of the entry; a refusal has none.
    #[n(1)]
    pub entry: Option<u64>,
    /// When, by the ledger's time.
    #[n(2)]
    pub at: u64,
}

/// Why a claim came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Closed {
    /// A stable word.
    #[n(0)]
    pub code: String,
    /// A sentence.
    #[n(1)]
    pub detail: String,
}

/// Where a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not accepted on the ledger yet.
    Received,
    /// The patient hasn't said yes.
    Waiting,
    /// The invoice can be read; nothing is decided.
    Open,
    /// A decision or reversal is on its way.
    Deciding,
    /// Paid, whole or partly.
    Settled,
    /// Not paid.
    Refused,
    /// Was settled and taken back; may be decided anew.
    Reversed,
    /// Settled, and then voided by its hospital: somebody must look at it.
    Flagged,
    /// Came to nothing before it was opened.
    Closed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Waiting,
        Self::Open,
        Self::Deciding,
        Self::Settled,
        Self::Refused,
        Self::Reversed,
        Self::Flagged,
        Self::Closed,
    ];

    /// As it is spelled outside.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Deciding => "deciding",
            Self::Settled => "settled",
            Self::Refused => "refused",
            Self::Reversed => "reversed",
            Self::Flagged => "flagged",
            Self::Closed => "closed",
        }
    }

    /// Reads [`State::name`].
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Held {
    /// Without what it shows, which lies apart.
    #[must_use]
    pub fn apart(&self) -> Self {
        let mut held = self.clone();
        if let Some(opened) = &mut held.opened {
            opened.show(Shown::default());
        }
        held
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        if self.closed.is_some() {
            return State::Closed;
        }
        if self.saying.is_some() {
            return State::Deciding;
        }
        match self.said.as_ref().map(|said| &said.answer) {
            Some(Answer::Settled(..)) if self.taken_back.is_some() => return State::Reversed,
            Some(Answer::Settled(..)) if self.flagged => return State::Flagged,
            Some(Answer::Settled(..)) => return State::Settled,
            Some(Answer::Refused(_)) => return State::Refused,
            Some(Answer::Reversed(..)) => return State::Reversed,
            None => {}
        }
        match (self.accepted, &self.opened) {
            (_, Some(_)) => State::Open,
            (true, None) => State::Waiting,
            (false, None) => State::Received,
        }
    }

    /// The settlement in force, by its entry.
    pub fn settled(&self) -> Option<Settled> {
        let said = self.said.as_ref().filter(|_| self.taken_back.is_none())?;
        let entry = matches!(said.answer, Answer::Settled(..)).then_some(said.entry).flatten()?;
        Some(Settled { grant: self.grant, entry })
    }

    /// Whether something is still to be done by the server itself.
    pub fn is_under_way(&self) -> bool {
        let told = self.opened.as_ref().is_none_or(|opened| opened.receipt);
        let ends = self.given_up().is_empty() && self.telling().is_empty();
        self.waits() || (!told && self.closed.is_none()) || !ends
    }

    /// Whether it comes to something yet.
    pub fn waits(&self) -> bool {
        matches!(self.state(), State::Received | State::Waiting | State::Deciding)
    }

    /// Decisions that could stand no more by the members' own word, and that one who answers for the ledger's time could
    /// let stand afterwards.
    pub fn given_up(&self) -> &[Saying] {
        self.given_up.as_deref().unwrap_or_default()
    }

    /// Answers that the patient isn't told yet, in the order in which they were said.
    pub fn telling(&self) -> &[Answer] {
        self.telling.as_deref().unwrap_or_default()
    }

    /// What was about to be said stands, or is a refusal: it is said, and the patient is told it after what waits already.
    pub fn say(&mut self, at: u64) {
        let Some(Saying { answer, stands, .. }) = self.saying.take() else { return };
        let answer = match (answer, stands) {
            (Answer::Settled(told, seed, _), Some(entry)) => Answer::Settled(told, seed, entry),
            (answer, _) => answer,
        };
        self.telling.get_or_insert_default().push(answer.clone());
        self.said = Some(Said { answer, entry: stands, at });
        self.taken_back = None;
    }

    /// Another desk of the insurer took the settlement back: a reversal of it that is on its way can't stand any more. The
    /// ledger tells the patient; what this desk would have said of it isn't told.
    pub fn overtaken(&mut self, reversal: Reversal) {
        self.saying = self.saying.take().filter(|saying| !matches!(saying.answer, Answer::Reversed(..)));
        self.taken_back = Some(reversal);
    }

    /// The patient was told the first of what waits to be told.
    pub fn told(&mut self) {
        if let Some(telling) = self.telling.as_mut().filter(|telling| !telling.is_empty()) {
            telling.remove(0);
        }
        self.telling = self.telling.take().filter(|telling| !telling.is_empty());
    }

    /// Gives up what is about to be said, where it is an entry: it is looked for from then on.
    pub fn give_up(&mut self) {
        if let Some(saying) = self.saying.take().filter(|saying| saying.entry.is_some()) {
            self.given_up.get_or_insert_default().push(saying);
        }
    }

    /// Takes one of those given up out again, to be said after all.
    pub fn take_up(&mut self, which: usize) -> Option<Saying> {
        let given_up = self.given_up.as_mut()?;
        let saying = (which < given_up.len()).then(|| given_up.remove(which));
        if given_up.is_empty() {
            self.given_up = None;
        }
        saying
    }
}

/// What was decided, in one word.
pub const fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Whole => "whole",
        Decision::Partly => "partly",
        Decision::Refused => "refused",
    }
}
