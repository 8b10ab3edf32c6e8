//! How long a person waits, in a real browser. It asserts nothing about time: `cargo xtask bench browser` reads what is
//! printed here.

use suishen_tests::{Person, Result, Scene, Window};

const ROUNDS: usize = 7;

/// Writes down, in the page's own time, when the camera's picture appears and when each of these sentences does.
const WATCH: &str = r"
window.moments = {};
const note = (name) => { window.moments[name] ??= performance.now(); };
document.addEventListener('playing', () => note('film'), true);
const sentences = { ticket: '有一份报告给您', report: '医院签发，内容没有改动过' };
new MutationObserver(() => {
    for (const [name, text] of Object.entries(sentences))
        if (document.body.innerText.includes(text)) requestAnimationFrame(() => note(name));
}).observe(document.body, { childList: true, subtree: true, characterData: true });
document.addEventListener('click', () => { window.moments.tap = performance.now(); }, true);
";

/// Milliseconds that the phone took from the first frame with a code to the report, without the time of the finger.
async fn qr_to_report(phone: &Person, ticket: &str) -> Result<f64> {
    phone.camera().shows(ticket)?;
    phone.goes_to("patient", "/").await?;
    phone.sees("扫一扫").await?;
    phone.runs(WATCH).await?;
    phone.taps("扫一扫").await?;
    phone.sees("有一份报告给您").await?;
    phone.taps("收下").await?;
    phone.sees("医院签发，内容没有改动过").await?;
    let waited =
        phone.runs("const m = moments; return (m.ticket - m.film) + (m.report - m.tap)").await?.as_f64();
    waited.ok_or_else(|| anyhow::anyhow!("the page wrote no times down"))
}

#[tokio::test]
#[ignore = "measures: cargo xtask bench browser"]
async fn from_a_code_in_view_to_its_report() -> Result<()> {
    Scene::play("times", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("history/2026-05.json").await?).await?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let ticket = scene.relay.issues("laboratory/report.json").await?;
            times.push(qr_to_report(&phone, &ticket).await?);
        }
        times.sort_by(f64::total_cmp);
        println!(
            r#"{{"qr_to_report_ms": {{"median": {}, "most": {}}}}}"#,
            times[ROUNDS / 2],
            times[ROUNDS - 1]
        );
        Ok(())
    })
    .await
}
