//! One object or more of every rule, as the code makes them: most out of the story itself.

mod canaries;
mod claims;
mod sync;
mod vault;

use crate::people::{Desk, Patient};
use crate::records::{Kept, issue_ticket, prepare};
use crate::sharing::{Sharing, consent, presence, redeem, share, told};
use crate::world::{DAY, NOW, World};
use suishen_core::cbor;
use suishen_core::consent::{
    ConsultAnswer, Consultation, DeskIdentity, Greeting, Message, PartKey, Receipt, Salt, Wants,
};
use suishen_core::contract::{AnchorReport, Destination};
use suishen_core::contract::{
    Batch, Entry, Key, LogAudit, RevokeGrant, RotateKeys, Rotated, SignedTransaction, SupersedeReport,
    SuspendParty, Suspension, Transaction, Views as _,
};
use suishen_core::gate::{self, GateDay, Revocation, Subject, Torn};
use suishen_core::id::{HolderCommitment, InboxId, TransactionId};
use suishen_core::identity::{CredentialRequest, Enrolled, Enrolment, Invite, Kind, Role, ServerSeat};
use suishen_core::proof::bundle::{self, Bundle, ShownParty};
use suishen_core::proof::checkpoint::SignedCheckpoint;
use suishen_core::proof::log::{ShownGrant, ShownGrants};
use suishen_core::proof::remembered::Remembered;
use suishen_core::proof::time::TimeStatement;
use suishen_core::qr::{ConsentOffer, IdentityOffer, PeerOffer, Relays};
use suishen_core::report::{Salt16, Sensitivity};
use suishen_core::sm::{Digest, Key32, SecretKey, Signed};

/// What a rule must describe.
pub struct Object {
    pub rule: &'static str,
    pub bytes: Vec<u8>,
    /// What `Debug` shows of it, where it is a type of its own.
    pub shown: String,
}

/// Objects as they are found.
#[derive(Default)]
struct Found(Vec<Object>);

impl Found {
    fn bytes(&mut self, rule: &'static str, bytes: Vec<u8>) {
        self.0.push(Object { rule, bytes, shown: String::new() });
    }

    fn add<T: minicbor::Encode<()> + core::fmt::Debug>(&mut self, rule: &'static str, value: &T) {
        self.0.push(Object { rule, bytes: cbor::encode(value), shown: format!("{value:?} {value:#?}") });
    }
}

/// Every object.
pub fn all() -> Vec<Object> {
    with_canaries().0
}

/// Every object, and what must not be seen of those when they are printed: name, bytes.
pub fn with_canaries() -> (Vec<Object>, Vec<(&'static str, Vec<u8>)>) {
    let mut found = Found::default();
    let mut story = Story::new();
    let canaries = story.canaries();
    story.names(&mut found);
    story.people(&mut found);
    story.reports(&mut found);
    story.consent(&mut found);
    story.gates(&mut found);
    story.vault(&mut found);
    story.sync(&mut found);
    story.claims(&mut found);
    story.ledger(&mut found);
    story.proofs(&mut found);
    (found.0, canaries)
}

struct Story {
    world: World,
    patient: Patient,
    records: [Kept; 2],
    sharing: Sharing,
    desk: Desk,
    /// Opens what the gates released.
    epk: SecretKey,
}

impl Story {
    /// A grant of two records, accepted and read once, one record of it in groups.
    fn new() -> Self {
        let mut world = World::of(4);
        let mut patient = Patient::open(&mut world);
        let records = [Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
        let openings = records[0].openings.iter().take(2).cloned().collect();
        let drafts = vec![records[0].in_groups(openings), records[1].whole()];
        let auditor = world.auditor_box.public();
        let sharing = Sharing::draft_of(&mut world, &patient, &records, drafts, &auditor).send(&mut world);
        let desk = world.reading_desk();
        sharing.accept(&mut world, &desk).unwrap();
        let epk = redeem(&mut world, &sharing, &desk, 1).unwrap();
        Self { world, patient, records, sharing, desk, epk }
    }

    // ---- building blocks and names -------------------------------------------------------------------------

    fn names(&mut self, found: &mut Found) {
        let key = &self.desk.grantee;
        found.add("digest", &Digest::of(b"x"));
        found.add("key", &key.public());
        found.add("secret", key);
        found.add("secret", &Key32::from_bytes([1; 32]));
        found.add("salt16", &Salt16::from_bytes([1; 16]));
        found.add("salt32", &Salt([1; 32]));
        found.add("signature", &key.sign(b"x"));
        found.add("party-id", &self.world.clinic.id);
        found.add("ledger-id", &self.world.ledger);
        found.add("transaction-id", &TransactionId::from_bytes([1; 32]));
        found.add("grant-id", &self.sharing.grant());
        found.add("commitment", &self.records[0].commitment);
        found.add("holder-id", &self.patient.holder);
        found.add("holder-commitment", &HolderCommitment::of(&[1; 32], &self.patient.holder));
        found.add("vault-id", self.patient.vault.id());
        found.add("blob-address", &self.records[0].parts[0].address);
        found.add("inbox-id", &InboxId::of(&key.public()));
    }

    // ---- certificates and enrolment ------------------------------------------------------------------------

    fn people(&mut self, found: &mut Found) {
        let World { clinic, ledger, random, now, root, .. } = &mut self.world;
        for kind in [
            Kind::Root,
            Kind::Organisation,
            Kind::PersonSign,
            Kind::PersonSeal,
            Kind::ServerSign,
            Kind::ServerSeal,
        ] {
            found.add("certificate-kind", &kind);
        }
        for role in Role::ALL {
            found.add("role", &role);
        }
        let mut invite = Invite::new(clinic.id.clone(), Role::Physician, "张伟", *now, random);
        found.add("invite", &invite);
        (invite.title, invite.unit) = (Some("主任医师".into()), Some("心内科".into()));
        found.add("invite", &invite);
        let server =
            Invite { server: Some(ServerSeat::Claims), role: Role::InsurerCommercial, ..invite.clone() };
        found.add("invite", &server);
        let (sign, seal) = (SecretKey::generate(random), SecretKey::generate(random));
        let request =
            Enrolment::request(Signed::new(&invite, &clinic.key, ledger), &sign, &seal.public(), ledger);
        found.add("enrolment", &request.claimed().unwrap());
        let subject = clinic.person("张伟");
        let [(first, _), (second, _)] = [Kind::PersonSign, Kind::PersonSeal]
            .map(|kind| clinic.certify(kind, Role::Physician, subject.clone(), random));
        let pair = [first.leaf().clone(), second.leaf().clone()];
        for certificate in [root.clone(), clinic.certificate.clone(), pair[0].clone(), pair[1].clone()] {
            found.add("certificate", &certificate);
            found.bytes("certificate-purpose", purpose(certificate.to_der()));
        }
        found.add("enrolled", &Enrolled { pair, organisation: clinic.certificate.clone() });
        found.add("chain", &first);
        let keys = vec![(sign.public(), seal.public())];
        let request = CredentialRequest { chain: first, role: Role::Physician, keys };
        found.add("credential-request", &request);
        let credentials = request.grant(&clinic.id, &clinic.acceptance, ledger, *now);
        found.add("credentials", &credentials);
        found.add("signed-credential", &credentials[0]);
        found.add("credential", &credentials[0].claimed().unwrap());
    }

    // ---- reports ---------------------------------------------------------------------------------------------

    fn reports(&mut self, found: &mut Found) {
        let desk = self.world.issuing_desk();
        let mut contents = prepare(&mut self.world, &desk, &desk.grantee).contents;
        found.add("ticket-contents", &contents);
        contents.holder_salt = Some([1; 32]);
        found.add("ticket-contents", &contents);
        found.add("part-copy", &contents.parts[0]);
        found.add("group-opening", &contents.openings[0]);
        found.bytes("signed", contents.manifest.clone());
        let mut manifest = self.records[0].manifest.claimed().unwrap();
        found.add("manifest", &manifest);
        found.add("part", &manifest.parts[0]);
        manifest.replaces = Some(self.records[1].commitment);
        found.add("manifest", &manifest);
        for class in [
            Sensitivity::Ordinary,
            Sensitivity::Hiv,
            Sensitivity::Psychiatric,
            Sensitivity::Genetic,
            Sensitivity::Reproductive,
            Sensitivity::Other,
        ] {
            found.add("sensitivity", &class);
        }
    }

    // ---- consent ---------------------------------------------------------------------------------------------

    fn consent(&mut self, found: &mut Found) {
        let (sharing, desk, world) = (&self.sharing, &self.desk, &mut self.world);
        let (draft, grant, ledger) = (&sharing.draft, sharing.grant(), world.ledger);
        let mut offer = ConsentOffer {
            grant,
            offer_key: draft.offer.clone(),
            half: None,
            checkpoint: None,
            relays: None,
        };
        found.add("consent-offer", &offer);
        let relays = Relays::new(vec!["https://relay-2.example".into()]).unwrap();
        found.add("relays", &relays);
        (offer.half, offer.checkpoint) = (Some(draft.half.clone()), Some(Digest::of(b"x")));
        offer.relays = Some(relays.clone());
        found.add("consent-offer", &offer);
        let holder = HolderCommitment::of(&[1; 32], &self.patient.holder);
        let key = desk.grantee.public();
        let mut identity =
            IdentityOffer { holder, encryption_key: key, inbox: InboxId::of(&key), relays: None };
        found.add("identity-offer", &identity);
        identity.relays = Some(relays.clone());
        found.add("identity-offer", &identity);
        for relays in [None, Some(relays)] {
            let secret = draft.half.clone();
            found.add("peer-offer", &PeerOffer { peer: vec![1; 38], secret, relays });
        }

        let payload = sharing.payload();
        found.add("payload", &payload);
        for record in &payload.records {
            found.add("payload-record", record);
        }
        found.add("wrapped-part", &payload.records[1].parts[0]);
        found.add("wrapped-groups", payload.records[0].groups.as_ref().unwrap());
        let copy = &self.records[0].parts[0];
        found.add("part-key", &PartKey { key: copy.key.clone(), salt: copy.salt });
        found.add("consent", &consent());
        found.add("grant-binding", &payload.binding.claimed().unwrap());
        found.add("holder-proof", &payload.holder);
        found.add("auditor-opening", &payload.auditor);
        found.add("auditor-grant", &payload.auditor.grant);
        found.add("audited-record", &payload.auditor.grant.records[0]);
        found.add("auditor-use", &told(world, sharing, desk, 1));

        let presence = presence(world, grant, desk);
        found.add("presence", &presence.claimed().unwrap());
        let identity = DeskIdentity { chain: desk.chain.clone(), presence, checkpoint: world.note() };
        found.add("desk-identity", &identity);
        let receipt = Receipt { grant, number: 1, records: vec![0, 1], checkpoint: world.note() };
        found.add("receipt", &receipt);
        let accepted = sharing.accepted(world);
        let reply = draft.reply.public();
        found.add("drop", &Message::Payload(draft.payload.clone()));
        found.add("drop", &identity.seal(&reply, &grant, &ledger, &mut world.random));
        found.add("drop", &Message::half(&draft.half, &accepted, &grant, &ledger, &mut world.random));
        found.add("drop", &receipt.seal(&desk.grantee, &reply, &ledger, &mut world.random));

        let consultation = Consultation::new(ledger, &draft.half, (&[1; 38], &[2; 38]));
        let caller = consultation.caller(&desk.person);
        found.add("consult-caller", &caller.claimed().unwrap());
        for months in [None, Some(12)] {
            let wants = Wants { purpose: "TREAT".into(), months, duration: 3600 };
            found.add("consult-wants", &wants);
            let chains = [desk.chain.clone(), desk.chain.clone()];
            let greeting = consultation.call(&desk.person, chains, wants, world.note());
            found.add("consult-greeting", &greeting);
            let Greeting::Call(call) = greeting else { continue };
            found.add("consult-call", &*call);
            found.add("consult-answer", &consultation.yes(&call, &offer, &mut world.random));
        }
        found.add("consult-greeting", &Greeting::Again(grant, caller));
        for answer in [ConsultAnswer::No, ConsultAnswer::Busy, ConsultAnswer::GoOn] {
            found.add("consult-answer", &answer);
        }
    }

    // ---- gates -----------------------------------------------------------------------------------------------

    fn gates(&mut self, found: &mut Found) {
        let deposit = &self.sharing.draft.deposits[0];
        found.add("deposit", deposit);
        found.add("record-deposit", &deposit.records[0]);
        found.add("share", &deposit.records[0].share);
        let gate = &self.world.gates[0];
        found.add("gate-day", &GateDay { from: NOW, until: NOW + DAY, key: gate.day.public() });
        let subject = Subject::Grant(self.sharing.grant());
        for (_, release) in self.world.releases(&subject, 1, &self.epk).unwrap() {
            found.add("release", &release);
        }
        let (state, now, ledger) = (&self.world.state, self.world.now, &self.world.ledger);
        let released = gate.release(&subject, 1, state, now, ledger).unwrap();
        found.add("released", &released.claimed().unwrap());
        found.add("torn", &Torn { object: *subject.object(), at: now });
        found.add("kept", &gate::Kept { commitment: self.records[0].commitment });
        let body = Transaction::RevokeGrant(RevokeGrant { grant: self.sharing.grant() });
        let key = &self.sharing.draft.key;
        let signed = SignedTransaction::new(&body, key, ledger);
        found.add("revocation", &Revocation { key: key.public(), signed });
    }

    // ---- ledger ----------------------------------------------------------------------------------------------

    /// The rest of what may be ordered, then every entry and every value of the state.
    fn ledger(&mut self, found: &mut Found) {
        self.order_the_rest();
        let world = &self.world;
        found.add("genesis", &world.genesis);
        found.add("member", &world.genesis.members[0]);
        found.add("auditor", &world.genesis.auditor);
        found.add("bounds", &world.genesis.bounds);
        let mut kinds = std::collections::BTreeSet::new();
        let mut batch = Vec::new();
        for leaf in &world.leaves[1..] {
            found.bytes("entry", leaf.clone());
            let signed = Entry::from_bytes(leaf).unwrap().signed;
            found.add("signed-transaction", &signed);
            let transaction = signed.claimed().unwrap();
            kinds.insert(transaction.number());
            found.add("transaction", &transaction);
            body(found, &transaction);
            batch.push(signed);
        }
        assert_eq!(kinds.len(), Transaction::NAMES.len(), "every kind was ordered");
        found.add("batch", &Batch::new(batch).unwrap());
        for (key, value) in world.state.iter() {
            let rule = match Key::from_bytes(key).unwrap() {
                Key::Genesis => "genesis",
                Key::Party(_) => "party",
                Key::Serial(_) => "party-id",
                Key::Holder(_) => "holder",
                Key::Anchor(_) => "anchor",
                Key::Grant(_) => "grant-leaf",
                Key::Terms(_) => "terms",
                Key::Use(..) => "use",
                Key::Quota(..) | Key::Transaction(_) => "uint",
                Key::Auditor => "auditor-keys",
                Key::Last => "last",
                Key::Claim(_) => "claim",
            };
            if rule != "uint" {
                found.bytes(rule, value.to_vec());
            }
        }
        let anchor = world.state.anchor(&self.records[0].commitment).unwrap().unwrap();
        found.add("binding", &anchor.binding.unwrap());
        let anchor = world.state.anchor(&self.records[1].commitment).unwrap().unwrap();
        found.add("cancellation", &anchor.cancellation.unwrap());
        let suspension: Suspension =
            world.state.party(&world.hospital.id).unwrap().unwrap().suspension.unwrap();
        found.add("suspension", &suspension);
        let leaf = world.state.grant(&self.sharing.grant()).unwrap().unwrap();
        found.add("status", &leaf.status);
        found.add("accepted", &self.sharing.accepted(world));
    }

    fn order_the_rest(&mut self) {
        let (world, patient) = (&mut self.world, &self.patient);
        let newer = SecretKey::generate(&mut world.random);
        let second = share(world, patient, &self.records);
        let revoke = Transaction::RevokeGrant(RevokeGrant { grant: second.grant() });
        world.send(revoke, &second.draft.key).unwrap();
        patient.move_holder(world, &newer);
        self.records[1].cancel(world);
        let desk = world.issuing_desk();
        let replaced = issue_ticket(world, &desk).ticket.commitment();
        let body = SupersedeReport {
            commitment: prepare(world, &desk, &desk.grantee).contents.commitment(),
            credential: desk.credential.clone(),
            destination: Destination::Holder(HolderCommitment::of(&[1; 32], &patient.holder)),
            replaces: replaced,
            why: "更正".into(),
        };
        world.send(Transaction::SupersedeReport(body), &desk.grantee).unwrap();
        let audit = world.audit.clone();
        world.send(Transaction::LogAudit(LogAudit { auditor_box: vec![1; 64] }), &audit).unwrap();
        let rotate = RotateKeys {
            party: world.auditor.id.clone(),
            sequence: 1,
            which: Rotated::AuditorBox,
            key: newer.public(),
        };
        let signer = world.auditor.key.clone();
        world.send(Transaction::RotateKeys(rotate), &signer).unwrap();
        let why = SuspendParty { party: world.hospital.id.clone(), from: world.now, why: "违规".into() };
        let votes = world.votes(&Transaction::SuspendParty(why));
        world.order(votes).unwrap();
    }

    // ---- proofs ----------------------------------------------------------------------------------------------

    fn proofs(&mut self, found: &mut Found) {
        let world = &self.world;
        let id = self.sharing.grant();
        let leaf = world.proven(&Key::Grant(id));
        found.add("map-leaf", &leaf.proof.leaves()[0]);
        found.add("map-proof", &leaf.proof);
        found.add("proven-value", &leaf);
        let entry = world.proven_entry(3);
        found.add("proven-entry", &entry);
        found.add("time-statement", &TimeStatement { nonce: [1; 32], time: NOW });
        let note = SignedCheckpoint::parse(&world.note()).unwrap();
        let verified = note.verify(&world.ledger, &world.epoch()).unwrap();
        found.add("remembered", &Remembered::first(&verified));
        let grant = ShownGrant { id, leaf: leaf.value, entries: vec![entry] };
        found.add("shown-grant", &grant);
        let shown = ShownGrants {
            note: world.note(),
            proof: leaf.proof.clone(),
            grants: vec![grant.clone()],
            claims: Vec::new(),
        };
        found.add("shown-grants", &shown);
        let clinic = world.clinic.id.clone();
        let party = ShownParty { id: clinic.clone(), value: world.proven(&Key::Party(clinic)) };
        found.add("shown-party", &party);
        let bundle = Bundle {
            genesis: world.proven_entry(0),
            note: world.note(),
            grant,
            proof: leaf.proof,
            parties: vec![party],
            receipts: vec![bundle::Receipt(vec![1])],
        };
        found.add("bundle", &bundle);
    }
}

/// A transaction's body under the rule of its kind, and what lies in it.
fn body(found: &mut Found, transaction: &Transaction) {
    let rule = transaction.name();
    match transaction {
        Transaction::RegisterParty(body) => found.add(rule, body),
        Transaction::SuspendParty(body) => found.add(rule, body),
        Transaction::RotateKeys(body) => found.add(rule, body),
        Transaction::LogAudit(body) => found.add(rule, body),
        Transaction::OpenHolder(body) => found.add(rule, body),
        Transaction::MoveHolder(body) => found.add(rule, body),
        Transaction::AnchorReport(body @ AnchorReport { destination, .. }) => {
            found.add(rule, body);
            found.add("destination", destination);
        }
        Transaction::SupersedeReport(body) => found.add(rule, body),
        Transaction::BindTicket(body) => found.add(rule, body),
        Transaction::CancelTicket(body) => found.add(rule, body),
        Transaction::IssueGrant(body) => {
            found.add(rule, body);
            found.add("kind", &body.kind);
        }
        Transaction::AcceptGrant(body) => {
            found.add(rule, body);
            found.add("signed-acceptance", &body.acceptance);
            found.add("acceptance", &body.acceptance.claimed().unwrap());
        }
        Transaction::RedeemGrant(body) => found.add(rule, body),
        Transaction::RevokeGrant(body) => found.add(rule, body),
        Transaction::SettleClaim(body) => {
            found.add(rule, body);
            found.add("tag-proof", &body.proof.claimed().unwrap());
            found.add("voucher", &body.voucher.claimed().unwrap());
        }
        Transaction::ReverseClaim(body) => found.add(rule, body),
    }
}

/// The content of our extension: an OCTET STRING with a CBOR map in the extension's OCTET STRING.
fn purpose(der: &[u8]) -> Vec<u8> {
    let found =
        der.windows(5).rposition(|w| w[0] == 4 && w[2] == 4 && w[1] == w[3] + 2 && w[4] & 0xe0 == 0xa0);
    let at = found.unwrap() + 4;
    der[at..at + usize::from(der[at - 1])].to_vec()
}
