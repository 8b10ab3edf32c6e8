//! Files that a person saves, pictures that a person takes of paper, and copies of a relay's folders.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{HANG, Person};

/// SHA-256 in hex, as a release's list has it.
pub fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Copies a folder with the folders in it, and those of its files that `keeps` says yes to.
pub fn copy_folder(from: &Path, to: &Path, keeps: fn(&Path) -> bool) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target, keeps)?;
        } else if keeps(&entry.path()) {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

impl Person {
    /// Whatever is saved from now on goes to a folder of this person's own.
    pub async fn keeps_downloads(&self) -> Result<()> {
        let folder = self.downloads();
        std::fs::create_dir_all(&folder)?;
        let parameters = json!({ "behavior": "allow", "downloadPath": folder });
        self.devtools("Browser.setDownloadBehavior", parameters).await?;
        Ok(())
    }

    /// Waits for a saved file whose name ends so, takes it out of the folder, and gives its path.
    pub async fn has_saved(&self, end: &str) -> Result<PathBuf> {
        let start = Instant::now();
        while start.elapsed() < HANG {
            for entry in std::fs::read_dir(self.downloads())?.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(end) {
                    let taken = self.desktop().join(name);
                    std::fs::rename(entry.path(), &taken)?;
                    return Ok(taken);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} saved no file that ends in {end}", self.name())
    }

    /// A picture of the part of the printed page that this selector names, as a camera would take it of the paper.
    pub async fn photographs_the_print(&self, css: &str) -> Result<PathBuf> {
        let print = json!({ "media": "print" });
        self.devtools("Emulation.setEmulatedMedia", print).await?;
        let place = self
            .runs(&format!(
                "const box = document.querySelector('{css}').getBoundingClientRect();
                 return [box.x + scrollX, box.y + scrollY, box.width, box.height];"
            ))
            .await?;
        let clip = json!({ "x": place[0], "y": place[1], "width": place[2], "height": place[3], "scale": 2 });
        let parameters = json!({ "format": "png", "clip": clip, "captureBeyondViewport": true });
        let shot = self.devtools("Page.captureScreenshot", parameters).await?;
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": "" })).await?;
        let Value::String(png) = &shot["data"] else { bail!("no picture: {shot}") };
        let file = self.desktop().join("photograph.png");
        std::fs::write(&file, data_encoding::BASE64.decode(png.as_bytes())?)?;
        Ok(file)
    }

    fn downloads(&self) -> PathBuf {
        self.desktop().join("downloads")
    }
}
