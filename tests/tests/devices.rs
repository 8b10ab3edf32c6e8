//! Several devices of one wallet: added by a code and six digits, kept the same through the mailbox, found again by the
//! words alone, removed.

use suishen_tests::{PASSPHRASE, Person, Result, Scene, Window};

/// The six digits on a device's screen.
async fn digits(person: &Person) -> Result<String> {
    person.finds(".digits").await?;
    let shown = person.runs("return document.querySelector('.digits [aria-hidden]').textContent").await?;
    Ok(shown.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect())
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
async fn asks_to_join(tablet: &Person, wallet: &str, link: &str) -> Result<()> {
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    tablet.goes_to(wallet, &format!("/p#{fragment}")).await?;
    tablet.sees("把病历带到这部设备").await?;
    tablet.taps("加入").await
}

#[tokio::test]
async fn a_second_device_is_added_by_a_code_and_stays_the_same() -> Result<()> {
    Scene::play("devices", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.protects().await?;
        let link = invites(&phone).await?;
        phone.picture("device-code").await?;

        let tablet = scene.person("tablet", Window::Phone).await?;
        asks_to_join(&tablet, "patient", &link).await?;
        tablet.sees("请看旧手机").await?;
        phone.sees("两部设备上的数字一样吗").await?;
        assert_eq!(digits(&phone).await?, digits(&tablet).await?);
        phone.picture("device-digits").await?;
        tablet.picture("device-joining").await?;
        phone.taps("一样，添加").await?;
        phone.sees("已添加").await?;
        tablet.taps("血脂与肝功能").await?;
        tablet.sees("低密度脂蛋白").await?;
        tablet.sees("医院签发，内容没有改动过").await?;

        // A report that the phone keeps appears on the tablet, through the mailbox.
        tablet.goes_to("patient", "/protect").await?;
        tablet.types("设一个密码", PASSPHRASE).await?;
        tablet.taps("用这个密码").await?;
        tablet.sees("钱包上锁了").await?;
        phone.taps("关闭").await?;
        let ticket = scene.relay.issues("imaging/report.json").await?;
        phone.goes_to("patient", &format!("/t#{}", ticket.split_once('#').unwrap_or_default().1)).await?;
        phone.unlocks().await?;
        phone.taps("收下").await?;
        phone.sees("医院签发，内容没有改动过").await?;
        tablet.goes_to("patient", "/").await?;
        tablet.unlocks().await?;
        tablet.sees("2 份").await?;
        tablet.picture("device-same").await
    })
    .await
}
