//! Two links end the same whatever happens on either side and between them; a change on an open link is cheap; and a peer
//! that lies gets nothing by it but an end.

use super::*;
use crate::id::{Commitment, LedgerId};
use crate::sm::seeded::Seeded;
use crate::vault::{Body, Vault};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

type Copy = BTreeMap<BlobAddress, Vec<u8>>;

/// The bytes of a small event: what is signed is padded to 512.
const SMALL: usize = 512 + 90;

fn event(number: u32, size: usize) -> StoredEvent {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(size.max(4), 7);
    StoredEvent::from_bytes(bytes)
}

/// A side with its store, as a shell would drive it: reading the set and telling news take their time.
struct Side {
    link: Link,
    store: Copy,
    /// Stored, and not yet told to the link.
    untold: Vec<StoredEvent>,
    /// Told: the other side must have them when this one says "level".
    told: Vec<BlobAddress>,
    /// Asked for its set.
    asked: bool,
    /// The set as it was read.
    read: Option<Vec<BlobAddress>>,
    out: VecDeque<Vec<u8>>,
    levels: usize,
}

impl Side {
    fn new(begins: bool) -> Self {
        Self {
            link: Link::new(begins, LEAST_FRAME),
            store: Copy::new(),
            untold: Vec::new(),
            told: Vec::new(),
            asked: begins,
            read: None,
            out: VecDeque::new(),
            levels: 0,
        }
    }

    /// A new connection; stores stay.
    fn reconnect(&mut self, begins: bool) {
        let fresh = Self::new(begins);
        let (store, untold) = (core::mem::take(&mut self.store), core::mem::take(&mut self.untold));
        let told = core::mem::take(&mut self.told);
        *self = Self { store, untold, told, ..fresh };
    }

    fn add(&mut self, event: StoredEvent) {
        self.store.insert(event.address, event.bytes.clone());
        self.untold.push(event);
    }

    fn act(&mut self, acts: Vec<Act>, other: &Copy) {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => self.out.push_back(frame),
                Act::Load(mut addresses) => {
                    let rest = addresses.split_off(addresses.len().min(7));
                    let events = addresses.iter().filter_map(|a| self.store.get(a).cloned()).collect();
                    acts.extend(self.link.loaded_part(events, rest).unwrap());
                }
                Act::Store(events) => self.store.extend(events.into_iter().map(|e| (e.address, e.bytes))),
                Act::Compare => (self.asked, self.read) = (true, None),
                Act::Level => {
                    self.levels += 1;
                    assert!(self.told.iter().all(|address| other.contains_key(address)), "level too early");
                }
                Act::Finished => {}
                Act::Refused(reason) => panic!("{reason:?}"),
            }
        }
    }

    /// One of the things that a shell does in its own time.
    fn stir(&mut self, what: u8, other: &Copy, random: &mut Seeded) {
        match what {
            0 if self.asked && self.read.is_none() => self.read = Some(self.store.keys().copied().collect()),
            1 if self.read.is_some() => {
                self.asked = false;
                let set = self.read.take().unwrap();
                let acts = self.link.start(set, random).unwrap();
                self.act(acts, other);
            }
            2 => {
                let news = core::mem::take(&mut self.untold);
                self.told.extend(news.iter().map(|event| event.address));
                let acts = self.link.news(news);
                self.act(acts, other);
            }
            _ => {}
        }
    }

    fn take(&mut self, frame: &[u8], other: &Copy) {
        let acts = self.link.take(frame).unwrap();
        self.act(acts, other);
    }
}

/// Two sides and what is between them.
struct Pair {
    sides: [Side; 2],
    random: Seeded,
    frames: usize,
    bytes: usize,
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self { sides: [Side::new(true), Side::new(false)], random: Seeded::new(seed), frames: 0, bytes: 0 }
    }

    fn both(&mut self, at: usize) -> (&mut Side, &Copy, &mut Seeded) {
        let [a, b] = &mut self.sides;
        let (side, other) = if at == 0 { (a, &b.store) } else { (b, &a.store) };
        (side, other, &mut self.random)
    }

    fn stir(&mut self, at: usize, what: u8) {
        let (side, other, random) = self.both(at);
        side.stir(what, other, random);
    }

    /// Delivers the oldest frame to this side; whether there was one.
    fn deliver(&mut self, at: usize) -> bool {
        let Some(frame) = self.sides[1 - at].out.pop_front() else { return false };
        self.frames += 1;
        self.bytes += frame.len();
        let (side, other, _) = self.both(at);
        side.take(&frame, other);
        true
    }

    /// Until nothing is left to do.
    fn settle(&mut self) {
        loop {
            for at in [0, 1] {
                (0..3).for_each(|what| self.stir(at, what));
            }
            let moved = [self.deliver(0), self.deliver(1)];
            let waits = self.sides.iter().any(|side| side.asked || !side.untold.is_empty());
            if !moved[0] && !moved[1] && !waits {
                return;
            }
        }
    }

    fn break_off(&mut self) {
        for (side, begins) in self.sides.iter_mut().zip([true, false]) {
            side.reconnect(begins);
        }
    }

    fn is_level(&self) -> bool {
        self.sides.iter().all(|side| side.link.is_level())
    }
}

#[derive(Clone, Debug)]
enum Happens {
    /// A new event on a side.
    New(usize, usize),
    /// A side gets the next frame.
    Deliver(usize),
    /// A side's shell does something.
    Stir(usize, u8),
    /// A side asks for a session.
    Again(usize),
    /// The connection breaks, and there is a new one.
    Break,
}

fn happens() -> impl Strategy<Value = Happens> {
    let size = prop_oneof![6 => 4_usize..700, 1 => 3000_usize..9000];
    prop_oneof![
        6 => (0_usize..2, size).prop_map(|(side, size)| Happens::New(side, size)),
        20 => (0_usize..2).prop_map(Happens::Deliver),
        20 => (0_usize..2, 0_u8..3).prop_map(|(side, what)| Happens::Stir(side, what)),
        1 => (0_usize..2).prop_map(Happens::Again),
        1 => Just(Happens::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_both_end_the_same_and_nothing_is_lost(
        all in vec(happens(), 0..300),
        seed: u64,
    ) {
        let mut pair = Pair::new(seed);
        let mut number = 0;
        for one in all {
            match one {
                Happens::New(side, size) => {
                    number += 1;
                    pair.sides[side].add(event(number, size));
                }
                Happens::Deliver(side) => drop(pair.deliver(side)),
                Happens::Stir(side, what) => pair.stir(side, what),
                Happens::Again(at) => {
                    let (side, other, _) = pair.both(at);
                    let acts = side.link.again();
                    side.act(acts, other);
                }
                Happens::Break => pair.break_off(),
            }
        }
        pair.settle();
        prop_assert!(pair.is_level());
        prop_assert_eq!(pair.sides[0].store.len(), number as usize);
        prop_assert_eq!(&pair.sides[0].store, &pair.sides[1].store);
    }

    #[test]
    fn no_frame_makes_a_link_panic_and_what_came_of_it_is_true(
        bytes in vec(any::<u8>(), 0..200),
        steps in 0_usize..8,
        at in 0_usize..2,
        flip in any::<(usize, u8)>(),
    ) {
        let mut pair = level();
        pair.sides[0].add(event(1000, 600));
        pair.sides[1].add(event(1001, 6000));
        for _ in 0..steps {
            (0..3).for_each(|what| { pair.stir(0, what); pair.stir(1, what); });
            let _ = pair.deliver(0) | pair.deliver(1);
        }
        let mut frame = pair.sides[1 - at].out.pop_front().unwrap_or(bytes);
        if let Some(byte) = frame.get_mut(flip.0 % 200) {
            *byte ^= flip.1;
        }
        if let Ok(acts) = pair.sides[at].link.take(&frame) {
            for act in acts {
                if let Act::Store(events) = act {
                    prop_assert!(events.iter().all(|e| BlobAddress::of(&e.bytes) == e.address));
                }
            }
        }
    }
}

/// Two sides of two hundred events, level.
fn level() -> Pair {
    let mut pair = Pair::new(1);
    let all: Copy = (0..200).map(|n| event(n, 40)).map(|e| (e.address, e.bytes)).collect();
    pair.sides.iter_mut().for_each(|side| side.store = all.clone());
    pair.settle();
    assert!(pair.is_level());
    pair
}

#[test]
fn a_link_is_at_rest_only_when_nothing_is_awaited_of_the_other_side() {
    assert!([true, false].map(|begins| Link::new(begins, LEAST_FRAME)).iter().all(|link| !link.is_at_rest()));
    let mut pair = level();
    assert!(pair.sides.iter().all(|side| side.link.is_at_rest() && !side.link.is_in_session()));
    pair.sides[1].add(event(1000, SMALL));
    pair.stir(1, 2);
    assert!(!pair.sides[1].link.is_at_rest(), "a push is on its way");
    pair.settle();
    assert!(pair.sides[1].link.is_at_rest());
    assert_eq!(pair.sides[1].link.again().len(), 1);
    assert!(!pair.sides[1].link.is_at_rest(), "a session was asked for");
    let acts = pair.sides[0].link.again();
    assert_eq!(acts, [Act::Compare]);
    assert!(pair.sides[0].link.is_in_session() && !pair.sides[0].link.is_at_rest());
}

#[test]
fn one_change_costs_a_kilobyte_and_one_round_trip() {
    for at in [0, 1] {
        let mut pair = level();
        (pair.frames, pair.bytes) = (0, 0);
        let told = pair.sides[1 - at].levels;
        pair.sides[at].add(event(1000, SMALL));
        pair.settle();
        assert!(pair.is_level());
        assert_eq!(pair.sides[1 - at].levels, told + 1, "who is pushed to hears when it is level again");
        assert_eq!(pair.sides[0].store, pair.sides[1].store);
        assert_eq!(pair.frames, 2, "there and back");
        assert!(pair.bytes <= SMALL + 20, "{} bytes", pair.bytes);
        assert!(pair.bytes + 2 * 4 <= 1024, "with the length before each frame");
    }
}

#[test]
fn a_wallets_event_is_as_small_as_that() {
    let mut random = Seeded::new(1);
    let (mut vault, _) = Vault::create(LedgerId::from_bytes([7; 32]), "phone", 1, &mut random);
    let tagged = Body::Tagged(Commitment::from_bytes([1; 32]), "mother".into());
    let event = vault.append(tagged, 1, &mut random).unwrap();
    assert!(event.bytes.len() <= SMALL, "{} bytes", event.bytes.len());
}

#[test]
fn pushes_that_cross_are_both_taken() {
    let mut pair = level();
    (pair.frames, pair.bytes) = (0, 0);
    for (at, number) in [(0, 1000), (1, 1001)] {
        pair.sides[at].add(event(number, SMALL));
        pair.stir(at, 2);
    }
    assert!(pair.sides.iter().all(|side| side.out.len() == 1), "both are on their way");
    pair.settle();
    assert!(pair.is_level());
    assert_eq!(pair.sides[0].store, pair.sides[1].store);
    assert_eq!(pair.frames, 4);
}

#[test]
fn a_push_that_crosses_a_greeting_is_taken() {
    let mut pair = level();
    pair.sides[1].add(event(1000, SMALL));
    pair.stir(1, 2);
    let acts = pair.sides[0].link.again();
    assert_eq!(acts, [Act::Compare]);
    let set: Vec<_> = pair.sides[0].store.keys().copied().collect();
    let acts = pair.sides[0].link.start(set, &mut Seeded::new(3)).unwrap();
    let (side, other, _) = pair.both(0);
    side.act(acts, other);
    pair.settle();
    assert!(pair.is_level());
    assert_eq!(pair.sides[0].store, pair.sides[1].store);
    assert_eq!(pair.sides[0].link.tally().taken, 1, "once");
}

#[test]
fn much_at_once_is_left_to_a_session() {
    for at in [0, 1] {
        let mut pair = level();
        (0..100).for_each(|n| pair.sides[at].add(event(1000 + n, SMALL)));
        pair.settle();
        assert!(pair.is_level());
        assert_eq!(pair.sides[0].store, pair.sides[1].store);
        assert_eq!(pair.sides[at].link.tally().given, 100);
    }
}

#[test]
fn what_a_side_named_and_did_not_give_is_not_level() {
    let mut pair = Pair::new(1);
    pair.sides[1].store = [event(1, 40), event(2, 40)].map(|e| (e.address, e.bytes)).into();
    let lost = event(2, 40).address;
    while pair.sides[1].link.tally().given == 0 {
        for at in [0, 1] {
            (0..3).for_each(|what| pair.stir(at, what));
        }
        if pair.sides[1].read.is_none() && !pair.sides[1].asked && pair.frames > 0 {
            pair.sides[1].store.remove(&lost);
        }
        let _ = pair.deliver(0) | pair.deliver(1);
    }
    pair.settle();
    assert_eq!(pair.sides[0].link.tally().withheld, 1);
    assert!(!pair.sides[0].link.is_level());
}

#[test]
fn a_refusal_ends_both_and_says_why() {
    let mut pair = level();
    let acts = pair.sides[1].link.refuse(Refused::Device);
    let [Act::Send(frame)] = acts.as_slice() else { panic!("{acts:?}") };
    assert_eq!(pair.sides[0].link.take(frame).unwrap(), [Act::Refused(Refused::Device)]);
    assert!(pair.sides.iter().all(|side| side.link.is_over() && !side.link.is_level()));
    assert_eq!(pair.sides[0].link.take(frame), Err(SyncError::Turn));
    assert!(pair.sides[1].link.refuse(Refused::Full).is_empty(), "said once");
    assert!(pair.sides[1].link.news([event(1, 40)]).is_empty());
}

#[test]
fn malicious_peer_cannot_speak_out_of_its_turn() {
    let push = |n| Frame::Push((0..n).map(|n| event(n, 40).bytes.into()).collect());
    let refused = |begins: bool, frame: &Frame, error| {
        let mut pair = level();
        let link = &mut pair.sides[usize::from(!begins)].link;
        assert_eq!(link.take(&frame.to_bytes()), Err(error), "{begins} {frame:?}");
        assert!(link.is_over() && !link.is_level());
    };
    for begins in [true, false] {
        refused(begins, &Frame::Took, SyncError::Turn);
        refused(begins, &push(0), SyncError::Form);
        refused(begins, &Frame::Done, SyncError::Turn);
        refused(begins, &Frame::Give(Vec::new()), SyncError::Turn);
        let mut young = Link::new(begins, LEAST_FRAME);
        assert_eq!(young.take(&push(1).to_bytes()), Err(SyncError::Turn), "before the first session");
    }
    refused(true, &Frame::Hello([1; 32]), SyncError::Turn);
    refused(false, &Frame::Again, SyncError::Turn);
    let mut pair = level();
    assert_eq!(pair.sides[0].link.take(&vec![0; LEAST_FRAME + FRAME_OVERHEAD + 1]), Err(SyncError::Large));
    let mut pair = level();
    assert_eq!(pair.sides[0].link.take(b"nothing"), Err(SyncError::Form));
    let mut pair = level();
    assert_eq!(pair.sides[0].link.loaded(Vec::new()), Err(SyncError::Turn));
}

#[test]
fn malicious_peer_cannot_ask_for_a_second_session_within_one() {
    let mut pair = level();
    pair.sides[1].store.insert(event(1000, 40).address, event(1000, 40).bytes);
    let acts = pair.sides[0].link.again();
    let (side, other, _) = pair.both(0);
    side.act(acts, other);
    // The greeting goes out and comes back.
    (0..2).for_each(|what| pair.stir(0, what));
    assert!(pair.deliver(1));
    (0..2).for_each(|what| pair.stir(1, what));
    let again = Frame::Again.to_bytes();
    assert_eq!(pair.sides[0].link.take(&again).unwrap(), [], "it may have crossed the greeting");
    assert!(pair.deliver(0));
    assert_eq!(pair.sides[0].link.take(&again), Err(SyncError::Turn));
}
