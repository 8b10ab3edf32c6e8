//! Random histories of a family of devices: written, admitted, removed, in parts of it that don't know of each other.

use super::devices::Family;
use super::*;
use proptest::test_runner::TestCaseError;
use std::collections::{BTreeMap, BTreeSet};

/// What happens next. Devices are counted round.
#[derive(Clone, Debug)]
enum Act {
    Write(usize),
    Mark(usize, u8, u8),
    Admit(usize, DeviceRole),
    Remove(usize, usize),
    Settle(usize),
    Meet(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let role = prop_oneof![Just(DeviceRole::View), Just(DeviceRole::Share), Just(DeviceRole::Manage)];
    prop_oneof![
        6 => (0_usize..4).prop_map(Act::Write),
        3 => (0_usize..4, 1_u8..9, 0_u8..3).prop_map(|(by, kind, n)| Act::Mark(by, kind, n)),
        2 => (0_usize..4, role).prop_map(|(by, role)| Act::Admit(by, role)),
        2 => (0_usize..4, 0_usize..4).prop_map(|(by, who)| Act::Remove(by, who)),
        1 => (0_usize..4).prop_map(Act::Settle),
        5 => (0_usize..4, 0_usize..4).prop_map(|(a, b)| Act::Meet(a, b)),
    ]
}

/// A family whose devices know different things.
struct History {
    family: Family,
    /// By device: the numbers of the events that it has.
    known: Vec<BTreeSet<usize>>,
    /// By device: what years its clock is off.
    skew: Vec<i64>,
    /// Which device wrote which record.
    records: Vec<(usize, Commitment)>,
    /// By removed device: the records that each of those that removed it had.
    removals: BTreeMap<usize, Vec<BTreeSet<Commitment>>>,
}

impl History {
    fn new(seed: u64, skew: Vec<i64>) -> Self {
        let family = Family::new(seed);
        let known = vec![(0..family.events.len()).collect()];
        Self { family, known, skew, records: Vec::new(), removals: BTreeMap::new() }
    }

    fn now(&self, device: usize) -> u64 {
        NOW.saturating_add_signed(self.skew[device % self.skew.len()] * 365 * 86_400)
    }

    /// Notes what a device stored.
    fn stored(&mut self, by: usize, events: Vec<StoredEvent>) {
        for event in events {
            self.known[by].insert(self.family.events.len());
            self.family.events.push(event);
        }
    }

    fn write(&mut self, by: usize, body: Body) {
        let (now, random) = (self.now(by), &mut self.family.random);
        let vault = &mut self.family.vaults[by];
        // Hostile: a viewer, or a device that knows that it was removed, writes all the same.
        let event = match vault.append(body.clone(), now, random) {
            Err(VaultError::Incomplete) => return,
            Err(_) => vault.write(body, now, random),
            Ok(event) => event,
        };
        self.stored(by, vec![event]);
    }

    fn act(&mut self, act: &Act) {
        let count = self.family.vaults.len();
        match *act {
            Act::Write(by) => {
                let by = by % count;
                let n = u8::try_from(self.records.len() + 10).unwrap();
                self.records.push((by, record(n)));
                self.write(by, added(n));
            }
            Act::Mark(by, kind, n) => self.write(by % count, body(kind, n)),
            Act::Admit(by, role) if count < 4 => self.admit(by % count, role),
            Act::Admit(..) => {}
            Act::Remove(by, who) => self.remove(by % count, who % count),
            Act::Settle(by) => {
                let by = by % count;
                let (now, random) = (self.now(by), &mut self.family.random);
                if let Ok(events) = self.family.vaults[by].settle(now, random) {
                    self.stored(by, events);
                }
            }
            Act::Meet(a, b) => self.meet(a % count, b % count),
        }
    }

    fn admit(&mut self, by: usize, role: DeviceRole) {
        let device = NewDevice::generate(&mut self.family.random);
        let (now, random) = (self.now(by), &mut self.family.random);
        let admitted = self.family.vaults[by].admit(&device.request(), role, now, random);
        let Ok((admission, certified)) = admitted else { return };
        self.stored(by, vec![certified]);
        let vault = Vault::join(device, &admission, LEDGER, &mut self.family.random).unwrap();
        self.family.vaults.push(vault);
        self.known.push(BTreeSet::new());
        let new = self.known.len() - 1;
        self.meet(by, new);
        let (now, random) = (self.now(new), &mut self.family.random);
        let entered = self.family.vaults[new].enter("x", now, random).unwrap();
        self.stored(new, vec![entered]);
    }

    fn remove(&mut self, by: usize, who: usize) {
        let had = self.family.vaults[by].index().records().map(|record| record.added.record).collect();
        let (now, device, random) = (self.now(by), self.family.key(who), &mut self.family.random);
        if let Ok(events) = self.family.vaults[by].remove_device(&device, now, random) {
            self.removals.entry(who).or_default().push(had);
            self.stored(by, events);
        }
    }

    /// Two devices exchange what they have.
    fn meet(&mut self, a: usize, b: usize) {
        let all: BTreeSet<usize> = self.known[a].union(&self.known[b]).copied().collect();
        for device in [a, b] {
            let new = all.difference(&self.known[device]).map(|i| &self.family.events[*i]);
            assert_eq!(self.family.vaults[device].load(new, Origin::Elsewhere).refused, []);
            self.known[device] = all.clone();
        }
    }

    /// The wallet by its phrase, with all events in this order.
    fn restored<'e>(&self, events: impl IntoIterator<Item = &'e StoredEvent>) -> Vault {
        let first = self.family.events[0].epoch().unwrap();
        let random = &mut Seeded::new(1);
        let mut vault = Vault::restore(&self.family.entropy, LEDGER, vec![first], random).unwrap();
        for (i, event) in events.into_iter().enumerate() {
            assert_eq!(vault.load([event, event], Origin::Elsewhere).refused, []);
            if i % 5 == 0 {
                vault.index();
            }
        }
        vault.open_by_phrase(&self.family.entropy.keys());
        assert_eq!(vault.load([], Origin::Elsewhere).waiting, 0);
        vault
    }
}

/// How often what matters came up: a generator that never makes a case tests nothing.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// Devices whose index was compared.
    compared: usize,
    removed: usize,
    /// Histories with two epochs of one number.
    rivals: usize,
    /// Records that a removed device or a viewer wrote in vain.
    in_vain: usize,
    kept: usize,
}

fn check(
    (acts, first, another, skew, shuffle): (Vec<Act>, DeviceRole, bool, Vec<i64>, u64),
    tally: &mut Tally,
) -> Result<(), TestCaseError> {
    let mut history = History::new(1, skew);
    history.admit(0, first);
    if another {
        history.admit(0, DeviceRole::Manage);
    }
    for act in &acts {
        history.act(act);
    }
    let mut shuffled = history.family.events.clone();
    let mut order = Seeded::new(shuffle);
    shuffled.sort_by_cached_key(|_| crate::sm::Random::bytes::<8>(&mut order));

    let mut in_order = history.restored(&history.family.events);
    let mut otherwise = history.restored(&shuffled);
    let index = in_order.index().clone();
    prop_assert_eq!(otherwise.index(), &index);
    let roster = history.family.roster();
    for (device, vault) in history.family.vaults.iter_mut().enumerate() {
        let report = vault.load(&shuffled, Origin::Elsewhere);
        prop_assert_eq!(&report.refused, &[]);
        if report.waiting == 0 {
            prop_assert_eq!(vault.index(), &index, "device {}", device);
            tally.compared += 1;
        }
        // The log and a mailbox agree.
        let counts = roster.admits(&vault.pass()).is_ok();
        prop_assert_eq!(counts, !vault.is_removed());
        if let Some(known) = index.device(&vault.device()) {
            prop_assert_eq!(counts, known.removed.is_none());
        }
        tally.removed += usize::from(!counts);
    }
    let numbers = roster.epochs().into_iter().map(|epoch| epoch.claimed().unwrap().number);
    let numbers: Vec<_> = numbers.collect();
    tally.rivals += usize::from(numbers.windows(2).any(|pair| pair[0] == pair[1]));
    for (device, id) in &history.records {
        let vault = &history.family.vaults[*device];
        let there = index.record(id).is_some();
        tally.in_vain += usize::from(!there);
        tally.kept += usize::from(there);
        if vault.role() == DeviceRole::View {
            prop_assert!(!there, "a viewer wrote");
        } else if let Some(removals) = history.removals.get(device) {
            let accepted = removals.iter().all(|known| known.contains(id));
            prop_assert_eq!(there, accepted, "of a removed device what all that removed it had");
        } else if !vault.is_removed() {
            prop_assert!(there, "a member's event was lost");
        }
    }
    Ok(())
}

#[test]
fn whoever_holds_the_same_events_knows_the_same() {
    let strategy = (
        proptest::collection::vec(act(), 4..40),
        prop_oneof![Just(DeviceRole::Share), Just(DeviceRole::Manage)],
        any::<bool>(),
        proptest::collection::vec(-40_i64..400, 4),
        any::<u64>(),
    );
    let tally = core::cell::RefCell::new(Tally::default());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    runner.run(&strategy, |case| check(case, &mut tally.borrow_mut())).unwrap();
    let Tally { compared, removed, rivals, in_vain, kept } = tally.into_inner();
    let least = [compared, removed, rivals, in_vain, kept].into_iter().min();
    assert!(least >= Some(2), "{compared} {removed} {rivals} {in_vain} {kept}");
}
