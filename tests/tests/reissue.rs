//! A hospital's desk that would give one invoice two numbers, or a void number to another invoice: told why not, and
//! nothing is issued.

use suishen_tests::{Person, Result, Scene, Window, sample};

/// Puts a file in place of a sample, as an information system would give it.
async fn prepares(desk: &Person, scene: &Scene, number: &str) -> Result<()> {
    let file = scene.relay.data().join("invoice.json");
    std::fs::write(&file, sample("invoice/report.json", &[("0038217745", number)])?)?;
    desk.sees("把报告拖到这里").await?;
    desk.gives_file("input[type=file]", &file).await?;
    desk.sees("核对后签发").await
}

#[tokio::test]
async fn a_hospitals_desk_renumbers_no_invoice_by_a_correction_and_issues_no_void_number_again() -> Result<()>
{
    Scene::play("reissue", 1, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("hospital").await?;
        desk.issues("住院收费票据").await?;

        // A correction under another number would be settled beside the first.
        desk.goes_to("hospital", "/history").await?;
        desk.taps("更正").await?;
        desk.taps("内容有误").await?;
        prepares(&desk, scene, "0038217799").await?;
        desk.taps("签发").await?;
        desk.sees("票据号不一样，这不是同一张票据。先把原来的冲红或换开，再签发新的").await?;
        desk.picture("correct-renumbered").await?;
        desk.finds_it_accessible().await?;
        assert!(!desk.has_before_them("请患者用手机扫码").await?, "nothing is issued");

        // Void is void for good, whoever types the number again.
        desk.goes_to("hospital", "/history").await?;
        desk.taps("冲红或换开").await?;
        desk.taps("冲红：票据作废").await?;
        desk.types("给监管方的说明（必填）", "重复开票").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("已冲红").await?;
        desk.goes_to("hospital", "/").await?;
        desk.taps("住院收费票据").await?;
        desk.sees("核对后签发").await?;
        desk.taps("签发").await?;
        desk.sees("这个票据号已经冲红或换开，不能再签发成可以理赔的票据").await?;
        desk.picture("issue-void").await?;
        desk.finds_it_accessible().await?;
        assert!(!desk.has_before_them("请患者用手机扫码").await?, "nothing is issued");

        // Under a number of its own it goes out.
        desk.goes_to("hospital", "/").await?;
        prepares(&desk, scene, "0038217799").await?;
        desk.taps("签发").await?;
        desk.sees("请患者用手机扫码").await
    })
    .await
}
