//! `suishen`, running as it is released.

use anyhow::{Result, ensure};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::time::sleep;

const HANG: Duration = Duration::from_mins(1);

/// The program; it ends with this.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it serves.
    pub base: String,
}

impl Program {
    /// Starts it on this data folder and waits until it answers. `url` is the file in which it says where it serves.
    pub async fn start(data: &Path, url: &str, arguments: &[&str]) -> Result<Self> {
        let url = data.join(url);
        if url.exists() {
            std::fs::remove_file(&url)?;
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
        command.args(["--log", "warn"]).args(arguments).arg("--data").arg(data);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut program = Self { child, base: String::new() };
        let begun = Instant::now();
        loop {
            ensure!(program.child.try_wait()?.is_none(), "suishen ended before it was ready");
            ensure!(begun.elapsed() < HANG, "suishen is not ready");
            program.base = std::fs::read_to_string(&url).unwrap_or_default();
            let health = reqwest::get(format!("{}/healthz", program.base)).await;
            if !program.base.is_empty() && health.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(program);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// A relay of the demo that takes whatever comes from one address.
    pub async fn relay(data: &Path) -> Result<Self> {
        let arguments = ["serve", "--demo", "--port", "0"];
        let limits =
            ["--requests-per-address", "0", "--requests-per-key", "0", "--connections-per-address", "0"];
        Self::start(data, "url", &[&arguments[..], &limits[..]].concat()).await
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
