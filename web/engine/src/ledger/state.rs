//! Values of the state and logs of grants, each proven under a checkpoint that this device verified.

use super::{Ledger, LedgerError};
use crate::http::Call;
use crate::store::Store;

use suishen_core::cbor;
use suishen_core::contract::{Anchor, AuditorKeys, Claim, Holder, Key, Party, Terms};
use suishen_core::id::{GrantId, PartyId, TagId};
use suishen_core::order;
use suishen_core::proof::bundle::{self, Bundle, ShownParty};
use suishen_core::proof::checkpoint::VerifiedCheckpoint;
use suishen_core::proof::log::{AccessLog, ProvenEntry, ProvenValue, ShownGrant, ShownGrants};
use suishen_core::proof::map::{MapKey, MapProof, Prefix};
use suishen_core::proof::remembered::FRESH;
use suishen_core::sm::{Digest, PublicKey};

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

impl Proven {
    /// Whether its checkpoint is one of now: an older one may leave out what happened since.
    pub const fn is_current(&self, now: u64) -> bool {
        now.saturating_sub(self.checkpoint.time()) <= FRESH
    }
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

impl Ledger {
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

    /// A payer's slot of an invoice; none while nobody has named it.
    pub async fn claim(&self, store: &Store, id: TagId) -> Result<Option<Claim>, LedgerError> {
        self.typed(store, &Key::Claim(id)).await
    }

    /// A grant's terms.
    pub async fn terms(&self, store: &Store, id: GrantId) -> Result<Option<Terms>, LedgerError> {
        self.typed(store, &Key::Terms(id)).await
    }

    /// The auditor's keys.
    pub async fn auditor(&self, store: &Store) -> Result<AuditorKeys, LedgerError> {
        self.typed(store, &Key::Auditor).await?.ok_or(LedgerError::Unsound("auditor"))
    }

    /// What the auditor's boxes are sealed to now.
    pub async fn auditor_key(&self, store: &Store) -> Result<PublicKey, LedgerError> {
        self.auditor(store).await?.box_key().map_err(|_| LedgerError::Unsound("auditor"))
    }

    /// A grant's log, proven complete.
    pub async fn log_of(&self, store: &Store, id: &GrantId) -> Result<Option<AccessLog>, LedgerError> {
        let (prefix, shown) = self.under(&Key::Grant(*id)).await?;
        let verified = self.accept(store, &shown.note).await?;
        shown.log_of(id, &prefix, verified.checkpoint()).map_err(|_| LedgerError::Unsound("log"))
    }

    /// How a payer slot of an invoice stands; none while nobody has settled or voided it.
    pub async fn slot_of(&self, store: &Store, id: &TagId) -> Result<Option<Claim>, LedgerError> {
        let (prefix, shown) = self.under(&Key::Claim(*id)).await?;
        let verified = self.accept(store, &shown.note).await?;
        shown.claim_of(id, &prefix, verified.checkpoint()).map_err(|_| LedgerError::Unsound("log"))
    }

    /// All grants and claims under a prefix of a key's place. Asked for without credentials and among many others, so that
    /// the relay doesn't learn which is this wallet's.
    async fn under(&self, key: &Key) -> Result<(Prefix, ShownGrants), LedgerError> {
        let key = MapKey::of(&key.to_bytes());
        let mut bits = self.bits.get();
        loop {
            let prefix = Prefix::of(&key, bits);
            match self.call(&Call::get(format!("/v1/ledger/state/{prefix}"))).await {
                Ok(answer) => {
                    self.bits.set(bits);
                    let shown = cbor::decode(&answer).map_err(|_| LedgerError::Unsound("log"))?;
                    return Ok((prefix, shown));
                }
                Err(error) if error.is(413) && bits < 256 => bits += 1,
                Err(error) => return Err(error.into()),
            }
        }
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
    order::sort(&mut parties);
    parties.dedup();
    parties
}
