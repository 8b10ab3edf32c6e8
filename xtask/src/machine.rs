//! What this machine has, and how it gets the rest: Debian packages as root, or the one line to paste.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps::{output, succeed};

/// A program on the search path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Something that Debian or Ubuntu packages bring.
pub struct Need {
    /// What it is for, in words.
    pub what: &'static str,
    /// The Debian package.
    pub package: &'static str,
    /// Whether it is there.
    pub there: fn() -> bool,
}

/// What the tests in a browser need.
pub const BROWSER: &[Need] = &[
    Need {
        what: "Chromium, for the tests in a browser",
        package: "chromium",
        there: || chromium().is_some(),
    },
    Need {
        what: "chromedriver, which drives it",
        package: "chromium-driver",
        there: || program("chromedriver").is_some(),
    },
    Need { what: "Chinese fonts, for the pictures", package: "fonts-noto-cjk", there: has_chinese_font },
    Need {
        what: "faketime, for tests in which days pass",
        package: "faketime",
        there: || program("faketime").is_some(),
    },
    Need {
        what: "openssl, to check SM2, SM3 and SM4 against",
        package: "openssl",
        there: || program("openssl").is_some(),
    },
];

/// A C linker, which rustc calls for native programs.
pub const LINKER: Need = Need {
    what: "a C linker, for native builds",
    package: "gcc libc6-dev",
    there: || program("cc").is_some(),
};

/// npm, for `wasm-opt` and axe-core.
pub const NPM: Need =
    Need { what: "npm, for wasm-opt and axe-core", package: "npm", there: || program("npm").is_some() };

/// Python with its virtual environments, for the example client and for schemathesis.
pub const PYTHON: Need = Need {
    what: "Python 3 with venv, for the insurers' interface",
    package: "python3 python3-venv",
    there: has_python,
};

fn has_python() -> bool {
    output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_some()
}

/// Chromium by either of its names.
pub fn chromium() -> Option<PathBuf> {
    program("chromium").or_else(|| program("chromium-browser")).or_else(|| program("google-chrome"))
}

fn has_chinese_font() -> bool {
    ["/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/noto", "/usr/share/fonts/noto-cjk"]
        .iter()
        .any(|dir| {
            std::fs::read_dir(dir).is_ok_and(|mut files| {
                files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().contains("CJK")))
            })
        })
}

/// The line that installs these packages.
pub fn install_line(packages: &[&str]) -> String {
    format!("apt-get update && apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Installs packages as root, or fails with the line to paste.
pub fn install(packages: &[&str]) -> Result<()> {
    let line = install_line(packages);
    let is_root = output(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !is_root || program("apt-get").is_none() {
        bail!("missing on this machine: {}. As root: {line}", packages.join(", "));
    }
    succeed(Command::new("sh").args(["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive"))
        .with_context(|| format!("could not install {}", packages.join(", ")))
}

/// Installs what of these is missing.
pub fn provide(needs: &[&Need]) -> Result<()> {
    let missing: Vec<&str> =
        needs.iter().filter(|need| !(need.there)()).flat_map(|need| need.package.split(' ')).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Whether a file is there.
pub fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
