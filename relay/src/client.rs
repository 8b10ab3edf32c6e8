//! A desk's side of the API, for the command line: what a relay answers is checked where it matters. A relay on another
//! machine is reached by https, through the proxy that stands before it.

mod calls;

use crate::{
    http::{
        gate::{Ask, Shares},
        ledger::{Info, ValueAnswer},
        problem::ProblemBody,
        transactions::Standing,
    },
    random::SystemRandom,
};
use axum::http::{Method, StatusCode};
use calls::Calls;
use minicbor::{Decode, Encode};
use std::time::Duration;
use suishen_core::{
    cbor::{self, CborError},
    contract::{Genesis, GenesisError, Member, SignedTransaction},
    gate::{Deposit, Release, Released, open_release},
    id::{BlobAddress, LedgerId},
    identity::request::{self, Message},
    sm::{Digest, PublicKey, SecretKey, Signed},
};

const CBOR: &str = "application/cbor";
/// Largest answer that is read: a page of the ledger's largest entries, the longest of them, fits.
const MOST_ANSWER: usize = 16 << 20;
/// Largest blob that is fetched, where the caller expects no less.
const MOST_BLOB: usize = 256 << 20;

/// Why a relay gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it broke.
    #[error("the relay cannot be reached: {0}")]
    Unreachable(String),
    /// Not an address.
    #[error("{0:?} is not a relay's address, such as https://relay.example.org or http://127.0.0.1:8080")]
    Address(String),
    /// It said no.
    #[error("the relay refuses ({code}): {detail}. {action}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Number or name.
        code: String,
        /// What was wrong.
        detail: String,
        /// What to do.
        action: String,
    },
    /// What came isn't what was asked for.
    #[error("the relay's answer cannot be read: {0}")]
    Answer(#[from] CborError),
    /// What came doesn't hold.
    #[error("the relay's answer does not hold: {0}")]
    Unsound(&'static str),
    /// Its genesis founds nothing.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

/// A relay and its ledger.
#[derive(Debug)]
pub struct Client {
    base: String,
    calls: Calls,
    genesis: Genesis,
    ledger: LedgerId,
}

impl Client {
    /// Gets to know the relay at `http://HOST:PORT` or `https://HOST`.
    pub async fn connect(base: &str) -> Result<Self, ClientError> {
        Self::connect_by(base, None).await
    }

    /// The same for what goes on by itself: a relay that leaves one request without its whole answer for so long is away.
    pub async fn connect_within(base: &str, patience: Duration) -> Result<Self, ClientError> {
        Self::connect_by(base, Some(patience)).await
    }

    async fn connect_by(base: &str, patience: Option<Duration>) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        if !(base.starts_with("http://") || base.starts_with("https://")) {
            return Err(ClientError::Address(base));
        }
        let calls = Calls::new(patience)?;
        let url = format!("{base}/v1/ledger/genesis");
        let answer = taken(calls.call(Method::GET, &url, &[], Vec::new(), MOST_ANSWER).await?)?;
        let genesis: Genesis = cbor::decode(&answer)?;
        genesis.check()?;
        let ledger = genesis.ledger_id();
        Ok(Self { base, calls, genesis, ledger })
    }

    /// Where the relay is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The genesis object.
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Who the relay is and what time it has.
    pub async fn info(&self) -> Result<Info, ClientError> {
        Ok(cbor::decode(&self.get("/v1/info").await?)?)
    }

    /// A plain GET.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        self.call(Method::GET, path, &[], Vec::new(), MOST_ANSWER).await
    }

    /// A POST of an object.
    pub async fn post<T: Encode<()>>(&self, path: &str, object: &T) -> Result<Vec<u8>, ClientError> {
        self.post_bytes(path, cbor::encode(object)).await
    }

    /// A POST of bytes that are CBOR, or that the route takes as they are.
    pub async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        self.call(Method::POST, path, &[("content-type", CBOR)], body, MOST_ANSWER).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        most: usize,
    ) -> Result<Vec<u8>, ClientError> {
        taken(self.calls.call(method, &format!("{}{path}", self.base), headers, body, most).await?)
    }

    /// A request signed by `key`, at the relay's time `now`.
    pub async fn signed(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        key: &SecretKey,
        now: u64,
    ) -> Result<Vec<u8>, ClientError> {
        self.signed_within((method, path, body), key, now, MOST_ANSWER).await
    }

    /// The same with an answer of at most `most` bytes.
    async fn signed_within(
        &self,
        (method, path, body): (Method, &str, Vec<u8>),
        key: &SecretKey,
        now: u64,
        most: usize,
    ) -> Result<Vec<u8>, ClientError> {
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        let message =
            Message { method: method.as_str(), path: plain, query, content: Digest::of(&body), once: None };
        let fields = request::sign(&message, key, &self.ledger, now, &mut SystemRandom);
        let kind = if method == Method::PUT { "application/octet-stream" } else { CBOR };
        let headers = [
            ("content-type", kind),
            ("content-digest", &fields.content_digest),
            ("signature-input", &fields.signature_input),
            ("signature", &fields.signature),
        ];
        self.call(method, path, &headers, body, most).await
    }

    /// Uploads a blob.
    pub async fn put_blob(
        &self,
        address: &BlobAddress,
        blob: Vec<u8>,
        owner: &SecretKey,
        now: u64,
    ) -> Result<(), ClientError> {
        self.signed(Method::PUT, &format!("/v1/blobs/{address}"), blob, owner, now).await.map(drop)
    }

    /// Fetches a blob and checks its address.
    pub async fn get_blob(
        &self,
        address: &BlobAddress,
        key: &SecretKey,
        now: u64,
    ) -> Result<Vec<u8>, ClientError> {
        self.get_blob_within(address, key, now, MOST_BLOB).await
    }

    /// The same of a blob of at most `most` bytes.
    pub async fn get_blob_within(
        &self,
        address: &BlobAddress,
        key: &SecretKey,
        now: u64,
        most: usize,
    ) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/blobs/{address}");
        let blob = self.signed_within((Method::GET, &path, Vec::new()), key, now, most).await?;
        if BlobAddress::of(&blob) == *address { Ok(blob) } else { Err(ClientError::Unsound("blob")) }
    }

    /// Brings a transaction to the ledger.
    pub async fn submit(&self, signed: &SignedTransaction) -> Result<Standing, ClientError> {
        let standing: Standing = cbor::decode(&self.post("/v1/transactions", signed).await?)?;
        if standing.id == signed.id() { Ok(standing) } else { Err(ClientError::Unsound("entry")) }
    }

    /// What the relay says that the state holds under a key; the caller checks the proof where it matters.
    pub async fn value(&self, key: &suishen_core::contract::Key) -> Result<ValueAnswer, ClientError> {
        let key = data_encoding::HEXLOWER.encode(&key.to_bytes());
        Ok(cbor::decode(&self.get(&format!("/v1/ledger/value/{key}")).await?)?)
    }

    /// The number of this relay's gate, and the member that runs it.
    fn gate(&self, info: &Info) -> Result<(u8, &Member), ClientError> {
        let mut members = (1u8..).zip(&self.genesis.members);
        members.find(|(_, m)| m.name == info.name).ok_or(ClientError::Unsound("relay"))
    }

    /// What this relay's gate releases for a use of an object (0 for a ticket): `reader` signs the asking, `secret` opens.
    pub async fn release(
        &self,
        object: &Digest,
        use_number: u32,
        reader: &SecretKey,
        secret: &SecretKey,
        now: u64,
    ) -> Result<(u8, Release), ClientError> {
        let info = self.info().await?;
        let (number, member) = self.gate(&info)?;
        let ask = Ask { object: *object, use_number };
        let released: Signed<Released> = self.ask("/v1/gate/release", &ask, reader, now).await?;
        let release = open_release(&released, &member.gate, secret, object, use_number, &self.ledger);
        Ok((number, release.map_err(|_| ClientError::Unsound("gate share"))?))
    }

    /// Hands the gate of this relay its deposit, sealed to its key of the day.
    pub async fn deposit(&self, deposits: &[Deposit], key: &SecretKey) -> Result<(), ClientError> {
        let info = self.info().await?;
        let (number, member) = self.gate(&info)?;
        let day =
            info.day.verify(&member.gate, &self.ledger).map_err(|_| ClientError::Unsound("gate key"))?;
        let deposit =
            deposits.iter().find(|d| d.gate == number).ok_or(ClientError::Unsound("gate number"))?;
        let sealed = deposit.seal(key, &day.key, &self.ledger, &mut SystemRandom);
        let shares = Shares { object: deposit.object, day: day.key, sealed };
        self.post("/v1/gate/shares", &shares).await.map(drop)
    }

    /// A signed request with an object, answered with an object.
    pub async fn ask<Q: Encode<()>, A: Encode<()> + for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        question: &Q,
        key: &SecretKey,
        now: u64,
    ) -> Result<A, ClientError> {
        Ok(cbor::decode(&self.signed(Method::POST, path, cbor::encode(question), key, now).await?)?)
    }

    /// The registered gate key of the relay's first member.
    pub fn gate_key(&self) -> PublicKey {
        self.genesis.members[0].gate
    }
}

fn taken((status, body): (StatusCode, Vec<u8>)) -> Result<Vec<u8>, ClientError> {
    if status.is_success() {
        return Ok(body);
    }
    let problem: Option<ProblemBody> = serde_json::from_slice(&body).ok();
    let problem = problem.ok_or(ClientError::Unsound("problem"))?;
    let ProblemBody { code, detail, action, .. } = problem;
    Err(ClientError::Refused { status: status.as_u16(), code, detail, action })
}
