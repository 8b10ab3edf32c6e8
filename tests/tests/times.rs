//! How long a person waits, in a real browser. It asserts nothing about time: `cargo xtask bench browser` reads what is
//! printed here.

use anyhow::Context as _;
use std::time::{Duration, Instant};
use suishen_core::{
    id::Commitment,
    identity::Entropy,
    sm::{Digest, Label},
    vault::{BackupReader, Body, Item, Origin, Vault},
};
use suishen_tests::{PASSPHRASE, Person, Repeatable, Result, Scene, Window};

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

/// Records of twenty years.
const RECORDS: u32 = 10_000;

/// The backup of a wallet with one record, grown to so many: that one again and again, each under an id of its own.
fn grown(backup: &[u8], words: &str, records: u32) -> Result<Vec<u8>> {
    let entropy = Entropy::from_text(words)?;
    let mut reader = BackupReader::new(&entropy);
    let mut items = reader.push(backup)?;
    items.extend(reader.finish()?.0);
    let (mut begun, mut events, mut blobs) = (None, Vec::new(), Vec::<(_, Vec<u8>)>::new());
    for item in items {
        match item {
            Item::Epochs(ledger, epochs) => begun = Some((ledger, epochs)),
            Item::Event(event) => events.push(event),
            Item::Piece(address, bytes) => match blobs.last_mut() {
                Some((last, held)) if *last == address => held.extend(bytes),
                _ => blobs.push((address, bytes)),
            },
            Item::Blob(_) => {}
        }
    }
    let (ledger, epochs) = begun.context("a backup begins with its epochs")?;
    let random = &mut Repeatable(1);
    let mut vault = Vault::restore(&entropy, ledger, epochs, random)?;
    vault.load(&events, Origin::Elsewhere);
    let record = vault.index().records().next().context("the wallet has a record")?.clone();
    events.push(vault.rejoin(&entropy, "x", record.kept, random)?);
    for number in 1..records {
        let digest = Digest::labelled(Label::new("measured"), &[&number.to_be_bytes()]);
        let added = suishen_core::vault::RecordAdded {
            record: Commitment::from_bytes(*digest.as_bytes()),
            ..record.added.clone()
        };
        events.push(vault.append(Body::RecordAdded(Box::new(added)), record.kept, random)?);
    }
    let mut out = Vec::new();
    let mut writer = vault.backup(random, &mut out);
    for event in &events {
        writer.event(event, &mut out);
    }
    for (address, bytes) in &blobs {
        writer.blob(address, bytes.len() as u64, &mut out);
        writer.piece(bytes, &mut out);
    }
    writer.finish(&mut out);
    Ok(out)
}

/// Seconds until the screen has this text, which may be longer than any scene waits.
async fn until(person: &Person, text: &str) -> Result<f64> {
    let start = Instant::now();
    while !person.screen().await?.contains(text) {
        anyhow::ensure!(start.elapsed() < Duration::from_mins(10), "“{text}” did not come in ten minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(start.elapsed().as_secs_f64())
}

#[tokio::test]
#[ignore = "measures, for minutes, and no bench reads it yet: by name and with --ignored, where `cargo xtask test` has built all"]
async fn a_wallet_of_twenty_years_comes_to_a_new_device() -> Result<()> {
    Scene::play("times-devices", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_downloads().await?;
        phone.keeps_at("patient2", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.goes_to("patient2", "/protect").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        let words = phone.reads_the_words().await?.join(" ");
        phone.goes_to("patient2", "/settings").await?;
        phone.unlocks().await?;
        phone.taps("存备份文件").await?;
        let backup = phone.has_saved(".suishen").await?;
        std::fs::write(&backup, grown(&std::fs::read(&backup)?, &words, RECORDS)?)?;

        phone.goes_to("patient", "/restore").await?;
        phone.sees("输入恢复页上的 24 个词").await?;
        phone.gives_file("input[type=file]:not([accept])", &backup).await?;
        phone.types("24 个词", &words).await?;
        phone.taps("找回").await?;
        let restored = until(&phone, "给钱包上锁").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        phone.sees("钱包上锁了").await?;
        phone.goes_to("patient", "/devices").await?;
        phone.unlocks().await?;
        let mailbox = until(&phone, "起一样").await?;
        phone.taps("添加设备").await?;
        phone.taps("出示二维码").await?;
        let link = phone.copies_the_link().await?;
        let tablet = scene.person("tablet", Window::Phone).await?;
        let (_, fragment) = link.split_once('#').unwrap_or_default();
        tablet.goes_to("patient", &format!("/p#{fragment}")).await?;
        tablet.taps("加入").await?;
        phone.sees("两部设备上的数字一样吗").await?;
        phone.taps("一样，添加").await?;
        let joined = until(&tablet, &format!("{RECORDS} 份")).await?;
        println!(
            r#"{{"new_device": {{"records": {RECORDS}, "restored_s": {restored}, "mailbox_s": {mailbox}, "joined_s": {joined}}}}}"#
        );
        Ok(())
    })
    .await
}
