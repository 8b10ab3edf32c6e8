//! Enrolment by invite, and suspension of a person.

use crate::relay::{HOSPITAL, Relay, fresh, laboratory, name, refused};
use reqwest::Method;
use suishen_core::{
    cbor,
    contract::Role,
    identity::{Enrolled, Enrolment, Invite},
    sm::Signed,
};
use suishen_relay::{
    desk::ORGANISATIONS,
    http::desk::Suspend,
    issuing::{self, CommandDesk, Draft},
    keys::Keys,
    random::SystemRandom,
};

#[tokio::test]
async fn an_invite_enrols_one_person_once_and_a_suspended_person_gets_no_credential() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let links: serde_json::Value = serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
    let link = links["hospital"].as_str().unwrap();
    let now = client.info().await.unwrap().now;
    let desk = Keys::new(relay.dir.path().join("desk"));
    let enrolled = CommandDesk::enrol(&desk, &client, link, now).await.unwrap();
    let second = Keys::new(relay.dir.path().join("second"));
    let again = CommandDesk::enrol(&second, &client, link, now).await;
    assert!(again.unwrap_err().to_string().contains("invite-used"));

    let draft = || Draft { fhir: laboratory(), attachments: Vec::new(), sensitive: false };
    issuing::issue(&client, &enrolled, &draft(), None).await.unwrap();

    let party = suishen_core::id::PartyId::new(HOSPITAL).unwrap();
    let person = desk.read("sign").unwrap().public();
    let body = cbor::encode(&Suspend { party, person });
    let stranger = client.signed(Method::POST, "/v1/desk/suspend", body.clone(), &fresh(), now).await;
    assert_eq!(refused(stranger), name("not-allowed", 403));
    let certified = relay.keys().folder(ORGANISATIONS).folder(HOSPITAL).read("certified").unwrap();
    client.signed(Method::POST, "/v1/desk/suspend", body, &certified, now).await.unwrap();
    let late = issuing::issue(&client, &enrolled, &draft(), None).await;
    assert!(late.unwrap_err().to_string().contains("person-suspended"));
}

#[tokio::test]
async fn an_expired_or_forged_invite_enrols_nobody() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let party = suishen_core::id::PartyId::new(HOSPITAL).unwrap();
    let invite = |issued| Invite::new(party.clone(), Role::Issuer, "方静", issued, &mut SystemRandom);
    let certified = relay.keys().folder(ORGANISATIONS).folder(HOSPITAL).read("certified").unwrap();
    for (issued, key, expected) in [
        (now - 2 * 86_400, &certified, name("invite-expired", 410)),
        (now, &fresh(), name("invite-unknown", 404)),
    ] {
        let signed = Signed::new(&invite(issued), key, &client.ledger());
        let request = Enrolment::request(signed, &fresh(), &fresh().public(), &client.ledger());
        assert_eq!(refused(client.post("/v1/desk/enrol", &request).await), expected);
    }
    let signed = Signed::new(&invite(now), &certified, &client.ledger());
    let request = Enrolment::request(signed, &fresh(), &fresh().public(), &client.ledger());
    let answer = client.post("/v1/desk/enrol", &request).await.unwrap();
    assert!(cbor::decode::<Enrolled>(&answer).is_ok());
}
