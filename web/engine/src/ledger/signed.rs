//! Calls that a key of this device signs, and the gates that answer them.

use super::{Ledger, LedgerError, ask};
use crate::http::{self, Call, CallError};
use crate::platform::BrowserRandom;
use suishen_bridge::peer::Relay;
use suishen_core::cbor;
use suishen_core::consent::Message;
use suishen_core::gate::GateDay;
use suishen_core::id::{BlobAddress, GrantId, LedgerId};
use suishen_core::identity::request;
use suishen_core::sm::{Digest, PublicKey, SecretKey, Signed};

impl Ledger {
    /// Sends a call signed by `key` (RFC 9421), at the ledger's time.
    pub async fn signed(&self, call: Call, key: &SecretKey) -> Result<Vec<u8>, CallError> {
        self.signed_to(&self.relays, call, key).await
    }

    /// The same to these relays. A clock that stood still while the device slept makes signatures that are too old:
    /// then the time is asked anew, once. What is still called old then was answered before: a browser repeats a request
    /// by itself, signature and all, when the answer breaks off before it has begun.
    pub async fn signed_to(
        &self,
        relays: &[String],
        call: Call,
        key: &SecretKey,
    ) -> Result<Vec<u8>, CallError> {
        let answer = ask(relays, &self.sign(call.clone(), key)?).await;
        if !is_stale(&answer) || self.hear_time().await.is_err() {
            return answer;
        }
        let answer = ask(relays, &self.sign(call, key)?).await;
        if is_stale(&answer) { Err(CallError::CutShort) } else { answer }
    }

    fn sign(&self, mut call: Call, key: &SecretKey) -> Result<Call, CallError> {
        let now = self.now().ok_or(CallError::Unreachable)?;
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let content = Digest::of(call.body.as_deref().unwrap_or_default());
        let message = request::Message { method: call.method, path, query, content, once: None };
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
            let Some(info) = info(relay).await? else { continue };
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

    /// The first relay that answers, as a peer.
    pub async fn first_peer(&self) -> Result<Relay, LedgerError> {
        for relay in &self.relays {
            let Some(info) = info(relay).await? else { continue };
            if info.ledger == self.id {
                return Ok(Relay { origin: relay.clone(), peer: info.peer });
            }
        }
        Err(CallError::Unreachable.into())
    }
}

/// What a relay says of itself; none when it doesn't answer.
async fn info(relay: &str) -> Result<Option<Info>, LedgerError> {
    let Ok(answer) = http::send(relay, &Call::get("/v1/info")).await else { return Ok(None) };
    cbor::decode(&answer).map(Some).map_err(|_| LedgerError::Unsound("info"))
}

fn is_stale(answer: &Result<Vec<u8>, CallError>) -> bool {
    matches!(answer, Err(CallError::Refused { code, .. }) if code == "stale")
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
    #[cbor(n(6), with = "minicbor::bytes")]
    peer: Vec<u8>,
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

    /// All messages in a grant's drop box that can be read: whoever may write to it can write anything.
    pub async fn drop_box(&self, grant: GrantId, key: &SecretKey) -> Result<Vec<Message>, LedgerError> {
        let answer = self.signed(Call::get(format!("/v1/drop/{grant}")), key).await?;
        let messages: Vec<minicbor::bytes::ByteVec> =
            cbor::decode(&answer).map_err(|_| LedgerError::Unsound("drop box"))?;
        Ok(messages.iter().filter_map(|message| cbor::decode(message).ok()).collect())
    }
}
