//! One web crate's way from the compiler's wasm to what a browser loads: glue by wasm-bindgen, then `wasm-opt`.
//! Unchanged wasm is not worked on again.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use sm3::{Digest, Sm3};

use crate::npm;
use crate::place::Place;
use crate::steps::succeed;
use crate::wasm::clean;

/// A web crate and what it is built for.
pub struct Bundle {
    /// The bundle's name.
    pub name: &'static str,
    /// The name of its glue and wasm file: the workers' modules have the plain name.
    out: &'static str,
    /// Its package.
    pub package: &'static str,
    /// The profile of Cargo.toml that compiles it.
    pub profile: &'static str,
    /// What `wasm-opt` is told, beside what it is always told.
    pub optimise: &'static str,
}

/// As small as it gets.
const SMALL: &str = "-Oz";
/// Quick to run: what is worth inlining, the compiler has inlined.
const QUICK: &str = "-Os";
/// Small as sent: inlining a function into its only caller makes the file smaller but what brotli makes of it larger
/// (by 6 % for the interface, 12 % for the engine), and functions with like names compress best side by side. Names are
/// dropped last.
const AS_SENT: [&str; 4] = [
    "--one-caller-inline-max-function-size=0",
    "--always-inline-max-function-size=0",
    "--reorder-functions-by-name",
    "--strip-debug",
];

/// The interface waits for its code, so it is built small; the engine computes, so it is built quick.
pub const BUNDLES: &[Bundle] = &[
    Bundle { name: "app", out: "app", package: "suishen-wallet", profile: "wasm-size", optimise: SMALL },
    Bundle { name: "desk", out: "desk", package: "suishen-desk", profile: "wasm-size", optimise: SMALL },
    Bundle {
        name: "scanner",
        out: "scanner_glue",
        package: "suishen-scanner",
        profile: "wasm-size",
        optimise: SMALL,
    },
    Bundle {
        name: "engine",
        out: "engine_glue",
        package: "suishen-wallet-engine",
        profile: "wasm-speed",
        optimise: QUICK,
    },
    Bundle {
        name: "desk-engine",
        out: "desk_engine_glue",
        package: "suishen-desk-engine",
        profile: "wasm-speed",
        optimise: QUICK,
    },
    Bundle { name: "peer", out: "peer_glue", package: "suishen-peer", profile: "wasm-size", optimise: SMALL },
];

/// The benchmarks' works, built as the engine is; laid out nowhere.
pub const SPEED: Bundle =
    Bundle { name: "speed", out: "speed", package: "suishen-speed", profile: "wasm-speed", optimise: QUICK };

/// What rustc emits for wasm32 and every browser of the last years has; named one by one, so that `wasm-opt` brings in
/// nothing newer.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

impl Bundle {
    /// The glue's file name.
    pub fn glue(&self) -> String {
        format!("{}.js", self.out)
    }

    fn compiled(&self, dir: &Path) -> PathBuf {
        dir.join(self.package.replace('-', "_")).with_extension("wasm")
    }

    /// Leaves the glue and the wasm file, nothing else, in the returned folder.
    pub fn stage(&self, place: &Place, compiled: &Path, tools: &Tools) -> Result<PathBuf> {
        let input = self.compiled(compiled);
        let bytes = std::fs::read(&input).with_context(|| format!("could not read {}", input.display()))?;
        let out = place.target_wasm.join("bundles").join(self.name);
        let stamp = out.with_extension("made-from");
        let made_from = format!(
            "{} {} {} {}",
            hex(&bytes),
            tools.bindgen_hash,
            tools.optimiser_label(),
            [self.optimise].iter().chain(&AS_SENT).copied().collect::<Vec<_>>().join(" ")
        );
        if std::fs::read_to_string(&stamp).is_ok_and(|known| known == made_from) {
            return Ok(out);
        }
        if out.exists() {
            std::fs::remove_dir_all(&out)?;
        }
        std::fs::create_dir_all(&out)?;
        succeed(Command::new(&tools.bindgen).arg(&input).arg(&out).arg(self.out))?;
        if let Some(wasm_opt) = &tools.wasm_opt {
            let wasm = out.join(format!("{}_bg.wasm", self.out));
            let small = out.join("optimised.wasm");
            succeed(
                Command::new(wasm_opt)
                    .args(FEATURES)
                    .arg(self.optimise)
                    .args(AS_SENT)
                    .arg(&wasm)
                    .arg("-o")
                    .arg(&small),
            )?;
            std::fs::rename(&small, &wasm)?;
        }
        std::fs::write(&stamp, made_from)?;
        Ok(out)
    }
}

/// The programs between compiler and browser.
pub struct Tools {
    bindgen: PathBuf,
    bindgen_hash: String,
    wasm_opt: Option<PathBuf>,
}

impl Tools {
    /// Builds or installs them. A draft does without `wasm-opt`; without npm the bundles are larger, and that is said.
    pub fn provide(place: &Place, draft: bool) -> Result<Self> {
        let mut build = Command::new("cargo");
        clean(&mut build).current_dir(&place.root).args(["build", "--package", "suishen-bindgen"]);
        succeed(build.env("CARGO_TARGET_DIR", &place.target))?;
        let bindgen = place.target.join("debug/suishen-bindgen");
        let bindgen_hash =
            hex(&std::fs::read(&bindgen).context("suishen-bindgen was built but is not there")?);
        let wasm_opt = if draft { None } else { npm::WASM_OPT.provide(place) };
        if wasm_opt.is_none() && !draft {
            eprintln!("  no wasm-opt ({} from npm): the bundles stay larger", npm::WASM_OPT.label());
        }
        Ok(Self { bindgen, bindgen_hash, wasm_opt })
    }

    /// Whether the bundles are as small as they get.
    pub fn optimises(&self) -> bool {
        self.wasm_opt.is_some()
    }

    fn optimiser_label(&self) -> String {
        self.wasm_opt.as_ref().map_or_else(|| "none".to_owned(), |_| npm::WASM_OPT.label())
    }
}

/// SM3 of some bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sm3::digest(bytes))
}
