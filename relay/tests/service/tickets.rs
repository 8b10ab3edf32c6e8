//! Reports on their way to a patient: by ticket, and to one whom the desk knows.

use crate::relay::{Relay, fresh, laboratory, name, refused};
use reqwest::Method;
use suishen_core::{
    cbor,
    contract::{BindTicket, SignedTransaction, Transaction},
    gate::{Gathering, Kept, Released, open_release},
    id::HolderCommitment,
    qr::{IdentityOffer, Scanned, scan},
    report::{TicketContents, open_part},
    sm::{PublicKey, Signed},
};
use suishen_relay::{
    client::Client,
    http::gate::Ask,
    issuing::{self, CommandDesk, Draft},
    keys::Keys,
};

#[tokio::test]
async fn a_ticket_gives_its_report_to_the_wallet_that_keeps_it_and_is_gone_afterwards() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let links: serde_json::Value = serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
    let desk = Keys::new(relay.dir.path().join("desk"));
    let desk = CommandDesk::enrol(&desk, &client, links["hospital"].as_str().unwrap(), now).await.unwrap();
    let draft = Draft {
        fhir: laboratory(),
        attachments: vec![("scan.pdf".into(), "application/pdf", b"%PDF-1.4".to_vec())],
        sensitive: false,
    };
    let issued = issuing::issue(&client, &desk, &draft, None).await.unwrap();
    let link = issued.link.unwrap();
    let Ok(Scanned::Ticket { ticket, origin }) = scan(&link) else { panic!("{}", link.as_str()) };
    assert!(origin.starts_with("http://patient.localhost:"));

    let object = *issued.commitment.digest();
    let ask = Ask { object, use_number: 0 };
    // Not bound yet: no share, no blob.
    assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("113", 403));

    let (seal_key, request_key) = (fresh(), fresh());
    let bind = BindTicket {
        commitment: issued.commitment,
        holder: HolderCommitment::from_bytes([5; 32]),
        seal: seal_key.public(),
        request: request_key.public(),
    };
    let bind = SignedTransaction::new(&Transaction::BindTicket(bind), ticket.key(), &client.ledger());
    let first = client.submit(&bind).await.unwrap();
    assert_eq!(client.submit(&bind).await.unwrap(), first, "a repeat gives the first entry");

    let released = client.post("/v1/gate/release", &ask).await.unwrap();
    assert_eq!(client.post("/v1/gate/release", &ask).await.unwrap(), released, "the same answer again");
    let released: Signed<Released> = cbor::decode(&released).unwrap();
    let release =
        open_release(&released, &client.gate_key(), &seal_key, &object, 0, &client.ledger()).unwrap();
    let digest = suishen_core::gate::share_commitments_digest(&release.commitments);
    let mut gathering = Gathering::new(object, digest, 1, 1);
    gathering.add(1, &release).unwrap();
    let key = ticket.content_key(&gathering.half(0).unwrap());

    let blobs = &release.records[0].blobs;
    assert_eq!(refused(client.get_blob(&blobs[0], &fresh(), now).await), name("no-blob", 404));
    let contents = client.get_blob(&blobs[0], &request_key, now).await.unwrap();
    let signed_by = anchor_issuer(&client, &issued.commitment).await;
    let (contents, manifest) =
        TicketContents::open(&contents, &key, &issued.commitment, &signed_by, &client.ledger()).unwrap();
    let part = &contents.parts[0];
    let blob = client.get_blob(&part.address, &request_key, now).await.unwrap();
    assert_eq!(open_part(&manifest, part, &blob).unwrap(), laboratory());

    let kept = Signed::new(&Kept { commitment: issued.commitment }, &request_key, &client.ledger());
    let stranger = Signed::new(&Kept { commitment: issued.commitment }, &fresh(), &client.ledger());
    assert_eq!(refused(client.post("/v1/gate/kept", &stranger).await), name("103", 403));
    client.post("/v1/gate/kept", &kept).await.unwrap();
    assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("105", 409));
    assert_eq!(refused(client.get_blob(&part.address, &request_key, now).await), name("no-blob", 404));
}

async fn anchor_issuer(client: &Client, commitment: &suishen_core::id::Commitment) -> PublicKey {
    let answer = client.value(&suishen_core::contract::Key::Anchor(*commitment)).await.unwrap();
    let anchor: suishen_core::contract::Anchor = cbor::decode(&answer.values[0].value).unwrap();
    anchor.issuer
}

#[tokio::test]
async fn a_known_patient_gets_the_report_without_a_code() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let links: serde_json::Value = serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
    let desk = Keys::new(relay.dir.path().join("desk"));
    let desk = CommandDesk::enrol(&desk, &client, links["hospital"].as_str().unwrap(), now).await.unwrap();
    let (inbox_key, encryption) = (fresh(), fresh());
    let offer = IdentityOffer {
        holder: HolderCommitment::from_bytes([3; 32]),
        encryption_key: encryption.public(),
        inbox: suishen_core::id::InboxId::of(&inbox_key.public()),
        relays: None,
    };
    let draft = Draft { fhir: laboratory(), attachments: Vec::new(), sensitive: false };
    let issued = issuing::issue(&client, &desk, &draft, Some(&offer)).await.unwrap();
    assert!(issued.link.is_none());

    let path = format!("/v1/inbox/{}", offer.inbox);
    let delivered = client.signed(Method::GET, &path, Vec::new(), &inbox_key, now).await.unwrap();
    let delivered: Vec<(u64, minicbor::bytes::ByteVec)> = cbor::decode(&delivered).unwrap();
    let (index, sealed) = &delivered[0];
    let label = suishen_core::sm::Label::new("inbox");
    let text =
        suishen_core::sm::sealed::open(&encryption, &client.ledger(), offer.inbox.digest(), label, sealed);
    let contents: TicketContents = cbor::decode(&text.unwrap()).unwrap();
    assert_eq!(contents.commitment(), issued.commitment);
    client.get_blob(&contents.parts[0].address, &inbox_key, now).await.unwrap();
    assert_eq!(
        refused(client.signed(Method::GET, &path, Vec::new(), &fresh(), now).await),
        name("not-allowed", 403)
    );
    let taken = format!("{path}/{index}");
    client.signed(Method::DELETE, &taken, Vec::new(), &inbox_key, now).await.unwrap();
    assert_eq!(
        refused(client.signed(Method::DELETE, &taken, Vec::new(), &inbox_key, now).await),
        name("not-there", 404)
    );
}
