//! A wallet's storage in this browser: IndexedDB by rexie, one database a wallet. Keys are text, values bytes; what must
//! change together changes in one transaction. Everything personal arrives here encrypted; the plain lines are the
//! remembered checkpoint, the ledger's genesis and unlock slots.

use crate::platform::to_js;
use futures::future::{try_join, try_join_all};
use js_sys::Uint8Array;
use rexie::{ObjectStore, Rexie, TransactionMode};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Single values: slots, epoch object, remembered checkpoint, genesis.
    Plain,
    /// The vault's encrypted events by address.
    Events,
    /// Ciphertext of parts by address.
    Blobs,
    /// Work in progress that must survive a crash, encrypted under the device key.
    Pending,
    /// What the list shows of each record, encrypted under the device key; made again where it is missing.
    Cards,
    /// What a desk remembers of its own: keys, credentials, offers; encrypted under the desk's platform key.
    Desk,
    /// Keys of the platform that cannot be exported.
    Keys,
}

const TABLES: [Table; 7] =
    [Table::Plain, Table::Events, Table::Blobs, Table::Pending, Table::Cards, Table::Desk, Table::Keys];

/// One more than before whenever there is another table.
const VERSION: u32 = 2;
/// Values that are on their way at a time.
const AT_ONCE: usize = 256;

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Events => "events",
            Self::Blobs => "blobs",
            Self::Pending => "pending",
            Self::Cards => "cards",
            Self::Desk => "desk",
            Self::Keys => "keys",
        }
    }
}

/// Storage did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl From<rexie::Error> for StoreError {
    fn from(error: rexie::Error) -> Self {
        Self(error.to_string())
    }
}

/// One change of a transaction.
#[derive(Debug)]
pub enum Change {
    /// Writes a value.
    Put(Table, String, Vec<u8>),
    /// Removes a value.
    Delete(Table, String),
    /// Removes all values of a table.
    Clear(Table),
}

impl Change {
    fn puts_into(&self, table: Table) -> bool {
        matches!(self, Self::Put(into, ..) if *into == table)
    }
}

/// The database of this browser's owner: the wallet, what is remembered of the ledger, a desk's own.
pub const OWN: &str = "suishen";

/// An open database, closed when it is dropped.
#[derive(Debug)]
pub struct Store {
    /// Until it is dropped.
    database: Option<Rexie>,
    own: Option<Rc<Self>>,
}

impl Store {
    /// Opens the database of this name, making it the first time; beside the owner's for another person's wallet.
    pub async fn open(name: &str, own: Option<Rc<Self>>) -> Result<Self, StoreError> {
        let builder = TABLES.iter().fold(Rexie::builder(name).version(VERSION), |b, t| {
            b.add_object_store(ObjectStore::new(t.name()))
        });
        Ok(Self { database: Some(builder.build().await?), own })
    }

    /// The owner's: what this browser remembers of the ledger is remembered once.
    pub fn own(&self) -> &Self {
        self.own.as_deref().unwrap_or(self)
    }

    /// Deletes the database of this name. Done when nobody has it open any more.
    pub async fn delete(name: &str) -> Result<(), StoreError> {
        Ok(Rexie::delete(name).await?)
    }

    fn transaction(&self, tables: &[&str], mode: TransactionMode) -> Result<rexie::Transaction, StoreError> {
        let database = self.database.as_ref().ok_or_else(|| StoreError("closed".into()))?;
        Ok(database.transaction(tables, mode)?)
    }

    /// A value.
    pub async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.transaction(&[table.name()], TransactionMode::ReadOnly)?;
        let value = transaction.store(table.name())?.get(key.into()).await?;
        Ok(value.map(|v| v.unchecked_into::<Uint8Array>().to_vec()))
    }

    /// All keys and values of a table, in key order.
    pub async fn all(&self, table: Table) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let transaction = self.transaction(&[table.name()], TransactionMode::ReadOnly)?;
        let rows = transaction.store(table.name())?;
        let (keys, values) = try_join(rows.get_all_keys(None, None), rows.get_all(None, None)).await?;
        let text = |key: JsValue| key.as_string().ok_or_else(|| StoreError("a key that is no text".into()));
        let row =
            |(key, value): (_, JsValue)| Ok((text(key)?, value.unchecked_into::<Uint8Array>().to_vec()));
        keys.into_iter().zip(values).map(row).collect()
    }

    /// The values of these keys, in their order.
    pub async fn some(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let transaction = self.transaction(&[table.name()], TransactionMode::ReadOnly)?;
            let rows = transaction.store(table.name())?;
            let found = try_join_all(keys.iter().map(|key| rows.get(key.into()))).await?;
            values.extend(found.into_iter().map(|v| v.map(|v| v.unchecked_into::<Uint8Array>().to_vec())));
        }
        Ok(values)
    }

    /// How many values a table has.
    pub async fn count(&self, table: Table) -> Result<u64, StoreError> {
        let transaction = self.transaction(&[table.name()], TransactionMode::ReadOnly)?;
        Ok(transaction.store(table.name())?.count(None).await?.into())
    }

    /// All keys of a table, in order.
    pub async fn keys(&self, table: Table) -> Result<Vec<String>, StoreError> {
        let transaction = self.transaction(&[table.name()], TransactionMode::ReadOnly)?;
        let keys = transaction.store(table.name())?.get_all_keys(None, None).await?;
        Ok(keys.iter().filter_map(JsValue::as_string).collect())
    }

    /// Writes all changes or none.
    pub async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let names: Vec<_> = TABLES.iter().map(|t| t.name()).collect();
        let transaction = self.transaction(&names, TransactionMode::ReadWrite)?;
        let mut changes = changes.into_iter().peekable();
        while let Some(change) = changes.next() {
            match change {
                // All that follow go with it: waiting for one after the other takes as long as the writing.
                Change::Put(table, key, value) => {
                    let mut values = vec![(to_js(&value).into(), Some(key.into()))];
                    while let Some(Change::Put(_, key, value)) = changes.next_if(|next| next.puts_into(table))
                    {
                        values.push((to_js(&value).into(), Some(key.into())));
                    }
                    transaction.store(table.name())?.put_all(values.into_iter()).await?;
                }
                Change::Delete(table, key) => transaction.store(table.name())?.delete(key.into()).await?,
                Change::Clear(table) => transaction.store(table.name())?.clear().await?,
            }
        }
        transaction.done().await?;
        Ok(())
    }

    /// Writes one value.
    pub async fn put(&self, table: Table, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.write(vec![Change::Put(table, key.to_owned(), value)]).await
    }

    /// A platform key object.
    pub async fn platform_key(&self, name: &str) -> Result<Option<JsValue>, StoreError> {
        let table = Table::Keys.name();
        let transaction = self.transaction(&[table], TransactionMode::ReadOnly)?;
        Ok(transaction.store(table)?.get(name.into()).await?)
    }

    /// Stores a platform key object.
    pub async fn put_platform_key(&self, name: &str, key: &JsValue) -> Result<(), StoreError> {
        let table = Table::Keys.name();
        let transaction = self.transaction(&[table], TransactionMode::ReadWrite)?;
        transaction.store(table)?.put(key, Some(&name.into())).await?;
        transaction.done().await?;
        Ok(())
    }

    /// Empties everything: the person deletes the wallet from this browser.
    pub async fn erase(&self) -> Result<(), StoreError> {
        self.write(TABLES.iter().map(|t| Change::Clear(*t)).collect()).await
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            database.close();
        }
    }
}
