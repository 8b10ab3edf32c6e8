//! Tiles: the entry tree cut into files that never change once full, as C2SP tlog-tiles has it.
//!
//! `tile/<L>/<N>[.p/<W>]` holds up to 256 hashes of level 8·L; `tile/entries/<N>[.p/<W>]` up to 256 entries,
//! each behind its length in two bytes, big endian. N is written in groups of three digits, all but the last
//! behind an `x`: `x001/x234/067`. A path has one spelling; every other is refused.

use super::tree::{NodeSource, TreeHash};
use crate::sm::Digest;
use core::{fmt, marker::PhantomData, str::FromStr};

/// Hashes or entries in a full tile.
pub const WIDTH: u64 = 256;
/// The longest entry that a bundle can hold, bytes.
pub const LONGEST_ENTRY: usize = u16::MAX as usize;
/// Levels of the tree in one tile.
const HEIGHT: u8 = 8;
/// Eight levels of tiles hold every 64-bit size.
const LEVELS: u8 = 8;

/// What was wrong with a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not the one spelling of a tile's path.
    #[error("not the path of a tile")]
    Path,
    /// A hash tile whose length is no multiple of 32, or is more than 256 hashes.
    #[error("a hash tile holds 1 to 256 hashes of 32 bytes")]
    Hashes,
    /// A bundle that ends within an entry, or holds more than 256.
    #[error("an entry bundle holds 1 to 256 whole entries")]
    Entries,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Hashes of tile level 0 to 7: tree level 8·L.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// A tile by its place; a width below 256 names a partial one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    kind: Kind,
    index: u64,
    width: u16,
}

impl TileId {
    /// The tile number `index` of its kind, with `width` in 1..=256.
    pub fn new(kind: Kind, index: u64, width: u16) -> Result<Self, TileError> {
        let level_fits = !matches!(kind, Kind::Hashes(level) if level >= LEVELS);
        let width_fits = (1..=WIDTH).contains(&u64::from(width));
        if level_fits && width_fits { Ok(Self { kind, index, width }) } else { Err(TileError::Path) }
    }

    /// What it holds.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its place among its kind.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes or entries, 1..=256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether a tree of `size` entries has this tile at this width at least.
    pub fn exists_at(&self, size: u64) -> bool {
        let items = match self.kind {
            Kind::Hashes(level) => size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0),
            Kind::Entries => size,
        };
        let end = u128::from(self.index) * u128::from(WIDTH) + u128::from(self.width);
        end <= u128::from(items)
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
            Kind::Entries => f.write_str("tile/entries/")?,
        }
        let digits = self.index.to_string();
        let digits = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        let last = digits.len() - 3;
        for group in (0..last).step_by(3) {
            write!(f, "x{}/", &digits[group..group + 3])?;
        }
        f.write_str(&digits[last..])?;
        if u64::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TileId {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (kind, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().map_err(|_| TileError::Path)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().map_err(|_| TileError::Path)?),
            None => (rest, 256),
        };
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let tile = Self::new(kind, digits.parse().map_err(|_| TileError::Path)?, width)?;
        // Leading zeros, missing groups, `.p/256`, signs: whatever isn't written back as it came.
        if tile.to_string() == path { Ok(tile) } else { Err(TileError::Path) }
    }
}

/// Reads a tile of hashes.
pub fn decode_hashes(bytes: &[u8]) -> Result<Vec<Digest>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.is_empty() || hashes.len() as u64 > WIDTH {
        return Err(TileError::Hashes);
    }
    Ok(hashes.iter().map(|h| Digest::from_bytes(*h)).collect())
}

/// Writes a tile of hashes.
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|h| *h.as_bytes()).collect()
}

/// Reads an entry bundle.
pub fn decode_entries(mut bytes: &[u8]) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk().ok_or(TileError::Entries)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(TileError::Entries)?;
        entries.push(entry);
        bytes = rest;
    }
    if entries.is_empty() || entries.len() as u64 > WIDTH { Err(TileError::Entries) } else { Ok(entries) }
}

/// Adds an entry to a bundle; one longer than [`LONGEST_ENTRY`] doesn't fit.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::Entries)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Where hash tiles come from: the bytes of tile `index` of a tile level, whole or as far as it has grown.
pub trait TileSource {
    /// What can go wrong in reading, a tile without the hash asked for included.
    type Error: From<TileError>;
    /// The tile's bytes.
    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Self::Error>;
}

/// Tiles as a source of tree nodes: levels between are hashed from the tile that holds them.
#[derive(Clone, Copy, Debug)]
pub struct TileNodes<'a, H, S> {
    tiles: &'a S,
    hash: PhantomData<fn() -> H>,
}

impl<'a, H, S> TileNodes<'a, H, S> {
    /// Reads nodes out of these tiles.
    pub const fn new(tiles: &'a S) -> Self {
        Self { tiles, hash: PhantomData }
    }
}

impl<H: TreeHash, S: TileSource> NodeSource for TileNodes<'_, H, S> {
    type Error = S::Error;

    fn node(&self, level: u8, index: u64) -> Result<Digest, S::Error> {
        let height = level % HEIGHT;
        let (tile, within) = (index >> (HEIGHT - height), index & ((1 << (HEIGHT - height)) - 1));
        let bytes = self.tiles.tile(level / HEIGHT, tile)?;
        let hashes = bytes.as_chunks::<32>().0;
        let first = usize::try_from(within << height).expect("an index within a tile");
        let below = hashes.get(first..first + (1 << height)).ok_or(TileError::Hashes)?;
        Ok(reduce::<H>(below))
    }
}

/// The root over a power of two of hashes.
fn reduce<H: TreeHash>(hashes: &[[u8; 32]]) -> Digest {
    match hashes {
        [one] => Digest::from_bytes(*one),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            H::node(&reduce::<H>(left), &reduce::<H>(right))
        }
    }
}

#[cfg(test)]
mod tests;
