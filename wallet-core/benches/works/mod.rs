//! What is measured of the cryptography: the same works natively (`crypto.rs` beside) and as wasm
//! (`xtask/speed`), each with the size that the wallet uses it at.

use std::hint::black_box;
use suishen_core::{
    id::LedgerId,
    sm::{Digest, Key32, Label, PublicKey, Random, SecretKey, Signature, aead, sealed, stream},
};

/// Bytes of a signed message: a transaction's size.
pub const MESSAGE: usize = 300;
/// Bytes of a hashed or encrypted file.
pub const FILE: usize = 1 << 20;
/// Bytes of one chunk of a stream, and of a small sealed object here.
pub const CHUNK: usize = stream::CHUNK;
/// Bytes of what goes into a sealed box.
pub const BOXED: usize = 256;

const LABEL: Label = Label::new("bench");

/// One thing to do over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// SM2 signature over SM3 of a message.
    Sign,
    /// Its verification, the public key read from its bytes.
    Verify,
    /// SM3 of a file.
    Hash,
    /// SM4-GCM of one chunk, its key derived anew.
    Seal,
    /// A file into a stream of SM4-GCM chunks.
    Encrypt,
    /// And out of it.
    Decrypt,
    /// A box to a public key: an ephemeral key, key agreement, SM4-GCM.
    Box,
    /// Opens one.
    Unbox,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Sign,
        Self::Verify,
        Self::Hash,
        Self::Seal,
        Self::Encrypt,
        Self::Decrypt,
        Self::Box,
        Self::Unbox,
    ];

    /// The name under which it is reported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sign => "sm2-sign",
            Self::Verify => "sm2-verify",
            Self::Hash => "sm3-1MiB",
            Self::Seal => "sm4-gcm-64KiB",
            Self::Encrypt => "stream-encrypt-1MiB",
            Self::Decrypt => "stream-decrypt-1MiB",
            Self::Box => "box-seal",
            Self::Unbox => "box-open",
        }
    }
}

/// A generator that costs nothing and whose bytes are good for nothing else.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill_with(|| {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            self.0
        });
    }
}

/// Keys and texts for all works.
pub struct Works {
    random: Counting,
    secret: SecretKey,
    public: PublicKey,
    message: Vec<u8>,
    signature: Signature,
    key: Key32,
    file: Vec<u8>,
    stream: Vec<u8>,
    sealed: Vec<u8>,
    ledger: LedgerId,
    object: Digest,
}

impl Default for Works {
    fn default() -> Self {
        let mut random = Counting(1);
        let secret = SecretKey::generate(&mut random);
        let public = secret.public();
        let message: Vec<u8> = (0..=u8::MAX).cycle().take(MESSAGE).collect();
        let file: Vec<u8> = (0..=u8::MAX).cycle().take(FILE).collect();
        let key = Key32::generate(&mut random);
        let (ledger, object) = (LedgerId::from_bytes([1; 32]), Digest::of(b"bench"));
        Self {
            signature: secret.sign(&message),
            stream: stream::encrypt(&key, LABEL, &file, &mut random),
            sealed: sealed::seal(&public, &ledger, &object, LABEL, &file[..BOXED], &mut random),
            random,
            secret,
            public,
            message,
            key,
            file,
            ledger,
            object,
        }
    }
}

impl Works {
    /// Does it once; says whether it went well, so that nothing is measured that fails at once.
    pub fn run(&mut self, work: Work) -> bool {
        let Self { random, secret, public, message, signature, key, file, stream, sealed, ledger, object } =
            self;
        match work {
            Work::Sign => {
                black_box(secret.sign(black_box(message)));
                true
            }
            Work::Verify => public.verify(black_box(message), signature).is_ok(),
            Work::Hash => {
                black_box(Digest::of(black_box(file)));
                true
            }
            Work::Seal => {
                let sealed = aead::seal(key, LABEL, &[], black_box(&file[..CHUNK]), random);
                black_box(sealed).len() == CHUNK + aead::OVERHEAD
            }
            Work::Encrypt => {
                let stream = stream::encrypt(key, LABEL, black_box(file), random);
                black_box(stream).len() as u64 == stream::sealed_len(FILE as u64)
            }
            Work::Decrypt => stream::decrypt(key, LABEL, black_box(stream)).is_ok(),
            Work::Box => {
                let sealed = sealed::seal(public, ledger, object, LABEL, black_box(&file[..BOXED]), random);
                black_box(sealed).len() == BOXED + sealed::OVERHEAD
            }
            Work::Unbox => sealed::open(secret, ledger, object, LABEL, black_box(sealed)).is_ok(),
        }
    }
}
