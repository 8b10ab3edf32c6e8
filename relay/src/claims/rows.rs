//! What an insurer's server keeps: claims, events, answers to repeats. Every write is durable before
//! anything that follows from it is sent.
//!
//! **Claims lie sealed**, under a key in the server's key folder: a copy of the database alone shows nobody's invoice.

use super::held::{Held, Shown};
use crate::{
    random::SystemRandom,
    store::{Store, StoreError, Together},
};
use redb::{ReadableTable as _, ReadableTableMetadata as _, TableDefinition, WriteTransaction};
use std::path::Path;
use suishen_core::{
    cbor,
    id::GrantId,
    sm::{Digest, Key32, Label, aead},
};

const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");
const CLAIMS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("claims");
/// What each claim shows, once it is open: written once, and large beside the claim itself.
const SHOWN: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("claims-shown");
/// Claims in the order in which they came.
const ORDER: TableDefinition<'_, u64, &[u8; 32]> = TableDefinition::new("claims-in-order");
/// Claims for which the server itself has something to do.
const UNDER_WAY: TableDefinition<'_, &[u8; 32], ()> = TableDefinition::new("claims-under-way");
const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
/// Answers to requests with an idempotency key: digest of key and name -> answer.
const ANSWERS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("answers");
/// The same in the order in which they were given, to be forgotten in it.
const ANSWERED: TableDefinition<'_, (u64, &[u8; 32]), ()> = TableDefinition::new("answers-in-order");

const ROW: Label = Label::new("insurer-claim");
const SHOWN_ROW: Label = Label::new("insurer-claim-shown");
const CURSORS: Label = Label::new("insurer-cursors");
const ANSWER: Label = Label::new("insurer-answer");

/// The newest events that are kept.
pub const MOST_EVENTS: u64 = 100_000;
/// The newest answers that are kept, and for how long in seconds.
pub const MOST_ANSWERS: u64 = 100_000;
/// How long an idempotency key is remembered, in seconds.
pub const ANSWERS_KEPT: u64 = 7 * 86_400;
/// Claims that are looked at for one page of a list.
const MOST_LOOKED_AT: usize = 2_000;

/// The rows failed.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row that can't be opened.
    #[error("a row of the claims database cannot be opened: its key is another, or it is damaged")]
    Sealed,
}

macro_rules! from_redb {
    ($($name:ident),*) => {$(
        impl From<redb::$name> for RowsError {
            fn from(error: redb::$name) -> Self {
                Self::Store(error.into())
            }
        }
    )*};
}
from_redb!(TableError, StorageError);

/// What happened to a claim.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Event {
    /// Its number, from 1.
    #[n(0)]
    pub number: u64,
    /// Ledger time.
    #[n(1)]
    pub at: u64,
    /// Which claim.
    #[n(2)]
    pub claim: GrantId,
    /// Its state from then on.
    #[n(3)]
    pub state: String,
}

/// A request that is done once: begun, and then its answer, which a repeat gets again.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Answered {
    /// Of the request: method, path and body.
    #[n(0)]
    pub request: Digest,
    /// When, by the ledger's time.
    #[n(1)]
    pub at: u64,
    /// HTTP status; none while there is no answer.
    #[n(2)]
    pub status: Option<u16>,
    /// The body.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// The database of an insurer's server.
#[derive(Clone)]
pub struct Rows {
    store: Store,
    together: Together,
    key: Key32,
}

impl core::fmt::Debug for Rows {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rows")
    }
}

impl Rows {
    /// Opens or makes it. `key` seals what is personal.
    pub fn open(file: &Path, key: Key32) -> Result<Self, RowsError> {
        let store = Store::open(file)?;
        store.write(|tx| {
            tx.open_table(VALUES)?;
            tx.open_table(CLAIMS)?;
            tx.open_table(SHOWN)?;
            tx.open_table(ORDER)?;
            tx.open_table(UNDER_WAY)?;
            tx.open_table(EVENTS)?;
            tx.open_table(ANSWERS)?;
            tx.open_table(ANSWERED)?;
            Ok::<_, StoreError>(())
        })?;
        let together = Together::start(store.clone())?;
        Ok(Self { store, together, key })
    }

    /// Checks the cursors that were given out.
    pub fn cursor_key(&self) -> Key32 {
        self.key.derive(CURSORS, &[])
    }

    /// A single value.
    pub fn value<T>(&self, name: &str) -> Result<Option<T>, RowsError>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        let bytes = self.store.read(|tx| {
            let table = tx.open_table(VALUES)?;
            Ok::<_, StoreError>(table.get(name)?.map(|row| row.value().to_vec()))
        })?;
        bytes.map(|bytes| cbor::decode(&bytes).map_err(|_| StoreError::Row.into())).transpose()
    }

    /// Writes a single value: durable once what comes back has ended, and before whatever is written after this call.
    pub fn put_value<T: minicbor::Encode<()>>(
        &self,
        name: &'static str,
        value: &T,
    ) -> impl Future<Output = Result<(), RowsError>> + Send + use<T> {
        let bytes = cbor::encode(value);
        let written = self.together.write(move |tx| {
            tx.open_table(VALUES)?.insert(name, bytes.as_slice())?;
            Ok(())
        });
        async move { Ok(written.await?) }
    }

    /// Removes a single value; whether there was one.
    pub async fn remove_value(&self, name: &'static str) -> Result<bool, RowsError> {
        Ok(self.together.write(move |tx| Ok(tx.open_table(VALUES)?.remove(name)?.is_some())).await?)
    }

    /// A claim, with what it shows.
    pub fn claim(&self, id: &GrantId) -> Result<Option<Held>, RowsError> {
        let (sealed, shown) = self.store.read(|tx| {
            let (claims, shown) = (tx.open_table(CLAIMS)?, tx.open_table(SHOWN)?);
            let row = claims.get(id.as_bytes())?.map(|row| row.value().to_vec());
            Ok::<_, StoreError>((row, shown.get(id.as_bytes())?.map(|row| row.value().to_vec())))
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let mut held: Held = self.unseal(ROW, id.as_bytes(), &sealed)?;
        // A row from before it lay apart has it inside.
        if let (Some(opened), Some(shown)) = (&mut held.opened, shown) {
            let shown: Shown = self.unseal(SHOWN_ROW, id.as_bytes(), &shown)?;
            opened.show(shown);
        }
        Ok(Some(held))
    }

    /// What a claim shows, sealed, where it isn't written yet.
    fn new_shown(&self, held: &Held) -> Result<Option<Vec<u8>>, RowsError> {
        let Some(opened) = &held.opened else { return Ok(None) };
        let id = held.grant.as_bytes();
        let written = self.store.read(|tx| Ok::<_, StoreError>(tx.open_table(SHOWN)?.get(id)?.is_some()))?;
        Ok((!written).then(|| self.seal(SHOWN_ROW, id, &opened.shown())))
    }

    fn unseal<T>(&self, label: Label, name: &[u8; 32], sealed: &[u8]) -> Result<T, RowsError>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        let plain = aead::open(&self.key, label, name, sealed).map_err(|_| RowsError::Sealed)?;
        cbor::decode(&plain).map_err(|_| StoreError::Row.into())
    }

    fn seal<T: minicbor::Encode<()>>(&self, label: Label, name: &[u8; 32], row: &T) -> Vec<u8> {
        let plain = zeroize::Zeroizing::new(cbor::encode(row));
        aead::seal(&self.key, label, name, &plain, &mut SystemRandom)
    }

    /// Writes a new claim behind all others, with its event. A claim that is there already is left as it is.
    pub async fn add_claim(&self, held: &Held, at: u64) -> Result<bool, RowsError> {
        let (grant, state) = (held.grant, held.state().name());
        let sealed = self.seal(ROW, grant.as_bytes(), held);
        let written = self.together.write(move |tx| {
            let mut claims = tx.open_table(CLAIMS)?;
            if claims.get(grant.as_bytes())?.is_some() {
                return Ok(false);
            }
            claims.insert(grant.as_bytes(), sealed.as_slice())?;
            let mut order = tx.open_table(ORDER)?;
            let next = order.last()?.map_or(1, |(number, _)| number.value() + 1);
            order.insert(next, grant.as_bytes())?;
            tx.open_table(UNDER_WAY)?.insert(grant.as_bytes(), ())?;
            add_event(tx, &grant, state, at)?;
            Ok(true)
        });
        Ok(written.await?)
    }

    /// Writes a claim as it is now; with an event where its state has changed.
    pub async fn put_claim(&self, held: &Held, before: &'static str, at: u64) -> Result<(), RowsError> {
        let (grant, state, goes_on) = (held.grant, held.state().name(), held.is_under_way());
        let (sealed, shown) = (self.seal(ROW, grant.as_bytes(), &held.apart()), self.new_shown(held)?);
        let written = self.together.write(move |tx| {
            tx.open_table(CLAIMS)?.insert(grant.as_bytes(), sealed.as_slice())?;
            if let Some(shown) = &shown {
                tx.open_table(SHOWN)?.insert(grant.as_bytes(), shown.as_slice())?;
            }
            let mut under_way = tx.open_table(UNDER_WAY)?;
            if goes_on {
                under_way.insert(grant.as_bytes(), ())?;
            } else {
                under_way.remove(grant.as_bytes())?;
            }
            if state != before {
                add_event(tx, &grant, state, at)?;
            }
            Ok(())
        });
        Ok(written.await?)
    }

    /// Forgets a claim.
    pub async fn forget(&self, id: &GrantId) -> Result<(), RowsError> {
        let id = *id;
        let written = self.together.write(move |tx| {
            tx.open_table(CLAIMS)?.remove(id.as_bytes())?;
            tx.open_table(SHOWN)?.remove(id.as_bytes())?;
            tx.open_table(UNDER_WAY)?.remove(id.as_bytes())?;
            tx.open_table(ORDER)?.retain(|_, named| named != id.as_bytes())?;
            Ok(())
        });
        Ok(written.await?)
    }

    /// Which claims come after a place in the order, and the place to go on from where there are more.
    pub fn names(&self, after: u64, limit: usize) -> Result<(Vec<GrantId>, Option<u64>), RowsError> {
        Ok(self.store.read(|tx| {
            let (mut names, mut last) = (Vec::new(), after);
            for row in tx.open_table(ORDER)?.range(after.saturating_add(1)..)?.take(limit) {
                let (number, id) = row?;
                names.push(GrantId::from_bytes(*id.value()));
                last = number.value();
            }
            let next = (names.len() == limit).then_some(last);
            Ok::<_, StoreError>((names, next))
        })?)
    }

    /// Claims after a place in the order, without what they show, and the place to go on from where there are more. At most
    /// `limit` that `wanted` takes; of a long list only a stretch is looked at, so a page may be short. A row that can't be read is passed
    /// over, and said in the log: it takes nothing from the others.
    pub fn claims(
        &self,
        after: u64,
        limit: usize,
        wanted: impl Fn(&Held) -> bool,
    ) -> Result<(Vec<Held>, Option<u64>), RowsError> {
        let rows = self.store.read(|tx| {
            let (order, claims) = (tx.open_table(ORDER)?, tx.open_table(CLAIMS)?);
            let mut rows = Vec::new();
            for row in order.range(after.saturating_add(1)..)?.take(MOST_LOOKED_AT) {
                let (number, id) = row?;
                let sealed = claims.get(id.value())?.map(|sealed| sealed.value().to_vec());
                rows.push((number.value(), *id.value(), sealed));
            }
            Ok::<_, StoreError>(rows)
        })?;
        let full = rows.len() == MOST_LOOKED_AT;
        let (mut found, mut last) = (Vec::new(), after);
        for (number, id, sealed) in rows {
            let sealed = sealed.ok_or_else(|| StoreError::Row.into());
            match sealed.and_then(|sealed| self.unseal::<Held>(ROW, &id, &sealed)) {
                Ok(held) if wanted(&held) => {
                    if found.len() == limit {
                        return Ok((found, Some(last)));
                    }
                    found.push(held);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(claim = %GrantId::from_bytes(id), %error, "a claim is left out of a list");
                }
            }
            last = number;
        }
        Ok((found, full.then_some(last)))
    }

    /// The claims for which the server itself has something to do.
    pub fn under_way(&self) -> Result<Vec<GrantId>, RowsError> {
        Ok(self.store.read(|tx| {
            let mut names = Vec::new();
            for row in tx.open_table(UNDER_WAY)?.iter()? {
                names.push(GrantId::from_bytes(*row?.0.value()));
            }
            Ok::<_, StoreError>(names)
        })?)
    }

    /// How many claims there are.
    pub fn count(&self) -> Result<u64, RowsError> {
        Ok(self.store.read(|tx| Ok::<_, StoreError>(tx.open_table(ORDER)?.len()?))?)
    }

    /// Events after this number, ascending.
    pub fn events(&self, after: u64, limit: usize) -> Result<Vec<Event>, RowsError> {
        Ok(self.store.read(|tx| {
            let mut events = Vec::new();
            for row in tx.open_table(EVENTS)?.range(after.saturating_add(1)..)?.take(limit) {
                events.push(cbor::decode(row?.1.value()).map_err(|_| StoreError::Row)?);
            }
            Ok::<_, StoreError>(events)
        })?)
    }

    /// The numbers of the first and the last event that are kept.
    pub fn event_span(&self) -> Result<Option<(u64, u64)>, RowsError> {
        Ok(self.store.read(|tx| {
            let table = tx.open_table(EVENTS)?;
            let first = table.first()?.map(|(number, _)| number.value());
            let last = table.last()?.map(|(number, _)| number.value());
            Ok::<_, StoreError>(first.zip(last))
        })?)
    }

    /// What became of a request with this idempotency key, while it is remembered.
    pub fn answer(&self, name: &[u8; 32], now: u64) -> Result<Option<Answered>, RowsError> {
        let sealed = self.store.read(|tx| {
            let table = tx.open_table(ANSWERS)?;
            Ok::<_, StoreError>(table.get(name)?.map(|row| row.value().to_vec()))
        })?;
        let found: Option<Answered> = sealed.map(|row| self.unseal(ANSWER, name, &row)).transpose()?;
        Ok(found.filter(|found| found.at.saturating_add(ANSWERS_KEPT) > now))
    }

    /// Remembers that a request was begun, or its answer; and forgets the oldest beyond the bound.
    pub async fn put_answer(&self, name: &[u8; 32], answer: &Answered) -> Result<(), RowsError> {
        let (name, given) = (*name, answer.at);
        let sealed = self.seal(ANSWER, &name, answer);
        let written = self.together.write(move |tx| {
            let (mut answers, mut answered) = (tx.open_table(ANSWERS)?, tx.open_table(ANSWERED)?);
            // What is over goes first: an old row of this name would later take the new answer with it.
            let end = given.saturating_sub(ANSWERS_KEPT);
            loop {
                let oldest = answered.first()?.map(|(row, _)| (row.value().0, *row.value().1));
                let Some((at, old)) = oldest else { break };
                if at > end && answered.len()? < MOST_ANSWERS {
                    break;
                }
                answered.remove((at, &old))?;
                answers.remove(&old)?;
            }
            answers.insert(&name, sealed.as_slice())?;
            answered.insert((given, &name), ())?;
            Ok(())
        });
        Ok(written.await?)
    }

    /// Forgets a request that did nothing.
    pub async fn remove_answer(&self, name: &[u8; 32], begun: u64) -> Result<(), RowsError> {
        let name = *name;
        let written = self.together.write(move |tx| {
            tx.open_table(ANSWERED)?.remove((begun, &name))?;
            tx.open_table(ANSWERS)?.remove(&name)?;
            Ok(())
        });
        Ok(written.await?)
    }
}

fn add_event(tx: &WriteTransaction, claim: &GrantId, state: &str, at: u64) -> Result<(), StoreError> {
    let mut events = tx.open_table(EVENTS)?;
    let number = events.last()?.map_or(1, |(number, _)| number.value() + 1);
    let event = Event { number, at, claim: *claim, state: state.to_owned() };
    events.insert(number, cbor::encode(&event).as_slice())?;
    while events.len()? > MOST_EVENTS {
        events.pop_first()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
