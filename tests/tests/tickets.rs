//! A hospital's ticket: kept once, by one wallet, in its time. Every refusal says why, and nothing is lost.

use suishen_tests::{Person, Result, Scene, Window};

/// A wallet of the second patient looks at a ticket.
async fn scans_elsewhere(phone: &Person, ticket: &str) -> Result<()> {
    let (_, rest) = ticket.split_once("://").unwrap_or_default();
    let (_, path) = rest.split_once('/').unwrap_or_default();
    phone.goes_to("patient2", "/").await?;
    phone.goes_to("patient2", &format!("/{path}")).await
}

#[tokio::test]
async fn a_ticket_is_kept_once_and_a_cancelled_or_expired_one_never() -> Result<()> {
    Scene::play("tickets", 2, async |scene| {
        let hospital = scene.person("hospital", Window::Desk).await?;
        let phone = scene.person("phone", Window::SmallPhone).await?;
        hospital.enrols(&scene.relay, "hospital").await?;
        let used = hospital.issues("血脂与肝功能").await?;
        phone.keeps_first(&used).await?;
        phone.sees("低密度脂蛋白").await?;

        // A second wallet presents the same ticket.
        scans_elsewhere(&phone, &used).await?;
        phone.sees("这个码已经被领走了。不是您领的，请窗口作废后重发。").await?;
        phone.picture("ticket-used").await?;

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
