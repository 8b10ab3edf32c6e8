//! Ours: two devices of one vault, whose events are sealed and signed as any wallet's, and the link between them in
//! frames of [`FRAME`] bytes.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, ensure};
use core::time::Duration;
use suishen_core::id::{BlobAddress, LedgerId};
use suishen_core::sm::Key32;
use suishen_core::sync::{Act, Link};
use suishen_core::vault::{Body, DeviceRole, Locked, NewDevice, Origin, StoredEvent, Unlock, Vault};

use crate::change::{Change, Repeatable};
use crate::cost::{Cost, timed};

/// A frame's limit, in bytes.
pub const FRAME: usize = 60 << 10;
const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
const BEGIN: u64 = 1_780_000_000;

/// A copy of a vault as it is stored and synced.
pub type Copy = BTreeMap<BlobAddress, Vec<u8>>;

/// A device that can make events.
#[derive(Debug)]
pub struct Device {
    vault: Vault,
    random: Repeatable,
    /// Its copy.
    pub copy: Copy,
}

/// A device's keys, as they are stored: from it any number of equal devices are made.
#[derive(Debug)]
pub struct Kept {
    stored: Vec<u8>,
    key: Key32,
}

impl Device {
    /// A new vault's first device, and a second one that was admitted and has no event yet.
    pub fn pair() -> Result<(Self, Kept)> {
        let mut random = Repeatable::of(1);
        let (mut vault, events) = Vault::create(LEDGER, "手机", BEGIN, &mut random);
        let new = NewDevice::generate(&mut random);
        let (admission, certified) = vault.admit(&new.request(), DeviceRole::Share, BEGIN, &mut random)?;
        let joined = Vault::join(new, &admission, LEDGER, &mut random)?;
        let kept = Kept { stored: joined.to_bytes(), key: joined.device_key()?.clone() };
        let mut first = Self { vault, random, copy: Copy::new() };
        first.keep(events.iter().chain([&certified]));
        Ok((first, kept))
    }

    /// What it has, in the order of the addresses.
    pub fn events(&self) -> Vec<StoredEvent> {
        self.copy.values().cloned().map(StoredEvent::from_bytes).collect()
    }

    /// Makes a change.
    pub fn make(&mut self, change: &Change) -> Result<StoredEvent> {
        let body = Body::Tagged(change.record, change.tag.clone());
        let event = self.vault.append(body, change.time, &mut self.random)?;
        self.keep([&event]);
        Ok(event)
    }

    /// The second device's first event.
    pub fn enter(&mut self) -> Result<StoredEvent> {
        let event = self.vault.enter("平板", BEGIN, &mut self.random)?;
        self.keep([&event]);
        Ok(event)
    }

    /// Takes events of elsewhere into the vault: opened, signatures verified, put in order, folded into the index.
    pub fn take(&mut self, events: &[StoredEvent]) -> Result<Duration> {
        let (report, time) = timed(|| {
            let report = self.vault.load(events, Origin::Elsewhere);
            self.vault.index();
            Ok(report)
        })?;
        ensure!(report.refused.is_empty() && report.waiting == 0, "the vault did not take all: {report:?}");
        self.keep(events);
        Ok(time)
    }

    /// Whether this tag is on its record.
    pub fn is_tagged(&mut self, change: &Change) -> bool {
        self.vault.index().marks(&change.record).tags.contains(&change.tag)
    }

    fn keep<'e>(&mut self, events: impl IntoIterator<Item = &'e StoredEvent>) {
        self.copy.extend(events.into_iter().map(|event| (event.address, event.bytes.clone())));
    }
}

impl Kept {
    /// The device with nothing but its keys.
    pub fn open(&self) -> Result<Device> {
        let vault = Locked::from_bytes(&self.stored)?.open(Unlock::DeviceKey(&self.key))?;
        Ok(Device { vault, random: Repeatable::of(2), copy: Copy::new() })
    }
}

/// The bytes of all its events.
pub fn size(copy: &Copy) -> usize {
    copy.values().map(Vec::len).sum()
}

#[derive(Debug)]
struct Side<'c> {
    link: Link,
    copy: &'c mut Copy,
    out: Vec<Vec<u8>>,
    came: Vec<StoredEvent>,
}

/// Two links that are connected to each other.
#[derive(Debug)]
pub struct Connection<'c> {
    sides: [Side<'c>; 2],
    random: Repeatable,
}

impl<'c> Connection<'c> {
    /// Connects two copies, of which the first begins, and lets them compare until both are level.
    pub fn open(copies: [&'c mut Copy; 2]) -> Result<(Self, Cost)> {
        let [first, second] = copies;
        let side =
            |begins, copy| Side { link: Link::new(begins, FRAME), copy, out: Vec::new(), came: Vec::new() };
        let (sides, random) = ([side(true, first), side(false, second)], Repeatable::default());
        let mut connection = Self { sides, random };
        let (cost, time) = timed(|| {
            connection.act(0, vec![Act::Compare])?;
            connection.settle()
        })?;
        Ok((connection, Cost { time, ..cost }))
    }

    /// One side has stored a new event.
    pub fn tell(&mut self, at: usize, event: StoredEvent) -> Result<Cost> {
        self.sides[at].copy.insert(event.address, event.bytes.clone());
        let (cost, time) = timed(|| {
            let acts = self.sides[at].link.news([event]);
            self.act(at, acts)?;
            self.settle()
        })?;
        Ok(Cost { time, ..cost })
    }

    /// What came to each side, in this order.
    pub fn came(self) -> [Vec<StoredEvent>; 2] {
        self.sides.map(|side| side.came)
    }

    fn act(&mut self, at: usize, acts: Vec<Act>) -> Result<()> {
        let Side { link, copy, out, came } = &mut self.sides[at];
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => out.push(frame),
                Act::Load(addresses) => {
                    let events = addresses.iter().filter_map(|address| copy.get(address).cloned());
                    acts.extend(link.loaded(events.collect())?);
                }
                Act::Store(events) => {
                    copy.extend(events.iter().map(|event| (event.address, event.bytes.clone())));
                    came.extend(events);
                }
                Act::Compare => acts.extend(link.start(copy.keys().copied(), &mut self.random)?),
                Act::Finished | Act::Level => {}
                Act::Refused(reason) => return Err(reason.into()),
            }
        }
        Ok(())
    }

    /// Passes frames on until none is left.
    fn settle(&mut self) -> Result<Cost> {
        let (mut cost, mut silent) = (Cost::default(), 0);
        for at in [0, 1].into_iter().cycle() {
            let frames = core::mem::take(&mut self.sides[at].out);
            if frames.is_empty() {
                silent += 1;
                if silent == 2 {
                    break;
                }
                continue;
            }
            silent = 0;
            cost.turns += 1;
            for frame in frames {
                cost.bytes += frame.len();
                let acts = self.sides[1 - at].link.take(&frame)?;
                self.act(1 - at, acts)?;
            }
        }
        ensure!(self.sides.iter().all(|side| side.link.is_level()), "the two sides did not become level");
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_end_the_same() {
        let (mut one, kept) = Device::pair().unwrap();
        let mut other = kept.open().unwrap();
        (0..20).for_each(|record| drop(one.make(&Change::of(record)).unwrap()));
        let mut copy = Copy::new();
        let (connection, first) = Connection::open([&mut copy, &mut one.copy]).unwrap();
        assert!(first.bytes > size(connection.sides[1].copy));
        let [came, _] = connection.came();
        other.take(&came).unwrap();
        assert!(other.is_tagged(&Change::of(7)));
        let changed = Change::again(7, 21);
        let mut copies = [other.copy.clone(), one.copy.clone()];
        let [left, right] = &mut copies;
        let (mut connection, _) = Connection::open([left, right]).unwrap();
        for event in [other.enter().unwrap(), other.make(&changed).unwrap()] {
            let cost = connection.tell(0, event).unwrap();
            assert_eq!(cost.round_trips(), 1);
        }
        let [_, came] = connection.came();
        one.take(&came).unwrap();
        assert!(one.is_tagged(&changed));
        assert_eq!(one.copy, other.copy);
    }
}
