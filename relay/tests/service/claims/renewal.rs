//! A server whose certificate is renewed while it serves.

use super::{
    caller::Desk,
    world::{FUND, INSURER, Server, World, offer},
};
use crate::process::suishen;
use serde_json::Value;
use std::{sync::atomic::Ordering, time::Duration};
use suishen_core::contract::{Role, Slot};
use suishen_relay::claims::{enrolment, held::State};

const DAY: u64 = 86_400;

async fn enrol(server: &Server, world: &World, link: &str) -> (i32, String) {
    let arguments = ["claims", "--relay", &world.relay.base, "enrol", link];
    suishen(server.dir.path(), &arguments).await
}

#[tokio::test]
async fn a_certificate_is_renewed_by_one_command_while_the_old_one_serves() {
    let world = World::found().await;
    let server = world.insurer().await;
    let made = world.claim(Slot::Commercial).await;
    server.desk.take(&offer(&made.link)).await.unwrap();
    server.until(&made.grant(), State::Waiting).await;
    let old = server.desk.who().key().public();
    let following = enrolment::follow(server.desk.clone(), server.dir.path().to_owned());
    let following = tokio::spawn(following);

    // What isn't for this server changes nothing, and stays unused.
    let other = world.invite(FUND, Role::InsurerStatutory, true).await;
    let (code, printed) = enrol(&server, &world, &other).await;
    assert!(code == 2 && printed.contains("another organisation"), "{printed}");
    let person = world.invite(INSURER, Role::InsurerCommercial, false).await;
    let (code, printed) = enrol(&server, &world, &person).await;
    assert_eq!(code, 2, "{printed}");
    let link = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let (code, printed) = enrol(&server, &world, &link).await;
    assert!(code == 0 && printed.contains("certified until"), "{printed}");
    // Once used, it is refused, and what there is goes on.
    let (code, printed) = enrol(&server, &world, &link).await;
    assert_eq!(code, 2, "{printed}");

    let taken_over = async {
        while server.desk.who().key().public() == old {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken_over).await.unwrap();
    let new = server.desk.who().key().public();
    // The claim that was under way goes on, and so does a restart without a link.
    made.agree(&world.client).await.unwrap();
    server.until(&made.grant(), State::Open).await;
    following.abort();
    let server = server.restart(&world.relay.base).await;
    assert_eq!(server.desk.who().key().public(), new);
    let held = server.desk.decide(&made.grant(), "9927.86", "").await.unwrap();
    assert_eq!(held.state(), State::Settled);
}

#[tokio::test]
async fn a_certificate_that_ends_within_three_weeks_is_said_to() {
    let (world, ahead) = World::ahead().await;
    let server = world.insurer().await;
    let until = server.desk.who().chain().leaf().validity().not_after;
    assert_eq!(enrolment::ends_within(&server.desk.who(), until - 22 * DAY), None);
    assert_eq!(enrolment::ends_within(&server.desk.who(), until - 20 * DAY), Some(20 * DAY));
    let desk = Desk::open(&world, server).await;
    let told = async |desk: &Desk| {
        let get = async |path: &str| reqwest::get(format!("{}{path}", desk.caller.base)).await.unwrap();
        let info: Value = get("/v1/info").await.json().await.unwrap();
        (info["renew"].clone(), get("/healthz").await.text().await.unwrap())
    };
    assert_eq!(told(&desk).await, (false.into(), "ok".to_owned()));
    ahead.store(75 * DAY, Ordering::SeqCst);
    let desk = desk.restart(&world).await;
    let (renew, health) = told(&desk).await;
    assert_eq!(renew, true);
    assert!(
        health.starts_with("ok; the certificate ends in 1") && health.contains("claims enrol"),
        "{health}"
    );
    // After its end nothing starts, and it says what to do.
    ahead.store(91 * DAY, Ordering::SeqCst);
    let dir = desk.stop().await;
    let (code, printed) = suishen(dir.path(), &["claims", "--relay", &world.relay.base]).await;
    assert!(code == 2 && printed.contains("suishen claims enrol LINK"), "{printed}");
}

#[tokio::test]
async fn a_renewal_that_cannot_be_taken_over_is_looked_at_again_until_it_can() {
    let world = World::found().await;
    let server = world.insurer().await;
    let key = || server.desk.who().key().public();
    let old = key();
    let link = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let (code, printed) = enrol(&server, &world, &link).await;
    assert_eq!(code, 0, "{printed}");
    let file = server.dir.path().join("claims/keys/2/enrolled.cbor");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let pace = (Duration::from_millis(10), Duration::from_millis(100));
    let following = enrolment::follow_at(pace, server.desk.clone(), server.dir.path().to_owned());
    let following = tokio::spawn(following);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(key() == old && !following.is_finished(), "the old one serves meanwhile");
    std::fs::write(&file, &whole).unwrap();
    let taken_over = async {
        while key() == old {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken_over).await.unwrap();
    following.abort();
}

#[tokio::test]
async fn a_damaged_renewal_keeps_no_server_from_starting_and_none_from_being_renewed() {
    let world = World::found().await;
    let server = world.insurer().await;
    let old = server.desk.who().key().public();
    let dir = server.stop().await;
    let keys = dir.path().join("claims/keys");
    std::fs::create_dir(keys.join("2")).unwrap();
    std::fs::write(keys.join("2/enrolled.cbor"), [0xff; 40]).unwrap();
    let server = Server::open(dir, &world.relay.base, None).await.unwrap();
    assert_eq!(server.desk.who().key().public(), old);
    let link = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let (code, printed) = enrol(&server, &world, &link).await;
    assert_eq!(code, 0, "{printed}");
    assert!(keys.join("3/enrolled.cbor").exists());
    let server = server.restart(&world.relay.base).await;
    assert_ne!(server.desk.who().key().public(), old);
}
