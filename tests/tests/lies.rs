//! A relay, or whoever sits on the line to it, that answers otherwise than it should: nothing false comes to stand on a
//! screen, nothing is lost, and what a person should know is said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode};
use suishen_core::cbor;
use suishen_core::consent::{DeskIdentity, Message, Presence};
use suishen_core::contract::{Key, Role, Terms};
use suishen_core::proof::log::ShownGrants;
use suishen_core::qr::{Scanned, scan};
use suishen_core::sm::Signed;
use suishen_relay::client::Client;
use suishen_relay::desk::{Invitee, Organisation};
use suishen_relay::issuing::CommandDesk;
use suishen_relay::keys::Keys;
use suishen_relay::node::KEYS;
use suishen_tests::{Answer, Asked, Between, HANG, Person, Relay, Repeatable, Result, Scene, Turn, Window};

/// Messages of a drop box as they come.
type Messages = Vec<minicbor::bytes::ByteVec>;

fn with_body(answer: Answer, body: Vec<u8>) -> Answer {
    Answer { body, ..answer }
}

/// One bit of the middle.
fn flipped(answer: Answer) -> Answer {
    let mut body = answer.body.clone();
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
    with_body(answer, body)
}

/// “Refused”, whatever came of it.
fn refused() -> Answer {
    let problem = serde_json::json!({
        "type": "urn:suishen:problem:94", "title": "x", "status": 409, "code": "94", "detail": "x", "action": "x",
    });
    Answer::made(StatusCode::CONFLICT, "application/problem+json", problem.to_string().into_bytes())
}

/// Waits until so many have each looked so often.
async fn looked(looks: &Mutex<BTreeMap<String, usize>>, people: usize, so_often: usize) -> Result<()> {
    let start = Instant::now();
    while looks.lock().expect("no panic").values().filter(|looks| **looks >= so_often).count() < people {
        ensure!(start.elapsed() < HANG, "nobody looks");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// A phone with a report that a desk has scanned, and what lies between.
async fn shown_to_a_doctor(scene: &mut Scene) -> Result<(Between, Person, Person, String)> {
    let between = scene.between().await?;
    let phone = scene.person("phone", Window::Phone).await?;
    phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
    phone.sees("低密度脂蛋白").await?;
    phone.protects().await?;
    let link = phone.shows_this_visit().await?;
    let doctor = scene.person("doctor", Window::Desk).await?;
    doctor.enrols("doctor").await?;
    Ok((between, phone, doctor, link))
}

#[tokio::test]
async fn malicious_relay_that_leaves_a_read_out_of_the_list_is_found_out_by_the_phone() -> Result<()> {
    Scene::play("lies-list", 2, async |scene| {
        let (between, phone, doctor, link) = shown_to_a_doctor(scene).await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        // From before the read on, each list comes without its last entry.
        between.lies(|asked| {
            if !asked.is(&Method::GET, "/v1/ledger/state/") {
                return Turn::Honest;
            }
            Turn::Then(Box::new(|answer| match cbor::decode::<ShownGrants>(&answer.body) {
                Ok(mut shown) => {
                    for grant in shown.grants.iter_mut().filter(|grant| grant.entries.len() > 2) {
                        grant.entries.pop();
                    }
                    with_body(answer, cbor::encode(&shown))
                }
                Err(_) => answer,
            }))
        });
        doctor.taps("打开病历").await?;
        phone.goes_to("patient", "/who").await?;
        phone.unlocks().await?;
        phone.sees("谁看过的名单没有通过核对，先别给任何人看").await?;
        phone.picture("lies-list").await?;
        phone.finds_it_accessible().await?;
        assert!(!phone.has_before_them("一次不少").await?, "nothing is called complete");

        between.is_honest();
        doctor.goes_to("doctor", "/").await?;
        phone.goes_to("patient", "/who").await?;
        phone.unlocks().await?;
        phone.sees("账本上的都在这里，一次不少").await
    })
    .await
}

fn reads_box(asked: &Asked) -> bool {
    asked.is(&Method::GET, "/v1/drop/") && !asked.path.ends_with("/refused")
}

/// A drop box in which the desk's name is this one, or is missing.
fn named(answer: Answer, forged: Option<&Message>) -> Answer {
    let Ok(mut messages) = cbor::decode::<Messages>(&answer.body) else { return answer };
    messages.retain(|message| !matches!(cbor::decode(message), Ok(Message::Desk(_))));
    messages.extend(forged.map(|forged| cbor::encode(forged).into()));
    with_body(answer, cbor::encode(&messages))
}

const FORGED: &str = "李冒名";

/// Somebody whom another consortium has certified, of the organisation of the same code, says: it is me who accepted.
async fn forged_name(scene: &Scene, link: &str) -> Result<Message> {
    let Scanned::Consent { offer, .. } = scan(link)? else { anyhow::bail!("not a consent: {link}") };
    let client = Client::connect(&scene.relay.origin("")).await?;
    let shown = client.value(&Key::Terms(offer.grant)).await?;
    let terms: Terms = cbor::decode(&shown.values.first().context("the grant stands")?.value)?;
    let accepted = terms.accepted.context("it is accepted")?;

    let elsewhere = Relay::start().await?;
    let other = Client::connect(&elsewhere.origin("")).await?;
    let organisation = Organisation::read(&Keys::new(elsewhere.data().join(KEYS)), &accepted.party)?;
    let role = Role::Physician;
    let invitee = Invitee { name: FORGED.into(), role, title: None, unit: None, server: false };
    let now = other.info().await?.now;
    let invite = organisation.invite(&invitee, &other.ledger(), now);
    let own = tempfile::tempdir()?;
    let forger = CommandDesk::enrol(&Keys::new(own.path().to_owned()), &other, &invite, now).await?;

    let presence = Presence { grant: offer.grant, grantee: accepted.grantee };
    let presence = Signed::new(&presence, forger.key(), &client.ledger());
    let identity = DeskIdentity { chain: forger.chain().clone(), presence, checkpoint: shown.note };
    Ok(identity.seal(&terms.grant.reply, &offer.grant, &client.ledger(), &mut Repeatable(1)))
}

#[tokio::test]
async fn malicious_relay_cannot_put_its_own_name_before_the_patient_nor_spoil_a_read_with_another_share()
-> Result<()> {
    Scene::play("lies-name", 2, async |scene| {
        let (between, phone, doctor, link) = shown_to_a_doctor(scene).await?;
        // What the desk left of who is there is kept back, and somebody else's name put in its place.
        between.lies(
            |asked| if reads_box(asked) { Turn::Then(Box::new(|a| named(a, None))) } else { Turn::Honest },
        );
        doctor.accepts(&link).await?;
        doctor.sees("等患者点“同意”").await?;
        let forged = forged_name(scene, &link).await?;
        let shown = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
        let count = shown.clone();
        between.lies(move |asked| {
            if !reads_box(asked) {
                return Turn::Honest;
            }
            *count.lock().expect("no panic").entry(asked.signer.clone()).or_default() += 1;
            let forged = forged.clone();
            Turn::Then(Box::new(move |answer| named(answer, Some(&forged))))
        });
        // The desk looks into the box too: both have looked again after they were shown it.
        looked(&shown, 2, 3).await?;
        assert!(!phone.has_before_them(FORGED).await?, "a name that this ledger doesn't know");
        assert!(!phone.has_before_them("让这位医生看吗？").await?, "nobody is asked about");
        between.is_honest();
        phone.consents().await?;

        // The gates' share comes damaged: nothing is opened, and no second use is spent on it.
        between.lies(|asked| {
            let share = asked.is(&Method::POST, "/v1/gate/release");
            if share { Turn::Then(Box::new(flipped)) } else { Turn::Honest }
        });
        doctor.taps("打开病历").await?;
        doctor.sees("守门方给的钥匙份额不对").await?;
        doctor.picture("lies-share").await?;
        assert!(!doctor.has_before_them("低密度脂蛋白").await?, "nothing is opened");
        between.is_honest();
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.sees("1 次，共 2 次").await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_says_a_consent_is_revoked_and_does_nothing_is_not_believed() -> Result<()> {
    Scene::play("lies-revoked", 2, async |scene| {
        let (between, phone, doctor, link) = shown_to_a_doctor(scene).await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.taps("看完了，关闭").await?;
        between.lies(|asked| {
            if asked.is(&Method::POST, "/v1/transactions") {
                Turn::Instead(Answer::stands(asked))
            } else if asked.is(&Method::POST, "/v1/gate/revoke") {
                Turn::Instead(Answer::empty())
            } else {
                Turn::Honest
            }
        });
        phone.taps("谁看过").await?;
        phone.taps("不给看了").await?;
        phone.sees("对方不能再打开了").await?;
        phone.taps("不给看了").await?;
        phone.sees("还没有收回：没有得到确认").await?;
        phone.picture("lies-revoked").await?;
        phone.finds_it_accessible().await?;
        between.is_honest();
        phone.taps("不给看了").await?;
        doctor.taps("林秀兰").await?;
        doctor.sees("患者收回了").await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_shows_an_old_checkpoint_as_the_newest_raises_the_alarm() -> Result<()> {
    Scene::play("lies-old", 1, async |scene| {
        let between = scene.between().await?;
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        let old = scene.relay.get("/v1/ledger/checkpoint").await?;
        scene.relay.lets_pass("20m").await?;
        phone.keeps_at("patient", &scene.relay.issues("discharge").await?).await?;
        phone.goes_to("patient", "/who").await?;
        phone.sees("账本上的都在这里，一次不少").await?;

        let old = (old.headers, old.body);
        between.lies(move |asked| {
            let newest = asked.is(&Method::GET, "/v1/ledger/checkpoint");
            let (headers, body) = old.clone();
            if newest {
                Turn::Instead(Answer { status: StatusCode::OK, headers, body })
            } else {
                Turn::Honest
            }
        });
        phone.goes_to("patient", "/who").await?;
        phone.sees("账本和上次对不上").await?;
        phone.picture("lies-old").await
    })
    .await
}

/// A desk of an insurer that has the sample invoice open, and the phone that showed it.
async fn open_claim(scene: &mut Scene) -> Result<(Between, Person, Person)> {
    let between = scene.between().await?;
    let ticket = scene.relay.issues("invoice/report.json").await?;
    let phone = scene.phone_with(&ticket).await?;
    phone.protects_the_invoice().await?;
    let link = phone.claims().await?;
    let desk = scene.person("insurer", Window::Desk).await?;
    desk.enrols("insurer").await?;
    desk.opens_claim(&phone, &link, "钱颖").await?;
    Ok((between, phone, desk))
}

#[tokio::test]
async fn malicious_relay_cannot_make_an_insurers_desk_forget_a_settlement_or_believe_in_one() -> Result<()> {
    Scene::play("lies-settled", 2, async |scene| {
        let (between, phone, desk) = open_claim(scene).await?;
        // A slot as it isn't: the proof doesn't hold, and nothing is decided.
        between.lies(|asked| {
            let values = asked.is(&Method::POST, "/v1/ledger/values");
            if values { Turn::Then(Box::new(flipped)) } else { Turn::Honest }
        });
        desk.taps("结算").await?;
        desk.sees("账本的证明不成立").await?;
        desk.picture("lies-slot").await?;

        // “It stands”, and it doesn't: neither desk nor patient is told that it does.
        between.lies(|asked| {
            let entry = asked.is(&Method::POST, "/v1/transactions");
            if entry { Turn::Instead(Answer::stands(asked)) } else { Turn::Honest }
        });
        desk.taps("结算").await?;
        desk.sees("已经发出，账本还没有确认").await?;
        desk.picture("lies-underway").await?;
        phone.sees("看过，还没有决定").await?;

        // It stands, and what the insurer told the patient is kept back: the ledger's word is shown, and no sum.
        between.lies(|asked| {
            if !reads_box(asked) {
                return Turn::Honest;
            }
            Turn::Then(Box::new(|answer| {
                let Ok(mut messages) = cbor::decode::<Messages>(&answer.body) else { return answer };
                messages.retain(|message| !matches!(cbor::decode(message), Ok(Message::Answer(_))));
                with_body(answer, cbor::encode(&messages))
            }))
        });
        desk.taps("再看一次账本").await?;
        desk.sees("已经结算 ¥9,927.86").await?;
        phone.sees("已经结算，金额还没有核对到").await?;
        phone.picture("lies-untold").await?;
        between.is_honest();
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        // “Refused”, and it is done: the desk goes by the ledger.
        between.lies(|asked| {
            let entry = asked.is(&Method::POST, "/v1/transactions");
            if entry { Turn::Then(Box::new(|_| refused())) } else { Turn::Honest }
        });
        desk.taps("撤回结算").await?;
        desk.taps("结错了").await?;
        desk.types("给患者和监管方的说明（必填）", "金额有误").await?;
        desk.taps_at("#claim .button.primary").await?;
        desk.sees("已经撤回，原来结算").await?;
        phone.sees("保险公司撤回了结算：金额有误").await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_says_an_invoice_is_void_and_does_nothing_is_not_believed() -> Result<()> {
    Scene::play("lies-void", 1, async |scene| {
        let between = scene.between().await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("hospital").await?;
        desk.issues("住院收费票据").await?;
        between.lies(|asked| {
            let entry = asked.is(&Method::POST, "/v1/transactions");
            if entry { Turn::Instead(Answer::stands(asked)) } else { Turn::Honest }
        });
        desk.goes_to("hospital", "/history").await?;
        desk.taps("冲红或换开").await?;
        desk.taps("冲红：票据作废").await?;
        desk.types("给监管方的说明（必填）", "重复开票").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("账本还没有确认全部，请再点一次").await?;
        desk.picture("lies-void").await?;
        desk.goes_to("hospital", "/history").await?;
        desk.sees("冲红或换开").await?;
        assert!(!desk.has_before_them("已冲红").await?, "the ledger doesn't say so");
        between.is_honest();
        desk.taps("冲红或换开").await?;
        desk.taps("冲红：票据作废").await?;
        desk.types("给监管方的说明（必填）", "重复开票").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("已冲红").await
    })
    .await
}
