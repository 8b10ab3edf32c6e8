//! Two copies end the same whatever they held, at any frame size, through any break; and a peer that lies gets nothing by
//! it but an end.

use super::frame::{Frame, Piece};
use super::*;
use crate::id::BlobAddress;
use crate::sm::seeded::Seeded;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

type Copy = BTreeMap<BlobAddress, Vec<u8>>;

/// Events that a side loads at a time.
const AT_ONCE: usize = 5;

/// An event as others see it: bytes, of which the number says which.
fn event(number: u16, size: usize) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(size.max(2), 7);
    bytes
}

fn copy(events: impl IntoIterator<Item = (u16, usize)>) -> Copy {
    let events = events.into_iter().map(|(number, size)| event(number, size));
    events.map(|bytes| (BlobAddress::of(&bytes), bytes)).collect()
}

/// A side with its store and what it has sent.
struct Side {
    session: Session,
    store: Copy,
    out: VecDeque<Vec<u8>>,
    finished: bool,
}

impl Side {
    fn act(&mut self, acts: Vec<Act>) -> Result<(), SyncError> {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => self.out.push_back(frame),
                Act::Load(mut addresses) => {
                    let rest = addresses.split_off(addresses.len().min(AT_ONCE));
                    let events = addresses.iter().filter_map(|a| self.store.get(a).cloned()).collect();
                    acts.extend(self.session.loaded_part(events, rest)?);
                }
                Act::Store(events) => self.store.extend(events.into_iter().map(|e| (e.address, e.bytes))),
                Act::Finished => self.finished = true,
                Act::Compare | Act::Level | Act::Refused(_) => panic!("{act:?} in a session"),
            }
        }
        Ok(())
    }
}

/// What a sync came to.
struct Outcome {
    a: Copy,
    b: Copy,
    frames: usize,
    bytes: usize,
    largest: usize,
    finished: bool,
}

/// Lets two copies sync until both are done, or until so many frames have passed.
fn sync(a: &Copy, b: &Copy, limit: usize, seed: u64, until: usize) -> Outcome {
    let mut random = Seeded::new(seed);
    let (session, first) = Session::begin(a.keys().copied(), limit, &mut random);
    let mut begins = Side { session, store: a.clone(), out: VecDeque::from([first]), finished: false };
    let session = Session::answer(b.keys().copied(), limit, &mut random);
    let mut answers = Side { session, store: b.clone(), out: VecDeque::new(), finished: false };
    let (mut frames, mut bytes, mut largest) = (0, 0, 0);
    while frames < until {
        let (frame, to) = if let Some(frame) = begins.out.pop_front() {
            (frame, &mut answers)
        } else if let Some(frame) = answers.out.pop_front() {
            (frame, &mut begins)
        } else {
            break;
        };
        frames += 1;
        bytes += frame.len();
        largest = largest.max(frame.len());
        let acts = to.session.take(&frame).unwrap();
        to.act(acts).unwrap();
    }
    let finished = begins.finished && answers.finished;
    assert_eq!(finished, begins.session.is_over() && answers.session.is_over());
    Outcome { a: begins.store, b: answers.store, frames, bytes, largest, finished }
}

fn union(a: &Copy, b: &Copy) -> Copy {
    a.iter().chain(b).map(|(address, bytes)| (*address, bytes.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_copies_end_the_same(
        both in vec((0_u16..2000, 1_usize..200), 0..600),
        ours in vec((2000_u16..4000, 1_usize..9000), 0..80),
        theirs in vec((4000_u16..6000, 1_usize..9000), 0..80),
        limit in prop_oneof![Just(LEAST_FRAME), Just(65_536_usize), LEAST_FRAME..40_000],
        seed: u64,
    ) {
        let a = copy(both.iter().copied().chain(ours));
        let b = copy(both.into_iter().chain(theirs));
        let ended = sync(&a, &b, limit, seed, usize::MAX);
        prop_assert!(ended.finished);
        prop_assert_eq!(&ended.a, &union(&a, &b));
        prop_assert_eq!(&ended.b, &ended.a);
        prop_assert!(ended.largest <= limit + FRAME_OVERHEAD, "{} of {}", ended.largest, limit);
    }

    #[test]
    fn a_sync_that_breaks_anywhere_loses_nothing_and_the_next_goes_on(
        ours in vec((0_u16..3000, 1_usize..3000), 0..200),
        theirs in vec((2000_u16..5000, 1_usize..3000), 0..200),
        breaks in vec(1_usize..40, 0..6),
        seed: u64,
    ) {
        let (a, b) = (copy(ours), copy(theirs));
        let all = union(&a, &b);
        let (mut left, mut right) = (a, b);
        for (round, until) in breaks.into_iter().enumerate() {
            let ended = sync(&left, &right, LEAST_FRAME, seed.wrapping_add(round as u64), until);
            let grown = |old: &Copy, new: &Copy| {
                old.keys().all(|k| new.contains_key(k)) && new.keys().all(|k| all.contains_key(k))
            };
            prop_assert!(grown(&left, &ended.a) && grown(&right, &ended.b));
            (left, right) = (ended.a, ended.b);
        }
        let ended = sync(&left, &right, LEAST_FRAME, seed, usize::MAX);
        prop_assert!(ended.finished);
        prop_assert_eq!(&ended.a, &all);
        prop_assert_eq!(&ended.b, &all);
    }

    #[test]
    fn no_bytes_make_a_side_panic_and_what_came_of_them_is_true(
        bytes in vec(any::<u8>(), 0..300),
        at in 0_usize..12,
        begins: bool,
        flip in any::<(usize, u8)>(),
    ) {
        let (a, b) = (copy((0..300).map(|n| (n, 40))), copy((200..500).map(|n| (n, 40))));
        let mut random = Seeded::new(1);
        let (first, hello) = Session::begin(a.keys().copied(), LEAST_FRAME, &mut random);
        let second = Session::answer(b.keys().copied(), LEAST_FRAME, &mut random);
        let mut sides = [
            Side { session: first, store: a, out: VecDeque::from([hello]), finished: false },
            Side { session: second, store: b, out: VecDeque::new(), finished: false },
        ];
        for step in 0..=at {
            let from = usize::from(sides[0].out.is_empty());
            let Some(mut frame) = sides[from].out.pop_front() else { break };
            if step == at && (from == 0) == begins {
                // A frame with one byte changed, then one that is anything.
                let place = flip.0 % frame.len();
                frame[place] ^= flip.1;
                let to = &mut sides[1 - from];
                if let Ok(acts) = to.session.take(&frame) {
                    let _ = to.act(acts);
                }
                let _ = to.session.take(&bytes);
            } else {
                let to = &mut sides[1 - from];
                let acts = to.session.take(&frame).unwrap();
                to.act(acts).unwrap();
            }
        }
        for side in &sides {
            prop_assert!(side.store.iter().all(|(address, bytes)| BlobAddress::of(bytes) == *address));
        }
    }
}

#[test]
fn what_is_the_same_costs_three_questions_and_a_large_set_little_more_than_its_difference() {
    let many = copy((0..10_000).map(|n| (n, 40)));
    let same = sync(&many, &many, 65_536, 1, usize::MAX);
    assert!(same.finished && same.frames <= 6, "{} frames", same.frames);
    assert!(same.bytes < 1500, "{} bytes", same.bytes);
    let mut more = many.clone();
    more.extend(copy((10_000..10_008).map(|n| (n, 40))));
    let ended = sync(&many, &more, 65_536, 1, usize::MAX);
    assert_eq!(ended.a, more);
    assert!(ended.bytes < 40_000, "{} bytes for eight events of ten thousand", ended.bytes);
}

#[test]
fn an_empty_copy_gets_all_of_it() {
    let all = copy((0..1000).map(|n| (n, 1000)));
    let none = Copy::new();
    for (a, b) in [(&none, &all), (&all, &none)] {
        let ended = sync(a, b, LEAST_FRAME, 3, usize::MAX);
        assert!(ended.finished && ended.a == all && ended.b == all);
    }
}

#[test]
fn names_of_one_session_say_nothing_in_another() {
    let ranges = |seed| {
        let all = copy((0..50).map(|n| (n, 40)));
        let mut random = Seeded::new(seed);
        let (mut session, _) = Session::begin(all.keys().copied(), LEAST_FRAME, &mut random);
        let acts = session.take(&Frame::Hello([9; 32]).to_bytes()).unwrap();
        let [Act::Send(frame)] = acts.as_slice() else { panic!("{acts:?}") };
        frame.clone()
    };
    assert_eq!(ranges(1), ranges(1));
    assert_ne!(ranges(1), ranges(2), "the same events under another nonce");
}

/// The side that answers, after the greeting.
fn answering(store: &Copy) -> Session {
    let mut session = Session::answer(store.keys().copied(), LEAST_FRAME, &mut Seeded::new(2));
    session.take(&Frame::Hello([1; 32]).to_bytes()).unwrap();
    session
}

/// The side that began, which has asked the other for all of its events.
fn getting(theirs: &Copy) -> Session {
    let mut random = Seeded::new(4);
    let (mut session, hello) = Session::begin([], LEAST_FRAME, &mut random);
    let mut other = Session::answer(theirs.keys().copied(), LEAST_FRAME, &mut random);
    let mut frame = hello;
    loop {
        for side in [&mut other, &mut session] {
            let acts = side.take(&frame).unwrap();
            let [Act::Send(next)] = acts.as_slice() else { panic!("{acts:?}") };
            frame = next.clone();
        }
        if matches!(Frame::read(&frame), Some(Frame::Want(_))) {
            return session;
        }
    }
}

fn whole(event: Vec<u8>) -> Vec<u8> {
    Frame::Give(vec![Piece { bytes: event.into(), last: true }]).to_bytes()
}

#[test]
fn an_event_that_was_not_asked_for_ends_the_session() {
    let theirs = copy([(1, 40), (2, 40)]);
    let mut session = getting(&theirs);
    assert!(matches!(session.take(&whole(event(1, 40))).unwrap().as_slice(), [Act::Store(_)]));
    assert_eq!(session.take(&whole(event(1, 40))), Err(SyncError::Unasked), "given twice");
    assert_eq!(getting(&theirs).take(&whole(event(3, 40))), Err(SyncError::Unasked));
}

#[test]
fn what_a_peer_named_and_does_not_give_is_counted_and_holds_nothing_up() {
    let mut session = getting(&copy([(1, 40), (2, 40)]));
    session.take(&whole(event(2, 40))).unwrap();
    let acts = session.take(&Frame::Given.to_bytes()).unwrap();
    assert_eq!(acts, [Act::Send(Frame::Done.to_bytes())]);
    assert_eq!(session.tally().withheld, 1);
    assert_eq!(session.take(&Frame::Done.to_bytes()).unwrap(), [Act::Finished]);
}

#[test]
fn one_event_is_given_once_however_often_it_is_asked_for() {
    let store = copy([(1, 40)]);
    let mut session = answering(&store);
    let name = {
        let acts = session.take(&Frame::Ranges(vec![0x61, 0, 0, 2, 0]).to_bytes()).unwrap();
        let [Act::Send(frame)] = acts.as_slice() else { panic!("{acts:?}") };
        let Some(Frame::Ranges(reply)) = Frame::read(frame) else { panic!() };
        reply[reply.len() - 32..].to_vec()
    };
    let want = Frame::Want(name).to_bytes();
    let address = *store.keys().next().unwrap();
    assert_eq!(session.take(&want).unwrap(), [Act::Load(vec![address])]);
    assert_eq!(session.take(&want), Err(SyncError::Turn), "before the last answer");
    let mut session = answering(&store);
    session.take(&want).unwrap();
    session.loaded(vec![event(1, 40)]).unwrap();
    assert_eq!(session.take(&want).unwrap(), [Act::Load(Vec::new())]);
}

#[test]
fn a_side_that_loads_little_at_a_time_gives_all_before_it_goes_on() {
    let store = copy([(1, 40), (2, 40)]);
    let (first, second) = (BlobAddress::of(&event(1, 40)), BlobAddress::of(&event(2, 40)));
    let mut session = answering(&store);
    let names = [first, second].map(|address| session.name(&address)).concat();
    assert_eq!(session.take(&Frame::Want(names).to_bytes()), Ok(vec![Act::Load(vec![first, second])]));
    let acts = session.loaded_part(vec![event(1, 40)], vec![second]).unwrap();
    assert!(matches!(acts.as_slice(), [Act::Send(_), Act::Load(rest)] if rest == &[second]), "{acts:?}");
    assert_eq!(session.take(&Frame::Done.to_bytes()).unwrap_err(), SyncError::Turn, "loading");
    let mut session = answering(&store);
    let names = [first, second].map(|address| session.name(&address)).concat();
    session.take(&Frame::Want(names).to_bytes()).unwrap();
    session.loaded_part(vec![event(1, 40)], vec![second]).unwrap();
    let acts = session.loaded(vec![event(2, 40)]).unwrap();
    assert_eq!(acts.last(), Some(&Act::Send(Frame::Given.to_bytes())));
}

#[test]
fn frames_and_events_have_their_bounds() {
    let mut session = answering(&Copy::new());
    assert_eq!(session.take(&vec![0; LEAST_FRAME + FRAME_OVERHEAD + 1]), Err(SyncError::Large));
    assert_eq!(session.take(&Frame::Done.to_bytes()), Err(SyncError::Turn), "over after an error");
    let mut session = answering(&Copy::new());
    let piece = || Frame::Give(vec![Piece { bytes: vec![0; 4000].into(), last: false }]).to_bytes();
    let refused = (0..=MOST_EVENT / 4000).find_map(|_| session.take(&piece()).err());
    assert_eq!(refused, Some(SyncError::Large), "an event without an end");
    let mut session = answering(&Copy::new());
    session.take(&piece()).unwrap();
    assert_eq!(session.take(&Frame::Done.to_bytes()), Err(SyncError::Turn), "in the middle of an event");
}

#[test]
fn frames_out_of_their_turn_are_refused() {
    for frame in [Frame::Given, Frame::Done, Frame::Want(Vec::new()), Frame::Ranges(vec![0x61])] {
        let (mut session, _) = Session::begin([], LEAST_FRAME, &mut Seeded::new(1));
        assert_eq!(session.take(&frame.to_bytes()), Err(SyncError::Turn), "{frame:?} before hello");
    }
    let mut session = answering(&Copy::new());
    assert_eq!(session.take(&Frame::Hello([3; 32]).to_bytes()), Err(SyncError::Turn));
    let mut session = answering(&Copy::new());
    assert_eq!(session.loaded(Vec::new()), Err(SyncError::Turn), "nothing was to be loaded");
}
