//! Streams: files of any size in 64 KiB chunks of SM4-GCM, in constant memory (PROTOCOL §1; STREAM of
//! Hoang, Reyhanitabar, Rogaway and Vizár, 2015, as in age).
//!
//! `header (16 random bytes) ‖ chunk ‖ chunk ‖ …`, each chunk at most 64 KiB of ciphertext and a 16-byte tag,
//! under the SM4 key HKDF-SM3(K, header, "suishen/stream" ‖ object type) and the nonce 0³ ‖ counter (u64,
//! big-endian) ‖ last flag. **No two parts, retries or copies share key and nonce; the last chunk is not empty
//! unless the whole is; plaintext comes out only after its chunk's tag held.** A stream cut at a chunk's end
//! fails in [`Decryptor::finish`]: until that returned, nothing is complete.
//!
//! GCM doesn't commit to its key: whoever makes a copy signs [`key_commitment`], whoever issues a part signs
//! [`PlaintextDigest`].

use super::{Digest, DigestBuilder, Key32, Label, Random, SmError, gcm, kdf};
use core::fmt;
use zeroize::Zeroizing;

/// Plaintext bytes of every chunk but the last.
pub const CHUNK: usize = 64 * 1024;

const HEADER: usize = 16;
const SEALED_CHUNK: usize = CHUNK + gcm::TAG;

/// SM3(label ‖ K ‖ salt): says which key a copy opens with, and nothing about it.
pub fn key_commitment(key: &Key32, salt: &[u8; 16]) -> Digest {
    Digest::labelled(Label::new("key-commitment"), &[key.as_bytes(), salt])
}

/// Bytes that a plaintext of `len` bytes takes as a stream.
pub const fn sealed_len(len: u64) -> u64 {
    let chunks = if len == 0 { 1 } else { len.div_ceil(CHUNK as u64) };
    len + HEADER as u64 + chunks * gcm::TAG as u64
}

/// Encrypts a whole buffer. `object` is the type of what is inside.
pub fn encrypt(key: &Key32, object: Label, plaintext: &[u8], random: &mut dyn Random) -> Vec<u8> {
    let mut out = Vec::with_capacity(plaintext.len() + plaintext.len() / CHUNK * gcm::TAG + 64);
    let mut encryptor = Encryptor::new(key, object, random, &mut out);
    encryptor.push(plaintext, &mut out);
    encryptor.finish(&mut out);
    out
}

/// Decrypts a whole buffer; all or nothing.
pub fn decrypt(key: &Key32, object: Label, stream: &[u8]) -> Result<Zeroizing<Vec<u8>>, SmError> {
    let mut out = Zeroizing::new(Vec::with_capacity(stream.len()));
    let mut decryptor = Decryptor::new(key, object);
    decryptor.push(stream, &mut out)?;
    decryptor.finish(&mut out)?;
    Ok(out)
}

/// Encrypts piece by piece. Dropped without [`Encryptor::finish`], it leaves a stream that nobody accepts.
pub struct Encryptor {
    chunks: Chunks,
    buffer: Zeroizing<Vec<u8>>,
}

impl Encryptor {
    /// Begins a stream: draws its header and appends it to `out`.
    pub fn new(key: &Key32, object: Label, random: &mut dyn Random, out: &mut Vec<u8>) -> Self {
        let mut header = [0; HEADER];
        random.fill(&mut header);
        out.extend_from_slice(&header);
        Self {
            chunks: Chunks::new(key, object, &header),
            buffer: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK)),
        }
    }

    /// Takes plaintext and appends to `out` each chunk that is now known not to be the last.
    pub fn push(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) {
        while !plaintext.is_empty() {
            // A full buffer waits until more comes: were it the last, an empty chunk would follow it.
            if self.buffer.len() == CHUNK {
                self.seal(false, out);
            }
            let (taken, rest) = plaintext.split_at(plaintext.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(taken);
            plaintext = rest;
        }
    }

    /// Appends the last chunk.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.seal(true, out);
    }

    fn seal(&mut self, last: bool, out: &mut Vec<u8>) {
        let nonce = self.chunks.next_nonce(last);
        self.chunks.cipher.seal(&nonce, &[], &mut self.buffer);
        out.extend_from_slice(&self.buffer);
        self.buffer.clear();
    }
}

/// Decrypts piece by piece. After an error it gives nothing any more.
pub struct Decryptor {
    stage: Stage,
    buffer: Zeroizing<Vec<u8>>,
}

enum Stage {
    /// The header isn't complete or not yet used; what it will be combined with.
    Header {
        key: Key32,
        object: Label,
    },
    Chunks(Box<Chunks>),
    Refused,
}

impl Decryptor {
    /// Awaits a stream under this key whose content is of this type.
    pub fn new(key: &Key32, object: Label) -> Self {
        Self {
            stage: Stage::Header { key: key.clone(), object },
            buffer: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK)),
        }
    }

    /// Takes bytes of the stream and appends to `out` the plaintext of each chunk whose tag holds.
    pub fn push(&mut self, mut stream: &[u8], out: &mut Vec<u8>) -> Result<(), SmError> {
        while !stream.is_empty() {
            let full = match self.stage {
                Stage::Header { .. } => HEADER,
                Stage::Chunks(_) => SEALED_CHUNK,
                Stage::Refused => return Err(SmError::Open),
            };
            if self.buffer.len() == full {
                // More follows, so this is not the last chunk.
                self.step(false, out)?;
                continue;
            }
            let (taken, rest) = stream.split_at(stream.len().min(full - self.buffer.len()));
            self.buffer.extend_from_slice(taken);
            stream = rest;
        }
        Ok(())
    }

    /// Opens the last chunk and appends its plaintext. [`SmError::Open`] when the stream was cut short.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), SmError> {
        match self.stage {
            Stage::Chunks(_) => self.step(true, out),
            // Even an empty stream has one tag after its header.
            Stage::Header { .. } | Stage::Refused => Err(SmError::Open),
        }
    }

    fn step(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), SmError> {
        match core::mem::replace(&mut self.stage, Stage::Refused) {
            Stage::Header { key, object } => {
                let header = self.buffer.first_chunk().ok_or(SmError::Open)?;
                self.stage = Stage::Chunks(Box::new(Chunks::new(&key, object, header)));
            }
            Stage::Chunks(mut chunks) => {
                let first = chunks.counter == 0;
                let nonce = chunks.next_nonce(last);
                chunks.cipher.open(&nonce, &[], &mut self.buffer)?;
                if last && self.buffer.is_empty() && !first {
                    return Err(SmError::Open);
                }
                out.extend_from_slice(&self.buffer);
                self.stage = Stage::Chunks(chunks);
            }
            Stage::Refused => return Err(SmError::Open),
        }
        self.buffer.clear();
        Ok(())
    }
}

/// The cipher of one stream and the number of its next chunk.
struct Chunks {
    cipher: gcm::Cipher,
    counter: u64,
}

impl Chunks {
    fn new(key: &Key32, object: Label, header: &[u8; HEADER]) -> Self {
        let derived = kdf::derive_salted(key.as_bytes(), header, Label::new("stream"), &[&object.to_bytes()]);
        Self { cipher: gcm::Cipher::new(&derived), counter: 0 }
    }

    /// Three zero bytes, the counter in eight, the last flag in one.
    fn next_nonce(&mut self, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.counter.to_be_bytes());
        nonce[11] = u8::from(last);
        self.counter += 1;
        nonce
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryptor([redacted])")
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decryptor([redacted])")
    }
}

/// SM3(label ‖ 16-byte salt ‖ plaintext), which a manifest signs for each part, piece by piece.
///
/// The salt goes only with the whole part: without it, the digest says nothing about a guessed content.
#[derive(Clone, Debug)]
pub struct PlaintextDigest(DigestBuilder);

impl PlaintextDigest {
    /// Begins the digest of a part.
    pub fn new(salt: &[u8; 16]) -> Self {
        let mut builder = DigestBuilder::new();
        builder.update(&Label::new("plaintext").to_bytes());
        builder.update(salt);
        Self(builder)
    }

    /// Adds plaintext.
    pub fn update(&mut self, plaintext: &[u8]) {
        self.0.update(plaintext);
    }

    /// The digest of all that was added.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }

    /// The digest of a part that is in memory.
    pub fn of(salt: &[u8; 16], plaintext: &[u8]) -> Digest {
        let mut digest = Self::new(salt);
        digest.update(plaintext);
        digest.finish()
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
