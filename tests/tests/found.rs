//! What cheating organisations leave on the ledger, and what the auditor's desk says of it: each wrong entry in a sentence
//! with the name of whoever signed it. No relay could keep these entries out: their boxes are closed to it.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use suishen_core::consent::{Choice, Presence};
use suishen_core::contract::{Role, Slot};
use suishen_core::id::GrantId;
use suishen_core::report::Money;
use suishen_core::sm::{SecretKey, Signed};
use suishen_relay::claims::held::Held;
use suishen_relay::claims::patient::{Record, choice_for};
use suishen_relay::random::SystemRandom;
use suishen_tests::{
    Accepted, Desk, HOSPITAL, Insurer, Person, Relay, Result, Scene, Wallet, Window, auditor, sample,
};

const INSURER: &str = "91520100ANLAN00051";

/// Minutes until it is one o'clock at night in China, more than a day from now.
fn until_a_night() -> Result<u64> {
    let minutes = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60;
    let day = 24 * 60;
    // One o'clock there is five in the afternoon, the day before, in Greenwich.
    Ok(day + (17 * 60 + day - minutes % day) % day)
}

/// A doctor accepts a grant of a patient's report.
async fn shown(wallet: &Wallet, report: &Record, doctor: &Desk, uses: u64) -> Result<Accepted> {
    let choice = Choice { uses, ..choice_for(Role::Physician) };
    let made = wallet.makes(&[(report, report.openings().to_vec())], choice).await?;
    made.bring(&doctor.client).await?;
    doctor.accepts(&made.link).await
}

/// Reads whose boxes say what they shouldn't.
async fn false_boxes(
    wallet: &Wallet,
    report: &Record,
    hospital: &Desk,
    insurer: &Desk,
    doctor: &Desk,
) -> Result<()> {
    let mut grant = shown(wallet, report, doctor, 10).await?;
    let keys = auditor(&doctor.client).await?;
    let (now, old) = (keys.box_key()?, keys.boxes.first().context("a key")?.key);
    assert_ne!(now, old, "the quarter's key was changed");

    let nobodys = SecretKey::generate(&mut SystemRandom);
    for key in [nobodys.public(), old] {
        let told = doctor.would_tell(&grant);
        doctor.reads_telling(&mut grant, &told, &key).await?;
    }
    let mut told = doctor.would_tell(&grant);
    told.records = vec![7];
    doctor.reads_telling(&mut grant, &told, &now).await?;
    for other in [insurer, hospital] {
        let mut told = doctor.would_tell(&grant);
        told.certificate = other.who().chain().leaf().to_der().to_vec();
        doctor.reads_telling(&mut grant, &told, &now).await?;
    }
    let mut told = doctor.would_tell(&grant);
    let presence = Presence { grant: GrantId::from_bytes([1; 32]), grantee: nobodys.public() };
    told.presence = Signed::new(&presence, doctor.who().key(), &doctor.client.ledger());
    doctor.reads_telling(&mut grant, &told, &now).await
}

/// A claim that the insurer has open.
async fn open(wallet: &Wallet, insurer: &Insurer, bill: &Record) -> Result<Held> {
    let claim = insurer.takes(&wallet.claims(bill, Slot::Commercial).await?).await?;
    insurer.has_open(&claim).await
}

/// Settlements that should not be.
async fn false_settlements(relay: &Relay, wallet: &Wallet, hospital: &Desk) -> Result<()> {
    let insurer = Insurer::enrols(relay, INSURER, Role::InsurerCommercial).await?;
    let fhir = |number: &str| sample("invoice/report.json", &[("0038217745", number)]);

    let void = wallet.receives(hospital, fhir("0038217801")?).await?;
    let held = open(wallet, &insurer, &void).await?;
    insurer.decides(&held.grant, "9927.86", "").await?;
    hospital.voids(&void, Slot::Commercial).await?;

    let replaced = wallet.receives(hospital, fhir("0038217802")?).await?;
    let held = open(wallet, &insurer, &replaced).await?;
    hospital.replaces(replaced.commitment()).await?;
    insurer.settles_anyway(&held, |_| {}).await?;

    let cancelled = wallet.receives(hospital, fhir("0038217803")?).await?;
    let held = open(wallet, &insurer, &cancelled).await?;
    hospital.cancels(cancelled.commitment()).await?;
    insurer.settles_anyway(&held, |_| {}).await?;

    let other = wallet.receives(hospital, fhir("0038217804")?).await?;
    let held = open(wallet, &insurer, &other).await?;
    insurer.settles_anyway(&held, |told| told.anchor = [0; 8]).await?;

    let more = wallet.receives(hospital, fhir("0038217807")?).await?;
    let held = open(wallet, &insurer, &more).await?;
    let beyond_all = Money::parse("99999.00", "CNY")?;
    insurer.settles_anyway(&held, |told| told.paid = beyond_all).await?;

    // A hospital that makes an invoice two tags has it paid twice.
    let twice = fhir("0038217805")?;
    let first = wallet.receives(hospital, twice.clone()).await?;
    let held = open(wallet, &insurer, &first).await?;
    insurer.decides(&held.grant, "9927.86", "").await?;
    hospital.gives_tags(&hospital.other_tags(&twice, true)?);
    let second = wallet.receives(hospital, twice).await?;
    hospital.is_honest();
    let held = open(wallet, &insurer, &second).await?;
    insurer.decides(&held.grant, "9927.86", "").await?;

    let suspended = wallet.receives(hospital, fhir("0038217806")?).await?;
    let held = open(wallet, &insurer, &suspended).await?;
    let from = (hospital.client.info().await?.now - 60).to_string();
    let arguments =
        ["suspend", "--party", HOSPITAL, "--why", "许可被撤销", "--from", &from, "--log", "error"];
    let (ended, printed) = relay.command(&arguments).await?;
    assert_eq!(ended, 0, "{printed}");
    insurer.settles_anyway(&held, |_| {}).await
}

/// Opens the audit with these of the auditor's keys.
async fn audits(desk: &Person, relay: &Relay, keys: &[&str]) -> Result<()> {
    desk.goes_to("auditor", "/").await?;
    desk.sees("没有密钥时只统计机构").await?;
    desk.taps("密钥").await?;
    for key in keys {
        let file = relay.data().join("keys/auditor").join(key);
        desk.gives_file("input[type=file]", &file).await?;
    }
    desk.sees("已有季度密钥 2 把").await?;
    desk.taps("谁看了什么").await?;
    desk.types("为什么查看", "季度例行审计").await?;
    desk.taps("开始核对").await?;
    desk.sees("每个签名、每次变化和两个根都对得上").await
}

#[tokio::test]
async fn the_auditors_desk_names_who_left_what_is_wrong_on_the_ledger() -> Result<()> {
    Scene::play("found", 1, async |scene| {
        let (code, printed) = scene.relay.command(&["audit", "rotate"]).await?;
        assert_eq!(code, 0, "{printed}");
        let night = until_a_night()?;
        scene.relay.lets_pass(&format!("{night}m")).await?;
        let relay = &scene.relay;
        let hospital = Desk::enrols(relay, HOSPITAL, Role::Issuer, "方静").await?;
        let adjuster = Desk::enrols(relay, INSURER, Role::InsurerCommercial, "钱颖").await?;
        let wallet = Wallet::arrives(relay).await?;
        let report = wallet.receives(&hospital, sample("laboratory/report.json", &[])?).await?;

        let honest = Desk::enrols(relay, HOSPITAL, Role::Physician, "周岚").await?;
        let mut grant = shown(&wallet, &report, &honest, 1).await?;
        honest.reads(&mut grant).await?;
        let busy = Desk::enrols(relay, HOSPITAL, Role::Physician, "韩越").await?;
        let mut grant = shown(&wallet, &report, &busy, 30).await?;
        for _ in 0..30 {
            busy.reads(&mut grant).await?;
        }
        let false_one = Desk::enrols(relay, HOSPITAL, Role::Physician, "贾明").await?;
        false_boxes(&wallet, &report, &hospital, &adjuster, &false_one).await?;
        let made =
            wallet.makes(&[(&report, report.openings().to_vec())], choice_for(Role::Physician)).await?;
        wallet.issues_of_nothing(&made).await?;
        let reader = Desk::enrols(relay, HOSPITAL, Role::Physician, "吴怡").await?;
        let mut grant = reader.accepts(&made.link).await?;
        reader.reads(&mut grant).await?;
        Box::pin(false_settlements(relay, &wallet, &hospital)).await?;

        let desk = scene.person("auditor", Window::Desk).await?;
        audits(&desk, &scene.relay, &["box.pem", "box-1.pem", "audit.pem"]).await?;
        for finding in [
            "读取的审计封用当时有效的密钥打不开",
            "读取的审计封封给了另一季度的密钥",
            "读取的审计封所说与本条目不符",
            "读取的审计封里的证书不是该机构签发的",
            "读取的审计封所列人员没有该角色的证书",
            "读取的审计封所列人员没有为本条目签名",
            "之后仍被结算",
            "票据已被更正（条目",
            "票据已被撤回（条目",
            "出具机构已被停权（条目",
            "结算所指的报告不是这家医院登记的",
            "结算的审计封内容不成其为说明",
            "所列的记录没有任何医院登记过",
            "安澜市人民医院为同一票据同一支付方开出两个标签，另一个在条目",
            "票据已由医院作废（条目",
            "一天内读取 30 次，同类人员中位数 1",
            "一夜之内读取 30 次",
        ] {
            desk.sees(finding).await?;
        }
        // Whom a box names without their signature is said to be named, and no more.
        desk.sees("钱颖（封内自称，未证实）").await?;
        desk.sees("韩越").await?;
        desk.whole_picture("audit-findings").await?;
        desk.finds_it_accessible().await?;

        // Nobody changes the quarter's key again: the page and the audit say so.
        scene.relay.lets_pass(&format!("{}m", night + 94 * 24 * 60)).await?;
        audits(&desk, &scene.relay, &["box.pem", "box-1.pem", "audit.pem"]).await?;
        desk.sees("起未更换，请运行 suishen audit rotate").await?;
        desk.taps("密钥").await?;
        desk.sees("现行的季度密钥本应在").await?;
        desk.picture("audit-keys-overdue").await?;
        desk.finds_it_accessible().await
    })
    .await
}
