//! Those who do harm, each over and over.

use super::client::{Peer, Target, Wallet};
use super::dialing::Dialing;
use anyhow::{Result, bail, ensure};
use futures_util::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, FutureExt as _, future::BoxFuture,
};
use libp2p::{
    Transport as _,
    core::{
        Endpoint,
        muxing::StreamMuxerBox,
        transport::{DialOpts, PortUse},
        upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo, Version},
    },
    identity::Keypair,
    noise,
};
use std::{
    io, iter,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use suishen_core::{
    id::BlobAddress,
    sync::{CONTENT_PROTOCOL, ContentFrame, Given, Giving, MOST_PIECE},
};
use tokio::time::sleep;

/// Events of a wallet that compares again and again.
const EVENTS: u64 = 100;
/// Content that nobody reads, in bytes.
const CONTENT: usize = 1 << 20;
/// How long one who was thrown out waits.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a reservation, or an answer that isn't read, is held.
const HELD: Duration = Duration::from_secs(10);

/// What all have done.
static DEEDS: AtomicU64 = AtomicU64::new(0);

fn done() {
    DEEDS.fetch_add(1, Relaxed);
}

/// How much harm was done, each deed to its end.
pub fn deeds() -> u64 {
    DEEDS.load(Relaxed)
}

/// What somebody does.
#[derive(Clone, Copy, Debug)]
pub enum Harm {
    /// A yamux stream that begins with a frame of four gibibytes.
    OversizedSyn,
    /// Asks for content and reads nothing.
    SlowReader,
    /// Takes reservations by ever new peers.
    Reservations,
    /// Compares as somebody who has nothing, again and again.
    Comparisons,
}

impl Harm {
    pub const ALL: [Self; 4] = [Self::OversizedSyn, Self::SlowReader, Self::Reservations, Self::Comparisons];

    /// Comes in. What it gives does harm until it is dropped.
    pub async fn comes(self, target: Target) -> Result<BoxFuture<'static, Result<()>>> {
        Ok(match self {
            Self::OversizedSyn => again(move || oversized(target)).boxed(),
            Self::Reservations => again(move || reserves(target)).boxed(),
            Self::SlowReader => {
                let mut wallet = Wallet::new(target, 0).await?;
                let address = gives(&mut wallet).await?;
                async move {
                    loop {
                        reads_nothing(&mut wallet, address).await?;
                        done();
                    }
                }
                .boxed()
            }
            Self::Comparisons => {
                let mut wallet = Wallet::new(target, EVENTS).await?;
                async move {
                    loop {
                        wallet.forgets().await?;
                        done();
                    }
                }
                .boxed()
            }
        })
    }
}

/// Comes back after each time, however it ended.
async fn again<F: Future<Output = Result<()>>>(harm: impl Fn() -> F) -> Result<()> {
    loop {
        let _ = harm().await;
        done();
        sleep(PAUSE).await;
    }
}

async fn reserves(target: Target) -> Result<()> {
    let peer = Peer::at(target, true).await?;
    sleep(HELD).await;
    drop(peer);
    Ok(())
}

/// Puts content into the mailbox.
async fn gives(wallet: &mut Wallet) -> Result<BlobAddress> {
    let content = vec![7; CONTENT];
    let address = BlobAddress::of(&content);
    let mut frames = wallet.peer.opens(&wallet.vault, CONTENT_PROTOCOL).await?;
    let (mut giving, offer) = Giving::new(address, content.len() as u64);
    frames.send(&offer).await?;
    ensure!(giving.take(&frames.next().await?)? == Given::From(0), "the content was there");
    for piece in content.chunks(MOST_PIECE) {
        frames.send(&ContentFrame::piece(piece).to_bytes()).await?;
    }
    match giving.take(&frames.next().await?)? {
        Given::Kept => Ok(address),
        other => bail!("the content was not taken: {other:?}"),
    }
}

/// Asks for it on as many streams as it has, and reads none of them.
async fn reads_nothing(wallet: &mut Wallet, address: BlobAddress) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut frames = wallet.peer.opens(&wallet.vault, CONTENT_PROTOCOL).await?;
        frames.send(&ContentFrame::Get(address, 0).to_bytes()).await?;
        held.push(frames);
    }
    sleep(HELD).await;
    Ok(())
}

async fn oversized(target: Target) -> Result<()> {
    let noise = noise::Config::new(&Keypair::generate_ed25519())?;
    let mut transport = Dialing.upgrade(Version::V1).authenticate(noise).multiplex(Oversized).boxed();
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
    let ended = transport.dial(target.address(), options)?.await;
    ensure!(ended.is_err(), "nothing is muxed");
    Ok(())
}

/// Speaks yamux, for one frame.
#[derive(Clone, Copy)]
struct Oversized;

impl UpgradeInfo for Oversized {
    type Info = &'static str;
    type InfoIter = iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin + Send + 'static> OutboundConnectionUpgrade<C> for Oversized {
    type Output = StreamMuxerBox;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<StreamMuxerBox>>;

    fn upgrade_outbound(self, mut socket: C, _: Self::Info) -> Self::Future {
        async move {
            // Version, data, SYN, stream 1, the greatest length.
            let head = [0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
            socket.write_all(&head).await?;
            // As much of it as the relay takes.
            let _ = socket.write_all(&vec![0; 64 << 10]).await;
            let _ = socket.flush().await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        .boxed()
    }
}

impl<C: Send + 'static> InboundConnectionUpgrade<C> for Oversized {
    type Output = StreamMuxerBox;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<StreamMuxerBox>>;

    fn upgrade_inbound(self, _: C, _: Self::Info) -> Self::Future {
        async { Err(io::ErrorKind::Unsupported.into()) }.boxed()
    }
}
