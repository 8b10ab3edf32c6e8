//! The story: a hospital issues, a patient keeps and shares, a doctor reads, the auditor looks.

use crate::Seeded;
use crate::gates::moment;
use crate::people::Patient;
use crate::records::{Blobs, DOCUMENT, Keeping, Kept, REPORT, issue_ticket};
use crate::sharing::{Sharing, consent, presence, redeem, share};
use crate::world::World;
use suishen_core::cbor;
use suishen_core::consent::{Asking, DeskIdentity, Message, Payload, Receipt, RecordKey};
use suishen_core::contract::{Key, Status, Transaction, Views as _};
use suishen_core::gate::{Subject, tear_due};
use suishen_core::identity::Role;
use suishen_core::proof::bundle::{self, Bundle, ShownParty};
use suishen_core::proof::log::ShownGrant;
use suishen_core::report::{TicketContents, open_part};
use suishen_core::sm::{Key32, SecretKey};

#[test]
fn a_patient_keeps_a_report_and_shares_it_and_nobody_reads_without_an_entry() {
    for members in [1, 4] {
        let mut world = World::of(members);
        let mut patient = Patient::new(&mut world);
        let record = keeps(&mut world, &mut patient);

        // The holder opens later, before the first grant.
        let opening = patient.opening();
        world.order(opening).unwrap();
        let records = [record, Kept::delivered(&mut world, &patient)];
        let sharing = share(&mut world, &patient, &records);

        let desk = world.reading_desk();
        sharing.accept(&mut world, &desk).unwrap();
        let mut drop_box = vec![Message::Payload(sharing.draft.payload.clone())];
        let identity = DeskIdentity {
            chain: desk.chain.clone(),
            presence: presence(&world, sharing.grant(), &desk),
            checkpoint: world.note(),
        };
        let reply = sharing.issued(&world).reply;
        drop_box.push(identity.seal(&reply, &sharing.grant(), &world.ledger, &mut world.random));

        answers(&mut world, &sharing, &mut drop_box);
        let half = finds_half(&world, &sharing, &desk.box_key, &drop_box);
        let payload = Payload::open(&half, &sharing.grant(), &sharing.draft.payload).unwrap();
        let judged = sharing.judge(&world, &payload).unwrap();
        assert_eq!(payload.consent, consent());
        assert_eq!(judged.records.len(), 2);

        let epk = redeem(&mut world, &sharing, &desk, 1).unwrap();
        let blobs = records.iter().flat_map(|record| record.blobs.clone()).collect();
        reads(&world, &sharing, &half, &epk, &blobs);

        let receipt =
            Receipt { grant: sharing.grant(), number: 1, records: vec![0, 1], checkpoint: world.note() };
        let message = receipt.seal(&desk.grantee, &reply, &world.ledger, &mut world.random);
        looks_back(&mut world, &sharing, &message, &receipt);
    }
}

/// The hospital issues, the patient binds, opens and seals anew.
fn keeps(world: &mut World, patient: &mut Patient) -> Kept {
    let desk = world.issuing_desk();
    let issued = issue_ticket(world, &desk);
    let keeping = Keeping::new(world);
    keeping.bind(world, &issued.ticket, patient).unwrap();
    let key = issued.ticket.content_key(&keeping.half(world, &issued.ticket));
    let commitment = issued.ticket.commitment();
    let anchor = world.state.anchor(&commitment).unwrap().unwrap();
    let contents = &issued.blobs[&issued.contents];
    let (contents, manifest) =
        TicketContents::open(contents, &key, &commitment, &anchor.issuer, &world.ledger).unwrap();
    for (copy, plain) in contents.parts.iter().zip([REPORT, DOCUMENT]) {
        assert_eq!(open_part(&manifest, copy, &issued.blobs[&copy.address]).unwrap(), plain);
    }
    let whole = manifest.open_groups(&contents.openings).unwrap();
    assert_eq!(whole.withheld, 0);
    Kept::by_ticket(world, patient)
}

/// The phone shows who asks, and hands over the half at the tap.
fn answers(world: &mut World, sharing: &Sharing, drop_box: &mut Vec<Message>) {
    let Some(Message::Desk(sealed)) = drop_box.last() else { panic!("an identity") };
    let accepted = sharing.accepted(world);
    let asking = Asking {
        ledger: &world.ledger,
        root: &world.root,
        grant: &sharing.grant(),
        role: Role::Physician,
        accepted: &accepted,
    };
    let identity = DeskIdentity::open(sealed, &sharing.draft.reply, &asking).unwrap();
    let subject = identity.chain.leaf().subject();
    assert_eq!((subject.name.as_deref(), subject.organisation.as_str()), (Some("李静"), "南塘诊所"));
    let half = &sharing.draft.half;
    drop_box.push(Message::half(half, &accepted, &sharing.grant(), &world.ledger, &mut world.random));
    // What lies there reads back as it was written.
    for message in drop_box {
        assert_eq!(cbor::decode::<Message>(&cbor::encode(message)).unwrap(), *message);
    }
}

fn finds_half(world: &World, sharing: &Sharing, box_key: &SecretKey, drop_box: &[Message]) -> Key32 {
    let half = drop_box.iter().find_map(|message| match message {
        Message::Half(sealed) => Message::open_half(sealed, box_key, &sharing.grant(), &world.ledger).ok(),
        _ => None,
    });
    half.unwrap()
}

/// The gates release, the desk opens every part.
fn reads(world: &World, sharing: &Sharing, half: &Key32, epk: &SecretKey, blobs: &Blobs) {
    let subject = Subject::Grant(sharing.grant());
    let gathering = world.gather(&subject, sharing.issued(world).shares, 1, epk).unwrap();
    let payload = sharing.payload();
    let judged = sharing.judge(world, &payload).unwrap();
    for (record, facts) in payload.records.iter().zip(&judged.records) {
        let gate = gathering.half(record.number).unwrap();
        let key = RecordKey::new(half, &gate, &sharing.grant(), record.number);
        for (wrapped, plain) in record.parts.iter().zip([REPORT, DOCUMENT]) {
            let blob = &blobs[&wrapped.address];
            assert_eq!(wrapped.size, blob.len() as u64);
            let copy = key.open(wrapped).unwrap();
            assert_eq!(open_part(&facts.manifest, &copy, blob).unwrap(), plain);
        }
    }
}

/// The phone proves the log complete; the bundle verifies offline, receipt and all.
fn looks_back(world: &mut World, sharing: &Sharing, message: &Message, receipt: &Receipt) {
    let Message::Receipt(sealed) = message else { panic!("a receipt") };
    let grantee = sharing.accepted(world).grantee;
    let opened = Receipt::open(sealed, &sharing.draft.reply, &grantee, &sharing.grant(), &world.ledger);
    let (shown, signed) = opened.unwrap();
    assert_eq!(shown, *receipt);

    let id = sharing.grant();
    let mut entries: Vec<u64> = (1..world.leaves.len() as u64).collect();
    entries.retain(|number| {
        let entry =
            suishen_core::contract::Entry::from_bytes(&world.leaves[usize::try_from(*number).unwrap()]);
        match entry.unwrap().signed.claimed().unwrap() {
            Transaction::IssueGrant(body) => suishen_core::id::GrantId::of(&world.ledger, &body.key) == id,
            Transaction::AcceptGrant(body) => body.grant == id,
            Transaction::RedeemGrant(body) => body.grant == id,
            _ => false,
        }
    });
    let leaf = world.proven(&Key::Grant(id));
    let clinic = world.clinic.id.clone();
    let bundle = Bundle {
        genesis: world.proven_entry(0),
        note: world.note(),
        grant: ShownGrant {
            id,
            leaf: leaf.value,
            entries: entries.iter().map(|number| world.proven_entry(*number)).collect(),
        },
        proof: leaf.proof,
        parties: vec![ShownParty { id: clinic.clone(), value: world.proven(&Key::Party(clinic.clone())) }],
        receipts: vec![bundle::Receipt(signed.to_bytes())],
    };
    let proven = Bundle::from_bytes(&bundle.to_bytes()).unwrap().verify().unwrap();
    assert_eq!((proven.log.entries.len(), proven.log.leaf.uses), (3, 1));
    assert_eq!(proven.log.leaf.status, Status::Accepted);
    assert!(proven.parties.contains_key(&clinic));
    // One entry withheld, and the log isn't proven.
    let mut short = bundle.clone();
    short.grant.entries.pop();
    assert!(short.verify().is_err());
}

#[test]
fn a_grant_read_as_often_as_it_allows_is_exhausted_and_its_shares_are_torn_ten_minutes_later() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let desk = world.reading_desk();
    sharing.accept(&mut world, &desk).unwrap();
    redeem(&mut world, &sharing, &desk, 1).unwrap();
    let epk = redeem(&mut world, &sharing, &desk, 2).unwrap();
    let exhausted = redeem(&mut world, &sharing, &desk, 3);
    assert_eq!(exhausted.err(), Some(suishen_core::contract::Rejection::GrantExhausted));
    let subject = Subject::Grant(sharing.grant());
    // The last use may still be answered.
    assert!(world.gather(&subject, sharing.issued(&world).shares, 2, &epk).is_ok());
    let now = world.now;
    assert_eq!(tear_due(&world.state, &subject, &moment(now + 599)), Ok(false));
    assert_eq!(tear_due(&world.state, &subject, &moment(now + 600)), Ok(true));
}

#[test]
fn every_test_sees_the_same_world() {
    assert_eq!(World::new().leaves, World::new().leaves);
    assert_ne!(World::new().ledger, World::of(4).ledger);
    let (mut one, mut two) = (Seeded(1), Seeded(1));
    assert_eq!(SecretKey::generate(&mut one), SecretKey::generate(&mut two));
}
