//! What a browser has to load, as sent, against the targets.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::layout::Served;

const FIRST_SCREEN_LIMIT: usize = 400_000;
const ENGINE_LIMIT: usize = 700_000;
/// The language that a page begins in.
const FIRST_TEXTS: &str = "text/zh-CN.ftl";

/// Where a file counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    FirstScreen,
    Engine,
    DeskPages,
    DeskEngine,
    Scanner,
    Peer,
    Later,
}

impl Part {
    fn of(path: &str) -> Self {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let name = path.trim_start_matches("pkg/");
        if name.starts_with("desk_engine") {
            Self::DeskEngine
        } else if name.starts_with("desk") {
            Self::DeskPages
        } else if name.starts_with("engine") {
            Self::Engine
        } else if name.starts_with("scanner") {
            Self::Scanner
        } else if name.starts_with("peer") {
            Self::Peer
        } else if (["html", "js", "css", "wasm"].contains(&extension) && path != "sw.js")
            || path == FIRST_TEXTS
        {
            Self::FirstScreen
        } else {
            Self::Later
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::FirstScreen => "first screen",
            Self::Engine => "engine",
            Self::DeskPages => "desk's pages",
            Self::DeskEngine => "desk's engine",
            Self::Scanner => "scanner",
            Self::Peer => "peer",
            Self::Later => "later",
        }
    }
}

/// Prints the table; writes it as JSON too where asked.
pub fn report(served: &[Served], json_file: Option<&Path>) -> Result<()> {
    println!("\n{:<44} {:<13} {:>9} {:>9}", "file", "part", "raw", "brotli");
    for file in served {
        println!("{:<44} {:<13} {:>9} {:>9}", file.path, Part::of(&file.path).name(), file.raw, file.packed);
    }
    let mut lines = Vec::new();
    for (part, limit) in [
        (Part::FirstScreen, Some(FIRST_SCREEN_LIMIT)),
        (Part::Engine, Some(ENGINE_LIMIT)),
        (Part::DeskPages, None),
        (Part::DeskEngine, Some(ENGINE_LIMIT)),
        (Part::Scanner, None),
        (Part::Peer, None),
    ] {
        let files = served.iter().filter(|file| Part::of(&file.path) == part);
        let (raw, packed) = files.fold((0, 0), |(raw, packed), file| (raw + file.raw, packed + file.packed));
        let met = limit.map(|limit| packed <= limit);
        let verdict = match (limit, met) {
            (Some(limit), Some(true)) => format!("target {limit}: met"),
            (Some(limit), _) => format!("target {limit}: behind"),
            (None, _) => String::new(),
        };
        println!("{:<44} {:<13} {raw:>9} {packed:>9}  {verdict}", "all of", part.name());
        lines.push(json!({
            "name": format!("{}, brotli", part.name()), "value": packed, "unit": "bytes", "raw": raw,
            "target": limit, "met": met,
        }));
    }
    if let Some(file) = json_file {
        let files: Vec<_> = served
            .iter()
            .map(|file| json!({ "path": file.path, "raw": file.raw, "brotli": file.packed, "part": Part::of(&file.path).name() }))
            .collect();
        std::fs::write(file, serde_json::to_string_pretty(&json!({ "sizes": lines, "files": files }))?)?;
    }
    Ok(())
}
