//! A ledger that shows itself otherwise than before: every phone and desk that remembers it raises the alarm.

use suishen_tests::{Person, Result, Scene, Window, copy_folder};

async fn looks_who_read(phone: &Person) -> Result<()> {
    phone.goes_to("patient", "/who").await
}

#[tokio::test]
async fn malicious_relay_that_sets_the_ledger_back_or_leads_it_another_way_raises_the_alarm() -> Result<()> {
    Scene::play("alarms", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        scene.relay.stop()?;
        let (data, old) = (scene.relay.data(), tempfile::tempdir()?);
        copy_folder(&data, old.path(), |_| true)?;
        scene.relay.resume().await?;
        phone.keeps(&scene.relay.issues("discharge").await?).await?;
        phone.sees("出院").await?;
        looks_who_read(&phone).await?;
        phone.sees("账本上的都在这里，一次不少").await?;

        // The operator puts an older copy in its place: entries that this phone has seen are gone.
        scene.relay.stop()?;
        std::fs::remove_dir_all(&data)?;
        copy_folder(old.path(), &data, |_| true)?;
        scene.relay.resume().await?;
        looks_who_read(&phone).await?;
        phone.sees("账本和上次对不上").await?;
        phone.picture("alarm-rewound").await?;

        // It goes on from there with other entries, past what the phone has seen.
        for _ in 0..4 {
            scene.relay.issues("imaging").await?;
        }
        looks_who_read(&phone).await?;
        phone.sees("账本和上次对不上").await?;
        phone.goes_to("patient", "/").await?;
        phone.sees("账本对不上").await?;
        phone.sees("血脂与肝功能").await?;
        phone.picture("alarm-forked").await
    })
    .await
}
