//! `suishen suspend`, played end to end: a person gets no more credentials; an organisation issues, redeems and opens
//! nothing more. And `suishen found`, without a demo.

use crate::{
    grants::{redemption, share},
    process::{Process, suishen},
    relay::{HOSPITAL, Relay, fresh, laboratory, name, refused},
};
use suishen_core::{
    cbor,
    contract::{Key, Party},
    id::PartyId,
};
use suishen_relay::{
    client::Client,
    command::fsck,
    issuing::{self, CommandDesk, Draft},
    keys::Keys,
};

async fn enrol(relay: &Relay, client: &Client, folder: &str) -> CommandDesk {
    let links: serde_json::Value = serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
    let now = client.info().await.unwrap().now;
    let keys = Keys::new(relay.dir.path().join(folder));
    CommandDesk::enrol(&keys, client, links["hospital"].as_str().unwrap(), now).await.unwrap()
}

async fn issue(client: &Client, desk: &CommandDesk) -> Result<(), String> {
    let draft = Draft { fhir: laboratory(), attachments: Vec::new(), sensitive: false };
    issuing::issue(client, desk, &draft, None).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_suspended_person_comes_back_by_an_invitation_and_a_suspended_organisation_does_not() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let data = relay.dir.path();
    let suspend = async |flags: &[&str]| {
        let all = [&["suspend", "--relay", &relay.base, "--party", HOSPITAL], flags].concat();
        suishen(data, &all).await
    };
    let desk = enrol(&relay, &client, "one").await;
    issue(&client, &desk).await.unwrap();
    let (code, printed) = suspend(&["--people"]).await;
    assert!(code == 0 && printed.contains("方静") && !printed.contains("suspended"), "{code} {printed}");
    let key = printed.split(' ').next().unwrap();
    assert_eq!(suspend(&["--person", key]).await.0, 0);
    assert!(suspend(&["--people"]).await.1.contains("suspended"));
    assert!(issue(&client, &desk).await.unwrap_err().contains("person-suspended"));
    assert_eq!(suspend(&["--person", "04ab"]).await.0, 2);
    assert_eq!(suspend(&[]).await.0, 2);
    let again = enrol(&relay, &client, "two").await;
    issue(&client, &again).await.unwrap();

    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    shared.release(&client, 1, now).await.unwrap();
    let (code, printed) = suspend(&["--why", "licence withdrawn"]).await;
    assert!(code == 0 && printed.starts_with("suspended from"), "{code} {printed}");
    assert!(issue(&client, &again).await.unwrap_err().contains("(21)"));
    let late = redemption(&shared, &client, 2, fresh().public());
    assert_eq!(refused(client.submit(&late).await), name("21", 403));
    assert_eq!(refused(shared.release(&client, 1, now).await), name("110", 403));
    let party = Key::Party(PartyId::new(HOSPITAL).unwrap());
    let party: Party = cbor::decode(&client.value(&party).await.unwrap().values[0].value).unwrap();
    assert_eq!(party.suspension.unwrap().why, "licence withdrawn");
    let (code, printed) = suspend(&["--why", "once more"]).await;
    assert!(code == 2 && printed.contains("(29)"), "{code} {printed}");
    // From an earlier moment on: what was issued since then is doubtful too.
    assert_eq!(suspend(&["--why", "forged reports", "--from", &(now - 86_400).to_string()]).await.0, 0);
}

const CONSORTIUM: &str = r#"
    relay = "langfang-relay"
    origins = ["https://wallet.example.org"]
    member = "12131000ABCDEF0001"
    auditor = "11131000ABCDEF0002"
    root = { code = "52131000ABCDEF0000", name = "廊坊健康信息联盟" }
    [[organisation]]
    code = "12131000ABCDEF0001"
    name = "廊坊市人民医院"
    roles = ["issuer", "physician"]
    [[organisation]]
    code = "11131000ABCDEF0002"
    name = "廊坊市卫生健康委员会"
    roles = ["auditor"]
"#;

#[tokio::test]
async fn a_ledger_is_founded_from_a_file_and_served_without_a_demo() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("consortium.toml"));
    std::fs::write(&file, CONSORTIUM).unwrap();
    let file = file.to_str().unwrap();
    let (code, printed) = suishen(&data, &["--log", "error", "found", file]).await;
    assert_eq!(code, 0, "{printed}");
    let (code, again) = suishen(&data, &["found", file]).await;
    assert!(code == 2 && again.contains("already"), "{again}");

    let process = Process::start(&data, &[]).await;
    let client = process.client().await;
    let info = client.info().await.unwrap();
    assert_eq!((info.demo, info.name.as_str()), (false, "langfang-relay"));
    assert_eq!(info.ledger.to_string(), printed.trim());
    assert_eq!(refused(client.get("/v1/demo").await), name("not-found", 404));
    let person = ["--party", "12131000ABCDEF0001", "--role", "issuer", "--name", "张敏"];
    let invite = [&["invite", "--desk-origin", "https://desk.example.org"][..], &person].concat();
    let (_, link) = suishen(&data, &invite).await;
    let (keys, now) = (Keys::new(dir.path().join("desk")), info.now);
    let desk = CommandDesk::enrol(&keys, &client, link.trim(), now).await.unwrap();
    issue(&client, &desk).await.unwrap();
    process.kill();
    assert_eq!(fsck::examine(&data).unwrap().findings, vec![]);
}
