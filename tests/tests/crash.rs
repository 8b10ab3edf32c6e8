//! The relay dies by SIGKILL while a doctor opens records: nothing acknowledged is lost, nothing is half done.

use std::time::Duration;

use suishen_tests::{Result, Scene, Window};

#[tokio::test]
async fn a_relay_killed_during_a_redemption_counts_each_read_once() -> Result<()> {
    Scene::play("killed", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.protects().await?;
        doctor.enrols("doctor").await?;
        phone.taps("出示").await?;
        phone.taps("5 次").await?;
        let link = phone.shows_this_visit().await?;
        doctor.accepts(&link).await?;
        phone.consents().await?;
        doctor.sees("打开病历").await?;

        // Killed at five moments of a redemption; each time the doctor simply tries again.
        for moment in [0, 15, 40, 90, 180] {
            doctor.taps("打开病历").await?;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            scene.relay.kill()?;
            scene.relay.resume().await?;
            for _ in 0..100 {
                if doctor.has_before_them("看完了，关闭").await? {
                    break;
                }
                doctor.taps_if_there("打开病历").await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            doctor.sees("低密度脂蛋白").await?;
            doctor.taps("看完了，关闭").await?;
            doctor.taps("林秀兰").await?;
        }
        // Five reads were agreed and five were had: neither more nor fewer.
        doctor.sees("次数用完了").await?;
        phone.taps("谁看过").await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        let reads = phone.screen().await?.matches("看了 1 份").count();
        assert_eq!(reads, 5, "{}", phone.screen().await?);
        scene.relay.stop()?;
        let (code, printed) = scene.relay.command(&["fsck"]).await?;
        assert_eq!(code, 0, "{printed}");
        Ok(())
    })
    .await
}
