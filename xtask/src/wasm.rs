//! Compiling for wasm32, by either of two ways: rustup's target, or where that cannot be downloaded, Debian's own
//! compiler with the standard library built from source.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::machine::{self, exists};
use crate::place::Place;
use crate::steps::{output, succeed, succeed_within};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "rust-web-src", "cargo-web", "lld-22"];
/// A download of 30 MB; without network the call hangs.
const RUSTUP_LIMIT: Duration = Duration::from_mins(3);

/// A way to compile for wasm32.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compiler {
    /// The toolchain in use, with rustup's wasm32 target
    Rustup,
    /// Debian's rustc-web, its standard library built from source
    Debian,
}

impl Compiler {
    /// How it is called in what is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rustup => "rustup's wasm32 target",
            Self::Debian => "Debian's rustc-web, standard library from source",
        }
    }

    /// How to get one, in words.
    pub const INSTALL: &str = "rustup target add wasm32-unknown-unknown   (or `cargo xtask web`, which tries that and \
         then Debian's compiler)";

    /// The first way that works on this machine as it is.
    pub fn present() -> Option<Self> {
        match () {
            () if has_target() => Some(Self::Rustup),
            () if has_debian() => Some(Self::Debian),
            () => None,
        }
    }

    /// The first way that works on this machine, set up if need be.
    pub fn find() -> Result<Self> {
        if has_target() {
            return Ok(Self::Rustup);
        }
        if machine::program("rustup").is_some() {
            match succeed_within(
                clean(&mut Command::new("rustup")).args(["target", "add", TARGET]),
                RUSTUP_LIMIT,
            ) {
                Ok(()) => return Ok(Self::Rustup),
                Err(error) => eprintln!("  {error:#}: trying Debian's compiler"),
            }
        }
        if has_debian() {
            return Ok(Self::Debian);
        }
        match machine::install(DEBIAN_PACKAGES) {
            Ok(()) if has_debian() => Ok(Self::Debian),
            _ => bail!(
                "no compiler for {TARGET}: neither `rustup target add {TARGET}` nor (as root, Debian 12 or later) \
                 `{}` works here",
                machine::install_line(DEBIAN_PACKAGES)
            ),
        }
    }

    /// Fails where a compiler asked for by name is not there.
    pub fn require(self) -> Result<Self> {
        let there = match self {
            Self::Rustup => has_target(),
            Self::Debian => has_debian(),
        };
        if there { Ok(self) } else { bail!("{} is not on this machine", self.name()) }
    }

    /// Builds web crates with a profile; returns the folder with their `.wasm` files.
    pub fn build(self, place: &Place, profile: &str, packages: &[&str]) -> Result<PathBuf> {
        let (program, target) = match self {
            Self::Rustup => ("cargo", place.target_wasm.clone()),
            Self::Debian => ("/usr/bin/cargo", place.target_wasm.join("debian")),
        };
        let mut command = Command::new(program);
        clean(&mut command).current_dir(&place.root).arg("build").args([
            "--target",
            TARGET,
            "--profile",
            profile,
        ]);
        for package in packages {
            command.args(["--package", package]);
        }
        command.arg("--config").arg(remap(place)?).env("CARGO_TARGET_DIR", &target);
        if self == Self::Debian {
            command
                .args(["-Z", "build-std=std,panic_abort"])
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22");
        }
        succeed(&mut command)?;
        Ok(target.join(TARGET).join(profile))
    }
}

fn has_target() -> bool {
    let mut rustc = Command::new("rustc");
    clean(&mut rustc).args(["--print", "target-libdir", "--target", TARGET]);
    output(&mut rustc).is_some_and(|dir| exists(&dir))
}

/// Compiler, linker and the standard library's source, as Debian lays them out.
fn has_debian() -> bool {
    let sysroot = || output(clean(&mut Command::new("/usr/bin/rustc")).args(["--print", "sysroot"]));
    exists("/usr/bin/cargo")
        && exists("/usr/bin/wasm-ld-22")
        && sysroot().is_some_and(|sysroot| exists(&format!("{sysroot}/lib/rustlib/src/rust/library/std")))
}

/// The same bytes from any checkout: paths of this machine do not reach the panic messages in the files.
fn remap(place: &Place) -> Result<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cargo"))
    });
    let mut flags = Vec::new();
    for (from, to) in [(home.as_deref(), "/cargo"), (Some(place.root.as_path()), "/suishen")] {
        if let Some(from) = from {
            let from = from.to_str().context("a path that is not text")?;
            flags.push(format!("'--remap-path-prefix={from}={to}'"));
        }
    }
    Ok(format!("target.{TARGET}.rustflags=[{}]", flags.join(", ")))
}

/// Takes away what the outer cargo tells its children: it would choose compiler and flags for the inner one.
pub fn clean(command: &mut Command) -> &mut Command {
    let inherited = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO", "LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"].contains(&name.as_ref())
            || [
                "RUSTC",
                "RUSTFLAGS",
                "RUSTDOC",
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_BIN_",
                "CARGO_ENCODED_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| inherited(name)) {
        command.env_remove(name);
    }
    command
}
