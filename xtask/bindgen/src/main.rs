//! Writes the JavaScript glue of one web crate: `suishen-bindgen IN.wasm OUT_DIR NAME` leaves `NAME.js` and
//! `NAME_bg.wasm` in `OUT_DIR`.
//!
//! A program of this workspace instead of `cargo install wasm-bindgen-cli`: the two halves of wasm-bindgen must be of
//! exactly one version, and here Cargo.lock sees to it. A crate of its own, so that a plain `cargo xtask` need not wait
//! for it to be built.

use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next =
        |what: &str| arguments.next().with_context(|| format!("{what} is missing from the arguments"));
    let input = PathBuf::from(next("the wasm file")?);
    let out = PathBuf::from(next("the output folder")?);
    let name = next("the bundle's name")?.into_string().ok().context("the bundle's name is not text")?;
    Bindgen::new()
        .input_path(&input)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_producers_section(true)
        .out_name(&name)
        .generate(&out)
        .with_context(|| format!("wasm-bindgen could not read {}", input.display()))
}
