//! The ledger, read: checkpoint, entries, tiles, proofs, state with proofs, time (PROTOCOL §8).

use super::{Fault, Problem, Shared, wire};
use crate::replica::{Published, ReplicaError};
use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use minicbor::{Decode, Encode};
use serde::Deserialize;
use suishen_core::{
    cbor,
    contract::Key,
    gate::GateDay,
    id::LedgerId,
    proof::{
        log::ProvenEntry,
        map::{MapKey, MapProof, Prefix},
        tile::TileId,
        time::TimeStatement,
    },
    sm::{Digest, Signed},
};

/// Most entries in one answer.
const MOST_ENTRIES: u64 = 256;

/// Most values in one answer, and most entries beside them: a grant's records, its holder, and some more.
pub const MOST_VALUES: usize = 64;

/// What `/v1/info` answers.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct Info {
    /// The ledger.
    #[n(0)]
    pub ledger: LedgerId,
    /// This relay's name in cosignature lines.
    #[n(1)]
    pub name: String,
    /// Origins of pages; the first is the wallet's, where tickets lead to.
    #[n(2)]
    pub origins: Vec<String>,
    /// The gate's key of the day.
    #[n(3)]
    pub day: Signed<GateDay>,
    /// The ledger's time.
    #[n(4)]
    pub now: u64,
    /// Whether this is a demo.
    #[n(5)]
    pub demo: bool,
    /// The relay's peer id, reached at `/p2p`.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub peer: Vec<u8>,
}

/// What `/v1/ledger/value` answers.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct ValueAnswer {
    /// The checkpoint's note.
    #[n(0)]
    pub note: String,
    /// Under its map root.
    #[n(1)]
    pub proof: MapProof,
    /// The value, where there is one.
    #[n(2)]
    pub values: Vec<ValueShown>,
}

/// A value and, of a grant's leaf, its entries.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ValueShown {
    /// The state key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    /// The value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// Entries with their proofs.
    #[n(2)]
    pub entries: Vec<EntryShown>,
}

/// Asks for several values at once.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub struct ValuesAsked {
    /// State keys, at most 64.
    #[n(0)]
    pub keys: Vec<minicbor::bytes::ByteVec>,
    /// Numbers of entries, at most 64, ascending.
    #[n(1)]
    pub entries: Option<Vec<u64>>,
    /// A size: that the ledger goes on from it is shown too.
    #[n(2)]
    pub from: Option<u64>,
}

impl ValuesAsked {
    /// Asks for values alone.
    pub fn of(keys: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// What `/v1/ledger/values` answers: all under one checkpoint.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub struct ValuesAnswer {
    /// The checkpoint's note.
    #[n(0)]
    pub note: String,
    /// In the order in which they were asked for.
    #[n(1)]
    pub values: Vec<ValueProven>,
    /// Those of the entries that stand.
    #[n(2)]
    pub entries: Option<Vec<EntryShown>>,
    /// From the size that was asked for, where there was such a ledger.
    #[n(3)]
    pub consistency: Option<Vec<Digest>>,
}

/// A value, or its absence, with its proof under the map root.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ValueProven {
    /// The value, where there is one.
    #[n(0)]
    pub value: Option<minicbor::bytes::ByteVec>,
    /// For it alone.
    #[n(1)]
    pub proof: MapProof,
}

/// An entry with its proof.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
pub struct EntryShown {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// Its bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Its audit path.
    #[n(2)]
    pub inclusion: Vec<Digest>,
}

impl From<ProvenEntry> for EntryShown {
    fn from(entry: ProvenEntry) -> Self {
        Self { number: entry.number, bytes: entry.bytes, inclusion: entry.inclusion }
    }
}

impl From<EntryShown> for ProvenEntry {
    fn from(entry: EntryShown) -> Self {
        Self { number: entry.number, bytes: entry.bytes, inclusion: entry.inclusion }
    }
}

impl From<ReplicaError> for Problem {
    fn from(error: ReplicaError) -> Self {
        match error {
            ReplicaError::ManyLeaves => Fault::PrefixTooShort.into(),
            other => wire::internal(&other),
        }
    }
}

/// Who this relay is.
pub async fn info(State(node): State<Shared>) -> Result<Response, Problem> {
    wire::blocking(move || {
        let info = Info {
            ledger: node.replica.ledger(),
            name: node.replica.member().name.clone(),
            origins: node.page_origins(),
            day: node.gate.day()?,
            now: node.now(),
            demo: node.demo.is_some(),
            peer: node.post.peers.id().to_bytes(),
        };
        Ok(wire::reply(StatusCode::OK, &info))
    })
    .await
}

/// Entry 0.
pub async fn genesis(State(node): State<Shared>) -> Response {
    wire::reply(StatusCode::OK, node.replica.genesis())
}

/// The newest checkpoint.
pub async fn checkpoint(State(node): State<Shared>) -> Response {
    let published = node.replica.published();
    wire::bytes(StatusCode::OK, "text/plain; charset=utf-8", published.note().as_bytes().to_vec())
}

/// `?from=A&to=B`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    from: u64,
    to: u64,
}

/// `?entry=N&size=S`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    entry: u64,
    size: u64,
}

/// Reads under the newest checkpoint.
async fn reading<T: Send + 'static>(
    node: Shared,
    read: impl FnOnce(&Published) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    wire::blocking(move || read(&node.replica.published())).await
}

/// Entries' bytes.
pub async fn entries(State(node): State<Shared>, Query(span): Query<Span>) -> Result<Response, Problem> {
    reading(node, move |published| {
        let last = span.to.min(published.size()).min(span.from.saturating_add(MOST_ENTRIES));
        let mut found: Vec<minicbor::bytes::ByteVec> = Vec::new();
        for number in span.from..last {
            found.extend(published.snapshot().entry(number)?.map(Into::into));
        }
        Ok(wire::reply(StatusCode::OK, &found))
    })
    .await
}

/// A tile: full ones never change.
pub async fn tile(State(node): State<Shared>, Path(path): Path<String>) -> Result<Response, Problem> {
    let id: TileId = format!("tile/{path}").parse().map_err(|_| Fault::NotThere)?;
    reading(node, move |published| {
        let tile = published.snapshot().tile(&id)?.ok_or(Fault::NotThere)?;
        let mut response = wire::bytes(StatusCode::OK, "application/octet-stream", tile);
        let immutable = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, immutable);
        Ok(response)
    })
    .await
}

/// An entry's audit path in the tree of a size.
pub async fn inclusion(State(node): State<Shared>, Query(place): Query<Place>) -> Result<Response, Problem> {
    reading(node, move |published| {
        let proof = published.snapshot().inclusion_at(place.entry, place.size)?.ok_or(Fault::NotThere)?;
        Ok(wire::reply(StatusCode::OK, &proof))
    })
    .await
}

/// That the tree of one size extends that of another.
pub async fn consistency(State(node): State<Shared>, Query(span): Query<Span>) -> Result<Response, Problem> {
    reading(node, move |published| {
        let proof = published.snapshot().consistency_between(span.from, span.to)?.ok_or(Fault::NotThere)?;
        Ok(wire::reply(StatusCode::OK, &proof))
    })
    .await
}

/// All grants under a bit prefix, with every entry on them.
pub async fn state(State(node): State<Shared>, Path(prefix): Path<String>) -> Result<Response, Problem> {
    let prefix: Prefix = prefix.parse().map_err(|_| Fault::Malformed)?;
    reading(node, move |published| Ok(wire::reply(StatusCode::OK, &published.grants_under(&prefix)?))).await
}

/// One value of the state, or its absence.
pub async fn value(State(node): State<Shared>, Path(key): Path<String>) -> Result<Response, Problem> {
    let bytes = data_encoding::HEXLOWER.decode(key.as_bytes()).map_err(|_| Fault::Malformed)?;
    let key = mapped(&bytes)?;
    reading(node, move |published| {
        let snapshot = published.snapshot();
        let proof = snapshot.prove(&Prefix::whole(&MapKey::of(&bytes)))?;
        let value = snapshot.with_state(|state| state.get(&key))?;
        let shown = match &key {
            Key::Grant(id) => snapshot.shown_grant(id)?.map(|shown| shown.entries),
            _ => None,
        };
        let entries = shown.unwrap_or_default().into_iter().map(EntryShown::from).collect();
        let values = value.map(|value| ValueShown { key: bytes, value, entries }).into_iter().collect();
        let answer = ValueAnswer { note: published.note().to_owned(), proof, values };
        Ok(wire::reply(StatusCode::OK, &answer))
    })
    .await
}

/// A key whose value is in the state map.
fn mapped(bytes: &[u8]) -> Result<Key, Fault> {
    Key::from_bytes(bytes).filter(|_| Key::is_mapped(bytes)).ok_or(Fault::Malformed)
}

/// Several values of the state, or their absence, under one checkpoint.
pub async fn values(
    State(node): State<Shared>,
    wire::Cbor { value: asked, .. }: wire::Cbor<ValuesAsked>,
) -> Result<Response, Problem> {
    if asked.keys.len().max(asked.entries.as_ref().map_or(0, Vec::len)) > MOST_VALUES {
        return Err(Fault::Malformed.because("一次最多查询 64 项", "Ask for at most 64 values at once"));
    }
    reading(node, move |published| {
        let snapshot = published.snapshot();
        let mut values = Vec::with_capacity(asked.keys.len());
        for bytes in &asked.keys {
            let key = mapped(bytes)?;
            let value = snapshot.with_state(|state| state.get(&key))?.map(Into::into);
            let proof = snapshot.prove(&Prefix::whole(&MapKey::of(bytes)))?;
            values.push(ValueProven { value, proof });
        }
        let mut entries = Vec::new();
        for number in asked.entries.iter().flatten() {
            entries.extend(snapshot.proven_entry(*number)?.map(EntryShown::from));
        }
        let consistency = asked.from.map(|from| snapshot.consistency(from)).transpose()?.flatten();
        let answer = ValuesAnswer {
            note: published.note().to_owned(),
            values,
            entries: asked.entries.is_some().then_some(entries),
            consistency,
        };
        Ok(wire::reply(StatusCode::OK, &answer))
    })
    .await
}

/// This relay's time, signed over the asker's nonce.
pub async fn time(State(node): State<Shared>, body: Bytes) -> Result<Response, Problem> {
    let nonce: [u8; 32] = body
        .as_ref()
        .try_into()
        .map_err(|_| Fault::Malformed.because("随机数须为 32 字节", "The nonce must have 32 bytes"))?;
    let statement = TimeStatement { nonce, time: node.now() };
    let signed = Signed::new(&statement, &node.time_key, &node.replica.ledger());
    Ok(wire::bytes(StatusCode::OK, "application/cbor", cbor::encode(&signed)))
}
