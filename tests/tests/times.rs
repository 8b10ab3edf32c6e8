//! How long a person waits, in a real browser. It asserts nothing about time: `cargo xtask bench browser` reads what is
//! printed here.

use anyhow::Context as _;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use suishen_core::{
    id::{BlobAddress, Commitment},
    identity::Entropy,
    report::{Manifest, open_part, seal_part},
    sm::{Digest, Label, Random as _, Signed},
    vault::{BackupReader, Body, GroupsCopy, Item, Origin, Vault},
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

/// The reports that the wallet grows from.
const YEARS: [&str; 6] = [
    "laboratory/report.json",
    "history/2024-05.json",
    "history/2024-11.json",
    "history/2025-05.json",
    "history/2025-11.json",
    "history/2026-05.json",
];
/// Records of twenty years, where `SUISHEN_RECORDS` says no other number.
const RECORDS: u32 = 10_000;

fn records() -> u32 {
    std::env::var("SUISHEN_RECORDS").ok().and_then(|text| text.parse().ok()).unwrap_or(RECORDS)
}

/// The backup of a wallet with a few records, grown to so many: those again and again, each under an id of its own, its
/// report under a key of its own. Attachments they share.
fn grown(backup: &[u8], words: &str, records: u32) -> Result<Vec<u8>> {
    let entropy = Entropy::from_text(words)?;
    let mut reader = BackupReader::new(&entropy);
    let mut items = reader.push(backup)?;
    items.extend(reader.finish()?.0);
    let (mut begun, mut events, mut blobs) = (None, Vec::new(), BTreeMap::<BlobAddress, Vec<u8>>::new());
    for item in items {
        match item {
            Item::Epochs(ledger, epochs) => begun = Some((ledger, epochs)),
            Item::Event(event) => events.push(event),
            Item::Piece(address, bytes) => blobs.entry(address).or_default().extend(bytes),
            Item::Blob(_) => {}
        }
    }
    let (ledger, epochs) = begun.context("a backup begins with its epochs")?;
    let random = &mut Repeatable(1);
    let mut vault = Vault::restore(&entropy, ledger, epochs, random)?;
    vault.load(&events, Origin::Elsewhere);
    let kept: Vec<_> = vault.index().records().cloned().collect();
    let first = kept.first().context("the wallet has a record")?.kept;
    events.push(vault.rejoin(&entropy, "x", first, random)?);
    for (number, record) in (0..records).zip(kept.iter().cycle()).skip(kept.len()) {
        let digest = Digest::labelled(Label::new("measured"), &[&number.to_be_bytes()]);
        let mut added = suishen_core::vault::RecordAdded {
            record: Commitment::from_bytes(*digest.as_bytes()),
            ..record.added.clone()
        };
        let manifest = Signed::<Manifest>::from_bytes(&added.manifest)?.claimed()?;
        let report = manifest.fhir_part().context("a report has content")?;
        for copy in added.parts.iter_mut().filter(|copy| copy.part == report) {
            let text = open_part(&manifest, copy, &blobs[&copy.address])?;
            let (own, blob) = seal_part(copy.part, copy.salt, &text, random);
            blobs.insert(own.address, blob);
            *copy = own;
        }
        if let Some(copy) = &mut added.groups {
            let (own, blob) = GroupsCopy::seal(&copy.open(&blobs[&copy.address])?, random);
            blobs.insert(own.address, blob);
            *copy = own;
        }
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

/// Seconds until a table has so many rows: of `cards` one for each record that was read, so that the list shows what it is.
async fn all_there(person: &Person, table: &str, wanted: u64) -> Result<f64> {
    let start = Instant::now();
    while person.stored(table).await? < wanted {
        anyhow::ensure!(start.elapsed() < Duration::from_mins(10), "not all was there in ten minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// The phone lets a tablet join, from its devices' page on.
async fn joined(scene: &mut Scene, phone: &Person) -> Result<Person> {
    phone.goes_to("patient", "/devices").await?;
    phone.unlocks().await?;
    phone.taps("添加设备").await?;
    phone.taps("出示二维码").await?;
    let link = phone.copies_the_link().await?;
    let tablet = scene.person("tablet", Window::Phone).await?;
    let (_, fragment) = link.split_once('#').unwrap_or_default();
    tablet.goes_to("patient", &format!("/p#{fragment}")).await?;
    tablet.taps("加入").await?;
    phone.sees("两部设备上的数字一样吗").await?;
    phone.taps("一样，添加").await?;
    Ok(tablet)
}

#[tokio::test]
#[ignore = "measures: cargo xtask bench browser"]
async fn a_wallet_of_twenty_years_comes_to_a_new_device() -> Result<()> {
    let records = records();
    Scene::play("times-devices", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_downloads().await?;
        for sample in YEARS {
            phone.keeps_at("patient2", &scene.relay.issues(sample).await?).await?;
        }
        phone.goes_to("patient2", "/protect").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        let words = phone.reads_the_words().await?.join(" ");
        phone.goes_to("patient2", "/settings").await?;
        phone.unlocks().await?;
        phone.taps("存备份文件").await?;
        let backup = phone.has_saved(".suishen").await?;
        let grown = grown(&std::fs::read(&backup)?, &words, records)?;
        let megabytes = grown.len() / 1_000_000;
        std::fs::write(&backup, grown)?;

        phone.goes_to("patient", "/restore").await?;
        phone.sees("输入恢复页上的 24 个词").await?;
        phone.gives_file("input[type=file]:not([accept])", &backup).await?;
        phone.types("24 个词", &words).await?;
        phone.taps("找回").await?;
        let restored = until(&phone, "给钱包上锁").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        phone.sees("钱包上锁了").await?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        let opened = until(&phone, &format!("{records} 份")).await?;
        let read = all_there(&phone, "cards", records.into()).await?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        let again = until(&phone, "血脂").await?;
        let tablet = joined(scene, &phone).await?;
        let joined = until(&tablet, &format!("{records} 份")).await?;
        let whole = all_there(&tablet, "cards", records.into()).await?;
        println!(
            r#"{{"new_device": {{"records": {records}, "megabytes": {megabytes}, "restored_s": {restored}, "opened_s": {opened}, "read_s": {read}, "again_s": {again}, "joined_s": {joined}, "whole_s": {whole}}}}}"#
        );
        Ok(())
    })
    .await
}

/// Bytes of the attachment that is brought over.
const CONTENT: usize = 50_000_000;
/// Bytes of a message of the plain socket.
const MESSAGE: usize = 60_000;

/// An empty page.
const PAGE: axum::response::Html<&str> = axum::response::Html("<link rel=icon href=data:,>");

/// A process that does nothing but pass on what comes at `/from` to who is at `/to`: where it listens.
async fn passes_on() -> Result<u16> {
    use axum::extract::ws::{Message, WebSocketUpgrade};
    let (send, receive) = tokio::sync::mpsc::channel::<Message>(16);
    let receive = std::sync::Arc::new(tokio::sync::Mutex::new(receive));
    let from = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if send.send(message).await.is_err() {
                    return;
                }
            }
        })
    };
    let to = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut socket| {
            let mut receive = receive.lock().await;
            while let Some(message) = receive.recv().await {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    };
    let router = axum::Router::new()
        .route("/", axum::routing::get(async || PAGE))
        .route("/from", axum::routing::get(from))
        .route("/to", axum::routing::get(to));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}

/// Seconds for so many bytes from one browser to the other over plain web sockets.
async fn plain_socket(from: &Person, to: &Person) -> Result<f64> {
    let port = passes_on().await?;
    for person in [from, to] {
        person.leaves_for(&format!("http://localhost:{port}/")).await?;
    }
    to.runs(&format!(
        r"return new Promise((ready) => {{
            const socket = new WebSocket('ws://localhost:{port}/to');
            socket.binaryType = 'arraybuffer';
            socket.onopen = () => ready(true);
            let came = 0;
            window.all = new Promise((done) => {{
                socket.onmessage = (event) => {{
                    came += event.data.byteLength;
                    if (came >= {CONTENT}) done(came);
                }};
            }});
        }});"
    ))
    .await?;
    let start = Instant::now();
    from.runs(&format!(
        r"return new Promise((done) => {{
            const socket = new WebSocket('ws://localhost:{port}/from');
            const message = new Uint8Array({MESSAGE});
            let sent = 0;
            const send = () => {{
                while (sent < {CONTENT} && socket.bufferedAmount < 1 << 20) {{
                    socket.send(message);
                    sent += message.length;
                }}
                if (sent < {CONTENT}) setTimeout(send, 0); else done(sent);
            }};
            socket.onopen = send;
        }});"
    ))
    .await?;
    to.runs("return window.all").await?;
    Ok(start.elapsed().as_secs_f64())
}

#[tokio::test]
#[ignore = "measures: cargo xtask bench browser"]
async fn a_large_attachment_comes_to_a_new_device() -> Result<()> {
    Scene::play("times-content", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let folder = tempfile::tempdir()?;
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/laboratory/report.json");
        std::fs::copy(sample, folder.path().join("report.json"))?;
        let mut bytes = b"%PDF-1.7\n".to_vec();
        bytes.resize(CONTENT, 0);
        Repeatable(7).fill(&mut bytes[9..]);
        std::fs::write(folder.path().join("report.pdf"), bytes)?;
        let ticket = scene.relay.issues_from(folder.path()).await?;
        phone.keeps_at("patient", &ticket).await?;
        phone.protects().await?;
        let wanted = phone.stored("blobs").await?;
        let tablet = joined(scene, &phone).await?;
        until(&tablet, "1 份").await?;
        let brought = all_there(&tablet, "blobs", wanted).await?;
        let plain = plain_socket(&phone, &tablet).await?;
        println!(r#"{{"content": {{"bytes": {CONTENT}, "brought_s": {brought}, "plain_s": {plain}}}}}"#);
        Ok(())
    })
    .await
}
