//! A consent: for one reader, in its time, as often as agreed, until taken back. Every refusal says why on the screen of
//! whoever is refused.

use suishen_tests::{Person, Result, Scene, Window};

/// A protected wallet with one record.
async fn has_a_record(phone: &Person, scene: &Scene) -> Result<()> {
    phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
    phone.sees("低密度脂蛋白").await?;
    phone.protects().await
}

#[tokio::test]
async fn a_grant_ends_when_its_reads_are_used_when_it_is_taken_back_and_when_its_time_is_over() -> Result<()>
{
    Scene::play("grant-ends", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        has_a_record(&phone, scene).await?;
        doctor.enrols("doctor").await?;

        // Two reads are agreed, two are had, a third is not.
        let link = phone.shows_this_visit().await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        for _ in 0..2 {
            doctor.taps("打开病历").await?;
            doctor.sees("低密度脂蛋白").await?;
            doctor.taps("看完了，关闭").await?;
            doctor.taps("林秀兰").await?;
        }
        doctor.sees("次数用完了").await?;
        doctor.picture("doctor-exhausted").await?;

        // Not yet agreed: the doctor waits, and the patient says no.
        let link = phone.shows_this_visit().await?;
        doctor.accepts(&link).await?;
        doctor.sees("等患者点“同意”").await?;
        phone.sees("让这位医生看吗？").await?;
        phone.taps("不同意").await?;
        doctor.sees("患者收回了").await?;

        // Agreed, read once, taken back.
        let link = phone.shows_this_visit().await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.taps("看完了，关闭").await?;
        phone.taps("谁看过").await?;
        phone.taps("不给看了").await?;
        phone.sees("以前看过的，已经看过了").await?;
        phone.picture("revoke").await?;
        phone.taps("不给看了").await?;
        doctor.taps("林秀兰").await?;
        doctor.sees("患者收回了").await?;

        // A day later the time is over.
        let link = phone.shows_this_visit().await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        doctor.sees("打开病历").await?;
        scene.relay.lets_pass("25h").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("时间到了").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_code_is_for_the_first_who_scans_and_for_half_an_hour() -> Result<()> {
    Scene::play("first-come", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let desk = scene.person("desk", Window::Desk).await?;
        has_a_record(&phone, scene).await?;
        desk.enrols("doctor2").await?;
        desk.enrols("doctor").await?;

        let link = phone.shows_this_visit().await?;
        desk.accepts(&link).await?;
        phone.consents().await?;
        desk.goes_to("doctor2", "/").await?;
        desk.accepts(&link).await?;
        desk.sees("别人先扫了这个码").await?;
        desk.picture("doctor-second").await?;

        let late = phone.shows_this_visit().await?;
        scene.relay.lets_pass("31m").await?;
        desk.accepts(&late).await?;
        desk.sees("扫码的时间过了，请患者重新出示").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_the_phone_a_code_can_be_read_at_once_for_five_minutes() -> Result<()> {
    Scene::play("without-phone", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        has_a_record(&phone, scene).await?;
        doctor.enrols("doctor").await?;
        phone.taps("出示").await?;
        phone.taps("我的手机到时没有网络").await?;
        let link = phone.shows_this_visit().await?;
        phone.sees("不用您再点同意，只有 5 分钟").await?;
        phone.picture("share-offline").await?;
        // The phone is gone: nobody is asked.
        phone.goes_to("", "/").await?;
        doctor.accepts(&link).await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        Ok(())
    })
    .await
}
