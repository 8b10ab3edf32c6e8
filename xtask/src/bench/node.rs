//! The works as wasm, in node, in turns with sm-crypto-v2 of npm: what a page would use otherwise; or one of them alone.

use std::ffi::OsStr;
use std::path::PathBuf;
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
}

/// The script, and what it is measured beside.
pub struct Beside {
    script: Script,
    peer: PathBuf,
}

/// Builds the wasm as the engine is built and fetches the peer; none, with a line that says why, where node or npm is
/// missing.
pub fn provide(place: &Place) -> Result<Option<Beside>> {
    let Some(peer) = npm::SM_CRYPTO.provide(place) else {
        eprintln!("  no {} from npm: nothing is measured as wasm", npm::SM_CRYPTO.label());
        return Ok(None);
    };
    Ok(provide_alone(place)?.map(|script| Beside { script, peer }))
}

/// The same without the peer.
pub fn provide_alone(place: &Place) -> Result<Option<Script>> {
    if machine::program("node").is_none() {
        eprintln!("  no node: nothing is measured as wasm");
        return Ok(None);
    }
    let compiled = Compiler::find()?.build(place, SPEED.profile, &[SPEED.package])?;
    let dir = SPEED.stage(place, &compiled, &Tools::provide(place, false)?)?;
    // The glue is a module, which node knows by this file alone.
    std::fs::write(dir.join("package.json"), r#"{"type": "module"}"#)?;
    let glue = dir.join(SPEED.glue());
    let wasm = glue.with_file_name("speed_bg.wasm");
    Ok(Some(Script { module: place.root.join("xtask/speed/speed.mjs"), glue, wasm }))
}

/// Medians in nanoseconds: work → wasm's and the peer's.
pub fn run(Beside { script, peer }: &Beside) -> Result<Value> {
    measured(script, &[peer.as_os_str()])
}

/// The median of one work that no other package does.
pub fn run_only(script: &Script, work: &str) -> Result<Value> {
    measured(script, &["--only".as_ref(), work.as_ref()])
}

fn measured(script: &Script, more: &[&OsStr]) -> Result<Value> {
    let mut node = Command::new("node");
    node.args([&script.module, &script.glue, &script.wasm]).args(more).stderr(Stdio::inherit());
    let text = output(&mut node).context("speed.mjs failed in node")?;
    serde_json::from_str(&text).context("speed.mjs printed no figures")
}
