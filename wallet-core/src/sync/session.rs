//! One sync, as a state machine.

use super::Refused;
use super::frame::{Assembly, FRAME_OVERHEAD, Frame, LEAST_FRAME, gives};
use crate::id::BlobAddress;
use crate::order;
use crate::sm::{Digest, Label, Random};
use crate::vault::StoredEvent;
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use std::collections::{BTreeMap, BTreeSet};

/// After so many rounds of comparing a peer is not comparing but wasting time. 20 years of events that share none with the
/// other side's take a hundredth of it.
pub const MOST_ROUNDS: u32 = 1 << 16;
/// Events that are loaded, given or asked for at a time.
const BATCH: usize = 64;
const NAME: Label = Label::new("sync-name");

/// Why a session ended before both sides were the same. A new one goes on where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Bytes that are no frame.
    #[error("the other side sent something that is not part of a sync")]
    Form,
    /// A frame where another one had to come.
    #[error("the other side sent a message out of its turn")]
    Turn,
    /// A frame or an event larger than they may be, or a comparison without end.
    #[error("the other side sent more than may be sent")]
    Large,
    /// An event that was not asked for.
    #[error("the other side sent an event that was not asked for")]
    Unasked,
}

/// What is to be done now, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Send this frame.
    Send(Vec<u8>),
    /// Load these events and hand them over by [`Session::loaded`], or the first of them by [`Session::loaded_part`], before
    /// the next frame is taken.
    Load(Vec<BlobAddress>),
    /// Store these events. Their addresses are true; what they are worth, the vault says.
    Store(Vec<StoredEvent>),
    /// Both sides have what the other had.
    Finished,
    /// Hand over the addresses of this side's events by [`Link::start`](super::Link::start).
    Compare,
    /// Both sides have the same, and nothing is on its way.
    Level,
    /// The other side has ended the link.
    Refused(Refused),
}

/// How far a session is, for a progress bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events given to the other side.
    pub given: u64,
    /// Events that came.
    pub taken: u64,
    /// Events that are known to be still to come or to go.
    pub left: u64,
    /// Events that the other side named and then did not give.
    pub withheld: u64,
}

/// A session of one side.
#[derive(Debug)]
pub struct Session {
    limit: usize,
    /// What this side has, and what came.
    own: BTreeSet<BlobAddress>,
    /// This side's, and after the greeting that of the session: a hash of both sides'.
    nonce: [u8; 32],
    /// The events of this side by their names in the session; of those that were asked for, the ones not given yet.
    names: BTreeMap<[u8; 32], BlobAddress>,
    stage: Stage,
    assembly: Assembly,
    tally: Tally,
}

#[derive(Debug)]
enum Stage {
    /// The other side's nonce is awaited; whether this side began.
    Greeting { begins: bool },
    /// This side began and compares.
    Comparing { ranges: Box<Ranges>, give: Vec<BlobAddress>, want: Vec<[u8; 32]>, rounds: u32 },
    /// This side began and gives what the other lacks.
    Giving { give: Vec<BlobAddress>, want: Vec<[u8; 32]> },
    /// This side began and gets what it lacks.
    Getting { want: Vec<[u8; 32]>, asked: BTreeSet<[u8; 32]> },
    /// This side answers.
    Answering { ranges: Box<Ranges>, rounds: u32, loading: bool },
    /// "Done" is awaited.
    Ending,
    /// Over.
    Over,
}

type Ranges = Negentropy<'static, NegentropyStorageVector>;

impl Session {
    /// The side that begins, with the addresses of its events, and the first frame. A frame has at most `limit` bytes
    /// ([`LEAST_FRAME`] or more) and [`FRAME_OVERHEAD`].
    pub fn begin(
        events: impl IntoIterator<Item = BlobAddress>,
        limit: usize,
        random: &mut dyn Random,
    ) -> (Self, Vec<u8>) {
        let session = Self::new(events, limit, Stage::Greeting { begins: true }, random);
        let hello = Frame::Hello(session.nonce).to_bytes();
        (session, hello)
    }

    /// The side that answers.
    pub fn answer(
        events: impl IntoIterator<Item = BlobAddress>,
        limit: usize,
        random: &mut dyn Random,
    ) -> Self {
        Self::new(events, limit, Stage::Greeting { begins: false }, random)
    }

    fn new(
        events: impl IntoIterator<Item = BlobAddress>,
        limit: usize,
        stage: Stage,
        random: &mut dyn Random,
    ) -> Self {
        let mut nonce = [0; 32];
        random.fill(&mut nonce);
        Self {
            limit: limit.max(LEAST_FRAME),
            own: events.into_iter().collect(),
            nonce,
            names: BTreeMap::new(),
            stage,
            assembly: Assembly::default(),
            tally: Tally::default(),
        }
    }

    /// How far it is.
    pub fn tally(&self) -> Tally {
        let left = match &self.stage {
            Stage::Comparing { give, want, .. } | Stage::Giving { give, want } => give.len() + want.len(),
            Stage::Getting { want, asked } => want.len() + asked.len(),
            Stage::Greeting { .. } | Stage::Answering { .. } | Stage::Ending | Stage::Over => 0,
        };
        Tally { left: left as u64, ..self.tally }
    }

    /// Whether both sides have what the other had.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether the other side's greeting is awaited.
    pub(super) const fn is_greeting(&self) -> bool {
        matches!(self.stage, Stage::Greeting { .. })
    }

    /// Whether both sides will have this event at the end.
    pub(super) fn knows(&self, address: &BlobAddress) -> bool {
        self.own.contains(address)
    }

    /// An event that came beside the session, before the greeting.
    pub(super) fn learn(&mut self, address: BlobAddress) {
        self.own.insert(address);
    }

    /// Takes a frame of the other side. After an error the session is over.
    pub fn take(&mut self, frame: &[u8]) -> Result<Vec<Act>, SyncError> {
        if frame.len() > self.limit + FRAME_OVERHEAD {
            self.stage = Stage::Over;
            return Err(SyncError::Large);
        }
        let Some(frame) = Frame::read(frame) else {
            self.stage = Stage::Over;
            return Err(SyncError::Form);
        };
        self.frame(frame)
    }

    pub(super) fn frame(&mut self, frame: Frame) -> Result<Vec<Act>, SyncError> {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        let (stage, acts) = self.step(stage, frame)?;
        self.stage = stage;
        Ok(acts)
    }

    fn step(&mut self, stage: Stage, frame: Frame) -> Result<(Stage, Vec<Act>), SyncError> {
        match (stage, frame) {
            (Stage::Greeting { begins }, Frame::Hello(nonce)) => self.greet(begins, nonce),
            (Stage::Comparing { ranges, give, want, rounds }, Frame::Ranges(message)) => {
                self.compare(ranges, (give, want), rounds, &message)
            }
            (Stage::Getting { want, mut asked }, Frame::Give(pieces)) => {
                let events = self.assembly.take(pieces).ok_or(SyncError::Large)?;
                let events = stored(events);
                for event in &events {
                    let name = self.name(&event.address);
                    if !asked.remove(&name) {
                        return Err(SyncError::Unasked);
                    }
                }
                Ok((Stage::Getting { want, asked }, self.store(events)))
            }
            (Stage::Getting { want, asked }, Frame::Given) if !self.assembly.is_open() => {
                self.tally.withheld += asked.len() as u64;
                Ok(Self::ask(want))
            }
            (Stage::Answering { mut ranges, rounds, loading: false }, Frame::Ranges(message)) => {
                if rounds == MOST_ROUNDS {
                    return Err(SyncError::Large);
                }
                let reply = ranges.reconcile(&message).map_err(|_| SyncError::Form)?;
                let rounds = rounds + 1;
                let acts = vec![Act::Send(Frame::Ranges(reply).to_bytes())];
                Ok((Stage::Answering { ranges, rounds, loading: false }, acts))
            }
            (Stage::Answering { ranges, rounds, loading: false }, Frame::Give(pieces)) => {
                let events = self.assembly.take(pieces).ok_or(SyncError::Large)?;
                let events = stored(events);
                let acts = self.store(events);
                Ok((Stage::Answering { ranges, rounds, loading: false }, acts))
            }
            (Stage::Answering { ranges, rounds, loading: false }, Frame::Want(names)) => {
                let (names, rest) = names.as_chunks::<32>();
                if !rest.is_empty() || names.len() > BATCH {
                    return Err(SyncError::Form);
                }
                // Each once: asking again and again would make a small question a large answer.
                let load = names.iter().filter_map(|name| self.names.remove(name)).collect();
                Ok((Stage::Answering { ranges, rounds, loading: true }, vec![Act::Load(load)]))
            }
            (Stage::Answering { loading: false, .. }, Frame::Done) if !self.assembly.is_open() => {
                Ok((Stage::Over, vec![Act::Send(Frame::Done.to_bytes()), Act::Finished]))
            }
            (Stage::Ending, Frame::Done) => Ok((Stage::Over, vec![Act::Finished])),
            _ => Err(SyncError::Turn),
        }
    }

    /// Both nonces are known: the events get their names in this session.
    fn greet(&mut self, begins: bool, other: [u8; 32]) -> Result<(Stage, Vec<Act>), SyncError> {
        let nonces = if begins { [self.nonce, other] } else { [other, self.nonce] };
        let mut items = NegentropyStorageVector::with_capacity(self.own.len());
        self.nonce = *Digest::labelled(NAME, &[&nonces[0], &nonces[1]]).as_bytes();
        for address in &self.own {
            let name = self.name(address);
            items.insert(0, Id::from_byte_array(name)).map_err(|_| SyncError::Form)?;
            self.names.insert(name, *address);
        }
        items.seal().map_err(|_| SyncError::Form)?;
        let ranges = Negentropy::owned(items, self.limit as u64).map_err(|_| SyncError::Form)?;
        let mut ranges = Box::new(ranges);
        if begins {
            let first = ranges.initiate().map_err(|_| SyncError::Form)?;
            let stage = Stage::Comparing { ranges, give: Vec::new(), want: Vec::new(), rounds: 0 };
            return Ok((stage, vec![Act::Send(Frame::Ranges(first).to_bytes())]));
        }
        let hello = Frame::Hello(nonces[1]).to_bytes();
        Ok((Stage::Answering { ranges, rounds: 0, loading: false }, vec![Act::Send(hello)]))
    }

    pub(super) fn name(&self, address: &BlobAddress) -> [u8; 32] {
        *Digest::labelled(NAME, &[&self.nonce, address.as_bytes()]).as_bytes()
    }

    fn compare(
        &mut self,
        mut ranges: Box<Ranges>,
        (mut give, mut want): (Vec<BlobAddress>, Vec<[u8; 32]>),
        rounds: u32,
        message: &[u8],
    ) -> Result<(Stage, Vec<Act>), SyncError> {
        if rounds == MOST_ROUNDS {
            return Err(SyncError::Large);
        }
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = ranges.reconcile_with_ids(message, &mut have, &mut need).map_err(|_| SyncError::Form)?;
        give.extend(have.iter().filter_map(|id| self.names.get(id.as_bytes())));
        // A peer may name the same event in two ranges, and one that is here.
        want.extend(need.iter().map(|id| *id.as_bytes()).filter(|name| !self.names.contains_key(name)));
        if let Some(next) = next {
            let stage = Stage::Comparing { ranges, give, want, rounds: rounds + 1 };
            return Ok((stage, vec![Act::Send(Frame::Ranges(next).to_bytes())]));
        }
        order::sort(&mut give);
        give.dedup();
        order::sort(&mut want);
        want.dedup();
        Ok(Self::give(give, want))
    }

    /// Loads the next events to give, or goes on to what is wanted.
    fn give(mut give: Vec<BlobAddress>, want: Vec<[u8; 32]>) -> (Stage, Vec<Act>) {
        if give.is_empty() {
            return Self::ask(want);
        }
        let load = give.split_off(give.len().saturating_sub(BATCH));
        (Stage::Giving { give, want }, vec![Act::Load(load)])
    }

    /// Asks for the next events, or ends.
    fn ask(mut want: Vec<[u8; 32]>) -> (Stage, Vec<Act>) {
        if want.is_empty() {
            return (Stage::Ending, vec![Act::Send(Frame::Done.to_bytes())]);
        }
        let batch = want.split_off(want.len().saturating_sub(BATCH));
        let frame = Frame::Want(batch.as_flattened().to_vec());
        (Stage::Getting { want, asked: batch.into_iter().collect() }, vec![Act::Send(frame.to_bytes())])
    }

    fn store(&mut self, events: Vec<StoredEvent>) -> Vec<Act> {
        let news: Vec<StoredEvent> =
            events.into_iter().filter(|event| self.own.insert(event.address)).collect();
        self.tally.taken += news.len() as u64;
        if news.is_empty() { Vec::new() } else { vec![Act::Store(news)] }
    }

    /// Takes the events that were to be loaded; those that are gone since may be missing.
    pub fn loaded(&mut self, events: Vec<Vec<u8>>) -> Result<Vec<Act>, SyncError> {
        self.loaded_part(events, Vec::new())
    }

    /// Takes the first of the events that were to be loaded, as many as the shell wants to hold at a time; once they are on
    /// their way the others, `rest`, are to be loaded ([`Act::Load`]).
    pub fn loaded_part(
        &mut self,
        events: Vec<Vec<u8>>,
        rest: Vec<BlobAddress>,
    ) -> Result<Vec<Act>, SyncError> {
        self.tally.given += events.len() as u64;
        let mut acts: Vec<Act> =
            gives(events, self.limit).iter().map(|frame| Act::Send(frame.to_bytes())).collect();
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        let (stage, more) = match stage {
            stage @ (Stage::Giving { .. } | Stage::Answering { loading: true, .. }) if !rest.is_empty() => {
                (stage, vec![Act::Load(rest)])
            }
            Stage::Giving { give, want } => Self::give(give, want),
            Stage::Answering { ranges, rounds, loading: true } => {
                let given = Act::Send(Frame::Given.to_bytes());
                (Stage::Answering { ranges, rounds, loading: false }, vec![given])
            }
            _ => return Err(SyncError::Turn),
        };
        self.stage = stage;
        acts.extend(more);
        Ok(acts)
    }
}

pub(super) fn stored(events: Vec<Vec<u8>>) -> Vec<StoredEvent> {
    events.into_iter().map(|bytes| StoredEvent { address: BlobAddress::of(&bytes), bytes }).collect()
}
