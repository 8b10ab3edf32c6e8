//! The main job, end to end, in real browsers: a hospital's QR becomes a record, a consent, a read, and a log that the
//! phone has proven complete.

use suishen_tests::{Result, Scene, Window};

#[tokio::test]
async fn a_report_becomes_a_record_a_consent_a_read_and_a_proven_log() -> Result<()> {
    Scene::play("story", 2, async |scene| {
        let hospital = scene.person("hospital", Window::Desk).await?;
        hospital.enrols("hospital").await?;
        hospital.picture("hospital").await?;
        let ticket = hospital.issues("血脂与肝功能").await?;
        hospital.picture("hospital-ticket").await?;
        assert!(ticket.is_ascii(), "no name in a code: {ticket}");

        let phone = scene.person("phone", Window::Phone).await?;
        phone.goes_to("patient", "/").await?;
        phone.sees("病历随身，自己做主").await?;
        phone.picture("welcome").await?;
        phone.keeps_first(&ticket).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.picture("record").await?;
        hospital.sees("已领取").await?;
        scene.leaves(&hospital).await?;

        phone.protects().await?;
        phone.picture("home").await?;
        let consent = phone.shows_this_visit().await?;
        phone.picture("share").await?;

        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        doctor.accepts(&consent).await?;
        doctor.sees("等患者点“同意”").await?;
        phone.sees("让这位医生看吗？").await?;
        phone.picture("consent").await?;
        phone.taps("同意").await?;
        phone.sees("已经同意，可以看了").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.sees("这次阅读已记入账本").await?;
        doctor.picture("doctor").await?;

        phone.taps("关闭").await?;
        phone.taps("谁看过").await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        phone.sees("看了 1 份").await?;
        phone.picture("log").await?;
        Ok(())
    })
    .await
}
