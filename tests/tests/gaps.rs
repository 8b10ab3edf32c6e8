//! What the phone says before a claim is sent: what an insurer will miss in it, and why another can't have it yet.

use reqwest::Method;
use serde_json::Value;
use suishen_core::contract::{Role, SignedTransaction, Transaction};
use suishen_tests::{Answer, Asked, Desk, HOSPITAL, Insurer, Result, Scene, Turn, sample};

const INSURER: &str = "91520100ANLAN00051";
const NUMBER: &str = "0038217745";

/// Of all that the sample says only who paid what: no lines, no diagnosis, no commercial policy.
fn bare() -> Result<Vec<u8>> {
    let changes =
        [("encounter-diagnosis", "problem-list-item"), ("EHCPOL", "PUBLICPOL"), ("住院收费", "门诊收费")];
    let mut bill: Value = serde_json::from_slice(&sample("invoice/report.json", &changes)?)?;
    let entries = bill["entry"].as_array_mut().expect("a bundle has entries");
    entries.retain(|entry| entry["resource"]["resourceType"] != "ChargeItem");
    entries[0]["resource"].as_object_mut().expect("an invoice").remove("lineItem");
    Ok(serde_json::to_vec(&bill)?)
}

/// Whether this takes a consent back.
fn revokes(asked: &Asked) -> bool {
    let signed = SignedTransaction::from_bytes(&asked.body).ok();
    let body = signed.and_then(|signed| signed.claimed().ok());
    asked.is(&Method::POST, "/v1/transactions") && matches!(body, Some(Transaction::RevokeGrant(_)))
}

#[tokio::test]
async fn the_phone_says_what_a_claim_lacks_and_asks_one_insurer_after_the_other() -> Result<()> {
    Scene::play("claim-gaps", 1, async |scene| {
        let between = scene.between().await?;
        let hospital = Desk::enrols(&scene.relay, HOSPITAL, Role::Issuer, "方静").await?;
        // A hospital that takes no part in claims.
        hospital.gives_tags(&[]);
        let ticket = hospital.issues(bare()?).await?;
        hospital.is_honest();
        let phone = scene.phone_with(&ticket).await?;
        phone.begins_a_claim().await?;
        for gap in [
            "医院没有给这张票据理赔凭据，在这里不能结算",
            "票据上没有费用明细",
            "票据上没有诊断",
            "票据上没有这类保险的保单",
            "没有找到这次治疗的费用清单",
        ] {
            phone.sees(gap).await?;
        }
        phone.whole_picture("claim-gaps").await?;
        phone.finds_it_accessible().await?;
        phone.taps("关闭").await?;

        // Two policies with insurers of one kind: the patient says which.
        let two = [("PUBLICPOL", "EHCPOL"), (NUMBER, "0038217760")];
        phone.keeps_at("patient", &hospital.issues(sample("invoice/report.json", &two)?).await?).await?;
        phone.begins_a_claim().await?;
        phone.sees("请选一份保单，别的保单不会给看").await?;
        phone.picture("claim-which").await?;
        phone.finds_it_accessible().await?;
        phone.taps("康宁健康保险 百万医疗险（2026 版）").await?;
        phone.sees_no_more("请选一份保单").await?;
        phone.taps("关闭").await?;
        phone.protects_the_invoice().await?;
        let insurer = Insurer::enrols(&scene.relay, INSURER, Role::InsurerCommercial).await?;
        let first = insurer.takes(&phone.claims_from("商业保险").await?).await?;
        phone.agrees_to_the_claim().await?;
        insurer.has_open(&first).await?;

        // One insurer at a time.
        phone.begins_a_claim().await?;
        phone.taps("出示理赔码").await?;
        phone.sees("已经给一家保险公司看了。先收回，再找另一家").await?;
        phone.picture("claim-runs").await?;
        phone.finds_it_accessible().await?;
        phone.taps("关闭").await?;

        // And from whom refused it is taken first, on the ledger and not by a relay's word.
        insurer.decides(&first, "0", "不在保障期内").await?;
        phone.sees("没有赔：不在保障期内").await?;
        between
            .lies(|asked| if revokes(asked) { Turn::Instead(Answer::stands(asked)) } else { Turn::Honest });
        phone.begins_a_claim().await?;
        phone.taps("出示理赔码").await?;
        phone.sees("正在从上一家保险公司收回，账本还没有确认。稍后再试").await?;
        phone.picture("claim-leaving").await?;
        phone.finds_it_accessible().await?;
        phone.taps("关闭").await?;
        between.is_honest();
        phone.claims().await?;
        phone.taps("关闭").await?;
        phone.sees("已经出示，还没有人看").await?;
        between
            .lies(|asked| if revokes(asked) { Turn::Instead(Answer::stands(asked)) } else { Turn::Honest });
        phone.taps("查看，或不给看了").await?;
        phone.taps("不给看了").await?;
        phone.taps_at("dialog .button.primary").await?;
        phone.sees("正在收回，账本还没有确认").await?;
        phone.picture("claim-leaving-line").await?;
        between.is_honest();
        phone.sees_no_more("正在收回").await
    })
    .await
}
