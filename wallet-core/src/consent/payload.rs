//! A grant's payload: what the desk learns from the patient's half alone (list, digests, salts, no values), and the
//! keys that open the rest once the gates have released theirs (PROTOCOL §1, §3, §6).

use super::AuditorOpening;
use crate::cbor;
use crate::contract::TagProof;
use crate::id::{BlobAddress, Commitment, GrantId, HolderId};
use crate::identity::Chain;
use crate::proof::log::ProvenValue;
use crate::report::{GroupOpening, Manifest, PartCopy, Salt16};
use crate::sm::{Digest, Key32, Label, Object, Random, Signed, SmError, aead, kdf, pad, stream};
use zeroize::Zeroizing;

const PAYLOAD: Label = Label::new("payload");
const RECORD_KEY: Label = Label::new("record-key");
const WRAP: Label = Label::new("part-key");
const GROUPS: Label = Label::new("record-groups");
const RECORDS: Label = Label::new("grant-records");
const CONSENT: Label = Label::new("consent");

/// What the patient agreed to, as it stood on the screen.
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Consent {
    /// HL7 v3 `PurposeOfUse` code.
    #[n(0)]
    pub purpose: String,
    /// BCP 47 language of the text.
    #[n(1)]
    pub language: String,
    /// The text: who, why, what, how long, how to take it back.
    #[n(2)]
    pub text: String,
}

/// The text names who may see what.
impl core::fmt::Debug for Consent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Consent([redacted] for {} in {})", self.purpose, self.language)
    }
}

impl Consent {
    /// What the holder's authority signs.
    pub fn digest(&self) -> Digest {
        Digest::labelled(CONSENT, &[&cbor::encode(self)])
    }
}

/// The holder's word that these records go into this grant with this consent.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct GrantBinding {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// The records in order.
    #[n(1)]
    pub records: Vec<Commitment>,
    /// [`Consent::digest`].
    #[n(2)]
    pub consent: Digest,
    /// Over the records as they stand in the payload: addresses, key commitments and all ([`GrantBinding::content_of`]).
    #[n(3)]
    pub content: Digest,
}

impl GrantBinding {
    /// SM3(label ‖ CBOR of the payload's records): the copies that a grantee opens are the holder's word as well.
    pub fn content_of(records: &Vec<PayloadRecord>) -> Digest {
        Digest::labelled(RECORDS, &[&cbor::encode(records)])
    }
}

impl Object for GrantBinding {
    const NAME: &'static str = "grant-binding";
}

/// That the one who shares is the one to whom the hospital gave it, provable without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct HolderProof {
    /// The holder.
    #[n(0)]
    pub holder: HolderId,
    /// A checkpoint at most ten minutes older than the grant.
    #[n(1)]
    pub checkpoint: String,
    /// Under its map root: the holder's leaf.
    #[n(2)]
    pub leaf: ProvenValue,
    /// Under the same root: each record's anchor, in order.
    #[n(3)]
    pub anchors: Vec<ProvenValue>,
}

/// A part of a record, readable under the record key.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct WrappedPart {
    /// The part's number in the manifest.
    #[n(0)]
    pub part: u32,
    /// Its ciphertext.
    #[n(1)]
    pub address: BlobAddress,
    /// SM3(label ‖ K ‖ salt): GCM alone doesn't commit to its key.
    #[n(2)]
    pub key_commitment: Digest,
    /// K and the plaintext digest's salt, sealed under the record key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// Bytes of ciphertext.
    #[n(4)]
    pub size: u64,
}

/// The groups that are shown of a record, readable under the record key.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct WrappedGroups {
    /// Their ciphertext.
    #[n(0)]
    pub address: BlobAddress,
    /// SM3(label ‖ K ‖ salt).
    #[n(1)]
    pub key_commitment: Digest,
    /// K and that salt, sealed under the record key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
    /// Bytes of ciphertext.
    #[n(3)]
    pub size: u64,
}

/// What is shown of a record that isn't shown whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Disclosure {
    /// The groups that are opened.
    #[cbor(n(0), decode_with = "crate::report::decode_openings")]
    pub groups: Vec<GroupOpening>,
    /// In a claim: the word of the tag among them that this grant may settle it.
    #[n(1)]
    pub proof: Option<Signed<TagProof>>,
}

/// A fresh blob with the groups that are shown of a record in one grant: no two grants' look alike.
#[derive(Clone, Debug)]
pub struct ShownGroups {
    key: PartKey,
    address: BlobAddress,
    size: u64,
    blob: Vec<u8>,
}

impl ShownGroups {
    /// Encrypts what is shown, padded, under a fresh key.
    pub fn seal(shown: &Disclosure, random: &mut dyn Random) -> Self {
        let key = PartKey { key: Key32::generate(random), salt: Salt16::generate(random) };
        let text = pad::pad(&Zeroizing::new(cbor::encode(shown)));
        let blob = stream::encrypt(&key.key, GROUPS, &text, random);
        Self { key, address: BlobAddress::of(&blob), size: blob.len() as u64, blob }
    }

    /// Where its ciphertext lies.
    pub const fn address(&self) -> BlobAddress {
        self.address
    }

    /// The ciphertext, to be stored and uploaded before the grant's deposits name it.
    pub fn into_blob(self) -> Vec<u8> {
        self.blob
    }
}

/// One record of a payload.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PayloadRecord {
    /// Its number, from 0.
    #[n(0)]
    pub number: u32,
    /// The issuer's signed manifest.
    #[n(1)]
    pub manifest: Signed<Manifest>,
    /// Opens the report's commitment.
    #[n(2)]
    pub salt: Salt,
    /// Open the holder commitment, outer salt first: one for a ticket, two for a known patient.
    #[n(3)]
    pub holder_salts: Vec<Salt>,
    /// The parts shared.
    #[n(4)]
    pub parts: Vec<WrappedPart>,
    /// The groups opened where the FHIR part isn't shared whole. **They are values**, so they lie in a blob of their
    /// own, whose key is under the record key like a part's: the patient's half alone doesn't open them.
    #[n(5)]
    pub groups: Option<WrappedGroups>,
    /// The issuer's certificates.
    #[n(6)]
    pub chain: Chain,
}

/// A 32-byte salt. Who has it can try what a commitment holds.
#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Salt(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl core::fmt::Debug for Salt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Salt([redacted])")
    }
}

/// All that a desk needs to judge and then open a grant.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Payload {
    /// The records in order.
    #[n(0)]
    pub records: Vec<PayloadRecord>,
    /// What the patient agreed to.
    #[n(1)]
    pub consent: Consent,
    /// Whose records they are.
    #[n(2)]
    pub holder: HolderProof,
    /// Signed by the holder's authority key.
    #[n(3)]
    pub binding: Signed<GrantBinding>,
    /// Makes the auditor's box again.
    #[n(4)]
    pub auditor: AuditorOpening,
}

impl Payload {
    /// Encrypts the payload, padded, for whoever is handed the patient's half.
    pub fn seal(&self, half: &Key32, grant: &GrantId, random: &mut dyn Random) -> Vec<u8> {
        let text = pad::pad(&Zeroizing::new(cbor::encode(self)));
        stream::encrypt(&half.derive(PAYLOAD, &[grant.as_bytes()]), PAYLOAD, &text, random)
    }

    /// Reads a payload. Nothing is verified but that it is whole and made under this half for this grant.
    pub fn open(half: &Key32, grant: &GrantId, sealed: &[u8]) -> Result<Self, SmError> {
        let padded = stream::decrypt(&half.derive(PAYLOAD, &[grant.as_bytes()]), PAYLOAD, sealed)?;
        cbor::decode(pad::unpad(&padded)?).map_err(|_| SmError::Form)
    }
}

/// The key of one record under one grant: patient's half and gate half together, neither alone.
#[derive(Clone, Debug)]
pub struct RecordKey(Key32);

/// K of a part's blob, and the salt of its plaintext digest.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct PartKey {
    /// The stream's key.
    #[n(0)]
    pub key: Key32,
    /// Goes only with the whole part.
    #[n(1)]
    pub salt: Salt16,
}

impl RecordKey {
    /// HKDF-SM3(patient's half ‖ gate half, label ‖ grant ‖ record).
    pub fn new(patient: &Key32, gate: &Key32, grant: &GrantId, record: u32) -> Self {
        let both = Zeroizing::new([*patient.as_bytes(), *gate.as_bytes()].concat());
        Self(Key32::from_bytes(*kdf::derive(&both, RECORD_KEY, &[grant.as_bytes(), &record.to_be_bytes()])))
    }

    /// Wraps a part's key.
    pub fn wrap(&self, part: u32, key: &PartKey, random: &mut dyn Random) -> Vec<u8> {
        aead::seal(&self.0, WRAP, &part.to_be_bytes(), &Zeroizing::new(cbor::encode(key)), random)
    }

    /// Names the blob that [`ShownGroups::seal`] made, its key wrapped.
    pub fn wrap_groups(&self, groups: &ShownGroups, random: &mut dyn Random) -> WrappedGroups {
        let ShownGroups { key, address, size, .. } = groups;
        WrappedGroups {
            address: *address,
            key_commitment: stream::key_commitment(&key.key, key.salt.as_bytes()),
            wrapped: aead::seal(&self.0, GROUPS, &[], &Zeroizing::new(cbor::encode(key)), random),
            size: *size,
        }
    }

    /// Opens the groups of a record, from its blob. Whether the hospital signed them, [`Manifest::open_groups`] says.
    pub fn open_groups(&self, wrapped: &WrappedGroups, blob: &[u8]) -> Result<Disclosure, SmError> {
        let plain = aead::open(&self.0, GROUPS, &[], &wrapped.wrapped)?;
        let PartKey { key, salt } = cbor::decode(&plain).map_err(|_| SmError::Form)?;
        let committed = stream::key_commitment(&key, salt.as_bytes()) == wrapped.key_commitment;
        if !committed || BlobAddress::of(blob) != wrapped.address {
            return Err(SmError::Open);
        }
        let padded = stream::decrypt(&key, GROUPS, blob)?;
        cbor::decode(pad::unpad(&padded)?).map_err(|_| SmError::Form)
    }

    /// Opens a part's key and checks that the ciphertext is committed to it.
    pub fn open(&self, wrapped: &WrappedPart) -> Result<PartCopy, SmError> {
        let plain = aead::open(&self.0, WRAP, &wrapped.part.to_be_bytes(), &wrapped.wrapped)?;
        let PartKey { key, salt } = cbor::decode(&plain).map_err(|_| SmError::Form)?;
        if stream::key_commitment(&key, salt.as_bytes()) != wrapped.key_commitment {
            return Err(SmError::Open);
        }
        let WrappedPart { part, address, key_commitment, .. } = *wrapped;
        Ok(PartCopy { part, address, key, key_commitment, salt })
    }
}
