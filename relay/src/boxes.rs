//! Drop boxes of grants and inboxes of known recipients (PROTOCOL §4, §6): sealed messages, in the order of
//! their writing, until their time is over. And the refused attempts on a grant, as this relay saw them.
//!
//! Each box has its bounds, and all of them together have a room. The same message twice is one message, so that a retry
//! after a lost answer does no harm. Who may write and read is decided by the caller.

mod attempts;

pub use attempts::Refused;

use crate::{
    blob::{Blobs, Reason},
    store::{Store, StoreError, Together},
};
use minicbor::{Decode, Encode};
use redb::{ReadableTable as _, TableDefinition, WriteTransaction};
use suishen_core::{
    cbor,
    id::{BlobAddress, GrantId, InboxId},
};

type Rows = TableDefinition<'static, (&'static [u8; 32], u64), &'static [u8]>;
const DROPS: Rows = TableDefinition::new("drops");
const INBOXES: Rows = TableDefinition::new("inboxes");
const REFUSED: Rows = TableDefinition::new("refused");
/// One row: what all messages together take of the room, changed with them in one transaction.
const ROOM: TableDefinition<'static, &str, u64> = TableDefinition::new("boxes-room");
const USED: &str = "used";

/// Most messages in a drop box.
const MOST_MESSAGES: u64 = 64;
/// Most bytes in a drop box.
const MOST_BYTES: usize = 4 << 20;
/// Most messages in an inbox.
const MOST_IN_INBOX: usize = 256;
/// How long a message waits in an inbox, in seconds.
pub const INBOX_TERM: u64 = 30 * 86_400;
/// How long a drop box stays after its grant's end, in seconds.
pub const DROP_TERM: u64 = 30 * 86_400;

/// Why a message isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum BoxError {
    /// Too many messages or bytes.
    #[error("the box is full")]
    Full,
    /// All boxes together take no more.
    #[error("the relay has no room left for messages")]
    NoRoom,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A stored message.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Message {
    #[n(0)]
    until: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

/// A message in an inbox, with its index.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Delivered {
    /// To delete it by.
    #[n(0)]
    pub index: u64,
    /// Sealed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// All boxes of this relay.
#[derive(Clone, Debug)]
pub struct Boxes {
    store: Store,
    together: Together,
    /// Bytes that all messages together may have.
    room: u64,
}

/// What a message takes of the room: its row, and its part of the table.
const fn weight(row: &[u8]) -> u64 {
    row.len() as u64 + 64
}

impl Boxes {
    /// Makes the tables where they aren't there yet. `room` is in bytes.
    pub fn open(store: Store, room: u64) -> Result<Self, StoreError> {
        store.write(|tx| {
            tx.open_table(REFUSED)?;
            let mut count = tx.open_table(ROOM)?;
            let mut used = 0;
            for table in [DROPS, INBOXES] {
                let messages = tx.open_table(table)?;
                // Counted once, in a database from before there was a count.
                if count.get(USED)?.is_none() {
                    for row in messages.iter()? {
                        used += weight(row?.1.value());
                    }
                }
            }
            if count.get(USED)?.is_none() {
                count.insert(USED, used)?;
            }
            Ok::<_, StoreError>(())
        })?;
        let together = Together::start(store.clone())?;
        Ok(Self { store, together, room })
    }

    /// Bytes of all messages.
    pub fn used(&self) -> Result<u64, StoreError> {
        self.store.read(|tx| Ok(tx.open_table(ROOM)?.get(USED)?.map_or(0, |used| used.value())))
    }

    /// Takes room for a row.
    fn reserve(&self, tx: &WriteTransaction, row: &[u8]) -> Result<(), BoxError> {
        let taken = change(tx, |used| used.saturating_add(weight(row)))?;
        if taken > self.room { Err(BoxError::NoRoom) } else { Ok(()) }
    }

    /// Puts a message into a grant's drop box, until `until`; gives its index.
    /// Whoever drops at once shares a commit, so what is refused must have written nothing.
    pub fn drop_in(&self, grant: &GrantId, bytes: &[u8], until: u64) -> Result<u64, BoxError> {
        let (grant, message, room) = (*grant, Message { until, bytes: bytes.to_vec() }, self.room);
        self.together.write_here(move |tx| {
            let mut table = tx.open_table(DROPS)?;
            let all = messages(&table, grant.as_bytes(), 0)?;
            if let Some((index, _)) = all.iter().find(|(_, known)| known.bytes == message.bytes) {
                return Ok(Ok(*index));
            }
            let size: usize = all.iter().map(|(_, known)| known.bytes.len()).sum();
            let index = all.len() as u64;
            if index >= MOST_MESSAGES || size + message.bytes.len() > MOST_BYTES {
                return Ok(Err(BoxError::Full));
            }
            let row = cbor::encode(&message);
            if change(tx, |used| used)?.saturating_add(weight(&row)) > room {
                return Ok(Err(BoxError::NoRoom));
            }
            change(tx, |used| used.saturating_add(weight(&row)))?;
            table.insert((grant.as_bytes(), index), row.as_slice())?;
            Ok(Ok(index))
        })?
    }

    /// The messages of a drop box from an index on.
    pub fn dropped(&self, grant: &GrantId, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.read(|tx| {
            let all = messages(&tx.open_table(DROPS)?, grant.as_bytes(), from)?;
            Ok(all.into_iter().map(|(_, message)| message.bytes).collect())
        })
    }

    /// Notes a refused attempt on a grant; whether it is news.
    pub fn note_refused(&self, grant: &GrantId, refused: Refused, until: u64) -> Result<bool, StoreError> {
        if attempts::with(self.refused(grant)?, refused.clone()).is_none() {
            return Ok(false);
        }
        self.store.write(|tx| {
            let mut table = tx.open_table(REFUSED)?;
            let id = grant.as_bytes();
            // Once more, now that nobody else writes.
            let known = messages(&table, id, 0)?;
            let Some(list) = attempts::with(read_attempts(&known)?, refused) else { return Ok(false) };
            table.retain_in((id, 0)..=(id, u64::MAX), |_, _| false)?;
            for (index, refused) in (0..).zip(&list) {
                let row = cbor::encode(&Message { until, bytes: cbor::encode(refused) });
                table.insert((id, index), row.as_slice())?;
            }
            Ok(true)
        })
    }

    /// The refused attempts on a grant, oldest first.
    pub fn refused(&self, grant: &GrantId) -> Result<Vec<Refused>, StoreError> {
        self.store.read(|tx| read_attempts(&messages(&tx.open_table(REFUSED)?, grant.as_bytes(), 0)?))
    }

    /// Puts a message into an inbox, whose key may then fetch `blobs`; gives its index.
    pub fn deliver(
        &self,
        inbox: &InboxId,
        bytes: &[u8],
        blobs: &[BlobAddress],
        now: u64,
    ) -> Result<u64, BoxError> {
        let until = now.saturating_add(INBOX_TERM);
        self.store.write(|tx| {
            let mut table = tx.open_table(INBOXES).map_err(StoreError::from)?;
            let all = messages(&table, inbox.as_bytes(), 0)?;
            if let Some((index, _)) = all.iter().find(|(_, message)| message.bytes == bytes) {
                return Ok(*index);
            }
            let size: usize = all.iter().map(|(_, message)| message.bytes.len()).sum();
            if all.len() >= MOST_IN_INBOX || size + bytes.len() > MOST_BYTES {
                return Err(BoxError::Full);
            }
            let index = all.last().map_or(0, |(index, _)| index + 1);
            let row = cbor::encode(&Message { until, bytes: bytes.to_vec() });
            self.reserve(tx, &row)?;
            table.insert((inbox.as_bytes(), index), row.as_slice()).map_err(StoreError::from)?;
            Blobs::add_reason(tx, blobs, &Reason::Inbox(*inbox, until))?;
            Ok(index)
        })
    }

    /// The messages in an inbox.
    pub fn delivered(&self, inbox: &InboxId) -> Result<Vec<Delivered>, StoreError> {
        self.store.read(|tx| {
            let all = messages(&tx.open_table(INBOXES)?, inbox.as_bytes(), 0)?;
            Ok(all.into_iter().map(|(index, message)| Delivered { index, bytes: message.bytes }).collect())
        })
    }

    /// Takes a message out of an inbox; whether it was there.
    pub fn take(&self, inbox: &InboxId, index: u64) -> Result<bool, StoreError> {
        self.store.write(|tx| {
            let mut table = tx.open_table(INBOXES)?;
            let gone = table.remove((inbox.as_bytes(), index))?.map(|row| weight(row.value()));
            if let Some(gone) = gone {
                change(tx, |used| used.saturating_sub(gone))?;
            }
            Ok(gone.is_some())
        })
    }

    /// Deletes what is past its time.
    pub fn expire(&self, now: u64) -> Result<(), StoreError> {
        let stays = |row: &[u8]| cbor::decode::<Message>(row).is_ok_and(|message| message.until > now);
        self.store.write(|tx| {
            tx.open_table(REFUSED)?.retain(|_, row| stays(row))?;
            let mut gone = 0;
            for table in [DROPS, INBOXES] {
                tx.open_table(table)?.retain(|_, row| {
                    let stays = stays(row);
                    gone += if stays { 0 } else { weight(row) };
                    stays
                })?;
            }
            change(tx, |used| used.saturating_sub(gone))?;
            Ok(())
        })
    }
}

/// Changes how much of the room is taken; what it is then. A transaction that is given up changes nothing.
fn change(tx: &WriteTransaction, next: impl FnOnce(u64) -> u64) -> Result<u64, StoreError> {
    let mut count = tx.open_table(ROOM)?;
    let used = count.get(USED)?.map_or(0, |used| used.value());
    let used = next(used);
    count.insert(USED, used)?;
    Ok(used)
}

fn read_attempts(rows: &[(u64, Message)]) -> Result<Vec<Refused>, StoreError> {
    rows.iter().map(|(_, m)| cbor::decode(&m.bytes).map_err(|_| StoreError::Row)).collect()
}

fn messages(
    table: &impl redb::ReadableTable<(&'static [u8; 32], u64), &'static [u8]>,
    id: &[u8; 32],
    from: u64,
) -> Result<Vec<(u64, Message)>, StoreError> {
    let rows = table.range((id, from)..=(id, u64::MAX))?;
    rows.map(|row| {
        let (key, row) = row?;
        let message = cbor::decode(row.value()).map_err(|_| StoreError::Row)?;
        Ok((key.value().1, message))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes() -> (tempfile::TempDir, Boxes) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("relay.redb")).unwrap();
        Blobs::open(dir.path().join("blobs"), store.clone(), crate::blob::tests::limits()).unwrap();
        (dir, Boxes::open(store, BYTES).unwrap())
    }

    const BYTES: u64 = 16 << 20;

    const GRANT: GrantId = GrantId::from_bytes([1; 32]);
    const INBOX: InboxId = InboxId::from_bytes([1; 32]);

    #[test]
    fn messages_keep_their_order_and_a_repeat_is_no_second_one() {
        let (_dir, boxes) = boxes();
        for (message, index) in [("a", 0), ("b", 1), ("a", 0), ("c", 2)] {
            assert_eq!(boxes.drop_in(&GRANT, message.as_bytes(), 10).unwrap(), index);
        }
        assert_eq!(boxes.dropped(&GRANT, 1).unwrap(), [b"b".to_vec(), b"c".to_vec()]);
        assert!(boxes.dropped(&GrantId::from_bytes([2; 32]), 0).unwrap().is_empty());
    }

    #[test]
    fn a_box_takes_only_so_much() {
        let (_dir, boxes) = boxes();
        for i in 0..MOST_MESSAGES {
            boxes.drop_in(&GRANT, &i.to_be_bytes(), 10).unwrap();
        }
        assert!(matches!(boxes.drop_in(&GRANT, b"more", 10), Err(BoxError::Full)));
        let large = vec![0; MOST_BYTES + 1];
        assert!(matches!(boxes.deliver(&INBOX, &large, &[], 0), Err(BoxError::Full)));
    }

    #[test]
    fn all_boxes_together_have_one_room_which_comes_back() {
        let (_dir, boxes) = boxes();
        let large = vec![0; 3 << 20];
        let grant = |n: u8| GrantId::from_bytes([n; 32]);
        for n in 0..4 {
            boxes.drop_in(&grant(n), &large, 10).unwrap();
        }
        let index = boxes.deliver(&INBOX, &large, &[], 0).unwrap();
        assert!(matches!(boxes.drop_in(&grant(9), &large, 10), Err(BoxError::NoRoom)));
        assert!(matches!(
            boxes.deliver(&InboxId::from_bytes([2; 32]), &large, &[], 0),
            Err(BoxError::NoRoom)
        ));
        // What is here already is told where, room or none.
        assert_eq!(boxes.drop_in(&grant(0), &large, 10).unwrap(), 0);
        let again = Boxes::open(boxes.store.clone(), BYTES).unwrap();
        let full = again.used().unwrap();
        assert_eq!(again.used().unwrap(), boxes.used().unwrap(), "a restart counts the same");
        boxes.take(&INBOX, index).unwrap();
        boxes.drop_in(&grant(9), &large, 20).unwrap();
        boxes.expire(10).unwrap();
        assert_eq!(boxes.used().unwrap(), full / 5);
        boxes.expire(20).unwrap();
        assert_eq!(boxes.used().unwrap(), 0);
    }

    #[test]
    fn what_is_taken_or_past_its_time_is_gone() {
        let (_dir, boxes) = boxes();
        let index = boxes.deliver(&INBOX, b"one", &[], 0).unwrap();
        boxes.deliver(&INBOX, b"two", &[], 5).unwrap();
        assert!(boxes.take(&INBOX, index).unwrap());
        assert!(!boxes.take(&INBOX, index).unwrap());
        assert_eq!(boxes.delivered(&INBOX).unwrap().len(), 1);
        boxes.expire(INBOX_TERM + 5).unwrap();
        assert!(boxes.delivered(&INBOX).unwrap().is_empty());
    }

    #[test]
    fn refused_attempts_are_listed_once_and_go_with_their_box() {
        let (_dir, boxes) = boxes();
        let attempt = |at, code| Refused { at, code, party: None };
        assert!(boxes.note_refused(&GRANT, attempt(1, 72), 1000).unwrap());
        assert!(!boxes.note_refused(&GRANT, attempt(2, 72), 1000).unwrap());
        assert!(boxes.note_refused(&GRANT, attempt(100, 72), 1000).unwrap());
        assert!(boxes.note_refused(&GRANT, attempt(101, 73), 1000).unwrap());
        assert_eq!(boxes.refused(&GRANT).unwrap(), [attempt(100, 72), attempt(101, 73)]);
        boxes.expire(1000).unwrap();
        assert!(boxes.refused(&GRANT).unwrap().is_empty());
    }
}
