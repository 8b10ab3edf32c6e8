//! Mailboxes, examined: each event against its address, each content against its own.

use super::rows;
use crate::{blob, store::StoreError};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableError};
use std::path::Path;
use suishen_core::id::BlobAddress;

/// What an examination gave.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    /// Events and contents that hold.
    pub whole: u64,
    /// Those that don't, and why.
    pub wrong: Vec<(BlobAddress, &'static str)>,
}

/// The database's file in the mailboxes' folder.
pub(crate) fn database(folder: &Path) -> std::path::PathBuf {
    folder.join(super::DATABASE)
}

/// Examines all mailboxes of a folder.
pub(crate) fn examine(database: &Database, folder: &Path) -> Result<Examined, StoreError> {
    let (mut examined, tx) = (Examined::default(), database.begin_read()?);
    let events = match tx.open_table(rows::EVENTS) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(examined),
        other => other?,
    };
    for row in events.iter()? {
        let (key, row) = row?;
        let address = BlobAddress::from_bytes(*key.value().1);
        let holds = BlobAddress::of(row.value()) == address;
        examined
            .note(address, if holds { None } else { Some("the event was changed: it has another address") });
    }
    for (vault, address, row) in rows::contents(&tx.open_table(rows::CONTENTS)?)? {
        if row.whole {
            let found = blob::address_of(&folder.join(vault.to_hex()).join(address.to_hex()));
            examined.note(
                address,
                match found {
                    Ok(found) if found == address => None,
                    Ok(_) => Some("the content was changed: it has another address"),
                    Err(_) => Some("the content is missing or cannot be read"),
                },
            );
        }
    }
    Ok(examined)
}

impl Examined {
    fn note(&mut self, address: BlobAddress, why: Option<&'static str>) {
        match why {
            None => self.whole += 1,
            Some(why) => self.wrong.push((address, why)),
        }
    }
}
