//! A relay that lies to an insurer's server: its yes and its no decide nothing, the ledger does.

use super::world::{INSURER, Server, World, offer};
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use minicbor::bytes::ByteVec;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use suishen_core::{
    cbor,
    consent::{Answer, AuditorReversal, Message, Payload, Reversing},
    contract::{Credential, Entry, Key, ReversalReason, Role, SignedTransaction, Slot, Terms},
    id::GrantId,
    sm::{Key32, Signed},
};
use suishen_relay::{
    claims::{
        DeskError, Refusal,
        held::{Held, State as Where},
    },
    desk::ORGANISATIONS,
    http::{ledger::ValuesAnswer, transactions::Standing},
    random::SystemRandom,
};
use tokio::net::TcpListener;

pub const HONEST: u8 = 0;
/// Says no to transactions, and brings them all the same.
const NO_AND_DOES: u8 = 1;
/// Says no, and doesn't.
const NO: u8 = 2;
/// Says yes, and doesn't.
pub const YES: u8 = 3;
/// Leaves transactions without an answer, for as long as it is so.
pub const SILENT: u8 = 4;
/// Refuses whatever is to be left for the patient.
const NO_DROPS: u8 = 5;

/// Shows payloads in the drop box that nobody left there, before and behind the others.
const JUNK: u8 = 6;
/// Shows what it forged in the drop box, before everything else.
const FORGED: u8 = 7;
/// Says yes to transactions, doesn't bring them, and shows each as the entry that it named.
pub const SHOWS: u8 = 8;
/// The entry that it names where it says yes.
const NAMED: u64 = 3;

/// Between an insurer's server and its relay.
pub struct Liar {
    relay: String,
    pub how: AtomicU8,
    /// Looks at the state that it passed on.
    looks: AtomicU64,
    /// Messages of its own.
    forged: Mutex<Vec<Message>>,
    /// The last transaction that it said yes to.
    kept: Mutex<Option<SignedTransaction>>,
    /// How often it showed that as an entry.
    shown: AtomicU64,
    http: reqwest::Client,
}

async fn pass(State(liar): State<Arc<Liar>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let how = liar.how.load(Ordering::SeqCst);
    let transaction = parts.uri.path() == "/v1/transactions";
    let no = || {
        let problem = json!({
            "type": "urn:suishen:problem:94", "title": "x", "status": 409, "code": "94", "detail": "x", "action": "x",
        });
        (StatusCode::CONFLICT, Json(problem)).into_response()
    };
    while transaction && liar.how.load(Ordering::SeqCst) == SILENT {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if parts.method == Method::POST && parts.uri.path().starts_with("/v1/drop/") && how == NO_DROPS {
        return no();
    }
    if transaction && how == NO {
        return no();
    }
    if transaction && (how == YES || how == SHOWS) {
        let signed = SignedTransaction::from_bytes(&body).unwrap();
        let standing = Standing { id: signed.id(), number: NAMED, now: 1 };
        *liar.kept.lock().unwrap() = Some(signed);
        return (StatusCode::CREATED, cbor::encode(&standing)).into_response();
    }
    let values = parts.uri.path() == "/v1/ledger/values";
    if values {
        liar.looks.fetch_add(1, Ordering::SeqCst);
    }
    let shows_drops = parts.method == Method::GET && parts.uri.path().starts_with("/v1/drop/");
    let target = parts.uri.path_and_query().unwrap().as_str();
    let mut forward = liar.http.request(parts.method, format!("{}{target}", liar.relay)).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length")
    {
        forward = forward.header(name, value);
    }
    let answer = forward.send().await.unwrap();
    if transaction && how == NO_AND_DOES {
        return no();
    }
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let mut body = answer.bytes().await.unwrap().to_vec();
    if shows_drops && how == JUNK && status.is_success() {
        let mut messages: Vec<ByteVec> = cbor::decode(&body).unwrap();
        let junk = ByteVec::from(cbor::encode(&Message::Payload(vec![7; 300])));
        messages.insert(0, junk.clone());
        messages.extend([junk, ByteVec::from(cbor::encode(&Message::Half(vec![7; 200])))]);
        body = cbor::encode(&messages);
    }
    if shows_drops && how == FORGED && status.is_success() {
        let mut messages: Vec<ByteVec> =
            liar.forged.lock().unwrap().iter().map(|message| cbor::encode(message).into()).collect();
        messages.extend(cbor::decode::<Vec<ByteVec>>(&body).unwrap());
        body = cbor::encode(&messages);
    }
    if values && how == SHOWS && status.is_success() {
        let mut answer: ValuesAnswer = cbor::decode(&body).unwrap();
        let kept = liar.kept.lock().unwrap().clone();
        for shown in answer.entries.iter_mut().flatten().filter(|shown| shown.number == NAMED) {
            let entry = Entry::from_bytes(&shown.bytes).unwrap();
            shown.bytes = cbor::encode(&Entry { signed: kept.clone().unwrap(), ..entry });
            liar.shown.fetch_add(1, Ordering::SeqCst);
        }
        body = cbor::encode(&answer);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

/// Stands before the relay of this address: where.
pub async fn before(relay: &str) -> (Arc<Liar>, String) {
    let liar = Arc::new(Liar {
        relay: relay.to_owned(),
        how: AtomicU8::new(HONEST),
        looks: AtomicU64::new(0),
        forged: Mutex::default(),
        kept: Mutex::default(),
        shown: AtomicU64::new(0),
        http: reqwest::Client::new(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(pass).with_state(liar.clone());
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (liar, base)
}

pub async fn between(world: &World) -> (Arc<Liar>, Server) {
    let (liar, base) = before(&world.relay.base).await;
    let invite = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let server = Server::open(tempfile::tempdir().unwrap(), &base, Some(&invite)).await.unwrap();
    (liar, server)
}

/// Steps a claim until it is in a state and the patient was told, sooner than the server would by itself.
async fn stepped(server: &Server, claim: &GrantId, wanted: Where) {
    let stepping = async {
        let there = |held: Held| held.state() == wanted && held.telling().is_empty();
        while !there(server.desk.claim(claim).unwrap()) {
            let _ = server.desk.step(claim).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stepping).await.unwrap();
}

fn deciding<T>(result: &Result<T, DeskError>) -> bool {
    matches!(result, Err(DeskError::Refused(Refusal::Deciding)))
}

#[tokio::test]
async fn malicious_relay_that_says_no_and_includes_a_settlement_makes_nobody_forget_it() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO_AND_DOES, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Settled);
    let held = server.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!(held.state(), Where::Reversed);
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Settled(..), Answer::Reversed(..)]), "{told:?}");
}

#[tokio::test]
async fn malicious_relay_that_says_yes_and_includes_nothing_tells_no_patient_of_a_settlement() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(YES, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Deciding);
    assert!(made.answers(&world.client).await.unwrap().is_empty());
    assert!(deciding(&server.desk.decide(&claim, "1.00", "免赔额内").await));
    liar.how.store(HONEST, Ordering::SeqCst);
    let held = server.until(&claim, Where::Settled).await;
    let Some(Answer::Settled(told, ..)) = held.said.map(|said| said.answer) else { panic!("settled") };
    assert_eq!(told.paid.to_string(), "9927.86 CNY");
}

#[tokio::test]
async fn malicious_relay_that_shows_an_entry_that_the_ledger_does_not_hold_settles_nothing() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(SHOWS, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!((held.state(), held.settled()), (Where::Deciding, None));
    assert!(liar.shown.load(Ordering::SeqCst) > 0, "the entry was shown");
    assert!(made.answers(&world.client).await.unwrap().is_empty());
    liar.how.store(HONEST, Ordering::SeqCst);
    let held = server.until(&claim, Where::Settled).await;
    assert_ne!(held.said.unwrap().entry, Some(NAMED));
}

#[tokio::test]
async fn malicious_relay_that_holds_a_settlement_back_delays_another_decision_until_it_can_stand_no_more() {
    let (world, ahead) = World::ahead().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Deciding);
    assert_eq!(held.saying.unwrap().against.as_deref(), Some("94"));
    assert!(deciding(&server.desk.decide(&claim, "1.00", "免赔额内").await));
    assert!(deciding(&server.desk.decide(&claim, "0", "不在保障期内").await), "not even a refusal");
    assert_eq!(server.desk.decide(&claim, "9927.86", "").await.unwrap().state(), Where::Deciding);

    ahead.store(700, Ordering::SeqCst);
    // A checkpoint of that time.
    suishen_relay::claims::patient::Patient::arrive(&world.client).await.unwrap();
    server.until(&claim, Where::Open).await;
    // What was held back until now is too late for the ledger as well.
    liar.how.store(HONEST, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let held = server.desk.decide(&claim, "0", "不在保障期内").await.unwrap();
    assert_eq!(held.state(), Where::Refused);
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Refused(_)]), "{told:?}");
}

#[tokio::test]
async fn malicious_relay_that_dates_back_a_settlement_that_was_given_up_is_found_out_and_tells_no_difference()
{
    let (world, ahead) = World::ahead().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    let (kept, _) = held.saying.unwrap().entry.unwrap();

    // A checkpoint of later, with no entry of later: cosigned anew within a quarter of a minute.
    ahead.store(700, Ordering::SeqCst);
    stepped(&server, &claim, Where::Open).await;
    assert_eq!(server.desk.claim(&claim).unwrap().given_up().len(), 1);
    // The insurer pays less this time, which the relay holds back as well.
    let held = server.desk.decide(&claim, "5000.00", "免赔额内").await.unwrap();
    assert_eq!(held.state(), Where::Deciding);

    // The member lets the first stand, as if it had come in time.
    ahead.store(0, Ordering::SeqCst);
    let stands = world.client.submit(&kept).await.unwrap();
    ahead.store(700, Ordering::SeqCst);
    suishen_relay::claims::patient::Patient::arrive(&world.client).await.unwrap();
    liar.how.store(HONEST, Ordering::SeqCst);
    stepped(&server, &claim, Where::Settled).await;
    let held = server.desk.claim(&claim).unwrap();
    assert_eq!(held.said.unwrap().entry, Some(stands.number));
    let told = made.answers(&world.client).await.unwrap();
    let [Answer::Settled(settled, _, entry)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((settled.paid.to_string().as_str(), *entry), ("9927.86 CNY", stands.number));
    let again = server.desk.decide(&claim, "5000.00", "免赔额内").await;
    assert!(matches!(again, Err(DeskError::Refused(Refusal::Decided))), "{again:?}");
    // It is the insurer's, who can take it back.
    let held = server.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!(held.state(), Where::Reversed);
}

#[tokio::test]
async fn a_decision_whose_caller_hangs_up_is_brought_all_the_same() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (_made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(SILENT, Ordering::SeqCst);
    let asking = server.desk.decide(&claim, "9927.86", "");
    assert!(tokio::time::timeout(Duration::from_secs(2), asking).await.is_err());
    assert_eq!(server.desk.claim(&claim).unwrap().state(), Where::Deciding);
    liar.how.store(HONEST, Ordering::SeqCst);
    server.until(&claim, Where::Settled).await;
}

#[tokio::test]
async fn malicious_relay_that_adds_payloads_to_a_drop_box_closes_no_claim() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    liar.how.store(JUNK, Ordering::SeqCst);
    world.opened(&server, Slot::Commercial).await;
}

#[tokio::test]
async fn malicious_relay_that_forges_a_half_and_a_payload_that_opens_under_it_closes_no_claim() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let other = world.claim(Slot::Commercial).await;
    let made = world.claim(Slot::Commercial).await;
    let claim = made.grant();
    server.desk.take(&offer(&made.link)).await.unwrap();
    server.until(&claim, Where::Waiting).await;
    // What another patient shares, under a half of the relay's own: whole, signed, and not for this grant.
    let draft = other.draft();
    let payload = Payload::open(&draft.half, &draft.grant, &draft.payload).unwrap();
    let ledger = world.client.ledger();
    let half = Key32::generate(&mut SystemRandom);
    let answer = world.client.value(&Key::Terms(claim)).await.unwrap();
    let terms: Terms = cbor::decode(&answer.values[0].value).unwrap();
    let accepted = terms.accepted.unwrap();
    *liar.forged.lock().unwrap() = vec![
        Message::half(&half, &accepted, &claim, &ledger, &mut SystemRandom),
        Message::Payload(payload.seal(&half, &claim, &mut SystemRandom)),
    ];
    liar.how.store(FORGED, Ordering::SeqCst);
    // Nothing of it is the patient's: the yes is awaited on.
    for _ in 0..3 {
        assert!(server.desk.step(&claim).await.unwrap());
    }
    let held = server.desk.claim(&claim).unwrap();
    assert_eq!((held.state(), held.payload.is_some()), (Where::Waiting, false));
    // Nor does it keep the patient's from being found behind it.
    made.agree(&world.client).await.unwrap();
    let held = server.until(&claim, Where::Open).await;
    assert_eq!(held.opened.unwrap().number, 1);
}

#[tokio::test]
async fn malicious_relay_that_takes_no_messages_holds_up_no_decision_and_the_patient_is_told_in_order() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    liar.how.store(NO_DROPS, Ordering::SeqCst);
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), Where::Settled);
    let held = server.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!((held.state(), held.telling().len()), (Where::Reversed, 2));
    assert!(made.answers(&world.client).await.unwrap().is_empty());
    liar.how.store(HONEST, Ordering::SeqCst);
    stepped(&server, &claim, Where::Reversed).await;
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Settled(..), Answer::Reversed(..)]), "{told:?}");
}

#[tokio::test]
async fn a_reversal_by_another_desk_of_the_insurer_is_not_told_as_ones_own() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let (made, claim) = world.opened(&server, Slot::Commercial).await;
    let held = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    let tag = server.desk.seen(&held).unwrap().shown.tag;
    liar.how.store(NO, Ordering::SeqCst);
    let reversed = server.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!(reversed.state(), Where::Deciding);

    let client = &world.client;
    let now = client.info().await.unwrap().now;
    let acceptance = world.relay.keys().folder(ORGANISATIONS).folder(INSURER).read("acceptance").unwrap();
    let (key, box_key) = (crate::relay::fresh(), crate::relay::fresh());
    let credential = Credential {
        party: suishen_core::id::PartyId::new(INSURER).unwrap(),
        role: Role::InsurerCommercial,
        grantee: key.public(),
        box_key: box_key.public(),
        expiry: now + 3600,
    };
    let credential = Signed::new(&credential, &acceptance, &client.ledger());
    let reversing = Reversing { tag: tag.id().unwrap(), desk: key.public() };
    let told = AuditorReversal {
        tag: tag.id().unwrap(),
        settlement: held.settled(),
        why: ReversalReason::PaidBack,
        words: "退款".into(),
        certificate: server.desk.who().chain().leaf().to_der().to_vec(),
        presence: Signed::new(&reversing, &key, &client.ledger()),
    };
    let auditor = server.desk.ledger.auditor_key().await.unwrap();
    let seed = Key32::generate(&mut SystemRandom);
    let to = (&auditor, &client.ledger());
    let body = told.reverse(tag.voucher().clone(), credential, &seed, now, to).unwrap();
    client.submit(&SignedTransaction::new(&body, &key, &client.ledger())).await.unwrap();
    liar.how.store(HONEST, Ordering::SeqCst);
    server.desk.step(&claim).await.unwrap();
    // Once the ledger shows it, nothing is waited for: it is reversed, and not by this desk's words.
    let over = server.desk.claim(&claim).unwrap();
    assert_eq!((over.state(), over.is_under_way()), (Where::Reversed, false));
    assert_eq!(over.taken_back.as_ref().map(|reversal| reversal.why), Some(ReversalReason::PaidBack));
    let refused = server.desk.reverse(&claim, ReversalReason::Error, "误付").await;
    assert!(matches!(refused, Err(DeskError::Refused(Refusal::NotSettled))), "{refused:?}");
    let told = made.answers(client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Settled(..)]), "{told:?}");
    // The slot is open again, also for this claim.
    let again = server.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!(again.state(), Where::Settled);
    assert_ne!(again.settled(), held.settled());
}

#[tokio::test]
async fn who_looks_at_once_shares_an_answer_and_each_is_told_its_own() {
    let world = World::found().await;
    let (liar, server) = between(&world).await;
    let before = liar.looks.load(Ordering::SeqCst);
    let grants: Vec<_> = (0..=255).map(|n| GrantId::from_bytes([n; 32])).collect();
    let party = suishen_core::id::PartyId::new(INSURER).unwrap();
    let looks = grants.iter().map(|grant| {
        let keys = [Key::Party(party.clone()), Key::Terms(*grant)];
        let ledger = &server.desk.ledger;
        async move {
            let proven = ledger.values(&keys).await.unwrap();
            assert!(proven.get::<Terms>(1).unwrap().is_none());
            proven.need::<suishen_core::contract::Party>(0, "party").unwrap().acceptance
        }
    });
    let found = futures_util::future::join_all(looks).await;
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    let asked = liar.looks.load(Ordering::SeqCst) - before;
    assert!((1..=12).contains(&asked), "{asked}");
}
