//! Enrolment by invite, and suspension of a person.

use crate::relay::{HOSPITAL, Relay, fresh, laboratory, name, refused};
use reqwest::Method;
use suishen_core::{
    cbor,
    contract::{Role, Slot},
    identity::{Chain, Enrolled, Enrolment, Invite},
    report::{ClaimKey, ClaimTag, InvoiceNumber, TagRequest},
    sm::{SecretKey, Signed},
};
use suishen_relay::{
    desk::ORGANISATIONS,
    http::desk::Suspend,
    issuing::{self, CommandDesk, Draft},
    keys::Keys,
    random::SystemRandom,
};

const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");

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
async fn an_issuing_person_gets_an_invoices_tags_the_same_each_time_and_nobody_else_does() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let links: serde_json::Value = serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
    let now = client.info().await.unwrap().now;
    let enrol = async |role: &str| {
        let keys = Keys::new(relay.dir.path().join(role));
        CommandDesk::enrol(&keys, &client, links[role].as_str().unwrap(), now).await.unwrap();
        let enrolled: Enrolled =
            cbor::decode(&std::fs::read(keys.path().join("enrolled.cbor")).unwrap()).unwrap();
        let sign = keys.read("sign").unwrap();
        let root = client.genesis().root.read().unwrap();
        let seal = keys.read("seal").unwrap().public();
        let [chain, _] = enrolled.check(&sign.public(), &seal, &root, now).unwrap();
        (chain, sign)
    };
    let number = InvoiceNumber::in_report(INVOICE).unwrap().unwrap();
    let (chain, sign) = enrol("hospital").await;
    let ask = async |chain: &Chain, key: &SecretKey| {
        let request = TagRequest { chain: chain.clone(), number: number.clone() };
        client.ask::<_, Vec<(ClaimTag, ClaimKey)>>("/v1/desk/tags", &request, key, now).await
    };
    let tags = ask(&chain, &sign).await.unwrap();
    assert_eq!(ask(&chain, &sign).await.unwrap(), tags);
    let voucher = relay.keys().folder(ORGANISATIONS).folder(HOSPITAL).read("voucher").unwrap().public();
    for ((tag, key), slot) in tags.iter().zip(Slot::ALL) {
        assert_eq!(tag.voucher().verify(&voucher, &client.ledger()).unwrap().slot, slot);
        assert!(ClaimKey::of(tag, std::slice::from_ref(key)).is_some());
    }
    assert_eq!(refused(ask(&chain, &fresh()).await), name("not-enrolled", 403));
    let (doctor, key) = enrol("doctor").await;
    assert_eq!(refused(ask(&doctor, &key).await), name("not-allowed", 403));
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
