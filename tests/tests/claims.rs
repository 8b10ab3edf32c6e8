//! An invoice's way: from the hospital to the phone, shown to an insurer and to nobody else, settled once, taken back,
//! refused; each step told to the patient in a sentence.

use suishen_tests::{Person, Result, Scene, Window};

/// A phone with a protected wallet that keeps the sample invoice, open on its page.
async fn phone_with_an_invoice(scene: &mut Scene) -> Result<Person> {
    let ticket = scene.relay.issues("invoice/report.json").await?;
    let phone = scene.person("phone", Window::Phone).await?;
    phone.goes_to("patient", "/").await?;
    phone.keeps_first(&ticket).await?;
    phone.sees("找保险公司理赔").await?;
    phone.protects().await?;
    phone.taps("住院收费票据").await?;
    phone.sees("找保险公司理赔").await?;
    Ok(phone)
}

/// Makes a claim with what is proposed; the code's link.
async fn claims(phone: &Person) -> Result<String> {
    phone.taps("找保险公司理赔").await?;
    phone.sees("给保险公司看什么").await?;
    phone.taps("出示理赔码").await?;
    phone.sees("请保险公司扫这个码").await?;
    phone.copies_the_link().await
}

/// An insurer's desk opens a claim after the patient's yes.
async fn opens(desk: &Person, phone: &Person, link: &str, name: &str) -> Result<()> {
    desk.accepts(link).await?;
    desk.sees("等患者点“同意”").await?;
    phone.sees("让这家保险公司看吗？").await?;
    phone.sees(name).await?;
    phone.taps("同意").await?;
    phone.sees("已经同意，可以看了").await?;
    phone.taps("关闭").await?;
    desk.taps("打开病历").await?;
    desk.sees("这次阅读已记入账本").await
}

#[tokio::test]
async fn an_invoice_is_settled_once_taken_back_and_told_to_the_patient() -> Result<()> {
    Scene::play("claims", 2, async |scene| {
        let phone = phone_with_an_invoice(scene).await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("9 行费用明细").await?;
        phone.sees("不给看的 6 项").await?;
        phone.sees("¥9,927.86").await?;
        phone.picture("claim-sheet").await?;
        phone.finds_it_accessible().await?;
        phone.taps("出示理赔码").await?;
        phone.sees("请保险公司扫这个码").await?;
        let link = phone.copies_the_link().await?;

        let insurer = scene.person("insurer", Window::Desk).await?;
        insurer.enrols("insurer").await?;
        opens(&insurer, &phone, &link, "钱颖").await?;
        insurer.sees("左膝骨关节炎").await?;
        insurer.sees("没有出示 6 处").await?;
        for hidden in ["高血压", "A2004817", "33060019580300482"] {
            assert!(!insurer.has_before_them(hidden).await?, "{hidden}");
        }
        insurer.picture("claim-open").await?;
        insurer.finds_it_accessible().await?;
        phone.sees("看过，还没有决定").await?;

        insurer.types("赔付金额（元）", "99999").await?;
        insurer.taps("结算").await?;
        insurer.sees("金额不对").await?;
        insurer.types("赔付金额（元）", "7927.86").await?;
        insurer.taps("结算").await?;
        insurer.sees("请用不超过 80 个字说明原因").await?;
        insurer.types("没有全赔或拒绝的原因", "超出约定的自费项目").await?;
        insurer.taps("结算").await?;
        insurer.sees("已经结算 ¥7,927.86").await?;
        insurer.picture("claim-settled").await?;
        phone.sees("赔付 ¥7,927.86。没有全赔：超出约定的自费项目").await?;
        phone.picture("claim-line").await?;
        phone.finds_it_accessible().await?;

        // Settled is settled: the phone makes no second claim for this part.
        phone.taps("找保险公司理赔").await?;
        phone.taps("出示理赔码").await?;
        phone.sees("这一部分已经结算过了").await?;
        phone.taps("关闭").await?;

        insurer.taps("撤回结算").await?;
        insurer.taps("别处已经赔过").await?;
        insurer.types("给患者和监管方的说明", "您在另一家已经报过").await?;
        insurer.taps_at("#claim .button.danger").await?;
        insurer.sees("赔付金额（元）").await?;
        phone.sees("保险公司撤回了结算：您在另一家已经报过").await?;

        // Another insurer, in the same browser on an origin of its own.
        let rival = &insurer;
        rival.enrols("insurer2").await?;
        let link = claims(&phone).await?;
        opens(rival, &phone, &link, "孙浩").await?;
        rival.types("没有全赔或拒绝的原因", "不在保障期内").await?;
        rival.taps("拒绝").await?;
        rival.sees("已经拒绝").await?;
        phone.sees("没有赔：不在保障期内。可以再找别的保险公司").await?;
        rival.taps("结算").await?;
        rival.sees("已经结算 ¥9,927.86").await?;
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        // The first insurer may still look, and settles nothing any more.
        insurer.goes_to("insurer", "/").await?;
        insurer.taps("林秀兰").await?;
        insurer.taps("打开病历").await?;
        insurer.sees("这一部分已经结算过了").await?;
        Ok(())
    })
    .await
}
