//! `suishen claims`, an insurer's own server, as a program beside the relay; and the insurer's system that asks it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use suishen_core::contract::Role;
use suishen_relay::client::Client;
use suishen_relay::desk::Invitee;
use tempfile::TempDir;

use crate::built;
use crate::played::invite;
use crate::process::{Process, tail};
use crate::relay::next_address;
use crate::{Between, HANG, Relay};

/// The server, running, logging all that it can.
pub struct ClaimsServer {
    _process: Process,
    dir: TempDir,
    /// Between it and the relay.
    pub between: Between,
    base: String,
}

impl ClaimsServer {
    /// Starts one that is enrolled for this organisation.
    pub async fn starts(relay: &Relay, party: &str, role: Role) -> Result<Self> {
        let between = relay.between(next_address()).await?;
        let client = Client::connect(&between.base()).await?;
        let invitee = Invitee { name: "理赔服务器".into(), role, title: None, unit: None, server: true };
        let link = invite(relay, &client, party, &invitee).await?;
        let dir = tempfile::Builder::new().prefix("suishen-claims-").tempdir()?;
        let (key, public) = (dir.path().join("key.pem"), dir.path().join("system.pem"));
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out"], &key)?;
        let key = key.to_str().context("a path that is not text")?;
        openssl(&["pkey", "-in", key, "-pubout", "-out"], &public)?;
        let data = dir.path().join("data");
        std::fs::create_dir(&data)?;
        let mut command = Command::new(built::binary()?);
        command.arg("--data").arg(&data).args(["--log", "trace", "claims", "--port", "0", "--relay"]);
        command.arg(between.base()).args(["--invite", &link, "--client-key"]).arg(public);
        let mut process = Process::start(&mut command, &dir.path().join("log"))?;
        let (start, url) = (Instant::now(), data.join("claims/url"));
        while start.elapsed() < HANG {
            if let Some(status) = process.ended()? {
                bail!("the claims server ended with {status}:\n{}", tail(&dir.path().join("log")));
            }
            if let Ok(base) = std::fs::read_to_string(&url)
                && reqwest::get(format!("{base}/healthz"))
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            {
                return Ok(Self { _process: process, dir, between, base });
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        bail!("the claims server was not ready:\n{}", tail(&dir.path().join("log")))
    }

    /// The insurer's system, the example client, takes a claim, waits for the patient's yes and pays what may be paid: what it
    /// printed.
    pub async fn settles(&self, link: &str) -> Result<String> {
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/claims/client.py");
        let mut command = tokio::process::Command::new("python3");
        command.arg(client).arg(&self.base).arg(self.dir.path().join("key.pem")).arg(link).kill_on_drop(true);
        let output = tokio::time::timeout(HANG, command.output()).await.context("the client hangs")??;
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.success(), "the client ended with {}:\n{printed}", output.status);
        Ok(printed)
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What it printed.
    pub fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

fn openssl(arguments: &[&str], file: &Path) -> Result<()> {
    let made = Command::new("openssl").args(arguments).arg(file).output().context("openssl is needed")?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}
