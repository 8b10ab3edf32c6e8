//! What `cargo xtask test` has built for the tests, and where they leave their pictures.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

fn given(variable: &str, what: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} ({what}) is not set: run these tests by `cargo xtask test`"))?;
    ensure!(
        path.exists(),
        "{variable} names {}, which is not there: `cargo xtask test` builds it",
        path.display()
    );
    Ok(path)
}

/// The `suishen` program.
pub fn binary() -> Result<PathBuf> {
    given("SUISHEN_BIN", "the relay's program")
}

/// The folder with what browsers load.
pub fn web() -> Result<PathBuf> {
    given("SUISHEN_WEB", "the web bundles")
}

/// The script of axe-core.
pub fn axe() -> Result<PathBuf> {
    given("SUISHEN_AXE", "axe-core's script, from npm")
}

/// The folder for pictures, made if need be.
pub fn pictures() -> Result<PathBuf> {
    let dir = match std::env::var_os("SUISHEN_SCREENSHOTS") {
        Some(dir) => PathBuf::from(dir),
        None => web()?.with_file_name("screenshots"),
    };
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}
