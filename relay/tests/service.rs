//! A relay on a port, used as desks, wallets and strangers use it: over HTTP, with real keys and a real ledger.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use std::{path::PathBuf, sync::Arc};
use suishen_core::{
    cbor,
    contract::{
        AcceptGrant, Acceptance, BindTicket, Credential, IssueGrant, Kind, RedeemGrant, RevokeGrant, Role,
        SignedTransaction, Transaction,
    },
    gate::{Gathering, Kept, RecordHalf, Released, Revocation, Torn, open_release, split},
    id::{BlobAddress, GrantId, HolderCommitment},
    identity::{
        Enrolled, Enrolment, Invite,
        request::{self, sign},
    },
    proof::log::ShownGrants,
    qr::{IdentityOffer, Scanned, scan},
    report::{TicketContents, open_part},
    sm::{Digest, Key32, PublicKey, Random as _, SecretKey, Signed},
};
use suishen_relay::{
    client::{Client, ClientError},
    config::serve_defaults,
    desk::ORGANISATIONS,
    http::{desk::Suspend, gate::Ask},
    issuing::{self, CommandDesk, Draft},
    keys::Keys,
    node::{KEYS, Node},
    order::system_clock,
    random::SystemRandom,
};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_tungstenite::tungstenite::Message;

const HOSPITAL: &str = "12520100ANLAN00018";

/// A relay of a demo consortium in a folder of its own.
struct Relay {
    dir: tempfile::TempDir,
    base: String,
    stop: Option<oneshot::Sender<()>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Relay {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(dir: tempfile::TempDir) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serve = serve_defaults();
        serve.demo = true;
        serve.web = Some(pages(&dir));
        let node = Node::open(dir.path(), &serve, address.port(), system_clock()).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let _upkeep = node.start();
            let stopped = async {
                let _ = stopped.await;
            };
            suishen_relay::command::serve::until(listener, Arc::clone(&node), stopped).await.unwrap();
        });
        Self { dir, base: format!("http://{address}"), stop: Some(stop), serving }
    }

    async fn restart(mut self) -> Self {
        let _ = self.stop.take().unwrap().send(());
        self.serving.await.unwrap();
        Self::start_in(self.dir).await
    }

    async fn client(&self) -> Client {
        Client::connect(&self.base).await.unwrap()
    }

    fn keys(&self) -> Keys {
        Keys::new(self.dir.path().join(KEYS))
    }

    /// A credential as the organisation's relay signs it, without the way over enrolment.
    fn credential(
        &self,
        client: &Client,
        role: Role,
        now: u64,
    ) -> (SecretKey, SecretKey, Signed<Credential>) {
        let acceptance = self.keys().folder(ORGANISATIONS).folder(HOSPITAL).read("acceptance").unwrap();
        let (grantee, box_key) = (fresh(), fresh());
        let credential = Credential {
            party: suishen_core::id::PartyId::new(HOSPITAL).unwrap(),
            role,
            grantee: grantee.public(),
            box_key: box_key.public(),
            expiry: now + 3600,
        };
        (grantee, box_key, Signed::new(&credential, &acceptance, &client.ledger()))
    }

    fn raw(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new().request(method, format!("{}{path}", self.base))
    }
}

fn pages(dir: &tempfile::TempDir) -> PathBuf {
    let web = dir.path().join("web");
    std::fs::create_dir_all(web.join("pkg")).unwrap();
    std::fs::write(web.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(web.join("engine.js"), "0").unwrap();
    std::fs::write(web.join("engine.js.br"), "packed").unwrap();
    std::fs::write(web.join("pkg/app-1.js"), "0").unwrap();
    web
}

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

fn refused(result: Result<impl Sized, ClientError>) -> (u16, String) {
    match result.err().expect("it must be refused") {
        ClientError::Refused { status, code, .. } => (status, code),
        other => panic!("{other}"),
    }
}

fn name(code: &str, status: u16) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn every_answer_carries_the_policy_and_every_error_is_a_problem() {
    let relay = Relay::start().await;
    let page = relay.raw(Method::GET, "/records/12").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"));
    assert!(policy.contains("connect-src 'self';"));
    assert_eq!(page.headers()["cross-origin-opener-policy"], "same-origin");
    assert_eq!(page.headers()["cache-control"], "no-cache");

    let engine = relay.raw(Method::GET, "/engine.js").header("accept-encoding", "gzip, br");
    let engine = engine.send().await.unwrap();
    assert_eq!(engine.headers()["content-encoding"], "br");
    assert!(engine.headers()["content-security-policy"].to_str().unwrap().contains("ws://localhost:"));

    let file = relay.raw(Method::GET, "/pkg/app-1.js").send().await.unwrap();
    assert!(file.headers()["cache-control"].to_str().unwrap().contains("immutable"));

    for (method, path, kind, body, status, code) in [
        (Method::GET, "/v1/nothing", "", "", 404, "not-found"),
        (Method::GET, "/missing.js", "", "", 404, "not-found"),
        (Method::DELETE, "/v1/info", "", "", 405, "method"),
        (Method::POST, "/v1/transactions", "text/plain", "x", 415, "media-type"),
        (Method::POST, "/v1/gate/release", "application/cbor", "x", 400, "malformed"),
        (Method::POST, "/v1/transactions", "application/cbor", "x", 400, "1"),
        (Method::POST, "/v1/ledger/time", "", "short", 400, "malformed"),
        (Method::GET, "/v1/ledger/entries?from=x", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/state/012", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/value/zz", "", "", 400, "malformed"),
        (Method::GET, "/v1/ledger/tile/9/zzz", "", "", 404, "not-there"),
        (Method::GET, "/v1/blobs/00", "", "", 404, "no-blob"),
        (Method::GET, "/v1/events", "", "", 400, "malformed"),
    ] {
        for (language, start) in [("zh-CN", false), ("en", true)] {
            let call = relay.raw(method.clone(), path).header("accept-language", language);
            let answer = call.header("content-type", kind).body(body).send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
            assert!(answer.headers().contains_key("content-security-policy"));
            let problem: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], code, "{path}");
            for field in ["type", "title", "detail", "action"] {
                assert!(!problem[field].as_str().unwrap().is_empty(), "{path}: {field}");
            }
            assert_eq!(problem["title"].as_str().unwrap().is_ascii(), start, "{path}: {problem}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_at_every_endpoint() {
    let relay = Relay::start().await;
    let large = vec![0_u8; 2 << 20];
    let id = "00".repeat(32);
    for path in [
        "/v1/transactions",
        "/v1/ledger/time",
        "/v1/gate/shares",
        "/v1/gate/release",
        "/v1/gate/revoke",
        "/v1/gate/kept",
        "/v1/desk/enrol",
        "/v1/desk/credentials",
        "/v1/desk/suspend",
        &format!("/v1/drop/{id}"),
        &format!("/v1/inbox/{id}"),
    ] {
        let call = relay.raw(Method::POST, path).header("content-type", "application/cbor");
        let answer = call.body(large.clone()).send().await.unwrap();
        let status = answer.status();
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((status.as_u16(), problem["code"].as_str()), (413, Some("too-large")), "{path}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_get_nothing_and_our_own_may_ask() {
    let relay = Relay::start().await;
    let foreign = relay.raw(Method::GET, "/v1/info").header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let port = relay.base.rsplit(':').next().unwrap();
    let own = format!("http://doctor.localhost:{port}");
    let answer = relay.raw(Method::GET, "/v1/info").header("origin", &own).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], own.as_str());
    let preflight = relay.raw(Method::OPTIONS, "/v1/transactions");
    let preflight = preflight.header("origin", &own).header("access-control-request-method", "POST");
    assert_eq!(preflight.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn blobs_go_to_their_owner_whole_or_by_range_and_to_nobody_else() {
    let relay = Relay::start().await;
    let (client, owner, other) = (relay.client().await, fresh(), fresh());
    let now = client.info().await.unwrap().now;
    let blob: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let address = BlobAddress::of(&blob);
    client.put_blob(&address, blob.clone(), &owner, now).await.unwrap();
    assert_eq!(client.get_blob(&address, &owner, now).await.unwrap(), blob);
    assert_eq!(refused(client.get_blob(&address, &other, now).await), name("not-allowed", 403));

    let wrong = BlobAddress::from_bytes([1; 32]);
    assert_eq!(refused(client.put_blob(&wrong, b"x".to_vec(), &owner, now).await), name("digest", 422));
    let path = format!("/v1/blobs/{address}");
    assert_eq!(
        refused(client.signed(Method::DELETE, &path, Vec::new(), &other, now).await),
        name("not-allowed", 403)
    );
    client.signed(Method::DELETE, &path, Vec::new(), &owner, now).await.unwrap();
    assert_eq!(refused(client.get_blob(&address, &owner, now).await), name("no-blob", 404));
}

#[tokio::test]
async fn an_unsigned_stale_or_repeated_request_is_refused() {
    let relay = Relay::start().await;
    let (client, key) = (relay.client().await, fresh());
    let now = client.info().await.unwrap().now;
    let address = BlobAddress::of(b"x");
    client.put_blob(&address, b"x".to_vec(), &key, now).await.unwrap();
    let path = format!("/v1/blobs/{address}");
    assert_eq!(refused(client.get(&path).await), name("unsigned", 401));
    assert_eq!(refused(client.get_blob(&address, &key, now - 1000).await), name("stale", 401));

    let message = request::Message { method: "GET", path: &path, query: "", content: Digest::of(b"") };
    let fields = sign(&message, &key, &client.ledger(), now, &mut SystemRandom);
    for expected in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        let call = relay.raw(Method::GET, &path).header("content-digest", &fields.content_digest);
        let call =
            call.header("signature-input", &fields.signature_input).header("signature", &fields.signature);
        let answer = call.header("range", "bytes=0-0").send().await.unwrap();
        let expected = if expected == StatusCode::OK { StatusCode::PARTIAL_CONTENT } else { expected };
        assert_eq!(answer.status(), expected);
    }
}

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

fn laboratory() -> Vec<u8> {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/laboratory/report.json");
    std::fs::read(sample).unwrap()
}

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
    assert_eq!(refused(client.get_blob(&blobs[0], &fresh(), now).await), name("not-allowed", 403));
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

/// A grant on one record, deposited and accepted.
struct Shared {
    id: GrantId,
    key: SecretKey,
    grantee: SecretKey,
    credential: Signed<Credential>,
    half: Key32,
    shares: Digest,
    blob: BlobAddress,
}

async fn share(relay: &Relay, client: &Client, now: u64) -> Shared {
    let (key, offer, ledger) = (fresh(), fresh(), client.ledger());
    let id = GrantId::of(&ledger, &key.public());
    let bytes: [u8; 100] = SystemRandom.bytes();
    let blob = BlobAddress::of(&bytes);
    client.put_blob(&blob, bytes.to_vec(), &fresh(), now).await.unwrap();
    let half = Key32::generate(&mut SystemRandom);
    let record = RecordHalf { half: half.clone(), blobs: vec![blob] };
    let split = split(id.digest(), &[record], 1, 1, &mut SystemRandom).unwrap();
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer: offer.public(),
        role: Role::Physician,
        duration: 3600,
        accept_within: 600,
        uses: 2,
        interval: 0,
        records: 1,
        shares: split.digest,
        auditor_box: vec![0; 64],
        reply: fresh().public(),
        include_before: now + 600,
    };
    let issue = SignedTransaction::new(&Transaction::IssueGrant(issue), &key, &ledger);
    // A gate takes nothing that the ledger doesn't know.
    assert_eq!(refused(client.deposit(&split.deposits, &key).await), name("101", 409));
    client.submit(&issue).await.unwrap();
    client.deposit(&split.deposits, &key).await.unwrap();
    client.deposit(&split.deposits, &key).await.unwrap();

    let (grantee, box_key, credential) = relay.credential(client, Role::Physician, now);
    let acceptance = Acceptance { grant: id, grantee: grantee.public(), box_key: box_key.public() };
    let acceptance = Signed::new(&acceptance, &offer, &ledger);
    let accept = AcceptGrant { grant: id, credential: credential.clone(), acceptance };
    let accept = SignedTransaction::new(&Transaction::AcceptGrant(accept), &grantee, &ledger);
    client.submit(&accept).await.unwrap();
    Shared { id, key, grantee, credential, half, shares: split.digest, blob }
}

fn redemption(shared: &Shared, client: &Client, use_number: u64, epk: PublicKey) -> SignedTransaction {
    let redeem = RedeemGrant {
        grant: shared.id,
        credential: shared.credential.clone(),
        use_number,
        records: vec![0],
        epk,
        auditor_box: vec![0; 64],
    };
    SignedTransaction::new(&Transaction::RedeemGrant(redeem), &shared.grantee, &client.ledger())
}

#[tokio::test]
async fn no_log_no_key() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay, &client, now).await;
    let ask = Ask { object: *shared.id.digest(), use_number: 1 };
    assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("107", 403));
    assert_eq!(refused(client.get_blob(&shared.blob, &shared.grantee, now).await), name("not-allowed", 403));

    let epk = fresh();
    client.submit(&redemption(&shared, &client, 1, epk.public())).await.unwrap();
    let relay = relay.restart().await;
    let client = relay.client().await;
    let released: Signed<Released> =
        cbor::decode(&client.post("/v1/gate/release", &ask).await.unwrap()).unwrap();
    let release =
        open_release(&released, &client.gate_key(), &epk, shared.id.digest(), 1, &client.ledger()).unwrap();
    let mut gathering = Gathering::new(*shared.id.digest(), shared.shares, 1, 1);
    gathering.add(1, &release).unwrap();
    assert_eq!(gathering.half(0).unwrap(), shared.half);
    client.get_blob(&shared.blob, &shared.grantee, now).await.unwrap();

    // The patient sees both the use and the attempt before it.
    let path = format!("/v1/drop/{}/refused", shared.id);
    let seen = client.signed(Method::GET, &path, Vec::new(), &shared.key, now).await.unwrap();
    let seen: Vec<(u64, u16, Option<String>)> = cbor::decode(&seen).unwrap();
    assert_eq!(seen.iter().map(|(_, code, _)| *code).collect::<Vec<_>>(), [107]);
    assert_eq!(
        refused(client.signed(Method::GET, &path, Vec::new(), &shared.grantee, now).await),
        name("not-allowed", 403)
    );
    let shown: ShownGrants = cbor::decode(&client.get("/v1/ledger/state/-").await.unwrap()).unwrap();
    let grant = shown.grants.iter().find(|grant| grant.id == shared.id).unwrap();
    assert_eq!(grant.entries.len(), 3);
}

#[tokio::test]
async fn a_revocation_destroys_the_share_before_it_is_on_the_ledger() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay, &client, now).await;
    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: shared.id });
    let signed = SignedTransaction::new(&revoke, &shared.key, &client.ledger());
    let forged = Revocation {
        key: shared.key.public(),
        signed: SignedTransaction::new(&revoke, &fresh(), &client.ledger()),
    };
    assert_eq!(refused(client.post("/v1/gate/revoke", &forged).await), name("103", 403));
    let revocation = Revocation { key: shared.key.public(), signed: signed.clone() };
    let torn = client.post("/v1/gate/revoke", &revocation).await.unwrap();
    let torn: Signed<Torn> = cbor::decode(&torn).unwrap();
    assert_eq!(torn.verify(&client.gate_key(), &client.ledger()).unwrap().object, *shared.id.digest());
    let ask = Ask { object: *shared.id.digest(), use_number: 1 };
    assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("105", 409));

    client.submit(&signed).await.unwrap();
    let relay = relay.restart().await;
    let client = relay.client().await;
    assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("109", 403));
    assert_eq!(refused(client.get_blob(&shared.blob, &shared.grantee, now).await), name("not-allowed", 403));
    let late = redemption(&shared, &client, 2, fresh().public());
    assert_eq!(refused(client.submit(&late).await), name("72", 409));
}

#[tokio::test]
async fn a_drop_box_is_between_the_grant_key_and_the_accepted_grantee() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay, &client, now).await;
    let path = format!("/v1/drop/{}", shared.id);
    let write = |key: SecretKey, body: &'static [u8]| {
        let (client, path) = (&client, path.clone());
        async move { client.signed(Method::POST, &path, body.to_vec(), &key, now).await }
    };
    write(shared.key.clone(), b"one").await.unwrap();
    write(shared.grantee.clone(), b"two").await.unwrap();
    assert_eq!(refused(write(fresh(), b"three").await), name("not-allowed", 403));
    let read = format!("{path}?from=1");
    let messages = client.signed(Method::GET, &read, Vec::new(), &shared.grantee, now).await.unwrap();
    let messages: Vec<minicbor::bytes::ByteVec> = cbor::decode(&messages).unwrap();
    assert_eq!(messages.iter().map(|m| m.as_slice()).collect::<Vec<_>>(), [b"two"]);
    let unknown = format!("/v1/drop/{}", GrantId::of(&client.ledger(), &fresh().public()));
    assert_eq!(
        refused(client.signed(Method::GET, &unknown, Vec::new(), &shared.key, now).await),
        name("not-there", 404)
    );
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

#[tokio::test]
async fn a_page_is_told_what_changed_and_nothing_more() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay, &client, now).await;
    let url = format!("{}/v1/events", relay.base.replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let watch = format!(r#"{{"watch": ["ledger", "grant:{}"]}}"#, shared.id);
    socket.send(Message::text(watch)).await.unwrap();
    // A pong comes after what was sent before its ping was taken.
    socket.send(Message::Ping(Vec::new().into())).await.unwrap();
    while !matches!(socket.next().await.unwrap().unwrap(), Message::Pong(_)) {}

    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            told.push(text.to_string());
        }
    }
    told.sort();
    let grant = format!(r#"{{"topic":"grant:{}"}}"#, shared.id);
    assert_eq!(told, [r#"{"size":7,"topic":"ledger"}"#.to_owned(), grant]);

    socket.send(Message::text("not a list of topics")).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(!matches!(message, Message::Text(_)), "{message}");
    }
}
