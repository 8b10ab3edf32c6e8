//! A demo consortium's ledger in a data folder, written entry by entry at chosen times: reads by named people, under
//! boxes that open.

use crate::{
    demo,
    desk::Organisation,
    founding,
    keys::Keys,
    node::KEYS,
    random::SystemRandom,
    replica::{Accepted, Replica, copy::Writer},
};
use std::path::PathBuf;
use suishen_core::{
    consent::{AuditedRecord, AuditorGrant, AuditorLook, AuditorOpening, AuditorUse, Presence},
    contract::{
        AcceptGrant, Acceptance, AnchorReport, Context, Credential, Destination, Entry, Genesis, IssueGrant,
        Kind, RedeemGrant, RotateKeys, Rotated, SignedTransaction, Transaction, Views as _, apply,
    },
    id::{Commitment, GrantId, HolderCommitment, HolderId, LedgerId, PartyId},
    identity::{self, Certificate, Request, Role, Serial, Subject, Validity, issue},
    report::Sensitivity,
    sm::{Digest, Key32, PublicKey, SecretKey, Signed},
};

/// Noon in China.
pub const FOUNDED: u64 = 1_795_320_000;
const DAY: u64 = 86_400;
const HOSPITAL: &str = "12520100ANLAN00018";
const AUDITOR: &str = "11520100ANLAN00034";

pub struct World {
    pub dir: tempfile::TempDir,
    pub keys: Keys,
    pub ledger: LedgerId,
    pub now: u64,
    genesis: Genesis,
    hospital: Organisation,
    replica: Replica,
    writer: Writer,
    grants: u64,
}

/// Somebody at a desk.
pub struct Desk {
    certificate: Certificate,
    person: SecretKey,
    grantee: SecretKey,
    box_key: SecretKey,
    credential: Signed<Credential>,
}

pub fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::new(dir.path().join(KEYS));
        let consortium = demo::consortium("http://localhost");
        let genesis = founding::genesis(&keys, &consortium, 100_000, FOUNDED).unwrap();
        let cosigner = keys.folder("member").read("cosigner").unwrap();
        let replica = Replica::create(dir.path(), &genesis, cosigner, FOUNDED).unwrap();
        let writer = Writer::start(replica.folder().unwrap(), &replica.published()).unwrap();
        let hospital = Organisation::read(&keys, &PartyId::new(HOSPITAL).unwrap()).unwrap();
        let ledger = genesis.ledger_id();
        let mut world =
            Self { dir, keys, ledger, now: FOUNDED, genesis, hospital, replica, writer, grants: 0 };
        let vote = world.keys.folder("member").read("vote").unwrap();
        for (code, roles) in [(HOSPITAL, vec![Role::Issuer, Role::Physician]), (AUDITOR, vec![Role::Auditor])]
        {
            let id = PartyId::new(code).unwrap();
            let transaction = founding::registration(&world.keys, &id, roles).unwrap();
            world.send(&transaction, &vote);
        }
        world
    }

    /// The auditor says that it looks.
    pub fn looks(&mut self) {
        let audit = self.keys.folder("auditor").read("audit").unwrap();
        let look = AuditorLook { why: "例行".into(), from: 0, to: 1 };
        let body = look.log(&audit.public(), &self.box_key(), &self.ledger, &mut SystemRandom).unwrap();
        self.send(&Transaction::LogAudit(body), &audit);
    }

    /// Puts a transaction on the ledger, a second after the last.
    pub fn send(&mut self, transaction: &Transaction, key: &SecretKey) {
        self.now += 1;
        let signed = SignedTransaction::new(transaction, key, &self.ledger);
        let published = self.replica.published();
        let sponsor = self.genesis.members[0].party.clone();
        let context = Context { number: published.size(), now: self.now, sponsor: sponsor.clone() };
        let changes =
            published.snapshot().with_state(|state| apply(state, &context, &signed, &self.ledger).unwrap());
        let entry = Entry { now: self.now, sponsor, signed };
        self.replica.append(&[Accepted { entry, changes: changes.unwrap() }]).unwrap();
        self.writer.write(&self.replica.published()).unwrap();
    }

    pub fn auditor_folder(&self) -> PathBuf {
        self.keys.folder("auditor").path().to_owned()
    }

    fn box_key(&self) -> PublicKey {
        self.replica.published().snapshot().view(|state| state.auditor()).unwrap().box_key().unwrap()
    }

    /// A physician of the hospital's.
    pub fn desk(&self, name: &str) -> Desk {
        let (person, grantee, box_key) = (fresh(), fresh(), fresh());
        let subject = Subject {
            unit: Some("心内科".into()),
            name: Some(name.into()),
            title: Some("主任医师".into()),
            ..self.hospital.certificate.subject().clone()
        };
        let request = Request {
            kind: identity::Kind::PersonSign,
            subject,
            key: person.public(),
            role: Some(Role::Physician),
            inbox: None,
        };
        let validity = Validity { not_before: self.now - 60, not_after: self.now + 60 * DAY };
        let (above, key) = (&self.hospital.certificate, &self.hospital.certified);
        let serial = Serial::generate(&mut SystemRandom);
        let certificate = issue(above, key, &request, &serial, validity).unwrap();
        let credential = self.credential(Role::Physician, &grantee, &box_key);
        Desk { certificate, person, grantee, box_key, credential }
    }

    fn credential(&self, role: Role, grantee: &SecretKey, box_key: &SecretKey) -> Signed<Credential> {
        let credential = Credential {
            party: PartyId::new(HOSPITAL).unwrap(),
            role,
            grantee: grantee.public(),
            box_key: box_key.public(),
            expiry: self.now + DAY,
        };
        Signed::new(&credential, &self.hospital.acceptance, &self.ledger)
    }

    /// A report of its own, anchored.
    fn anchor(&mut self) -> Commitment {
        let (grantee, box_key) = (fresh(), fresh());
        self.grants += 1;
        let commitment = Commitment::from_bytes(*Digest::of(&self.grants.to_be_bytes()).as_bytes());
        let holder = HolderCommitment::of(&[1; 32], &HolderId::from_bytes([2; 32]));
        let body = AnchorReport {
            commitment,
            credential: self.credential(Role::Issuer, &grantee, &box_key),
            destination: Destination::Holder(holder),
        };
        self.send(&Transaction::AnchorReport(body), &grantee);
        commitment
    }

    /// A grant of one record, accepted and read so often, its boxes sealed to the key in force.
    pub fn reads(&mut self, desk: &Desk, purpose: &str, times: u32) {
        let commitment = self.anchor();
        let (key, offer) = (fresh(), fresh());
        let grant = GrantId::of(&self.ledger, &key.public());
        let holder = HolderId::from_bytes([2; 32]);
        let records = vec![AuditedRecord::of(Sensitivity::Genetic, &commitment)];
        let told = AuditorGrant { grant, purpose: purpose.into(), records, holder };
        let opening = AuditorOpening { seed: Key32::generate(&mut SystemRandom), grant: told };
        let issue = IssueGrant {
            key: key.public(),
            kind: Kind::Read,
            offer: offer.public(),
            role: Role::Physician,
            duration: 3600,
            accept_within: 600,
            uses: 1000,
            interval: 0,
            records: 1,
            shares: Digest::of(b"shares"),
            auditor_box: opening.seal(&self.box_key(), &self.ledger).unwrap(),
            reply: offer.public(),
            include_before: self.now + 600,
        };
        self.send(&Transaction::IssueGrant(issue), &key);
        let (grantee, box_key) = (desk.grantee.public(), desk.box_key.public());
        let acceptance = Signed::new(&Acceptance { grant, grantee, box_key }, &offer, &self.ledger);
        let accept = AcceptGrant { grant, credential: desk.credential.clone(), acceptance };
        self.send(&Transaction::AcceptGrant(accept), &desk.grantee);
        for number in 1..=times {
            let presence = Signed::new(&Presence { grant, grantee }, &desk.person, &self.ledger);
            let certificate = desk.certificate.to_der().to_vec();
            let told = AuditorUse { grant, number, certificate, presence, records: vec![0] };
            let seed = Key32::generate(&mut SystemRandom);
            let redeem = RedeemGrant {
                grant,
                credential: desk.credential.clone(),
                use_number: number.into(),
                records: vec![0],
                epk: fresh().public(),
                auditor_box: told.seal(&seed, &self.box_key(), &self.ledger).unwrap(),
            };
            self.send(&Transaction::RedeemGrant(redeem), &desk.grantee);
        }
    }

    /// A new key for the auditor's boxes, in the auditor's folder, and two days later.
    pub fn next_quarter(&mut self, sequence: u64) {
        let key = self.keys.folder("auditor").read_or_make(&format!("box-{sequence}")).unwrap();
        let party = PartyId::new(AUDITOR).unwrap();
        let certified = Organisation::read(&self.keys, &party).unwrap().certified;
        let body = RotateKeys { party, sequence, which: Rotated::AuditorBox, key: key.public() };
        self.send(&Transaction::RotateKeys(body), &certified);
        self.now += 2 * DAY;
    }
}
