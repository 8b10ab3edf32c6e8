//! SM3 digests, always under a label, so that a digest made for one purpose never passes for another.

use core::fmt;
use sm3::Digest as _;

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
