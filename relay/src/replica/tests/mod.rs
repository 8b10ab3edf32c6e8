//! A ledger with one member, and what is checked of a replica: every read proves itself, every crash is survived.

mod crash;

use super::*;
use redb::backends::InMemoryBackend;
use suishen_core::{
    consent::GRANT_BOX,
    contract::{
        Auditor, Bounds, CertificateDer, Context, Entry, IssueGrant, Kind, Member, OpenHolder, Overlay,
        RevokeGrant, SignedTransaction, Transaction, apply,
    },
    id::{GrantId, PartyId},
    identity::{Role, Serial, Subject, Validity, self_sign},
    proof::{
        bundle::first_epoch,
        checkpoint::VerifiedCheckpoint,
        map::MapKey,
        tile::{Kind as TileKind, TileId, decode_entries, decode_hashes},
        tree::{TreeHash as _, verify_consistency},
    },
    sm::{Digest, Random},
};

/// When the ledger was founded.
pub(crate) const FOUNDED: u64 = 1_700_000_000;

struct Same(u8);
impl Random for Same {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// A key by its name.
pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(Digest::of(name.as_bytes()).as_bytes()).unwrap()
}

pub(crate) fn party() -> PartyId {
    PartyId::new("91131000MA0ANLAN1X").unwrap()
}

/// One member, whose cosigner key is `key("cosigner")`.
pub(crate) fn genesis() -> Genesis {
    let validity = Validity { not_before: FOUNDED - 1, not_after: FOUNDED + 400_000_000 };
    let subject = Subject::organisation(party(), "Consortium");
    let root = self_sign(subject, &key("root"), &Serial::generate(&mut Same(7)), validity).unwrap();
    let public = |name: &str| key(name).public();
    let member = Member {
        party: party(),
        origins: vec!["https://wallet.example".into()],
        vote: public("vote"),
        sponsor: public("sponsor"),
        cosigner: public("cosigner"),
        gate: public("gate"),
        time: public("time"),
        name: "relay-1".into(),
    };
    let auditor = Auditor { party: party(), audit: public("audit"), box_key: public("box") };
    Genesis {
        root: CertificateDer::from(&root),
        members: vec![member],
        auditor,
        quota: 1_000_000,
        bounds: Bounds { read: Bounds::READ },
        time: FOUNDED,
    }
}

/// A holder of its own for each name.
pub(crate) fn open_holder(name: &str) -> SignedTransaction {
    let root = key(&format!("holder {name}"));
    let body = OpenHolder { root: root.public(), authority: key("a").public(), manage: key("m").public() };
    SignedTransaction::new(&Transaction::OpenHolder(body), &root, &genesis().ledger_id())
}

/// A grant of its own for each name, and its revocation.
pub(crate) fn grant(name: &str) -> (GrantId, SignedTransaction, SignedTransaction) {
    let (secret, ledger) = (key(&format!("grant {name}")), genesis().ledger_id());
    let id = GrantId::of(&ledger, &secret.public());
    let issue = IssueGrant {
        key: secret.public(),
        kind: Kind::Read,
        offer: key("offer").public(),
        role: Role::Physician,
        duration: 3600,
        accept_within: 300,
        uses: 3,
        interval: 0,
        records: 1,
        shares: Digest::of(b"shares"),
        auditor_box: vec![1; GRANT_BOX],
        reply: key("reply").public(),
        include_before: FOUNDED + 600,
    };
    let issue = SignedTransaction::new(&Transaction::IssueGrant(issue), &secret, &ledger);
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: id });
    (id, issue, SignedTransaction::new(&revoke, &secret, &ledger))
}

/// What these transactions make of the published state, one second after the last entry.
pub(crate) fn accept(published: &Published, transactions: &[SignedTransaction]) -> Vec<Accepted> {
    let (snapshot, ledger) = (published.snapshot(), genesis().ledger_id());
    let now = snapshot.last_time() + 1;
    let accepted = snapshot.with_state(|state| {
        let mut overlay = Overlay::new(state);
        let mut accepted = Vec::new();
        for (number, signed) in (snapshot.size()..).zip(transactions) {
            let context = Context { number, now, sponsor: party() };
            let changes = apply(&overlay, &context, signed, &ledger).unwrap();
            overlay.add(changes.clone());
            accepted
                .push(Accepted { entry: Entry { now, sponsor: party(), signed: signed.clone() }, changes });
        }
        accepted
    });
    accepted.unwrap()
}

pub(crate) fn in_memory() -> Replica {
    Replica::create_on(InMemoryBackend::new(), &genesis(), key("cosigner"), FOUNDED).unwrap()
}

fn verified(published: &Published) -> VerifiedCheckpoint {
    let signed = SignedCheckpoint::parse(published.note()).unwrap();
    signed.verify(&genesis().ledger_id(), &first_epoch(&genesis())).unwrap()
}

#[test]
fn a_founded_ledger_has_its_genesis_as_entry_0_and_a_checkpoint() {
    let replica = in_memory();
    let published = replica.published();
    assert_eq!(published.size(), 1);
    assert_eq!(published.snapshot().entry(0).unwrap().unwrap(), cbor::encode(&genesis()));
    assert_eq!(verified(&published).time(), FOUNDED);
    assert_eq!(replica.ledger(), genesis().ledger_id());
}

#[test]
fn whatever_is_read_proves_itself_under_the_checkpoint() {
    let replica = in_memory();
    let first = verified(&replica.published());
    let (id, issue, revoke) = grant("one");
    let (other, issue_other, _) = grant("other");
    let batch = [open_holder("1"), issue, issue_other, open_holder("2"), revoke];
    for part in batch.chunks(2) {
        replica.append(&accept(&replica.published(), part)).unwrap();
    }
    let published = replica.published();
    let (snapshot, last) = (published.snapshot(), verified(&published));
    let checkpoint = last.checkpoint();
    for number in 0..6 {
        snapshot.proven_entry(number).unwrap().unwrap().check(checkpoint).unwrap();
    }
    assert_eq!(snapshot.proven_entry(6).unwrap(), None);
    let proof = snapshot.consistency(1).unwrap().unwrap();
    let (old, new) = (first.checkpoint(), checkpoint);
    verify_consistency::<Sm3>(old.size, new.size, &proof, &old.tree, &new.tree).unwrap();
    for bits in [0, 1, 256] {
        let prefix = Prefix::of(&MapKey::of(&suishen_core::contract::Key::Grant(id).to_bytes()), bits);
        let shown = published.grants_under(&prefix).unwrap();
        let log = shown.log_of(&id, &prefix, checkpoint).unwrap().unwrap();
        assert_eq!(log.entries.iter().map(|e| e.number).collect::<Vec<_>>(), [2, 5]);
    }
    assert_eq!(published.bundle(&id).unwrap().unwrap().verify().unwrap().log.entries.len(), 2);
    assert_eq!(snapshot.grant_entries(&other).unwrap(), [3]);
    assert_eq!(snapshot.entry_of(&batch[3].id()).unwrap(), Some(4));
}

#[test]
fn tiles_and_bundles_make_the_root_at_every_size() {
    let replica = in_memory();
    for n in 0..5 {
        let published = replica.published();
        let width = u16::try_from(published.size()).unwrap();
        let tile = |kind| published.snapshot().tile(&TileId::new(kind, 0, width).unwrap()).unwrap().unwrap();
        let (bundle, hashes) = (tile(TileKind::Entries), decode_hashes(&tile(TileKind::Hashes(0))).unwrap());
        let leaves: Vec<_> = decode_entries(&bundle).unwrap().into_iter().map(Sm3::leaf).collect();
        assert_eq!(leaves, hashes);
        let mut edge = Edge::new();
        for leaf in &leaves {
            edge.append::<Sm3>(*leaf, |_| {});
        }
        assert_eq!(edge.root::<Sm3>(), published.checkpoint().tree);
        let more = TileId::new(TileKind::Entries, 0, width + 1).unwrap();
        assert_eq!(published.snapshot().tile(&more).unwrap(), None);
        replica.append(&accept(&published, &[open_holder(&format!("t{n}"))])).unwrap();
    }
}

#[test]
fn a_reader_keeps_its_snapshot_while_the_ledger_grows() {
    let replica = in_memory();
    let before = replica.published();
    let mut following = replica.follow();
    replica.append(&accept(&before, &[open_holder("1")])).unwrap();
    assert!(following.has_changed().unwrap());
    assert_eq!(following.borrow_and_update().size(), 2);
    assert_eq!((before.size(), before.snapshot().entry_of(&open_holder("1").id()).unwrap()), (1, None));
}

#[test]
fn the_same_checkpoint_is_cosigned_again_at_a_later_time_and_never_an_earlier_one() {
    let replica = in_memory();
    let first = verified(&replica.published());
    let again = verified(&replica.refresh(FOUNDED + 30));
    assert_eq!((again.checkpoint(), again.time()), (first.checkpoint(), FOUNDED + 30));
    assert_eq!(verified(&replica.refresh(FOUNDED + 10)).time(), FOUNDED + 30);
}

#[test]
fn a_size_that_was_signed_is_never_signed_with_other_roots() {
    let replica = in_memory();
    let one = accept(&replica.published(), &[open_holder("1")]);
    let other = accept(&replica.published(), &[open_holder("2")]);
    replica.append(&one).unwrap();
    let signed = verified(&replica.published());
    // Entry 1 once more, behind the replica's back: refused before anything is written.
    let edge = Edge::load(&Tiles(&replica.published().snapshot().tables().tiles).nodes(), 1).unwrap();
    assert!(write::append(&replica.0.database, &edge, &other).is_err());
    // And an entry decided on a state that is no longer the last.
    assert!(matches!(replica.append(&other), Err(ReplicaError::OutOfOrder(2))));
    assert_eq!(verified(&replica.refresh(0)).checkpoint(), signed.checkpoint());
}

#[test]
fn sixty_four_threads_get_one_checkpoint_for_each_size() {
    let replica = in_memory();
    let roots = std::sync::Mutex::new(std::collections::BTreeMap::new());
    std::thread::scope(|scope| {
        for n in 0..64 {
            let (replica, roots) = (&replica, &roots);
            scope.spawn(move || {
                let published = if n % 8 == 0 {
                    let accepted = accept(&replica.published(), &[open_holder(&n.to_string())]);
                    // Another thread may have been first: then this entry doesn't follow, and nothing happens.
                    replica.append(&accepted).unwrap_or_else(|_| replica.published())
                } else {
                    replica.refresh(FOUNDED + n)
                };
                let checkpoint = *verified(&published).checkpoint();
                let mut roots = roots.lock().unwrap();
                let earlier = *roots.entry(checkpoint.size).or_insert(checkpoint);
                assert_eq!(earlier, checkpoint);
            });
        }
    });
    assert!(replica.published().size() > 1);
}

#[test]
fn a_folder_with_a_ledger_is_opened_and_never_founded_again() {
    let data = tempfile::tempdir().unwrap();
    assert!(matches!(Replica::open(data.path(), key("cosigner"), FOUNDED), Err(ReplicaError::NoLedger)));
    assert!(!Replica::exists(data.path()));
    let replica = Replica::create(data.path(), &genesis(), key("cosigner"), FOUNDED).unwrap();
    replica.append(&accept(&replica.published(), &[open_holder("1")])).unwrap();
    assert!(Replica::exists(data.path()), "while it is in use");
    drop(replica);
    assert!(Replica::exists(data.path()));
    let again = Replica::create(data.path(), &genesis(), key("cosigner"), FOUNDED);
    assert!(matches!(again, Err(ReplicaError::Exists)));
    assert!(matches!(Replica::open(data.path(), key("other"), FOUNDED), Err(ReplicaError::NotAMember)));
    let opened = Replica::open(data.path(), key("cosigner"), FOUNDED).unwrap().published();
    assert_eq!((opened.size(), verified(&opened).time()), (2, FOUNDED + 1));
}
