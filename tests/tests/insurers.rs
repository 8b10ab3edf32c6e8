//! An insurer that tells the patient one thing and the ledger another: the phone compares, and raises the alarm.

use suishen_core::consent::Answer;
use suishen_core::contract::Role;
use suishen_core::id::GrantId;
use suishen_core::report::Money;
use suishen_core::sm::{Digest, Key32};
use suishen_tests::{Insurer, Person, Result, Scene};

const INSURER: &str = "91520100ANLAN00051";
const FUND: &str = "11520100ANLAN00042";

/// The phone makes a claim to insurers of this kind, this one takes it and has it open.
async fn claims(phone: &Person, insurer: &Insurer, payer: &str) -> Result<GrantId> {
    let claim = insurer.takes(&phone.claims_from(payer).await?).await?;
    phone.agrees_to_the_claim().await?;
    insurer.has_open(&claim).await?;
    Ok(claim)
}

#[tokio::test]
async fn an_insurer_that_lies_to_the_patient_is_told_apart_from_the_ledger() -> Result<()> {
    Scene::play("lying-insurers", 1, async |scene| {
        let ticket = scene.relay.issues("invoice/report.json").await?;
        let phone = scene.phone_with(&ticket).await?;
        phone.protects_the_invoice().await?;
        let insurer = Insurer::enrols(&scene.relay, INSURER, Role::InsurerCommercial).await?;

        // Of another invoice than the patient's.
        let claim = claims(&phone, &insurer, "商业保险").await?;
        let held = insurer.has_open(&claim).await?;
        let mut other = insurer.would_tell(&held, "0", "不在保障期内")?;
        other.invoice = Digest::of(b"another invoice");
        insurer.tells(&held, &Answer::Refused(other)).await?;
        phone.sees("保险公司说的不是您这张票据，或金额对不上。请向监管方反映").await?;
        phone.picture("claim-alarm-other").await?;
        phone.finds_it_accessible().await?;

        // Another sum than it told the auditor, in a claim made after.
        let claim = claims(&phone, &insurer, "商业保险").await?;
        let held = insurer.decides_in_silence(&claim, "9927.86", "").await?;
        phone.sees("已经结算，金额还没有核对到").await?;
        let entry = held.said.as_ref().and_then(|said| said.entry).expect("it stands");
        let mut less = insurer.would_tell(&held, "9927.86", "")?;
        (less.paid, less.reason) = (Money::parse("927.86", "CNY")?, "超出约定".into());
        insurer.tells(&held, &Answer::Settled(less, Key32::from_bytes([7; 32]), entry)).await?;
        phone.sees("保险公司告诉您的，和它告诉监管方的不一样。请向监管方反映").await?;
        phone.picture("claim-alarm-auditor").await?;
        phone.finds_it_accessible().await?;

        // Refused to the patient, settled on the ledger, and not a word for a week.
        drop(insurer);
        let fund = Insurer::enrols(&scene.relay, FUND, Role::InsurerStatutory).await?;
        let claim = claims(&phone, &fund, "基本医保").await?;
        fund.decides(&claim, "0", "不在保障期内").await?;
        phone.sees("没有赔：不在保障期内").await?;
        fund.decides_in_silence(&claim, "12345.00", "超出约定").await?;
        drop(fund);
        scene.relay.lets_pass("8d").await?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.taps("住院收费票据").await?;
        phone.sees("保险公司说没有赔，账本上却记了结算。请向监管方反映").await?;
        phone.picture("claim-alarm-contradicts").await?;

        // Whoever doesn't open the invoice hears of it all the same.
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.sees("一张票据的理赔不对，请看一下").await?;
        phone.picture("home-claim-alarm").await?;
        phone.finds_it_accessible().await?;
        phone.taps("一张票据的理赔不对").await?;
        phone.sees("保险公司说没有赔").await?;
        phone.taps("返回").await?;
        assert!(!phone.has_before_them("一张票据的理赔不对").await?, "it was looked at");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_settlement_under_a_consent_that_this_wallet_never_gave_is_an_alarm() -> Result<()> {
    Scene::play("foreign-settlement", 1, async |scene| {
        let ticket = scene.relay.issues("invoice/report.json").await?;
        let phone = scene.phone_with(&ticket).await?;
        phone.protects_the_invoice().await?;
        let insurer = Insurer::enrols(&scene.relay, INSURER, Role::InsurerCommercial).await?;
        // The hospital gave the same invoice to somebody else too, who has it paid.
        let again = scene.relay.issues("invoice/report.json").await?;
        phone.keeps_at("patient2", &again).await?;
        phone.goes_to("patient2", "/protect").await?;
        phone.protects_here().await?;
        phone.taps("住院收费票据").await?;
        let claim = claims(&phone, &insurer, "商业保险").await?;
        insurer.decides(&claim, "9927.86", "").await?;
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.taps("住院收费票据").await?;
        phone.sees("这张票据（商业保险）被结算了，但不是这个钱包同意的").await?;
        phone.sees("没有同意过，请向监管方反映").await?;
        phone.picture("claim-foreign").await?;
        phone.finds_it_accessible().await
    })
    .await
}
