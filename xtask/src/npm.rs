//! The npm packages that building, testing and measuring use: binaryen's `wasm-opt`, axe-core, sm-crypto-v2. Of fixed versions, installed
//! below the target folder, never part of what is shipped.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::machine;
use crate::place::Place;
use crate::steps::succeed_within;

/// A package, its version, and the file in it that is used.
pub struct Package {
    name: &'static str,
    version: &'static str,
    file: &'static str,
}

/// Makes wasm smaller and quicker after the compiler.
pub const WASM_OPT: Package = Package { name: "binaryen", version: "132.0.0", file: "bin/wasm-opt" };

/// Finds what a screen reader or a keyboard user would stumble over.
pub const AXE: Package = Package { name: "axe-core", version: "4.14.1", file: "axe.min.js" };

/// The same cryptography in JavaScript, to measure ours beside.
pub const SM_CRYPTO: Package = Package { name: "sm-crypto-v2", version: "1.15.1", file: "dist/index.mjs" };

const LIMIT: Duration = Duration::from_mins(5);

impl Package {
    /// The package's file, installed if need be; none where npm is absent or cannot reach its registry.
    pub fn provide(&self, place: &Place) -> Option<PathBuf> {
        // A folder a version, so that a new version here is a new installation there.
        let dir = place.npm().join(format!("{}-{}", self.name, self.version));
        let file = dir.join("node_modules").join(self.name).join(self.file);
        if file.is_file() {
            return Some(file);
        }
        machine::program("npm")?;
        match self.install(&dir) {
            Ok(()) if file.is_file() => Some(file),
            Ok(()) => None,
            Err(error) => {
                eprintln!("  {error:#}");
                None
            }
        }
    }

    fn install(&self, dir: &PathBuf) -> Result<()> {
        std::fs::create_dir_all(dir)?;
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--ignore-scripts",
            "--loglevel=error",
            "--prefix",
        ]);
        npm.arg(dir).arg(format!("{}@{}", self.name, self.version)).stdout(Stdio::null());
        succeed_within(&mut npm, LIMIT)
    }

    /// Name and version, for notes and for what a cached result was made with.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}
