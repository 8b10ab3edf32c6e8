//! A helper's browser: it holds its owner's wallet and, beside it, a patient's, in which it may look or share until the
//! patient takes that back.

use anyhow::ensure;
use suishen_tests::{Look, Person, Result, Scene, Window};

/// The six digits on a screen.
async fn digits(person: &Person) -> Result<String> {
    person.finds(".digits").await?;
    let shown = person.runs("return document.querySelector('.digits [aria-hidden]').textContent").await?;
    Ok(shown.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect())
}

/// Two people with a wallet each: the patient's has one report, the helper's another.
async fn two_people(scene: &mut Scene) -> Result<(Person, Person)> {
    let patient = scene.person("patient", Window::Phone).await?;
    patient.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
    patient.protects().await?;
    let helper = scene.person("helper", Window::SmallPhone).await?;
    helper.keeps_at("patient", &scene.relay.issues("imaging/report.json").await?).await?;
    helper.protects().await?;
    Ok((patient, helper))
}

/// The patient invites a person who helps, to do what is called so.
async fn invites(patient: &Person, may: &str) -> Result<String> {
    patient.goes_to("patient", "/devices").await?;
    patient.unlocks().await?;
    patient.taps("添加设备").await?;
    patient.taps("帮我的人").await?;
    patient.taps(may).await?;
    patient.picture("care-invite").await?;
    patient.taps("出示二维码").await?;
    patient.sees("请对方扫这个码").await?;
    patient.copies_the_link().await
}

/// The helper opens the link, says whose wallet it is and under which name to be seen; both compare the digits.
async fn becomes_a_helper(patient: &Person, helper: &Person, may: &str) -> Result<()> {
    let link = invites(patient, may).await?;
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    helper.goes_to("patient", &format!("/p#{fragment}")).await?;
    helper.unlocks().await?;
    helper.sees("这会把另一个人的钱包放在您的旁边").await?;
    helper.types("这是谁的钱包", "妈妈").await?;
    helper.types("对方看到的名字", "张敏的手机").await?;
    helper.sees("这会把妈妈的钱包放在您的旁边").await?;
    helper.picture("care-join").await?;
    helper.taps("加入").await?;
    helper.sees("请看对方的手机").await?;
    patient.sees("“张敏的手机”想加入您的钱包").await?;
    assert_eq!(digits(patient).await?, digits(helper).await?);
    helper.picture("care-digits").await?;
    patient.taps("一样，添加").await?;
    patient.sees("对方现在能看到您的病历了").await?;
    patient.taps("关闭").await
}

/// The databases of this browser.
async fn databases(person: &Person) -> Result<Vec<String>> {
    let names = "return indexedDB.databases().then((all) => all.map((one) => one.name).sort())";
    Ok(serde_json::from_value(person.runs(names).await?)?)
}

/// The patient takes the helper's device out.
async fn takes_back(patient: &Person) -> Result<()> {
    patient.goes_to("patient", "/devices").await?;
    patient.unlocks().await?;
    patient.sees("帮我的人").await?;
    patient.picture("care-people").await?;
    patient.taps("张敏的手机").await?;
    patient.taps("移出").await?;
    patient.sees("已移出").await
}

#[tokio::test]
async fn a_helper_looks_beside_the_own_wallet_until_the_patient_takes_it_back() -> Result<()> {
    Scene::play("caregiver-view", 2, async |scene| {
        let (patient, helper) = two_people(scene).await?;
        becomes_a_helper(&patient, &helper, "看病历和谁看过").await?;
        helper.sees("妈妈 · 可以看").await?;
        helper.taps("血脂与肝功能").await?;
        helper.sees("低密度脂蛋白").await?;
        helper.sees("医院签发，内容没有改动过").await?;
        // Nothing is offered that a helper who looks may not do.
        ensure!(!helper.has_before_them("给医生看").await?, "sharing is offered");
        helper.turns_to("/show").await?;
        helper.sees("这里只能看").await?;
        ensure!(!helper.has_before_them("身份码").await?, "the identity code is offered");
        helper.turns_to("/devices").await?;
        helper.sees("妈妈的设备").await?;
        ensure!(!helper.has_before_them("添加设备").await?, "inviting is offered");
        // One tap, and it is the own wallet; one more, and it is the other.
        helper.taps("我的").await?;
        helper.sees_no_more("妈妈 · 可以看").await?;
        helper.sees("左膝关节").await?;
        ensure!(!helper.has_before_them("血脂与肝功能").await?, "the other wallet's record is in the own");
        let mut found = Vec::new();
        helper.looks_over("care-own", Look::Words, &mut found).await?;
        helper.taps("妈妈").await?;
        helper.sees("妈妈 · 可以看").await?;
        helper.sees("血脂与肝功能").await?;
        ensure!(!helper.has_before_them("左膝关节").await?, "the own record is in the other's wallet");
        helper.looks_over("care-other", Look::Whole, &mut found).await?;
        helper.turns_to("/settings").await?;
        helper.looks_over("care-settings", Look::Whole, &mut found).await?;
        // Locked at once with the own, opened by it.
        helper.goes_to("patient", "/").await?;
        helper.unlocks().await?;
        helper.sees("左膝关节").await?;
        helper.taps("妈妈").await?;
        helper.sees("血脂与肝功能").await?;

        takes_back(&patient).await?;
        helper.sees("妈妈收回了").await?;
        helper.sees("左膝关节").await?;
        helper.looks_over("care-taken-back", Look::Whole, &mut found).await?;
        patient.taps("关闭").await?;
        ensure!(found.is_empty(), "{}", found.join("\n"));
        helper.goes_to("patient", "/").await?;
        helper.unlocks().await?;
        helper.sees("妈妈收回了").await?;
        ensure!(!helper.has_before_them("妈妈 · 可以看").await?, "it is still open");
        ensure!(databases(&helper).await?.len() == 2, "there is nothing to put away");
        helper.taps("收起来").await?;
        helper.sees_no_more("妈妈").await?;
        ensure!(databases(&helper).await? == ["suishen"], "the other wallet's database is left");
        helper.taps("左膝关节").await?;
        helper.sees("医院签发，内容没有改动过").await
    })
    .await
}

#[tokio::test]
async fn a_helper_shares_on_the_patients_behalf_and_the_list_says_so() -> Result<()> {
    Scene::play("caregiver-share", 2, async |scene| {
        let (patient, helper) = two_people(scene).await?;
        becomes_a_helper(&patient, &helper, "也可以替我出示").await?;
        helper.sees("妈妈 · 可以看和出示").await?;
        helper.sees("血脂与肝功能").await?;
        let consent = helper.shows_this_visit().await?;
        scene.leaves(&patient).await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("doctor").await?;
        desk.accepts(&consent).await?;
        helper.consents().await?;
        desk.taps("打开病历").await?;
        desk.sees("低密度脂蛋白").await?;
        // The own wallet has shared nothing.
        helper.taps("我的").await?;
        helper.sees("左膝关节").await?;
        helper.turns_to("/who").await?;
        helper.sees("还没有人看过").await?;
        scene.leaves(&desk).await?;
        // The patient sees who read, and from which device it was shown.
        let patient = scene.person("patient", Window::Phone).await?;
        patient.goes_to("patient", "/who").await?;
        patient.unlocks().await?;
        patient.sees("由“张敏的手机”出示").await?;
        patient.picture("care-shown-by").await?;
        Ok(())
    })
    .await
}

/// A computer comes into the patient's wallet by the code that a helper shows on their own phone.
async fn brings_in_a_computer(scene: &mut Scene, helper: &Person) -> Result<()> {
    helper.turns_to("/devices").await?;
    helper.sees("妈妈的设备").await?;
    helper.taps("添加设备").await?;
    helper.taps("出示二维码").await?;
    helper.sees("请用新设备扫这个码").await?;
    let link = helper.copies_the_link().await?;
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    let computer = scene.person("computer", Window::Desk).await?;
    computer.goes_to("patient", &format!("/p#{fragment}")).await?;
    computer.taps("加入").await?;
    helper.sees("两部设备上的数字一样吗").await?;
    assert_eq!(digits(helper).await?, digits(&computer).await?);
    helper.picture("care-manages").await?;
    helper.taps("一样，添加").await?;
    helper.sees("已添加").await?;
    helper.taps("关闭").await?;
    // It has the patient's wallet, and nothing of the helper's own.
    computer.sees("血脂与肝功能").await?;
    ensure!(!computer.has_before_them("左膝关节").await?, "the helper's own record came along");
    scene.leaves(&computer).await
}

#[tokio::test]
async fn a_helper_who_manages_adds_and_removes_devices_before_the_patients_eyes() -> Result<()> {
    Scene::play("caregiver-manage", 2, async |scene| {
        let (patient, helper) = two_people(scene).await?;
        becomes_a_helper(&patient, &helper, "可以替我管").await?;
        helper.sees("妈妈 · 可以替对方管").await?;
        helper.sees("血脂与肝功能").await?;
        scene.leaves(&patient).await?;
        brings_in_a_computer(scene, &helper).await?;

        // The patient sees what came in meanwhile, and the helper who may do that.
        let patient = scene.person("patient", Window::Phone).await?;
        patient.goes_to("patient", "/devices").await?;
        patient.unlocks().await?;
        patient.finds("section.card button.entry").await?;
        patient.sees("可以看、出示，也能添加和移出设备").await?;
        patient.picture("care-managed").await?;
        patient.finds_it_accessible().await?;

        // What the helper removes is gone for the patient too.
        // Both of the patient's are called the same here; the older one, which is the phone, comes first.
        helper.taps_at("section.card button.entry ~ button.entry").await?;
        helper.taps("移出").await?;
        helper.sees("已移出").await?;
        helper.taps("关闭").await?;
        patient.sees("移出，收不到新的了").await?;
        ensure!(!patient.has_before_them("已被移出钱包").await?, "another one than was meant is out");

        takes_back(&patient).await?;
        helper.sees("妈妈收回了").await?;
        helper.turns_to("/").await?;
        helper.sees("左膝关节").await
    })
    .await
}

#[tokio::test]
async fn deleting_ones_own_wallet_says_what_goes_with_it() -> Result<()> {
    Scene::play("caregiver-deletes", 2, async |scene| {
        let (patient, helper) = two_people(scene).await?;
        becomes_a_helper(&patient, &helper, "看病历和谁看过").await?;
        helper.sees("妈妈 · 可以看").await?;
        helper.taps("我的").await?;
        helper.sees("左膝关节").await?;
        helper.turns_to("/settings").await?;
        helper.taps("删除钱包").await?;
        helper.sees("放在这里的别人的钱包也会一起删掉：妈妈").await?;
        helper.picture("care-delete").await?;
        helper.taps("我知道了，要删").await?;
        helper.taps_at("dialog .button.danger").await?;
        helper.sees("病历随身，自己做主").await?;
        ensure!(databases(&helper).await? == ["suishen"], "the other wallet's database is left");
        Ok(())
    })
    .await
}
