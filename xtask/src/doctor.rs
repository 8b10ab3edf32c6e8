//! `cargo xtask doctor`: what this machine lacks, and the line that brings it.

use anyhow::{Result, bail};

use crate::machine::{self, BROWSER, LINKER, NPM, PYTHON};
use crate::wasm::Compiler;

/// Prints what is there and what is not; fails where something is missing.
pub fn go() -> Result<()> {
    let mut missing = Vec::new();
    for need in std::iter::once(&LINKER).chain(BROWSER).chain([&NPM, &PYTHON]) {
        line((need.there)(), need.what);
        if !(need.there)() {
            missing.push(need.package);
        }
    }
    let compiler = Compiler::present();
    line(compiler.is_some(), &format!("a wasm compiler: {}", compiler.map_or("none", Compiler::name)));
    let deny = machine::program("cargo-deny").is_some();
    line(deny, "cargo-deny (not needed: licences and sources are checked without it too)");
    if !missing.is_empty() {
        println!("\n{}", machine::install_line(&missing));
    }
    if compiler.is_none() {
        println!("\n{}", Compiler::INSTALL);
    }
    if missing.is_empty() && compiler.is_some() { Ok(()) } else { bail!("something is missing, see above") }
}

fn line(there: bool, what: &str) {
    println!("{} {what}", if there { "✔" } else { "✘" });
}
