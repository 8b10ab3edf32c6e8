//! The tear file (PROTOCOL §7): the keys to a gate's stored shares, where each can be destroyed for good.
//!
//! Slots of 512 bytes, aligned, left out of backups. A share lies in the database encrypted under its slot's
//! random key; overwriting the key destroys every copy of the share. **A crash may lose a share, never revive
//! one**, whichever bytes of the write that it hit have reached the disk:
//!
//! - A slot has a *header* (whose it is) and a *body* (live with its key, or torn), each with a checksum.
//!   Destroying changes the body only, so a write torn apart leaves the header whole: a whole header over a
//!   broken body is a tombstone.
//!   A deposit that was hit like this, before it was acknowledged, is lost: the wallet grants anew.
//! - A broken header is a slot that was being written or freed, neither of which was acknowledged: it is free.
//!
//! This is a pure state machine; the file is behind [`Slots`]. After an error of the file nothing more is
//! written or acknowledged until it is opened again.

use super::Deposit;
use crate::cbor;
use crate::sm::{Digest, Key32, Label, Random, SecretKey, SmError, aead};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Bytes of a slot.
pub const SLOT: usize = 512;

const MAGIC: &[u8; 5] = b"SSTF\x01";
/// Where the body begins.
const BODY: usize = 256;
/// Where the header's checksum stands.
const SUM: usize = 62;
/// Where the body's checksum stands.
const BODY_SUM: usize = BODY + 33;
const LIVE: u8 = 1;
const TORN: u8 = 2;
const ROW: Label = Label::new("gate-row");

/// The file, in slots.
pub trait Slots {
    /// What can go wrong with it.
    type Error;
    /// How many slots it has; a last piece that is shorter than a slot doesn't count.
    fn count(&self) -> u32;
    /// Reads a slot below `count`.
    fn read(&self, slot: u32) -> Result<[u8; SLOT], Self::Error>;
    /// Writes a slot; `slot == count` makes the file longer by one.
    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> Result<(), Self::Error>;
    /// Returns when everything written is durable.
    fn sync(&mut self) -> Result<(), Self::Error>;
}

/// Why the tear file can't do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TearError<E> {
    /// It was destroyed before.
    #[error("this gate has destroyed its share")]
    Torn,
    /// The file.
    #[error("the tear file cannot be read or written")]
    File(E),
    /// The file failed before: what has reached the disk is unknown until it is opened again.
    #[error("the tear file failed before; the relay must be started again")]
    Failed,
}

/// A live slot: the key under which a deposit's row is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    number: u32,
    key: Key32,
}

impl Slot {
    /// Encrypts a deposit for the database, bound to its object and to this slot.
    pub fn seal_row(&self, deposit: &Deposit, random: &mut dyn Random) -> Vec<u8> {
        aead::seal(&self.key, ROW, &self.bound_to(&deposit.object), &deposit.to_bytes(), random)
    }

    /// Decrypts a row of `object`.
    pub fn open_row(&self, object: &Digest, row: &[u8]) -> Result<Deposit, SmError> {
        let text = aead::open(&self.key, ROW, &self.bound_to(object), row)?;
        let deposit: Deposit = cbor::decode(&text).map_err(|_| SmError::Open)?;
        if deposit.object == *object { Ok(deposit) } else { Err(SmError::Open) }
    }

    /// The seed that makes a release the same each time.
    pub(super) fn release_seed(&self, object: &Digest, use_number: u32) -> Key32 {
        self.key.derive(Label::new("release-seed"), &[object.as_bytes(), &use_number.to_be_bytes()])
    }

    #[cfg(test)]
    pub(super) const fn key_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    fn bound_to(&self, object: &Digest) -> Vec<u8> {
        [object.as_bytes().as_slice(), &self.number.to_be_bytes()].concat()
    }
}

/// A gate's key of the day, with its secret half.
#[derive(Clone, Debug)]
pub struct Day {
    /// First second.
    pub from: u64,
    /// The first second in which deposits are no longer sealed to it.
    pub until: u64,
    /// Opens deposits.
    pub secret: SecretKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Deposit = 1,
    Day = 2,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    class: Class,
    id: Digest,
    /// Of a day: its first second, and the first one after it.
    day: (u64, u64),
    /// When a tombstone or a day's key may go.
    until: u64,
    /// `None` is a tombstone.
    key: Option<Key32>,
}

/// The keys to a gate's shares, and its keys of the day.
pub struct TearFile<S> {
    file: S,
    held: BTreeMap<Digest, (u32, Held)>,
    free: BTreeSet<u32>,
    failed: bool,
}

impl<S: Slots> TearFile<S> {
    /// Reads all slots; finishes what a crash left half done.
    pub fn open(mut file: S) -> Result<Self, S::Error> {
        let (mut held, mut free) = (BTreeMap::<Digest, (u32, Held)>::new(), BTreeSet::new());
        let mut mend = Vec::new();
        for number in 0..file.count() {
            let bytes = Zeroizing::new(file.read(number)?);
            let Some(read) = Held::decode(number, &bytes) else {
                free.insert(number);
                if bytes.iter().any(|byte| *byte != 0) {
                    mend.push((number, Zeroizing::new([0; SLOT])));
                }
                continue;
            };
            let clean = read.encode(number);
            if *clean != *bytes {
                mend.push((number, clean));
            }
            held.insert(read.id, (number, read));
        }
        for (number, bytes) in &mend {
            file.write(*number, bytes)?;
        }
        if !mend.is_empty() {
            file.sync()?;
        }
        Ok(Self { file, held, free, failed: false })
    }

    /// At start, with the objects that the database has rows of: frees live slots without a row and returns
    /// the rows without a live slot, which the database must delete.
    pub fn reconcile(&mut self, rows: &BTreeSet<Digest>) -> Result<Vec<Digest>, TearError<S::Error>> {
        let live = |held: &Held| held.class == Class::Deposit && held.key.is_some();
        let orphans: Vec<Digest> = self
            .held
            .values()
            .filter(|(_, held)| live(held) && !rows.contains(&held.id))
            .map(|(_, held)| held.id)
            .collect();
        self.release_slots(&orphans)?;
        Ok(rows.iter().filter(|id| self.live(id).is_none()).copied().collect())
    }

    /// A slot for an object's deposit, durable when this returns; the same one while it is live. `until` is
    /// when a tombstone may go.
    pub fn deposit(
        &mut self,
        object: &Digest,
        until: u64,
        random: &mut dyn Random,
    ) -> Result<Slot, TearError<S::Error>> {
        if let Some(slot) = self.live(object) {
            return Ok(slot);
        }
        if self.held.contains_key(object) {
            return Err(TearError::Torn);
        }
        let key = Key32::generate(random);
        let held = Held { class: Class::Deposit, id: *object, day: (0, 0), until, key: Some(key.clone()) };
        let number = self.place(held)?;
        Ok(Slot { number, key })
    }

    /// The live slot of an object.
    pub fn live(&self, object: &Digest) -> Option<Slot> {
        match self.held.get(object) {
            Some((number, Held { class: Class::Deposit, key: Some(key), .. })) => {
                Some(Slot { number: *number, key: key.clone() })
            }
            _ => None,
        }
    }

    /// Whether an object's share was destroyed, and its tombstone still stands.
    pub fn is_torn(&self, object: &Digest) -> bool {
        matches!(self.held.get(object), Some((_, Held { class: Class::Deposit, key: None, .. })))
    }

    /// The objects with a live slot.
    pub fn live_objects(&self) -> impl Iterator<Item = &Digest> {
        self.held
            .values()
            .filter_map(|(_, held)| (held.class == Class::Deposit && held.key.is_some()).then_some(&held.id))
    }

    /// The objects whose share was destroyed and whose tombstone still stands.
    pub fn torn_objects(&self) -> impl Iterator<Item = &Digest> {
        self.held
            .values()
            .filter_map(|(_, held)| (held.class == Class::Deposit && held.key.is_none()).then_some(&held.id))
    }

    /// Frees the tombstones of objects for which no deposit can come any more. Whose share is live stays.
    pub fn lift(&mut self, objects: &[Digest]) -> Result<(), TearError<S::Error>> {
        let torn: Vec<Digest> = objects.iter().filter(|object| self.is_torn(object)).copied().collect();
        self.release_slots(&torn)
    }

    /// Destroys an object's share; durable when this returns, and only then to be acknowledged. Without a share
    /// it leaves a tombstone, so that none can come later.
    pub fn destroy(&mut self, object: &Digest, until: u64) -> Result<(), TearError<S::Error>> {
        let Some((number, held)) = self.held.get_mut(object) else {
            let held = Held { class: Class::Deposit, id: *object, day: (0, 0), until, key: None };
            return self.place(held).map(|_| ());
        };
        // From here on it is refused, even should the write fail.
        let was_live = held.key.take().is_some();
        let (number, bytes) = (*number, held.encode(*number));
        if was_live { self.write(&[(number, bytes)]) } else { self.sound() }
    }

    /// Frees tombstones and keys of the day whose time is over. A live deposit is never freed like this: it is
    /// destroyed first.
    pub fn expire(&mut self, now: u64) -> Result<usize, TearError<S::Error>> {
        let over: Vec<Digest> = self
            .held
            .values()
            .filter(|(_, held)| held.until <= now && (held.class == Class::Day || held.key.is_none()))
            .map(|(_, held)| held.id)
            .collect();
        self.release_slots(&over)?;
        Ok(over.len())
    }

    /// Keeps a key of the day; durable when this returns. It goes `grace` seconds after its day.
    pub fn add_day(&mut self, day: &Day, grace: u64) -> Result<(), TearError<S::Error>> {
        let parts: [&[u8]; 2] = [&day.from.to_be_bytes(), &day.until.to_be_bytes()];
        let id = Digest::labelled(Label::new("gate-day-slot"), &parts);
        if self.held.contains_key(&id) {
            return self.sound();
        }
        let key = Some(Key32::from_bytes(*day.secret.to_bytes()));
        let until = day.until.saturating_add(grace);
        self.place(Held { class: Class::Day, id, day: (day.from, day.until), until, key }).map(|_| ())
    }

    /// The keys of the day that are held, oldest first.
    pub fn days(&self) -> Vec<Day> {
        let mut days: Vec<Day> = self.held.values().filter_map(|(_, held)| held.to_day()).collect();
        days.sort_by_key(|day| day.from);
        days
    }

    /// The file, for whoever owns it.
    pub const fn file(&self) -> &S {
        &self.file
    }

    fn place(&mut self, held: Held) -> Result<u32, TearError<S::Error>> {
        let number = self.free.first().copied().unwrap_or_else(|| self.file.count());
        self.write(&[(number, held.encode(number))])?;
        self.free.remove(&number);
        self.held.insert(held.id, (number, held));
        Ok(number)
    }

    fn release_slots(&mut self, ids: &[Digest]) -> Result<(), TearError<S::Error>> {
        let numbers: Vec<u32> =
            ids.iter().filter_map(|id| self.held.remove(id)).map(|(number, _)| number).collect();
        let writes: Vec<_> = numbers.iter().map(|number| (*number, Zeroizing::new([0; SLOT]))).collect();
        self.write(&writes)?;
        self.free.extend(numbers);
        Ok(())
    }

    /// Durable when this returns; after a failure nothing more is written.
    fn write(&mut self, writes: &[(u32, Zeroizing<[u8; SLOT]>)]) -> Result<(), TearError<S::Error>> {
        self.sound()?;
        if writes.is_empty() {
            return Ok(());
        }
        self.failed = true;
        for (number, bytes) in writes {
            self.file.write(*number, bytes).map_err(TearError::File)?;
        }
        self.file.sync().map_err(TearError::File)?;
        self.failed = false;
        Ok(())
    }

    const fn sound(&self) -> Result<(), TearError<S::Error>> {
        if self.failed { Err(TearError::Failed) } else { Ok(()) }
    }
}

/// What one slot says by itself, for whoever examines a file without opening it for use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Empty.
    Free,
    /// The key of a share, or of a day.
    Live(Digest),
    /// A tombstone.
    Torn(Digest),
    /// Changed, or written only in part; whose it was where its header still says so.
    Broken(Option<Digest>),
}

impl SlotState {
    /// Reads the slot of this number.
    pub fn of(number: u32, slot: &[u8; SLOT]) -> Self {
        match Held::decode(number, slot) {
            None if slot.iter().all(|byte| *byte == 0) => Self::Free,
            None => Self::Broken(None),
            Some(held) if *held.encode(number) != *slot => Self::Broken(Some(held.id)),
            Some(Held { id, key: None, .. }) => Self::Torn(id),
            Some(Held { id, .. }) => Self::Live(id),
        }
    }
}

impl Held {
    fn to_day(&self) -> Option<Day> {
        let key = self.key.as_ref().filter(|_| self.class == Class::Day)?;
        let secret = SecretKey::from_bytes(key.as_bytes()).ok()?;
        Some(Day { from: self.day.0, until: self.day.1, secret })
    }

    /// magic, class, id, day, until, checksum; then state, key, checksum.
    fn encode(&self, number: u32) -> Zeroizing<[u8; SLOT]> {
        let mut slot = Zeroizing::new([0; SLOT]);
        slot[..5].copy_from_slice(MAGIC);
        slot[5] = self.class as u8;
        slot[6..38].copy_from_slice(self.id.as_bytes());
        slot[38..46].copy_from_slice(&self.day.0.to_be_bytes());
        slot[46..54].copy_from_slice(&self.day.1.to_be_bytes());
        slot[54..SUM].copy_from_slice(&self.until.to_be_bytes());
        let sum = checksum(Label::new("tear-header"), number, &slot[..SUM]);
        slot[SUM..SUM + 32].copy_from_slice(sum.as_bytes());
        slot[BODY] = TORN;
        if let Some(key) = &self.key {
            slot[BODY] = LIVE;
            slot[BODY + 1..BODY_SUM].copy_from_slice(key.as_bytes());
        }
        let sum = body_checksum(number, &slot);
        slot[BODY_SUM..BODY_SUM + 32].copy_from_slice(sum.as_bytes());
        slot
    }

    fn decode(number: u32, slot: &[u8; SLOT]) -> Option<Self> {
        let word = |at: usize| slot[at..].first_chunk().copied().map(u64::from_be_bytes);
        let bytes = |at: usize| slot[at..].first_chunk::<32>().copied();
        let header = checksum(Label::new("tear-header"), number, &slot[..SUM]);
        if slot[..5] != *MAGIC || bytes(SUM)? != *header.as_bytes() {
            return None;
        }
        let class = match slot[5] {
            1 => Class::Deposit,
            2 => Class::Day,
            _ => return None,
        };
        let whole = bytes(BODY_SUM)? == *body_checksum(number, slot).as_bytes();
        let key = if whole && slot[BODY] == LIVE { bytes(BODY + 1).map(Key32::from_bytes) } else { None };
        Some(Self {
            class,
            id: Digest::from_bytes(bytes(6)?),
            day: (word(38)?, word(46)?),
            until: word(54)?,
            key,
        })
    }
}

/// Over the header's checksum as well: a body belongs to one header in one slot.
fn body_checksum(number: u32, slot: &[u8; SLOT]) -> Digest {
    let covered = Zeroizing::new([&slot[SUM..SUM + 32], &slot[BODY..BODY_SUM]].concat());
    checksum(Label::new("tear-body"), number, &covered)
}

fn checksum(label: Label, number: u32, bytes: &[u8]) -> Digest {
    Digest::labelled(label, &[&number.to_be_bytes(), bytes])
}
