//! The insurer's interface: what it takes, what it refuses, what it remembers.

use super::{
    caller::{Caller, Desk, path, problem},
    world::{World, damage},
};
use crate::relay::{fresh, name};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use suishen_core::{contract::Slot, id::GrantId};
use suishen_relay::claims::held::State;

async fn scene() -> (World, Desk) {
    let world = World::found().await;
    let server = world.insurer().await;
    let desk = Desk::open(&world, server).await;
    (world, desk)
}

#[tokio::test]
async fn a_claim_goes_its_whole_way_over_the_interface() {
    let (world, desk) = scene().await;
    let caller = &desk.caller;
    let made = world.claim(Slot::Commercial).await;
    let (status, claim) = caller.post("/v1/claims", &json!({ "link": made.link })).await;
    assert_eq!((status, claim["state"].as_str()), (202, Some("received")), "{claim}");
    let early = caller.post(&path(&made.grant(), "/decision"), &json!({ "paid": "1", "reason": "x" })).await;
    assert_eq!(problem(early), name("not-opened", 409));
    made.agree(&world.client).await.unwrap();
    desk.server.until(&made.grant(), State::Open).await;

    let (status, claim) = caller.get(&path(&made.grant(), "")).await;
    assert_eq!(status, 200);
    let invoice = &claim["invoice"];
    assert_eq!(invoice["number"], "0038217745 33060226");
    assert_eq!((&invoice["total"], &invoice["currency"]), (&json!("31290.30"), &json!("CNY")));
    assert_eq!((&invoice["payable"], &invoice["withheld"]), (&json!("9927.86"), &json!(6)));
    assert_eq!(invoice["insured"], "林秀兰");
    assert_eq!(invoice["hospital"]["name"], "安澜市人民医院");
    assert_eq!(invoice["diagnoses"], json!([{ "name": "左膝骨关节炎", "code": "M17.1" }]));
    assert_eq!(invoice["policies"][0]["number"], "KN-2026-0087315");
    assert_eq!(invoice["items"].as_array().unwrap().len(), 9);
    let bed = invoice["items"].as_array().unwrap().iter().find(|item| item["name"] == "床位费").unwrap();
    assert_eq!((&bed["amount"], &bed["quantity"]), (&json!("480.00"), &json!("8 日")));
    assert!(!claim.to_string().contains("高血压"));

    let decision = path(&made.grant(), "/decision");
    for (body, expected) in [
        (json!({ "paid": "9927.87" }), name("amount", 422)),
        (json!({ "paid": "a lot", "reason": "x" }), name("amount", 422)),
        (json!({ "paid": "100" }), name("reason", 422)),
        (json!({ "paid": "0", "reason": " " }), name("reason", 422)),
        (json!({ "paid": 100, "reason": "x" }), name("malformed", 400)),
        (json!({ "paid": "100", "reason": "x", "more": 1 }), name("malformed", 400)),
    ] {
        assert_eq!(problem(caller.post(&decision, &body).await), expected, "{body}");
    }
    let (status, claim) = caller.post(&decision, &json!({ "paid": "6127.86", "reason": "超出约定" })).await;
    assert_eq!((status, claim["state"].as_str()), (200, Some("settled")), "{claim}");
    assert_eq!(
        (claim["decision"]["kind"].as_str(), claim["decision"]["paid"].as_str()),
        (Some("partly"), Some("6127.86"))
    );
    assert!(claim["decision"]["entry"].as_u64().is_some());
    assert_eq!(
        problem(caller.post(&decision, &json!({ "paid": "1", "reason": "x" })).await),
        name("decided", 409)
    );
    let reversal = json!({ "why": "duplicate", "words": "票据重复报销" });
    let (status, claim) = caller.post(&path(&made.grant(), "/reversal"), &reversal).await;
    assert_eq!((status, claim["state"].as_str()), (200, Some("reversed")), "{claim}");
    let again = json!({ "why": "error", "words": "x" });
    assert_eq!(
        problem(caller.post(&path(&made.grant(), "/reversal"), &again).await),
        name("not-settled", 409)
    );

    let (_, events) = caller.get("/v1/events").await;
    let reached: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|event| event["state"].as_str().unwrap()).collect();
    let expected = ["received", "waiting", "open", "deciding", "settled", "deciding", "reversed"];
    assert_eq!(reached, expected);
}

#[tokio::test]
async fn a_request_is_signed_now_once_whole_and_by_a_registered_key() {
    let (_world, desk) = scene().await;
    let caller = &desk.caller;
    let (get, body) = (Method::GET, b"{}".as_slice());
    for at in [caller.now - 200, caller.now + 200] {
        let signed = caller.sign(&get, "/v1/claims", b"", at);
        assert_eq!(problem(caller.raw(get.clone(), "/v1/claims", b"", &signed).await), name("stale", 401));
    }
    let signed = caller.sign(&get, "/v1/claims", b"", caller.now);
    assert_eq!(caller.raw(get.clone(), "/v1/claims", b"", &signed).await.0, 200);
    assert_eq!(problem(caller.raw(get.clone(), "/v1/claims", b"", &signed).await), name("stale", 401));
    let signed = caller.sign(&Method::POST, "/v1/claims", b"{ }", caller.now);
    let differs = caller.raw(Method::POST, "/v1/claims", body, &signed).await;
    assert_eq!(problem(differs), name("digest", 422));
    // A POST is signed with its idempotency key, and with no other.
    let plain = caller.sign_once(&Method::POST, "/v1/claims", body, caller.now, None);
    let uncovered = caller.raw(Method::POST, "/v1/claims", body, &plain).await;
    assert!(uncovered.1["detail"].as_str().unwrap().contains("does not cover Idempotency-Key"));
    assert_eq!(problem(uncovered), name("unsigned", 401));
    let other = caller.sign_once(&Method::POST, "/v1/claims", body, caller.now, Some("other"));
    assert_eq!(problem(caller.raw(Method::POST, "/v1/claims", body, &other).await), name("unsigned", 401));
    let mut signed = caller.sign(&get, "/v1/claims", b"", caller.now);
    signed.signature = signed.signature.replace(':', "");
    assert_eq!(problem(caller.raw(get.clone(), "/v1/claims", b"", &signed).await), name("unsigned", 401));
    let signed = caller.sign(&get, "/v1/claims", b"", caller.now);
    let moved = caller.raw(get.clone(), "/v1/claims?limit=1", b"", &signed).await;
    assert_eq!(problem(moved), name("unsigned", 401));
    let stranger = Caller { key: fresh(), ..caller.clone() };
    assert_eq!(problem(stranger.get("/v1/claims").await), name("unknown-key", 401));
    let bare = reqwest::get(format!("{}/v1/claims", caller.base)).await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(bare.headers()["content-type"], "application/problem+json");
    // Chinese unless English is preferred.
    assert!(bare.text().await.unwrap().contains("签名"));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_answer_also_after_a_restart_and_serves_nothing_else() {
    let (world, desk) = scene().await;
    let made = world.claim(Slot::Commercial).await;
    let body = json!({ "link": made.link });
    let first = desk.caller.post_as("a-1", "/v1/claims", &body).await;
    assert_eq!(first.0, 202);
    desk.server.until(&made.grant(), State::Waiting).await;
    assert_eq!(desk.caller.post_as("a-1", "/v1/claims", &body).await, first, "as it was then");
    let desk = desk.restart(&world).await;
    assert_eq!(desk.caller.post_as("a-1", "/v1/claims", &body).await, first);
    let other = desk.caller.post_as("a-1", "/v1/claims", &json!({ "link": "x" })).await;
    assert_eq!(problem(other), name("idempotency-key-used", 422));
    let elsewhere = desk.caller.post_as("a-1", "/v1/claims/batch", &body).await;
    assert_eq!(problem(elsewhere), name("idempotency-key-used", 422));
    for missing in ["", " ", "a b", &"x".repeat(65)] {
        let refused = desk.caller.post_as(missing, "/v1/claims", &body).await;
        assert_eq!(problem(refused), name("idempotency-key-missing", 400), "{missing:?}");
    }
    assert_eq!(
        problem(desk.caller.call(Method::POST, "/v1/claims", &body).await),
        name("idempotency-key-missing", 400)
    );
}

#[tokio::test]
async fn requests_of_one_idempotency_key_at_once_do_it_once_and_harm_nobody() {
    let (world, desk) = scene().await;
    let (_made, claim) = world.opened(&desk.server, Slot::Commercial).await;
    let (decision, body) = (path(&claim, "/decision"), json!({ "paid": "9927.86" }));
    for round in 0..4 {
        let name = format!("at-once-{round}");
        let asked = || desk.caller.post_as(&name, &decision, &body);
        let all = futures_util::future::join_all((0..8).map(|_| asked()));
        let told = tokio::time::timeout(Duration::from_secs(30), all).await.expect("the server answers");
        let mut done = 0;
        for (status, answer) in told {
            if status == 409 {
                assert_eq!(answer["code"], "in-progress", "{answer}");
            } else {
                assert_eq!((status, &answer["state"]), (200, &json!("settled")), "{answer}");
                done += 1;
            }
        }
        assert!(done > 0);
        assert_eq!(asked().await.1["state"], "settled", "and afterwards it is told again");
    }
    assert_eq!(desk.caller.get("/v1/claims").await.0, 200);
}

#[tokio::test]
async fn what_goes_along_with_an_invoice_is_opened_too_and_says_what_is_withheld() {
    let (world, desk) = scene().await;
    let discharge = world.paper(include_bytes!("../../../../samples/discharge/report.json")).await;
    let laboratory = world.paper(include_bytes!("../../../../samples/laboratory/report.json")).await;
    let made = world.claim_with(&[&discharge, &laboratory], Slot::Commercial).await;
    let (made, grant) = {
        desk.caller.post("/v1/claims", &json!({ "link": made.link })).await;
        world.open(&desk.server, made).await
    };
    let (status, claim) = desk.caller.get(&path(&grant, "")).await;
    assert_eq!((status, &claim["invoice"]["withheld"]), (200, &json!(6)));
    let papers = claim["papers"].as_array().unwrap();
    let told: Vec<_> = papers.iter().map(|paper| (&paper["type"], &paper["hospital"]["name"])).collect();
    let hospital = json!("安澜市人民医院");
    assert_eq!(told, [(&json!("discharge"), &hospital), (&json!("laboratory"), &hospital)]);
    assert_eq!(papers[0]["title"], "出院小结");
    let text = papers[0]["shown"].to_string();
    assert!(text.contains("骨关节炎") && papers[0]["shown"]["resourceType"] == "Bundle", "{text}");
    // The patient's numbers at the hospital stay with the patient.
    for hidden in ["A2004817", "Z2026083317"] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(papers.iter().all(|paper| paper["withheld"].as_u64().unwrap() > 0), "{papers:?}");
    // Figures stay as the hospital wrote them.
    let target = path(&grant, "");
    let signed = desk.caller.sign(&Method::GET, &target, b"", desk.caller.now);
    let raw = desk.caller.request(Method::GET, &target, b"", &signed).send().await.unwrap();
    let raw = raw.text().await.unwrap();
    assert!(raw.contains(r#""value":1.70"#), "{raw}");
    // Read again after a restart, it is verified again; what was changed since isn't shown.
    let mut held = desk.server.desk.claim(&grant).unwrap();
    let mut papers = held.opened.as_ref().unwrap().papers().to_vec();
    assert!(papers.iter().all(|paper| paper.read().is_ok()));
    papers[1].disclosed.groups[1].elements[0].1 = "\"changed\"".into();
    assert!(papers[1].read().is_err());
    held.opened.as_mut().unwrap().papers = Some(papers);
    let (status, brief) = desk.caller.get("/v1/claims?state=open").await;
    assert_eq!((status, &brief["claims"][0]["papers"]), (200, &Value::Null), "in lists left out");
    // It settles as any other, and the patient is told which records were opened.
    let (_, settled) = desk.caller.post(&path(&grant, "/decision"), &json!({ "paid": "9927.86" })).await;
    assert_eq!(settled["state"], "settled");
    assert_eq!(made.answers(&world.client).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_has_a_result_each_and_bounds() {
    let (world, desk) = scene().await;
    let (_made, claim) = world.opened(&desk.server, Slot::Commercial).await;
    let statutory = world.claim(Slot::Statutory).await;
    let items = json!([
        { "do": "take", "link": statutory.link },
        { "do": "take", "link": "https://wallet.example/c#xyz" },
        { "do": "decide", "id": claim.to_hex(), "paid": "0", "reason": "不在保障期内" },
        { "do": "decide", "id": GrantId::from_bytes([1; 32]).to_hex(), "paid": "0", "reason": "x" },
        { "do": "reverse", "id": "nonsense", "why": "error", "words": "x" },
        { "do": "decide", "id": claim.to_hex(), "paid": 0, "reason": "x" },
        { "do": "pay" },
    ]);
    let (status, answer) = desk.caller.post("/v1/claims/batch", &json!({ "items": items })).await;
    assert_eq!(status, 200, "{answer}");
    let told: Vec<(u64, &str)> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let said = one["problem"]["code"].as_str().or_else(|| one["claim"]["state"].as_str());
            (one["status"].as_u64().unwrap(), said.unwrap())
        })
        .collect();
    let expected = [
        (403, "other-role"),
        (422, "not-a-consent"),
        (200, "refused"),
        (404, "no-claim"),
        (404, "no-claim"),
        (400, "malformed"),
        (400, "malformed"),
    ];
    assert_eq!(told, expected);
    let wrong = |at: usize| answer["results"][at]["problem"]["detail"].as_str().unwrap();
    assert!(wrong(5).starts_with("/items/5/paid") && wrong(6).starts_with("/items/6/do"), "{answer}");
    let list = desk.caller.post("/v1/claims/batch", &json!({ "items": "all" })).await;
    assert!(list.1["detail"].as_str().unwrap().starts_with("/items"), "{}", list.1);
    assert_eq!(problem(list), name("malformed", 400));
    let item = json!({ "do": "take", "link": "x" });
    for count in [0, 101] {
        let items = vec![item.clone(); count];
        let refused = desk.caller.post("/v1/claims/batch", &json!({ "items": items })).await;
        assert_eq!(problem(refused), name("batch-size", 422), "{count}");
    }
    let large = json!({ "items": [{ "do": "take", "link": "x".repeat(300 * 1024) }] });
    assert_eq!(problem(desk.caller.post("/v1/claims/batch", &large).await), name("too-large", 413));
}

/// Three claims that wait for their patients, one after the other.
async fn three(world: &World, desk: &Desk) -> [GrantId; 3] {
    let mut made = [GrantId::from_bytes([0; 32]); 3];
    for claim in &mut made {
        let shared = world.claim(Slot::Commercial).await;
        desk.caller.post("/v1/claims", &json!({ "link": shared.link })).await;
        desk.server.until(&shared.grant(), State::Waiting).await;
        *claim = shared.grant();
    }
    made
}

#[tokio::test]
async fn lists_go_on_by_cursors_that_were_given_out() {
    let (world, desk) = scene().await;
    let made = three(&world, &desk).await.map(GrantId::to_hex);
    let mut seen = Vec::new();
    let mut target = "/v1/claims?limit=2&state=waiting".to_owned();
    loop {
        let (status, page) = desk.caller.get(&target).await;
        assert_eq!(status, 200, "{page}");
        let ids =
            page["claims"].as_array().unwrap().iter().map(|claim| claim["id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        let Some(next) = page["next"].as_str() else { break };
        target = format!("/v1/claims?limit=2&state=waiting&cursor={next}");
    }
    assert_eq!(seen, made);
    let (_, none) = desk.caller.get("/v1/claims?state=settled").await;
    assert_eq!((&none["claims"], &none["next"]), (&json!([]), &Value::Null));
    let (_, events) = desk.caller.get("/v1/events?limit=1").await;
    let next = events["next"].as_str().unwrap();
    let (_, rest) = desk.caller.get(&format!("/v1/events?cursor={next}")).await;
    assert_eq!(rest["events"][0]["number"], 2);
    for bad in ["AAAAAAAAAAAAAAAAAAAAAA", "x", next] {
        let refused = desk.caller.get(&format!("/v1/claims?cursor={bad}")).await;
        assert_eq!(problem(refused), name("unknown-cursor", 400), "{bad}");
    }
    for bad in ["limit=0", "limit=201", "limit=x", "state=lost", "more=1"] {
        assert_eq!(problem(desk.caller.get(&format!("/v1/claims?{bad}")).await).0, 400, "{bad}");
    }
    for missing in ["/v1/claims/abc", &path(&GrantId::from_bytes([1; 32]), "")] {
        assert_eq!(problem(desk.caller.get(missing).await), name("no-claim", 404));
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_of_a_list_and_takes_nothing_from_the_others() {
    let (world, desk) = scene().await;
    let made = three(&world, &desk).await;
    let desk = desk.restart_after(&world, |data| damage(data, &made[1])).await;
    for (target, more) in
        [("/v1/claims", false), ("/v1/claims?state=waiting", false), ("/v1/claims?limit=1", true)]
    {
        let (status, page) = desk.caller.get(target).await;
        assert_eq!(status, 200, "{page}");
        let mut ids = vec![page["claims"][0]["id"].clone()];
        if more {
            let next = page["next"].as_str().unwrap();
            let (status, rest) = desk.caller.get(&format!("/v1/claims?cursor={next}")).await;
            assert_eq!(status, 200, "{rest}");
            ids.extend(rest["claims"].as_array().unwrap().iter().map(|claim| claim["id"].clone()));
        } else {
            ids.extend(page["claims"].as_array().unwrap().iter().skip(1).map(|claim| claim["id"].clone()));
        }
        assert_eq!(ids, [made[0], made[2]].map(|id| json!(id.to_hex())), "{target}");
    }
    // By its name it is said to be unreadable, and not that it isn't there.
    assert_eq!(problem(desk.caller.get(&path(&made[1], "")).await), name("failed", 500));
}

#[tokio::test]
async fn a_claim_link_that_is_none_or_for_others_is_refused() {
    let (world, desk) = scene().await;
    let take = async |link: &str| problem(desk.caller.post("/v1/claims", &json!({ "link": link })).await);
    for link in ["", "hello", "https://wallet.example/t#abc", "shc:/5676290952"] {
        assert_eq!(take(link).await, name("not-a-consent", 422), "{link}");
    }
    let made = world.claim(Slot::Commercial).await;
    let cut = &made.link[..made.link.len() - 5];
    assert_eq!(take(cut).await, name("not-a-consent", 422));
    let statutory = world.claim(Slot::Statutory).await;
    assert_eq!(take(&statutory.link).await, name("other-role", 403));
    made.revoke(&world.client).await.unwrap();
    assert_eq!(take(&made.link).await, name("revoked", 410));
}
