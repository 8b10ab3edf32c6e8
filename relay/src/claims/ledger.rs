//! The ledger as an insurer's server proves it (PROTOCOL §8): time, checkpoint, consistency, leaves, in this order. A
//! relay's word is never taken; what it sends is checked and then remembered, over a restart too.

use super::{
    looks::{Look, Looks},
    rows::{Rows, RowsError},
};
use crate::{
    client::{Client, ClientError},
    http::ledger::{ValueAnswer, ValueProven, ValuesAnswer, ValuesAsked},
    random::SystemRandom,
};
use axum::http::Method;
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use suishen_core::{
    cbor,
    contract::{AuditorKeys, Entry, Key, SignedTransaction},
    id::{GrantId, LedgerId},
    identity::Certificate,
    proof::{
        bundle::first_epoch,
        checkpoint::{Epoch, SignedCheckpoint, VerifiedCheckpoint},
        log::{AccessLog, ProvenEntry, ShownGrant},
        map::MapKey,
        remembered::{Alarm, Freshness, Remembered},
        time::{TimeStatement, ledger_time},
        tree::{Sm3, TreeHash as _, verify_consistency, verify_inclusion},
    },
    sm::{Digest, PublicKey, Random as _, SecretKey, Signed},
};
use tokio::sync::Mutex;

/// How long a told time is carried on by the monotonic clock before it is asked for again.
const TIME_HOLDS: Duration = Duration::from_mins(1);
/// The row of what is remembered.
const REMEMBERED: &str = "remembered";

/// Why the ledger's word can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// No relay, or it said no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What came doesn't hold: name of the check.
    #[error("what the relay shows of the ledger does not hold: {0}")]
    Unsound(&'static str),
    /// It contradicts what is remembered.
    #[error("what the relay shows contradicts what was seen before: {0}; report this to the auditor")]
    Alarm(#[from] Alarm),
    /// The newest checkpoint that the relay shows isn't the ledger's newest: nothing is decided by it.
    #[error(
        "the relay shows an old state of the ledger, of {0} (Unix seconds); try again, or tell its operator"
    )]
    Old(u64),
    /// The rows.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// What became of a look that several shared.
    #[error("{0}")]
    Shared(Arc<Self>),
}

impl LedgerError {
    /// What a relay said no with, where it did: number or name.
    pub fn said_no(&self) -> Option<&str> {
        match self {
            Self::Client(ClientError::Refused { code, .. }) => Some(code),
            Self::Shared(error) => error.said_no(),
            _ => None,
        }
    }
}

/// Values of the state, and entries that were asked for beside them, all proven under one current checkpoint.
#[derive(Debug)]
pub struct Proven {
    values: Vec<Option<Vec<u8>>>,
    /// Those that stand, by number.
    pub(super) entries: BTreeMap<u64, Vec<u8>>,
    /// The checkpoint's note, to hand on.
    pub note: String,
    /// How many entries it is over.
    pub size: u64,
    /// The checkpoint's own time.
    pub at: u64,
}

impl Proven {
    #[cfg(test)]
    pub(super) fn of(
        values: Vec<Option<Vec<u8>>>,
        entries: BTreeMap<u64, Vec<u8>>,
        size: u64,
        at: u64,
    ) -> Self {
        Self { values, entries, note: "note".into(), size, at }
    }

    #[cfg(test)]
    pub(super) fn raw(&self) -> &[Option<Vec<u8>>] {
        &self.values
    }

    /// Some of it, by place, and an entry by number.
    pub(super) fn only(&self, places: impl Iterator<Item = Option<usize>>, entry: Option<u64>) -> Self {
        let values = places.map(|place| self.values.get(place?)?.clone()).collect();
        let entry = entry.and_then(|number| Some((number, self.entries.get(&number)?.clone())));
        Self { values, entries: entry.into_iter().collect(), note: self.note.clone(), ..*self }
    }

    /// The number of the entry, among those that were asked for, in which this transaction stands as it was signed.
    pub fn entry_of(&self, signed: &SignedTransaction) -> Option<u64> {
        let same = |bytes: &[u8]| Entry::from_bytes(bytes).is_ok_and(|entry| entry.signed == *signed);
        self.entries.iter().find(|(_, bytes)| same(bytes)).map(|(number, _)| *number)
    }

    /// The value of the `n`-th key that was asked for; none where the state provably holds nothing.
    pub fn get<T>(&self, n: usize) -> Result<Option<T>, LedgerError>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        let value = self.values.get(n).and_then(Option::as_ref);
        value.map(|bytes| cbor::decode(bytes).map_err(|_| LedgerError::Unsound("state"))).transpose()
    }

    /// The same of one that must be there.
    pub fn need<T>(&self, n: usize, what: &'static str) -> Result<T, LedgerError>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        self.get(n)?.ok_or(LedgerError::Unsound(what))
    }
}

/// The ledger of one relay, as it is proven here.
#[derive(Debug)]
pub struct Ledger {
    /// The relay.
    pub client: Client,
    /// Who cosigns.
    pub epoch: Epoch,
    /// The consortium's root.
    pub root: Certificate,
    rows: Rows,
    looks: Looks,
    seen: Mutex<Seen>,
    told: std::sync::Mutex<Option<(u64, Instant)>>,
}

#[derive(Debug)]
struct Seen {
    remembered: Option<Remembered>,
    /// Whether its checkpoint is known to be on the disk.
    durable: Arc<AtomicBool>,
}

/// Ends when what was remembered is durable.
type Written = Pin<Box<dyn Future<Output = Result<(), RowsError>> + Send>>;

/// What a relay shows under a checkpoint that is accepted.
struct Shown {
    keys: Vec<Vec<u8>>,
    values: Vec<ValueProven>,
    entries: Vec<ProvenEntry>,
    note: String,
    checkpoint: VerifiedCheckpoint,
    written: Written,
}

impl Shown {
    /// What it proves, once all proofs hold and the checkpoint is durable.
    async fn proven(self) -> Result<Proven, LedgerError> {
        let Self { keys, values, entries, note, checkpoint, written } = self;
        let checking = tokio::task::spawn_blocking(move || check(&keys, values, entries, note, &checkpoint));
        written.await?;
        checking.await.unwrap_or(Err(LedgerError::Unsound("state")))
    }
}

/// Checks the proof of each value and of each entry.
fn check(
    keys: &[Vec<u8>],
    shown: Vec<ValueProven>,
    entries: Vec<ProvenEntry>,
    note: String,
    verified: &VerifiedCheckpoint,
) -> Result<Proven, LedgerError> {
    let unsound = || LedgerError::Unsound("state");
    let checkpoint = verified.checkpoint();
    if shown.len() != keys.len() {
        return Err(unsound());
    }
    let mut values = Vec::with_capacity(keys.len());
    for (key, ValueProven { value, proof }) in keys.iter().zip(shown) {
        let held = proof.lookup(&MapKey::of(key), &checkpoint.map).map_err(|_| unsound())?;
        if held != value.as_ref().map(|value| Digest::of(value)) {
            return Err(unsound());
        }
        values.push(value.map(Vec::from));
    }
    let mut standing = BTreeMap::new();
    for entry in entries {
        entry.check(checkpoint).map_err(|_| LedgerError::Unsound("entry"))?;
        standing.insert(entry.number, entry.bytes);
    }
    Ok(Proven { values, entries: standing, note, size: checkpoint.size, at: verified.time() })
}

impl Ledger {
    /// Goes on with what these rows remember of the relay's ledger. Rows of another ledger are refused.
    pub fn open(client: Client, rows: Rows) -> Result<Self, LedgerError> {
        let remembered: Option<Remembered> = rows.value(REMEMBERED)?;
        if remembered.as_ref().is_some_and(|known| known.checkpoint().ledger != client.ledger()) {
            return Err(Alarm::OtherLedger.into());
        }
        let root = client.genesis().root.read().map_err(|_| LedgerError::Unsound("root"))?;
        Ok(Self {
            epoch: first_epoch(client.genesis()),
            root,
            rows,
            looks: Looks::default(),
            seen: Mutex::new(Seen { remembered, durable: Arc::new(AtomicBool::new(true)) }),
            told: std::sync::Mutex::default(),
            client,
        })
    }

    /// Its id.
    pub const fn id(&self) -> LedgerId {
        self.client.ledger()
    }

    /// The ledger's time: told by the members, carried on by the monotonic clock. This machine's clock is never used.
    pub async fn now(&self) -> Result<u64, LedgerError> {
        match self.carried() {
            Some(now) => Ok(now),
            None => self.ask_time(&mut *self.seen.lock().await).await,
        }
    }

    /// The same for what decides nothing on the ledger: the last told time, however long ago, where no relay tells one.
    pub async fn clock(&self) -> Result<u64, LedgerError> {
        let told = *self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match told {
            Some((time, at)) => Ok(time.saturating_add(at.elapsed().as_secs())),
            None => self.now().await,
        }
    }

    fn carried(&self) -> Option<u64> {
        let told = *self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        told.filter(|(_, at)| at.elapsed() < TIME_HOLDS).map(|(time, at)| time + at.elapsed().as_secs())
    }

    async fn ask_time(&self, seen: &mut Seen) -> Result<u64, LedgerError> {
        let nonce: [u8; 32] = SystemRandom.bytes();
        let asked = Instant::now();
        let answer = self.client.post_bytes("/v1/ledger/time", nonce.to_vec()).await?;
        let statement: Signed<TimeStatement> =
            cbor::decode(&answer).map_err(|_| LedgerError::Unsound("time"))?;
        let keys: Vec<PublicKey> = self.client.genesis().members.iter().map(|member| member.time).collect();
        let told = ledger_time(&[statement], &nonce, &keys, &self.id());
        let told = told.map_err(|_| LedgerError::Unsound("time"))?;
        if let Some(known) = &seen.remembered {
            seen.remembered = Some(known.accept_time(told)?);
        }
        *self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((told, asked));
        Ok(told)
    }

    /// What the state holds under these keys, proven under a checkpoint that is no older than a minute. The look begins after
    /// it was asked for, and is shared by whoever waits.
    pub async fn values(&self, keys: &[Key]) -> Result<Proven, LedgerError> {
        self.values_with(keys, None).await
    }

    /// The same, and an entry where it stands already.
    pub async fn values_with(&self, keys: &[Key], entry: Option<u64>) -> Result<Proven, LedgerError> {
        loop {
            let mut answered = self.looks.ask(keys, entry);
            let answer = loop {
                let mut seen = tokio::select! {
                    biased;
                    answer = &mut answered => break answer,
                    seen = self.seen.lock() => seen,
                };
                if let Some(look) = self.looks.next() {
                    let shown = self.look(&mut seen, &look).await;
                    // While its proofs are checked and the checkpoint is being written, the next look begins.
                    drop(seen);
                    let looked = match shown {
                        Ok(shown) => shown.proven().await,
                        Err(error) => Err(error),
                    };
                    look.told(looked);
                }
            };
            // Where whoever looked for this one went away, it is asked anew.
            if let Ok(answer) = answer {
                return answer.map_err(LedgerError::Shared);
            }
        }
    }

    /// One answer of the relay, under a checkpoint that goes on from what is remembered.
    async fn look(&self, seen: &mut Seen, look: &Look) -> Result<Shown, LedgerError> {
        let now = match self.carried() {
            Some(now) => now,
            None => self.ask_time(seen).await?,
        };
        let (keys, entries) = (look.keys(), look.entries());
        let asked = ValuesAsked {
            entries: (!entries.is_empty()).then(|| entries.clone()),
            from: seen.remembered.as_ref().map(|known| known.checkpoint().size),
            ..ValuesAsked::of(keys.clone())
        };
        let answer = self.client.post("/v1/ledger/values", &asked).await?;
        let answer: ValuesAnswer = cbor::decode(&answer).map_err(|_| LedgerError::Unsound("state"))?;
        let ValuesAnswer { note, values, entries: shown, consistency } = answer;
        let (checkpoint, written) = self.accept(seen, &note, consistency).await?;
        let fresh = seen.remembered.as_ref().map(|known| known.freshness(Some(now)));
        if let Some(Freshness::AsOf(time)) = fresh {
            return Err(LedgerError::Old(time));
        }
        let mut found: Vec<ProvenEntry> = shown.unwrap_or_default().into_iter().map(Into::into).collect();
        found.retain(|entry| entries.contains(&entry.number));
        Ok(Shown { keys, values, entries: found, note, checkpoint, written })
    }

    /// Every entry on a grant, proven to be all of them.
    pub async fn log_of(&self, grant: &GrantId) -> Result<AccessLog, LedgerError> {
        let mut seen = self.seen.lock().await;
        let unsound = || LedgerError::Unsound("log");
        let ValueAnswer { note, proof, values } = self.client.value(&Key::Grant(*grant)).await?;
        let (verified, written) = self.accept(&mut seen, &note, None).await?;
        drop(seen);
        written.await?;
        let shown = values.into_iter().next().ok_or_else(unsound)?;
        let entries = shown.entries.into_iter().map(Into::into).collect();
        let shown = ShownGrant { id: *grant, leaf: shown.value, entries };
        shown.verify(&proof, verified.checkpoint()).map_err(|_| unsound())
    }

    /// The auditor's keys in force.
    pub async fn auditor(&self) -> Result<AuditorKeys, LedgerError> {
        self.values(&[Key::Auditor]).await?.need(0, "auditor")
    }

    /// What the auditor's boxes are sealed to now.
    pub async fn auditor_key(&self) -> Result<PublicKey, LedgerError> {
        self.auditor().await?.box_key().map_err(|_| LedgerError::Unsound("auditor"))
    }

    /// Whether a checkpoint that somebody else showed is of the same ledger: a split view shows when two of a size meet. A
    /// proof of the relay's that doesn't hold shows nothing of the ledger, only of the relay.
    pub async fn agrees(&self, other: &VerifiedCheckpoint) -> Result<bool, LedgerError> {
        let mine = self.seen.lock().await.remembered.as_ref().map(Remembered::checkpoint);
        let Some(mine) = mine else { return Ok(true) };
        let theirs = other.checkpoint();
        let (old, new) = if theirs.size <= mine.size { (theirs, &mine) } else { (&mine, theirs) };
        if old.size == new.size {
            return Ok(old.tree == new.tree && old.map == new.map);
        }
        let proof = self.consistency(old.size, new.size).await?;
        verify_consistency::<Sm3>(old.size, new.size, &proof, &old.tree, &new.tree)
            .map_err(|_| LedgerError::Unsound("consistency"))?;
        Ok(true)
    }

    /// A request signed by `key`, at the ledger's time. A clock that stood still while this machine slept makes signatures
    /// that are too old: then the time is asked anew, once.
    pub async fn signed(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        key: &SecretKey,
    ) -> Result<Vec<u8>, LedgerError> {
        let now = self.now().await?;
        match self.client.signed(method.clone(), path, body.clone(), key, now).await {
            Err(ClientError::Refused { code, .. }) if code == "stale" => {
                let now = self.ask_time(&mut *self.seen.lock().await).await?;
                Ok(self.client.signed(method, path, body, key, now).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// Brings a transaction to the ledger. That the relay says it stands is its word: see [`Ledger::values`].
    pub async fn submit(&self, signed: &SignedTransaction) -> Result<u64, LedgerError> {
        Ok(self.client.submit(signed).await?.number)
    }

    /// Verifies a checkpoint against what is remembered, and remembers it: durably once what comes back has ended, and before
    /// anything that is written later. `proof` is the relay's that the ledger goes on, where it sent one along.
    async fn accept(
        &self,
        seen: &mut Seen,
        note: &str,
        proof: Option<Vec<Digest>>,
    ) -> Result<(VerifiedCheckpoint, Written), LedgerError> {
        let verified = SignedCheckpoint::parse(note)
            .and_then(|signed| signed.verify(&self.id(), &self.epoch))
            .map_err(|_| LedgerError::Unsound("checkpoint"))?;
        let next = match &seen.remembered {
            None => {
                self.tie_to_genesis(&verified).await?;
                Remembered::first(&verified)
            }
            Some(known) => {
                let (from, to) = (known.checkpoint().size, verified.checkpoint().size);
                let proof = match proof {
                    _ if from >= to => Vec::new(),
                    Some(proof) => proof,
                    None => self.consistency(from, to).await?,
                };
                known.accept(&verified, &proof)?
            }
        };
        // The same entries at a later time are no news that a crash may not forget.
        let grown = seen.remembered.as_ref().is_none_or(|known| known.checkpoint() != next.checkpoint());
        let written: Written = if grown || !seen.durable.load(Ordering::Acquire) {
            let (writing, durable) =
                (self.rows.put_value(REMEMBERED, &next), Arc::new(AtomicBool::new(false)));
            seen.durable = durable.clone();
            Box::pin(async move {
                writing.await?;
                durable.store(true, Ordering::Release);
                Ok(())
            })
        } else {
            Box::pin(std::future::ready(Ok(())))
        };
        seen.remembered = Some(next);
        Ok((verified, written))
    }

    async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Digest>, LedgerError> {
        let answer = self.client.get(&format!("/v1/ledger/proof/consistency?from={from}&to={to}")).await?;
        cbor::decode(&answer).map_err(|_| LedgerError::Unsound("consistency"))
    }

    /// The first checkpoint must contain the genesis as entry 0.
    async fn tie_to_genesis(&self, verified: &VerifiedCheckpoint) -> Result<(), LedgerError> {
        let unsound = || LedgerError::Unsound("genesis");
        let size = verified.checkpoint().size;
        let answer = self.client.get(&format!("/v1/ledger/proof/inclusion?entry=0&size={size}")).await?;
        let proof: Vec<Digest> = cbor::decode(&answer).map_err(|_| unsound())?;
        let leaf = Sm3::leaf(&cbor::encode(self.client.genesis()));
        verify_inclusion::<Sm3>(leaf, 0, size, &proof, &verified.checkpoint().tree).map_err(|_| unsound())
    }
}
