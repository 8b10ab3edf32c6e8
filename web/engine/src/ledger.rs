//! The ledger as this device proves it (PROTOCOL §8): checkpoint, consistency, time, leaves, in this order. A relay's
//! word is never taken; what it sends is checked and then remembered.

use crate::http::{self, Call, CallError};
use crate::platform::{BrowserRandom, monotonic, phone_clock};
use crate::store::{Store, StoreError, Table};
use std::cell::{Cell, RefCell};
use suishen_bridge::{Action, Fault, LedgerState};
use suishen_core::cbor;
use suishen_core::consent::Message;
use suishen_core::contract::{Anchor, AuditorKeys, Genesis, Holder, Key, Party, SignedTransaction, Terms};
use suishen_core::gate::GateDay;
use suishen_core::id::{BlobAddress, GrantId, LedgerId, PartyId};
use suishen_core::identity::request;
use suishen_core::proof::bundle::{self, Bundle, ShownParty};
use suishen_core::proof::checkpoint::{Cosigner, Epoch, SignedCheckpoint, VerifiedCheckpoint};
use suishen_core::proof::log::{AccessLog, ProvenEntry, ProvenValue, ShownGrant, ShownGrants};
use suishen_core::proof::map::{MapKey, MapProof, Prefix};
use suishen_core::proof::remembered::{Alarm, Freshness, Remembered};
use suishen_core::proof::time::{TimeStatement, ledger_time};
use suishen_core::proof::tree::{Sm3, TreeHash as _, verify_inclusion};
use suishen_core::sm::{Digest, PublicKey, Random as _, SecretKey, Signed};

const GENESIS: &str = "genesis";
const REMEMBERED: &str = "remembered";
/// How long a told time is carried forward by the monotonic clock before it is asked for again, in seconds.
const TIME_HOLDS: f64 = 600.0;

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
            LedgerError::Alarm(alarm) => {
                Self::new("ledger-alarm", Action::Nothing).with_detail(alarm.to_string())
            }
            LedgerError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new("store", Action::Retry).with_detail(error.0)
    }
}

/// A value of the state with all that proves it.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The value's bytes; `None` where the state provably holds nothing.
    pub value: Option<Vec<u8>>,
    /// Under the map root of the checkpoint.
    pub proof: MapProof,
    /// The checkpoint.
    pub checkpoint: VerifiedCheckpoint,
    /// Its note, to hand on.
    pub note: String,
}

/// Answer of `/v1/ledger/state` and `/v1/ledger/value`.
#[derive(Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct StateAnswer {
    #[n(0)]
    note: String,
    #[n(1)]
    proof: MapProof,
    #[n(2)]
    values: Vec<StateValue>,
}

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
struct StateValue {
    #[cbor(n(0), with = "minicbor::bytes")]
    key: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    value: Vec<u8>,
    #[n(2)]
    entries: Vec<EntryAnswer>,
}

/// What `/v1/ledger/values` is asked.
#[derive(Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct ValuesAsked {
    #[n(0)]
    keys: Vec<minicbor::bytes::ByteVec>,
}

/// What it answers.
#[derive(Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct ValuesAnswer {
    #[n(0)]
    note: String,
    #[n(1)]
    values: Vec<ValueProven>,
}

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
struct ValueProven {
    #[n(0)]
    value: Option<minicbor::bytes::ByteVec>,
    #[n(1)]
    proof: MapProof,
}

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
struct EntryAnswer {
    #[n(0)]
    number: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    bytes: Vec<u8>,
    #[n(2)]
    inclusion: Vec<Digest>,
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
        let known = store.get(Table::Plain, GENESIS).await?;
        let bytes = if let Some(bytes) = known {
            bytes
        } else {
            let bytes = ask(&relays, &Call::get("/v1/ledger/genesis")).await?;
            store.put(Table::Plain, GENESIS, bytes.clone()).await?;
            bytes
        };
        let genesis: Genesis = cbor::decode(&bytes).map_err(|_| LedgerError::Unsound("genesis"))?;
        genesis.check().map_err(|_| LedgerError::Unsound("genesis"))?;
        let cosigners = genesis.members.iter().map(|m| Cosigner { name: m.name.clone(), key: m.cosigner });
        let epoch = Epoch { number: 0, cosigners: cosigners.collect() };
        let remembered = store.get(Table::Plain, REMEMBERED).await?.and_then(|b| cbor::decode(&b).ok());
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
        let note = self.call(&Call::get("/v1/ledger/checkpoint")).await?;
        let note = String::from_utf8(note).map_err(|_| LedgerError::Unsound("checkpoint"))?;
        self.accept(store, &note).await?;
        Ok(())
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
                known.accept(&verified, &proof).map_err(|alarm| self.raise(alarm))?
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

    fn raise(&self, alarm: Alarm) -> LedgerError {
        self.alarm.set(match alarm {
            Alarm::Fork { .. } | Alarm::OtherLedger => Some(LedgerState::Forked),
            Alarm::Rewind { .. } | Alarm::TimeWentBack { .. } | Alarm::Stale { .. } => {
                Some(LedgerState::Rewound)
            }
        });
        LedgerError::Alarm(alarm)
    }

    async fn remember(&self, store: &Store, next: Remembered) -> Result<(), LedgerError> {
        store.put(Table::Plain, REMEMBERED, cbor::encode(&next)).await?;
        *self.remembered.borrow_mut() = Some(next);
        Ok(())
    }

    /// What the state holds under a key, proven under the newest checkpoint.
    pub async fn value(&self, store: &Store, key: &Key) -> Result<Proven, LedgerError> {
        let state_key = key.to_bytes();
        let path = format!("/v1/ledger/value/{}", hex_of(key));
        let answer: StateAnswer =
            cbor::decode(&self.call(&Call::get(path)).await?).map_err(|_| LedgerError::Unsound("state"))?;
        let checkpoint = self.accept(store, &answer.note).await?;
        let held = answer
            .proof
            .lookup(&MapKey::of(&state_key), &checkpoint.checkpoint().map)
            .map_err(|_| LedgerError::Unsound("state"))?;
        let value = answer.values.into_iter().find(|v| v.key == state_key).map(|v| v.value);
        match (held, &value) {
            (None, None) => {}
            (Some(digest), Some(value)) if digest == Digest::of(value) => {}
            _ => return Err(LedgerError::Unsound("state")),
        }
        Ok(Proven { value, proof: answer.proof, checkpoint, note: answer.note })
    }

    /// What the state holds under each key, in their order, all proven under one checkpoint.
    pub async fn values(&self, store: &Store, keys: &[Key]) -> Result<Vec<Proven>, LedgerError> {
        let unsound = || LedgerError::Unsound("state");
        let state_keys: Vec<Vec<u8>> = keys.iter().map(Key::to_bytes).collect();
        let asked = ValuesAsked { keys: state_keys.iter().cloned().map(Into::into).collect() };
        let call = Call::send("POST", "/v1/ledger/values", cbor::encode(&asked));
        let answer: ValuesAnswer = cbor::decode(&self.call(&call).await?).map_err(|_| unsound())?;
        let checkpoint = self.accept(store, &answer.note).await?;
        if answer.values.len() != keys.len() {
            return Err(unsound());
        }
        let mut values = Vec::with_capacity(keys.len());
        for (key, ValueProven { value, proof }) in state_keys.iter().zip(answer.values) {
            let held = proof.lookup(&MapKey::of(key), &checkpoint.checkpoint().map).map_err(|_| unsound())?;
            if held != value.as_ref().map(|value| Digest::of(value)) {
                return Err(unsound());
            }
            let (checkpoint, note) = (checkpoint, answer.note.clone());
            values.push(Proven { value: value.map(Vec::from), proof, checkpoint, note });
        }
        Ok(values)
    }

    async fn typed<T>(&self, store: &Store, key: &Key) -> Result<Option<T>, LedgerError>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        let value = self.value(store, key).await?.value;
        value.map(|v| cbor::decode(&v).map_err(|_| LedgerError::Unsound("state"))).transpose()
    }

    /// A report's anchor.
    pub async fn anchor(
        &self,
        store: &Store,
        id: suishen_core::id::Commitment,
    ) -> Result<Option<Anchor>, LedgerError> {
        self.typed(store, &Key::Anchor(id)).await
    }

    /// A holder.
    pub async fn holder(
        &self,
        store: &Store,
        id: suishen_core::id::HolderId,
    ) -> Result<Option<Holder>, LedgerError> {
        self.typed(store, &Key::Holder(id)).await
    }

    /// An organisation.
    pub async fn party(
        &self,
        store: &Store,
        id: suishen_core::id::PartyId,
    ) -> Result<Option<Party>, LedgerError> {
        self.typed(store, &Key::Party(id)).await
    }

    /// A grant's terms.
    pub async fn terms(&self, store: &Store, id: GrantId) -> Result<Option<Terms>, LedgerError> {
        self.typed(store, &Key::Terms(id)).await
    }

    /// The auditor's keys.
    pub async fn auditor(&self, store: &Store) -> Result<AuditorKeys, LedgerError> {
        self.typed(store, &Key::Auditor).await?.ok_or(LedgerError::Unsound("auditor"))
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

impl Ledger {
    /// Sends a call signed by `key` (RFC 9421), at the ledger's time.
    pub async fn signed(&self, call: Call, key: &SecretKey) -> Result<Vec<u8>, CallError> {
        self.signed_to(&self.relays, call, key).await
    }

    /// The same to these relays. A clock that stood still while the device slept makes signatures that are too old:
    /// then the time is asked anew, once.
    pub async fn signed_to(
        &self,
        relays: &[String],
        call: Call,
        key: &SecretKey,
    ) -> Result<Vec<u8>, CallError> {
        match ask(relays, &self.sign(call.clone(), key)?).await {
            Err(CallError::Refused { code, .. }) if code == "stale" && self.hear_time().await.is_ok() => {
                ask(relays, &self.sign(call, key)?).await
            }
            answer => answer,
        }
    }

    fn sign(&self, mut call: Call, key: &SecretKey) -> Result<Call, CallError> {
        let now = self.now().ok_or(CallError::Unreachable)?;
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let content = Digest::of(call.body.as_deref().unwrap_or_default());
        let message = request::Message { method: call.method, path, query, content };
        let headers = request::sign(&message, key, &self.id, now, &mut BrowserRandom);
        call.headers.extend([
            ("content-digest".to_owned(), headers.content_digest),
            ("signature-input".to_owned(), headers.signature_input),
            ("signature".to_owned(), headers.signature),
        ]);
        Ok(call)
    }

    /// How many gates the epoch has, and how many it takes.
    pub fn gates(&self) -> (u8, u8) {
        // The genesis is checked to have at most 16 members.
        let many = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        (many(self.genesis.count()), many(self.genesis.threshold()))
    }

    /// Each relay's answer to /v1/info, checked: the gate key of the day is signed by a member's gate key.
    pub async fn gate_keys(&self) -> Result<Vec<Gate>, LedgerError> {
        let mut gates = Vec::new();
        for relay in &self.relays {
            let Ok(answer) = http::send(relay, &Call::get("/v1/info")).await else { continue };
            let info: Info = cbor::decode(&answer).map_err(|_| LedgerError::Unsound("info"))?;
            let member = self.genesis.members.iter().position(|m| m.name == info.name);
            let Some((index, member)) = member.and_then(|i| Some((i, self.genesis.members.get(i)?))) else {
                continue;
            };
            let day = info.day.verify(&member.gate, &self.id).map_err(|_| LedgerError::Unsound("gate"))?;
            let number = u8::try_from(index + 1).map_err(|_| LedgerError::Unsound("gate"))?;
            if !gates.iter().any(|g: &Gate| g.number == number) {
                gates.push(Gate { number, relay: relay.clone(), day: day.key, key: member.gate });
            }
        }
        if gates.is_empty() { Err(CallError::Unreachable.into()) } else { Ok(gates) }
    }
}

/// A gate as it can be reached now.
#[derive(Clone, Debug)]
pub struct Gate {
    /// 1 to n, in the genesis' order.
    pub number: u8,
    /// Origin.
    pub relay: String,
    /// Deposits are sealed to it.
    pub day: PublicKey,
    /// Signs releases.
    pub key: PublicKey,
}

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Info {
    #[n(0)]
    ledger: LedgerId,
    #[n(1)]
    name: String,
    #[n(2)]
    origins: Vec<String>,
    #[n(3)]
    day: Signed<GateDay>,
    #[n(4)]
    now: u64,
    #[n(5)]
    demo: bool,
}

impl Ledger {
    /// Stores ciphertext under its address, owned by `owner`.
    pub async fn put_blob(
        &self,
        address: &BlobAddress,
        bytes: &[u8],
        owner: &SecretKey,
    ) -> Result<(), CallError> {
        let mut call = Call::send("PUT", format!("/v1/blobs/{address}"), bytes.to_vec());
        call.headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
        self.signed(call, owner).await.map(drop)
    }

    /// Fetches ciphertext and checks its address.
    pub async fn get_blob(&self, address: &BlobAddress, key: &SecretKey) -> Result<Vec<u8>, LedgerError> {
        let bytes = self.signed(Call::get(format!("/v1/blobs/{address}")), key).await?;
        if BlobAddress::of(&bytes) == *address { Ok(bytes) } else { Err(LedgerError::Unsound("blob")) }
    }

    /// All messages in a grant's drop box.
    pub async fn drop_box(&self, grant: GrantId, key: &SecretKey) -> Result<Vec<Message>, LedgerError> {
        let answer = self.signed(Call::get(format!("/v1/drop/{grant}")), key).await?;
        let messages: Vec<minicbor::bytes::ByteVec> =
            cbor::decode(&answer).map_err(|_| LedgerError::Unsound("drop box"))?;
        messages.iter().map(|m| cbor::decode(m).map_err(|_| LedgerError::Unsound("drop box"))).collect()
    }
}

impl Ledger {
    /// The tree root of the newest checkpoint that this device verified.
    pub fn root(&self) -> Option<Digest> {
        self.remembered.borrow().as_ref().map(|r| r.checkpoint().tree)
    }

    /// A grant's log, proven complete. Asked for by a prefix under which many grants lie, without credentials, so that
    /// the relay doesn't learn which is this wallet's.
    pub async fn log_of(&self, store: &Store, id: &GrantId) -> Result<Option<AccessLog>, LedgerError> {
        let key = MapKey::of(&Key::Grant(*id).to_bytes());
        let mut bits = self.bits.get();
        let (prefix, shown) = loop {
            let prefix = Prefix::of(&key, bits);
            match self.call(&Call::get(format!("/v1/ledger/state/{prefix}"))).await {
                Ok(answer) => {
                    let shown: ShownGrants =
                        cbor::decode(&answer).map_err(|_| LedgerError::Unsound("log"))?;
                    break (prefix, shown);
                }
                Err(error) if error.is(413) && bits < 256 => bits += 1,
                Err(error) => return Err(error.into()),
            }
        };
        self.bits.set(bits);
        let verified = self.accept(store, &shown.note).await?;
        shown.log_of(id, &prefix, verified.checkpoint()).map_err(|_| LedgerError::Unsound("log"))
    }

    /// Everything that proves a grant's log to somebody offline.
    pub async fn bundle(
        &self,
        store: &Store,
        id: &GrantId,
        receipts: Vec<Vec<u8>>,
    ) -> Result<Bundle, LedgerError> {
        let unsound = |_| LedgerError::Unsound("bundle");
        // The ledger may grow between two answers: asked again until all are of one size.
        for _ in 0..8 {
            let key = hex_of(&Key::Grant(*id));
            let answer = self.call(&Call::get(format!("/v1/ledger/value/{key}"))).await?;
            let answer: StateAnswer = cbor::decode(&answer).map_err(unsound)?;
            let verified = self.accept(store, &answer.note).await?;
            let shown = answer.values.into_iter().next().ok_or(LedgerError::Unsound("bundle"))?;
            let grant = ShownGrant {
                id: *id,
                leaf: shown.value,
                entries: shown
                    .entries
                    .into_iter()
                    .map(|e| ProvenEntry { number: e.number, bytes: e.bytes, inclusion: e.inclusion })
                    .collect(),
            };
            let log = grant
                .verify(&answer.proof, verified.checkpoint())
                .map_err(|_| LedgerError::Unsound("bundle"))?;
            let mut parties = Vec::new();
            let mut same = true;
            for party in acting(&log) {
                let proven = self.value(store, &Key::Party(party.clone())).await?;
                same &= proven.checkpoint.checkpoint() == verified.checkpoint();
                let value = proven.value.ok_or(LedgerError::Unsound("bundle"))?;
                parties.push(ShownParty { id: party, value: ProvenValue { value, proof: proven.proof } });
            }
            if !same {
                continue;
            }
            let size = verified.checkpoint().size;
            let path = format!("/v1/ledger/proof/inclusion?entry=0&size={size}");
            let inclusion = cbor::decode(&self.call(&Call::get(path)).await?).map_err(unsound)?;
            let genesis = ProvenEntry { number: 0, bytes: cbor::encode(&self.genesis), inclusion };
            let receipts = receipts.into_iter().map(bundle::Receipt).collect();
            return Ok(Bundle { genesis, note: answer.note, grant, proof: answer.proof, parties, receipts });
        }
        Err(LedgerError::Unsound("busy"))
    }
}

fn hex_of(key: &Key) -> String {
    data_encoding::HEXLOWER.encode(&key.to_bytes())
}

/// The organisations whose credentials stand in a log.
fn acting(log: &AccessLog) -> Vec<PartyId> {
    let mut parties: Vec<PartyId> = log
        .entries
        .iter()
        .filter_map(|entry| Some(entry.transaction.credential()?.claimed().ok()?.party))
        .collect();
    parties.sort();
    parties.dedup();
    parties
}
