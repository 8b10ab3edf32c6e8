//! The ledger as this device proves it (PROTOCOL §8): checkpoint, consistency, time, leaves, in this order. A relay's
//! word is never taken; what it sends is checked and then remembered.

use crate::http::{self, Call, CallError};
use crate::platform::{BrowserRandom, monotonic, phone_clock, sleep};
use crate::store::{Store, StoreError, Table};
use crate::worker::tell;
use std::cell::{Cell, RefCell};
use suishen_bridge::{Action, Event, Fault, LedgerState, Topic};
use suishen_core::cbor;
use suishen_core::contract::{Genesis, SignedTransaction};
use suishen_core::id::LedgerId;
use suishen_core::proof::checkpoint::{Cosigner, Epoch, SignedCheckpoint, VerifiedCheckpoint};
use suishen_core::proof::remembered::{Alarm, FRESH, Freshness, Remembered};
use suishen_core::proof::time::{TimeStatement, ledger_time};
use suishen_core::proof::tree::{Sm3, TreeHash as _, verify_inclusion};
use suishen_core::sm::{Digest, Random as _, Signed};

mod signed;
mod state;

pub use signed::Gate;
pub use state::Proven;

/// How long, in milliseconds, until there is a checkpoint with what was just included.
pub const NEXT_CHECKPOINT: i32 = 1500;

const GENESIS: &str = "genesis";
const REMEMBERED: &str = "remembered";
/// How long a told time is carried forward by the monotonic clock before it is asked for again, in seconds.
const TIME_HOLDS: f64 = 600.0;
/// How long it waits before it asks again, in milliseconds, where a newer answer overtook one.
const OVERTAKEN: i32 = 200;

/// The ledger client of one device.
#[derive(Debug)]
pub struct Ledger {
    /// The relays, the page's own first.
    pub relays: Vec<String>,
    /// Entry 0, proven by its hash.
    pub genesis: Genesis,
    /// Which ledger.
    pub id: LedgerId,
    /// Who cosigns.
    pub epoch: Epoch,
    remembered: RefCell<Option<Remembered>>,
    note: RefCell<String>,
    told: Cell<Option<(u64, f64)>>,
    alarm: Cell<Option<LedgerState>>,
    /// Bits of the prefix by which grants are asked for: as few as the relay answers.
    bits: Cell<u16>,
}

/// Why the ledger's word could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// No relay, or it said no.
    Call(CallError),
    /// What came doesn't hold: name of the check.
    Unsound(&'static str),
    /// A newer answer came before it.
    Overtaken,
    /// It contradicts what this device remembers.
    Alarm(Alarm),
    /// Storage.
    Store(StoreError),
}

impl From<CallError> for LedgerError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Call(error) => error.into(),
            LedgerError::Unsound(check) => Self::new("ledger-unsound", Action::Retry).with_detail(check),
            LedgerError::Overtaken => Self::new("ledger-old", Action::Retry),
            LedgerError::Alarm(alarm) => match seen_as(&alarm) {
                LedgerState::Forked => Self::new("ledger-forked", Action::Nothing),
                _ => Self::new("ledger-rewound", Action::Nothing),
            }
            .with_detail(alarm.to_string()),
            LedgerError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new("store", Action::Retry).with_detail(error.0)
    }
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Entry number.
    pub number: u64,
    /// Its time.
    pub now: u64,
}

#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct SubmitAnswer {
    #[n(0)]
    id: Digest,
    #[n(1)]
    number: u64,
    #[n(2)]
    now: u64,
}

impl Ledger {
    /// Opens the ledger that this device knows, or gets to know the one that its relays serve.
    pub async fn open(store: &Store, relays: Vec<String>) -> Result<Self, LedgerError> {
        let known = store.own().get(Table::Plain, GENESIS).await?;
        let bytes = if let Some(bytes) = known {
            bytes
        } else {
            let bytes = ask(&relays, &Call::get("/v1/ledger/genesis")).await?;
            store.own().put(Table::Plain, GENESIS, bytes.clone()).await?;
            bytes
        };
        let genesis: Genesis = cbor::decode(&bytes).map_err(|_| LedgerError::Unsound("genesis"))?;
        genesis.check().map_err(|_| LedgerError::Unsound("genesis"))?;
        let cosigners = genesis.members.iter().map(|m| Cosigner { name: m.name.clone(), key: m.cosigner });
        let epoch = Epoch { number: 0, cosigners: cosigners.collect() };
        let remembered = store.own().get(Table::Plain, REMEMBERED).await?;
        let remembered = remembered.and_then(|b| cbor::decode(&b).ok());
        Ok(Self {
            relays,
            id: genesis.ledger_id(),
            epoch,
            genesis,
            remembered: RefCell::new(remembered),
            note: RefCell::default(),
            told: Cell::default(),
            alarm: Cell::default(),
            bits: Cell::default(),
        })
    }

    /// Asks the relays in turn.
    pub async fn call(&self, call: &Call) -> Result<Vec<u8>, CallError> {
        ask(&self.relays, call).await
    }

    /// The ledger's time: told by t members, carried on by the monotonic clock. The phone's clock is never used.
    pub fn now(&self) -> Option<u64> {
        let (told, at) = self.told.get()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since a start")]
        let passed = (monotonic() - at).max(0.0) as u64;
        Some(told + passed)
    }

    /// How far the phone's own clock is off, in seconds; 0 before the ledger's time is known.
    pub fn clock_off(&self) -> i64 {
        self.now().and_then(|now| i64::try_from(now).ok()).map_or(0, |now| phone_clock() - now)
    }

    /// Size and time of the newest checkpoint that this device verified.
    pub fn seen(&self) -> Option<(u64, u64)> {
        self.remembered.borrow().as_ref().map(|r| (r.checkpoint().size, r.checkpoint_time()))
    }

    /// The note of the newest checkpoint verified since the start.
    pub fn note(&self) -> String {
        self.note.borrow().clone()
    }

    /// How the ledger looks from here.
    pub fn state(&self) -> LedgerState {
        if let Some(alarm) = self.alarm.get() {
            return alarm;
        }
        match self.remembered.borrow().as_ref().map(|r| r.freshness(self.now())) {
            None => LedgerState::Unknown,
            Some(Freshness::Current) => LedgerState::Fresh,
            Some(Freshness::AsOf(_)) => LedgerState::AsOf,
        }
    }

    /// Time and newest checkpoint, verified and remembered.
    pub async fn refresh(&self, store: &Store) -> Result<(), LedgerError> {
        if self.told.get().is_none_or(|(_, at)| monotonic() - at > TIME_HOLDS) {
            self.ask_time(store).await?;
        }
        for _ in 0..5 {
            let note = self.call(&Call::get("/v1/ledger/checkpoint")).await?;
            let note = String::from_utf8(note).map_err(|_| LedgerError::Unsound("checkpoint"))?;
            match self.accept(store, &note).await {
                Err(LedgerError::Overtaken) => sleep(OVERTAKEN).await,
                accepted => return accepted.map(drop),
            }
        }
        Err(LedgerError::Overtaken)
    }

    async fn ask_time(&self, store: &Store) -> Result<(), LedgerError> {
        self.hear_time().await?;
        let next = self.remembered.borrow().clone();
        match next {
            Some(next) => self.remember(store, next).await,
            None => Ok(()),
        }
    }

    /// The members' time; what was remembered says whether it went back.
    async fn hear_time(&self) -> Result<(), LedgerError> {
        let nonce: [u8; 32] = BrowserRandom.bytes();
        let mut statements: Vec<Signed<TimeStatement>> = Vec::new();
        let asked_at = monotonic();
        for relay in &self.relays {
            let call = Call::send("POST", "/v1/ledger/time", nonce.to_vec());
            if let Ok(answer) = http::send(relay, &call).await {
                statements.extend(cbor::decode(&answer).ok());
            }
        }
        let keys: Vec<_> = self.genesis.members.iter().map(|m| m.time).collect();
        if statements.is_empty() {
            return Err(CallError::Unreachable.into());
        }
        let told =
            ledger_time(&statements, &nonce, &keys, &self.id).map_err(|_| LedgerError::Unsound("time"))?;
        let remembered = self.remembered.borrow().clone();
        if let Some(remembered) = remembered {
            let next = remembered.accept_time(told).map_err(|alarm| self.raise(alarm))?;
            *self.remembered.borrow_mut() = Some(next);
        }
        self.told.set(Some((told, asked_at)));
        Ok(())
    }

    /// Verifies a checkpoint against what this device remembers, and remembers it.
    pub async fn accept(&self, store: &Store, note: &str) -> Result<VerifiedCheckpoint, LedgerError> {
        let verified = SignedCheckpoint::parse(note)
            .and_then(|signed| signed.verify(&self.id, &self.epoch))
            .map_err(|_| LedgerError::Unsound("checkpoint"))?;
        let remembered = self.remembered.borrow().clone();
        let next = match remembered {
            None => {
                self.tie_to_genesis(&verified).await?;
                Remembered::first(&verified)
            }
            Some(known) => {
                let (from, to) = (known.checkpoint().size, verified.checkpoint().size);
                let proof = if from < to { self.consistency(from, to).await? } else { Vec::new() };
                match known.accept(&verified, &proof) {
                    // A newer answer overtook this one, which is asked for again.
                    Err(Alarm::Stale { shown, known }) if known - shown <= FRESH => {
                        return Err(LedgerError::Overtaken);
                    }
                    next => next.map_err(|alarm| self.raise(alarm))?,
                }
            }
        };
        self.remember(store, next).await?;
        note.clone_into(&mut self.note.borrow_mut());
        Ok(verified)
    }

    /// Whether a checkpoint that somebody else showed is of the same ledger: a split view shows when two meet.
    pub async fn agrees(&self, other: &VerifiedCheckpoint) -> Result<bool, LedgerError> {
        let Some(mine) = self.remembered.borrow().as_ref().map(Remembered::checkpoint) else {
            return Ok(true);
        };
        let theirs = other.checkpoint();
        let (old, new) = if theirs.size <= mine.size { (theirs, &mine) } else { (&mine, theirs) };
        if old.size == new.size {
            return Ok(old.tree == new.tree && old.map == new.map);
        }
        let proof = self.consistency(old.size, new.size).await?;
        let verdict = suishen_core::proof::tree::verify_consistency::<Sm3>(
            old.size, new.size, &proof, &old.tree, &new.tree,
        );
        Ok(verdict.is_ok())
    }

    /// The same of a checkpoint's note: whether it is cosigned, and of the same ledger.
    pub async fn agrees_with(&self, note: &str) -> Result<bool, LedgerError> {
        let theirs = SignedCheckpoint::parse(note).and_then(|note| note.verify(&self.id, &self.epoch));
        match theirs {
            Ok(theirs) => self.agrees(&theirs).await,
            Err(_) => Ok(false),
        }
    }

    async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Digest>, LedgerError> {
        let call = Call::get(format!("/v1/ledger/proof/consistency?from={from}&to={to}"));
        cbor::decode(&self.call(&call).await?).map_err(|_| LedgerError::Unsound("consistency"))
    }

    /// The first checkpoint must contain the genesis as entry 0.
    async fn tie_to_genesis(&self, verified: &VerifiedCheckpoint) -> Result<(), LedgerError> {
        let size = verified.checkpoint().size;
        let call = Call::get(format!("/v1/ledger/proof/inclusion?entry=0&size={size}"));
        let proof: Vec<Digest> =
            cbor::decode(&self.call(&call).await?).map_err(|_| LedgerError::Unsound("genesis"))?;
        let leaf = Sm3::leaf(&cbor::encode(&self.genesis));
        verify_inclusion::<Sm3>(leaf, 0, size, &proof, &verified.checkpoint().tree)
            .map_err(|_| LedgerError::Unsound("genesis"))
    }

    /// Somebody else holds a cosigned checkpoint of another ledger under the same name: from now on this one looks so.
    pub fn found_split(&self) {
        if self.alarm.replace(Some(LedgerState::Forked)) != Some(LedgerState::Forked) {
            tell(&Event::Changed(Topic::Ledger));
        }
    }

    fn raise(&self, alarm: Alarm) -> LedgerError {
        self.alarm.set(Some(seen_as(&alarm)));
        LedgerError::Alarm(alarm)
    }

    async fn remember(&self, store: &Store, next: Remembered) -> Result<(), LedgerError> {
        let age = |of: &Remembered| (of.checkpoint().size, of.checkpoint_time(), of.greatest_time());
        if self.remembered.borrow().as_ref().is_some_and(|known| age(known) > age(&next)) {
            // A newer one came while this one was being verified.
            return Ok(());
        }
        store.own().put(Table::Plain, REMEMBERED, cbor::encode(&next)).await?;
        *self.remembered.borrow_mut() = Some(next);
        Ok(())
    }

    /// The tree root of the newest checkpoint that this device verified.
    pub fn root(&self) -> Option<Digest> {
        self.remembered.borrow().as_ref().map(|r| r.checkpoint().tree)
    }

    /// Puts a transaction on the ledger. A repeat gives the first entry.
    pub async fn submit(&self, signed: &SignedTransaction) -> Result<Receipt, LedgerError> {
        let answer = self.call(&Call::send("POST", "/v1/transactions", signed.to_bytes())).await?;
        let answer: SubmitAnswer = cbor::decode(&answer).map_err(|_| LedgerError::Unsound("receipt"))?;
        if answer.id != *signed.id().digest() {
            return Err(LedgerError::Unsound("receipt"));
        }
        Ok(Receipt { number: answer.number, now: answer.now })
    }
}

/// How the ledger looks after an alarm.
const fn seen_as(alarm: &Alarm) -> LedgerState {
    match alarm {
        Alarm::Fork { .. } | Alarm::OtherLedger => LedgerState::Forked,
        Alarm::Rewind { .. } | Alarm::TimeWentBack { .. } | Alarm::Stale { .. } => LedgerState::Rewound,
    }
}

/// Asks one relay after the other until one answers, yes or no.
async fn ask(relays: &[String], call: &Call) -> Result<Vec<u8>, CallError> {
    let mut last = CallError::Unreachable;
    for relay in relays {
        match http::send(relay, call).await {
            Err(error @ (CallError::Unreachable | CallError::CutShort)) => last = error,
            answer => return answer,
        }
    }
    Err(last)
}
