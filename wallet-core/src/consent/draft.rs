//! Making a grant on the phone: keys, halves, deposits, payload, transaction (PROTOCOL §5 to §7).
//!
//! **Everything that must survive a crash is in [`Draft`]**: the phone stores it encrypted before it sends anything,
//! and may send each piece again: the same piece gets the same answer.

use super::auditor::{AuditedRecord, AuditorGrant, AuditorOpening, MOST_RECORDS};
use super::payload::{
    Consent, Disclosure, GrantBinding, HolderProof, PartKey, Payload, PayloadRecord, RecordKey, Salt,
    ShownGroups, WrappedPart,
};
use crate::contract::{IssueGrant, Kind, Role, SignedTransaction, Slot, Transaction};
use crate::gate::{Deposit, RecordHalf, split};
use crate::id::{BlobAddress, GrantId, LedgerId};
use crate::identity::Chain;
use crate::report::{ClaimKey, GroupOpening, Manifest, PartCopy};
use crate::sm::{Key32, PublicKey, Random, SecretKey, Signed, stream};

/// What the patient chose, in the ledger's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the grantee must act as; to an insurer it is a claim.
    pub role: Role,
    /// Seconds.
    pub duration: u64,
    /// Seconds in which it must be accepted; never over half the duration.
    pub accept_within: u64,
    /// Reads.
    pub uses: u64,
    /// The phone itself serves the contents, in a live consultation: deposits name none, and relays get none.
    pub live: bool,
}

/// A record to be shared.
#[derive(Clone, Debug)]
pub struct DraftRecord {
    /// The issuer's signed manifest.
    pub manifest: Signed<Manifest>,
    /// Opens the report's commitment.
    pub salt: Salt,
    /// Open the holder commitment.
    pub holder_salts: Vec<Salt>,
    /// The vault's copies of the parts that are shared, with the sizes of their ciphertext.
    pub parts: Vec<(PartCopy, u64)>,
    /// Groups opened where the FHIR part is not shared whole.
    pub openings: Vec<GroupOpening>,
    /// The private halves of its claim tags, as the wallet keeps them: one signs for this grant.
    pub claim_keys: Vec<ClaimKey>,
    /// The issuer's certificates.
    pub chain: Chain,
}

/// Around the grant: which ledger, whose holder, which gates.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Which ledger.
    pub ledger: &'a LedgerId,
    /// The ledger's time.
    pub now: u64,
    /// How many gates the epoch has, and how many it takes.
    pub gates: (u8, u8),
    /// The auditor's box key in force.
    pub auditor: &'a PublicKey,
    /// Signs that this holder shares.
    pub authority: &'a SecretKey,
}

/// A grant that can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// None, or more than the auditor's box holds.
    #[error("a grant is for 1 to {MOST_RECORDS} records")]
    Records,
    /// The consent text or the list is longer than the auditor's box.
    #[error("the auditor's box is full")]
    Box,
    /// A claim tag for somebody else than the insurers that settle its slot.
    #[error("a claim tag goes only to the class of insurer that it is for; leave it out")]
    Tag,
    /// A claim tag without its private half.
    #[error("this wallet can't sign for the claim tag; ask the hospital to issue the invoice again")]
    TagKey,
    /// To an insurer, the whole report where groups can be chosen.
    #[error("an insurer is shown chosen groups of a report, not the whole; choose what the claim needs")]
    Whole,
    /// Gates out of range.
    #[error("the gates' halves cannot be split")]
    Split,
}

/// A grant, ready to be sent.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub grant: GrantId,
    /// Signs the grant, its deposits, its revocation, its drop box.
    pub key: SecretKey,
    /// The code's secret.
    pub offer: SecretKey,
    /// The desk's certificate is sealed to it.
    pub reply: SecretKey,
    /// Handed over after the tap.
    pub half: Key32,
    /// For the ledger.
    pub transaction: SignedTransaction,
    /// For the gates, one each; still to be sealed to their keys of the day.
    pub deposits: Vec<Deposit>,
    /// For the drop box.
    pub payload: Vec<u8>,
    /// Fresh blobs with the groups of records that aren't shared whole: to be stored with the rest, and uploaded with
    /// the grant key before the deposits, which name them. In a live consultation the phone serves them.
    pub blobs: Vec<(BlobAddress, Vec<u8>)>,
}

/// How long a grant may lie before it is included, in seconds: nobody can hold it back and use it later.
pub const INCLUDE_WITHIN: u64 = 600;

impl Draft {
    /// Makes a grant of records, in order, with the proof of their holder.
    pub fn new(
        choice: Choice,
        consent: Consent,
        records: Vec<DraftRecord>,
        holder: HolderProof,
        around: &Surroundings<'_>,
        random: &mut dyn Random,
    ) -> Result<Self, DraftError> {
        if records.is_empty() || records.len() > MOST_RECORDS {
            return Err(DraftError::Records);
        }
        let key = SecretKey::generate(random);
        let grant = GrantId::of(around.ledger, &key.public());
        let shown =
            records.iter().map(|record| record.shown(Slot::of(choice.role), grant, around.ledger, random));
        let shown: Vec<Option<ShownGroups>> = shown.collect::<Result<_, _>>()?;
        let offer = SecretKey::generate(random);
        let reply = SecretKey::generate(random);
        let half = Key32::generate(random);

        let mut halves = Vec::with_capacity(records.len());
        for (record, shown) in records.iter().zip(&shown) {
            let own = record.addresses().chain(shown.as_ref().map(ShownGroups::address));
            let blobs = if choice.live { Vec::new() } else { own.collect() };
            halves.push(RecordHalf { half: Key32::generate(random), blobs });
        }
        let (gates, threshold) = around.gates;
        let split =
            split(grant.digest(), &halves, threshold, gates, random).map_err(|_| DraftError::Split)?;

        let auditor = auditor_opening(grant, &consent, &records, &holder, random)?;
        let auditor_box = auditor.seal(around.auditor, around.ledger).map_err(|_| DraftError::Box)?;
        let issue = IssueGrant {
            key: key.public(),
            kind: Kind::of(choice.role),
            offer: offer.public(),
            role: choice.role,
            duration: choice.duration,
            accept_within: choice.accept_within.min(choice.duration / 2),
            uses: choice.uses,
            interval: 0,
            records: records.len() as u64,
            shares: split.digest,
            auditor_box,
            reply: reply.public(),
            include_before: around.now.saturating_add(INCLUDE_WITHIN),
        };
        let transaction = SignedTransaction::new(&Transaction::IssueGrant(issue), &key, around.ledger);

        let records: Vec<PayloadRecord> = (0u32..)
            .zip(records)
            .zip(halves.iter().zip(&shown))
            .map(|((number, record), (gate, shown))| {
                let record_key = RecordKey::new(&half, &gate.half, &grant, number);
                record.into_payload(number, shown.as_ref(), &record_key, random)
            })
            .collect();
        let binding = GrantBinding {
            grant,
            records: records.iter().map(PayloadRecord::commitment).collect(),
            consent: consent.digest(),
            content: GrantBinding::content_of(&records),
        };
        let binding = Signed::new(&binding, around.authority, around.ledger);
        let payload = Payload { records, consent, holder, binding, auditor }.seal(&half, &grant, random);
        let blobs = shown.into_iter().flatten().map(|shown| (shown.address(), shown.into_blob())).collect();
        Ok(Self { grant, key, offer, reply, half, transaction, deposits: split.deposits, payload, blobs })
    }
}

fn auditor_opening(
    grant: GrantId,
    consent: &Consent,
    records: &[DraftRecord],
    holder: &HolderProof,
    random: &mut dyn Random,
) -> Result<AuditorOpening, DraftError> {
    let audited = records.iter().map(|record| {
        let manifest = record.manifest.claimed().map_err(|_| DraftError::Records)?;
        let commitment = crate::report::commitment(&record.salt.0, &record.manifest.to_bytes());
        Ok(AuditedRecord::of(manifest.sensitivity, &commitment))
    });
    let text = AuditorGrant {
        grant,
        purpose: consent.purpose.clone(),
        records: audited.collect::<Result<_, _>>()?,
        holder: holder.holder,
    };
    Ok(AuditorOpening { seed: Key32::generate(random), grant: text })
}

impl DraftRecord {
    /// Addresses of its ciphertext.
    pub fn addresses(&self) -> impl Iterator<Item = BlobAddress> {
        self.parts.iter().map(|(copy, _)| copy.address)
    }

    /// Its groups in a blob of their own, where any are shown, to whoever settles `slot` or doesn't settle.
    fn shown(
        &self,
        slot: Option<Slot>,
        grant: GrantId,
        ledger: &LedgerId,
        random: &mut dyn Random,
    ) -> Result<Option<ShownGroups>, DraftError> {
        let manifest = self.manifest.claimed().map_err(|_| DraftError::Records)?;
        let fhir = manifest.fhir_part();
        if slot.is_some() && self.parts.iter().any(|(copy, _)| fhir == Some(copy.part)) {
            return Err(DraftError::Whole);
        }
        if self.openings.iter().filter_map(GroupOpening::slot).any(|tag| Some(tag) != slot) {
            return Err(DraftError::Tag);
        }
        let tag = self.openings.iter().find_map(|opening| opening.tag(&manifest.issuer));
        let proof = match tag {
            Some(tag) => {
                let key = ClaimKey::of(&tag, &self.claim_keys).ok_or(DraftError::TagKey)?;
                Some(key.prove(grant, ledger))
            }
            None => None,
        };
        let shown = Disclosure { groups: self.openings.clone(), proof };
        Ok((!shown.groups.is_empty()).then(|| ShownGroups::seal(&shown, random)))
    }

    fn into_payload(
        self,
        number: u32,
        shown: Option<&ShownGroups>,
        key: &RecordKey,
        random: &mut dyn Random,
    ) -> PayloadRecord {
        let mut wrap = |(copy, size): &(PartCopy, u64)| WrappedPart {
            part: copy.part,
            address: copy.address,
            key_commitment: stream::key_commitment(&copy.key, copy.salt.as_bytes()),
            wrapped: key.wrap(copy.part, &PartKey { key: copy.key.clone(), salt: copy.salt }, random),
            size: *size,
        };
        let parts = self.parts.iter().map(&mut wrap).collect();
        let groups = shown.map(|shown| key.wrap_groups(shown, random));
        PayloadRecord {
            number,
            manifest: self.manifest,
            salt: self.salt,
            holder_salts: self.holder_salts,
            parts,
            groups,
            chain: self.chain,
        }
    }
}
