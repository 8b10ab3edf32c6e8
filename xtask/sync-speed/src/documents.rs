//! The peer: one automerge document a device, a map of records within it, each change a commit of its own; synced by
//! automerge's own protocol.

use anyhow::Result;
use automerge::sync::{Message, State, SyncDoc};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, AutomergeError, ObjId, ObjType, ROOT, ReadDoc};
use data_encoding::BASE64URL_NOPAD;

use crate::change::Change;
use crate::cost::{Cost, timed};

const RECORDS: &str = "records";
const TIME: &str = "time";

/// A device's document.
#[derive(Clone, Debug)]
pub struct Document(Automerge);

impl Document {
    /// An empty one, of the device with this number.
    pub fn new(device: u8) -> Self {
        Self(Automerge::new().with_actor(ActorId::from([device; 16].as_slice())))
    }

    /// Another device's copy of it.
    #[must_use]
    pub fn copy(&self, device: u8) -> Self {
        Self(self.0.clone().with_actor(ActorId::from([device; 16].as_slice())))
    }

    /// Makes a change: one commit.
    pub fn make(&mut self, change: &Change) -> Result<()> {
        let time = i64::try_from(change.time)?;
        let name = BASE64URL_NOPAD.encode(change.record.as_bytes());
        let options = |(): &()| CommitOptions::default().with_time(time);
        let done = self.0.transact_with::<_, _, AutomergeError, _>(options, |doc| {
            let records = child(doc, &ROOT, RECORDS)?;
            let record = child(doc, &records, &name)?;
            doc.put(&record, change.tag.as_str(), true)?;
            doc.put(&record, TIME, time)
        });
        done.map(drop).map_err(|failure| failure.error.into())
    }

    /// How many records it has.
    pub fn records(&self) -> Result<usize> {
        let records = self.0.get(ROOT, RECORDS)?;
        Ok(records.map_or(0, |(_, id)| self.0.length(&id)))
    }

    /// Whether both have the same changes.
    pub fn is_level_with(&self, other: &Self) -> bool {
        self.0.get_heads() == other.0.get_heads()
    }

    /// The size of the document as automerge stores it, in bytes.
    pub fn stored(&self) -> usize {
        self.0.save().len()
    }
}

/// The map in a map, made where it isn't there.
fn child(doc: &mut impl Transactable, parent: &ObjId, name: &str) -> Result<ObjId, AutomergeError> {
    match doc.get(parent, name)? {
        Some((_, id)) => Ok(id),
        None => doc.put_object(parent, name, ObjType::Map),
    }
}

/// What two documents know of each other.
#[derive(Clone, Debug, Default)]
pub struct Connection([State; 2]);

impl Connection {
    /// A new one between the same two: what automerge keeps of the last is kept.
    pub fn again(&self) -> Result<Self> {
        let [one, other] = &self.0;
        Ok(Self([State::decode(&one.encode())?, State::decode(&other.encode())?]))
    }

    /// Lets both speak until neither has anything to say; the first begins.
    pub fn exchange(&mut self, mut documents: [&mut Document; 2]) -> Result<Cost> {
        let (cost, time) = timed(|| self.speak(&mut documents))?;
        Ok(Cost { time, ..cost })
    }

    fn speak(&mut self, documents: &mut [&mut Document; 2]) -> Result<Cost> {
        let (mut cost, mut silent) = (Cost::default(), 0);
        for at in [0, 1].into_iter().cycle() {
            let Some(message) = documents[at].0.generate_sync_message(&mut self.0[at]) else {
                silent += 1;
                if silent == 2 {
                    break;
                }
                continue;
            };
            silent = 0;
            let bytes = message.encode();
            cost.bytes += bytes.len();
            cost.turns += 1;
            documents[1 - at].0.receive_sync_message(&mut self.0[1 - at], Message::decode(&bytes)?)?;
        }
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_documents_end_the_same() {
        let (mut one, mut other) = (Document::new(1), Document::new(2));
        (0..20).for_each(|record| one.make(&Change::of(record)).unwrap());
        let mut connection = Connection::default();
        let first = connection.exchange([&mut other, &mut one]).unwrap();
        assert!(one.is_level_with(&other) && first.bytes > 0);
        assert_eq!(other.records().unwrap(), 20);
        one.make(&Change::again(3, 20)).unwrap();
        other.make(&Change::again(4, 21)).unwrap();
        let mut connection = connection.again().unwrap();
        connection.exchange([&mut other, &mut one]).unwrap();
        assert!(one.is_level_with(&other));
    }
}
