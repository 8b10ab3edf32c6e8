//! The contract's state: a key-value map behind a small trait, and sorted writes to it (PROTOCOL §5).
//!
//! Keys are one tag byte and the id (formats.cddl, "state"). **Only entries write state**, and everything is a
//! fold over them: equal entries, equal state. Two tags, 10 and 11, are bookkeeping beside the state map: they
//! follow from the entries' numbers and are left out of its root.

use super::genesis::Genesis;
use super::value::{Anchor, AuditorKeys, Claim, GrantLeaf, Holder, Last, Party, Terms, Use};
use crate::cbor;
use crate::id::{Commitment, GrantId, HolderId, PartyId, TagId, TransactionId};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// A key of the state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Tag 0: the [`Genesis`].
    Genesis,
    /// Tag 1: a [`Party`].
    Party(PartyId),
    /// Tag 2: whose certificate has this serial number.
    Serial(Vec<u8>),
    /// Tag 3: a [`Holder`].
    Holder(HolderId),
    /// Tag 4: an [`Anchor`].
    Anchor(Commitment),
    /// Tag 5: a [`GrantLeaf`].
    Grant(GrantId),
    /// Tag 6: a grant's [`Terms`].
    Terms(GrantId),
    /// Tag 7: a [`Use`] by its number, from 1.
    Use(GrantId, u32),
    /// Tag 8: how many entries a sponsor had in an hour (Unix time / 3600).
    Quota(PartyId, u64),
    /// Tag 9: the [`AuditorKeys`].
    Auditor,
    /// Tag 10, not in the state map: the number of the entry in which a transaction stands.
    Transaction(TransactionId),
    /// Tag 11, not in the state map: the [`Last`] entry.
    Last,
    /// Tag 12: a [`Claim`].
    Claim(TagId),
}

impl Key {
    /// Tag byte ‖ id.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Genesis => vec![0],
            Self::Party(id) => [&[1], id.as_str().as_bytes()].concat(),
            Self::Serial(serial) => [&[2], serial.as_slice()].concat(),
            Self::Holder(id) => [&[3], id.as_bytes().as_slice()].concat(),
            Self::Anchor(id) => [&[4], id.as_bytes().as_slice()].concat(),
            Self::Grant(id) => [&[5], id.as_bytes().as_slice()].concat(),
            Self::Terms(id) => [&[6], id.as_bytes().as_slice()].concat(),
            Self::Use(id, number) => [&[7], id.as_bytes().as_slice(), &number.to_be_bytes()].concat(),
            Self::Quota(id, hour) => [&[8], id.as_str().as_bytes(), &hour.to_be_bytes()].concat(),
            Self::Auditor => vec![9],
            Self::Transaction(id) => [&[10], id.as_bytes().as_slice()].concat(),
            Self::Last => vec![11],
            Self::Claim(id) => [&[12], id.as_bytes().as_slice()].concat(),
        }
    }

    /// Reads what [`Key::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        fn id(bytes: &[u8]) -> Option<[u8; 32]> {
            bytes.try_into().ok()
        }
        fn party(bytes: &[u8]) -> Option<PartyId> {
            PartyId::new(core::str::from_utf8(bytes).ok()?)
        }
        let (tag, rest) = bytes.split_first()?;
        Some(match tag {
            0 if rest.is_empty() => Self::Genesis,
            1 => Self::Party(party(rest)?),
            2 => Self::Serial(rest.to_vec()),
            3 => Self::Holder(HolderId::from_bytes(id(rest)?)),
            4 => Self::Anchor(Commitment::from_bytes(id(rest)?)),
            5 => Self::Grant(GrantId::from_bytes(id(rest)?)),
            6 => Self::Terms(GrantId::from_bytes(id(rest)?)),
            7 => {
                let (rest, number) = rest.split_last_chunk()?;
                Self::Use(GrantId::from_bytes(id(rest)?), u32::from_be_bytes(*number))
            }
            8 => {
                let (rest, hour) = rest.split_last_chunk()?;
                Self::Quota(party(rest)?, u64::from_be_bytes(*hour))
            }
            9 if rest.is_empty() => Self::Auditor,
            10 => Self::Transaction(TransactionId::from_bytes(id(rest)?)),
            11 if rest.is_empty() => Self::Last,
            12 => Self::Claim(TagId::from_bytes(id(rest)?)),
            _ => return None,
        })
    }

    /// Whether a key, as bytes, belongs to the state map and so to its root.
    pub fn is_mapped(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|tag| !matches!(tag, 10 | 11))
    }
}

/// A stored value isn't what the contract wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored value cannot be read: the store is damaged")]
pub struct Damaged;

/// The state, read only.
pub trait State {
    /// The value under a key.
    fn get(&self, key: &Key) -> Option<Vec<u8>>;
}

/// The state's values, typed.
pub trait Views: State {
    /// The genesis; every state has it.
    fn genesis(&self) -> Result<Genesis, Damaged> {
        read(self, &Key::Genesis)?.ok_or(Damaged)
    }

    /// An organisation.
    fn party(&self, id: &PartyId) -> Result<Option<Party>, Damaged> {
        read(self, &Key::Party(id.clone()))
    }

    /// Whose certificate has this serial number.
    fn serial(&self, serial: &[u8]) -> Result<Option<PartyId>, Damaged> {
        read(self, &Key::Serial(serial.to_vec()))
    }

    /// A holder.
    fn holder(&self, id: &HolderId) -> Result<Option<Holder>, Damaged> {
        read(self, &Key::Holder(*id))
    }

    /// A report's anchor.
    fn anchor(&self, id: &Commitment) -> Result<Option<Anchor>, Damaged> {
        read(self, &Key::Anchor(*id))
    }

    /// A grant's leaf.
    fn grant(&self, id: &GrantId) -> Result<Option<GrantLeaf>, Damaged> {
        read(self, &Key::Grant(*id))
    }

    /// A grant's terms.
    fn terms(&self, id: &GrantId) -> Result<Option<Terms>, Damaged> {
        read(self, &Key::Terms(*id))
    }

    /// A redemption by its number.
    fn redemption(&self, id: &GrantId, number: u32) -> Result<Option<Use>, Damaged> {
        read(self, &Key::Use(*id, number))
    }

    /// A payer slot of an invoice, by its tag.
    fn claim(&self, id: &TagId) -> Result<Option<Claim>, Damaged> {
        read(self, &Key::Claim(*id))
    }

    /// How many entries a sponsor had in an hour.
    fn quota(&self, sponsor: &PartyId, hour: u64) -> Result<u64, Damaged> {
        Ok(read(self, &Key::Quota(sponsor.clone(), hour))?.unwrap_or(0))
    }

    /// The auditor's keys; every state has them.
    fn auditor(&self) -> Result<AuditorKeys, Damaged> {
        read(self, &Key::Auditor)?.ok_or(Damaged)
    }

    /// The number of the entry in which a transaction stands.
    fn entry_of(&self, id: &TransactionId) -> Result<Option<u64>, Damaged> {
        read(self, &Key::Transaction(*id))
    }

    /// The last entry; every state has one, the genesis being the first.
    fn last(&self) -> Result<Last, Damaged> {
        read(self, &Key::Last)?.ok_or(Damaged)
    }
}

impl<S: State + ?Sized> Views for S {}

fn read<T, S>(state: &S, key: &Key) -> Result<Option<T>, Damaged>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
    S: State + ?Sized,
{
    state.get(key).map(|bytes| cbor::decode(&bytes).map_err(|_| Damaged)).transpose()
}

/// Sorted writes to the state: key bytes to a value, or to nothing where the key goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl Changes {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn put<T: Encode<()>>(&mut self, key: &Key, value: &T) {
        self.0.insert(key.to_bytes(), Some(cbor::encode(value)));
    }

    /// All writes, in the order of the keys' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// The writes that the state map takes, in the order of the keys' bytes.
    pub fn mapped(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.iter().filter(|(key, _)| Key::is_mapped(key))
    }

    /// Whether a key is written: `Some(None)` where it goes.
    pub fn get(&self, key: &Key) -> Option<Option<&[u8]>> {
        self.0.get(&key.to_bytes()).map(Option::as_deref)
    }

    /// Adds later writes on top of these.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// How many keys are written.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Changes {
    type Item = (Vec<u8>, Option<Vec<u8>>);
    type IntoIter = std::collections::btree_map::IntoIter<Vec<u8>, Option<Vec<u8>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A state with writes on top that aren't committed yet: the entries of one batch or block see each other.
pub struct Overlay<'a> {
    base: &'a dyn State,
    changes: Changes,
}

impl<'a> Overlay<'a> {
    /// Nothing on top yet.
    pub fn new(base: &'a dyn State) -> Self {
        Self { base, changes: Changes::new() }
    }

    /// Puts an entry's writes on top.
    pub fn add(&mut self, changes: Changes) {
        self.changes.extend(changes);
    }

    /// All writes so far.
    pub fn into_changes(self) -> Changes {
        self.changes
    }
}

impl State for Overlay<'_> {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        match self.changes.get(key) {
            Some(value) => value.map(<[u8]>::to_vec),
            None => self.base.get(key),
        }
    }
}

/// A state in memory, for whoever replays the entries: auditor, wallet, tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(BTreeMap<Vec<u8>, Vec<u8>>);

impl Memory {
    /// The state after the genesis.
    pub fn new(genesis: &Genesis) -> Self {
        let mut state = Self::default();
        state.commit(super::genesis(genesis));
        state
    }

    /// Writes an entry's changes.
    pub fn commit(&mut self, changes: Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }

    /// All keys and values, in the order of the keys' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
}

impl State for Memory {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.0.get(&key.to_bytes()).cloned()
    }
}
