//! Lays out what the relay serves to browsers, from `web/app/assets`, the worker modules and the bundles.
//!
//! - Bundles (`/app.js`, `/app_bg.wasm`, `/engine_glue.js`…) and style sheets go to `/pkg/` with a hash of their content
//!   in their name; where HTML or JavaScript names one as a quoted path (`"/app.js"`), the name is rewritten. So the relay
//!   may call all of `/pkg/` immutable. Everything else keeps its path and must be asked for anew: the page, the workers'
//!   modules, the icons.
//! - A quoted path to a script, style sheet or wasm file that does not exist is an error here, not in a browser.
//! - `release.json` names the release (a hash over all files) and, for the service worker and the release that members
//!   sign, the SHA-256 and SM3 of every file.
//! - Beside every file that brotli makes smaller lies the compressed one, `.br`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::bundle::{BUNDLES, hex};
use crate::place::Place;

/// Content by path as in a URL, without the leading slash.
type Files = BTreeMap<String, Vec<u8>>;

/// Kinds of file in which references are rewritten.
const TEXT: &[&str] = &["html", "js", "css", "webmanifest", "json", "svg"];
/// Kinds of file that are compressed already.
const PACKED: &[&str] = &["png", "jpg", "webp", "woff2", "br"];
const SERVICE_WORKER: &str = "sw.js";

/// One served file.
pub struct Served {
    /// Path as in its URL, without the leading slash.
    pub path: String,
    /// Bytes.
    pub raw: usize,
    /// Bytes as sent to a browser that takes brotli.
    pub packed: usize,
}

/// Lays all out anew in the place's `web-dist`; a draft without the compressed copies.
pub fn lay_out(place: &Place, bundles: &[PathBuf], draft: bool) -> Result<Vec<Served>> {
    let mut sources = read_all(&place.root.join("web/app/assets"))?;
    for worker in ["engine", "scanner", "peer"] {
        let module = place.root.join(format!("web/{worker}/{worker}.js"));
        let bytes = std::fs::read(&module).with_context(|| format!("could not read {}", module.display()))?;
        sources.insert(format!("{worker}.js"), bytes);
    }
    // The desk's samples: the same reports that tests read.
    for (path, bytes) in read_all(&place.root.join("samples"))? {
        if ["json", "pdf", "png"].contains(&extension(&path)) {
            sources.insert(format!("samples/{path}"), bytes);
        }
    }
    for (path, bytes) in read_all(&place.root.join("web/app/text"))? {
        sources.insert(format!("text/{path}"), bytes);
    }
    for dir in bundles {
        sources.append(&mut read_all(dir)?);
    }
    let mut files = arrange(sources)?;
    add_release(&mut files);
    write_all(place, &files, draft)
}

/// Gives bundles and style sheets their hashed names, and everything else the right references to them.
fn arrange(sources: Files) -> Result<Files> {
    let (hashed, kept): (Files, Files) = sources.into_iter().partition(|(path, _)| is_hashed(path));
    let mut renamed = rename_by_content(hashed)?;
    for (path, bytes) in kept {
        let bytes = if is_text(&path) { refer(&path, &bytes, &renamed.names)? } else { bytes };
        renamed.content.insert(path, bytes);
    }
    for (path, bytes) in &renamed.content {
        if ["html", "js"].contains(&extension(path)) {
            check_references(path, bytes, &renamed.content)?;
        }
    }
    Ok(renamed.content)
}

/// Workers' modules and the page's first script have names that code knows, all others are found through them.
fn is_hashed(path: &str) -> bool {
    match extension(path) {
        "css" | "wasm" => true,
        "js" => BUNDLES.iter().any(|bundle| path == bundle.glue()),
        _ => false,
    }
}

struct Renamed {
    /// `app.js` to `pkg/app-0123456789abcdef.js`.
    names: BTreeMap<String, String>,
    content: Files,
}

/// Names files by their content: first those that refer to nothing, then those that may refer to them.
fn rename_by_content(hashed: Files) -> Result<Renamed> {
    let mut renamed = Renamed { names: BTreeMap::new(), content: Files::new() };
    let (text, binary): (Files, Files) = hashed.into_iter().partition(|(path, _)| is_text(path));
    for (path, bytes) in binary {
        renamed.add(&path, bytes);
    }
    for (path, bytes) in text {
        // The glue names its wasm file as one beside itself.
        let wasm = path.strip_suffix(".js").map(|name| format!("{name}_bg.wasm"));
        let bytes = match wasm.and_then(|wasm| Some((renamed.names.get(&wasm)?, wasm))) {
            Some((to, wasm)) => {
                let to = to.trim_start_matches("pkg/");
                String::from_utf8(bytes)
                    .with_context(|| format!("{path} is not text"))?
                    .replace(&wasm, to)
                    .into()
            }
            None => bytes,
        };
        renamed.add(&path, bytes);
    }
    Ok(renamed)
}

impl Renamed {
    fn add(&mut self, path: &str, bytes: Vec<u8>) {
        let hash = &hex(&bytes)[..16];
        let name = match path.rsplit_once('.') {
            Some((stem, extension)) => format!("pkg/{stem}-{hash}.{extension}"),
            None => format!("pkg/{path}-{hash}"),
        };
        self.names.insert(path.to_owned(), name.clone());
        self.content.insert(name, bytes);
    }
}

/// Rewrites the quoted paths in one asset.
fn refer(path: &str, bytes: &[u8], names: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut text = std::str::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))?.to_owned();
    for (from, to) in names {
        text = text.replace(&format!("\"/{from}\""), &format!("\"/{to}\""));
    }
    Ok(text.into_bytes())
}

/// A page or module that names a script, style sheet or wasm file which is not served is broken: found here.
fn check_references(path: &str, bytes: &[u8], files: &Files) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    let quoted = text.split('"').filter_map(|piece| piece.strip_prefix('/'));
    for reference in quoted.filter(|piece| ["css", "js", "wasm"].contains(&extension(piece))) {
        let is_path = reference.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c));
        if is_path && !files.contains_key(reference) {
            bail!("{path} refers to /{reference}, which is not served");
        }
    }
    Ok(())
}

/// Adds the list of all files, but of the list itself and the service worker that reads it.
fn add_release(files: &mut Files) {
    let listed = || files.iter().filter(|(path, _)| *path != SERVICE_WORKER);
    let sha256: BTreeMap<_, _> = listed().map(|(path, bytes)| (format!("/{path}"), sha256(bytes))).collect();
    let sm3: BTreeMap<_, _> = listed().map(|(path, bytes)| (format!("/{path}"), hex(bytes))).collect();
    let name = hex(json!(sm3).to_string().as_bytes())[..16].to_owned();
    let list = json!({ "release": name, "files": sha256, "sm3": sm3 });
    files.insert("release.json".to_owned(), list.to_string().into_bytes());
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn write_all(place: &Place, files: &Files, draft: bool) -> Result<Vec<Served>> {
    let dist = place.web_dist();
    let fresh = dist.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    let mut served = Vec::new();
    for (path, bytes) in files {
        let to = fresh.join(path);
        let parent = to.parent().context("a served file lies in a folder")?;
        std::fs::create_dir_all(parent)?;
        std::fs::write(&to, bytes)?;
        let packed =
            if draft || PACKED.contains(&extension(path)) { None } else { Some(compressed(place, bytes)?) };
        let packed = packed.filter(|packed| packed.len() < bytes.len());
        if let Some(packed) = &packed {
            let mut name = to.into_os_string();
            name.push(".br");
            std::fs::write(name, packed)?;
        }
        served.push(Served {
            path: path.clone(),
            raw: bytes.len(),
            packed: packed.map_or(bytes.len(), |packed| packed.len()),
        });
    }
    if dist.exists() {
        std::fs::remove_dir_all(&dist)?;
    }
    std::fs::rename(&fresh, &dist)?;
    Ok(served)
}

/// Brotli at its best level, kept by the content's hash: an unchanged file is not compressed again.
fn compressed(place: &Place, bytes: &[u8]) -> Result<Vec<u8>> {
    let dir = place.target_wasm.join("brotli");
    let kept = dir.join(hex(bytes));
    if let Ok(known) = std::fs::read(&kept) {
        return Ok(known);
    }
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &parameters)?;
    std::fs::create_dir_all(&dir)?;
    std::fs::write(&kept, &packed)?;
    Ok(packed)
}

fn read_all(dir: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        let entries =
            std::fs::read_dir(&next).with_context(|| format!("could not read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let name =
                path.strip_prefix(dir).ok().and_then(Path::to_str).context("a file's name is not text")?;
            files.insert(name.replace('\\', "/"), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_text(path: &str) -> bool {
    TEXT.contains(&extension(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn text<'a>(files: &'a Files, start: &str) -> &'a str {
        let (_, bytes) =
            files.iter().find(|(path, _)| path.starts_with(start)).expect("the file is laid out");
        std::str::from_utf8(bytes).unwrap()
    }

    fn name<'a>(files: &'a Files, start: &str) -> &'a str {
        files.keys().find(|path| path.starts_with(start)).expect("the file is laid out")
    }

    #[test]
    fn a_page_finds_glue_wasm_and_style_by_the_hash_of_their_content() {
        let laid = arrange(files(&[
            ("index.html", r#"<link href="/style/base.css"><script src="/boot.js">"#),
            ("boot.js", r#"import("/app.js")"#),
            ("app.js", "new URL('app_bg.wasm', import.meta.url)"),
            ("app_bg.wasm", "\0asm"),
            ("style/base.css", "a{}"),
        ]))
        .unwrap();
        let wasm = name(&laid, "pkg/app_bg-").trim_start_matches("pkg/");
        assert_eq!(text(&laid, "pkg/app-"), format!("new URL('{wasm}', import.meta.url)"));
        assert_eq!(text(&laid, "boot.js"), format!(r#"import("/{}")"#, name(&laid, "pkg/app-")));
        assert!(text(&laid, "index.html").contains(name(&laid, "pkg/style/base-")));
    }

    #[test]
    fn a_reference_to_a_file_that_is_not_there_is_refused_by_name() {
        let error = arrange(files(&[("index.html", r#"<script src="/other.js">"#)])).unwrap_err();
        assert!(error.to_string().contains("/other.js"), "{error}");
    }

    #[test]
    fn the_release_changes_with_any_file_and_lists_all_but_itself_and_the_service_worker() {
        let release = |icon: &str| {
            let mut laid = files(&[("mark.svg", icon), (SERVICE_WORKER, "")]);
            add_release(&mut laid);
            serde_json::from_str::<serde_json::Value>(text(&laid, "release.json")).unwrap()
        };
        let (one, two) = (release("<svg/>"), release("<svg></svg>"));
        assert_ne!(one["release"], two["release"]);
        assert_eq!(one["files"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/mark.svg"]);
    }
}
