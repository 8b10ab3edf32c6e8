//! Contents beside the events: what the wallet's records name is fetched where it is missing, from all copies at once, and given
//! where it is lacking.

use super::{Devices, Trouble, door};
use crate::engine::Engine;
use crate::peers::Stream;
use crate::platform::{monotonic, sleep};
use crate::store::{Change, Store, Table};
use std::collections::BTreeSet;
use std::rc::Rc;
use suishen_bridge::Fault;
use suishen_bridge::peer::{Relay, Speech};
use suishen_core::id::BlobAddress;
use suishen_core::order;
use suishen_core::sync::{
    ContentFrame, ContentRefused, Gathered, Given, Giver, Giving, MOST_ADDRESSES, MOST_PIECE, Outline,
    Received, Receiving, Request, lacking,
};

/// How long a copy may take for a piece that it was asked for, in milliseconds: then others are asked.
const PATIENCE: i32 = 60_000;
/// How often content is offered that the other side is still being sent on another stream.
const OFFERS: u32 = 10;
/// Bytes that came and aren't stored yet.
const MOST_HELD: usize = 1 << 20;
/// How often the pages are told of what came, in seconds.
const TOLD_EVERY: f64 = 1.0;

/// Gives the mailbox what it lacks, and fetches what this device lacks.
pub async fn exchange(engine: &Rc<Engine>, relay: &Relay) -> Result<(), Trouble> {
    let devices = &engine.patient.devices;
    let (here, missing) = contents(engine).await?;
    let delivered = devices.delivered.borrow().get(&relay.origin).cloned().unwrap_or_default();
    let undelivered: Vec<BlobAddress> = here.difference(&delivered).copied().collect();
    if undelivered.is_empty() && missing.is_empty() {
        return Ok(());
    }
    let peers = devices.peers(engine).await?;
    let mut stream = peers.open(relay, None, Speech::Content).await?;
    door::at_mailbox(engine, &mut stream, (peers.id(), &relay.peer)).await?;
    fetch_from(engine, &mut stream, &missing, Some(&relay.origin)).await?;
    for asked in undelivered.chunks(MOST_ADDRESSES) {
        stream.send(ContentFrame::Lacks(asked.to_vec()).to_bytes()).await?;
        for address in lacking(asked, &frame(&mut stream).await?)? {
            give(engine, &mut stream, address).await?;
        }
        devices.delivered.borrow_mut().entry(relay.origin.clone()).or_default().extend(asked);
    }
    Ok(())
}

/// Fetches from another device of this wallet what this one lacks.
pub async fn fetch(engine: &Rc<Engine>, relay: &Relay, peer: &[u8]) -> Result<(), Trouble> {
    let (_, missing) = contents(engine).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let peers = engine.patient.devices.peers(engine).await?;
    let mut stream = peers.open(relay, Some(peer), Speech::Content).await?;
    door::at_device(engine, &mut stream, (peers.id(), peer)).await?;
    fetch_from(engine, &mut stream, &missing, None).await
}

/// Gives another device of this wallet what it asks for.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let own = engine.patient.devices.peers(engine).await?;
    door::answer(engine, &mut stream, (own.id(), peer)).await?;
    let store = engine.store().await?;
    let mut shelf = None;
    while let Some(frame) = stream.next().await {
        match Request::read(&frame)? {
            Request::Section { address, number } => {
                section(store, &mut stream, &mut shelf, (address, number)).await?;
            }
            Request::Lacks(addresses) => {
                let (here, missing) = contents(engine).await?;
                let lacked = |address: &BlobAddress| !here.contains(address) && missing.contains(address);
                let addresses = addresses.into_iter().filter(lacked).collect();
                stream.send(ContentFrame::Lacking(addresses).to_bytes()).await?;
            }
            Request::Get { address, from } => send(engine, &mut stream, &address, from).await?,
            Request::Put { address, size } => {
                // Only what this wallet's records name.
                if !contents(engine).await?.1.contains(&address) {
                    stream.send(ContentFrame::Kept.to_bytes()).await?;
                    continue;
                }
                stream.send(ContentFrame::From(0).to_bytes()).await?;
                let whole = receive(&mut stream, Receiving::put(address, size)).await?;
                let verdict = if let Some(bytes) = whole {
                    store.put(Table::Blobs, &address.to_hex(), bytes).await?;
                    ContentFrame::Kept
                } else {
                    ContentFrame::Wrong
                };
                stream.send(verdict.to_bytes()).await?;
            }
        }
    }
    Ok(())
}

/// The contents that the wallet's records name: those that are here, and those that are not. What is read first comes first
/// of all that is missing.
async fn contents(engine: &Engine) -> Result<(BTreeSet<BlobAddress>, Vec<BlobAddress>), Trouble> {
    let stored = order::set(engine.store().await?.keys(Table::Blobs).await?);
    let mut named: Vec<(u32, BlobAddress)> =
        engine.patient.read(|index| index.records().flat_map(|record| record.added.beside()).collect())?;
    order::sort(&mut named);
    named.dedup();
    let (here, missing): (Vec<_>, Vec<_>) =
        named.into_iter().map(|(_, address)| address).partition(|address| stored.contains(&address.to_hex()));
    Ok((here.into_iter().collect(), missing))
}

/// Fetches what is missing from a copy, while others may be giving too. `origin` is that mailbox's.
async fn fetch_from(
    engine: &Engine,
    stream: &mut Stream,
    missing: &[BlobAddress],
    origin: Option<&str>,
) -> Result<(), Trouble> {
    let mut source = Source::join(&engine.patient.devices, missing, origin);
    let fetched = gather(engine, stream, &mut source).await;
    // What came whole before a stream broke needn't come again.
    source.store(engine).await?;
    drop(source);
    super::Session::tell_all();
    fetched
}

async fn gather(engine: &Engine, stream: &mut Stream, source: &mut Source<'_>) -> Result<(), Trouble> {
    let (gathering, giver) = (&engine.patient.devices.gathering, source.giver);
    let mut told = monotonic();
    loop {
        loop {
            let ask = gathering.borrow_mut().ask(giver);
            let Some(ask) = ask else { break };
            stream.send(ask).await?;
        }
        if !gathering.borrow().awaits(giver) {
            return Ok(());
        }
        let frame = stream.next_within(PATIENCE).await.ok_or(Trouble::Away)?;
        let gathered = gathering.borrow_mut().take(giver, &frame)?;
        if let Gathered::Whole(address, bytes) = gathered {
            source.arrived(address, bytes);
        }
        let late = monotonic() - told > TOLD_EVERY;
        if late || source.bytes > MOST_HELD {
            source.store(engine).await?;
        }
        if late {
            super::Session::tell_all();
            told = monotonic();
        }
    }
}

/// A copy that gives, and what came of it and isn't stored yet: that is written together. However it ends, and also where
/// nobody waits for its end, others are asked for what it didn't give.
struct Source<'a> {
    devices: &'a Devices,
    giver: Giver,
    origin: Option<&'a str>,
    changes: Vec<Change>,
    bytes: usize,
    /// What came and isn't known to be stored.
    unstored: Vec<BlobAddress>,
}

impl<'a> Source<'a> {
    fn join(devices: &'a Devices, missing: &[BlobAddress], origin: Option<&'a str>) -> Self {
        let mut gathering = devices.gathering.borrow_mut();
        gathering.want(missing);
        let giver = gathering.join();
        Self { devices, giver, origin, changes: Vec::new(), bytes: 0, unstored: Vec::new() }
    }

    fn arrived(&mut self, address: BlobAddress, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.changes.push(Change::Put(Table::Blobs, address.to_hex(), bytes));
        self.unstored.push(address);
    }

    async fn store(&mut self, engine: &Engine) -> Result<(), Fault> {
        self.bytes = 0;
        if !self.changes.is_empty() {
            engine.store().await?.write(std::mem::take(&mut self.changes)).await?;
            self.unstored.clear();
        }
        Ok(())
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        let mut gathering = self.devices.gathering.borrow_mut();
        for address in &self.unstored {
            gathering.lost(address);
        }
        if gathering.leave(self.giver) {
            drop(gathering);
            self.devices.call_for_contents(self.origin);
        }
    }
}

/// A content of several sections that another device is fetching: read and hashed once.
struct Shelf {
    address: BlobAddress,
    bytes: Vec<u8>,
    outline: Outline,
}

/// Answers a request for a section.
async fn section(
    store: &Store,
    stream: &mut Stream,
    shelf: &mut Option<Shelf>,
    (address, number): (BlobAddress, u32),
) -> Result<(), Trouble> {
    if shelf.as_ref().is_none_or(|held| held.address != address) {
        let Some(bytes) = store.get(Table::Blobs, &address.to_hex()).await? else {
            return Ok(stream.send(ContentFrame::Missing.to_bytes()).await?);
        };
        let outline = Outline::of(&bytes);
        if outline.sections() == 1 {
            stream.send(ContentFrame::outline(&outline).to_bytes()).await?;
            return pieces(stream, outline.cut(&bytes, number).unwrap_or_default()).await;
        }
        *shelf = Some(Shelf { address, bytes, outline });
    }
    let Some(held) = shelf else { return Ok(()) };
    stream.send(ContentFrame::outline(&held.outline).to_bytes()).await?;
    pieces(stream, held.outline.cut(&held.bytes, number).unwrap_or_default()).await
}

/// The content, once it is whole; none when the other side doesn't have it, or sent something else.
async fn receive(stream: &mut Stream, mut receiving: Receiving) -> Result<Option<Vec<u8>>, Trouble> {
    let mut bytes = Vec::new();
    loop {
        match receiving.take(&frame(stream).await?)? {
            Received::Begun(_) => {}
            Received::Piece(piece) => bytes.extend(piece),
            Received::Whole(last) => {
                bytes.extend(last);
                return Ok(Some(bytes));
            }
            Received::Wrong | Received::Missing => return Ok(None),
        }
    }
}

/// Gives content to the other side. The stream that broke in the middle of it may not be forgotten there yet: then it is
/// offered again.
async fn give(engine: &Engine, stream: &mut Stream, address: BlobAddress) -> Result<(), Trouble> {
    let Some(bytes) = engine.store().await?.get(Table::Blobs, &address.to_hex()).await? else {
        return Ok(());
    };
    for _ in 1..OFFERS {
        match offer(stream, address, &bytes).await? {
            Err(ContentRefused::Busy) => sleep(1000).await,
            given => return Ok(given?),
        }
    }
    Ok(offer(stream, address, &bytes).await??)
}

/// Offers content, and sends what the other side lacks of it; whether it takes it.
async fn offer(
    stream: &mut Stream,
    address: BlobAddress,
    bytes: &[u8],
) -> Result<Result<(), ContentRefused>, Trouble> {
    let (mut giving, offer) = Giving::new(address, bytes.len() as u64);
    stream.send(offer).await?;
    loop {
        match giving.take(&frame(stream).await?)? {
            Given::From(offset) => send_from(stream, bytes, offset).await?,
            // One that is damaged here says so where it is opened.
            Given::Kept | Given::Wrong => return Ok(Ok(())),
            Given::Refused(refused) => return Ok(Err(refused)),
        }
    }
}

/// Answers a request for content, from a byte on.
pub async fn send(
    engine: &Engine,
    stream: &mut Stream,
    address: &BlobAddress,
    from: u64,
) -> Result<(), Trouble> {
    let Some(bytes) = engine.store().await?.get(Table::Blobs, &address.to_hex()).await? else {
        return Ok(stream.send(ContentFrame::Missing.to_bytes()).await?);
    };
    stream.send(ContentFrame::Content(bytes.len() as u64).to_bytes()).await?;
    send_from(stream, &bytes, from).await
}

async fn send_from(stream: &mut Stream, bytes: &[u8], from: u64) -> Result<(), Trouble> {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    pieces(stream, bytes.get(from..).unwrap_or_default()).await
}

async fn pieces(stream: &mut Stream, bytes: &[u8]) -> Result<(), Trouble> {
    for piece in bytes.chunks(MOST_PIECE) {
        stream.send(ContentFrame::piece(piece).to_bytes()).await?;
    }
    Ok(())
}

async fn frame(stream: &mut Stream) -> Result<Vec<u8>, Trouble> {
    stream.next().await.ok_or(Trouble::Away)
}
