//! Parts: FHIR JSON, PDFs, pictures. Each is signed as SM3(label ‖ 16-byte salt ‖ plaintext) with its size,
//! and travels as a stream over its padded text (PROTOCOL §1). The salt goes only with the whole part.
//!
//! **"Verified" is what [`PartReader::finish`] returns and nothing before it.**

use super::{Manifest, ReportError, Salt16};
use crate::{
    id::BlobAddress,
    sm::{
        Digest, DigestBuilder, Key32, Label, Random,
        pad::{self, Unpadding},
        stream::{self, Decryptor, PlaintextDigest},
    },
};

/// What is inside a part's stream.
const PART: Label = Label::new("part");

/// The media type of the part that the disclosure groups are about.
pub const FHIR_MEDIA_TYPE: &str = "application/fhir+json";

/// The name of that part.
pub const FHIR_PART_NAME: &str = "report.json";

/// Where one copy of a part lies and what opens it. Signed by who made the copy.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PartCopy {
    /// Number of the part in the manifest.
    #[n(0)]
    pub part: u32,
    /// Address of the ciphertext.
    #[n(1)]
    pub address: BlobAddress,
    /// K, its content key.
    #[n(2)]
    pub key: Key32,
    /// SM3(label ‖ K ‖ salt): the ciphertext opens with this K and no other.
    #[n(3)]
    pub key_commitment: Digest,
    /// The part's salt, for the commitment above and for the manifest's digest.
    #[n(4)]
    pub salt: Salt16,
}

/// Encrypts a part that is in memory under a fresh key: the copy's entry and the bytes to upload.
///
/// For large files: [`stream::Encryptor`] with the label `part` over the text and [`pad::padding`].
pub fn seal_part(part: u32, salt: Salt16, plaintext: &[u8], random: &mut dyn Random) -> (PartCopy, Vec<u8>) {
    let key = Key32::generate(random);
    let blob = stream::encrypt(&key, PART, &pad::pad(plaintext), random);
    let key_commitment = stream::key_commitment(&key, salt.as_bytes());
    (PartCopy { part, address: BlobAddress::of(&blob), key, key_commitment, salt }, blob)
}

/// Opens and checks a part that is in memory.
pub fn open_part(manifest: &Manifest, copy: &PartCopy, blob: &[u8]) -> Result<Vec<u8>, ReportError> {
    let mut reader = PartReader::new(manifest, copy)?;
    let mut out = Vec::with_capacity(blob.len());
    reader.push(blob, &mut out)?;
    reader.finish(&mut out)?;
    Ok(out)
}

/// Opens a part piece by piece, in constant memory: address, key, last flag, size and digest.
#[derive(Debug)]
pub struct PartReader {
    part: u32,
    address: BlobAddress,
    digest: Digest,
    ciphertext: DigestBuilder,
    plaintext: PlaintextDigest,
    decryptor: Decryptor,
    padding: Unpadding,
    chunk: zeroize::Zeroizing<Vec<u8>>,
}

impl PartReader {
    /// Awaits the bytes behind `copy.address`.
    pub fn new(manifest: &Manifest, copy: &PartCopy) -> Result<Self, ReportError> {
        let entry = manifest.part(copy.part)?;
        if stream::key_commitment(&copy.key, copy.salt.as_bytes()) != copy.key_commitment {
            return Err(ReportError::WrongCopy(copy.part));
        }
        Ok(Self {
            part: copy.part,
            address: copy.address,
            digest: entry.digest,
            ciphertext: DigestBuilder::new(),
            plaintext: PlaintextDigest::new(copy.salt.as_bytes()),
            decryptor: Decryptor::new(&copy.key, PART),
            padding: Unpadding::new(entry.size),
            chunk: zeroize::Zeroizing::new(Vec::new()),
        })
    }

    /// Takes ciphertext; appends plaintext that is authentic but not yet verified as this part.
    pub fn push(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), ReportError> {
        self.ciphertext.update(ciphertext);
        self.decryptor.push(ciphertext, &mut self.chunk)?;
        self.take(out)
    }

    /// Takes the end; after this the part is verified.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), ReportError> {
        let decryptor =
            core::mem::replace(&mut self.decryptor, Decryptor::new(&Key32::from_bytes([0; 32]), PART));
        let ciphertext = core::mem::take(&mut self.ciphertext);
        if BlobAddress::from_digest(ciphertext.finish()) != self.address {
            return Err(ReportError::WrongCopy(self.part));
        }
        decryptor.finish(&mut self.chunk)?;
        self.take(out)?;
        self.padding.finish()?;
        if self.plaintext.finish() == self.digest { Ok(()) } else { Err(ReportError::PartChanged(self.part)) }
    }

    fn take(&mut self, out: &mut Vec<u8>) -> Result<(), ReportError> {
        let text = self.padding.take(&self.chunk)?;
        self.plaintext.update(text);
        out.extend_from_slice(text);
        self.chunk.clear();
        Ok(())
    }
}
