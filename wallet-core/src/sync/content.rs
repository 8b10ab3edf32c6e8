//! Content beside the events: large ciphertext by its address, on a stream of its own (PROTOCOL §9).
//!
//! Requests are answered in their order, each in full before the next; who asks for much may ask for some ahead. Pieces go straight on from where the
//! receiving side was before, and **nothing is whole before its SM3 is its address**, whoever it came from.
//!
//! ```text
//! asks                                answers
//!   lacks(addresses)      →
//!                         ←   lacking(addresses)
//!   section(address, n)   →
//!                         ←   outline(size, midstates), piece … | missing
//!   get(address, from)    →
//!                         ←   content(size), piece … | missing
//!   put(address, size)    →
//!                         ←   from(offset) | kept | refused(why)
//!   piece …               →
//!                         ←   kept | wrong | refused(why)
//! ```

use super::section::{MOST_SECTIONS, Outline, Sections};
use crate::cbor;
use crate::id::BlobAddress;
use minicbor::{Decode, Encode, bytes::ByteVec};

/// Addresses in one question.
pub const MOST_ADDRESSES: usize = 1024;
/// The largest piece, in bytes.
pub const MOST_PIECE: usize = 64 << 10;
/// The largest content, in bytes.
pub const MOST_CONTENT: u64 = 512 << 20;
/// The largest frame on a content stream, in bytes.
pub const MOST_CONTENT_FRAME: usize = MOST_PIECE + 64;

/// Why content isn't taken. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
pub enum ContentRefused {
    /// Nothing, or larger than one content may be.
    #[n(0)]
    #[error("the attachment is larger than the other side takes")]
    Large,
    /// No room for it.
    #[n(1)]
    #[error("the other side has no room for the attachment")]
    Full,
    /// Another device is sending the same.
    #[n(2)]
    #[error("another device is sending the same attachment: try again later")]
    Busy,
    /// This device is no longer one of the vault's.
    #[n(3)]
    #[error("this device is not among the wallet's devices, or was removed")]
    Device,
}

/// Why a stream of content ended. What came before is kept, and a new one goes on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Bytes that are no frame.
    #[error("the other side sent something that is not part of an exchange of content")]
    Form,
    /// A frame where another one had to come.
    #[error("the other side sent a message out of its turn")]
    Turn,
    /// More than was asked for, or than may be sent.
    #[error("the other side sent more than may be sent")]
    Large,
}

/// One message of a content stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ContentFrame {
    /// Which of these does the other side lack?
    #[n(0)]
    Lacks(#[n(0)] Vec<BlobAddress>),
    /// These.
    #[n(1)]
    Lacking(#[n(0)] Vec<BlobAddress>),
    /// Asks for content, from this byte on.
    #[n(2)]
    Get(#[n(0)] BlobAddress, #[n(1)] u64),
    /// It has so many bytes in all; pieces follow, from where was asked.
    #[n(3)]
    Content(#[n(0)] u64),
    /// It isn't here.
    #[n(4)]
    Missing,
    /// Offers content of so many bytes.
    #[n(5)]
    Put(#[n(0)] BlobAddress, #[n(1)] u64),
    /// Send it from this byte on.
    #[n(6)]
    From(#[n(0)] u64),
    /// It isn't taken.
    #[n(7)]
    Refused(#[n(0)] ContentRefused),
    /// Bytes, in order.
    #[n(8)]
    Piece(#[n(0)] ByteVec),
    /// It is here, whole.
    #[n(9)]
    Kept,
    /// The bytes were others than the address's, and are thrown away.
    #[n(10)]
    Wrong,
    /// Asks for one section of content, by its number.
    #[n(11)]
    Section(#[n(0)] BlobAddress, #[n(1)] u32),
    /// The content's [`Outline`]; the pieces of the section that was asked for follow.
    #[n(12)]
    Outline(#[n(0)] u64, #[n(1)] ByteVec),
}

impl ContentFrame {
    /// The frame's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// An outline.
    pub fn outline(outline: &Outline) -> Self {
        Self::Outline(outline.size(), outline.midstates())
    }

    /// A piece; at most [`MOST_PIECE`] bytes of it are sent.
    pub fn piece(bytes: &[u8]) -> Self {
        Self::Piece(bytes[..bytes.len().min(MOST_PIECE)].to_vec().into())
    }

    /// Reads a frame and its bounds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        if bytes.len() > MOST_CONTENT_FRAME {
            return Err(ContentError::Large);
        }
        let frame: Self = cbor::decode(bytes).map_err(|_| ContentError::Form)?;
        match &frame {
            Self::Lacks(list) | Self::Lacking(list) if list.len() > MOST_ADDRESSES => {
                Err(ContentError::Large)
            }
            Self::Piece(piece) if piece.len() > MOST_PIECE => Err(ContentError::Large),
            Self::Piece(piece) if piece.is_empty() => Err(ContentError::Form),
            _ => Ok(frame),
        }
    }
}

/// What the answering side is asked, before which nothing else may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Answer with [`ContentFrame::Lacking`].
    Lacks(Vec<BlobAddress>),
    /// Answer with [`ContentFrame::Content`] and pieces, or [`ContentFrame::Missing`].
    Get {
        /// The content.
        address: BlobAddress,
        /// The first byte that is asked for.
        from: u64,
    },
    /// Answer with [`ContentFrame::Outline`] and the section's pieces, none where it has fewer sections, or [`ContentFrame::Missing`].
    Section {
        /// The content.
        address: BlobAddress,
        /// Which, from 0 on; fewer than [`MOST_SECTIONS`].
        number: u32,
    },
    /// Answer with [`ContentFrame::From`], and take it in by [`Receiving::put`].
    Put {
        /// The content.
        address: BlobAddress,
        /// Bytes, 1 to [`MOST_CONTENT`]; beyond it [`Request::read`] gives an error.
        size: u64,
    },
}

impl Request {
    /// Reads a frame between two requests.
    pub fn read(frame: &[u8]) -> Result<Self, ContentError> {
        match ContentFrame::from_bytes(frame)? {
            ContentFrame::Lacks(addresses) => Ok(Self::Lacks(addresses)),
            ContentFrame::Get(address, from) => Ok(Self::Get { address, from }),
            ContentFrame::Section(_, number) if number >= MOST_SECTIONS => Err(ContentError::Large),
            ContentFrame::Section(address, number) => Ok(Self::Section { address, number }),
            ContentFrame::Put(_, size) if !(1..=MOST_CONTENT).contains(&size) => Err(ContentError::Large),
            ContentFrame::Put(address, size) => Ok(Self::Put { address, size }),
            _ => Err(ContentError::Turn),
        }
    }
}

/// The addresses that the other side lacks, read out of the answer to a question after `asked`: some of these, each once.
pub fn lacking(asked: &[BlobAddress], answer: &[u8]) -> Result<Vec<BlobAddress>, ContentError> {
    let ContentFrame::Lacking(lacking) = ContentFrame::from_bytes(answer)? else {
        return Err(ContentError::Turn);
    };
    let mut rest = asked.iter();
    let in_order = lacking.iter().all(|address| rest.any(|other| other == address));
    if in_order { Ok(lacking) } else { Err(ContentError::Form) }
}

/// Content that is coming in.
#[derive(Debug)]
pub struct Receiving {
    address: BlobAddress,
    /// Bytes in all; unknown until the other side has said it.
    size: Option<u64>,
    most: u64,
    held: Sections,
    over: bool,
}

/// What a frame came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The other side has it, of so many bytes in all; pieces follow.
    Begun(u64),
    /// Append these bytes; more follow.
    Piece(Vec<u8>),
    /// Append these bytes: it is whole and true.
    Whole(Vec<u8>),
    /// Throw away all of it: these are other bytes.
    Wrong,
    /// The other side doesn't have it.
    Missing,
}

impl Receiving {
    /// What was asked for by [`ContentFrame::Get`]; at most `most` bytes of it are taken.
    pub fn get(address: BlobAddress, most: u64) -> Self {
        let held = Sections::default();
        Self { address, size: None, most: most.min(MOST_CONTENT), held, over: false }
    }

    /// What was offered by [`ContentFrame::Put`].
    pub fn put(address: BlobAddress, size: u64) -> Self {
        Self { size: Some(size), ..Self::get(address, size) }
    }

    /// Counts and hashes what is here already, before the first frame, piece by piece.
    pub fn held(&mut self, bytes: &[u8]) {
        self.held.update(bytes);
    }

    /// Bytes that are here: where the other side goes on.
    pub const fn taken(&self) -> u64 {
        self.held.taken()
    }

    /// The outline of what is here.
    pub fn outline(&self) -> Outline {
        self.held.outline()
    }

    /// Bytes in all, once they are known.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// With all bytes held and none to come: whether they are the address's.
    pub fn is_true(&self) -> bool {
        self.size == Some(self.taken()) && self.digest_holds()
    }

    /// Takes a frame. After an error, and after anything but [`Received::Begun`] and [`Received::Piece`], it is over.
    pub fn take(&mut self, frame: &[u8]) -> Result<Received, ContentError> {
        if core::mem::replace(&mut self.over, true) {
            return Err(ContentError::Turn);
        }
        let received = match (self.size, ContentFrame::from_bytes(frame)?) {
            (None, ContentFrame::Missing) => Received::Missing,
            (None, ContentFrame::Content(size)) => self.begun(size)?,
            (Some(size), ContentFrame::Piece(piece)) => self.piece(size, piece.into())?,
            _ => return Err(ContentError::Turn),
        };
        self.over = !matches!(received, Received::Begun(_) | Received::Piece(_));
        Ok(received)
    }

    fn begun(&mut self, size: u64) -> Result<Received, ContentError> {
        if size == 0 || size > self.most {
            return Err(ContentError::Large);
        }
        self.size = Some(size);
        Ok(match self.taken() {
            held if held < size => Received::Begun(size),
            held if held == size => self.judged(Vec::new()),
            _ => Received::Wrong,
        })
    }

    fn piece(&mut self, size: u64, piece: Vec<u8>) -> Result<Received, ContentError> {
        if piece.len() as u64 > size.saturating_sub(self.taken()) {
            return Err(ContentError::Large);
        }
        self.held(&piece);
        Ok(if self.taken() == size { self.judged(piece) } else { Received::Piece(piece) })
    }

    fn judged(&self, last: Vec<u8>) -> Received {
        if self.digest_holds() { Received::Whole(last) } else { Received::Wrong }
    }

    fn digest_holds(&self) -> bool {
        self.held.address() == self.address
    }
}

/// Content that is going out by [`ContentFrame::Put`].
#[derive(Debug)]
pub struct Giving {
    size: u64,
    /// The other side has said from where.
    begun: bool,
    over: bool,
}

/// What the other side says to what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Send pieces from this byte on to the end, then await the verdict.
    From(u64),
    /// It has it, whole.
    Kept,
    /// What came was something else: what is here is damaged, or what it had from before was. It has thrown it away.
    Wrong,
    /// It doesn't take it.
    Refused(ContentRefused),
}

impl Giving {
    /// Offers content of `size` bytes; and the frame that says so.
    pub fn new(address: BlobAddress, size: u64) -> (Self, Vec<u8>) {
        (Self { size, begun: false, over: false }, ContentFrame::Put(address, size).to_bytes())
    }

    /// Takes a frame: the answer to the offer, then the verdict, which may come early.
    pub fn take(&mut self, frame: &[u8]) -> Result<Given, ContentError> {
        if core::mem::replace(&mut self.over, true) {
            return Err(ContentError::Turn);
        }
        match ContentFrame::from_bytes(frame)? {
            ContentFrame::From(offset) if !self.begun && offset < self.size => {
                (self.begun, self.over) = (true, false);
                Ok(Given::From(offset))
            }
            ContentFrame::Kept => Ok(Given::Kept),
            ContentFrame::Wrong if self.begun => Ok(Given::Wrong),
            ContentFrame::Refused(reason) => Ok(Given::Refused(reason)),
            _ => Err(ContentError::Turn),
        }
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
