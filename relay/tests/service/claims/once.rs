//! What was begun goes on and is told once, though its caller hung up or the server ended meanwhile.

use super::{
    caller::{Desk, path, problem},
    lies::{HONEST, SILENT, before, between},
    world::{INSURER, Server, World},
};
use crate::relay::{fresh, name};
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Duration};
use suishen_core::{
    contract::{Role, Slot},
    id::GrantId,
};
use suishen_relay::claims::held::State;

/// Hangs up on a decision that the relay leaves without an answer.
async fn hang_up(desk: &Desk, decision: &str) {
    let body = json!({ "paid": "9927.86" });
    let asked = desk.caller.post_as("pay", decision, &body);
    assert!(tokio::time::timeout(Duration::from_secs(2), asked).await.is_err(), "nobody waits any more");
}

/// Takes the settlement back, and asks for the same as at first: what it is told.
async fn asked_again(desk: &Desk, claim: &GrantId) -> (u16, Value) {
    desk.server.until(claim, State::Settled).await;
    let reversal = json!({ "why": "error", "words": "误付" });
    assert_eq!(desk.caller.post(&path(claim, "/reversal"), &reversal).await.0, 200);
    desk.server.until(claim, State::Reversed).await;
    let told = desk.caller.post_as("pay", &path(claim, "/decision"), &json!({ "paid": "9927.86" })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.server.desk.claim(claim).unwrap().state(), State::Reversed, "it isn't settled again");
    told
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_told_what_was_done_and_settles_nothing_twice() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (_made, claim) = world.opened(&server, Slot::Commercial).await;
    let desk = Desk::open(&world, server).await;
    liar.how.store(SILENT, Ordering::SeqCst);
    hang_up(&desk, &path(&claim, "/decision")).await;
    let (decision, body) = (path(&claim, "/decision"), json!({ "paid": "9927.86" }));
    let again = desk.caller.post_as("pay", &decision, &body);
    let again = tokio::time::timeout(Duration::from_secs(20), again).await.expect("it is told at once");
    assert_eq!(problem(again), name("in-progress", 409));
    liar.how.store(HONEST, Ordering::SeqCst);
    let (status, told) = asked_again(&desk, &claim).await;
    assert_eq!((status, &told["state"]), (200, &json!("settled")), "as it was then: {told}");
}

#[tokio::test]
async fn a_request_that_the_servers_end_broke_off_is_told_how_its_claim_stands_and_decides_nothing_anew() {
    let world = World::found().await;
    let (liar, lying) = before(&world.relay.base).await;
    let invite = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let (ledger, key) = (world.client.ledger(), fresh());
    // A server that ends all at once, whatever it does.
    let ending = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let own = key.clone();
    let opening = async move {
        let dir = tempfile::tempdir().unwrap();
        super::caller::register(dir.path(), &own);
        let server = Server::open(dir, &lying, Some(&invite)).await.unwrap();
        Desk::behind_within(ledger, server, own, |_| {}).await
    };
    let desk = ending.spawn(opening).await.unwrap();
    let (_made, claim) = world.opened(&desk.server, Slot::Commercial).await;
    let (batch, other) = ("/v1/claims/batch", world.claim(Slot::Commercial).await);
    let items = json!({ "items": [
        { "do": "decide", "id": claim.to_hex(), "paid": "9927.86" }, { "do": "take", "link": other.link },
    ] });
    liar.how.store(SILENT, Ordering::SeqCst);
    let decision = path(&claim, "/decision");
    let all = tokio::time::timeout(Duration::from_secs(2), desk.caller.post_as("all", batch, &items));
    let ((), all) = tokio::join!(hang_up(&desk, &decision), all);
    assert!(all.is_err(), "nobody waits any more");
    let dir = desk.stop().await;
    tokio::task::spawn_blocking(move || ending.shutdown_timeout(Duration::from_secs(10))).await.unwrap();
    liar.how.store(HONEST, Ordering::SeqCst);

    let server = Server::open(dir, &world.relay.base, None).await.unwrap();
    let desk = Desk::behind(&world, server, key).await;
    let (status, told) = asked_again(&desk, &claim).await;
    assert_eq!((status, &told["state"]), (200, &json!("reversed")), "as it stands: {told}");
    let (status, told) = desk.caller.post_as("all", batch, &items).await;
    let results = &told["results"];
    assert_eq!((status, &results[0]["claim"]["state"]), (200, &json!("reversed")), "{told}");
    assert_eq!(results[1]["claim"]["id"], json!(other.grant().to_hex()), "{told}");
    let another = desk.caller.post_as("all", batch, &json!({ "items": [items["items"][1]] })).await;
    assert_eq!(problem(another), name("idempotency-key-used", 422));
}
