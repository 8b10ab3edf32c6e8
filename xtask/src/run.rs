//! `cargo xtask run`: the product with its demo consortium, on this machine, in a browser.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::machine;
use crate::place::Place;
use crate::steps::{Steps, succeed};
use crate::wasm::clean;
use crate::web;

#[derive(Args)]
pub struct Run {
    /// Port to serve on; a busy one gives way to the next free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder for the relay's data
    #[arg(long, default_value = ".suishen")]
    data: PathBuf,
    /// Empty the data folder first
    #[arg(long)]
    fresh: bool,
    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
    /// Build the pages quick and large
    #[arg(long)]
    draft: bool,
}

impl Run {
    pub fn go(&self) -> Result<()> {
        let place = Place::new();
        let mut steps = Steps::default();
        machine::provide(&[&machine::LINKER])?;
        web::build(&place, &mut steps, None, self.draft)?;
        steps.step("relay", || build_relay(&place, &[]))?;
        steps.print();
        only_a_relays(&self.data)?;
        if self.fresh && self.data.exists() {
            let why = || format!("could not empty {}", self.data.display());
            std::fs::remove_dir_all(&self.data).with_context(why)?;
        }
        let port = free_port(self.port)?;
        if port != self.port {
            eprintln!("  port {} is busy, taking {port}", self.port);
        }
        let mut relay = Command::new(place.relay_binary())
            .args(["serve", "--demo", "--port"])
            .arg(port.to_string())
            .arg("--data")
            .arg(&self.data)
            .arg("--web")
            .arg(place.web_dist())
            .arg("--with-parent")
            .spawn()
            .context("could not start the relay")?;
        wait_ready(&mut relay, port)?;
        let url = format!("http://localhost:{port}");
        println!("\n随身 Suishen is ready: {url}   (Ctrl-C stops it)");
        if !self.no_browser {
            open(&url);
        }
        // Ctrl-C reaches the relay as well, which ends in its own good order.
        let status = relay.wait()?;
        if status.success() || status.code().is_none() {
            Ok(())
        } else {
            bail!("the relay ended with {status}")
        }
    }
}

/// Builds the relay's binary as tests and demo run it; with more flags, as others do.
pub fn build_relay(place: &Place, flags: &[&str]) -> Result<()> {
    let mut build = Command::new("cargo");
    clean(&mut build).current_dir(&place.root).args(["build", "--package", "suishen-relay"]);
    succeed(build.args(flags).env("CARGO_TARGET_DIR", &place.target))
}

/// What an insurer's server and its sandbox keep in a data folder.
const BESIDE: [&str; 2] = ["claims", "sandbox"];

/// A folder in which somebody keeps something else is neither used nor emptied.
fn only_a_relays(data: &Path) -> Result<()> {
    if !data.exists() || data.join("ledger/ledger.redb").exists() {
        return Ok(());
    }
    let names = std::fs::read_dir(data)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
    if names.iter().any(|name| !BESIDE.iter().any(|known| name == known)) {
        bail!(
            "{} holds something else than a relay's data (no ledger/ledger.redb): give an empty folder by --data",
            data.display()
        );
    }
    Ok(())
}

/// The first port from this one on that nobody listens on.
pub fn free_port(from: u16) -> Result<u16> {
    (from..=u16::MAX)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .with_context(|| format!("no free port from {from} on"))
}

/// Waits until the relay answers `/healthz`, or has ended.
pub fn wait_ready(relay: &mut Child, port: u16) -> Result<()> {
    loop {
        if let Some(status) = relay.try_wait()? {
            bail!("the relay ended before it was ready, with {status}");
        }
        if healthy(port) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn healthy(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn open(url: &str) {
    let program = ["xdg-open", "open"].into_iter().find_map(machine::program);
    let opened = program.is_some_and(|program| Command::new(program).arg(url).spawn().is_ok());
    if !opened {
        println!("  open {url} in a browser");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_an_insurers_server_is_used_and_a_strangers_is_not() {
        let data = std::env::temp_dir().join(format!("suishen-run-{}", std::process::id()));
        let put = |name: &str| std::fs::create_dir_all(data.join(name)).unwrap();
        assert!(only_a_relays(&data).is_ok(), "none is there");
        put("claims");
        put("sandbox");
        assert!(only_a_relays(&data).is_ok());
        put("thesis");
        assert!(only_a_relays(&data).unwrap_err().to_string().contains("something else"));
        put("ledger");
        std::fs::write(data.join("ledger/ledger.redb"), "").unwrap();
        assert!(only_a_relays(&data).is_ok());
        std::fs::remove_dir_all(&data).unwrap();
    }
}
