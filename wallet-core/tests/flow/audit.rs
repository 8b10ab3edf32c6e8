//! What the auditor finds out of a whole story: names, sums, and whoever put something else into a box than the entry
//! says.

use crate::people::{Desk, Organisation, Patient, certify_organisation, consortium_root};
use crate::records::Kept;
use crate::sharing::{Sharing, presence, redeem, share, told};
use crate::world::{DAY, World};
use core::ops::Range;
use suishen_core::audit::{
    At, Audit, BoxKeys, Boxed, Finding, Look, Read, Row, Settlement, Tables, Thresholds, Told, Wrong,
};
use suishen_core::consent::{
    AuditorLook, AuditorOpening, AuditorUse, BoxFault, Certifiers, GRANT_BOX, LOOK_TEXT, USE_BOX,
};
use suishen_core::contract::{
    Context, Entry, LogAudit, Memory, RedeemGrant, Role, RotateKeys, Rotated, Transaction, apply,
};
use suishen_core::id::GrantId;
use suishen_core::identity::Kind;
use suishen_core::report::Sensitivity;
use suishen_core::sm::{Key32, SecretKey, sealed};

/// The certificates of an organisation, as the ledger has them.
pub fn certifiers(world: &World, organisation: &Organisation) -> Certifiers {
    let mut certifiers = Certifiers::default();
    certifiers.add(organisation.certificate.clone(), &world.root, world.now).unwrap();
    certifiers
}

/// What an audit gave.
pub struct Audited {
    pub rows: Vec<Row>,
    pub findings: Vec<Finding>,
    pub tables: Tables,
}

/// Replays everything from entry 0, with these keys at hand.
pub fn audit(world: &World, keys: &[&SecretKey]) -> Audited {
    audit_by(world, keys, Thresholds::default())
}

fn audit_by(world: &World, keys: &[&SecretKey], thresholds: Thresholds) -> Audited {
    replayed(world, keys, thresholds, 0..u64::MAX)
}

/// Replays everything, and opens and lists some entries only.
pub fn audit_within(world: &World, keys: &[&SecretKey], range: Range<u64>) -> Audited {
    replayed(world, keys, Thresholds::default(), range)
}

fn replayed(world: &World, keys: &[&SecretKey], thresholds: Thresholds, range: Range<u64>) -> Audited {
    let keys: BoxKeys = keys.iter().map(|key| (*key).clone()).collect();
    let mut state = Memory::new(&world.genesis);
    let mut audit = Audit::new(&world.genesis, thresholds).unwrap().within(range, None);
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    let mut last = At { entry: 0, time: world.genesis.time };
    for (number, leaf) in (1u64..).zip(&world.leaves[1..]) {
        let entry = Entry::from_bytes(leaf).unwrap();
        let context = Context { number, now: entry.now, sponsor: entry.sponsor.clone() };
        state.commit(apply(&state, &context, &entry.signed, &world.ledger).unwrap());
        last = At { entry: number, time: entry.now };
        let transaction = entry.signed.claimed().unwrap();
        if let Some(boxes) = audit.boxes(last, &transaction, &state).unwrap() {
            let taken = audit.take(boxes.open(&keys));
            rows.extend(taken.row);
            findings.extend(taken.findings);
        }
    }
    let (tables, more) = audit.end(last);
    findings.extend(more);
    Audited { rows, findings, tables }
}

impl Audited {
    fn reads(&self) -> Vec<&Read> {
        self.rows.iter().filter_map(|row| if let Row::Read(read) = row { Some(read) } else { None }).collect()
    }

    pub fn settlements(&self) -> Vec<&Settlement> {
        self.rows
            .iter()
            .filter_map(|row| if let Row::Settlement(it) = row { Some(it) } else { None })
            .collect()
    }

    fn wrongs(&self) -> Vec<&Wrong> {
        self.findings.iter().map(|finding| &finding.what).collect()
    }

    /// The only finding.
    pub fn one(&self) -> &Finding {
        let [finding] = self.findings.as_slice() else { panic!("{:?}", self.findings) };
        finding
    }
}

// ---- reads -------------------------------------------------------------------------------------------------------

struct Scene {
    world: World,
    patient: Patient,
    records: Vec<Kept>,
    sharing: Sharing,
    desk: Desk,
}

/// A grant of one record, accepted and not read yet.
fn shared() -> Scene {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let desk = world.reading_desk();
    sharing.accept(&mut world, &desk).unwrap();
    Scene { world, patient, records, sharing, desk }
}

impl Scene {
    /// Redeems the first use, with whatever box.
    fn redeems(&mut self, auditor_box: Vec<u8>) {
        self.redeems_use(1, auditor_box);
    }

    fn redeems_use(&mut self, number: u32, auditor_box: Vec<u8>) {
        let epk = SecretKey::generate(&mut self.world.random);
        let body = RedeemGrant {
            grant: self.sharing.grant(),
            credential: self.desk.credential.clone(),
            use_number: number.into(),
            records: vec![0],
            epk: epk.public(),
            auditor_box,
        };
        self.world.send(Transaction::RedeemGrant(body), &self.desk.grantee).unwrap();
    }

    fn sealed(&self, told: &AuditorUse, key: &SecretKey) -> Vec<u8> {
        told.seal(&Key32::from_bytes([9; 32]), &key.public(), &self.world.ledger).unwrap()
    }

    fn told(&self) -> AuditorUse {
        told(&self.world, &self.sharing, &self.desk, 1)
    }

    fn audit(&self) -> Audited {
        audit(&self.world, &[&self.world.auditor_box])
    }
}

#[test]
fn a_read_has_a_name_a_purpose_a_class_and_a_patients_consent() {
    let mut scene = shared();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 1).unwrap();
    let audited = scene.audit();
    assert_eq!(audited.findings, []);
    let [read] = audited.reads()[..] else { panic!("one read") };
    let who = read.by.opened().unwrap();
    assert_eq!((who.name.as_str(), who.unit.as_str(), who.title.as_str()), ("李静", "心内科", "主任医师"));
    assert_eq!((&read.party, read.role, read.number), (&scene.world.clinic.id, Role::Physician, 1));
    assert_eq!(read.grant, scene.sharing.grant());
    let consent = read.consent.opened().unwrap();
    assert_eq!((consent.purpose.as_str(), consent.holder), ("TREAT", scene.patient.holder));
    assert_eq!((&read.classes[..], read.records), (&[Sensitivity::Hiv][..], 1));
    let institution = &audited.tables.institutions[&scene.world.clinic.id];
    assert_eq!((institution.name.as_str(), institution.reads, institution.nameless), ("南塘诊所", 1, 0));
    assert_eq!(audited.tables.hours.iter().sum::<u64>(), 1);
    assert_eq!(audited.tables.readers.len(), 1);
}

#[test]
fn without_the_quarters_key_a_read_is_counted_and_nobody_is_named() {
    let mut scene = shared();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 1).unwrap();
    let stranger = SecretKey::generate(&mut scene.world.random);
    for keys in [vec![], vec![&stranger], vec![&scene.world.audit]] {
        let audited = audit(&scene.world, &keys);
        assert_eq!(audited.findings, []);
        let [read] = audited.reads()[..] else { panic!("one read") };
        assert_eq!((&read.by, &read.consent), (&Told::NoKey, &Told::NoKey));
        let institution = &audited.tables.institutions[&scene.world.clinic.id];
        assert_eq!((institution.reads, institution.nameless, audited.tables.no_key), (1, 1, 1));
    }
}

#[test]
fn a_box_of_nonsense_is_found_with_the_desks_organisation_and_key() {
    let mut scene = shared();
    scene.redeems(vec![7; USE_BOX]);
    let audited = scene.audit();
    let finding = audited.one();
    assert_eq!(finding.what, Wrong::Box(Boxed::Use, BoxFault::Sealed));
    assert_eq!(finding.signer.party.as_ref(), Some(&scene.world.clinic.id));
    assert_eq!(finding.signer.desk, Some(scene.desk.grantee.public()));
    assert!(finding.signer.person.is_none() && !finding.signer.proven);
    assert_eq!(audited.reads()[0].by, Told::Wrong);
    assert_eq!(audited.tables.findings["box-sealed"], 1);
}

#[test]
fn a_box_with_any_byte_changed_is_found_and_one_of_another_entry_too() {
    let honest = shared();
    let sealed = honest.sealed(&honest.told(), &honest.world.auditor_box);
    let mut boxes: Vec<Vec<u8>> = [0, 1, 64, 65, 66, 1000, USE_BOX - 17, USE_BOX - 1]
        .into_iter()
        .map(|at| {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            changed
        })
        .collect();
    let second = AuditorUse { number: 2, ..honest.told() };
    boxes.push(honest.sealed(&second, &honest.world.auditor_box));
    for auditor_box in boxes {
        let mut scene = shared();
        scene.redeems(auditor_box);
        assert_eq!(scene.audit().one().what, Wrong::Box(Boxed::Use, BoxFault::Sealed));
    }
    let mut scene = shared();
    scene.redeems(sealed);
    assert_eq!(scene.audit().findings, []);
}

#[test]
fn a_name_counts_only_by_its_own_organisation_under_the_root_in_the_role_and_for_this_desk() {
    let world = shared().world;
    let (clinic, hospital) = (world.clinic.clone(), world.hospital.clone());
    let mut random = crate::Seeded(77);
    let (root, root_key) = consortium_root(&mut random);
    let forged = certify_organisation(clinic.id.as_str(), "南塘诊所", &root, &root_key, &mut random);
    let cases = [
        // Another organisation's person; one certified by a key that calls itself the clinic.
        (&hospital, Kind::PersonSign, Role::Physician, Some(BoxFault::Certificate)),
        (&forged, Kind::PersonSign, Role::Physician, Some(BoxFault::Certificate)),
        (&clinic, Kind::PersonSign, Role::Pharmacist, Some(BoxFault::Role)),
        (&clinic, Kind::PersonSeal, Role::Physician, Some(BoxFault::Role)),
        (&clinic, Kind::PersonSign, Role::Physician, None),
        (&clinic, Kind::ServerSign, Role::Physician, None),
    ];
    for (organisation, kind, role, fault) in cases {
        let mut scene = shared();
        let (chain, person) = organisation.certify(kind, role, organisation.person("冒名"), &mut random);
        let desk = Desk { chain, person, ..scene.desk.clone() };
        let told = told(&scene.world, &scene.sharing, &desk, 1);
        scene.redeems(scene.sealed(&told, &scene.world.auditor_box));
        let audited = scene.audit();
        match fault {
            None => assert_eq!(audited.findings, []),
            Some(fault) => {
                let finding = audited.one();
                assert_eq!(finding.what, Wrong::Box(Boxed::Use, fault));
                // The name is shown as what the box claims.
                assert_eq!(finding.signer.person.as_ref().unwrap().name, "冒名");
                assert!(!finding.signer.proven);
            }
        }
    }
}

#[test]
fn a_box_about_another_use_record_or_desk_is_found() {
    let scene = shared();
    let (other, honest) = (GrantId::from_bytes([1; 32]), scene.told());
    let stolen = Desk { grantee: scene.desk.box_key.clone(), ..scene.desk.clone() };
    let records = AuditorUse { records: vec![0, 1], ..honest.clone() };
    let presence_elsewhere =
        AuditorUse { presence: presence(&scene.world, scene.sharing.grant(), &stolen), ..honest.clone() };
    let presence_of_another =
        AuditorUse { presence: presence(&scene.world, other, &scene.desk), ..honest.clone() };
    for (told, fault) in [
        (records, BoxFault::Other),
        (presence_elsewhere, BoxFault::Presence),
        (presence_of_another, BoxFault::Presence),
        (AuditorUse { grant: other, ..honest.clone() }, BoxFault::Sealed),
        (AuditorUse { number: 2, ..honest }, BoxFault::Sealed),
    ] {
        let mut scene = shared();
        scene.redeems(scene.sealed(&told, &scene.world.auditor_box));
        assert_eq!(scene.audit().one().what, Wrong::Box(Boxed::Use, fault));
    }
}

#[test]
fn who_redeems_a_grant_whose_own_box_is_false_is_named() {
    let lies: [fn(&mut AuditorOpening); 2] =
        [|opening| opening.grant.records.clear(), |opening| opening.grant.records[0].anchor = [0; 8]];
    let found = [Wrong::Box(Boxed::Grant, BoxFault::Other), Wrong::Records];
    for (lie, found) in lies.into_iter().zip(found) {
        let mut scene = shared();
        let sharing = Sharing::draft(&mut scene.world, &scene.patient, &scene.records);
        let mut opening = sharing.payload().auditor;
        lie(&mut opening);
        let auditor_box = opening.seal(&scene.world.auditor_box.public(), &scene.world.ledger).unwrap();
        assert_eq!(auditor_box.len(), GRANT_BOX);
        let issued = sharing.altered(&scene.world, |body| body.auditor_box = auditor_box);
        scene.world.order(issued).unwrap();
        sharing.accept(&mut scene.world, &scene.desk).unwrap();
        redeem(&mut scene.world, &sharing, &scene.desk, 1).unwrap();
        let audited = scene.audit();
        let by_reader = audited.findings.iter().find(|finding| finding.signer.party.is_some()).unwrap();
        assert_eq!(by_reader.what, found);
        assert_eq!(by_reader.signer.person.as_ref().unwrap().name, "李静");
        assert!(by_reader.signer.proven);
        // The grant's own entry names nobody: a patient's key signed it.
        assert!(audited.findings.iter().all(|it| it == by_reader || it.signer.party.is_none()));
    }
}

// ---- quarters ----------------------------------------------------------------------------------------------------

/// The auditor changes the key that boxes are sealed to.
fn rotate(world: &mut World, sequence: u64) -> SecretKey {
    let newer = SecretKey::generate(&mut world.random);
    let body = RotateKeys {
        party: world.auditor.id.clone(),
        sequence,
        which: Rotated::AuditorBox,
        key: newer.public(),
    };
    let certified = world.auditor.key.clone();
    world.send(Transaction::RotateKeys(body), &certified).unwrap();
    newer
}

/// A grant read once in the first quarter, and one in the second.
fn two_quarters() -> (World, SecretKey) {
    let mut scene = shared();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 1).unwrap();
    let newer = rotate(&mut scene.world, 1);
    scene.world.wait(2 * DAY);
    let sharing = share(&mut scene.world, &scene.patient, &scene.records);
    let desk = scene.world.reading_desk();
    sharing.accept(&mut scene.world, &desk).unwrap();
    redeem(&mut scene.world, &sharing, &desk, 1).unwrap();
    (scene.world, newer)
}

#[test]
fn an_old_key_opens_nothing_new_and_a_new_one_nothing_old() {
    let (world, newer) = two_quarters();
    let opened = |keys: &[&SecretKey]| -> Vec<bool> {
        let audited = audit(&world, keys);
        assert_eq!(audited.findings, []);
        audited.reads().iter().map(|read| read.by.opened().is_some()).collect()
    };
    assert_eq!(opened(&[&world.auditor_box]), [true, false]);
    assert_eq!(opened(&[&newer]), [false, true]);
    assert_eq!(opened(&[&newer, &world.auditor_box]), [true, true]);
}

#[test]
fn a_box_key_counts_once_whatever_else_is_changed_in_the_same_second() {
    let mut scene = shared();
    rotate(&mut scene.world, 1);
    scene.world.now -= 1;
    let (party, key) =
        (scene.world.auditor.id.clone(), SecretKey::generate(&mut scene.world.random).public());
    let body = RotateKeys { party, sequence: 2, which: Rotated::Audit, key };
    let certified = scene.world.auditor.key.clone();
    scene.world.send(Transaction::RotateKeys(body), &certified).unwrap();
    assert_eq!(audit(&scene.world, &[]).tables.quarters.len(), 2);
}

#[test]
fn a_box_sealed_to_the_wrong_quarters_key_is_found() {
    let mut scene = shared();
    let newer = rotate(&mut scene.world, 1);
    let older = scene.world.auditor_box.clone();
    // For a day the one before still holds.
    let told = scene.told();
    scene.redeems(scene.sealed(&told, &older));
    assert_eq!(audit(&scene.world, &[&older, &newer]).findings, []);
    scene.world.wait(2 * DAY);
    scene.sharing = share(&mut scene.world, &scene.patient, &scene.records);
    scene.desk = scene.world.reading_desk();
    scene.sharing.accept(&mut scene.world, &scene.desk).unwrap();
    let told = scene.told();
    scene.redeems(scene.sealed(&told, &older));
    let fault = |keys: &[&SecretKey]| audit(&scene.world, keys).one().what.clone();
    assert_eq!(fault(&[&older, &newer]), Wrong::Box(Boxed::Use, BoxFault::OtherQuarter));
    assert_eq!(fault(&[&newer]), Wrong::Box(Boxed::Use, BoxFault::Sealed));
    // With the older key alone nobody can tell.
    assert_eq!(audit(&scene.world, &[&older]).findings, []);
    // What it says is read all the same.
    let audited = audit(&scene.world, &[&older, &newer]);
    assert!(audited.reads().iter().all(|read| read.by.opened().is_some()));
}

#[test]
fn a_key_that_is_in_force_for_longer_than_a_quarter_is_said() {
    let mut scene = shared();
    scene.world.wait(100 * DAY);
    Patient::open(&mut scene.world);
    let audited = scene.audit();
    assert!(matches!(audited.one().what, Wrong::KeyOverdue { .. }) && audited.one().what.is_unusual());
    rotate(&mut scene.world, 1);
    assert_eq!(scene.audit().findings, []);
}

#[test]
fn the_auditors_own_looks_are_lines_and_one_in_its_name_that_says_nothing_is_found() {
    let mut scene = shared();
    let (audit_key, box_key) = (scene.world.audit.clone(), scene.world.auditor_box.public());
    let look = AuditorLook { why: "投诉 2026-118".into(), from: 0, to: 9 };
    let ledger = scene.world.ledger;
    let body = look.log(&audit_key.public(), &box_key, &ledger, &mut scene.world.random).unwrap();
    let longer = AuditorLook { why: "因".repeat(80), ..look.clone() };
    let other = longer.log(&audit_key.public(), &box_key, &ledger, &mut scene.world.random).unwrap();
    assert_eq!((body.auditor_box.len(), other.auditor_box.len()), (LOOK_TEXT + sealed::OVERHEAD, 593));
    for wrong in ["", " ", &"因".repeat(81)] {
        let look = AuditorLook { why: wrong.into(), ..look.clone() };
        assert!(look.log(&audit_key.public(), &box_key, &ledger, &mut scene.world.random).is_err());
    }
    scene.world.send(Transaction::LogAudit(body), &audit_key).unwrap();
    scene.world.send(Transaction::LogAudit(LogAudit { auditor_box: vec![1; 90] }), &audit_key).unwrap();
    let audited = scene.audit();
    let looks: Vec<_> = audited
        .rows
        .iter()
        .filter_map(|row| if let Row::Look(Look { told, .. }) = row { Some(told) } else { None })
        .collect();
    assert_eq!(looks, [&Told::Opened((look.why.clone(), 0, 9)), &Told::Wrong]);
    assert_eq!(audited.one().what, Wrong::Box(Boxed::Look, BoxFault::Sealed));
    assert_eq!(audited.tables.looks, 2);
}

// ---- renewals, thresholds ----------------------------------------------------------------------------------------

#[test]
fn the_certificate_of_an_earlier_registration_still_names_its_person() {
    let mut scene = shared();
    let clinic = scene.world.clinic.clone();
    // The clinic renews its certificate with another key; the physician's is under the old one.
    let renewed = {
        let World { root, root_key, random, .. } = &mut scene.world;
        certify_organisation(clinic.id.as_str(), "南塘诊所", root, root_key, random)
    };
    let body = suishen_core::contract::RegisterParty {
        certificate: suishen_core::contract::CertificateDer::from(&renewed.certificate),
        acceptance: clinic.acceptance.public(),
        vouchers: Vec::new(),
        roles: vec![Role::Physician],
    };
    let votes = scene.world.votes(&Transaction::RegisterParty(body));
    scene.world.order(votes).unwrap();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 1).unwrap();
    let audited = scene.audit();
    assert_eq!(audited.findings, []);
    assert_eq!(audited.reads()[0].by.opened().unwrap().name, "李静");
}

#[test]
fn reads_at_night_and_many_reads_are_said_by_the_thresholds_given() {
    let mut scene = shared();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 1).unwrap();
    redeem(&mut scene.world, &scene.sharing, &scene.desk, 2).unwrap();
    let hour = suishen_core::audit::clock::hour(scene.world.now);
    let by = |thresholds| {
        let audited = audit_by(&scene.world, &[&scene.world.auditor_box], thresholds);
        audited.wrongs().into_iter().cloned().collect::<Vec<_>>()
    };
    let none = Thresholds { night: ((hour + 1) % 24, (hour + 2) % 24), ..Thresholds::default() };
    assert_eq!(by(none), []);
    let night = Thresholds { night: (hour, (hour + 1) % 24), night_reads: 2, ..none };
    assert_eq!(by(night), [Wrong::NightReads { reads: 2 }]);
    let many = Thresholds { many: 2, ..none };
    assert_eq!(by(many), [Wrong::ManyReads { reads: 2, peers: None }]);
}
