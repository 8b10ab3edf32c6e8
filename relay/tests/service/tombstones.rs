//! Revocations of grants that the ledger doesn't know: acknowledged, and no more than they must be.

use crate::relay::{fresh, pages};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use suishen_core::{
    consent::GRANT_BOX,
    contract::{IssueGrant, Kind, RevokeGrant, Role, SignedTransaction, Transaction},
    gate::{RecordHalf, Revocation, SLOT, STRANGER_TERM, split},
    id::GrantId,
    sm::{Digest, Key32, SecretKey},
};
use suishen_relay::{
    config::serve_defaults,
    gate::{GateError, TEAR_FILE},
    node::Node,
    order::{Clock, Order as _, system_clock},
    random::SystemRandom,
};

async fn node(dir: &tempfile::TempDir, clock: &Clock) -> Arc<Node> {
    let mut serve = serve_defaults();
    serve.demo = true;
    serve.web = Some(pages(dir));
    Node::open(dir.path(), &serve, 8080, clock.clone()).await.unwrap()
}

fn revocation(node: &Node, key: &SecretKey) -> Revocation {
    let ledger = node.replica.ledger();
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: GrantId::of(&ledger, &key.public()) });
    Revocation { key: key.public(), signed: SignedTransaction::new(&revoke, key, &ledger) }
}

fn slots(dir: &Path) -> u64 {
    std::fs::metadata(dir.join(TEAR_FILE)).unwrap().len() / SLOT as u64
}

/// A grant's transaction, and its deposit without blobs, sealed to this gate's day.
fn grant(node: &Node, key: &SecretKey) -> (SignedTransaction, Digest, Vec<u8>) {
    let ledger = node.replica.ledger();
    let id = GrantId::of(&ledger, &key.public());
    let record = RecordHalf { half: Key32::generate(&mut SystemRandom), blobs: Vec::new() };
    let split = split(id.digest(), &[record], 1, 1, &mut SystemRandom).unwrap();
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer: fresh().public(),
        role: Role::Physician,
        duration: 86_400,
        accept_within: 1800,
        uses: 1,
        interval: 0,
        records: 1,
        shares: split.digest,
        auditor_box: vec![0; GRANT_BOX],
        reply: fresh().public(),
        include_before: node.now() + 600,
    };
    let day = node.gate.day().unwrap().claimed().unwrap().key;
    let sealed = split.deposits[0].seal(key, &day, &ledger, &mut SystemRandom);
    (SignedTransaction::new(&Transaction::IssueGrant(issue), key, &ledger), *id.digest(), sealed)
}

#[tokio::test]
async fn tombstones_of_strangers_go_when_their_grants_cannot_come_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(system_clock()()));
    let clock: Clock = {
        let now = now.clone();
        Arc::new(move || now.load(Ordering::Relaxed))
    };
    let relay = node(&dir, &clock).await;
    let before = slots(dir.path());
    for _ in 0..20 {
        relay.gate.revoke(&revocation(&relay, &fresh())).unwrap();
    }
    // One of them is on its way: revoked first, included a moment later.
    let late = fresh();
    relay.gate.revoke(&revocation(&relay, &late)).unwrap();
    let (issue, object, sealed) = grant(&relay, &late);
    relay.order.submit(issue).await.unwrap();
    let day = relay.gate.day().unwrap().claimed().unwrap().key;
    let refused = |relay: &Node| match relay.gate.deposit(&object, &day, &sealed) {
        Err(GateError::Refused(refusal)) => refusal.number(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&relay), 105);
    assert_eq!(slots(dir.path()), before + 21);

    // A restart forgets none of them, and lets none stand for ever.
    drop(relay);
    let relay = node(&dir, &clock).await;
    assert_eq!(refused(&relay), 105);
    now.fetch_add(STRANGER_TERM, Ordering::Relaxed);
    relay.gate.tear_due().unwrap();
    assert_eq!(refused(&relay), 105, "its grant stands on the ledger");
    for _ in 0..20 {
        relay.gate.revoke(&revocation(&relay, &fresh())).unwrap();
    }
    assert_eq!(slots(dir.path()), before + 21, "the slots of the others are free again");
}
