//! What the auditor opens, and nobody else.

use crate::people::{Desk, Patient};
use crate::records::Kept;
use crate::sharing::{Sharing, redeem, share, told};
use crate::world::World;
use suishen_core::consent::{AuditedRecord, AuditorGrant, AuditorUse, GRANT_BOX, USE_BOX};
use suishen_core::contract::{Entry, Key, LogAudit, Rejection, Transaction};
use suishen_core::id::GrantId;
use suishen_core::identity::{Certificate, Chain, Kind, Role, Subject};
use suishen_core::report::Sensitivity;
use suishen_core::sm::{Key32, SmError};

struct Scene {
    world: World,
    patient: Patient,
    records: [Kept; 2],
    sharing: Sharing,
    desk: Desk,
}

/// A grant of two records, read once.
fn read_once() -> Scene {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
    let sharing = share(&mut world, &patient, &records);
    let desk = world.reading_desk();
    sharing.accept(&mut world, &desk).unwrap();
    redeem(&mut world, &sharing, &desk, 1).unwrap();
    Scene { world, patient, records, sharing, desk }
}

impl Scene {
    /// The boxes as they stand on the ledger: the grant's, the use's.
    fn boxes(&self) -> [Vec<u8>; 2] {
        let transactions = self.world.leaves[1..]
            .iter()
            .map(|leaf| Entry::from_bytes(leaf).unwrap().signed.claimed().unwrap());
        let mut found = [Vec::new(), Vec::new()];
        for transaction in transactions {
            match transaction {
                Transaction::IssueGrant(body) => found[0] = body.auditor_box,
                Transaction::RedeemGrant(body) => found[1] = body.auditor_box,
                _ => {}
            }
        }
        found
    }
}

#[test]
fn the_auditor_reads_who_shared_what_with_whom_and_who_read_it() {
    let scene = read_once();
    let (secret, ledger, id) = (&scene.world.auditor_box, &scene.world.ledger, scene.sharing.grant());
    let [grant, reading] = scene.boxes();
    assert_eq!((grant.len(), reading.len()), (GRANT_BOX, USE_BOX));

    let shared = AuditorGrant::open(secret, ledger, &id, &grant).unwrap();
    assert_eq!((shared.holder, shared.purpose.as_str()), (scene.patient.holder, "TREAT"));
    let expected =
        scene.records.each_ref().map(|record| AuditedRecord::of(Sensitivity::Hiv, &record.commitment));
    assert_eq!(shared.records, expected);
    // Eight bytes are enough to find the one anchor.
    for record in &shared.records {
        let begins = |key: &Key| matches!(key, Key::Anchor(id) if id.as_bytes()[..8] == record.anchor);
        let keys = scene.world.state.iter().filter_map(|(key, _)| Key::from_bytes(key));
        assert_eq!(keys.filter(begins).count(), 1);
    }

    let read = AuditorUse::open(secret, ledger, &id, 1, &reading).unwrap();
    assert_eq!(read.records, [0, 1]);
    let person = Certificate::from_der(&read.certificate).unwrap();
    let chain = Chain::new(vec![person, scene.world.clinic.certificate.clone()]).unwrap();
    let person = chain.verify(&scene.world.root, scene.world.now).unwrap();
    assert_eq!(person.subject().name.as_deref(), Some("李静"));
    let presence = read.presence.verify(person.key(), ledger).unwrap();
    assert_eq!((presence.grant, presence.grantee), (id, scene.desk.grantee.public()));
}

#[test]
fn a_box_opens_with_the_auditors_key_for_its_own_grant_and_use_only() {
    let scene = read_once();
    let (secret, ledger, id) = (&scene.world.auditor_box, &scene.world.ledger, scene.sharing.grant());
    let [grant, reading] = scene.boxes();
    let other = GrantId::from_bytes([1; 32]);
    let open = Some(SmError::Open);
    assert_eq!(AuditorGrant::open(&scene.world.audit, ledger, &id, &grant).err(), open);
    assert_eq!(AuditorGrant::open(secret, ledger, &other, &grant).err(), open);
    assert_eq!(AuditorUse::open(secret, ledger, &id, 2, &reading).err(), open);
    assert_eq!(AuditorUse::open(secret, ledger, &other, 1, &reading).err(), open);
    // One is not taken for the other.
    assert_eq!(AuditorUse::open(secret, ledger, &id, 1, &grant).err(), open);
    assert_eq!(AuditorGrant::open(secret, ledger, &id, &reading).err(), open);
}

#[test]
fn the_box_of_a_use_is_the_same_size_and_holds_the_longest_names_that_are_certified() {
    let mut scene = read_once();
    let longest = || Some("𠮷".repeat(100));
    let mut clinic = scene.world.clinic.clone();
    let long = "𠮷".repeat(100);
    clinic.certificate = {
        let World { root, root_key, random, .. } = &mut scene.world;
        let made = crate::people::certify_organisation("91330100MA27CLINIC", &long, root, root_key, random);
        clinic.key = made.key.clone();
        made.certificate
    };
    let subject = Subject {
        unit: longest(),
        name: longest(),
        title: longest(),
        ..clinic.certificate.subject().clone()
    };
    let (chain, person) = clinic.certify(Kind::PersonSign, Role::Physician, subject, &mut scene.world.random);
    let desk = Desk { chain, person, ..scene.desk.clone() };
    let mut told = told(&scene.world, &scene.sharing, &desk, 1);
    told.records = (0..48).collect();
    let key = scene.world.auditor_box.public();
    let sealed = told.seal(&Key32::from_bytes([1; 32]), &key, &scene.world.ledger).unwrap();
    assert_eq!(sealed.len(), USE_BOX);
}

#[test]
fn the_auditor_leaves_an_entry_and_nobody_else_does_in_its_name() {
    let mut scene = read_once();
    let body = Transaction::LogAudit(LogAudit { auditor_box: vec![1; 64] });
    let audit = scene.world.audit.clone();
    assert!(scene.world.send(body.clone(), &audit).is_ok());
    let other = scene.world.auditor.key.clone();
    let body = match body {
        Transaction::LogAudit(_) => Transaction::LogAudit(LogAudit { auditor_box: vec![2; 64] }),
        other => other,
    };
    assert_eq!(scene.world.send(body, &other), Err(Rejection::Signature));
}
