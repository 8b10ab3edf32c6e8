//! Several devices of one wallet: added by a code and six digits, kept the same through the mailbox, found again by the
//! words alone, removed.

use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use suishen_core::sm::Random as _;
use suishen_tests::{
    FurtherMailbox, HANG, PASSPHRASE, Person, Relay, Repeatable, Result, Scene, Window, copy_folder,
};

/// The six digits on a device's screen.
async fn digits(person: &Person) -> Result<String> {
    person.finds(".digits").await?;
    let shown = person.runs("return document.querySelector('.digits [aria-hidden]').textContent").await?;
    Ok(shown.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect())
}

/// A phone with a first report, locked by a passphrase.
async fn phone_with_a_report(scene: &mut Scene) -> Result<Person> {
    let phone = scene.person("phone", Window::Phone).await?;
    phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
    phone.protects().await?;
    Ok(phone)
}

/// The old device shows its code: the link.
async fn invites(phone: &Person) -> Result<String> {
    phone.goes_to("patient", "/devices").await?;
    phone.unlocks().await?;
    phone.taps("添加设备").await?;
    phone.taps("出示二维码").await?;
    phone.sees("请用新设备扫这个码").await?;
    phone.copies_the_link().await
}

/// The new device opens the code's link and gives its name.
async fn asks_to_join(tablet: &Person, link: &str) -> Result<()> {
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    tablet.goes_to("patient", &format!("/p#{fragment}")).await?;
    tablet.sees("把病历带到这部设备").await?;
    tablet.taps("加入").await?;
    tablet.sees("请看旧手机").await
}

/// The old phone scans the code of a new device, which asks.
async fn scans(phone: &Person, link: &str) -> Result<()> {
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    phone.goes_to("patient", &format!("/n#{fragment}")).await?;
    phone.unlocks().await?;
    phone.taps("连上它").await?;
    phone.sees("两部设备上的数字一样吗").await
}

/// A tablet joins, and is locked by a passphrase of its own.
async fn joins(scene: &mut Scene, phone: &Person) -> Result<Person> {
    let link = invites(phone).await?;
    let tablet = scene.person("tablet", Window::Phone).await?;
    asks_to_join(&tablet, &link).await?;
    phone.sees("两部设备上的数字一样吗").await?;
    assert_eq!(digits(phone).await?, digits(&tablet).await?);
    phone.picture("device-digits").await?;
    tablet.picture("device-joining").await?;
    phone.taps("一样，添加").await?;
    phone.sees("已添加").await?;
    phone.taps("关闭").await?;
    tablet.taps("血脂与肝功能").await?;
    tablet.sees("低密度脂蛋白").await?;
    tablet.sees("医院签发，内容没有改动过").await?;
    tablet.goes_to("patient", "/protect").await?;
    tablet.types("设一个密码", PASSPHRASE).await?;
    tablet.taps("用这个密码").await?;
    tablet.sees("钱包上锁了").await?;
    Ok(tablet)
}

/// Keeps another report in a locked wallet.
async fn keeps_another(phone: &Person, ticket: &str) -> Result<()> {
    let (_, fragment) = ticket.split_once('#').unwrap_or_default();
    phone.goes_to("patient", &format!("/t#{fragment}")).await?;
    phone.unlocks().await?;
    phone.taps("收下").await?;
    phone.sees("医院签发，内容没有改动过").await
}

#[tokio::test]
async fn the_old_phone_scans_a_device_that_shows_its_own_code_and_both_ask_whether_the_digits_are_the_same()
-> Result<()> {
    Scene::play("devices-scanned", 2, async |scene| {
        let phone = phone_with_a_report(scene).await?;
        let computer = scene.person("computer", Window::Desk).await?;
        computer.goes_to("patient", "/").await?;
        computer.taps("我已经有钱包").await?;
        computer.taps("出示码给旧手机扫").await?;
        computer.taps("出示二维码").await?;
        let link = computer.copies_the_link().await?;
        computer.picture("device-shows").await?;

        scans(&phone, &link).await?;
        computer.sees("就在两边都点").await?;
        assert_eq!(digits(&phone).await?, digits(&computer).await?);
        computer.picture("device-compares").await?;
        computer.finds_it_accessible().await?;
        computer.taps("不一样").await?;
        computer.sees("另一部设备没有同意").await?;
        phone.sees("另一部设备没有同意").await?;

        computer.taps("再试一次").await?;
        scans(&phone, &computer.copies_the_link().await?).await?;
        phone.taps("一样，添加").await?;
        computer.sees("就在两边都点").await?;
        computer.taps("一样").await?;
        phone.sees("已添加").await?;
        computer.sees("1 份").await
    })
    .await
}

#[tokio::test]
async fn a_second_device_is_added_by_a_code_and_stays_the_same_also_while_the_other_is_off() -> Result<()> {
    Scene::play("devices", 2, async |scene| {
        let phone = phone_with_a_report(scene).await?;
        let tablet = joins(scene, &phone).await?;
        keeps_another(&phone, &scene.relay.issues("imaging/report.json").await?).await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.sees("起一样").await?;
        phone.picture("devices").await?;
        // The phone is off when the tablet comes back.
        phone.goes_to("", "/").await?;
        tablet.goes_to("patient", "/").await?;
        tablet.unlocks().await?;
        tablet.sees("2 份").await?;
        tablet.picture("device-same").await
    })
    .await
}

/// From the list and back to it, without a network for the pages.
async fn tags_the_report(phone: &Person, tag: &str) -> Result<()> {
    phone.taps("血脂与肝功能").await?;
    phone.taps("更多").await?;
    phone.types("加一个标签", tag).await?;
    phone.taps("加上").await?;
    phone.finds(&format!("dialog .chip[aria-label*='{tag}']")).await?;
    phone.taps("关闭").await?;
    phone.taps("返回").await?;
    phone.sees(tag).await
}

#[tokio::test]
async fn when_the_relay_is_gone_devices_meet_at_the_further_mailbox_that_it_named() -> Result<()> {
    Scene::play("devices-further", 2, async |scene| {
        let further = scene.relay.names_a_further_mailbox().await?;
        let phone = phone_with_a_report(scene).await?;
        let tablet = joins(scene, &phone).await?;
        for person in [&phone, &tablet] {
            person.goes_to("patient", "/settings").await?;
            person.unlocks().await?;
            let own = scene.relay.port();
            person.sees(&format!("和信箱 {}、信箱 patient.localhost:{own}一样", further.host())).await?;
            person.taps("返回").await?;
            person.sees("1 份").await?;
        }
        scene.relay.stop()?;
        tags_the_report(&phone, "体检").await?;
        tablet.sees("体检").await?;
        tablet.taps("设置").await?;
        tablet.sees(&format!("和信箱 {}一样", further.host())).await?;
        tablet.sees("连不上信箱 patient.localhost").await?;
        tablet.picture("device-further").await?;
        tablet.taps("返回").await?;

        // With none of them changes wait, and nothing is lost.
        let host = further.host();
        ensure!(further.stop()?.success(), "the mailbox ends in good order");
        tags_the_report(&phone, "空腹").await?;
        phone.taps("设置").await?;
        phone.sees("1 处改动还只在这部手机里").await?;
        phone.picture("device-alone").await?;
        assert!(!tablet.has_before_them("空腹").await?);
        scene.relay.resume().await?;
        tablet.sees("空腹").await?;
        phone.sees_no_more("还只在这部手机里").await?;
        phone.sees(&format!("连不上信箱 {host}")).await
    })
    .await
}

#[tokio::test]
async fn who_says_no_to_the_digits_gives_nothing_away() -> Result<()> {
    Scene::play("devices-refused", 2, async |scene| {
        let phone = phone_with_a_report(scene).await?;
        let link = invites(&phone).await?;
        let tablet = scene.person("tablet", Window::Phone).await?;
        asks_to_join(&tablet, &link).await?;
        phone.taps("不一样").await?;
        tablet.sees("另一部设备没有同意，或者断开了").await?;
        // The code is worth nothing any more.
        tablet.goes_to("patient", "/").await?;
        tablet.sees("扫医院的码").await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.sees("这一部").await?;
        assert!(!phone.has_before_them("已移出的").await?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_removed_device_learns_nothing_new_and_its_shares_are_taken_back() -> Result<()> {
    Scene::play("devices-removed", 2, async |scene| {
        let phone = phone_with_a_report(scene).await?;
        let tablet = joins(scene, &phone).await?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.shows_this_visit().await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.taps_at("main button.entry").await?;
        phone.taps("移出").await?;
        phone.sees("已移出").await?;
        phone.taps("全部收回").await?;
        phone.sees("没有要收回的出示").await?;
        phone.picture("device-removed").await?;
        keeps_another(&phone, &scene.relay.issues("imaging/report.json").await?).await?;
        tablet.goes_to("patient", "/").await?;
        tablet.unlocks().await?;
        tablet.sees("这部设备已被移出钱包").await?;
        tablet.sees("1 份").await?;
        tablet.picture("device-is-out").await
    })
    .await
}

#[tokio::test]
async fn with_every_device_lost_the_words_alone_bring_everything_back() -> Result<()> {
    Scene::play("devices-lost", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.goes_to("patient", "/protect").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        let words = phone.reads_the_words().await?;
        assert_eq!(words.len(), 24);
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.sees("起一样").await?;

        // Another browser, which has never seen this wallet.
        phone.goes_to("patient2", "/restore").await?;
        phone.types("24 个词", &words.join(" ")).await?;
        phone.taps("找回").await?;
        phone.sees("给钱包上锁").await?;
        phone.taps("返回").await?;
        phone.taps("血脂与肝功能").await?;
        phone.sees("低密度脂蛋白").await?;
        phone.sees("医院签发，内容没有改动过").await
    })
    .await
}

/// A patient with a further mailbox keeps a report whose attachment has several sections; both mailboxes have it, and the
/// phone is lost. The words, and how many contents there are.
async fn loses_the_phone(scene: &mut Scene, further: &FurtherMailbox) -> Result<(String, u64)> {
    let folder = tempfile::tempdir()?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/laboratory/report.json");
    std::fs::copy(sample, folder.path().join("report.json"))?;
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(6 << 20, 0);
    Repeatable(7).fill(&mut bytes[9..]);
    std::fs::write(folder.path().join("report.pdf"), bytes)?;
    let phone = scene.person("phone", Window::Phone).await?;
    phone.keeps_at("patient", &scene.relay.issues_from(folder.path()).await?).await?;
    phone.goes_to("patient", "/protect").await?;
    phone.types("设一个密码", PASSPHRASE).await?;
    phone.taps("用这个密码").await?;
    let words = phone.reads_the_words().await?;
    phone.goes_to("patient", "/settings").await?;
    phone.unlocks().await?;
    let own = scene.relay.port();
    phone.sees(&format!("和信箱 {}、信箱 patient.localhost:{own}一样", further.host())).await?;
    let blobs = phone.stored("blobs").await?;
    scene.leaves(&phone).await?;
    Ok((words.join(" "), blobs))
}

/// Restores the wallet by its words, and locks it.
async fn comes_back(scene: &mut Scene, words: &str) -> Result<Person> {
    let tablet = scene.person("tablet", Window::Phone).await?;
    tablet.goes_to("patient", "/restore").await?;
    tablet.types("24 个词", words).await?;
    tablet.taps("找回").await?;
    tablet.types("设一个密码", PASSPHRASE).await?;
    tablet.taps("用这个密码").await?;
    tablet.sees("钱包上锁了").await?;
    Ok(tablet)
}

/// The largest file in a folder and those in it: a mailbox's copy of the attachment.
fn largest(folder: &Path) -> Result<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_none() {
                files.push((entry.metadata()?.len(), entry.path()));
            }
        }
    }
    Ok(files.into_iter().max().context("no file")?.1)
}

#[tokio::test]
async fn an_attachment_of_which_no_mailbox_has_a_whole_copy_is_gathered_from_both() -> Result<()> {
    Scene::play("devices-sections", 1, async |scene| {
        let further = scene.relay.names_a_further_mailbox().await?;
        let (words, blobs) = loses_the_phone(scene, &further).await?;
        // A disk fails under each of them, in another place.
        for (data, place) in [(scene.relay.data().as_path(), 100), (further.data(), 4 << 20)] {
            let copy = largest(&data.join("mailbox"))?;
            let mut bytes = std::fs::read(&copy)?;
            ensure!(bytes.len() > 6 << 20, "{} is not the attachment", copy.display());
            bytes[place] ^= 1;
            std::fs::write(copy, bytes)?;
        }
        let tablet = comes_back(scene, &words).await?;
        tablet.goes_to("patient", "/").await?;
        tablet.unlocks().await?;
        tablet.taps("血脂与肝功能").await?;
        tablet.sees("医院签发，内容没有改动过").await?;
        let start = std::time::Instant::now();
        while tablet.stored("blobs").await? < blobs {
            ensure!(start.elapsed() < HANG, "the attachment does not come");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        tablet.goes_to("patient", "/settings").await?;
        tablet.unlocks().await?;
        let own = scene.relay.port();
        tablet.sees(&format!("和信箱 {}、信箱 patient.localhost:{own}一样", further.host())).await
    })
    .await
}

#[tokio::test]
async fn the_words_bring_the_wallet_back_from_a_further_mailbox_when_the_relay_has_lost_its_own() -> Result<()>
{
    Scene::play("devices-further-words", 1, async |scene| {
        let further = scene.relay.names_a_further_mailbox().await?;
        let (words, _) = loses_the_phone(scene, &further).await?;
        scene.relay.stop()?;
        std::fs::remove_dir_all(scene.relay.data().join("mailbox"))?;
        scene.relay.resume().await?;
        let tablet = comes_back(scene, &words).await?;
        tablet.goes_to("patient", "/settings").await?;
        tablet.unlocks().await?;
        let own = scene.relay.port();
        tablet.sees(&format!("和信箱 {}、信箱 patient.localhost:{own}一样", further.host())).await?;
        tablet.taps("返回").await?;
        tablet.taps("血脂与肝功能").await?;
        tablet.sees("医院签发，内容没有改动过").await
    })
    .await
}

/// Waits until an entry of this kind stands on the ledger.
async fn stands(relay: &Relay, kind: &str) -> Result<()> {
    let start = std::time::Instant::now();
    loop {
        let (_, told) = relay.command(&["audit"]).await?;
        if told.contains(kind) {
            return Ok(());
        }
        ensure!(start.elapsed() < 2 * HANG, "no {kind} stands on the ledger:\n{told}");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn malicious_relay_that_serves_an_old_mailbox_raises_the_alarm_on_a_restored_device() -> Result<()> {
    Scene::play("devices-kept-back", 2, async |scene| {
        let phone = phone_with_a_report(scene).await?;
        phone.goes_to("patient", "/recovery").await?;
        phone.unlocks().await?;
        let words = phone.reads_the_words().await?;
        let tablet = joins(scene, &phone).await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.sees("起一样").await?;
        scene.relay.stop()?;
        let (mailbox, old) = (scene.relay.data().join("mailbox"), tempfile::tempdir()?);
        copy_folder(&mailbox, old.path(), |_| true)?;
        scene.relay.resume().await?;

        // The tablet is lost and put out; then the relay puts its old copy in place.
        tablet.goes_to("", "/").await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.taps_at("main button.entry").await?;
        phone.taps("移出").await?;
        phone.sees("已移出").await?;
        stands(&scene.relay, "move-holder").await?;
        phone.goes_to("", "/").await?;
        phone.sees("一份病历的来龙去脉").await?;
        scene.relay.stop()?;
        std::fs::remove_dir_all(&mailbox)?;
        copy_folder(old.path(), &mailbox, |_| true)?;
        scene.relay.resume().await?;

        // Another browser with the words gets that old copy, in which the tablet still belongs.
        tablet.goes_to("patient2", "/restore").await?;
        tablet.types("24 个词", &words.join(" ")).await?;
        tablet.taps("找回").await?;
        tablet.types("设一个密码", PASSPHRASE).await?;
        tablet.taps("用这个密码").await?;
        tablet.sees("钱包上锁了").await?;
        tablet.goes_to("patient2", "/").await?;
        tablet.unlocks().await?;
        tablet.sees("信箱给的是旧的一份").await?;
        tablet.picture("device-kept-back").await?;

        // A device that knows better comes back, and the alarm ends.
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        phone.sees("起一样").await?;
        tablet.sees_no_more("信箱给的是旧的一份").await
    })
    .await
}
