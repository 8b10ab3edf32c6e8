//! A hospital's ticket: kept once, by one wallet, in its time. Every refusal says why, and nothing is lost.

use suishen_tests::{Person, Result, Scene, Window};

/// A wallet of the second patient looks at a ticket.
async fn scans_elsewhere(phone: &Person, ticket: &str) -> Result<()> {
    phone.goes_to("patient2", "/").await?;
    phone.goes_to("patient2", &format!("/t#{}", ticket.split_once('#').unwrap_or_default().1)).await
}

#[tokio::test]
async fn a_ticket_is_kept_once_and_a_cancelled_or_expired_one_never() -> Result<()> {
    Scene::play("tickets", 2, async |scene| {
        let hospital = scene.person("hospital", Window::Desk).await?;
        let phone = scene.person("phone", Window::SmallPhone).await?;
        hospital.enrols("hospital").await?;
        let used = hospital.issues("血脂与肝功能").await?;
        phone.keeps_first(&used).await?;
        phone.sees("低密度脂蛋白").await?;

        // A second wallet presents the same ticket.
        scans_elsewhere(&phone, &used).await?;
        phone.sees("这个码已经被领走了。不是您领的，请窗口作废后重发。").await?;
        phone.picture("ticket-used").await?;

        // A link whose end was lost on the way.
        let torn = &used[..used.find('#').unwrap_or_default() + 12];
        phone.camera().shows_nothing()?;
        phone.goes_to("patient", "/scan").await?;
        phone.types("粘贴链接", torn).await?;
        phone.taps("打开").await?;
        phone.sees("这个码不完整，请再扫一次").await?;

        // The desk cancels one before anybody came.
        hospital.taps("签发下一份").await?;
        let cancelled = hospital.issues("出院小结").await?;
        hospital.taps("作废这个码").await?;
        hospital.sees("已作废").await?;
        scans_elsewhere(&phone, &cancelled).await?;
        phone.sees("窗口已经作废这个码，请要一个新的").await?;

        // One that nobody fetched in time.
        hospital.taps("签发下一份").await?;
        let expired = hospital.issues("膝关节 X 线片").await?;
        scene.relay.lets_pass("8d").await?;
        scans_elsewhere(&phone, &expired).await?;
        phone.sees("领取单过期了，请窗口重发").await?;
        phone.picture("ticket-expired").await?;
        hospital.goes_to("hospital", "/history").await?;
        hospital.sees("过期，没有人领").await?;
        hospital.picture("hospital-issued").await?;

        // The first wallet has what it had.
        phone.goes_to("patient", "/").await?;
        phone.sees("血脂与肝功能").await?;
        Ok(())
    })
    .await
}

/// The hospital corrects the newest report in its list by this sample: the new ticket's link.
async fn corrects(hospital: &Person, sample: &str) -> Result<String> {
    hospital.turns_to("/history").await?;
    hospital.taps("更正").await?;
    hospital.sees(&format!("更正“{sample}”")).await?;
    hospital.taps("补充内容").await?;
    hospital.issues(sample).await
}

#[tokio::test]
async fn a_corrected_report_takes_the_old_ones_place_and_both_say_so() -> Result<()> {
    Scene::play("corrected", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        let phone = scene.person("phone", Window::Phone).await?;
        desk.enrols("hospital").await?;
        phone.keeps_at("patient", &desk.issues("血脂与肝功能").await?).await?;
        let newer = corrects(&desk, "血脂与肝功能").await?;
        phone.keeps_at("patient", &newer).await?;
        phone.taps("返回").await?;
        phone.sees("2 份").await?;
        phone.picture("corrected").await?;
        phone.taps("已更正").await?;
        phone.sees("医院已经出了更正的新版本").await?;

        // A ticket that nobody has kept becomes void by it.
        desk.taps("签发下一份").await?;
        let waiting = desk.issues("出院小结").await?;
        corrects(&desk, "出院小结").await?;
        desk.turns_to("/history").await?;
        desk.sees("已由新版本更正").await?;
        desk.picture("hospital-corrected").await?;
        scans_elsewhere(&phone, &waiting).await?;
        phone.sees("窗口已经作废这个码，请要一个新的").await?;

        // Shown by the visit, the old one is left out; shown by hand, the doctor is told.
        phone.protects().await?;
        phone.taps("出示").await?;
        phone.taps("这次就诊").await?;
        phone.taps_at("main fieldset input:not(:checked)").await?;
        let consent = phone.shows_what_is_chosen().await?;
        desk.enrols("doctor").await?;
        desk.accepts(&consent).await?;
        phone.consents().await?;
        desk.taps("打开病历").await?;
        desk.sees("这次阅读已记入账本").await?;
        let mut told = 0;
        for tab in ["#tab-0", "#tab-1"] {
            desk.taps_at(tab).await?;
            told += u32::from(desk.has_before_them("医院已经出了更正的新版本").await?);
        }
        assert_eq!(told, 1, "one of the two is the old version");
        Ok(())
    })
    .await
}
