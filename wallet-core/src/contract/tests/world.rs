//! A small consortium with real keys and certificates: four members, a hospital, a clinic, an auditor.

use super::super::*;
use crate::cbor;
use crate::consent::{GRANT_BOX, USE_BOX};
use crate::id::{Commitment, GrantId, HolderCommitment};
use crate::identity::{self, Certificate, Kind as CertificateKind, Request, Serial, Subject, Validity};
use crate::sm::seeded::Seeded;
use crate::sm::{Digest, Object, PublicKey, SecretKey, Signed};

pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const YEARS: Validity = Validity { not_before: START - DAY, not_after: START + 3000 * DAY };

pub(crate) const HOSPITAL: &str = "91HOSPITAL";
pub(crate) const CLINIC: &str = "91CLINIC";
pub(crate) const AUDITOR: &str = "91AUDITOR";

/// The key with this number; tests name keys by number.
pub(crate) fn key(number: u16) -> SecretKey {
    SecretKey::from_bytes(Digest::of(&number.to_be_bytes()).as_bytes()).expect("a digest is in range")
}

pub(crate) fn public(number: u16) -> PublicKey {
    key(number).public()
}

pub(crate) fn party(code: &str) -> PartyId {
    PartyId::new(code).expect("a code")
}

pub(crate) fn commitment(number: u8) -> Commitment {
    Commitment::from_bytes([number; 32])
}

pub(crate) fn holder_commitment(number: u8) -> HolderCommitment {
    HolderCommitment::from_bytes([number; 32])
}

/// The number of an organisation's certified key; its acceptance key is the next.
fn certified(code: &str) -> u16 {
    2 * u16::from(Digest::of(code.as_bytes()).as_bytes()[0]) + 10_000
}

pub(crate) fn certified_key(code: &str) -> SecretKey {
    key(certified(code))
}

pub(crate) fn acceptance_key(code: &str) -> SecretKey {
    key(certified(code) + 1)
}

pub(crate) fn root_certificate(number: u16) -> Certificate {
    let subject = Subject::organisation(party("91ROOT"), "随身联盟");
    identity::self_sign(subject, &key(number), &Serial::generate(&mut Seeded::new(0)), YEARS).expect("a root")
}

pub(crate) const ROOT: u16 = 1;

/// An organisation's certificate; `serial` makes it another one.
pub(crate) fn certificate(code: &str, root: u16, serial: u64, validity: Validity) -> CertificateDer {
    let request = Request {
        kind: CertificateKind::Organisation,
        subject: Subject::organisation(party(code), "安澜市人民医院"),
        key: certified_key(code).public(),
        role: None,
        inbox: None,
    };
    let serial = Serial::generate(&mut Seeded::new(serial << 16 | u64::from(certified(code))));
    let issued = identity::issue(&root_certificate(root), &key(root), &request, &serial, validity);
    CertificateDer::from(&issued.expect("a certificate"))
}

pub(crate) fn genesis_of(members: u16) -> Genesis {
    let member = |i: u16| Member {
        party: party(&format!("91MEMBER{i}")),
        origins: vec![format!("https://relay{i}.example")],
        vote: public(1000 + i),
        sponsor: public(1100 + i),
        cosigner: public(1200 + i),
        gate: public(1300 + i),
        time: public(1400 + i),
        name: format!("relay{i}"),
    };
    Genesis {
        root: CertificateDer::from(&root_certificate(ROOT)),
        members: (1..=members).map(member).collect(),
        auditor: super::super::Auditor { party: party(AUDITOR), audit: public(20), box_key: public(21) },
        quota: 1000,
        bounds: Bounds { read: Bounds::READ },
        time: START,
    }
}

/// The state, the time, and what is needed to act in it.
pub(crate) struct World {
    pub state: Memory,
    pub genesis: Genesis,
    pub ledger: LedgerId,
    pub now: u64,
    pub sponsor: PartyId,
}

impl World {
    /// Only the genesis.
    pub fn founded(genesis: Genesis) -> Self {
        genesis.check().expect("a genesis that can found a ledger");
        Self {
            state: Memory::new(&genesis),
            ledger: genesis.ledger_id(),
            now: START,
            sponsor: genesis.members[0].party.clone(),
            genesis,
        }
    }

    /// Hospital, clinic and auditor registered.
    pub fn open() -> Self {
        let mut world = Self::founded(genesis_of(4));
        for (code, roles) in [
            (HOSPITAL, vec![Role::Issuer, Role::Physician]),
            (CLINIC, vec![Role::Physician]),
            (AUDITOR, vec![Role::Auditor]),
        ] {
            world.vote(&registration(code, 1, roles)).expect("registered");
        }
        world
    }

    pub fn context(&self) -> Context {
        let number = self.state.last().expect("a last entry").number + 1;
        Context { number, now: self.now, sponsor: self.sponsor.clone() }
    }

    pub fn submit(&mut self, signed: &SignedTransaction) -> Result<u64, Rejection> {
        let context = self.context();
        let changes = apply(&self.state, &context, signed, &self.ledger)?;
        self.state.commit(changes);
        Ok(context.number)
    }

    pub fn take(&mut self, transaction: &Transaction, key: &SecretKey) -> Result<u64, Rejection> {
        self.submit(&SignedTransaction::new(transaction, key, &self.ledger))
    }

    /// With the votes of three of four members.
    pub fn vote(&mut self, transaction: &Transaction) -> Result<u64, Rejection> {
        self.vote_by(transaction, &[1001, 1002, 1003])
    }

    pub fn vote_by(&mut self, transaction: &Transaction, keys: &[u16]) -> Result<u64, Rejection> {
        let votes = keys.iter().map(|k| Signed::new(transaction, &key(*k), &self.ledger)).collect();
        self.submit(&SignedTransaction::from_votes(votes).expect("votes"))
    }

    pub fn suspend(&mut self, code: &str, from: u64) {
        self.vote(&suspension(code, from, "why")).expect("suspended");
    }

    pub fn credential(&self, desk: &Desk) -> Signed<Credential> {
        Signed::new(&desk.credential, &acceptance_key(desk.credential.party.as_str()), &self.ledger)
    }

    pub fn anchor(&self, number: u8, destination: Destination, desk: &Desk) -> Transaction {
        Transaction::AnchorReport(AnchorReport {
            commitment: commitment(number),
            credential: self.credential(desk),
            destination,
        })
    }

    /// A report of the hospital's with a ticket.
    pub fn anchored(&mut self, number: u8) {
        let desk = Desk::new(HOSPITAL, Role::Issuer, self.now);
        self.take(&self.anchor(number, ticket(self.now + 30 * DAY), &desk), &desk.key()).expect("anchored");
    }

    pub fn grant_id(&self, grant: &IssueGrant) -> GrantId {
        GrantId::of(&self.ledger, &grant.key)
    }

    /// A grant on the ledger, offered.
    pub fn offered(&mut self, change: impl FnOnce(&mut IssueGrant)) -> IssueGrant {
        let mut grant = grant(self.now);
        change(&mut grant);
        self.take(&Transaction::IssueGrant(grant.clone()), &key(GRANT)).expect("issued");
        grant
    }

    /// A grant on the ledger, accepted by the clinic's desk.
    pub fn accepted(&mut self, change: impl FnOnce(&mut IssueGrant)) -> (IssueGrant, Desk) {
        let grant = self.offered(change);
        let desk = Desk::new(CLINIC, Role::Physician, self.now);
        self.take(&self.acceptance(&grant, &desk), &desk.key()).expect("accepted");
        (grant, desk)
    }

    pub fn acceptance(&self, grant: &IssueGrant, desk: &Desk) -> Transaction {
        let id = self.grant_id(grant);
        let acceptance =
            Acceptance { grant: id, grantee: desk.credential.grantee, box_key: desk.credential.box_key };
        Transaction::AcceptGrant(AcceptGrant {
            grant: id,
            credential: self.credential(desk),
            acceptance: Signed::new(&acceptance, &key(OFFER), &self.ledger),
        })
    }

    pub fn redemption(&self, grant: &IssueGrant, desk: &Desk, use_number: u64) -> RedeemGrant {
        RedeemGrant {
            grant: self.grant_id(grant),
            credential: self.credential(desk),
            use_number,
            records: vec![0],
            epk: public(EPK),
            auditor_box: vec![1; USE_BOX],
        }
    }

    pub fn redeem(&mut self, grant: &IssueGrant, desk: &Desk, use_number: u64) -> Result<u64, Rejection> {
        self.take(&Transaction::RedeemGrant(self.redemption(grant, desk, use_number)), &desk.key())
    }

    pub fn revoke(&mut self, grant: &IssueGrant) -> Result<u64, Rejection> {
        let revocation = RevokeGrant { grant: self.grant_id(grant) };
        self.take(&Transaction::RevokeGrant(revocation), &key(GRANT))
    }
}

pub(crate) const GRANT: u16 = 40;
pub(crate) const OFFER: u16 = 41;
pub(crate) const EPK: u16 = 42;
pub(crate) const TICKET: u16 = 43;
pub(crate) const SEAL: u16 = 44;
pub(crate) const REQUEST: u16 = 45;
const REPLY: u16 = 46;
const DESK: u16 = 60;

/// A desk with its credential, good for 12 hours.
#[derive(Clone)]
pub(crate) struct Desk {
    number: u16,
    pub credential: Credential,
}

impl Desk {
    pub fn new(code: &str, role: Role, now: u64) -> Self {
        Self::numbered(DESK, code, role, now)
    }

    pub fn numbered(number: u16, code: &str, role: Role, now: u64) -> Self {
        let credential = Credential {
            party: party(code),
            role,
            grantee: public(number),
            box_key: public(number + 1),
            expiry: now + 12 * HOUR,
        };
        Self { number, credential }
    }

    pub fn key(&self) -> SecretKey {
        key(self.number)
    }

    #[must_use]
    pub fn until(mut self, expiry: u64) -> Self {
        self.credential.expiry = expiry;
        self
    }
}

pub(crate) fn ticket(expiry: u64) -> Destination {
    Destination::Ticket(public(TICKET), expiry, Digest::of(b"shares"))
}

pub(crate) fn grant(now: u64) -> IssueGrant {
    IssueGrant {
        key: public(GRANT),
        kind: Kind::Read,
        offer: public(OFFER),
        role: Role::Physician,
        duration: 2 * HOUR,
        accept_within: HOUR / 2,
        uses: 2,
        interval: 0,
        records: 3,
        shares: Digest::of(b"shares"),
        auditor_box: vec![1; GRANT_BOX],
        reply: public(REPLY),
        include_before: now + 600,
    }
}

pub(crate) fn registration(code: &str, serial: u64, roles: Vec<Role>) -> Transaction {
    Transaction::RegisterParty(RegisterParty {
        certificate: certificate(code, ROOT, serial, YEARS),
        acceptance: acceptance_key(code).public(),
        vouchers: Vec::new(),
        roles,
    })
}

pub(crate) fn suspension(code: &str, from: u64, why: &str) -> Transaction {
    Transaction::SuspendParty(SuspendParty { party: party(code), from, why: why.to_owned() })
}

/// A signed object whose signature is no signature: for tests that say which signatures hold.
pub(super) fn forged<T: Object>(object: &T, kid: &PublicKey) -> Signed<T> {
    let mut header = minicbor::Encoder::new(Vec::new());
    let content_type = format!("application/suishen.{}+cbor", T::NAME);
    header.map(3).and_then(|e| e.u8(1)?.i64(-65537)?.u8(3)?.str(&content_type)).expect("in memory");
    header.u8(4).and_then(|e| e.bytes(kid.key_id().as_bytes())).expect("in memory");
    let mut e = minicbor::Encoder::new(Vec::new());
    e.array(4).and_then(|e| e.bytes(header.writer())?.map(0)).expect("in memory");
    e.bytes(&cbor::encode(object)).and_then(|e| e.bytes(&[0; 64])).expect("in memory");
    Signed::from_bytes(e.writer()).expect("the form is right")
}
