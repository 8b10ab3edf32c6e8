//! The access log of a grant, proven complete: the entries that a relay shows are in the ledger, and the
//! grant's leaf in the state map says that there are no others (PROTOCOL §8).
//!
//! The leaf's chain is a hash over every entry on the grant, in order. Whoever holds entries whose chain is
//! the leaf's holds them all. A wallet asks for all leaves under a bit prefix, so that the relay doesn't
//! learn which of them is its own, and takes its own out of the answer.
//!
//! Besides, each entry's signature must hold under the key that it names: a relay alone can't invent a read.

use super::checkpoint::Checkpoint;
use super::map::{MapError, MapKey, MapProof, Prefix};
use super::tree::{Sm3, TreeError, TreeHash as _, verify_inclusion};
use crate::cbor;
use crate::contract::{CHAIN_START, Claim, Entry, GrantLeaf, Key, Transaction, extend_chain};
use crate::id::{GrantId, LedgerId, TagId};
use crate::sm::{Digest, PublicKey};
use minicbor::{Decode, Encode};

/// Why a log isn't proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// An entry that isn't in the ledger under this checkpoint.
    #[error("entry {number} is not in the ledger: {error}")]
    Inclusion {
        /// Its number.
        number: u64,
        /// Why.
        error: TreeError,
    },
    /// Bytes that aren't an entry.
    #[error("entry {0} cannot be read")]
    Form(u64),
    /// An entry on something else than this grant.
    #[error("entry {0} is not on this grant")]
    OtherGrant(u64),
    /// The key that the entry names didn't sign it.
    #[error("entry {0} is not signed by the key that it names")]
    Signature(u64),
    /// Entries twice or out of order.
    #[error("the entries are not in the ledger's order")]
    Order,
    /// The leaf speaks of other entries: some are withheld, or the leaf is false.
    #[error("the grant's leaf counts {counted} entries, {shown} were shown, or not the same ones")]
    Incomplete {
        /// By the leaf.
        counted: u64,
        /// Shown.
        shown: u64,
    },
    /// The leaf can't be read.
    #[error("the grant's leaf cannot be read")]
    Leaf,
    /// The map proof fails.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The state holds this grant, but the answer leaves it out.
    #[error("the relay left out a grant that the state holds")]
    Withheld,
}

/// An entry with its number and the proof that it is in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProvenEntry {
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

impl ProvenEntry {
    /// Checks that these bytes are entry `number` of the ledger.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let leaf = Sm3::leaf(&self.bytes);
        verify_inclusion::<Sm3>(leaf, self.number, checkpoint.size, &self.inclusion, &checkpoint.tree)
            .map_err(|error| LogError::Inclusion { number: self.number, error })
    }

    /// The entry, once it is known to be in the ledger.
    pub fn verify(&self, checkpoint: &Checkpoint) -> Result<Entry, LogError> {
        self.check(checkpoint)?;
        Entry::from_bytes(&self.bytes).map_err(|_| LogError::Form(self.number))
    }
}

/// A value of the state with its proof: a holder's, an anchor's, an organisation's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProvenValue {
    /// As the state holds it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// That it does.
    #[n(1)]
    pub proof: MapProof,
}

impl ProvenValue {
    /// The value, once the state is known to hold it under this key.
    pub fn verify<T>(&self, key: &Key, checkpoint: &Checkpoint) -> Result<T, MapError>
    where
        T: Encode<()> + for<'b> Decode<'b, ()>,
    {
        self.proof.holds(&key.to_bytes(), &self.value, &checkpoint.map)?;
        cbor::decode(&self.value).map_err(|_| MapError::Value)
    }
}

/// What a relay shows of one grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShownGrant {
    /// Which.
    #[n(0)]
    pub id: GrantId,
    /// Its leaf's value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub leaf: Vec<u8>,
    /// Every entry on it.
    #[n(2)]
    pub entries: Vec<ProvenEntry>,
}

/// A payer slot of an invoice, as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShownClaim {
    /// Which.
    #[n(0)]
    pub id: TagId,
    /// Its value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
}

/// All grants and claims under a prefix: what `GET /v1/ledger/state/{prefix}` answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShownGrants {
    /// The checkpoint note that everything else is proven against.
    #[n(0)]
    pub note: String,
    /// All leaves under the prefix.
    #[n(1)]
    pub proof: MapProof,
    /// Those that are grants'.
    #[n(2)]
    pub grants: Vec<ShownGrant>,
    /// Those that are claims'.
    #[n(3)]
    pub claims: Vec<ShownClaim>,
}

/// One step in a grant's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The entry's number.
    pub number: u64,
    /// The ledger's time.
    pub now: u64,
    /// What happened.
    pub transaction: Transaction,
}

/// A grant's log, proven complete as of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// The grant's leaf.
    pub leaf: GrantLeaf,
    /// All entries on it, in order.
    pub entries: Vec<LogEntry>,
}

impl ShownGrant {
    /// The log, once every entry is in the ledger, signed, on this grant, and none is missing. That the leaf's
    /// value is in the state map is for the caller to check.
    fn log(&self, checkpoint: &Checkpoint) -> Result<AccessLog, LogError> {
        let leaf: GrantLeaf = cbor::decode(&self.leaf).map_err(|_| LogError::Leaf)?;
        if !self.entries.is_sorted_by(|a, b| a.number < b.number) {
            return Err(LogError::Order);
        }
        let (mut chain, mut entries) = (CHAIN_START, Vec::new());
        for shown in &self.entries {
            let entry = shown.verify(checkpoint)?;
            let transaction = entry.signed.claimed().map_err(|_| LogError::Form(shown.number))?;
            let key = signer(&self.id, &transaction, &checkpoint.ledger, &entries)
                .ok_or(LogError::OtherGrant(shown.number))?;
            let signature = &entry.signed.signatures()[0];
            signature.verify(&key, &checkpoint.ledger).map_err(|_| LogError::Signature(shown.number))?;
            chain = extend_chain(&chain, &entry.signed.id(), entry.now);
            entries.push(LogEntry { number: shown.number, now: entry.now, transaction });
        }
        let shown = self.entries.len() as u64;
        if leaf.chain != chain || leaf.count != shown {
            return Err(LogError::Incomplete { counted: leaf.count, shown });
        }
        Ok(AccessLog { leaf, entries })
    }

    /// Proven alone, with its own map proof.
    pub fn verify(&self, proof: &MapProof, checkpoint: &Checkpoint) -> Result<AccessLog, LogError> {
        proof.holds(&Key::Grant(self.id).to_bytes(), &self.leaf, &checkpoint.map)?;
        self.log(checkpoint)
    }
}

/// The key that must have signed a transaction on this grant; `None` for one on anything else.
fn signer(
    id: &GrantId,
    transaction: &Transaction,
    ledger: &LedgerId,
    before: &[LogEntry],
) -> Option<PublicKey> {
    let grantee = |grant: &GrantId| {
        let credential = transaction.credential()?.claimed().ok()?;
        (grant == id).then_some(credential.grantee)
    };
    match transaction {
        Transaction::IssueGrant(body) => (GrantId::of(ledger, &body.key) == *id).then_some(body.key),
        Transaction::AcceptGrant(body) => grantee(&body.grant),
        Transaction::RedeemGrant(body) => grantee(&body.grant),
        Transaction::SettleClaim(body) => grantee(&body.grant),
        Transaction::ReverseClaim(body) => grantee(&body.settlement?.grant),
        Transaction::RevokeGrant(body) if body.grant == *id => {
            before.iter().find_map(|e| match &e.transaction {
                Transaction::IssueGrant(issued) => Some(issued.key),
                _ => None,
            })
        }
        _ => None,
    }
}

impl ShownGrants {
    /// The log of one of the wallet's own grants. `checkpoint` is the verified one of this answer's note;
    /// `None` where the state provably holds no such grant.
    pub fn log_of(
        &self,
        id: &GrantId,
        prefix: &Prefix,
        checkpoint: &Checkpoint,
    ) -> Result<Option<AccessLog>, LogError> {
        let key = MapKey::of(&Key::Grant(*id).to_bytes());
        if !prefix.covers(&key) {
            return Err(LogError::Withheld);
        }
        let leaves = self.proof.verify(prefix, &checkpoint.map)?;
        let Some(held) = leaves.iter().find(|leaf| leaf.key == key) else { return Ok(None) };
        let shown = self.grants.iter().find(|grant| grant.id == *id).ok_or(LogError::Withheld)?;
        if Digest::of(&shown.leaf) != held.value {
            return Err(MapError::Value.into());
        }
        shown.log(checkpoint).map(Some)
    }

    /// How a payer slot of one of the wallet's own invoices stands. `checkpoint` is the verified one of this answer's
    /// note; `None` where the state provably holds nothing, as nobody has settled or voided it.
    pub fn claim_of(
        &self,
        id: &TagId,
        prefix: &Prefix,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Claim>, LogError> {
        let key = MapKey::of(&Key::Claim(*id).to_bytes());
        if !prefix.covers(&key) {
            return Err(LogError::Withheld);
        }
        let leaves = self.proof.verify(prefix, &checkpoint.map)?;
        let Some(held) = leaves.iter().find(|leaf| leaf.key == key) else { return Ok(None) };
        let shown = self.claims.iter().find(|claim| claim.id == *id).ok_or(LogError::Withheld)?;
        if Digest::of(&shown.value) != held.value {
            return Err(MapError::Value.into());
        }
        cbor::decode(&shown.value).map(Some).map_err(|_| LogError::Leaf)
    }
}

#[cfg(test)]
pub(crate) mod tests;
