//! Content of a mailbox: taken and given, one request after another.

use super::{End, SILENT, Shared, is_in};
use crate::{
    mailbox::{Held, Put, Taken, Taking},
    p2p::frames::Frames,
};
use futures_util::{AsyncRead, AsyncWrite};
use std::{ops::Range, sync::Arc, time::Duration};
use suishen_core::{
    id::{BlobAddress, VaultId},
    sync::{ContentFrame, ContentRefused, Knock, MOST_CONTENT_FRAME, Refused, Request},
};

/// How long a piece may take.
const PIECE: Duration = Duration::from_mins(1);

/// Serves a device until it goes, or asks for nothing for long.
pub(super) async fn serve<S>(shared: &Shared, frames: &mut Frames<S>, knock: &Knock) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (turns, vault) = (&shared.turns, knock.vault);
    while let Some(frame) = frames.next_within(MOST_CONTENT_FRAME, SILENT).await {
        if !is_in(turns, knock).await? {
            frames.send(&ContentFrame::Refused(ContentRefused::Device).to_bytes()).await?;
            return Err(End::Refused(Refused::Device));
        }
        match Request::read(&frame)? {
            Request::Lacks(addresses) => {
                let lacking = turns.content(vault, move |all| all.lacks(&vault, &addresses)).await?;
                frames.send(&ContentFrame::Lacking(lacking).to_bytes()).await?;
            }
            Request::Section { address, number } => section(shared, frames, (vault, address), number).await?,
            Request::Get { address, from } => give(shared, frames, (vault, address), from).await?,
            Request::Put { address, size } => {
                let now = (shared.clock)();
                let put = turns.content(vault, move |all| all.put(&vault, &address, size, now)).await?;
                let verdict = match put {
                    Put::Kept => ContentFrame::Kept,
                    Put::Refused(refused) => ContentFrame::Refused(refused),
                    Put::Taking(taking) => take(shared, frames, vault, taking).await?,
                };
                frames.send(&verdict.to_bytes()).await?;
            }
        }
    }
    Ok(())
}

/// Answers with one section, beside the outline that it is held against.
async fn section<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    (vault, address): (VaultId, BlobAddress),
    number: u32,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(held) = shared.turns.content(vault, move |all| all.get(&vault, &address)).await? else {
        return Ok(frames.send(&ContentFrame::Missing.to_bytes()).await?);
    };
    frames.send(&ContentFrame::outline(&held.outline).to_bytes()).await?;
    match held.outline.range(number) {
        Some(range) => pieces(shared, frames, vault, held, range).await,
        None => Ok(()),
    }
}

/// Answers with all of it from a byte on.
async fn give<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    (vault, address): (VaultId, BlobAddress),
    from: u64,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(held) = shared.turns.content(vault, move |all| all.get(&vault, &address)).await? else {
        return Ok(frames.send(&ContentFrame::Missing.to_bytes()).await?);
    };
    let size = held.outline.size();
    frames.send(&ContentFrame::Content(size).to_bytes()).await?;
    pieces(shared, frames, vault, held, from..size).await
}

async fn pieces<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    vault: VaultId,
    held: Held,
    range: Range<u64>,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (held, mut offset) = (Arc::new(held), range.start);
    while offset < range.end {
        let (read, end) = (held.clone(), range.end);
        let piece = shared.turns.content(vault, move |_| Ok(read.piece(offset, end)?)).await?;
        offset += piece.len() as u64;
        frames.send(&ContentFrame::piece(&piece).to_bytes()).await?;
    }
    Ok(())
}

/// Takes content in; what is to be said of it.
async fn take<S>(
    shared: &Shared,
    frames: &mut Frames<S>,
    vault: VaultId,
    mut taking: Box<Taking>,
) -> Result<ContentFrame, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    frames.send(&ContentFrame::From(taking.from()).to_bytes()).await?;
    loop {
        let piece = frames.next_within(MOST_CONTENT_FRAME, PIECE).await.ok_or(End::Gone)?;
        let taken;
        (taking, taken) = shared
            .turns
            .content(vault, move |_| {
                let taken = taking.take(&piece)?;
                Ok((taking, taken))
            })
            .await?;
        match taken? {
            Taken::More => {}
            Taken::Kept => return Ok(ContentFrame::Kept),
            Taken::Wrong => return Ok(ContentFrame::Wrong),
            Taken::Refused(refused) => return Ok(ContentFrame::Refused(refused)),
        }
    }
}
