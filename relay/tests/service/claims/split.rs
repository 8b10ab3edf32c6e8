//! Checkpoints that somebody else was shown: of the ledger that an insurer's server knows, or of another.

use super::world::World;
use suishen_core::{
    contract::Key,
    proof::{
        bundle::first_epoch,
        checkpoint::{Checkpoint, SignedCheckpoint, VerifiedCheckpoint},
    },
    sm::Digest,
};
use suishen_relay::claims::{ledger::LedgerError, patient::Patient};

/// The newest checkpoint.
async fn newest(world: &World) -> VerifiedCheckpoint {
    let note = String::from_utf8(world.client.get("/v1/ledger/checkpoint").await.unwrap()).unwrap();
    let epoch = first_epoch(world.client.genesis());
    SignedCheckpoint::parse(&note).unwrap().verify(&world.client.ledger(), &epoch).unwrap()
}

/// What a member vouches for who holds to no rule.
fn forged(world: &World, checkpoint: Checkpoint, time: u64) -> VerifiedCheckpoint {
    let epoch = first_epoch(world.client.genesis());
    let key = world.relay.keys().folder("member").read("cosigner").unwrap();
    let cosignatures = vec![checkpoint.cosign(&epoch.cosigners[0].name, &key, time)];
    SignedCheckpoint { checkpoint, cosignatures }.verify(&world.client.ledger(), &epoch).unwrap()
}

#[tokio::test]
async fn malicious_relay_that_shows_two_ledgers_is_found_out_where_their_checkpoints_meet() {
    let world = World::found().await;
    let server = world.insurer().await;
    let ledger = &server.desk.ledger;
    let older = newest(&world).await;
    Patient::arrive(&world.client).await.unwrap();
    ledger.values(&[Key::Auditor]).await.unwrap();
    let known = newest(&world).await;
    assert!(older.checkpoint().size < known.checkpoint().size);
    Patient::arrive(&world.client).await.unwrap();
    let newer = newest(&world).await;
    for (shown, checkpoint) in [("older", &older), ("known", &known), ("newer", &newer)] {
        assert!(ledger.agrees(checkpoint).await.unwrap(), "{shown}");
    }

    // Other entries, or another state, behind as many entries: two ledgers, and the member's name is on both.
    let other = Digest::of(b"another ledger");
    for checkpoint in
        [Checkpoint { tree: other, ..*known.checkpoint() }, Checkpoint { map: other, ..*known.checkpoint() }]
    {
        assert!(!ledger.agrees(&forged(&world, checkpoint, known.time())).await.unwrap(), "{checkpoint:?}");
    }
    // Behind fewer or more entries nobody can prove that one goes on from the other.
    for real in [&older, &newer] {
        let checkpoint = Checkpoint { tree: other, ..*real.checkpoint() };
        let verdict = ledger.agrees(&forged(&world, checkpoint, real.time())).await;
        assert!(matches!(verdict, Err(LedgerError::Unsound("consistency"))), "{verdict:?}");
    }
}
