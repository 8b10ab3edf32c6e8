//! An open connection after the door: sessions one after another, and between them single new events at once.
//!
//! After a [`Session`] both sides are level: what is new on one is pushed, one frame there and one back. **A push is never
//! more than a shortcut**: whatever is lost, too large or unclear, the next session finds it, so a link that breaks anywhere
//! needs nothing but a new one.
//!
//! ```text
//! begins                              answers
//!   (a session)           ↔
//!   push(events)          →                   either side, one at a time each way; they may cross
//!                         ←   took
//!                         ←   again           the answering side asks for a session; the other one begins it
//!                         ←   over(reason)    either side, at any time
//! ```
//!
//! One side of a link begins all its sessions. What a push in flight and a session on its way do to each other: who begins
//! goes on taking pushes until the other's greeting has come, and who answers pushes nothing between its greeting and the end.

use super::frame::{FRAME_OVERHEAD, Frame, LEAST_FRAME};
use super::session::{Act, Session, SyncError, Tally, stored};
use super::{MOST_EVENT, Refused};
use crate::id::BlobAddress;
use crate::order;
use crate::sm::Random;
use crate::vault::StoredEvent;

/// What an event takes of a push beside its bytes.
const HEAD: usize = 5;

/// One side of a link.
#[derive(Debug)]
pub struct Link {
    begins: bool,
    limit: usize,
    stage: Stage,
    /// New events that the other side may lack: never more than one push.
    queue: Vec<StoredEvent>,
    /// A push is on its way, of so many events.
    pushed: Option<u64>,
    need: Need,
    standing: Standing,
    total: Tally,
}

/// Whether a session must come, because this side doesn't know what the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// No.
    Nothing,
    /// Yes.
    Session,
    /// Yes, and the side that begins knows: it was asked, or the first one is still to come.
    Asked,
}

/// What is known of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing: no session has ended.
    Unknown,
    /// In the last session something that was named was not given.
    Missing,
    /// They had the same at the end of the last session.
    Compared,
    /// They have the same now, and it was said.
    Level,
}

#[derive(Debug)]
enum Stage {
    /// Between sessions.
    Idle,
    /// This side's set of events is awaited; the greeting that came, where this side answers.
    Waiting(Option<Frame>),
    /// A session.
    Session(Box<Session>),
    /// Over.
    Over,
}

impl Link {
    /// A side of a new link. The one that `begins` hands its events over by [`Link::start`] next; the other one when it is
    /// asked to ([`Act::Compare`]). A frame has at most `limit` bytes ([`LEAST_FRAME`] or more) and [`FRAME_OVERHEAD`].
    pub fn new(begins: bool, limit: usize) -> Self {
        Self {
            begins,
            limit: limit.max(LEAST_FRAME),
            stage: if begins { Stage::Waiting(None) } else { Stage::Idle },
            queue: Vec::new(),
            pushed: None,
            need: if begins { Need::Nothing } else { Need::Asked },
            standing: Standing::Unknown,
            total: Tally::default(),
        }
    }

    /// Whether both sides had the same when last heard of, with nothing on its way.
    pub const fn is_level(&self) -> bool {
        matches!(self.standing, Standing::Level)
    }

    /// Whether nothing is under way: the other side may be silent for as long as it likes. Before its first session, within
    /// one and until a push is acknowledged it has something to say.
    pub const fn is_at_rest(&self) -> bool {
        matches!(self.stage, Stage::Idle)
            && self.pushed.is_none()
            && matches!(self.need, Need::Nothing)
            && !matches!(self.standing, Standing::Unknown)
    }

    /// Whether a session is under way or about to be: this side's set of events is, or will be, in memory.
    pub const fn is_in_session(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_) | Stage::Session(_))
    }

    /// Whether the link has ended, by an error or a refusal.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// How far it is, all sessions and pushes together.
    pub fn tally(&self) -> Tally {
        match &self.stage {
            Stage::Session(session) => sum(self.total, session.tally()),
            Stage::Idle | Stage::Waiting(_) | Stage::Over => self.total,
        }
    }

    /// Begins a session, or answers the greeting that came, with the addresses of this side's events. They must have been
    /// read after [`Act::Compare`] was given (for the first session: after [`Link::new`]). Does nothing when it isn't time.
    pub fn start(
        &mut self,
        events: impl IntoIterator<Item = BlobAddress>,
        random: &mut dyn Random,
    ) -> Result<Vec<Act>, SyncError> {
        match core::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Waiting(hello) => {
                let events = order::set(events);
                self.queue.retain(|event| !events.contains(&event.address));
                let Some(hello) = hello else {
                    let (session, hello) = Session::begin(events, self.limit, random);
                    self.stage = Stage::Session(session.into());
                    return Ok(vec![Act::Send(hello)]);
                };
                let mut session = Session::answer(events, self.limit, random);
                let acts = session.frame(hello)?;
                self.stage = Stage::Session(session.into());
                Ok(acts)
            }
            other => {
                self.stage = other;
                Ok(Vec::new())
            }
        }
    }

    /// This side no longer knows what the other has: a session must come, at once or after the one under way.
    pub fn again(&mut self) -> Vec<Act> {
        self.need_session();
        self.go_on()
    }

    /// New events of this side, **stored already**; not those that came over this link. They are pushed at once when the two
    /// are level, and else as soon as they are.
    pub fn news(&mut self, events: impl IntoIterator<Item = StoredEvent>) -> Vec<Act> {
        for event in events {
            let known = matches!(&self.stage, Stage::Session(session) if session.knows(&event.address));
            if !known && !self.is_over() {
                self.queue.push(event);
            }
        }
        let size: usize = self.queue.iter().map(|event| event.bytes.len() + HEAD).sum();
        if size > self.limit {
            // More than a push: they are stored, so a session finds them.
            self.queue.clear();
            self.need_session();
        }
        self.go_on()
    }

    /// Ends the link and tells the other side why.
    pub fn refuse(&mut self, reason: Refused) -> Vec<Act> {
        if self.is_over() {
            return Vec::new();
        }
        self.end();
        vec![Act::Send(Frame::Over(reason).to_bytes())]
    }

    /// Takes the events that were to be loaded; those that are gone since may be missing.
    pub fn loaded(&mut self, events: Vec<Vec<u8>>) -> Result<Vec<Act>, SyncError> {
        self.loaded_part(events, Vec::new())
    }

    /// Takes the first of the events that were to be loaded, and names the others: see [`Session::loaded_part`].
    pub fn loaded_part(
        &mut self,
        events: Vec<Vec<u8>>,
        rest: Vec<BlobAddress>,
    ) -> Result<Vec<Act>, SyncError> {
        let Stage::Session(mut session) = core::mem::replace(&mut self.stage, Stage::Over) else {
            self.end();
            return Err(SyncError::Turn);
        };
        let acts = session.loaded_part(events, rest).inspect_err(|_| self.end())?;
        self.stage = Stage::Session(session);
        Ok(acts)
    }

    /// Takes a frame of the other side. After an error the link is over.
    pub fn take(&mut self, frame: &[u8]) -> Result<Vec<Act>, SyncError> {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        let frame = if frame.len() > self.limit + FRAME_OVERHEAD {
            Err(SyncError::Large)
        } else {
            Frame::read(frame).ok_or(SyncError::Form)
        };
        let (stage, mut acts) =
            frame.and_then(|frame| self.step(stage, frame)).inspect_err(|_| self.end())?;
        self.stage = stage;
        acts.extend(self.go_on());
        Ok(acts)
    }

    fn step(&mut self, mut stage: Stage, frame: Frame) -> Result<(Stage, Vec<Act>), SyncError> {
        let may_push = self.may_be_pushed_to(&stage);
        match (&mut stage, frame) {
            (Stage::Over, _) => Err(SyncError::Turn),
            (_, Frame::Over(reason)) => {
                self.end();
                Ok((Stage::Over, vec![Act::Refused(reason)]))
            }
            (_, Frame::Took) => {
                self.total.given += self.pushed.take().ok_or(SyncError::Turn)?;
                Ok((stage, Vec::new()))
            }
            (_, Frame::Push(events)) if may_push => self.pushed_to(stage, events),
            (Stage::Idle, Frame::Again) if self.begins => {
                self.need_session();
                Ok((stage, Vec::new()))
            }
            // A session is on its way: it finds what the other side asks for.
            (Stage::Waiting(_), Frame::Again) if self.begins => Ok((stage, Vec::new())),
            (Stage::Session(session), Frame::Again) if self.begins && session.is_greeting() => {
                Ok((stage, Vec::new()))
            }
            (Stage::Idle, hello @ Frame::Hello(_)) if !self.begins => {
                self.need = Need::Nothing;
                self.no_longer_level();
                Ok((Stage::Waiting(Some(hello)), vec![Act::Compare]))
            }
            (Stage::Session(session), frame) => {
                let acts = session.frame(frame)?;
                if !session.is_over() {
                    return Ok((stage, acts));
                }
                let tally = session.tally();
                self.total = sum(self.total, tally);
                self.standing = if tally.withheld == 0 { Standing::Compared } else { Standing::Missing };
                Ok((Stage::Idle, acts))
            }
            (Stage::Idle | Stage::Waiting(_), _) => Err(SyncError::Turn),
        }
    }

    /// Whether the other side may have sent a push, as far as it knew.
    fn may_be_pushed_to(&self, stage: &Stage) -> bool {
        let before_greeting = match stage {
            Stage::Idle => true,
            Stage::Waiting(_) => self.begins,
            Stage::Session(session) => self.begins && session.is_greeting(),
            Stage::Over => false,
        };
        before_greeting && self.standing != Standing::Unknown
    }

    fn pushed_to(
        &mut self,
        mut stage: Stage,
        events: Vec<minicbor::bytes::ByteVec>,
    ) -> Result<(Stage, Vec<Act>), SyncError> {
        if events.is_empty() {
            return Err(SyncError::Form);
        }
        if events.iter().any(|event| event.len() > MOST_EVENT) {
            return Err(SyncError::Large);
        }
        let events = stored(events.into_iter().map(Into::into).collect());
        self.total.taken += events.len() as u64;
        // Once they are stored both are level anew, and whoever runs this is told.
        self.no_longer_level();
        if let Stage::Session(session) = &mut stage {
            for event in &events {
                session.learn(event.address);
            }
        }
        Ok((stage, vec![Act::Store(events), Act::Send(Frame::Took.to_bytes())]))
    }

    /// What is next between sessions.
    fn go_on(&mut self) -> Vec<Act> {
        if !matches!(self.stage, Stage::Idle) {
            return Vec::new();
        }
        match self.need {
            Need::Nothing => {}
            Need::Asked => return Vec::new(),
            Need::Session => {
                self.no_longer_level();
                if self.begins {
                    self.need = Need::Nothing;
                    self.stage = Stage::Waiting(None);
                    return vec![Act::Compare];
                }
                self.need = Need::Asked;
                return vec![Act::Send(Frame::Again.to_bytes())];
            }
        }
        if self.pushed.is_some() {
            return Vec::new();
        }
        if !self.queue.is_empty() {
            let events = core::mem::take(&mut self.queue);
            self.pushed = Some(events.len() as u64);
            self.no_longer_level();
            let push = Frame::Push(events.into_iter().map(|event| event.bytes.into()).collect());
            return vec![Act::Send(push.to_bytes())];
        }
        if self.standing != Standing::Compared {
            return Vec::new();
        }
        self.standing = Standing::Level;
        vec![Act::Level]
    }

    fn need_session(&mut self) {
        if self.need == Need::Nothing {
            self.need = Need::Session;
        }
    }

    fn no_longer_level(&mut self) {
        if self.is_level() {
            self.standing = Standing::Compared;
        }
    }

    fn end(&mut self) {
        self.total = self.tally();
        self.stage = Stage::Over;
        self.queue.clear();
        self.no_longer_level();
    }
}

fn sum(a: Tally, b: Tally) -> Tally {
    Tally {
        given: a.given + b.given,
        taken: a.taken + b.taken,
        left: b.left,
        withheld: a.withheld + b.withheld,
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
