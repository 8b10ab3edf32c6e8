//! Reports on their way from a hospital's desk into a vault: by ticket, or delivered to a known patient.

use crate::people::{Desk, Patient};
use crate::world::{DAY, World};
use std::collections::BTreeMap;
use suishen_core::consent::{DraftRecord, Salt};
use suishen_core::contract::{
    AnchorReport, BindTicket, CancelTicket, Destination, Rejection, SupersedeReport, Transaction, Views as _,
};
use suishen_core::gate::{Deposit, RecordHalf, Subject, split};
use suishen_core::id::{BlobAddress, Commitment, HolderCommitment};
use suishen_core::identity::{Certificate, Chain};
use suishen_core::report::{
    ClaimKey, ClaimTag, GroupOpening, Manifest, NewPart, NewReport, PartCopy, Sensitivity, Ticket,
    TicketContents, open_part, seal_part,
};
use suishen_core::sm::{Digest, Key32, Random as _, SecretKey, Signed};

/// What the hospital issues.
pub const REPORT: &[u8] = include_bytes!("../../../samples/laboratory/report.json");
pub const DOCUMENT: &[u8] = include_bytes!("../../../samples/laboratory/report.pdf");

/// Ciphertext by address: what relays keep.
pub type Blobs = BTreeMap<BlobAddress, Vec<u8>>;

/// A report, signed and sealed, not yet anchored.
pub struct Prepared {
    pub contents: TicketContents,
    pub blobs: Blobs,
}

/// Signs with `signer`, which for an honest desk is its credential's key.
pub fn prepare(world: &mut World, desk: &Desk, signer: &SecretKey) -> Prepared {
    prepare_of(world, desk, signer, REPORT, &[], Some(DOCUMENT))
}

/// The same for some report, with tags where it is an invoice.
fn prepare_of(
    world: &mut World,
    desk: &Desk,
    signer: &SecretKey,
    fhir: &[u8],
    tags: &[(ClaimTag, ClaimKey)],
    document: Option<&[u8]>,
) -> Prepared {
    let random = &mut world.random;
    let attached = document.map(|bytes| NewPart::of("report.pdf", "application/pdf", bytes, random));
    let new = NewReport {
        issuer: desk.chain.leaf().subject().party.clone(),
        issued_at: world.now,
        version: 1,
        replaces: None,
        sensitivity: Sensitivity::Hiv,
        credential: desk.credential.to_bytes(),
        fhir: Some(fhir),
        attachments: attached.into_iter().collect(),
    };
    let (tags, claim_keys): (Vec<ClaimTag>, Vec<ClaimKey>) = tags.iter().cloned().unzip();
    let made = Manifest::make_claimable(new, &tags, random).unwrap();
    let (mut parts, mut blobs) = (Vec::new(), Blobs::new());
    for (number, (plain, salt)) in (0..).zip(core::iter::once(fhir).chain(document).zip(&made.salts)) {
        let (copy, blob) = seal_part(number, *salt, plain, random);
        blobs.insert(copy.address, blob);
        parts.push(copy);
    }
    let contents = TicketContents {
        manifest: Signed::new(&made.manifest, signer, &world.ledger).to_bytes(),
        salt: random.bytes(),
        parts,
        openings: made.openings,
        chain: desk.chain.certificates().map(|c| c.to_der().to_vec().into()).collect(),
        holder_salt: None,
        claim_keys,
    };
    Prepared { contents, blobs }
}

/// A report anchored for whoever holds the ticket.
pub struct Issued {
    pub ticket: Ticket,
    /// What relays keep; the contents' first in the deposit.
    pub blobs: Blobs,
    pub contents: BlobAddress,
    pub deposits: Vec<Deposit>,
}

/// Issues a ticket: the half split over the gates, the anchor, the deposits.
pub fn issue_ticket(world: &mut World, desk: &Desk) -> Issued {
    let Prepared { contents, mut blobs } = prepare(world, desk, &desk.grantee);
    let commitment = contents.commitment();
    let ticket = Ticket::generate(commitment, &mut world.random);
    let half = Key32::generate(&mut world.random);
    let content_key = ticket.content_key(&half);
    let (address, blob) = contents.seal(&desk.grantee, &world.ledger, &content_key, &mut world.random);
    let addresses = core::iter::once(address).chain(blobs.keys().copied()).collect();
    blobs.insert(address, blob);
    let halves = [RecordHalf { half, blobs: addresses }];
    let (gates, needed) = world.quorum();
    let split = split(commitment.digest(), &halves, needed, gates, &mut world.random).unwrap();
    let body = AnchorReport {
        commitment,
        credential: desk.credential.clone(),
        destination: Destination::Ticket(ticket.key().public(), world.now + 7 * DAY, split.digest),
    };
    world.send(Transaction::AnchorReport(body), &desk.grantee).unwrap();
    world.deposit(&split.deposits, &desk.grantee).unwrap();
    Issued { ticket, blobs, contents: address, deposits: split.deposits }
}

/// The keys that a wallet makes for a ticket, and stores before it sends.
pub struct Keeping {
    pub salt: [u8; 32],
    pub seal: SecretKey,
    pub request: SecretKey,
}

impl Keeping {
    pub fn new(world: &mut World) -> Self {
        let random = &mut world.random;
        Self { salt: random.bytes(), seal: SecretKey::generate(random), request: SecretKey::generate(random) }
    }

    /// Binds the ticket to the patient's wallet.
    pub fn bind(&self, world: &mut World, ticket: &Ticket, patient: &Patient) -> Result<u64, Rejection> {
        let body = BindTicket {
            commitment: ticket.commitment(),
            holder: HolderCommitment::of(&self.salt, &patient.holder),
            seal: self.seal.public(),
            request: self.request.public(),
        };
        world.send(Transaction::BindTicket(body), ticket.key())
    }

    /// The gates' half of a bound ticket.
    pub fn half(&self, world: &World, ticket: &Ticket) -> Key32 {
        let commitment = ticket.commitment();
        let anchor = world.state.anchor(&commitment).unwrap().unwrap();
        let Destination::Ticket(_, _, digest) = anchor.destination else { panic!("a ticket") };
        let gathering = world.gather(&Subject::Ticket(commitment), digest, 0, &self.seal).unwrap();
        gathering.half(0).unwrap()
    }
}

/// A record as a vault keeps it, under its own keys.
#[derive(Clone)]
pub struct Kept {
    pub commitment: Commitment,
    pub manifest: Signed<Manifest>,
    pub salt: [u8; 32],
    pub holder_salts: Vec<Salt>,
    pub parts: Vec<PartCopy>,
    pub blobs: Blobs,
    pub openings: Vec<GroupOpening>,
    pub claim_keys: Vec<ClaimKey>,
    pub chain: Chain,
    /// Who issued it, for tests that cancel it.
    pub desk: Desk,
}

impl Kept {
    /// Issued by the hospital as a ticket, bound, opened, sealed anew.
    pub fn by_ticket(world: &mut World, patient: &mut Patient) -> Self {
        let desk = world.issuing_desk();
        let issued = issue_ticket(world, &desk);
        let keeping = Keeping::new(world);
        keeping.bind(world, &issued.ticket, patient).unwrap();
        let key = issued.ticket.content_key(&keeping.half(world, &issued.ticket));
        let commitment = issued.ticket.commitment();
        let anchor = world.state.anchor(&commitment).unwrap().unwrap();
        let blob = &issued.blobs[&issued.contents];
        let (contents, manifest) =
            TicketContents::open(blob, &key, &commitment, &anchor.issuer, &world.ledger).unwrap();
        Self::take_in(world, contents, &manifest, &issued.blobs, vec![Salt(keeping.salt)], desk)
    }

    /// Delivered to a known patient, whose identity code gave C.
    pub fn delivered(world: &mut World, patient: &Patient) -> Self {
        let desk = world.issuing_desk();
        let signer = desk.grantee.clone();
        Self::delivered_as(world, patient, desk, &signer)
    }

    /// The same, with a manifest under whatever key.
    pub fn delivered_as(world: &mut World, patient: &Patient, desk: Desk, signer: &SecretKey) -> Self {
        let prepared = prepare(world, &desk, signer);
        Self::deliver(world, patient, desk, prepared)
    }

    /// An invoice, delivered, with its tags.
    pub fn invoice(world: &mut World, patient: &Patient, fhir: &[u8], tags: &[(ClaimTag, ClaimKey)]) -> Self {
        let desk = world.issuing_desk();
        let prepared = prepare_of(world, &desk, &desk.grantee, fhir, tags, None);
        Self::deliver(world, patient, desk, prepared)
    }

    fn deliver(world: &mut World, patient: &Patient, desk: Desk, prepared: Prepared) -> Self {
        let Prepared { contents, blobs } = prepared;
        let (inner, outer): ([u8; 32], [u8; 32]) = (world.random.bytes(), world.random.bytes());
        let shown = HolderCommitment::of(&inner, &patient.holder);
        let body = AnchorReport {
            commitment: contents.commitment(),
            credential: desk.credential.clone(),
            destination: Destination::Holder(shown.again(&outer)),
        };
        world.send(Transaction::AnchorReport(body), &desk.grantee).unwrap();
        let manifest = Signed::<Manifest>::from_bytes(&contents.manifest).unwrap().claimed().unwrap();
        Self::take_in(world, contents, &manifest, &blobs, vec![Salt(outer), Salt(inner)], desk)
    }

    /// What an issuer knows of a ticket that nobody has bound.
    pub fn never_bound(world: &mut World) -> Self {
        let desk = world.issuing_desk();
        let Prepared { contents, blobs } = prepare(world, &desk, &desk.grantee);
        let ticket = Ticket::generate(contents.commitment(), &mut world.random);
        let body = AnchorReport {
            commitment: contents.commitment(),
            credential: desk.credential.clone(),
            destination: Destination::Ticket(ticket.key().public(), world.now + DAY, Digest::default()),
        };
        world.send(Transaction::AnchorReport(body), &desk.grantee).unwrap();
        let manifest = Signed::<Manifest>::from_bytes(&contents.manifest).unwrap().claimed().unwrap();
        Self::take_in(world, contents, &manifest, &blobs, Vec::new(), desk)
    }

    fn take_in(
        world: &mut World,
        contents: TicketContents,
        manifest: &Manifest,
        blobs: &Blobs,
        holder_salts: Vec<Salt>,
        desk: Desk,
    ) -> Self {
        let (mut parts, mut own) = (Vec::new(), Blobs::new());
        for copy in &contents.parts {
            let plain = open_part(manifest, copy, &blobs[&copy.address]).unwrap();
            let (copy, blob) = seal_part(copy.part, copy.salt, &plain, &mut world.random);
            own.insert(copy.address, blob);
            parts.push(copy);
        }
        let certificates = contents.chain.iter().map(|der| Certificate::from_der(der).unwrap());
        Self {
            commitment: contents.commitment(),
            manifest: Signed::from_bytes(&contents.manifest).unwrap(),
            salt: contents.salt,
            holder_salts,
            parts,
            blobs: own,
            openings: contents.openings,
            claim_keys: contents.claim_keys,
            chain: Chain::new(certificates.collect()).unwrap(),
            desk,
        }
    }

    /// As it goes into a grant, every part whole.
    pub fn whole(&self) -> DraftRecord {
        let size = |copy: &PartCopy| self.blobs[&copy.address].len() as u64;
        DraftRecord {
            manifest: self.manifest.clone(),
            salt: suishen_core::consent::Salt(self.salt),
            holder_salts: self.holder_salts.clone(),
            parts: self.parts.iter().map(|copy| (copy.clone(), size(copy))).collect(),
            openings: Vec::new(),
            claim_keys: self.claim_keys.clone(),
            chain: self.chain.clone(),
        }
    }

    /// As it goes into a grant, only these groups and no part.
    pub fn in_groups(&self, openings: Vec<GroupOpening>) -> DraftRecord {
        DraftRecord { parts: Vec::new(), openings, ..self.whole() }
    }

    /// The issuer puts a newer version in its place.
    pub fn supersede(&self, world: &mut World) {
        let holder = HolderCommitment::from_bytes(world.random.bytes());
        let body = SupersedeReport {
            commitment: Commitment::from_bytes(world.random.bytes()),
            credential: self.desk.credential.clone(),
            destination: Destination::Holder(holder),
            replaces: self.commitment,
            why: "金额更正".into(),
        };
        world.send(Transaction::SupersedeReport(body), &self.desk.grantee).unwrap();
    }

    /// The issuer takes it back.
    pub fn cancel(&self, world: &mut World) {
        let body = CancelTicket {
            commitment: self.commitment,
            credential: self.desk.credential.clone(),
            why: "发错了人".into(),
        };
        world.send(Transaction::CancelTicket(body), &self.desk.grantee).unwrap();
    }
}
