//! The auditor's desk: counts what anybody may count, and with the quarter's key says who read, once the look is on the
//! ledger.

use suishen_tests::{Result, Scene, Window};

#[tokio::test]
async fn the_auditor_chooses_keys_says_why_and_reads_who_read() -> Result<()> {
    Scene::play("audit", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.protects().await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("doctor").await?;
        let link = phone.shows_this_visit().await?;
        desk.accepts(&link).await?;
        phone.consents().await?;
        desk.taps("打开病历").await?;
        desk.sees("低密度脂蛋白").await?;

        // Without keys: counted, nobody named.
        desk.goes_to("auditor", "/").await?;
        desk.sees("审计密钥").await?;
        desk.taps("开始核对").await?;
        desk.sees("每个签名、每次变化和两个根都对得上").await?;
        desk.sees("能核对的部分没有发现").await?;
        desk.sees("按小时的读取次数").await?;
        assert!(!desk.has_before_them("李文").await?);

        // What is no key, and the quarter's without the one that signs.
        let folder = scene.relay.data().join("keys/auditor");
        desk.gives_file("input[type=file]", &scene.relay.data().join("genesis.cbor")).await?;
        desk.sees("这不是审计方的密钥文件").await?;
        desk.gives_file("input[type=file]", &folder.join("box.pem")).await?;
        desk.sees("已有季度密钥 1 把").await?;
        desk.types("为什么查看", "季度例行审计").await?;
        desk.taps("开始核对").await?;
        desk.sees("缺审计方现行的签名密钥").await?;
        desk.gives_file("input[type=file]", &folder.join("audit.pem")).await?;
        desk.taps("开始核对").await?;
        desk.sees("李文").await?;
        desk.sees("没有发现").await?;
        desk.picture("audit").await?;
        desk.finds_it_accessible().await?;

        // The look stands on the ledger for everybody.
        let (code, printed) = scene.relay.command(&["audit"]).await?;
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains("1 log-audit"), "{printed}");
        desk.taps("忘掉密钥").await?;
        desk.sees("没有密钥时只统计机构").await?;
        Ok(())
    })
    .await
}
