//! A live consultation: the doctor in the room asks, the patient sees the name and decides, the phone itself serves what it gave.

use std::path::Path;

use suishen_tests::{Person, Result, Scene, Window};

/// A protected wallet with one record, and a doctor's desk.
async fn meet(scene: &mut Scene) -> Result<(Person, Person)> {
    let phone = scene.person("phone", Window::Phone).await?;
    let doctor = scene.person("doctor", Window::Desk).await?;
    phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
    phone.sees("低密度脂蛋白").await?;
    phone.protects().await?;
    doctor.enrols("doctor").await?;
    Ok((phone, doctor))
}

/// The doctor scans the code that the phone shows, and asks.
async fn asks(phone: &Person, doctor: &Person) -> Result<()> {
    phone.taps("出示").await?;
    phone.taps("请医生当面问").await?;
    let link = phone.copies_the_link().await?;
    doctor.accepts(&link).await?;
    doctor.sees("向患者要病历").await?;
    doctor.taps("请患者同意").await?;
    doctor.sees("等患者在手机上决定").await?;
    phone.sees("让这位医生看吗？").await?;
    phone.sees("李文").await?;
    phone.sees("安澜市人民医院").await
}

/// How many files there are in a folder and below it.
fn files(folder: &Path) -> std::io::Result<usize> {
    if !folder.exists() {
        return Ok(0);
    }
    std::fs::read_dir(folder)?.try_fold(0, |count, entry| {
        let path = entry?.path();
        Ok(count + if path.is_dir() { files(&path)? } else { 1 })
    })
}

#[tokio::test]
async fn a_doctor_in_the_room_asks_and_reads_from_the_patients_own_phone() -> Result<()> {
    Scene::play("consultation", 2, async |scene| {
        let (phone, doctor) = meet(scene).await?;
        asks(&phone, &doctor).await?;
        phone.sees("最近 12 个月的病历").await?;
        phone.picture("consultation-asked").await?;
        phone.finds_it_accessible().await?;
        phone.taps("同意").await?;
        phone.sees("李文可以看了").await?;
        doctor.sees("打开病历").await?;
        // No relay holds what the doctor is going to read.
        assert_eq!(files(&scene.relay.data().join("blobs"))?, 0);
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.taps("看完了，关闭").await?;

        // The desk is opened again: the same person goes on with the same phone.
        doctor.goes_to("doctor", "/").await?;
        doctor.taps("林秀兰").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.taps("看完了，关闭").await?;

        phone.taps("关闭").await?;
        phone.taps("谁看过").await?;
        phone.sees("李文").await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        assert_eq!(phone.screen().await?.matches("看了 1 份").count(), 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_no_a_doctor_who_hangs_up_and_a_phone_that_is_gone_give_nothing() -> Result<()> {
    Scene::play("consultation-no", 2, async |scene| {
        let (phone, doctor) = meet(scene).await?;
        asks(&phone, &doctor).await?;
        phone.taps("不同意").await?;
        doctor.sees("患者没有同意").await?;
        doctor.taps("请患者同意").await?;
        // The code was for one meeting: who was refused is not heard again.
        doctor.sees("患者没有同意").await?;
        doctor.taps("不问了").await?;

        asks(&phone, &doctor).await?;
        doctor.picture("consultation-waiting").await?;
        doctor.taps("不问了").await?;
        doctor.sees("没有再问，什么也没有给").await?;
        phone.sees("医生那边断开了，可以重新出示").await?;
        phone.taps("关闭").await?;
        phone.sees("给看哪些").await?;

        // Nothing was given, so nothing is shown as given.
        assert!(!phone.screen().await?.contains("现在给出去的"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_relay_that_was_away_for_a_while_costs_the_doctor_nothing() -> Result<()> {
    Scene::play("consultation-relay", 2, async |scene| {
        let (phone, doctor) = meet(scene).await?;
        asks(&phone, &doctor).await?;
        phone.taps("同意").await?;
        phone.sees("李文可以看了").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.taps("看完了，关闭").await?;

        scene.relay.kill()?;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        scene.relay.resume().await?;
        doctor.taps("林秀兰").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await
    })
    .await
}
