//! An invoice's way: from the hospital to the phone, shown to an insurer and to nobody else, settled once, taken back,
//! refused; each step told to the patient in a sentence.

use suishen_tests::{Person, Result, Scene, Window};

/// A phone that keeps the sample invoice, open on its page.
async fn phone_with_an_invoice(scene: &mut Scene, ticket: &str) -> Result<Person> {
    let phone = scene.person("phone", Window::Phone).await?;
    phone.goes_to("patient", "/").await?;
    phone.keeps_first(ticket).await?;
    phone.sees("找保险公司理赔").await?;
    Ok(phone)
}

/// Protects the phone's wallet, without which nothing is shared, and turns to the invoice again.
async fn protected(phone: &Person) -> Result<()> {
    phone.protects().await?;
    phone.taps("住院收费票据").await?;
    phone.sees("找保险公司理赔").await
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
        let ticket = scene.relay.issues("invoice/report.json").await?;
        let phone = phone_with_an_invoice(scene, &ticket).await?;
        protected(&phone).await?;
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
        insurer.types("给患者和监管方的说明（必填）", "您在另一家已经报过").await?;
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

        // The first insurer's claim was taken from it before the second was asked.
        insurer.goes_to("insurer", "/").await?;
        insurer.taps("林秀兰").await?;
        insurer.sees("患者收回了").await?;

        // What was decided can be taken back without opening the patient's invoice again.
        rival.goes_to("insurer2", "/settled").await?;
        rival.sees("已经结算 ¥9,927.86").await?;
        rival.picture("claims-settled").await?;
        rival.finds_it_accessible().await?;
        rival.taps("撤回结算").await?;
        rival.taps("款项退回").await?;
        rival.types("给患者和监管方的说明（必填）", "款项退回").await?;
        rival.taps_at("dialog .button.danger").await?;
        rival.sees("已经撤回，这一部分又可以结算").await?;
        phone.sees("保险公司撤回了结算：款项退回").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invoice_that_its_hospital_reverses_is_flagged_and_claimed_no_more() -> Result<()> {
    Scene::play("void", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("hospital").await?;
        let ticket = desk.issues("住院收费票据").await?;
        let phone = phone_with_an_invoice(scene, &ticket).await?;

        // What is missing is said before anything is sent; once it is there, it goes along.
        phone.taps("找保险公司理赔").await?;
        phone.sees("没有找到这次住院的出院小结").await?;
        phone.taps("关闭").await?;
        desk.goes_to("hospital", "/").await?;
        phone.keeps_at("patient", &desk.issues("出院小结").await?).await?;
        protected(&phone).await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("一起给看的资料").await?;
        phone.taps("出院小结").await?;
        phone.picture("claim-pack").await?;
        phone.finds_it_accessible().await?;
        phone.taps("出示理赔码").await?;
        phone.sees("请保险公司扫这个码").await?;
        let link = phone.copies_the_link().await?;

        desk.enrols("insurer").await?;
        opens(&desk, &phone, &link, "钱颖").await?;
        desk.taps("出院小结").await?;
        desk.sees("诊疗经过").await?;
        desk.picture("claim-pack-open").await?;
        assert!(!desk.has_before_them("病案号").await?, "numbers are held back");
        desk.taps("结算").await?;
        desk.sees("已经结算 ¥9,927.86").await?;
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        // The hospital withdraws the invoice: for every insurer, after a warning that one has paid.
        desk.goes_to("hospital", "/history").await?;
        desk.sees("已有保险公司结算").await?;
        desk.taps("冲红或换开").await?;
        desk.sees("已经有保险公司按它赔付").await?;
        desk.picture("void-sheet").await?;
        desk.finds_it_accessible().await?;
        desk.taps("冲红：票据作废").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("请用不超过 80 个字说明原因").await?;
        desk.types("给监管方的说明（必填）", "重复开票").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("已冲红").await?;
        desk.picture("void-issued").await?;

        phone.sees("冲红了这张票据，不能再理赔").await?;
        phone.sees("保险公司已经赔过，可能会请您退回").await?;
        assert!(!phone.has_before_them("找保险公司理赔").await?, "nothing is claimed on it");
        phone.picture("claim-void").await?;
        phone.finds_it_accessible().await?;

        desk.goes_to("insurer", "/settled").await?;
        desk.sees("医院后来冲红或换开了这张票据").await?;
        Ok(())
    })
    .await
}
