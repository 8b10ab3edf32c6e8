//! A link: keeps a device and its mailbox the same until one goes.

use super::{End, SILENT, Shared, is_in};
use crate::{
    mailbox::MailboxError,
    p2p::{
        frames::Frames,
        places::{Inside, News},
        turns::Turns,
    },
    random::SystemRandom,
};
use futures_util::{AsyncRead, AsyncWrite};
use std::{collections::VecDeque, io, sync::Arc};
use suishen_core::{
    sync::{Act, FRAME_OVERHEAD, Knock, LINK_FRAME, Link, Refused, SyncError},
    vault::StoredEvent,
};
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast::error::RecvError},
    time::{Instant, sleep, timeout_at},
};

/// The longest frame, in bytes.
const LONGEST: usize = LINK_FRAME + FRAME_OVERHEAD;

/// One link.
struct Served<'a, S> {
    shared: &'a Shared,
    turns: &'a Turns,
    place: &'a Inside,
    knock: &'a Knock,
    frames: &'a mut Frames<S>,
    /// Always there, but while somebody works with it elsewhere.
    link: Link,
    /// Its place among the vault's sessions, while it is in one.
    session: Option<OwnedSemaphorePermit>,
}

/// Serves a device until it goes, or says nothing where it has something to say.
pub(super) async fn serve<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    knock: &Knock,
    place: &Inside,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut news = place.news.subscribe();
    let link = Link::new(false, LINK_FRAME);
    let turns = &shared.turns;
    let mut served = Served { shared, turns, place, knock, frames, link, session: None };
    // Whoever was removed between the door and here was told by nobody.
    if !is_in(turns, knock).await? {
        let acts = served.link.refuse(Refused::Device);
        return served.act(acts).await;
    }
    let mut silent = None;
    loop {
        // What it owes is due from when it owed it, whatever news come meanwhile.
        silent =
            if served.link.is_at_rest() { None } else { silent.or_else(|| Some(Instant::now() + SILENT)) };
        let acts = tokio::select! {
            frame = heard(served.frames, silent) => match frame {
                Some(frame) => {
                    silent = None;
                    served.take(frame).await?
                }
                None => return Ok(()),
            },
            told = news.recv() => match told {
                Ok(News { from, .. }) if from == place.number => continue,
                Ok(News { events, .. }) => {
                    if has_epoch(&events) && !is_in(turns, knock).await? {
                        served.link.refuse(Refused::Device)
                    } else {
                        served.link.news(events.iter().cloned())
                    }
                }
                Err(RecvError::Lagged(_)) if is_in(turns, knock).await? => served.link.again(),
                Err(RecvError::Lagged(_)) => served.link.refuse(Refused::Device),
                Err(RecvError::Closed) => return Ok(()),
            },
        };
        // In a box: a link has nothing to do for most of its time.
        Box::pin(served.act(acts)).await?;
        if served.link.is_over() {
            return Ok(());
        }
    }
}

async fn heard<S>(frames: &mut Frames<S>, until: Option<Instant>) -> Option<Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match until {
        None => frames.next(LONGEST).await,
        Some(until) => timeout_at(until, frames.next(LONGEST)).await.ok().flatten(),
    }
}

fn has_epoch(events: &[StoredEvent]) -> bool {
    events.iter().any(|event| event.epoch().is_some())
}

/// What came of events that were to be stored.
enum Stored {
    /// The device isn't in any longer; nothing is stored.
    Out,
    /// These are new; whether the device is still in.
    New(Vec<StoredEvent>, bool),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Served<'_, S> {
    async fn take(&mut self, frame: Vec<u8>) -> Result<Vec<Act>, End> {
        if !self.link.is_in_session() {
            return Ok(self.link.take(&frame)?);
        }
        // In a session a frame may cost a look at each event.
        self.elsewhere(move |link| link.take(&frame)).await
    }

    /// Does something with the link in the vault's turn.
    async fn elsewhere(
        &mut self,
        work: impl FnOnce(&mut Link) -> Result<Vec<Act>, SyncError> + Send + 'static,
    ) -> Result<Vec<Act>, End> {
        let mut link = std::mem::replace(&mut self.link, Link::new(false, LINK_FRAME));
        let done = self.turns.session(self.knock.vault, move |_| {
            let acts = work(&mut link);
            Ok((link, acts))
        });
        let (link, acts) = done.await?;
        self.link = link;
        Ok(acts?)
    }

    /// Does what the link says.
    async fn act(&mut self, acts: Vec<Act>) -> Result<(), End> {
        let vault = self.knock.vault;
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => self.frames.send(&frame).await?,
                Act::Load(addresses) => {
                    let loaded = self.turns.session(vault, move |all| all.load(&vault, addresses)).await?;
                    acts.extend(self.link.loaded_part(loaded.events, loaded.rest)?);
                }
                Act::Store(events) => {
                    if let Some(instead) = self.store(events).await? {
                        acts = instead.into();
                    }
                }
                Act::Compare => acts.extend(self.compare().await?),
                Act::Finished | Act::Level | Act::Refused(_) => {}
            }
        }
        if !self.link.is_in_session() {
            self.session = None;
        }
        Ok(())
    }

    /// Begins to compare, when the vault has a session for it.
    async fn compare(&mut self) -> Result<Vec<Act>, End> {
        while let Err(wait) = self.shared.sessions.take(self.knock.vault, std::time::Instant::now()) {
            sleep(wait).await;
        }
        let session = self.place.sessions.clone().acquire_owned().await;
        self.session = Some(session.map_err(|error| MailboxError::from(io::Error::other(error)))?);
        let vault = self.knock.vault;
        let addresses = self.turns.session(vault, move |all| all.addresses(&vault)).await?;
        self.elsewhere(move |link| link.start(addresses, &mut SystemRandom)).await
    }

    /// Stores what came and tells the vault's other links; what is to be done instead of all else where it can't go on.
    async fn store(&mut self, events: Vec<StoredEvent>) -> Result<Option<Vec<Act>>, End> {
        let (vault, pass) = (self.knock.vault, self.knock.pass.clone());
        let stored = self.turns.inside(vault, move |all| {
            if !all.admits(&vault, &pass)? {
                return Ok(Stored::Out);
            }
            let new = all.store(&vault, events)?;
            let still_in = !has_epoch(&new) || all.admits(&vault, &pass)?;
            Ok(Stored::New(new, still_in))
        });
        match stored.await {
            Ok(Stored::Out) => Ok(Some(self.link.refuse(Refused::Device))),
            Ok(Stored::New(new, still_in)) => {
                if !new.is_empty() {
                    // This link listens too, so there is one who hears it.
                    let _ = self.place.news.send(News { from: self.place.number, events: Arc::new(new) });
                }
                Ok((!still_in).then(|| self.link.refuse(Refused::Device)))
            }
            Err(error) => {
                for act in self.link.refuse(error.refused()) {
                    if let Act::Send(frame) = act {
                        self.frames.send(&frame).await?;
                    }
                }
                Err(error.into())
            }
        }
    }
}
