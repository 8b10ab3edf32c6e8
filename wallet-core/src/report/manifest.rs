//! The manifest: what an issuer signs. Parts by salted digest and size, groups by salted digest among decoys,
//! who and when, what it replaces. Titles, names and numbers are in the groups, never here.

use super::{
    ClaimTag, FHIR_MEDIA_TYPE, FHIR_PART_NAME, FeeList, GroupOpening, ReportError, Salt16, claim,
    disclosure::MAX_ELEMENTS,
    profile::{self, PROFILE},
};
use crate::order;
use crate::{
    fhir::{Json, ReportView},
    id::{Commitment, PartyId},
    sm::{Digest, Label, Object, Random, Signed, stream::PlaintextDigest},
};
use std::collections::BTreeSet;

/// More parts than a report has.
const MAX_PARTS: usize = 256;
/// More groups than a report has, decoys included.
pub(super) const MAX_GROUPS: usize = 4096;
/// Fewer digests than this would tell how small a report is.
pub(super) const LEAST_GROUPS: usize = 8;

/// How carefully a report is handled: other classes than `Ordinary` are never in a bulk selection (FIELD.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Sensitivity {
    /// Nothing beyond what any health data needs.
    #[n(0)]
    Ordinary,
    /// HIV.
    #[n(1)]
    Hiv,
    /// Psychiatric.
    #[n(2)]
    Psychiatric,
    /// Genetic.
    #[n(3)]
    Genetic,
    /// Reproductive.
    #[n(4)]
    Reproductive,
    /// Sensitive for another reason that the hospital has.
    #[n(5)]
    Other,
}

/// One part as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PartEntry {
    /// A plain file name, once in a report.
    #[n(0)]
    pub name: String,
    /// Media type.
    #[n(1)]
    pub media_type: String,
    /// Size in bytes.
    #[n(2)]
    pub size: u64,
    /// SM3(label ‖ salt ‖ plaintext).
    #[n(3)]
    pub digest: Digest,
}

/// What the issuer of a report signs.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Manifest {
    /// The issuing organisation.
    #[n(0)]
    pub issuer: PartyId,
    /// When, by the ledger's clock.
    #[n(1)]
    pub issued_at: u64,
    /// 1, 2, … of the same report.
    #[n(2)]
    pub version: u32,
    /// The version before, as the ledger knows it.
    #[n(3)]
    pub replaces: Option<Commitment>,
    /// How carefully it is handled.
    #[n(4)]
    pub sensitivity: Sensitivity,
    /// The parts, by number from 0.
    #[n(5)]
    pub parts: Vec<PartEntry>,
    /// Version of the rules by which the groups were cut.
    #[n(6)]
    pub profile: u8,
    /// Digests of the groups and of decoys, sorted; a power of two of them, or none without FHIR.
    #[n(7)]
    pub groups: Vec<Digest>,
    /// The issuer's signed credential, whose key signs this.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub credential: Vec<u8>,
}

impl Object for Manifest {
    const NAME: &'static str = "manifest";
}

/// A part to be issued, measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// A plain file name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Its salt.
    pub salt: Salt16,
    /// SM3(label ‖ salt ‖ plaintext), from [`PlaintextDigest`].
    pub digest: Digest,
}

impl NewPart {
    /// Measures a part that is in memory.
    pub fn of(name: &str, media_type: &str, bytes: &[u8], random: &mut dyn Random) -> Self {
        let salt = Salt16::generate(random);
        Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            salt,
            digest: PlaintextDigest::of(salt.as_bytes(), bytes),
        }
    }
}

/// What an issuer wants to issue.
#[derive(Clone, Debug)]
pub struct NewReport<'a> {
    /// The issuing organisation.
    pub issuer: PartyId,
    /// When, by the ledger's clock.
    pub issued_at: u64,
    /// 1, 2, …
    pub version: u32,
    /// What it replaces.
    pub replaces: Option<Commitment>,
    /// How carefully it is handled.
    pub sensitivity: Sensitivity,
    /// The issuer's signed credential.
    pub credential: Vec<u8>,
    /// FHIR R4 JSON; becomes part 0, `report.json`.
    pub fhir: Option<&'a [u8]>,
    /// Everything else.
    pub attachments: Vec<NewPart>,
}

/// A manifest to sign, and what the patient gets beside it.
#[derive(Clone, Debug)]
pub struct Made {
    /// To be signed with the credential's key.
    pub manifest: Manifest,
    /// Each part's salt, by its number.
    pub salts: Vec<Salt16>,
    /// The opening of every group.
    pub openings: Vec<GroupOpening>,
}

impl Manifest {
    /// Cuts, salts and digests a new report. FHIR that couldn't be shown isn't issued: the fault is said here,
    /// to who can correct it.
    pub fn make(new: NewReport<'_>, random: &mut dyn Random) -> Result<Made, ReportError> {
        Self::make_claimable(new, &[], random)
    }

    /// The same for a report with one invoice, whose payers' slots can be settled: each tag becomes a group of its
    /// own. An invoice lacking what goes with every amount isn't issued.
    pub fn make_claimable(
        new: NewReport<'_>,
        tags: &[ClaimTag],
        random: &mut dyn Random,
    ) -> Result<Made, ReportError> {
        let mut parts = Vec::new();
        let mut openings = Vec::new();
        if let Some(bytes) = new.fhir {
            let json = Json::parse(bytes)?;
            let invoice = claim::Invoice::in_report(&json)?;
            FeeList::in_report(&json)?;
            ReportView::from_tree(&json)?;
            if invoice.is_none() && !tags.is_empty() {
                return Err(ReportError::Tag);
            }
            parts.push(NewPart::of(FHIR_PART_NAME, FHIR_MEDIA_TYPE, bytes, random));
            for elements in profile::cut(&json)? {
                openings.push(GroupOpening { salt: Salt16::generate(random), elements });
            }
            for tag in tags {
                openings.push(tag.opening(&new.issuer, random)?);
            }
        }
        parts.extend(new.attachments);
        if openings.iter().map(|opening| opening.elements.len()).sum::<usize>() > MAX_ELEMENTS {
            return Err(ReportError::TooMany { what: "elements", max: MAX_ELEMENTS });
        }
        let groups = with_decoys(openings.iter().map(GroupOpening::digest).collect(), random)?;
        let salts = parts.iter().map(|p| p.salt).collect();
        let entry =
            |p: NewPart| PartEntry { name: p.name, media_type: p.media_type, size: p.size, digest: p.digest };
        let manifest = Self {
            issuer: new.issuer,
            issued_at: new.issued_at,
            version: new.version,
            replaces: new.replaces,
            sensitivity: new.sensitivity,
            parts: parts.into_iter().map(entry).collect(),
            profile: PROFILE,
            groups,
            credential: new.credential,
        };
        manifest.check()?;
        Ok(Made { manifest, salts, openings })
    }

    /// Reads a signed manifest by the key that the anchor on the ledger names, and checks its rules.
    pub fn verify(
        signed: &Signed<Self>,
        issuer_key: &crate::sm::PublicKey,
        ledger: &crate::id::LedgerId,
    ) -> Result<Self, ReportError> {
        let manifest = signed.verify(issuer_key, ledger)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// A part by its number.
    pub fn part(&self, number: u32) -> Result<&PartEntry, ReportError> {
        let index = usize::try_from(number).map_err(|_| ReportError::NoSuchPart(number))?;
        self.parts.get(index).ok_or(ReportError::NoSuchPart(number))
    }

    /// The number of the FHIR part.
    pub fn fhir_part(&self) -> Option<u32> {
        self.parts.iter().position(|p| p.media_type == FHIR_MEDIA_TYPE).and_then(|i| u32::try_from(i).ok())
    }

    /// The rules that every manifest keeps, whoever signed it.
    fn check(&self) -> Result<(), ReportError> {
        if self.profile != PROFILE {
            return Err(ReportError::Profile(self.profile));
        }
        if self.parts.is_empty() || self.parts.len() > MAX_PARTS {
            return Err(ReportError::TooMany { what: "parts", max: MAX_PARTS });
        }
        let mut names = BTreeSet::new();
        for part in &self.parts {
            if !is_file_name(&part.name) || !names.insert(&part.name) {
                return Err(ReportError::PartName(part.name.chars().take(60).collect()));
            }
        }
        let sorted = self.groups.windows(2).all(|pair| pair[0] < pair[1]);
        let count = self.groups.len();
        let fhir = self.parts.iter().filter(|p| p.media_type == FHIR_MEDIA_TYPE).count();
        let counted = if fhir == 0 { count == 0 } else { count.is_power_of_two() && count >= LEAST_GROUPS };
        if sorted && counted && fhir <= 1 && count <= MAX_GROUPS { Ok(()) } else { Err(ReportError::Form) }
    }
}

/// The name of a file and of nothing else: no folders, no control characters, nothing hidden.
fn is_file_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !"/\\:<>\"|?*".contains(c);
    !name.is_empty() && name.len() <= 120 && !name.starts_with('.') && name.chars().all(allowed)
}

fn with_decoys(digests: Vec<Digest>, random: &mut dyn Random) -> Result<Vec<Digest>, ReportError> {
    if digests.is_empty() {
        return Ok(digests);
    }
    let count = digests.len().next_power_of_two().max(LEAST_GROUPS);
    if count > MAX_GROUPS {
        return Err(ReportError::TooMany { what: "groups", max: MAX_GROUPS });
    }
    let mut sorted: BTreeSet<Digest> = order::set(digests);
    while sorted.len() < count {
        let mut decoy = [0; 32];
        random.fill(&mut decoy);
        sorted.insert(Digest::from_bytes(decoy));
    }
    Ok(sorted.into_iter().collect())
}

/// The name of a report on the ledger: SM3(label ‖ 32-byte salt ‖ signed manifest bytes).
pub fn commitment(salt: &[u8; 32], signed_manifest: &[u8]) -> Commitment {
    Commitment::from_digest(Digest::labelled(Label::new("report-commitment"), &[salt, signed_manifest]))
}
