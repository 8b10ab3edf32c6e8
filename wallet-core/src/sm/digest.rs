//! SM3 digests, always under a label, so that a digest made for one purpose never passes for another.

use core::fmt;
use sm3::Digest as _;
use sm3::digest::common::hazmat::SerializableState as _;

/// What a digest or a derived key is for. Written into the hash as `suishen/<name>` and a zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(&'static str);

impl Label {
    /// A label; `name` is ASCII without zero bytes.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The bytes that go into hash and key derivation.
    pub fn to_bytes(self) -> Vec<u8> {
        [b"suishen/", self.0.as_bytes(), &[0]].concat()
    }
}

/// A 32-byte SM3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// SM3 of raw bytes, for addresses of content and transaction ids.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sm3::Sm3::digest(bytes).into())
    }

    /// SM3(label ‖ parts). At most the last part may vary in length.
    pub fn labelled(label: Label, parts: &[&[u8]]) -> Self {
        let mut builder = DigestBuilder::new();
        builder.update(&label.to_bytes());
        for part in parts {
            builder.update(part);
        }
        builder.finish()
    }

    /// A digest that was computed before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// Reads what [`Digest::to_hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl<C> minicbor::Encode<C> for Digest {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Digest {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        crate::cbor::fixed(d).map(Self)
    }
}

/// What SM3 has come to after whole blocks of 64 bytes (its chaining value), written as a digest is. With the number of bytes so
/// far, it is all that the rest of a hash depends on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Midstate([u8; 32]);

impl Midstate {
    /// One that was computed before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Midstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Words of the other byte order: sm3 keeps its state in little-endian ones, the standard writes big-endian ones.
fn turned(words: &[u8; 32]) -> [u8; 32] {
    let mut turned = *words;
    turned.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    turned
}

/// Where the number of blocks stands in the state that sm3 gives out, after the chaining value.
const BLOCKS: core::ops::Range<usize> = 32..40;

/// SM3 over a stream.
#[derive(Clone, Default)]
pub struct DigestBuilder(sm3::Sm3);

impl DigestBuilder {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// One that goes on after `blocks` whole blocks of 64 bytes.
    pub fn after(midstate: &Midstate, blocks: u64) -> Self {
        let mut state = sm3::Sm3::new().serialize();
        state[..BLOCKS.start].copy_from_slice(&turned(&midstate.0));
        state[BLOCKS].copy_from_slice(&blocks.to_le_bytes());
        // A state with an empty buffer is always one that can be read.
        sm3::Sm3::deserialize(&state).map_or_else(|_| Self::new(), Self)
    }

    /// What it has come to; none in the middle of a block.
    pub fn midstate(&self) -> Option<Midstate> {
        let (state, empty) = (self.0.serialize(), sm3::Sm3::new().serialize());
        let words = state.first_chunk().filter(|_| state[BLOCKS.end..] == empty[BLOCKS.end..])?;
        Some(Midstate(turned(words)))
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for DigestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestBuilder")
    }
}
