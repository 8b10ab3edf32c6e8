//! The backup file: everything of a vault in one file that only its recovery phrase opens (PROTOCOL §3).
//!
//! `"SUISHEN BACKUP" ‖ version (u16) ‖ length (u32) ‖ header ‖ stream`. The header is CBOR {0: ledger id, 1: hint
//! at the recovery key, 2: the file's key, sealed to it}; it names neither vault nor holder. The stream
//! (64 KiB chunks, the last one flagged) holds frames `kind (u8) ‖ length (u64) ‖ bytes`: epochs, then events,
//! then blobs by address, then an end with their numbers. Blobs pass through in pieces: a file of any size
//! takes constant memory.
//!
//! **Nothing counts before [`BackupReader::finish`]**: a file that was cut short is no backup.

use super::stored::Locked;
use super::{Epoch, StoredEvent};
use crate::cbor;
use crate::id::{BlobAddress, LedgerId};
use crate::identity::Entropy;
use crate::sm::{Digest, DigestBuilder, Key32, Label, PublicKey, Random, SecretKey, Signed, sealed, stream};
use core::fmt;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const MAGIC: &[u8; 14] = b"SUISHEN BACKUP";
const VERSION: u16 = 1;
const BACKUP: Label = Label::new("backup");
/// No header comes near it.
const LONGEST_HEADER: usize = 1024;
/// Epochs or one event; blobs may be longer.
const LONGEST_FRAME: u64 = 16 * 1024 * 1024;

const EPOCHS: u8 = 0;
const EVENT: u8 = 1;
const BLOB: u8 = 2;
const END: u8 = 255;

/// Why a file gives no wallet back, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Another kind of file.
    #[error("this is not a backup of a health wallet: choose the file whose name ends in .suishen")]
    NotABackup,
    /// Of a later release.
    #[error("this backup was written by a newer version: update the app, then restore again")]
    Newer,
    /// Another wallet's phrase.
    #[error(
        "this recovery phrase belongs to another wallet than this backup: look for the phrase written down for it"
    )]
    OtherWallet,
    /// Ends before its end.
    #[error("the backup file is incomplete: copy it again from where it was saved, or use another backup")]
    CutShort,
    /// Not what was written.
    #[error("the backup file is damaged: copy it again from where it was saved, or use another backup")]
    Damaged,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Header {
    #[n(0)]
    ledger: LedgerId,
    #[cbor(n(1), with = "minicbor::bytes")]
    hint: [u8; 8],
    #[cbor(n(2), with = "minicbor::bytes")]
    key: Vec<u8>,
}

/// What the key's box is bound to.
fn object() -> Digest {
    Digest::labelled(BACKUP, &[])
}

/// The last frame, and what a finished restore reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BackupSummary {
    /// Events.
    #[n(0)]
    pub events: u64,
    /// Blobs.
    #[n(1)]
    pub blobs: u64,
}

/// Writes a backup file: all events, then all blobs, then [`BackupWriter::finish`].
pub struct BackupWriter {
    stream: stream::Encryptor,
    summary: BackupSummary,
}

impl fmt::Debug for BackupWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupWriter({:?})", self.summary)
    }
}

impl BackupWriter {
    pub(super) fn new(
        stored: &Locked,
        recovery: &PublicKey,
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Self {
        let file_key = Key32::generate(random);
        let hint = *recovery.key_id().as_bytes();
        let key = sealed::seal(recovery, &stored.ledger, &object(), BACKUP, file_key.as_bytes(), random);
        let header = cbor::encode(&Header { ledger: stored.ledger, hint, key });
        let length = u32::try_from(header.len()).expect("a header is far below 4 GiB");
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&header);
        let stream = stream::Encryptor::new(&file_key, BACKUP, random, out);
        let mut writer = Self { stream, summary: BackupSummary::default() };
        writer.frame(EPOCHS, &cbor::encode(&stored.epochs), out);
        writer
    }

    /// Adds an event.
    pub fn event(&mut self, event: &StoredEvent, out: &mut Vec<u8>) {
        self.summary.events += 1;
        self.frame(EVENT, &event.bytes, out);
    }

    /// Begins a blob of `length` bytes; exactly these follow by [`BackupWriter::piece`].
    pub fn blob(&mut self, address: &BlobAddress, length: u64, out: &mut Vec<u8>) {
        self.summary.blobs += 1;
        self.head(BLOB, 32 + length, out);
        self.stream.push(address.as_bytes(), out);
    }

    /// Adds bytes of the blob that was begun.
    pub fn piece(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.stream.push(bytes, out);
    }

    /// Ends the file.
    pub fn finish(mut self, out: &mut Vec<u8>) -> BackupSummary {
        let summary = self.summary;
        self.frame(END, &cbor::encode(&summary), out);
        self.stream.finish(out);
        summary
    }

    fn frame(&mut self, kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
        self.head(kind, bytes.len() as u64, out);
        self.stream.push(bytes, out);
    }

    fn head(&mut self, kind: u8, length: u64, out: &mut Vec<u8>) {
        self.stream.push(&[kind], out);
        self.stream.push(&length.to_be_bytes(), out);
    }
}

/// What a backup file gives back, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// First: what [`super::Vault::restore`] takes.
    Epochs(LedgerId, Vec<Signed<Epoch>>),
    /// An event, not yet verified: [`super::Vault::load`] does.
    Event(StoredEvent),
    /// Bytes of a blob.
    Piece(BlobAddress, Vec<u8>),
    /// The blob is whole and its address right.
    Blob(BlobAddress),
}

/// Reads a backup file piece by piece.
pub struct BackupReader {
    recovery: SecretKey,
    state: State,
    summary: BackupSummary,
    ended: bool,
}

impl fmt::Debug for BackupReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackupReader({:?}, [redacted])", self.summary)
    }
}

enum State {
    /// Collecting magic and header.
    Head(Vec<u8>),
    Body(Box<Body>),
    /// After an error.
    Broken(BackupError),
}

/// Behind the header.
struct Body {
    ledger: LedgerId,
    stream: stream::Decryptor,
    frames: Frames,
}

/// Frames out of plaintext that comes in pieces.
#[derive(Default)]
struct Frames {
    buffer: Zeroizing<Vec<u8>>,
    blob: Option<(BlobAddress, u64, DigestBuilder)>,
}

impl BackupReader {
    /// Awaits a file of the wallet with this recovery secret.
    pub fn new(entropy: &Entropy) -> Self {
        let recovery = entropy.keys().encryption;
        Self { recovery, state: State::Head(Vec::new()), summary: BackupSummary::default(), ended: false }
    }

    /// Takes the next bytes of the file and gives what is whole by now.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Item>, BackupError> {
        let mut items = Vec::new();
        self.take(bytes, &mut items).inspect_err(|error| self.state = State::Broken(*error))?;
        Ok(items)
    }

    /// After the last bytes: whether the file was whole. Only now may what it gave be kept.
    pub fn finish(mut self) -> Result<(Vec<Item>, BackupSummary), BackupError> {
        let Body { ledger, stream, mut frames } =
            match core::mem::replace(&mut self.state, State::Broken(BackupError::CutShort)) {
                State::Body(body) => *body,
                State::Head(_) => return Err(BackupError::CutShort),
                State::Broken(error) => return Err(error),
            };
        let (mut text, mut items) = (Vec::new(), Vec::new());
        stream.finish(&mut text).map_err(|_| BackupError::CutShort)?;
        self.frames(&ledger, &mut frames, &text, &mut items)?;
        let empty = frames.buffer.is_empty() && frames.blob.is_none();
        if self.ended && empty { Ok((items, self.summary)) } else { Err(BackupError::CutShort) }
    }

    fn take(&mut self, bytes: &[u8], items: &mut Vec<Item>) -> Result<(), BackupError> {
        let rest = match &mut self.state {
            State::Broken(error) => return Err(*error),
            State::Body(_) => bytes.to_vec(),
            State::Head(head) => {
                head.extend_from_slice(bytes);
                let Some((header, rest)) = read_head(head)? else { return Ok(()) };
                let file_key = open_header(&header, &self.recovery)?;
                let stream = stream::Decryptor::new(&file_key, BACKUP);
                let frames = Frames::default();
                self.state = State::Body(Box::new(Body { ledger: header.ledger, stream, frames }));
                rest
            }
        };
        let State::Body(body) = &mut self.state else { return Ok(()) };
        let mut text = Vec::new();
        body.stream.push(&rest, &mut text).map_err(|_| BackupError::Damaged)?;
        let (ledger, mut taken) = (body.ledger, core::mem::take(&mut body.frames));
        let read = self.frames(&ledger, &mut taken, &text, items);
        if let State::Body(body) = &mut self.state {
            body.frames = taken;
        }
        read
    }

    fn frames(
        &mut self,
        ledger: &LedgerId,
        frames: &mut Frames,
        text: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<(), BackupError> {
        frames.buffer.extend_from_slice(text);
        let mut at = 0;
        while let Some(used) = self.frame(ledger, &mut frames.blob, &frames.buffer[at..], items)? {
            at += used;
        }
        frames.buffer.drain(..at);
        Ok(())
    }

    /// Reads one frame, or as much of a blob as is there. `None` when more bytes are needed.
    fn frame(
        &mut self,
        ledger: &LedgerId,
        blob: &mut Option<(BlobAddress, u64, DigestBuilder)>,
        bytes: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<Option<usize>, BackupError> {
        if let Some((address, left, digest)) = blob {
            let take = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            if take > 0 {
                digest.update(&bytes[..take]);
                *left -= take as u64;
                items.push(Item::Piece(*address, bytes[..take].to_vec()));
            }
            if *left > 0 {
                return Ok((take > 0).then_some(take));
            }
            if digest.clone().finish() != *address.digest() {
                return Err(BackupError::Damaged);
            }
            items.push(Item::Blob(*address));
            *blob = None;
            return Ok(Some(take));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<9>() else { return Ok(None) };
        let (kind, length) = (
            head[0],
            u64::from_be_bytes([head[1], head[2], head[3], head[4], head[5], head[6], head[7], head[8]]),
        );
        if self.ended {
            return Err(BackupError::Damaged);
        }
        if kind == BLOB {
            let left = length.checked_sub(32).ok_or(BackupError::Damaged)?;
            let Some(address) = rest.first_chunk::<32>() else { return Ok(None) };
            *blob = Some((BlobAddress::from_bytes(*address), left, DigestBuilder::new()));
            self.summary.blobs += 1;
            return Ok(Some(9 + 32));
        }
        if length > LONGEST_FRAME {
            return Err(BackupError::Damaged);
        }
        let length = usize::try_from(length).map_err(|_| BackupError::Damaged)?;
        let Some(content) = rest.get(..length) else { return Ok(None) };
        self.whole(ledger, kind, content, items)?;
        Ok(Some(9 + length))
    }

    fn whole(
        &mut self,
        ledger: &LedgerId,
        kind: u8,
        content: &[u8],
        items: &mut Vec<Item>,
    ) -> Result<(), BackupError> {
        match kind {
            EPOCHS => {
                let epochs = cbor::decode(content).map_err(|_| BackupError::Damaged)?;
                items.push(Item::Epochs(*ledger, epochs));
            }
            EVENT => {
                self.summary.events += 1;
                items.push(Item::Event(StoredEvent::from_bytes(content.to_vec())));
            }
            END => {
                let summary: BackupSummary = cbor::decode(content).map_err(|_| BackupError::Damaged)?;
                if summary != self.summary {
                    return Err(BackupError::Damaged);
                }
                self.ended = true;
            }
            _ => return Err(BackupError::Damaged),
        }
        Ok(())
    }
}

/// The header and what follows it, once it is whole.
fn read_head(head: &[u8]) -> Result<Option<(Header, Vec<u8>)>, BackupError> {
    let seen = head.len().min(MAGIC.len());
    if head[..seen] != MAGIC[..seen] {
        return Err(BackupError::NotABackup);
    }
    let Some((fixed, rest)) = head.split_first_chunk::<20>() else { return Ok(None) };
    if u16::from_be_bytes([fixed[14], fixed[15]]) != VERSION {
        return Err(BackupError::Newer);
    }
    let length = u32::from_be_bytes([fixed[16], fixed[17], fixed[18], fixed[19]]);
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST_HEADER);
    let length = length.ok_or(BackupError::Damaged)?;
    let Some((header, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let header = cbor::decode(header).map_err(|_| BackupError::Damaged)?;
    Ok(Some((header, rest.to_vec())))
}

fn open_header(header: &Header, recovery: &SecretKey) -> Result<Key32, BackupError> {
    if header.hint != *recovery.public().key_id().as_bytes() {
        return Err(BackupError::OtherWallet);
    }
    let key = sealed::open(recovery, &header.ledger, &object(), BACKUP, &header.key);
    let key = key.map_err(|_| BackupError::Damaged)?;
    let key = Zeroizing::new(<[u8; 32]>::try_from(key.as_slice()).map_err(|_| BackupError::Damaged)?);
    Ok(Key32::from_bytes(*key))
}
