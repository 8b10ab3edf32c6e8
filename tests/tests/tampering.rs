//! What a dishonest or broken relay, or a hospital's careless text, could put before a person: found out, told, and nothing
//! is lost by it.

use std::path::{Path, PathBuf};

use suishen_tests::{Result, Scene, Window};

/// Every file below a folder.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { found.append(&mut files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

/// The three ways in which stored bytes can be other ones.
fn spoilt(whole: &[u8], other: &[u8]) -> [Vec<u8>; 3] {
    let mut flipped = whole.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    // As long as the real one, or the transfer would not even end.
    let exchanged = other.iter().copied().cycle().take(whole.len()).collect();
    [flipped, whole[..whole.len() - 1].to_vec(), exchanged]
}

#[tokio::test]
async fn malicious_relay_cannot_bring_in_content_changed_by_one_bit_cut_short_or_exchanged() -> Result<()> {
    Scene::play("tampered", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("discharge").await?).await?;
        phone.sees("出院小结").await?;
        let known = files(&scene.relay.data().join("blobs"))?;
        let ticket = scene.relay.issues("laboratory").await?;
        let mut blobs = files(&scene.relay.data().join("blobs"))?;
        blobs.retain(|blob| !known.contains(blob));
        assert!(blobs.len() >= 2, "a manifest and parts: {blobs:?}");

        for (blob, other) in blobs.iter().zip(blobs.iter().cycle().skip(1)) {
            let whole = std::fs::read(blob)?;
            let told = ["没有收下", "传到一半断了", "没有收下"];
            for (bytes, told) in spoilt(&whole, &std::fs::read(other)?).into_iter().zip(told) {
                std::fs::write(blob, bytes)?;
                phone.goes_to("patient", "/").await?;
                phone.sees("1 份").await?;
                phone.keeps(&ticket).await?;
                phone.sees(told).await?;
            }
            phone.picture("tampered").await?;
            std::fs::write(blob, whole)?;
        }
        // Nothing was lost: the ticket still is this wallet's.
        phone.keeps(&ticket).await?;
        phone.sees("低密度脂蛋白").await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_cannot_give_a_reader_changed_content_nor_cost_a_read_by_it() -> Result<()> {
    Scene::play("tampered-reading", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.protects().await?;
        doctor.enrols("doctor").await?;
        let known = files(&scene.relay.data().join("blobs"))?;
        doctor.accepts(&phone.shows_this_visit().await?).await?;
        phone.consents().await?;
        let mut blobs = files(&scene.relay.data().join("blobs"))?;
        blobs.retain(|blob| !known.contains(blob));
        let whole: Vec<_> = blobs.iter().map(std::fs::read).collect::<std::io::Result<_>>()?;
        for (blob, whole) in blobs.iter().zip(&whole) {
            std::fs::write(blob, &spoilt(whole, whole)[0])?;
        }
        doctor.taps("打开病历").await?;
        doctor.sees("内容和签名对不上，没有打开").await?;
        for (blob, whole) in blobs.iter().zip(&whole) {
            std::fs::write(blob, whole)?;
        }
        doctor.taps("打开病历").await?;
        doctor.sees("低密度脂蛋白").await?;
        doctor.sees("1 次，共 2 次").await
    })
    .await
}

/// Markup in every text that the hospital writes.
fn hostile(value: &mut serde_json::Value) {
    const MARKUP: &str = "<img src=x onerror=\"window.taken=1\"><script>window.taken=1</script>";
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    serde_json::Value::String(text)
                        if ["text", "display", "div", "conclusion"].contains(&&**name) =>
                    {
                        *text = format!("{text}{MARKUP}");
                    }
                    other => hostile(other),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(hostile),
        _ => {}
    }
}

#[tokio::test]
async fn markup_in_a_hospitals_texts_is_text_on_every_screen() -> Result<()> {
    Scene::play("markup", 2, async |scene| {
        let folder = tempfile::tempdir()?;
        for sample in ["laboratory", "discharge", "imaging"] {
            let path = format!("{}/../samples/{sample}/report.json", env!("CARGO_MANIFEST_DIR"));
            let mut report = serde_json::from_slice(&std::fs::read(path)?)?;
            hostile(&mut report);
            std::fs::create_dir_all(folder.path().join(sample))?;
            std::fs::write(folder.path().join(sample).join("report.json"), serde_json::to_vec(&report)?)?;
        }
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        for (i, sample) in ["laboratory", "discharge", "imaging"].into_iter().enumerate() {
            let ticket = scene.relay.issues_from(&folder.path().join(sample)).await?;
            if i == 0 {
                phone.keeps_first(&ticket).await?;
            } else {
                phone.keeps(&ticket).await?;
            }
            phone.sees("<script>").await?;
            assert!(phone.runs("return window.taken").await?.is_null(), "{sample} ran on the phone");
        }
        phone.protects().await?;
        phone.taps("出示").await?;
        phone.taps("最近 12 个月").await?;
        phone.taps("出示二维码").await?;
        phone.sees("请医生扫这个码").await?;
        doctor.accepts(&phone.copies_the_link().await?).await?;
        phone.consents().await?;
        doctor.taps("打开病历").await?;
        doctor.sees("<script>").await?;
        assert!(doctor.runs("return window.taken").await?.is_null(), "it ran at the desk");
        doctor.picture("markup").await
    })
    .await
}
