//! The auditor's desk: counts what anybody may count, and with the quarter's key says who read, once the look is on the
//! ledger.

use std::path::Path;
use suishen_tests::{Result, Scene, Window};

/// Unpacks a saved report beside it.
fn unpacked(zip: &Path) -> Result<std::path::PathBuf> {
    let folder = zip.with_extension("");
    zip::ZipArchive::new(std::fs::File::open(zip)?)?.extract(&folder)?;
    Ok(folder)
}

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

        // Without keys: counted, nobody named, nothing signed.
        desk.keeps_downloads().await?;
        desk.goes_to("auditor", "/").await?;
        desk.sees("没有密钥时只统计机构").await?;
        desk.taps("统计").await?;
        desk.sees("先把账本从第 0 条起核对一遍").await?;
        desk.taps("谁看了什么").await?;
        desk.taps("开始核对").await?;
        desk.sees("每个签名、每次变化和两个根都对得上").await?;
        desk.sees("能核对的部分没有发现").await?;
        desk.sees("报告没有签名").await?;
        assert!(!desk.has_before_them("李文").await?);
        desk.taps("下载报告和表格").await?;
        let bare = unpacked(&desk.has_saved(".zip").await?)?;
        assert!(bare.join("csv/reads.csv").exists() && !bare.join("audit.html.cose").exists());

        // What is no key, and the quarter's without the one that signs.
        let folder = scene.relay.data().join("keys/auditor");
        desk.taps("密钥").await?;
        desk.gives_file("input[type=file]", &scene.relay.data().join("genesis.cbor")).await?;
        desk.sees("这不是审计方的密钥文件").await?;
        desk.gives_file("input[type=file]", &folder.join("box.pem")).await?;
        desk.sees("已有季度密钥 1 把").await?;
        desk.taps("谁看了什么").await?;
        desk.types("为什么查看", "季度例行审计").await?;
        desk.taps("开始核对").await?;
        desk.sees("缺审计方现行的签名密钥").await?;
        desk.taps("密钥").await?;
        desk.gives_file("input[type=file]", &folder.join("audit.pem")).await?;
        desk.sees_no_more("还缺审计方现行的签名密钥").await?;
        desk.finds_it_accessible().await?;
        desk.taps("谁看了什么").await?;
        desk.types("为什么查看", "季度例行审计").await?;
        desk.taps("开始核对").await?;
        desk.sees("李文").await?;
        desk.sees("没有发现").await?;
        desk.sees("姓名已证实").await?;
        desk.picture("audit").await?;
        desk.finds_it_accessible().await?;

        // The audit outlives a look at another section; each plot has its table.
        desk.taps("统计").await?;
        desk.sees("按小时的读取次数").await?;
        desk.taps("看表格").await?;
        desk.sees(":00–").await?;
        desk.picture("audit-statistics").await?;
        desk.finds_it_accessible().await?;
        desk.taps("账本").await?;
        desk.sees("由这台机器核对").await?;
        desk.finds_it_accessible().await?;
        desk.taps("谁看了什么").await?;

        // The look stands on the ledger for everybody.
        let (code, printed) = scene.relay.command(&["audit"]).await?;
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains("1 log-audit"), "{printed}");

        // What the browser signs, the program takes; what was changed afterwards, it doesn't.
        desk.taps("下载签名的报告").await?;
        let signed = unpacked(&desk.has_saved(".zip").await?)?;
        let (page, tables) = (signed.join("audit.html"), signed.join("csv"));
        for (path, files) in [(&page, 1), (&tables, 6)] {
            let (code, said) = scene.relay.command(&["audit", "--verify", &path.to_string_lossy()]).await?;
            assert_eq!(
                (code, said.matches(".csv").count() + said.matches(".html").count()),
                (0, 7),
                "{said}"
            );
            assert!(said.contains("signed by the auditor's key"), "{said}");
            assert_eq!(said.lines().filter(|line| line.starts_with("holds")).count(), files + 2, "{said}");
        }
        let text = std::fs::read_to_string(&page)?;
        assert!(text.contains("李文") && text.contains("季度例行审计") && !text.contains("<script"));
        std::fs::write(&page, text.replace("李文", "李又"))?;
        let (code, said) = scene.relay.command(&["audit", "--verify", &page.to_string_lossy()]).await?;
        assert!(code == 1 && said.contains("audit.html: it is not as it was signed"), "{said}");
        desk.taps("只要可打印的一页").await?;
        assert!(std::fs::read_to_string(desk.has_saved(".html").await?)?.contains("李文"));

        // Forgotten with the keys is also what they opened.
        desk.taps("密钥").await?;
        desk.taps("忘掉密钥").await?;
        desk.sees_no_more("已有季度密钥").await?;
        desk.taps("谁看了什么").await?;
        desk.sees("没有密钥时只统计机构").await?;
        assert!(!desk.has_before_them("李文").await?);
        Ok(())
    })
    .await
}
