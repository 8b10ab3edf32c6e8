//! Contents beside the events: what the wallet's records name is fetched where it is missing, and given where it is lacking.

use super::{Trouble, door};
use crate::engine::Engine;
use crate::peers::Stream;
use crate::store::Table;
use std::collections::BTreeSet;
use std::rc::Rc;
use suishen_bridge::peer::{Relay, Speech};
use suishen_core::id::BlobAddress;
use suishen_core::sync::{
    ContentFrame, Given, Giving, MOST_ADDRESSES, MOST_CONTENT, MOST_PIECE, Received, Receiving, Request,
    lacking,
};

/// Gives the mailbox what it lacks, and fetches what this device lacks.
pub async fn exchange(engine: &Rc<Engine>, relay: &Relay) -> Result<(), Trouble> {
    let devices = &engine.patient.devices;
    let (here, missing) = contents(engine).await?;
    let undelivered: Vec<BlobAddress> = here.difference(&devices.delivered.borrow()).copied().collect();
    if undelivered.is_empty() && missing.is_empty() {
        return Ok(());
    }
    let peers = devices.peers(engine).await?;
    let mut stream = peers.open(relay, None, Speech::Content).await?;
    door::at_mailbox(engine, &mut stream, (peers.id(), &relay.peer)).await?;
    fetch_from(engine, &mut stream, missing).await?;
    for asked in undelivered.chunks(MOST_ADDRESSES) {
        stream.send(ContentFrame::Lacks(asked.to_vec()).to_bytes()).await?;
        for address in lacking(asked, &frame(&mut stream).await?)? {
            give(engine, &mut stream, address).await?;
        }
        devices.delivered.borrow_mut().extend(asked);
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
    fetch_from(engine, &mut stream, missing).await
}

/// Gives another device of this wallet what it asks for.
pub async fn answer(engine: &Rc<Engine>, mut stream: Stream, peer: &[u8]) -> Result<(), Trouble> {
    let own = engine.patient.devices.peers(engine).await?;
    door::answer(engine, &mut stream, (own.id(), peer)).await?;
    let store = engine.store().await?;
    while let Some(frame) = stream.next().await {
        match Request::read(&frame)? {
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
    let stored: BTreeSet<String> = engine.store().await?.keys(Table::Blobs).await?.into_iter().collect();
    let mut named: Vec<(u32, BlobAddress)> = engine.patient.read(|index| {
        let parts = index.records().flat_map(|record| record.added.parts.iter());
        parts.map(|copy| (copy.part, copy.address)).collect()
    })?;
    named.sort_unstable();
    let (here, missing): (Vec<_>, Vec<_>) =
        named.into_iter().map(|(_, address)| address).partition(|address| stored.contains(&address.to_hex()));
    Ok((here.into_iter().collect(), missing))
}

async fn fetch_from(engine: &Engine, stream: &mut Stream, missing: Vec<BlobAddress>) -> Result<(), Trouble> {
    let store = engine.store().await?;
    for address in missing {
        stream.send(ContentFrame::Get(address, 0).to_bytes()).await?;
        if let Some(bytes) = receive(stream, Receiving::get(address, MOST_CONTENT)).await? {
            store.put(Table::Blobs, &address.to_hex(), bytes).await?;
            super::Session::tell_all();
        }
    }
    Ok(())
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

async fn give(engine: &Engine, stream: &mut Stream, address: BlobAddress) -> Result<(), Trouble> {
    let Some(bytes) = engine.store().await?.get(Table::Blobs, &address.to_hex()).await? else {
        return Ok(());
    };
    let (mut giving, offer) = Giving::new(address, bytes.len() as u64);
    stream.send(offer).await?;
    loop {
        match giving.take(&frame(stream).await?)? {
            Given::From(offset) => send_from(stream, &bytes, offset).await?,
            // One that is damaged here says so where it is opened.
            Given::Kept | Given::Wrong => return Ok(()),
            Given::Refused(refused) => return Err(refused.into()),
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
    for piece in bytes.get(from..).unwrap_or_default().chunks(MOST_PIECE) {
        stream.send(ContentFrame::piece(piece).to_bytes()).await?;
    }
    Ok(())
}

async fn frame(stream: &mut Stream) -> Result<Vec<u8>, Trouble> {
    stream.next().await.ok_or(Trouble::Away)
}
