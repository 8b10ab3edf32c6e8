//! The tear file under crashes at every step, unsynced writes lost, kept, torn and mixed: **a share may be
//! lost, never revived.**

use super::*;
use crate::sm::{Digest, Random as _};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A disk that keeps what was synced and does what it likes with the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    durable: Vec<[u8; SLOT]>,
    pending: Vec<(u32, [u8; SLOT])>,
    /// Operations until the power goes; `None` for never.
    power: Option<usize>,
    operations: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PowerCut;

impl Disk {
    fn operate(&mut self) -> Result<(), PowerCut> {
        self.operations += 1;
        match &mut self.power {
            Some(0) => Err(PowerCut),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn seen(&self) -> Vec<[u8; SLOT]> {
        let mut seen = self.durable.clone();
        for (slot, bytes) in &self.pending {
            put(&mut seen, *slot, bytes);
        }
        seen
    }

    /// What is found after the power comes back: each unsynced write is lost, kept, cut off or mixed.
    fn after_power_cut(&self, dice: &mut Seeded, power: Option<usize>) -> Self {
        let mut durable = self.durable.clone();
        for (slot, bytes) in &self.pending {
            let [fate, cut_high, cut_low, ..] = dice.bytes::<4>();
            let old = durable.get(*slot as usize).copied().unwrap_or([0; SLOT]);
            let cut = usize::from(u16::from_be_bytes([cut_high, cut_low])) % SLOT;
            let mask = dice.bytes::<SLOT>();
            let mixed = |i: usize| match fate % 5 {
                1 => bytes[i],
                2 => {
                    if i < cut {
                        bytes[i]
                    } else {
                        old[i]
                    }
                }
                3 => {
                    if i < cut {
                        old[i]
                    } else {
                        bytes[i]
                    }
                }
                4 => {
                    if mask[i] & 1 == 0 {
                        bytes[i]
                    } else {
                        old[i]
                    }
                }
                _ => old[i],
            };
            if fate % 5 != 0 {
                put(&mut durable, *slot, &core::array::from_fn(mixed));
            }
        }
        Self { durable, pending: Vec::new(), power, operations: 0 }
    }

    fn holds(&self, secret: &[u8]) -> bool {
        self.seen().iter().chain(&self.durable).any(|slot| slot.windows(secret.len()).any(|w| w == secret))
    }
}

fn put(slots: &mut Vec<[u8; SLOT]>, slot: u32, bytes: &[u8; SLOT]) {
    let slot = slot as usize;
    if slots.len() <= slot {
        slots.resize(slot + 1, [0; SLOT]);
    }
    slots[slot] = *bytes;
}

impl Slots for Disk {
    type Error = PowerCut;

    fn count(&self) -> u32 {
        u32::try_from(self.seen().len()).unwrap()
    }

    fn read(&self, slot: u32) -> Result<[u8; SLOT], PowerCut> {
        Ok(self.seen()[slot as usize])
    }

    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> Result<(), PowerCut> {
        // The write that the power cut hits may have reached the disk too.
        self.pending.push((slot, *bytes));
        self.operate()
    }

    fn sync(&mut self) -> Result<(), PowerCut> {
        self.operate()?;
        self.durable = self.seen();
        self.pending.clear();
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Deposit(u8),
    Destroy(u8),
    Expire,
    NewDay,
}

fn object(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

const UNTIL: u64 = 1000;

/// The gate around the tear file: its database rows, what it acknowledged, which keys are gone for good.
#[derive(Clone, Default)]
struct Gate {
    rows: BTreeSet<Digest>,
    issued: BTreeMap<Digest, Slot>,
    torn: BTreeSet<Digest>,
    may_refuse: BTreeSet<Digest>,
    gone: BTreeSet<Vec<u8>>,
    days: u64,
}

impl Gate {
    fn take(
        &mut self,
        file: &mut TearFile<Disk>,
        step: Step,
        random: &mut Seeded,
    ) -> Result<(), TearError<PowerCut>> {
        match step {
            Step::Deposit(number) => {
                let id = object(number);
                match file.deposit(&id, UNTIL, random) {
                    Ok(slot) => {
                        assert!(!self.torn.contains(&id), "a torn object took a deposit");
                        self.issued.insert(id, slot);
                        self.rows.insert(id);
                    }
                    Err(TearError::Torn) => {
                        assert!(self.may_refuse.contains(&id), "refused without a reason");
                    }
                    Err(failed) => {
                        // Its slot may be found torn apart, which counts as a tombstone: lost, not revived.
                        self.may_refuse.insert(id);
                        return Err(failed);
                    }
                }
            }
            Step::Destroy(number) => {
                let id = object(number);
                self.may_refuse.insert(id);
                file.destroy(&id, UNTIL)?;
                self.torn.insert(id);
                self.rows.remove(&id);
            }
            Step::Expire => {
                assert_eq!(file.expire(UNTIL - 1)?, 0, "a tombstone went early");
                let before = self.clone();
                self.torn.clear();
                self.may_refuse.clear();
                if let Err(failed) = file.expire(UNTIL) {
                    // Some may be free, some not: nothing is promised of these but that no key comes back.
                    self.may_refuse = before.may_refuse;
                    return Err(failed);
                }
            }
            Step::NewDay => {
                self.days += 1;
                let from = self.days * 100;
                let secret = SecretKey::generate(random);
                file.add_day(&Day { from, until: from + 100, secret }, UNTIL * 1000)?;
            }
        }
        Ok(())
    }

    /// After a crash: reads the file anew, possibly crashing again, and settles rows against slots.
    fn recover(&mut self, disk: Disk) -> Result<TearFile<Disk>, Disk> {
        let mut kept = disk.clone();
        let Ok(mut file) = TearFile::open(Watched { disk, copy: &mut kept }).map_err(|_| ()) else {
            return Err(kept);
        };
        let Ok(orphans) = file.reconcile(&self.rows) else { return Err(file.file().disk.clone()) };
        for orphan in orphans {
            self.rows.remove(&orphan);
        }
        let disk = file.file().disk.clone();
        drop(file);
        TearFile::open(disk).map_err(|_| unreachable!("nothing is left to mend"))
    }

    fn check(&mut self, file: &TearFile<Disk>) {
        for number in 0..4 {
            let id = object(number);
            let live = file.live(&id);
            if let (Some(live), Some(issued)) = (&live, self.issued.get(&id)) {
                assert_eq!(live, issued, "another key than the one that was given out");
            }
            if let Some(live) = &live {
                assert!(!self.gone.contains(&secret(live)), "a share was revived");
                assert!(!self.torn.contains(&id), "an acknowledged destruction was undone");
            } else if let Some(issued) = self.issued.remove(&id) {
                assert!(
                    self.may_refuse.contains(&id) || !self.rows.contains(&id),
                    "an acknowledged deposit was lost without cause"
                );
                self.gone.insert(secret(&issued));
            }
            if self.torn.contains(&id) {
                assert!(file.is_torn(&id), "a tombstone is missing");
            }
        }
        for secret in &self.gone {
            assert!(!file.file().holds(secret), "a destroyed key can still be read from the disk");
        }
    }
}

/// Keeps a copy of the disk, so that what a crash in `open` left can be looked at.
struct Watched<'a> {
    disk: Disk,
    copy: &'a mut Disk,
}

impl Slots for Watched<'_> {
    type Error = PowerCut;

    fn count(&self) -> u32 {
        self.disk.count()
    }

    fn read(&self, slot: u32) -> Result<[u8; SLOT], PowerCut> {
        self.disk.read(slot)
    }

    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> Result<(), PowerCut> {
        let done = self.disk.write(slot, bytes);
        self.copy.clone_from(&self.disk);
        done
    }

    fn sync(&mut self) -> Result<(), PowerCut> {
        let done = self.disk.sync();
        self.copy.clone_from(&self.disk);
        done
    }
}

/// The secret of a slot, as it would stand on the disk.
fn secret(slot: &Slot) -> Vec<u8> {
    slot.key_bytes().to_vec()
}

/// Runs all steps; the power goes at operation `cut`, and once more in recovery at operation `again`. Returns
/// whether the power went.
fn run(steps: &[Step], cut: usize, again: usize, seed: u64) -> bool {
    let (mut random, mut dice) = (Seeded::new(seed), Seeded::new(seed ^ 0xff00));
    let mut gate = Gate::default();
    let disk = Disk { power: Some(cut), ..Disk::default() };
    let mut file = TearFile::open(disk).unwrap();
    let mut went = false;
    for step in steps {
        let outcome = gate.take(&mut file, *step, &mut random);
        if outcome.is_err() {
            went = true;
            assert_eq!(gate.take(&mut file, Step::Destroy(9), &mut random), Err(TearError::Failed));
            gate.may_refuse.remove(&object(9));
            let found = file.file().after_power_cut(&mut dice, Some(again));
            let recovered = gate.recover(found).or_else(|left| {
                let found = left.after_power_cut(&mut dice, None);
                gate.recover(found)
            });
            let Ok(recovered) = recovered else { unreachable!("the power stays on the third time") };
            file = TearFile::open(Disk { power: None, ..recovered.file().clone() }).unwrap();
        }
        gate.check(&file);
    }
    went
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4).prop_map(Step::Deposit),
        4 => (0u8..4).prop_map(Step::Destroy),
        1 => Just(Step::Expire),
        1 => Just(Step::NewDay),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_at_any_step_and_again_in_recovery_revives_nothing(
        steps in prop::collection::vec(step(), 1..14),
        seed in any::<u64>(),
        again in 0usize..6,
    ) {
        let mut cut = 0;
        while run(&steps, cut, again, seed.wrapping_add(cut as u64)) {
            cut += 1;
        }
    }
}

#[test]
fn a_torn_write_that_breaks_the_body_under_a_whole_header_is_a_tombstone() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let slot = file.deposit(&object(1), UNTIL, &mut Seeded::new(1)).unwrap();
    let mut disk = file.file().clone();
    disk.durable[0][300..].fill(0);
    let file = TearFile::open(disk).unwrap();
    assert!(file.is_torn(&object(1)) && file.live(&object(1)).is_none());
    assert!(!file.file().holds(&secret(&slot)[..8]), "what was left of the key is overwritten");
}

#[test]
fn no_flipped_bit_gives_another_key_or_another_object() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let slot = file.deposit(&object(1), UNTIL, &mut Seeded::new(1)).unwrap();
    for bit in 0..SLOT * 8 {
        let mut disk = file.file().clone();
        disk.durable[0][bit / 8] ^= 1 << (bit % 8);
        let file = TearFile::open(disk).unwrap();
        assert!(file.live(&object(1)).is_none_or(|live| live == slot), "bit {bit}");
        assert!(file.live_objects().all(|id| *id == object(1)), "bit {bit}");
    }
}

#[test]
fn a_slot_moved_to_another_place_is_no_slot() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    file.deposit(&object(1), UNTIL, &mut Seeded::new(1)).unwrap();
    let mut disk = file.file().clone();
    disk.durable.insert(0, [0; SLOT]);
    assert!(TearFile::open(disk).unwrap().live(&object(1)).is_none());
}

#[test]
fn the_same_deposit_has_the_same_slot_and_a_destroyed_one_has_none() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let random = &mut Seeded::new(1);
    let slot = file.deposit(&object(1), UNTIL, random).unwrap();
    assert_eq!(file.deposit(&object(1), UNTIL, random).unwrap(), slot);
    file.destroy(&object(1), UNTIL).unwrap();
    file.destroy(&object(1), UNTIL).expect("as often as asked");
    assert_eq!(file.deposit(&object(1), UNTIL, random), Err(TearError::Torn));
    assert!(!file.file().holds(&secret(&slot)));
}

#[test]
fn a_revocation_before_the_deposit_leaves_a_tombstone() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    file.destroy(&object(1), UNTIL).unwrap();
    let reopened = &mut TearFile::open(file.file().clone()).unwrap();
    assert_eq!(reopened.deposit(&object(1), UNTIL, &mut Seeded::new(1)), Err(TearError::Torn));
    assert_eq!(reopened.expire(UNTIL), Ok(1));
    assert!(reopened.deposit(&object(1), UNTIL, &mut Seeded::new(1)).is_ok());
}

#[test]
fn rows_without_slots_and_slots_without_rows_go_at_the_start() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let random = &mut Seeded::new(1);
    for number in [1, 2] {
        file.deposit(&object(number), UNTIL, random).unwrap();
    }
    let rows = BTreeSet::from([object(2), object(3)]);
    assert_eq!(file.reconcile(&rows), Ok(vec![object(3)]));
    assert!(file.live(&object(1)).is_none() && !file.is_torn(&object(1)));
    assert!(file.live(&object(2)).is_some());
}

#[test]
fn a_restored_database_without_the_tear_file_gives_nothing_back() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let rows = BTreeSet::from([object(1), object(2)]);
    assert_eq!(file.reconcile(&rows), Ok(vec![object(1), object(2)]));
}

#[test]
fn days_are_kept_with_their_grace_and_then_go() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let random = &mut Seeded::new(1);
    for from in [200, 100] {
        let day = Day { from, until: from + 100, secret: SecretKey::generate(random) };
        file.add_day(&day, 50).unwrap();
        file.add_day(&day, 50).expect("the same once more");
    }
    let mut reopened = TearFile::open(file.file().clone()).unwrap();
    let days: Vec<_> = reopened.days().iter().map(|day| (day.from, day.until)).collect();
    assert_eq!(days, [(100, 200), (200, 300)]);
    assert_eq!(reopened.days()[0].secret.public(), file.days()[0].secret.public());
    assert_eq!(reopened.expire(249), Ok(0));
    assert_eq!(reopened.expire(250), Ok(1));
    assert_eq!(reopened.days().len(), 1);
    assert!(reopened.live_objects().next().is_none(), "a day's key is no deposit");
}

#[test]
fn freed_slots_are_used_again() {
    let mut file = TearFile::open(Disk::default()).unwrap();
    let random = &mut Seeded::new(1);
    for round in 0..10 {
        file.deposit(&object(round), UNTIL, random).unwrap();
        file.destroy(&object(round), UNTIL).unwrap();
        assert_eq!(file.expire(UNTIL), Ok(1));
    }
    assert_eq!(file.file().count(), 1);
}

#[test]
fn every_bit_changed_in_a_slot_is_seen_in_the_slot_alone() {
    let (mut random, object) = (Seeded::new(7), Digest::of(b"grant"));
    let mut tear = TearFile::open(Disk::default()).unwrap();
    tear.deposit(&object, 10, &mut random).unwrap();
    tear.destroy(&Digest::of(b"torn"), 10).unwrap();
    tear.add_day(&Day { from: 0, until: 5, secret: SecretKey::generate(&mut random) }, 1).unwrap();
    let file = tear.file().seen();
    let states = [SlotState::Live(object), SlotState::Torn(Digest::of(b"torn"))];
    for (number, slot) in (0..).zip(&file) {
        if let Some(state) = states.get(usize::try_from(number).unwrap()) {
            assert_eq!(SlotState::of(number, slot), *state);
        }
        assert!(!matches!(SlotState::of(number, slot), SlotState::Broken(_) | SlotState::Free));
        assert!(matches!(SlotState::of(number + 1, slot), SlotState::Broken(_)), "moved to another place");
        for bit in 0..SLOT * 8 {
            let mut changed = *slot;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                matches!(SlotState::of(number, &changed), SlotState::Broken(_)),
                "slot {number} bit {bit}"
            );
        }
    }
    assert_eq!(SlotState::of(0, &[0; SLOT]), SlotState::Free);
}

#[test]
fn a_tombstone_is_lifted_and_a_live_share_is_not() {
    let (mut file, mut random) = (TearFile::open(Disk::default()).unwrap(), Seeded::new(3));
    file.deposit(&object(1), UNTIL, &mut random).unwrap();
    file.destroy(&object(2), UNTIL).unwrap();
    file.destroy(&object(3), UNTIL).unwrap();
    assert_eq!(file.torn_objects().collect::<BTreeSet<_>>(), BTreeSet::from([&object(2), &object(3)]));
    file.lift(&[object(1), object(2), object(4)]).unwrap();
    assert!(file.live(&object(1)).is_some() && !file.is_torn(&object(2)) && file.is_torn(&object(3)));
    // The slot serves again, so that the file doesn't grow.
    file.destroy(&object(5), UNTIL).unwrap();
    assert_eq!(file.file().count(), 3);
}
