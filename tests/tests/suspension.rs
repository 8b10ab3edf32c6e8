//! An organisation is suspended: what it did before stays good and says so, and it does nothing more.

use suishen_tests::{Result, Scene, Window};

/// The demo consortium's hospital, where its first doctor works too.
const HOSPITAL: &str = "12520100ANLAN00018";

#[tokio::test]
async fn what_a_suspended_hospital_issued_before_stays_and_it_issues_and_reads_nothing_more() -> Result<()> {
    Scene::play("suspension", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("doctor").await?;
        desk.enrols("hospital").await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.protects().await?;
        let consent = phone.shows_this_visit().await?;
        desk.goes_to("doctor", "/").await?;
        desk.accepts(&consent).await?;
        phone.consents().await?;
        desk.sees("打开病历").await?;

        let arguments = ["suspend", "--party", HOSPITAL, "--why", "执业许可被撤销", "--log", "error"];
        let (ended, printed) = scene.relay.command(&arguments).await?;
        assert_eq!(ended, 0, "{printed}");

        // The doctor works there too: the yes is there, the keys are not.
        desk.taps("打开病历").await?;
        desk.sees("该机构已被暂停").await?;
        desk.goes_to("hospital", "/").await?;
        desk.taps("出院小结").await?;
        desk.sees("核对后签发").await?;
        desk.taps("签发").await?;
        desk.sees("该机构已被暂停").await?;
        desk.picture("suspended").await?;

        phone.taps("病历").await?;
        phone.taps("血脂与肝功能").await?;
        phone.sees("签发的医院已被暂停。暂停以前签发的，仍然有效。").await?;
        phone.picture("record-suspended").await
    })
    .await
}
