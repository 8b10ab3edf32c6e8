//! The works as wasm, in node, in turns with sm-crypto-v2 of npm: what a page would use otherwise.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bundle::{SPEED, Tools};
use crate::place::Place;
use crate::steps::output;
use crate::wasm::Compiler;
use crate::{machine, npm};

/// Everything that the script needs.
pub struct Script {
    module: PathBuf,
    glue: PathBuf,
    wasm: PathBuf,
    peer: PathBuf,
}

/// Builds the wasm as the engine is built and fetches the peer; none, with a line that says why, where node or npm is
/// missing.
pub fn provide(place: &Place) -> Result<Option<Script>> {
    if machine::program("node").is_none() {
        eprintln!("  no node: nothing is measured as wasm");
        return Ok(None);
    }
    let Some(peer) = npm::SM_CRYPTO.provide(place) else {
        eprintln!("  no {} from npm: nothing is measured as wasm", npm::SM_CRYPTO.label());
        return Ok(None);
    };
    let compiled = Compiler::find()?.build(place, SPEED.profile, &[SPEED.package])?;
    let dir = SPEED.stage(place, &compiled, &Tools::provide(place, false)?)?;
    // The glue is a module, which node knows by this file alone.
    std::fs::write(dir.join("package.json"), r#"{"type": "module"}"#)?;
    let glue = dir.join(SPEED.glue());
    let wasm = glue.with_file_name("speed_bg.wasm");
    Ok(Some(Script { module: place.root.join("xtask/speed/speed.mjs"), glue, wasm, peer }))
}

/// Medians in nanoseconds: work → wasm's and the peer's.
pub fn run(script: &Script) -> Result<Value> {
    let files: [&Path; 4] = [&script.module, &script.glue, &script.wasm, &script.peer];
    let text = output(Command::new("node").args(files).stderr(Stdio::inherit()))
        .context("speed.mjs failed in node")?;
    serde_json::from_str(&text).context("speed.mjs printed no figures")
}
