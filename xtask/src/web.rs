//! `cargo xtask web`: everything that browsers load.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::bundle::{BUNDLES, Tools};
use crate::layout::{Served, lay_out};
use crate::place::Place;
use crate::sizes;
use crate::steps::Steps;
use crate::wasm::Compiler;

#[derive(Args)]
pub struct Web {
    /// Also write the sizes to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compile with this and nothing else (otherwise rustup's target, else Debian's compiler)
    #[arg(long, value_enum)]
    compiler: Option<Compiler>,
    /// Quick to build and large to load, for work on the pages: no wasm-opt, nothing compressed
    #[arg(long)]
    draft: bool,
}

impl Web {
    pub fn go(&self) -> Result<()> {
        let place = Place::new();
        let mut steps = Steps::default();
        let served = build(&place, &mut steps, self.compiler, self.draft)?;
        if !self.draft {
            sizes::report(&served, self.json.as_deref())?;
        }
        steps.print();
        println!("\nlaid out in {}", place.web_dist().display());
        Ok(())
    }
}

/// Builds the bundles and lays them out with the assets.
pub fn build(
    place: &Place,
    steps: &mut Steps,
    compiler: Option<Compiler>,
    draft: bool,
) -> Result<Vec<Served>> {
    let by = match compiler {
        Some(by) => by.require()?,
        None => Compiler::find()?,
    };
    eprintln!("  wasm by {}", by.name());
    let mut folders = Vec::new();
    for profile in if draft { &["wasm-draft"][..] } else { &["wasm-size", "wasm-speed"] } {
        let packages: Vec<&str> =
            BUNDLES.iter().filter(|b| draft || b.profile == *profile).map(|b| b.package).collect();
        let dir =
            steps.step(&format!("wasm: {}", packages.join(", ")), || by.build(place, profile, &packages))?;
        folders.push((*profile, dir));
    }
    let tools = steps.step("wasm-bindgen and wasm-opt", || Tools::provide(place, draft))?;
    let mut staged = Vec::new();
    for bundle in BUNDLES {
        for (_, dir) in folders.iter().filter(|(profile, _)| draft || *profile == bundle.profile) {
            let out = steps.step(&format!("bundle: {}", bundle.name), || bundle.stage(place, dir, &tools))?;
            staged.push(out);
        }
    }
    let served = steps.step("assets, brotli", || lay_out(place, &staged, draft))?;
    if !tools.optimises() && !draft {
        eprintln!("  sizes without wasm-opt");
    }
    Ok(served)
}
