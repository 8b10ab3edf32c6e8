//! README's pictures, one of each role, taken from the story itself. `cargo xtask test --pictures` refreshes them.

use suishen_tests::{PASSPHRASE, Result, Scene, Window};

/// 390 px wide for a phone at two pixels a point, 864 px for a desk.
const PHONE: f64 = 0.5;
const DESK: f64 = 0.6;

#[tokio::test]
#[ignore = "takes README's pictures: cargo xtask test --pictures"]
async fn the_pictures_of_readme() -> Result<()> {
    Scene::play("pictures", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_downloads().await?;
        for month in ["2024-05", "2024-11", "2025-05", "2025-11", "2026-05"] {
            phone.keeps_at("patient", &scene.relay.issues(&format!("history/{month}.json")).await?).await?;
        }
        for sample in ["imaging", "discharge"] {
            phone.keeps_at("patient", &scene.relay.issues(sample).await?).await?;
        }
        let hospital = scene.person("hospital", Window::Desk).await?;
        hospital.enrols("hospital").await?;
        let ticket = hospital.issues("血脂与肝功能").await?;
        hospital.small_picture("hospital", DESK).await?;
        phone.keeps_at("patient", &ticket).await?;
        phone.small_picture("record", PHONE).await?;
        scene.leaves(&hospital).await?;

        phone.turns_to("/protect").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        phone.writes_the_words_down().await?;
        phone.turns_to("/settings").await?;
        phone.taps("存备份文件").await?;
        phone.has_saved(".suishen").await?;
        phone.sees("上次备份").await?;
        phone.turns_to("/").await?;
        phone.sees("没有人看过").await?;
        phone.small_picture("home", PHONE).await?;

        let consent = phone.shows_this_visit().await?;
        phone.small_picture("share", PHONE).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        doctor.accepts(&consent).await?;
        phone.consents().await?;
        doctor.taps("打开病历").await?;
        doctor.sees("这次阅读已记入账本").await?;
        doctor.small_picture("doctor", DESK).await?;
        phone.turns_to("/who").await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        phone.sees("看了 1 份").await?;
        phone.small_picture("log", PHONE).await
    })
    .await
}
