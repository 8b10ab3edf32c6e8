//! What a ticket doesn't open.

use crate::people::Patient;
use crate::records::{Issued, Keeping, issue_ticket};
use crate::world::{DAY, World};
use suishen_core::contract::{CancelTicket, Rejection, Transaction, Views as _};
use suishen_core::gate::{GateRefusal, Kept, Subject, accept_kept};
use suishen_core::id::LedgerId;
use suishen_core::report::{Manifest, ReportError, Ticket, TicketContents, open_part};
use suishen_core::sm::{Key32, PublicKey, SecretKey, Signed, SmError};

struct Scene {
    world: World,
    patient: Patient,
    issued: Issued,
    keeping: Keeping,
    issuer: PublicKey,
    half: Key32,
}

/// A ticket of the hospital, bound by a patient.
fn bound() -> Scene {
    let mut world = World::new();
    let patient = Patient::new(&mut world);
    let desk = world.issuing_desk();
    let issued = issue_ticket(&mut world, &desk);
    let keeping = Keeping::new(&mut world);
    keeping.bind(&mut world, &issued.ticket, &patient).unwrap();
    let half = keeping.half(&world, &issued.ticket);
    Scene { issuer: desk.grantee.public(), world, patient, issued, keeping, half }
}

impl Scene {
    fn open(&self, blob: &[u8], key: &Key32) -> Result<(TicketContents, Manifest), ReportError> {
        let commitment = self.issued.ticket.commitment();
        TicketContents::open(blob, key, &commitment, &self.issuer, &self.world.ledger)
    }

    fn blob(&self) -> &[u8] {
        &self.issued.blobs[&self.issued.contents]
    }

    fn key(&self) -> Key32 {
        self.issued.ticket.content_key(&self.half)
    }
}

#[test]
fn contents_with_one_flipped_bit_do_not_open() {
    let scene = bound();
    assert!(scene.open(scene.blob(), &scene.key()).is_ok());
    // Header, chunk and tag, wherever the bit is.
    for at in (0..scene.blob().len()).step_by(97).chain([scene.blob().len() - 1]) {
        let mut changed = scene.blob().to_vec();
        changed[at] ^= 1 << (at % 8);
        let verdict = scene.open(&changed, &scene.key());
        assert_eq!(verdict.err(), Some(ReportError::Crypto(SmError::Open)), "byte {at}");
    }
}

#[test]
fn contents_do_not_open_without_the_gates_half_or_the_fragments() {
    let mut scene = bound();
    let wrong = scene.issued.ticket.content_key(&Key32::from_bytes([1; 32]));
    let open = Some(ReportError::Crypto(SmError::Open));
    assert_eq!(scene.open(scene.blob(), &wrong).err(), open);
    let other = Ticket::generate(scene.issued.ticket.commitment(), &mut scene.world.random);
    let wrong = other.content_key(&scene.half);
    assert_eq!(scene.open(scene.blob(), &wrong).err(), open);
}

#[test]
fn contents_are_those_of_the_report_issuer_and_ledger_that_the_anchor_names() {
    let mut scene = bound();
    let (key, ledger) = (scene.key(), scene.world.ledger);
    let commitment = scene.issued.ticket.commitment();
    let open = |commitment, issuer: &PublicKey, ledger: &LedgerId| {
        TicketContents::open(scene.blob(), &key, commitment, issuer, ledger).err()
    };
    assert_eq!(open(&commitment, &scene.issuer, &ledger), None);
    let signature = Some(ReportError::Crypto(SmError::Signature));
    assert_eq!(open(&commitment, &scene.keeping.seal.public(), &ledger), signature);
    assert_eq!(open(&commitment, &scene.issuer, &LedgerId::from_bytes([9; 32])), signature);
    let desk = scene.world.issuing_desk();
    let other = issue_ticket(&mut scene.world, &desk).ticket.commitment();
    let verdict = TicketContents::open(scene.blob(), &key, &other, &scene.issuer, &ledger);
    assert_eq!(verdict.err(), Some(ReportError::WrongCommitment));
}

#[test]
fn a_part_whose_ciphertext_was_swapped_is_not_that_part() {
    let scene = bound();
    let (contents, manifest) = scene.open(scene.blob(), &scene.key()).unwrap();
    let (first, second) = (&contents.parts[0], &contents.parts[1]);
    let blobs = &scene.issued.blobs;
    let wrong = open_part(&manifest, first, &blobs[&second.address]).err();
    assert!(
        matches!(wrong, Some(ReportError::Crypto(SmError::Open) | ReportError::WrongCopy(0))),
        "{wrong:?}"
    );
    // With the other's key and address too, it is still not what was signed under this number.
    let posing = suishen_core::report::PartCopy { part: 0, ..second.clone() };
    let wrong = open_part(&manifest, &posing, &blobs[&second.address]).err();
    assert!(
        matches!(wrong, Some(ReportError::Crypto(SmError::Padding) | ReportError::PartChanged(0))),
        "{wrong:?}"
    );
    // A copy whose key isn't the one committed to isn't begun.
    let other_key = suishen_core::report::PartCopy { key: second.key.clone(), ..first.clone() };
    let wrong = open_part(&manifest, &other_key, &blobs[&first.address]).err();
    assert_eq!(wrong, Some(ReportError::WrongCopy(0)));
}

#[test]
fn the_first_wallet_wins_and_the_second_is_told() {
    let mut scene = bound();
    let late = Keeping::new(&mut scene.world);
    let stranger = Patient::new(&mut scene.world);
    let verdict = late.bind(&mut scene.world, &scene.issued.ticket, &stranger);
    assert_eq!(verdict, Err(Rejection::TicketUsed));
    // And what the gates release opens with the first wallet's key only.
    let subject = Subject::Ticket(scene.issued.ticket.commitment());
    let gate = &scene.world.gates[0];
    let (state, now, ledger) = (&scene.world.state, scene.world.now, &scene.world.ledger);
    let released = gate.release(&subject, 0, state, now, ledger).unwrap();
    let open = |secret: &SecretKey| {
        let (key, object) = (gate.key.public(), subject.object());
        suishen_core::gate::open_release(&released, &key, secret, object, 0, ledger).map(|_| ())
    };
    assert_eq!(open(&scene.keeping.seal), Ok(()));
    assert_eq!(open(&late.seal), Err(SmError::Open));
}

#[test]
fn gates_release_nothing_of_a_ticket_that_is_unbound_cancelled_or_kept_for_a_week() {
    let mut world = World::new();
    let patient = Patient::new(&mut world);
    let desk = world.issuing_desk();
    let issued = issue_ticket(&mut world, &desk);
    let subject = Subject::Ticket(issued.ticket.commitment());
    let ask = |world: &World, now| {
        world.gates[0].release(&subject, 0, &world.state, now, &world.ledger).map(|_| ()).err()
    };
    assert_eq!(ask(&world, world.now), Some(GateRefusal::NotBound));
    Keeping::new(&mut world).bind(&mut world, &issued.ticket, &patient).unwrap();
    assert_eq!(ask(&world, world.now), None);
    assert_eq!(ask(&world, world.now + 7 * DAY - 1), None);
    assert_eq!(ask(&world, world.now + 7 * DAY), Some(GateRefusal::Ended));
    let body = CancelTicket {
        commitment: issued.ticket.commitment(),
        credential: desk.credential.clone(),
        why: "发错了人".into(),
    };
    world.send(Transaction::CancelTicket(body), &desk.grantee).unwrap();
    assert_eq!(ask(&world, world.now), Some(GateRefusal::Cancelled));
}

#[test]
fn only_the_wallet_that_bound_a_ticket_says_that_it_is_kept() {
    let scene = bound();
    let commitment = scene.issued.ticket.commitment();
    let (state, ledger) = (&scene.world.state, &scene.world.ledger);
    let says = |key: &SecretKey| accept_kept(state, &Signed::new(&Kept { commitment }, key, ledger), ledger);
    assert_eq!(says(&scene.keeping.request), Ok(commitment));
    assert_eq!(says(&scene.keeping.seal), Err(GateRefusal::Signature));
    assert_eq!(says(scene.issued.ticket.key()), Err(GateRefusal::Signature));
    assert!(scene.patient.events.len() > 1);
}

#[test]
fn an_expired_ticket_is_nobodys() {
    let mut world = World::new();
    let patient = Patient::new(&mut world);
    let desk = world.issuing_desk();
    let issued = issue_ticket(&mut world, &desk);
    world.wait(7 * DAY);
    let keeping = Keeping::new(&mut world);
    assert_eq!(keeping.bind(&mut world, &issued.ticket, &patient), Err(Rejection::TicketExpired));
    let anchor = world.state.anchor(&issued.ticket.commitment()).unwrap().unwrap();
    assert_eq!(anchor.binding, None);
    assert_eq!(issued.deposits.len(), 1);
}
