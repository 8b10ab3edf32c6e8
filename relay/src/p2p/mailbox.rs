//! The relay's side of a wallet's streams: the door, then the mailbox's events or its content. The rules are
//! `suishen_core::sync`'s; what is stored is [`crate::mailbox`]'s.

use super::{frames::Frames, turns::Turns};
use crate::{
    mailbox::{MailboxError, Put, Taken},
    node::Node,
    random::SystemRandom,
};
use futures_util::StreamExt as _;
use libp2p::{PeerId, Stream, StreamProtocol};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use suishen_core::{
    id::VaultId,
    sync::{
        Act, CONTENT_PROTOCOL, ContentError, ContentFrame, ContentRefused, Found, Knock, LINK_FRAME, Link,
        Refused, Request, SYNC_PROTOCOL, SyncError, Welcome,
    },
    vault::StoredEvent,
};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
};

/// How long a knock may take.
const AT_THE_DOOR: Duration = Duration::from_secs(15);
/// How long the work for a new mailbox may take.
const AT_WORK: Duration = Duration::from_mins(3);
/// How long a piece may take.
const PIECE: Duration = Duration::from_mins(1);
/// A link compares at most so often: each costs a hash an event.
const COMPARE_EVERY: Duration = Duration::from_millis(500);
/// Links that one vault may have open.
const LINKS: usize = 64;
/// Streams that may be open in all.
const STREAMS: usize = 8192;
/// News that a slow link may be behind; one that is further compares anew.
const BEHIND: usize = 64;

/// Why a stream ended. What had been stored stays.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer has gone, or was too slow")]
    Gone,
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

/// New events of a vault, and by which link they came.
#[derive(Clone)]
struct News {
    from: u64,
    events: Arc<Vec<StoredEvent>>,
}

/// The links that are open, by vault.
#[derive(Default)]
struct Links {
    vaults: BTreeMap<VaultId, broadcast::Sender<News>>,
    last: u64,
}

/// What all streams share.
struct Shared {
    node: Arc<Node>,
    turns: Turns,
    links: Mutex<Links>,
}

/// Serves the streams that peers open, until it is dropped.
pub async fn serve(node: Arc<Node>) {
    let mut control = node.peers.streams();
    let accepted = [SYNC_PROTOCOL, CONTENT_PROTOCOL].map(|name| control.accept(StreamProtocol::new(name)));
    let [Ok(mut links), Ok(mut contents)] = accepted else { return };
    let turns = Turns::new(node.mailboxes.clone());
    let shared = Arc::new(Shared { node, turns, links: Mutex::default() });
    let mut streams = JoinSet::new();
    loop {
        let (is_link, opened) = tokio::select! {
            opened = links.next() => (true, opened),
            opened = contents.next() => (false, opened),
            Some(_) = streams.join_next() => continue,
        };
        let Some((peer, stream)) = opened else { return };
        // One that is too many is closed.
        if streams.len() < STREAMS {
            streams.spawn(one(shared.clone(), peer, stream, is_link));
        }
    }
}

async fn one(shared: Arc<Shared>, peer: PeerId, stream: Stream, is_link: bool) {
    let mut frames = Frames::new(stream);
    let ended = match door(&shared, &mut frames, peer).await {
        Ok(knock) if is_link => link(&shared, &mut frames, &knock).await,
        Ok(knock) => content(&shared, &mut frames, &knock).await,
        Err(end) => Err(end),
    };
    match ended {
        Err(End::Mailbox(MailboxError::Store(error))) => tracing::error!(%error, "a mailbox"),
        Err(end) => tracing::debug!(%end, "a stream ended"),
        Ok(()) => {}
    }
}

/// Lets a device in, or says why not.
async fn door(shared: &Shared, frames: &mut Frames, peer: PeerId) -> Result<Knock, End> {
    let (node, turns) = (&shared.node, &shared.turns);
    let frame = frames.next_within(AT_THE_DOOR).await.ok_or(End::Gone)?;
    let (theirs, own) = (peer.to_bytes(), node.peers.id().to_bytes());
    let knock = match Knock::from_bytes(&frame) {
        Ok(knock) => Arc::new(knock),
        Err(refused) => return refuse(frames, refused).await,
    };
    let judged = {
        let (knock, theirs, own, now) = (knock.clone(), theirs.clone(), own.clone(), node.now());
        turns.knock(move |mailboxes| mailboxes.knock(&knock, &theirs, &own, now)).await?
    };
    frames.send(&judged.to_bytes()).await?;
    let welcome = match judged {
        Welcome::Unknown(_) => {
            let frame = frames.next_within(AT_WORK).await.ok_or(End::Gone)?;
            let found = match Found::from_bytes(&frame) {
                Ok(found) => found,
                Err(refused) => return refuse(frames, refused).await,
            };
            let (knock, now) = (knock.clone(), node.now());
            let founded =
                turns.found(move |mailboxes| mailboxes.found(&knock, &found, (&theirs, &own), now)).await?;
            frames.send(&founded.to_bytes()).await?;
            founded
        }
        judged => judged,
    };
    match welcome {
        Welcome::Open(_) => Ok(Arc::unwrap_or_clone(knock)),
        Welcome::Refused(refused) => Err(End::Refused(refused)),
        Welcome::Unknown(_) => Err(End::Refused(Refused::Work)),
    }
}

async fn refuse<T>(frames: &mut Frames, refused: Refused) -> Result<T, End> {
    frames.send(&Welcome::Refused(refused).to_bytes()).await?;
    Err(End::Refused(refused))
}

/// Keeps a device and its mailbox the same until one goes.
async fn link(shared: &Shared, frames: &mut Frames, knock: &Knock) -> Result<(), End> {
    let (turns, vault) = (&shared.turns, knock.vault);
    let joined = join(&shared.links, vault);
    let Some((own, sender, mut news)) = joined else {
        return refuse(frames, Refused::Busy).await;
    };
    // Whoever was removed between the door and here was told by nobody.
    if !is_in(turns, knock).await? {
        return refuse(frames, Refused::Device).await;
    }
    let mut link = Link::new(false, LINK_FRAME);
    let mut compared = Instant::now().checked_sub(COMPARE_EVERY).unwrap_or_else(Instant::now);
    loop {
        let mut acts: VecDeque<Act> = tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => link.take(&frame)?,
                None => return Ok(()),
            },
            told = news.recv() => match told {
                Ok(News { from, .. }) if from == own => continue,
                Ok(News { events, .. }) => {
                    if is_out(turns, knock, &events).await? {
                        link.refuse(Refused::Device)
                    } else {
                        link.news(events.iter().cloned())
                    }
                }
                Err(RecvError::Lagged(_)) if is_in(turns, knock).await? => link.again(),
                Err(RecvError::Lagged(_)) => link.refuse(Refused::Device),
                Err(RecvError::Closed) => return Ok(()),
            },
        }
        .into();
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => frames.send(&frame).await?,
                Act::Load(addresses) => {
                    let events = turns.inside(vault, move |all| all.load(&vault, &addresses)).await?;
                    acts.extend(link.loaded(events)?);
                }
                Act::Store(_) if !is_in(turns, knock).await? => {
                    acts = link.refuse(Refused::Device).into();
                }
                Act::Store(events) => match turns.inside(vault, move |all| all.store(&vault, events)).await {
                    Ok(new) if new.is_empty() => {}
                    Ok(new) => {
                        let told = News { from: own, events: Arc::new(new) };
                        let out = is_out(turns, knock, &told.events).await?;
                        // This link listens too, so there is one who hears it.
                        let _ = sender.send(told);
                        if out {
                            acts = link.refuse(Refused::Device).into();
                        }
                    }
                    Err(error) => {
                        for act in link.refuse(error.refused()) {
                            if let Act::Send(frame) = act {
                                frames.send(&frame).await?;
                            }
                        }
                        return Err(error.into());
                    }
                },
                Act::Compare => {
                    tokio::time::sleep(COMPARE_EVERY.saturating_sub(compared.elapsed())).await;
                    compared = Instant::now();
                    let events = turns.inside(vault, move |all| all.addresses(&vault)).await?;
                    acts.extend(link.start(events, &mut SystemRandom)?);
                }
                Act::Finished | Act::Level | Act::Refused(_) => {}
            }
        }
        if link.is_over() {
            return Ok(());
        }
    }
}

/// Whether these events put the device at this link out.
async fn is_out(turns: &Turns, knock: &Knock, events: &[StoredEvent]) -> Result<bool, MailboxError> {
    if events.iter().all(|event| event.epoch().is_none()) {
        return Ok(false);
    }
    Ok(!is_in(turns, knock).await?)
}

/// Whether the device at this link still belongs to the vault.
async fn is_in(turns: &Turns, knock: &Knock) -> Result<bool, MailboxError> {
    let (vault, pass) = (knock.vault, knock.pass.clone());
    turns.inside(vault, move |all| all.admits(&vault, &pass)).await
}

/// A place among the vault's links; none when there are too many.
fn join(
    links: &Mutex<Links>,
    vault: VaultId,
) -> Option<(u64, broadcast::Sender<News>, broadcast::Receiver<News>)> {
    let mut links = links.lock().unwrap_or_else(PoisonError::into_inner);
    links.vaults.retain(|_, sender| sender.receiver_count() > 0);
    links.last += 1;
    let number = links.last;
    let sender = links.vaults.entry(vault).or_insert_with(|| broadcast::channel(BEHIND).0).clone();
    let news = sender.subscribe();
    (sender.receiver_count() <= LINKS).then_some((number, sender, news))
}

/// Takes and gives content, one request after another.
async fn content(shared: &Shared, frames: &mut Frames, knock: &Knock) -> Result<(), End> {
    let (turns, vault) = (&shared.turns, knock.vault);
    while let Some(frame) = frames.next().await {
        if !is_in(turns, knock).await? {
            frames.send(&ContentFrame::Refused(ContentRefused::Device).to_bytes()).await?;
            return Err(End::Refused(Refused::Device));
        }
        match Request::read(&frame)? {
            Request::Lacks(addresses) => {
                let lacking = turns.inside(vault, move |all| all.lacks(&vault, &addresses)).await?;
                frames.send(&ContentFrame::Lacking(lacking).to_bytes()).await?;
            }
            Request::Get { address, from } => {
                let Some(held) = turns.inside(vault, move |all| all.get(&vault, &address)).await? else {
                    frames.send(&ContentFrame::Missing.to_bytes()).await?;
                    continue;
                };
                frames.send(&ContentFrame::Content(held.size).to_bytes()).await?;
                let held = Arc::new(held);
                let mut offset = from;
                while offset < held.size {
                    let read = held.clone();
                    let piece = turns.inside(vault, move |_| Ok(read.piece(offset)?)).await?;
                    if piece.is_empty() {
                        return Err(End::Gone);
                    }
                    offset += piece.len() as u64;
                    frames.send(&ContentFrame::piece(&piece).to_bytes()).await?;
                }
            }
            Request::Put { address, size } => {
                let now = shared.node.now();
                let put = turns.inside(vault, move |all| all.put(&vault, &address, size, now)).await?;
                let verdict = match put {
                    Put::Kept => ContentFrame::Kept,
                    Put::Refused(refused) => ContentFrame::Refused(refused),
                    Put::Taking(mut taking) => {
                        frames.send(&ContentFrame::From(taking.from()).to_bytes()).await?;
                        loop {
                            let piece = frames.next_within(PIECE).await.ok_or(End::Gone)?;
                            let taken;
                            (taking, taken) = turns
                                .inside(vault, move |_| {
                                    let taken = taking.take(&piece)?;
                                    Ok((taking, taken))
                                })
                                .await?;
                            match taken? {
                                Taken::More => {}
                                Taken::Kept => break ContentFrame::Kept,
                                Taken::Wrong => break ContentFrame::Wrong,
                                Taken::Refused(refused) => break ContentFrame::Refused(refused),
                            }
                        }
                    }
                };
                frames.send(&verdict.to_bytes()).await?;
            }
        }
    }
    Ok(())
}
