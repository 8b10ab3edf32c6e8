//! `cargo xtask test`: everything that must hold before a change is taken, on a fresh machine too.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::machine::{self, BROWSER, LINKER, NPM, PYTHON};
use crate::place::Place;
use crate::run::build_relay;
use crate::steps::{Steps, succeed};
use crate::wasm::clean;
use crate::{interface, licences, npm, sizes, web};

#[derive(Args)]
pub struct Test {
    /// Only the end-to-end tests whose name contains this
    #[arg(long, value_name = "NAME")]
    scene: Option<String>,
    /// Build the pages quick and large: for work on one scene
    #[arg(long, requires = "scene")]
    draft: bool,
    /// Test nothing, but take README's pictures anew, into tests/pictures
    #[arg(long, conflicts_with = "scene")]
    pictures: bool,
    /// Only the insurers' interface against its description
    #[arg(long, conflicts_with_all = ["scene", "pictures"])]
    interface: bool,
}

impl Test {
    pub fn go(&self) -> Result<()> {
        let place = Place::new();
        let mut steps = Steps::default();
        let outcome = self.stages(&place, &mut steps);
        steps.print();
        outcome
    }

    fn stages(&self, place: &Place, steps: &mut Steps) -> Result<()> {
        steps.step("set up", set_up)?;
        if self.interface {
            return insurers_interface(place, steps);
        }
        if self.scene.is_none() && !self.pictures {
            steps.step("format", || cargo(place, &["fmt", "--all", "--check"]))?;
            steps.step("licences and sources", || licences::check(place))?;
            steps.step("clippy", || {
                cargo(place, &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
            })?;
            steps.step("tests without a browser", || {
                cargo(place, &["test", "--workspace", "--exclude", "suishen-tests"])
            })?;
            insurers_interface(place, steps)?;
        }
        let served = web::build(place, steps, None, self.draft)?;
        if !self.draft {
            sizes::report(&served, None)?;
        }
        steps.step("relay", || build_relay(place, &[]))?;
        let axe = npm::AXE
            .provide(place)
            .with_context(|| format!("{} could not be installed by npm", npm::AXE.label()))?;
        steps.step("end to end", || self.end_to_end(place, &axe))
    }

    fn end_to_end(&self, place: &Place, axe: &Path) -> Result<()> {
        let mut tests = scenes(place);
        tests.arg("--no-fail-fast");
        let mut pictures = place.target.join("screenshots");
        if self.pictures {
            tests.args(["--test", "pictures", "--", "--ignored"]);
            pictures = place.root.join("tests/pictures");
        } else if let Some(scene) = &self.scene {
            tests.args(["--", scene]);
        }
        tests.env("SUISHEN_BIN", place.relay_binary()).env("SUISHEN_AXE", axe);
        succeed(tests.env("SUISHEN_SCREENSHOTS", pictures))
    }
}

fn insurers_interface(place: &Place, steps: &mut Steps) -> Result<()> {
    steps.step("insurers' interface", || {
        build_relay(place, &[])?;
        interface::check(place)
    })
}

/// The command that plays scenes on the built pages; which relay they use is still to be said.
pub fn scenes(place: &Place) -> Command {
    let mut tests = Command::new("cargo");
    clean(&mut tests).current_dir(&place.root).args(["test", "--package", "suishen-tests"]);
    tests.env("CARGO_TARGET_DIR", &place.target).env("SUISHEN_WEB", place.web_dist());
    // A failed scene says what was on the screen; where in the test runner it happened helps nobody.
    tests.env("RUST_LIB_BACKTRACE", "0");
    tests
}

/// What the steps above and the scenes need of the machine.
pub fn set_up() -> Result<()> {
    let mut needs = vec![&LINKER, &NPM, &PYTHON];
    needs.extend(BROWSER);
    machine::provide(&needs)?;
    // rustup's minimal profile brings neither.
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if machine::program(program).is_none() {
            let mut rustup = Command::new("rustup");
            succeed(clean(&mut rustup).args(["component", "add", component]))?;
        }
    }
    Ok(())
}

fn cargo(place: &Place, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    clean(&mut cargo).current_dir(&place.root).args(arguments);
    succeed(cargo.env("CARGO_TARGET_DIR", &place.target))
}
