//! What a stream may do and for how long. Time is the tests' own: it goes on only when everybody waits.

use super::*;
use crate::{
    mailbox::{MailboxLimits, Mailboxes},
    random::SystemRandom,
};
use std::collections::VecDeque;
use suishen_core::{
    id::{BlobAddress, LedgerId},
    sync::{Act, ContentFrame, FRAME_OVERHEAD, LINK_FRAME, Link, MOST_CONTENT_FRAME},
    vault::{StoredEvent, Vault},
};
use tokio::{io::DuplexStream, task::JoinHandle, time::Instant};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

const LEDGER: LedgerId = LedgerId::from_bytes([7; 32]);
const PEER: &[u8] = b"the wallet's peer id";
const OWN: &[u8] = b"the relay's peer id";
const LIMITS: MailboxLimits = MailboxLimits {
    events: 8 << 20,
    content: 8 << 20,
    largest: 1 << 20,
    room: 64 << 20,
    keep: 1 << 40,
    bits: 0,
};
/// What is on its way between the two.
const PIPE: usize = 4 << 10;

/// A relay's side of streams, without the relay.
struct Side {
    _folder: tempfile::TempDir,
    mailboxes: Mailboxes,
    shared: Arc<Shared>,
}

impl Side {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Mailboxes::open(folder.path(), LEDGER, LIMITS).unwrap();
        let shared = Shared {
            turns: Turns::new(mailboxes.clone()),
            places: Arc::default(),
            sessions: Pace::new(SESSIONS),
            own: OWN.to_vec(),
            clock: Arc::new(|| 86_400),
        };
        Self { _folder: folder, mailboxes, shared: shared.into() }
    }

    /// A stream of a wallet's device, inside.
    async fn comes(&self, vault: &Vault, purpose: Purpose) -> Stream {
        let (near, far) = tokio::io::duplex(PIPE);
        let shared = self.shared.clone();
        let served = async move { through(&shared, PEER, Frames::new(near.compat()), purpose).await };
        let mut stream = Stream { frames: Frames::new(far.compat()), served: tokio::spawn(served) };
        stream.send(&Knock::of(vault, (PEER, OWN)).to_bytes()).await;
        let mut welcome = stream.welcome().await;
        if welcome == Welcome::Unknown(0) {
            stream.send(&Found { epochs: vault.epochs(), work: 0 }.to_bytes()).await;
            welcome = stream.welcome().await;
        }
        assert_eq!(welcome, Welcome::Open(None));
        stream
    }
}

/// The wallet's end.
struct Stream {
    frames: Frames<Compat<DuplexStream>>,
    served: JoinHandle<Result<(), End>>,
}

impl Stream {
    async fn send(&mut self, frame: &[u8]) {
        self.frames.send(frame).await.unwrap();
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        self.frames.next(MOST_CONTENT_FRAME.max(LINK_FRAME + FRAME_OVERHEAD)).await
    }

    async fn welcome(&mut self) -> Welcome {
        Welcome::from_bytes(&self.next().await.unwrap()).unwrap()
    }
}

/// A wallet's link.
struct Wallet {
    stream: Stream,
    link: Link,
    events: Vec<StoredEvent>,
}

impl Wallet {
    async fn at(side: &Side, vault: &Vault, events: Vec<StoredEvent>) -> Self {
        let stream = side.comes(vault, Purpose::Link).await;
        let mut wallet = Self { stream, link: Link::new(true, LINK_FRAME), events };
        let acts = wallet.starts();
        wallet.act(acts).await;
        wallet.is_level().await;
        wallet
    }

    fn starts(&mut self) -> Vec<Act> {
        let addresses: Vec<BlobAddress> = self.events.iter().map(|event| event.address).collect();
        self.link.start(addresses, &mut SystemRandom).unwrap()
    }

    async fn act(&mut self, acts: Vec<Act>) {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Send(frame) => self.stream.send(&frame).await,
                Act::Load(asked) => {
                    let found = self.events.iter().filter(|event| asked.contains(&event.address));
                    let found = found.map(|event| event.bytes.clone()).collect();
                    acts.extend(self.link.loaded(found).unwrap());
                }
                Act::Store(events) => self.events.extend(events),
                Act::Compare => {
                    let more = self.starts();
                    acts.extend(more);
                }
                Act::Finished | Act::Level | Act::Refused(_) => {}
            }
        }
    }

    async fn is_level(&mut self) {
        while !self.link.is_level() {
            let frame = self.stream.next().await.expect("the link is open");
            let acts = self.link.take(&frame).unwrap();
            self.act(acts).await;
        }
    }
}

fn wallet() -> (Vault, Vec<StoredEvent>) {
    Vault::create(LEDGER, "phone", 1, &mut SystemRandom)
}

fn opaque(n: u8, size: usize) -> StoredEvent {
    StoredEvent::from_bytes([vec![0x82, n], vec![n; size]].concat())
}

#[tokio::test(start_paused = true)]
async fn a_level_link_may_be_silent_for_days_and_one_in_a_session_for_minutes() {
    let (side, (vault, events)) = (Side::new(), wallet());
    let mut phone = Wallet::at(&side, &vault, events).await;
    tokio::time::sleep(Duration::from_hours(48)).await;
    let new = opaque(1, 100);
    phone.events.push(new.clone());
    let acts = phone.link.news([new.clone()]);
    phone.act(acts).await;
    phone.is_level().await;
    assert!(side.mailboxes.addresses(vault.id()).unwrap().contains(&new.address));
    // It begins a session and says no more.
    let acts = phone.link.again();
    phone.act(acts).await;
    let silent = Instant::now();
    while phone.stream.next().await.is_some() {}
    let ended = silent.elapsed();
    assert!((SILENT..2 * SILENT).contains(&ended), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn malicious_device_that_never_begins_a_session_does_not_keep_its_place_by_others_news() {
    let (side, (vault, events)) = (Side::new(), wallet());
    let mut phone = Wallet::at(&side, &vault, events).await;
    let begun = Instant::now();
    let mut idle = side.comes(&vault, Purpose::Link).await;
    let mut silent = tokio::spawn(async move { while idle.next().await.is_some() {} });
    for n in 0..u8::MAX {
        tokio::select! {
            ended = &mut silent => {
                ended.unwrap();
                assert!((SILENT..2 * SILENT).contains(&begun.elapsed()));
                return;
            }
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
        let new = opaque(n, 100);
        phone.events.push(new.clone());
        let acts = phone.link.news([new]);
        phone.act(acts).await;
        phone.is_level().await;
    }
    panic!("it is still there");
}

#[tokio::test(start_paused = true)]
async fn malicious_content_streams_that_ask_for_nothing_or_take_nothing_end() {
    let (side, (vault, events)) = (Side::new(), wallet());
    Wallet::at(&side, &vault, events).await;
    let begun = Instant::now();
    let mut idle = side.comes(&vault, Purpose::Content).await;
    assert_eq!(idle.next().await, None);
    assert!((SILENT..2 * SILENT).contains(&begun.elapsed()));

    let content = vec![5; 100 << 10];
    let address = BlobAddress::of(&content);
    let mut giving = side.comes(&vault, Purpose::Content).await;
    giving.send(&ContentFrame::Put(address, content.len() as u64).to_bytes()).await;
    giving.next().await.unwrap();
    for piece in content.chunks(60_000) {
        giving.send(&ContentFrame::piece(piece).to_bytes()).await;
    }
    assert_eq!(giving.next().await, Some(ContentFrame::Kept.to_bytes()));
    giving.send(&ContentFrame::Get(address, 0).to_bytes()).await;
    let ended = giving.served.await.unwrap();
    assert!(matches!(ended, Err(End::Gone)), "it reads nothing: {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_device_gets_far_more_than_is_loaded_at_a_time() {
    let (side, (vault, mut events)) = (Side::new(), wallet());
    Wallet::at(&side, &vault, events.clone()).await;
    let large: Vec<_> = (0..40).map(|n| opaque(n, 100_000)).collect();
    side.mailboxes.store(vault.id(), large.clone()).unwrap();
    events.extend(large);
    let mut all: Vec<_> = events.iter().map(|event| event.address).collect();
    all.sort_unstable();
    let new = Wallet::at(&side, &vault, Vec::new()).await;
    let mut came: Vec<_> = new.events.iter().map(|event| event.address).collect();
    came.sort_unstable();
    assert_eq!(came, all);
}

#[tokio::test(start_paused = true)]
async fn malicious_device_that_opens_stream_after_stream_loses_its_own_oldest() {
    let (side, (vault, events)) = (Side::new(), wallet());
    let phone = Wallet::at(&side, &vault, events).await;
    let mut more = Vec::new();
    for _ in 0..4 {
        more.push(side.comes(&vault, Purpose::Content).await);
    }
    let ended = phone.stream.served.await.unwrap();
    assert!(matches!(ended, Err(End::Replaced)), "{ended:?}");
    let stays = more.last_mut().unwrap();
    stays.send(&ContentFrame::Lacks(Vec::new()).to_bytes()).await;
    assert_eq!(stays.next().await, Some(ContentFrame::Lacking(Vec::new()).to_bytes()));
}
