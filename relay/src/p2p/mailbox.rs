//! The relay's side of a wallet's streams: the door, then the mailbox's events ([`link`]) or its content ([`content`]). The
//! rules are `suishen_core::sync`'s; what is stored is [`crate::mailbox`]'s.

mod content;
mod link;
#[cfg(test)]
mod tests;

use super::{
    arrivals::{Opened, Purpose},
    frames::Frames,
    places::{At, Inside, Places},
    turns::Turns,
};
use crate::{http::pace::Pace, mailbox::MailboxError, order::Clock, post::Post};
use futures_util::{AsyncRead, AsyncWrite};
use libp2p::PeerId;
use std::{io, sync::Arc, time::Duration};
use suishen_core::{
    id::VaultId,
    sync::{ContentError, Found, Knock, MOST_AT_DOOR, Refused, SyncError, Welcome},
};
use tokio::task::JoinSet;

/// How long a knock may take.
const AT_THE_DOOR: Duration = Duration::from_secs(15);
/// How long the work for a new mailbox may take.
const AT_WORK: Duration = Duration::from_mins(3);
/// How long a stream may say nothing when it has something to say: in the middle of a session, or before the next content
/// is asked for. A link that is level may be silent for as long as it is connected.
const SILENT: Duration = Duration::from_mins(2);

/// Sessions that the links of one vault may begin in a minute, in bursts of as many: each costs a hash an event.
const SESSIONS: u32 = 60;

/// Why a stream ended. What had been stored stays.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer has gone, or was too slow")]
    Gone,
    #[error("another stream needed its place")]
    Replaced,
    #[error("refused: {0}")]
    Refused(Refused),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// What all streams share.
struct Shared {
    turns: Turns,
    places: Arc<Places>,
    /// Sessions by vault.
    sessions: Pace<VaultId>,
    /// The relay's peer id.
    own: Vec<u8>,
    clock: Clock,
}

/// Serves the streams that peers open, until it is dropped.
pub async fn serve(post: &Post) {
    let Some(mut opened) = post.peers.opened() else { return };
    let turns = Turns::new(post.mailboxes.clone());
    let (own, clock) = (post.peers.id().to_bytes(), post.clock.clone());
    let sessions = Pace::new(SESSIONS);
    let shared = Arc::new(Shared { turns, places: Arc::default(), sessions, own, clock });
    let mut streams = JoinSet::new();
    loop {
        let opened = tokio::select! {
            opened = opened.recv() => opened,
            Some(_) = streams.join_next() => continue,
        };
        let Some(Opened { peer, purpose, stream }) = opened else { return };
        // One that is too many is closed.
        if let Some(place) = shared.places.of_peer(peer) {
            let shared = shared.clone();
            streams.spawn(async move {
                one(&shared, peer, Frames::new(stream), purpose).await;
                drop(place);
            });
        }
    }
}

async fn one<S>(shared: &Shared, peer: PeerId, frames: Frames<S>, purpose: Purpose)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match through(shared, &peer.to_bytes(), frames, purpose).await {
        Err(End::Mailbox(MailboxError::Store(error))) => tracing::error!(%error, "a mailbox"),
        Err(end) => tracing::debug!(%end, "a stream ended"),
        Ok(()) => {}
    }
}

/// A stream from the door to its end.
async fn through<S>(shared: &Shared, peer: &[u8], mut frames: Frames<S>, purpose: Purpose) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // In a box, which is gone when it is in; what stays is as small as it can be.
    let (knock, place) = Box::pin(door(shared, &mut frames, peer)).await?;
    let served = async {
        match purpose {
            Purpose::Link => link::serve(shared, &mut frames, &knock, &place).await,
            Purpose::Content => Box::pin(content::serve(shared, &mut frames, &knock)).await,
        }
    };
    tokio::select! {
        ended = served => ended,
        () = place.gone() => Err(End::Replaced),
    }
}

/// Lets a device in, or says why not.
async fn door<S>(shared: &Shared, frames: &mut Frames<S>, peer: &[u8]) -> Result<(Knock, Inside), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (knock, judged) = knock(shared, frames, peer).await?;
    let judged = match judged {
        Welcome::Unknown(bits) => {
            frames.send(&Welcome::Unknown(bits).to_bytes()).await?;
            found(shared, frames, &knock, peer).await?
        }
        judged => judged,
    };
    let refused = match judged {
        Welcome::Open(_) => {
            let device = knock.pass.first().and_then(|own| own.claimed().ok());
            let device = device.ok_or(End::Refused(Refused::Form))?.sign;
            if let Some(place) = shared.places.inside(knock.vault, device) {
                frames.send(&judged.to_bytes()).await?;
                return Ok((Arc::unwrap_or_clone(knock), place));
            }
            Refused::Busy
        }
        Welcome::Refused(refused) => refused,
        Welcome::Unknown(_) => Refused::Work,
    };
    refuse(frames, refused).await
}

async fn knock<S>(shared: &Shared, frames: &mut Frames<S>, peer: &[u8]) -> Result<(Arc<Knock>, Welcome), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = awaited(shared, At::Door, frames, AT_THE_DOOR).await?;
    let knock = match Knock::from_bytes(&frame) {
        Ok(knock) => Arc::new(knock),
        Err(refused) => return refuse(frames, refused).await,
    };
    let (asked, theirs, own, now) = (knock.clone(), peer.to_vec(), shared.own.clone(), (shared.clock)());
    let judged = shared.turns.knock(move |all| all.knock(&asked, &theirs, &own, now)).await?;
    Ok((knock, judged))
}

async fn found<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    knock: &Arc<Knock>,
    peer: &[u8],
) -> Result<Welcome, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = awaited(shared, At::Work, frames, AT_WORK).await?;
    let found = match Found::from_bytes(&frame) {
        Ok(found) => found,
        Err(refused) => return Ok(Welcome::Refused(refused)),
    };
    let (knock, theirs, own, now) = (knock.clone(), peer.to_vec(), shared.own.clone(), (shared.clock)());
    Ok(shared.turns.found(move |all| all.found(&knock, &found, (&theirs, &own), now)).await?)
}

/// The next frame of who isn't in yet, unless somebody else needs the place meanwhile.
async fn awaited<S>(shared: &Shared, at: At, frames: &mut Frames<S>, limit: Duration) -> Result<Vec<u8>, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let place = shared.places.outside(at);
    tokio::select! {
        frame = frames.next_within(MOST_AT_DOOR, limit) => frame.ok_or(End::Gone),
        () = place.gone() => Err(End::Replaced),
    }
}

async fn refuse<S, T>(frames: &mut Frames<S>, refused: Refused) -> Result<T, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    frames.send(&Welcome::Refused(refused).to_bytes()).await?;
    Err(End::Refused(refused))
}

/// Whether the device that knocked still belongs to the vault.
async fn is_in(turns: &Turns, knock: &Knock) -> Result<bool, MailboxError> {
    let (vault, pass) = (knock.vault, knock.pass.clone());
    turns.inside(vault, move |all| all.admits(&vault, &pass)).await
}
