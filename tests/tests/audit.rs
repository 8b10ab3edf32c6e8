//! The auditor's desk: counts what anybody may count, and with the quarter's key says who read, once the look is on the
//! ledger.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use suishen_core::audit::clock;
use suishen_core::cbor;
use suishen_core::contract::{Entry, Genesis};
use suishen_tests::{Answer, Look, Person, Result, Scene, Turn, Window};

/// Unpacks a saved report beside it.
fn unpacked(zip: &Path) -> Result<std::path::PathBuf> {
    let folder = zip.with_extension("");
    zip::ZipArchive::new(std::fs::File::open(zip)?)?.extract(&folder)?;
    Ok(folder)
}

/// Chooses two dates in the fields that hold such, as a person's picking does.
async fn chooses_days(desk: &Person, from: &str, to: &str) -> Result<()> {
    desk.taps("选日期").await?;
    for (id, day) in [("audit-from", from), ("audit-to", to)] {
        desk.finds(&format!("#{id}[type=date]")).await?;
        desk.runs(&format!(
            "const field = document.getElementById('{id}');
             field.value = '{day}';
             field.dispatchEvent(new InputEvent('input', {{ bubbles: true }}))"
        ))
        .await?;
    }
    Ok(())
}

/// A doctor has read a patient's report, at the desk that the auditor will use.
async fn has_read(scene: &mut Scene) -> Result<Person> {
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
    desk.keeps_downloads().await?;
    Ok(desk)
}

/// How often the auditor has looked, by the ledger.
async fn looks(scene: &Scene) -> Result<String> {
    let (_, printed) = scene.relay.command(&["audit"]).await?;
    Ok(printed.lines().find(|line| line.contains("log-audit")).unwrap_or_default().trim().to_owned())
}

#[tokio::test]
async fn the_auditor_chooses_keys_says_why_and_reads_who_read() -> Result<()> {
    Scene::play("audit", 2, async |scene| {
        let desk = has_read(scene).await?;

        // Without keys: counted, nobody named, nothing signed.
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
        // Of which class, and on whose authority.
        desk.sees("1 份 · 一般").await?;
        desk.sees("，同意 ").await?;
        desk.picture("audit").await?;
        desk.finds_it_accessible().await?;

        // The audit outlives a look at another section; each plot has its table.
        desk.taps("统计").await?;
        desk.sees("按小时的读取次数").await?;
        desk.taps("看表格").await?;
        desk.sees(":00–").await?;
        desk.picture("audit-statistics").await?;
        desk.finds_it_accessible().await?;
        desk.has_a_window_of(360, 640).await?;
        // Letters of a plot are letters on a phone too.
        let small = "return Math.min(...[...document.querySelectorAll('.audit-plot text')]
            .map((text) => text.getBoundingClientRect().height))";
        let height = desk.runs(small).await?.as_f64().unwrap_or_default();
        assert!(height >= 13.0, "letters of {height} px");
        desk.picture("audit-statistics-360").await?;
        desk.has_a_window_of(1440, 900).await?;
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
        for (path, files) in [(&page, 1), (&tables, 7)] {
            let (code, said) = scene.relay.command(&["audit", "--verify", &path.to_string_lossy()]).await?;
            assert_eq!(
                (code, said.matches(".csv").count() + said.matches(".html").count()),
                (0, 8),
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

/// Somebody has read, and the auditor has the keys at hand and has said why.
async fn about_to_look(scene: &mut Scene) -> Result<Person> {
    let desk = has_read(scene).await?;
    desk.goes_to("auditor", "/keys").await?;
    desk.sees("box*.pem").await?;
    for key in ["box.pem", "audit.pem"] {
        desk.gives_file("input[type=file]", &scene.relay.data().join("keys/auditor").join(key)).await?;
    }
    desk.sees_no_more("还缺审计方现行的签名密钥").await?;
    desk.sees("已有季度密钥 1 把").await?;
    desk.sees("现行的季度密钥请在").await?;
    desk.picture("audit-keys").await?;
    desk.taps("谁看了什么").await?;
    desk.types("为什么查看", "季度例行审计").await?;
    Ok(desk)
}

#[tokio::test]
async fn the_auditor_chooses_a_period_and_the_report_names_it() -> Result<()> {
    Scene::play("audit-period", 2, async |scene| {
        let desk = about_to_look(scene).await?;
        // Days that are none: a sentence each, and nothing on the ledger.
        desk.taps("上季度").await?;
        desk.taps("开始核对").await?;
        desk.sees("这段日期里账本没有条目").await?;
        for (from, to, said) in [
            ("2026-01-02", "2026-01-01", "结束的日期在开始之前"),
            ("2026-01-02", "2999-01-01", "这段日期还没有到头"),
        ] {
            chooses_days(&desk, from, to).await?;
            desk.taps("开始核对").await?;
            desk.sees(said).await?;
        }
        assert_eq!(looks(scene).await?, "", "nothing was logged");

        desk.taps("本季度").await?;
        desk.taps("开始核对").await?;
        desk.sees("李文").await?;
        desk.sees("这段日期（北京时间）").await?;
        assert_eq!(looks(scene).await?, "1 log-audit");

        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let today = clock::written(clock::day(now));
        chooses_days(&desk, &today, &today).await?;
        desk.taps("开始核对").await?;
        desk.sees(&format!("下面只说 {today} 至 {today} 这段日期")).await?;
        desk.sees("姓名已证实").await?;
        desk.runs(
            "const months = document.querySelector('#audit-month');
             months.value = months.options[1].value;
             months.dispatchEvent(new Event('change', { bubbles: true }))",
        )
        .await?;
        let by_person = "return document.querySelector('#audit-month').closest('section').innerText";
        let people = desk.runs(by_person).await?.to_string();
        assert!(people.contains("李文") && people.contains(&today[..7]), "{people}");
        let mut found = Vec::new();
        desk.looks_over("desk-audit-days", Look::Whole, &mut found).await?;
        desk.turns_language("English").await?;
        desk.sees(&format!("What follows is of the days {today} to {today} only")).await?;
        desk.looks_over("desk-audit-days-en", Look::Words, &mut found).await?;
        desk.turns_language("中文").await?;
        desk.has_a_window_of(360, 640).await?;
        desk.looks_over("desk-audit-days-360", Look::Whole, &mut found).await?;
        desk.has_a_window_of(1440, 900).await?;
        assert!(found.is_empty(), "{found:#?}");

        desk.taps("下载签名的报告").await?;
        let signed = unpacked(&desk.has_saved(".zip").await?)?;
        for path in [signed.join("audit.html"), signed.join("csv")] {
            let (code, said) = scene.relay.command(&["audit", "--verify", &path.to_string_lossy()]).await?;
            assert!(code == 0 && said.contains("signed by the auditor's key"), "{said}");
        }
        let table = std::fs::read_to_string(signed.join("csv/months.csv"))?;
        assert_eq!((table.lines().count(), table.matches("李文").count()), (2, 1), "{table}");
        let page = std::fs::read_to_string(signed.join("audit.html"))?;
        assert!(page.contains(&format!("<dd>{today} – {today}</dd>")) && page.contains("李文"), "{page}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_shows_other_times_for_a_period_gets_no_report() -> Result<()> {
    Scene::play("audit-period-lies", 2, async |scene| {
        let between = scene.between().await?;
        let desk = about_to_look(scene).await?;
        desk.taps("本季度").await?;
        // The first that is asked for is for the search: there the last entries are said to be long past.
        let first = AtomicBool::new(true);
        between.lies(move |asked| {
            if !asked.is(&Method::GET, "/v1/ledger/entries") || !first.swap(false, Ordering::Relaxed) {
                return Turn::Honest;
            }
            Turn::Then(Box::new(|answer| Answer { body: moved(&answer.body), ..answer }))
        });
        desk.taps("开始核对").await?;
        desk.sees("查找这段日期时看到的条目时间，和账本的对不上").await?;
        // Found out at the first entry of the replay.
        desk.sees("audit-bounds: 0").await?;
        assert!(!desk.has_before_them("李文").await? && !desk.has_before_them("下载签名的报告").await?);
        desk.finds_it_accessible().await?;
        between.is_honest();
        desk.taps("开始核对").await?;
        desk.sees("李文").await
    })
    .await
}

/// Entries as a relay sends them, all but the last four a year older.
fn moved(body: &[u8]) -> Vec<u8> {
    let mut entries: Vec<minicbor::bytes::ByteVec> = cbor::decode(body).expect("entries");
    let older = entries.len().saturating_sub(4);
    let mut genesis: Genesis = cbor::decode(&entries[0]).expect("the genesis object");
    genesis.time -= 366 * 86_400;
    entries[0] = cbor::encode(&genesis).into();
    for bytes in entries.iter_mut().take(older).skip(1) {
        let mut entry = Entry::from_bytes(bytes).expect("an entry");
        entry.now -= 366 * 86_400;
        *bytes = entry.to_bytes().into();
    }
    cbor::encode(&entries)
}
