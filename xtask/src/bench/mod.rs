//! `cargo xtask bench`: how fast it is, beside its peers in the same run. Figures are printed and judged ("met",
//! "behind"); none fails the run, for a busy machine is no fault of the code.

mod areas;
mod audit;
mod claims;
mod criterion;
mod crypto;
mod figure;
mod node;
mod openssl;
mod peers;
mod programs;
mod sync;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::place::Place;
use crate::steps::Steps;
use areas::Area;
use figure::Table;

/// What is asked for.
#[derive(Args)]
#[command(
    after_long_help = "Let the machine be idle: what else runs is measured with it. The medians and best rounds that are \
        printed bear some noise; two runs that differ by a tenth are alike. What a peer needs and this machine lacks \
        (openssl, node, npm) leaves its column empty."
)]
pub struct Bench {
    /// What to measure; all where none is named
    #[arg(value_enum)]
    area: Option<Area>,
    /// Also write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Bench {
    pub fn go(&self) -> Result<()> {
        let place = Place::new();
        let mut steps = Steps::default();
        let areas = self.area.map_or_else(|| Area::ALL.to_vec(), |area| vec![area]);
        let before = busy();
        let mut tables = Vec::new();
        for area in areas {
            tables.extend(area.measure(&place, &mut steps)?);
        }
        steps.print();
        tables.iter().for_each(Table::print);
        if let Some(load) = before.filter(|load| *load > QUIET) {
            println!(
                "\nThe machine was busy before the first measurement (load {load:.1}): measure again when it is idle."
            );
        }
        if let Some(file) = &self.json {
            std::fs::write(file, serde_json::to_string_pretty(&figure::json(&tables))?)?;
        }
        Ok(())
    }
}

/// A load average above which something else is at work.
const QUIET: f64 = 0.7;

/// Processes that ran or waited to, on average over the last minute; none where the system doesn't say.
fn busy() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
