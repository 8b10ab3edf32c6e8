//! The main job, end to end, in real browsers: a hospital's QR becomes a record, a consent, a read, and a log that the
//! phone has proven complete.

use serde_json::Value;
use suishen_tests::{Person, Relay, Result, Scene, Window};

/// The link that a page copies when its person taps "copy link".
async fn copied(person: &Person) -> Result<String> {
    person
        .runs("window.copied = null; navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };")
        .await?;
    person.taps("复制链接").await?;
    for _ in 0..200 {
        if let Value::String(link) = person.runs("return window.copied").await? {
            return Ok(link);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("nothing was copied")
}

/// Enrols a desk with a fresh invite of the demo consortium.
async fn enrols(person: &Person, relay: &Relay, role: &str) -> Result<()> {
    let invites: Value = serde_json::from_str(&relay.get("/v1/demo").await?.text())?;
    let link = invites[role].as_str().unwrap_or_default().to_owned();
    let fragment = link.split_once('#').map(|(_, fragment)| fragment.to_owned()).unwrap_or_default();
    person.goes_to(role, &format!("/enrol#{fragment}")).await
}

/// The hospital issues a sample; the ticket's link.
async fn issues(desk: &Person, sample: &str) -> Result<String> {
    desk.taps(sample).await?;
    desk.sees("核对后签发").await?;
    desk.taps("签发").await?;
    desk.sees("请患者用手机扫码").await?;
    copied(desk).await
}

#[tokio::test]
async fn a_report_becomes_a_record_a_consent_a_read_and_a_proven_log() -> Result<()> {
    Scene::play("story", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        enrols(&desk, &scene.relay, "hospital").await?;
        desk.sees("安澜市人民医院").await?;
        desk.picture("hospital").await?;
        let ticket = issues(&desk, "化验报告").await?;
        desk.picture("hospital-ticket").await?;
        assert!(!ticket.contains("林"), "no name in a code");

        let phone = scene.person("phone", Window::Phone).await?;
        phone.camera().shows(&ticket)?;
        phone.goes_to("patient", "/").await?;
        phone.sees("病历随身，自己做主").await?;
        phone.picture("welcome").await?;
        phone.taps("扫医院的码").await?;
        phone.sees("有一份报告给您").await?;
        phone.taps("收下").await?;
        phone.sees("血脂与肝功能").await?;
        phone.sees("低密度脂蛋白").await?;
        phone.picture("record").await?;
        Ok(())
    })
    .await
}
