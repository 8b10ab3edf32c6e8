//! chromedriver, on a port of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::Client;
use serde_json::Value;

use crate::HANG;
use crate::process::{Process, free_port, tail};

/// A running chromedriver.
pub struct Driver {
    _process: Process,
    port: u16,
    client: Client,
}

impl Driver {
    /// Starts one; its log goes to the folder.
    pub async fn start(dir: &Path) -> Result<Self> {
        let port = free_port()?;
        let log = dir.join("chromedriver.log");
        let mut command =
            Command::new(program("chromedriver").context("chromedriver is not on this machine")?);
        let mut process = Process::start(command.arg(format!("--port={port}")), &log)?;
        let client = Client::builder().timeout(HANG).build()?;
        let start = Instant::now();
        while start.elapsed() < HANG {
            if let Some(status) = process.ended()? {
                bail!("chromedriver ended with {status}:\n{}", tail(&log));
            }
            let status = client.get(format!("http://127.0.0.1:{port}/status")).send().await;
            if status.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(Self { _process: process, port, client });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("chromedriver was not ready after {} s", HANG.as_secs())
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client for the endpoints that `WebDriver` crates do not know.
    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

/// Chromium's own program: its wrapper script is not always what chromedriver finds.
pub fn chromium() -> Result<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(program)
        .context("Chromium is not on this machine: `cargo xtask doctor` says how to get it")
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// One call to an endpoint of a session: the `value` of the answer.
pub async fn call(client: &Client, url: &str, body: &Value) -> Result<Value> {
    let mut answer: Value = client.post(url).json(body).send().await?.json().await?;
    let value = answer["value"].take();
    match value["error"].as_str() {
        Some(error) => bail!("{error}: {}", value["message"].as_str().unwrap_or_default()),
        None => Ok(value),
    }
}
