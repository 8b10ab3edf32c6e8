//! What a desk finds before it redeems: each test changes one thing in a payload that held.

use crate::people::Patient;
use crate::records::Kept;
use crate::sharing::{Sharing, proof, share};
use crate::world::{DAY, World};
use suishen_core::cbor;
use suishen_core::consent::{Facts, GrantBinding, Payload, PayloadFault, PayloadRecord, RecordKey};
use suishen_core::contract::{RotateKeys, Rotated, Transaction, Views as _};
use suishen_core::gate::Subject;
use suishen_core::id::{BlobAddress, GrantId, LedgerId};
use suishen_core::proof::checkpoint::SignedCheckpoint;
use suishen_core::report::Sensitivity;
use suishen_core::sm::{Key32, SecretKey, Signed, SmError};

struct Scene {
    world: World,
    patient: Patient,
    records: Vec<Kept>,
    sharing: Sharing,
    payload: Payload,
}

/// Two records, one by ticket and one delivered, shared with a physician.
fn shared() -> Scene {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
    let sharing = share(&mut world, &patient, &records);
    let payload = sharing.payload();
    Scene { world, patient, records, sharing, payload }
}

impl Scene {
    fn fault(&self) -> Option<PayloadFault> {
        self.sharing.judge(&self.world, &self.payload).err()
    }

    /// Signs what the payload says now, as whoever has this key could.
    fn bind(&mut self, authority: &SecretKey) {
        let binding = GrantBinding {
            grant: self.sharing.grant(),
            records: self.payload.records.iter().map(PayloadRecord::commitment).collect(),
            consent: self.payload.consent.digest(),
            content: GrantBinding::content_of(&self.payload.records),
        };
        self.payload.binding = Signed::new(&binding, authority, &self.world.ledger);
    }

    fn bind_by_holder(&mut self) {
        self.bind(&self.patient.authority());
    }

    /// The checkpoint inside, cosigned by a key in a member's name at some time.
    fn recosign(&mut self, key: &SecretKey, time: u64) {
        let checkpoint = SignedCheckpoint::parse(&self.payload.holder.checkpoint).unwrap().checkpoint;
        let cosignatures = vec![checkpoint.cosign(&self.world.members[0].name, key, time)];
        self.payload.holder.checkpoint = SignedCheckpoint { checkpoint, cosignatures }.to_note();
    }

    fn issued(&self) -> u64 {
        self.world.state.terms(&self.sharing.grant()).unwrap().unwrap().issued
    }
}

#[test]
fn a_payload_as_the_phone_made_it_holds() {
    let scene = shared();
    let judged = scene.sharing.judge(&scene.world, &scene.payload).unwrap();
    let names: Vec<_> = judged.records.iter().map(|record| record.commitment).collect();
    assert_eq!(names, scene.records.iter().map(|record| record.commitment).collect::<Vec<_>>());
    assert!(judged.checkpoint.time() <= scene.issued());
}

// ---- whose -------------------------------------------------------------------------------------------------

#[test]
fn nobody_shares_anothers_records() {
    let mut scene = shared();
    let thief = Patient::open(&mut scene.world);
    let names: Vec<_> = scene.records.iter().map(|record| record.commitment).collect();
    scene.payload.holder = proof(&scene.world, thief.holder, &names);
    assert_eq!(scene.fault(), Some(PayloadFault::Binding), "the owner's word is not the thief's");
    scene.bind(&thief.authority());
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(0)), "the anchors name the owner");
}

#[test]
fn a_leaf_proven_for_one_holder_proves_no_other() {
    let mut scene = shared();
    let other = Patient::open(&mut scene.world);
    scene.payload.holder.holder = other.holder;
    assert_eq!(scene.fault(), Some(PayloadFault::Holder));
}

#[test]
fn a_holder_that_moved_is_not_spoken_for_by_its_former_authority() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient)];
    let newer = SecretKey::generate(&mut world.random);
    patient.move_holder(&mut world, &newer);
    let sharing = share(&mut world, &patient, &records);
    let payload = sharing.payload();
    let mut scene = Scene { world, patient, records, sharing, payload };
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
    scene.bind(&newer);
    assert_eq!(scene.fault(), None);
}

#[test]
fn a_removed_devices_authority_is_dead_ten_minutes_after_the_move() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient)];
    // The removed device keeps a proof from before the move and waits.
    let names: Vec<_> = records.iter().map(|record| record.commitment).collect();
    let stale = proof(&world, patient.holder, &names);
    let newer = SecretKey::generate(&mut world.random);
    patient.move_holder(&mut world, &newer);
    world.wait(601);
    let sharing = share(&mut world, &patient, &records);
    let payload = Payload { holder: stale, ..sharing.payload() };
    assert_eq!(sharing.judge(&world, &payload).err(), Some(PayloadFault::Old));
}

#[test]
fn a_known_patients_record_opens_with_its_salts_in_their_order_only() {
    let mut scene = shared();
    assert_eq!(scene.payload.records[1].holder_salts.len(), 2);
    scene.payload.records[1].holder_salts.reverse();
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(1)));
    scene.payload.records[1].holder_salts.truncate(1);
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(1)));
    scene.payload.records[1].holder_salts.clear();
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(1)));
}

#[test]
fn a_ticket_that_nobody_bound_is_nobodys_record() {
    let mut world = World::new();
    let patient = Patient::open(&mut world);
    let records = vec![Kept::never_bound(&mut world)];
    let sharing = share(&mut world, &patient, &records);
    let payload = sharing.payload();
    assert!(payload.records[0].holder_salts.is_empty());
    assert_eq!(sharing.judge(&world, &payload).err(), Some(PayloadFault::Anchor(0)));
}

// ---- under which checkpoint ----------------------------------------------------------------------------------

#[test]
fn a_checkpoint_that_the_members_did_not_cosign_proves_nothing() {
    let mut scene = shared();
    let issued = scene.issued();
    let stranger = SecretKey::from_bytes(&[7; 32]).unwrap();
    scene.recosign(&stranger, issued);
    assert_eq!(scene.fault(), Some(PayloadFault::Checkpoint));
    let mut scene = shared();
    let (body, _) = scene.payload.holder.checkpoint.split_once("\n\n").unwrap();
    scene.payload.holder.checkpoint = format!("{body}\n\n");
    assert_eq!(scene.fault(), Some(PayloadFault::Checkpoint));
}

#[test]
fn a_checkpoint_is_at_most_ten_minutes_older_than_the_grant() {
    let mut scene = shared();
    let (issued, cosigner) = (scene.issued(), scene.world.members[0].cosigner.clone());
    scene.recosign(&cosigner, issued - 600);
    assert_eq!(scene.fault(), None);
    scene.recosign(&cosigner, issued - 601);
    assert_eq!(scene.fault(), Some(PayloadFault::Old));
}

#[test]
fn leaves_under_another_checkpoint_prove_nothing() {
    let mut scene = shared();
    scene.payload.holder.checkpoint = scene.world.note();
    assert_eq!(scene.fault(), Some(PayloadFault::Holder), "the grant itself has changed the map");
}

#[test]
fn a_payload_for_one_ledger_holds_on_no_other() {
    let scene = shared();
    let terms = scene.world.state.terms(&scene.sharing.grant()).unwrap().unwrap();
    let auditor = scene.world.state.auditor().unwrap();
    let facts = Facts {
        ledger: &LedgerId::from_bytes([9; 32]),
        epoch: &scene.world.epoch(),
        root: &scene.world.root,
        grant: &terms.grant,
        issued: terms.issued,
        auditor: &auditor,
    };
    assert_eq!(scene.payload.judge(&facts).err(), Some(PayloadFault::Checkpoint));
}

// ---- what ----------------------------------------------------------------------------------------------------

#[test]
fn a_consent_changed_by_one_character_is_not_what_the_patient_agreed_to() {
    let mut scene = shared();
    scene.payload.consent.text = scene.payload.consent.text.replace("两次", "三次");
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
    let mut scene = shared();
    scene.payload.consent.language = "en".into();
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
}

#[test]
fn a_binding_for_one_grant_is_none_for_another() {
    let mut scene = shared();
    let second = share(&mut scene.world, &scene.patient, &scene.records);
    scene.payload.binding = second.payload().binding;
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
}

#[test]
fn records_are_those_of_the_grant_in_their_order_and_number() {
    type Change = fn(&mut Payload);
    let swapped: Change = |payload| {
        payload.records.swap(0, 1);
        payload.holder.anchors.swap(0, 1);
    };
    let swapped_and_renumbered: Change = |payload| {
        payload.records.swap(0, 1);
        payload.holder.anchors.swap(0, 1);
        (payload.records[0].number, payload.records[1].number) = (0, 1);
    };
    let added: Change = |payload| {
        let again = PayloadRecord { number: 2, ..payload.records[0].clone() };
        payload.records.push(again);
        payload.holder.anchors.push(payload.holder.anchors[0].clone());
    };
    let left_out: Change = |payload| {
        payload.records.pop();
        payload.holder.anchors.pop();
    };
    let renumbered: Change = |payload| payload.records[1].number = 2;
    let without_its_anchor: Change = |payload| {
        payload.holder.anchors.pop();
    };
    let changes = [swapped, swapped_and_renumbered, added, left_out, renumbered, without_its_anchor];
    for (i, change) in changes.into_iter().enumerate() {
        let mut scene = shared();
        change(&mut scene.payload);
        assert_eq!(scene.fault(), Some(PayloadFault::Records), "change {i}");
    }
    // Neither may the holder say other than the entry does.
    for change in [added, left_out] {
        let mut scene = shared();
        change(&mut scene.payload);
        scene.bind_by_holder();
        assert_eq!(scene.fault(), Some(PayloadFault::Records));
    }
}

#[test]
fn a_record_that_its_issuer_cancelled_is_refused() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
    records[1].cancel(&mut world);
    let sharing = share(&mut world, &patient, &records);
    assert_eq!(sharing.judge(&world, &sharing.payload()).err(), Some(PayloadFault::Cancelled(1)));
}

#[test]
fn another_reports_manifest_is_not_the_one_anchored() {
    let mut scene = shared();
    scene.payload.records[0].manifest = scene.records[1].manifest.clone();
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(0)));
    let mut scene = shared();
    scene.payload.records[0].salt.0[0] ^= 1;
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Anchor(0)));
}

#[test]
fn a_manifest_by_another_key_than_the_one_that_anchored_is_refused() {
    let mut world = World::new();
    let patient = Patient::open(&mut world);
    let desk = world.issuing_desk();
    let stranger = SecretKey::generate(&mut world.random);
    let records = vec![Kept::delivered_as(&mut world, &patient, desk, &stranger)];
    let sharing = share(&mut world, &patient, &records);
    assert_eq!(sharing.judge(&world, &sharing.payload()).err(), Some(PayloadFault::Manifest(0)));
}

#[test]
fn a_record_comes_with_the_certificates_of_the_organisation_that_anchored_it() {
    let mut scene = shared();
    scene.payload.records[0].chain = scene.world.reading_desk().chain;
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Manifest(0)));
    let mut scene = shared();
    scene.payload.records[0].chain = World::of(4).issuing_desk().chain;
    scene.bind_by_holder();
    assert_eq!(scene.fault(), Some(PayloadFault::Manifest(0)), "of another consortium");
}

#[test]
fn a_record_names_parts_that_its_hospital_signed_each_once_and_at_least_something() {
    type Change = fn(&mut PayloadRecord);
    let unknown: Change = |record| record.parts[1].part = 7;
    let twice: Change = |record| record.parts[1].part = 0;
    let backwards: Change = |record| record.parts.reverse();
    let nothing: Change = |record| record.parts.clear();
    for (i, change) in [unknown, twice, backwards, nothing].into_iter().enumerate() {
        let mut scene = shared();
        change(&mut scene.payload.records[1]);
        scene.bind_by_holder();
        assert_eq!(scene.fault(), Some(PayloadFault::Parts(1)), "change {i}");
    }
}

#[test]
fn the_copies_are_the_holders_word_too() {
    let mut scene = shared();
    scene.payload.records[0].parts[0].address = BlobAddress::from_bytes([1; 32]);
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
    let mut scene = shared();
    scene.payload.records[0].parts.pop();
    assert_eq!(scene.fault(), Some(PayloadFault::Binding));
}

// ---- what the auditor is told ----------------------------------------------------------------------------------

#[test]
fn the_auditors_box_is_the_one_that_the_payload_makes() {
    type Change = fn(&mut Payload);
    let purpose: Change = |payload| payload.auditor.grant.purpose = "HRESCH".into();
    let seed: Change = |payload| payload.auditor.seed = Key32::from_bytes([1; 32]);
    let class: Change = |payload| payload.auditor.grant.records[0].class = Sensitivity::Ordinary;
    let record: Change = |payload| payload.auditor.grant.records[0].anchor[0] ^= 1;
    let fewer: Change = |payload| {
        payload.auditor.grant.records.pop();
    };
    let grant: Change = |payload| payload.auditor.grant.grant = GrantId::from_bytes([1; 32]);
    for (i, change) in [purpose, seed, class, record, fewer, grant].into_iter().enumerate() {
        let mut scene = shared();
        change(&mut scene.payload);
        assert_eq!(scene.fault(), Some(PayloadFault::AuditorBox), "change {i}");
    }
}

#[test]
fn a_patient_who_tells_the_auditor_another_class_purpose_or_record_is_refused() {
    type Change = fn(&mut Payload);
    let class: Change = |payload| payload.auditor.grant.records[0].class = Sensitivity::Ordinary;
    let purpose: Change = |payload| payload.auditor.grant.purpose = "HRESCH".into();
    let order: Change = |payload| payload.auditor.grant.records.swap(0, 1);
    for (i, change) in [class, purpose, order].into_iter().enumerate() {
        let mut world = World::new();
        let mut patient = Patient::open(&mut world);
        let records = [Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
        let sharing = Sharing::draft(&mut world, &patient, &records);
        let mut payload = sharing.payload();
        change(&mut payload);
        // The box in the entry is made from the lie, so that it does match the payload.
        let key = world.auditor_box.public();
        let lie = payload.auditor.seal(&key, &world.ledger).unwrap();
        let transaction = sharing.altered(&world, |issue| issue.auditor_box = lie);
        world.order(transaction).unwrap();
        assert_eq!(sharing.judge(&world, &payload).err(), Some(PayloadFault::AuditorBox), "change {i}");
    }
}

#[test]
fn a_box_for_another_key_than_the_auditors_is_refused_and_the_one_before_holds_for_a_day() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let verdict = |world: &mut World, key: &SecretKey| {
        let drafts = vec![records[0].whole()];
        let sharing = Sharing::draft_of(world, &patient, &records, drafts, &key.public()).send(world);
        sharing.judge(world, &sharing.payload()).err()
    };
    let (old, newer) = (world.auditor_box.clone(), SecretKey::generate(&mut world.random));
    assert_eq!(verdict(&mut world, &newer), Some(PayloadFault::AuditorBox));
    let body = RotateKeys {
        party: world.auditor.id.clone(),
        sequence: 1,
        which: Rotated::AuditorBox,
        key: newer.public(),
    };
    let signer = world.auditor.key.clone();
    world.send(Transaction::RotateKeys(body), &signer).unwrap();
    assert_eq!(verdict(&mut world, &newer), None);
    assert_eq!(verdict(&mut world, &old), None);
    world.wait(DAY);
    assert_eq!(verdict(&mut world, &old), Some(PayloadFault::AuditorBox));
    assert_eq!(verdict(&mut world, &newer), None);
}

// ---- what opens ------------------------------------------------------------------------------------------------

#[test]
fn a_payload_opens_with_its_own_half_for_its_own_grant_only() {
    let scene = shared();
    let (draft, grant) = (&scene.sharing.draft, scene.sharing.grant());
    assert_eq!(Payload::open(&Key32::from_bytes([1; 32]), &grant, &draft.payload), Err(SmError::Open));
    let other = GrantId::from_bytes([1; 32]);
    assert_eq!(Payload::open(&draft.half, &other, &draft.payload), Err(SmError::Open));
    let mut changed = draft.payload.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(Payload::open(&draft.half, &grant, &changed), Err(SmError::Open));
}

#[test]
fn a_payloads_size_says_little() {
    let scene = shared();
    let grant = scene.sharing.grant();
    let mut longer = scene.payload.clone();
    longer.consent.text.push_str("（含影像）");
    let random = &mut crate::Seeded(1);
    let [one, two] =
        [&scene.payload, &longer].map(|payload| payload.seal(&scene.sharing.draft.half, &grant, random));
    assert_eq!(one.len(), two.len());
}

/// The half that the gates give for each record, once it is redeemed.
fn gate_halves(scene: &mut Scene) -> [Key32; 2] {
    let desk = scene.world.reading_desk();
    scene.sharing.accept(&mut scene.world, &desk).unwrap();
    let epk = crate::sharing::redeem(&mut scene.world, &scene.sharing, &desk, 1).unwrap();
    let shares = scene.sharing.issued(&scene.world).shares;
    let subject = Subject::Grant(scene.sharing.grant());
    let gathering = scene.world.gather(&subject, shares, 1, &epk).unwrap();
    [0, 1].map(|record| gathering.half(record).unwrap())
}

#[test]
fn a_parts_key_opens_with_both_halves_for_its_own_record_grant_and_number_only() {
    let mut scene = shared();
    let gates = gate_halves(&mut scene);
    let (half, grant) = (&scene.sharing.draft.half, scene.sharing.grant());
    let wrapped = &scene.payload.records[0].parts[0];
    let key = RecordKey::new(half, &gates[0], &grant, 0);
    assert!(key.open(wrapped).is_ok());
    let others = [
        RecordKey::new(half, &gates[1], &grant, 0),
        RecordKey::new(half, &gates[0], &grant, 1),
        RecordKey::new(half, &gates[0], &GrantId::from_bytes([1; 32]), 0),
        RecordKey::new(&gates[0], half, &grant, 0),
        RecordKey::new(&Key32::from_bytes([1; 32]), &gates[0], &grant, 0),
    ];
    for (i, other) in others.iter().enumerate() {
        assert_eq!(other.open(wrapped), Err(SmError::Open), "key {i}");
    }
    let mut moved = wrapped.clone();
    moved.part = 1;
    assert_eq!(key.open(&moved), Err(SmError::Open));
    let mut uncommitted = wrapped.clone();
    uncommitted.key_commitment = scene.payload.records[0].parts[1].key_commitment;
    assert_eq!(key.open(&uncommitted), Err(SmError::Open));
}

#[test]
fn shown_groups_open_with_the_gates_half_and_not_with_the_patients_alone() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = vec![Kept::by_ticket(&mut world, &mut patient), Kept::delivered(&mut world, &patient)];
    let openings: Vec<_> = records[0].openings.iter().take(3).cloned().collect();
    let drafts = vec![records[0].in_groups(openings.clone()), records[1].whole()];
    let auditor = world.auditor_box.public();
    let sharing = Sharing::draft_of(&mut world, &patient, &records, drafts, &auditor).send(&mut world);
    let payload = sharing.payload();
    assert_eq!(sharing.judge(&world, &payload).err(), None);

    // The half opens the payload, and no value lies in it.
    let plain = cbor::encode(&payload);
    for (_, value) in openings.iter().flat_map(|opening| &opening.elements).filter(|(_, v)| v.len() > 8) {
        assert!(!plain.windows(value.len()).any(|window| window == value.as_bytes()), "{value}");
    }
    let mut scene = Scene { world, patient, records, sharing, payload };
    let gates = gate_halves(&mut scene);
    let (half, grant, record) = (&scene.sharing.draft.half, scene.sharing.grant(), &scene.payload.records[0]);
    let (wrapped, (address, blob)) = (record.groups.as_ref().unwrap(), &scene.sharing.draft.blobs[0]);
    assert_eq!((wrapped.address, wrapped.size), (*address, blob.len() as u64));
    let wrong = RecordKey::new(half, &gates[1], &grant, 0);
    assert_eq!(wrong.open_groups(wrapped, blob), Err(SmError::Open));
    let right = RecordKey::new(half, &gates[0], &grant, 0);
    assert_eq!(right.open_groups(wrapped, &blob[1..]), Err(SmError::Open));
    let mut uncommitted = wrapped.clone();
    uncommitted.key_commitment = record.manifest.id();
    assert_eq!(right.open_groups(&uncommitted, blob), Err(SmError::Open));
    let shown = right.open_groups(wrapped, blob).unwrap();
    assert_eq!((&shown.groups, shown.proof), (&openings, None));
    let manifest = scene.sharing.judge(&scene.world, &scene.payload).unwrap().records.remove(0).manifest;
    let opened = manifest.open_groups(&shown.groups).unwrap();
    assert_eq!(opened.withheld, scene.records[0].openings.len() - 3);
}
