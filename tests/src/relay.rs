//! A real relay: the `suishen` program on a fresh data folder and a port of its own. It can be killed in the middle of
//! its work and started again on the same data and port.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use tempfile::TempDir;

use crate::HANG;
use crate::between::Between;
use crate::built;
use crate::files::copy_folder;
use crate::process::{Process, free_port, tail};

/// The last byte of the loopback address by which the next program goes, so that what it says can be held back.
static NEXT: AtomicU8 = AtomicU8::new(3);

/// An address that nobody goes by yet.
pub(crate) fn next_address() -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A relay with the demo consortium.
pub struct Relay {
    process: Option<Process>,
    dir: TempDir,
    port: u16,
    web: PathBuf,
    client: Client,
    has_ended: bool,
    /// How far its clock is ahead, as `faketime` writes it.
    clock: Option<String>,
    /// How much it logs.
    level: &'static str,
    /// Where the further mailbox is that it names.
    further: Option<u16>,
}

/// A mailbox that stands alone.
pub struct FurtherMailbox {
    process: Process,
    port: u16,
    data: PathBuf,
}

impl FurtherMailbox {
    /// Where it keeps its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// As wallets name it.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// SIGTERM: it ends in its own good order.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.process.stop()
    }
}

/// What the relay answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header field's value, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Done, and nothing to say.
    pub fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Relay {
    /// Starts a relay on fresh data and waits until it is ready.
    pub async fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("suishen-relay-").tempdir()?;
        let client = Client::builder().timeout(HANG).build()?;
        let mut relay = Self {
            process: None,
            dir,
            port: free_port()?,
            web: built::web()?,
            client,
            has_ended: false,
            clock: None,
            level: "info",
            further: None,
        };
        relay.resume().await?;
        Ok(relay)
    }

    /// Starts it (again) on the same data and port, and waits until it is ready.
    pub async fn resume(&mut self) -> Result<()> {
        let mut command = match &self.clock {
            None => Command::new(built::binary()?),
            Some(ahead) => {
                let mut shifted = Command::new("faketime");
                shifted.args(["-f", ahead]).arg(built::binary()?);
                shifted
            }
        };
        command.args(["serve", "--demo", "--port", &self.port.to_string(), "--data"]).arg(self.data());
        command.arg("--web").arg(&self.web).args(["--log", self.level]);
        if let Some(port) = self.further {
            command.arg("--mailbox").arg(format!("http://localhost:{port}"));
        }
        if self.clock.is_some() {
            // `faketime` waits beside the program that it starts, and what ends it would leave that running.
            command.arg("--with-parent");
        }
        self.process = Some(Process::start(&mut command, &self.log())?);
        self.wait_ready().await
    }

    /// Lets time pass for the relay and its ledger, and for nobody's browser: `8d`, `20m`.
    pub async fn lets_pass(&mut self, time: &str) -> Result<()> {
        if self.process.is_some() {
            self.stop()?;
        }
        self.clock = Some(format!("+{time}"));
        self.resume().await
    }

    /// From here on it logs all that it can.
    pub async fn tells_everything(&mut self) -> Result<()> {
        self.level = "trace";
        self.stop()?;
        self.resume().await
    }

    /// Starts a further mailbox, and from here on names it to wallets.
    pub async fn names_a_further_mailbox(&mut self) -> Result<FurtherMailbox> {
        let (port, data) = (free_port()?, self.dir.path().join("mailbox"));
        let mut command = Command::new(built::binary()?);
        command.args(["mailbox", "--relay", &format!("http://127.0.0.1:{}", self.port)]);
        command.args(["--port", &port.to_string(), "--data"]).arg(&data);
        let process = Process::start(&mut command, &self.log())?;
        let start = Instant::now();
        while self.client.get(format!("http://127.0.0.1:{port}/healthz")).send().await.is_err() {
            if start.elapsed() > HANG {
                bail!("the mailbox was not ready:\n{}", tail(&self.log()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.further = Some(port);
        self.stop()?;
        self.resume().await?;
        Ok(FurtherMailbox { process, port, data })
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < HANG {
            if let Some(status) = self.process.as_mut().context("the relay is not running")?.ended()? {
                bail!("the relay ended with {status}:\n{}", tail(&self.log()));
            }
            if self.get("/healthz").await.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the relay was not ready after {} s:\n{}", HANG.as_secs(), tail(&self.log()))
    }

    /// A copy of what browsers load, for a scene to change: without the compressed files, which would still be the old.
    pub fn web_copy(&self) -> Result<PathBuf> {
        let copy = self.dir.path().join("web");
        copy_folder(&built::web()?, &copy, |file| file.extension().is_none_or(|end| end != "br"))?;
        Ok(copy)
    }

    /// Starts anew with other files for browsers.
    pub async fn serves(&mut self, web: &Path) -> Result<()> {
        self.web = web.to_owned();
        self.kill()?;
        self.resume().await
    }

    /// A copy of all that it has now, to set it back to.
    pub async fn copied(&mut self) -> Result<TempDir> {
        self.stop()?;
        let copy = tempfile::Builder::new().prefix("suishen-copy-").tempdir()?;
        copy_folder(&self.data(), copy.path(), |_| true)?;
        self.resume().await?;
        Ok(copy)
    }

    /// Goes on from an older copy, as if nothing had come after.
    pub async fn is_set_back(&mut self, copy: &Path) -> Result<()> {
        self.stop()?;
        std::fs::remove_dir_all(self.data())?;
        copy_folder(copy, &self.data(), |_| true)?;
        self.resume().await
    }

    /// Whether a scene has killed or stopped it, for however short a time.
    pub fn has_ended_before(&self) -> bool {
        self.has_ended
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.has_ended = true;
        self.process.take().context("the relay is not running")?.kill()
    }

    /// SIGTERM: it ends in its own good order.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.has_ended = true;
        self.process.take().context("the relay is not running")?.stop()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What it printed.
    pub fn log(&self) -> PathBuf {
        self.dir.path().join("relay.log")
    }

    /// The origin of a role (`patient`, `hospital`…); the start page's for an empty name.
    pub fn origin(&self, role: &str) -> String {
        let dot = if role.is_empty() { "" } else { "." };
        format!("http://{role}{dot}localhost:{}", self.port)
    }

    /// A place between it and whoever goes by this loopback address.
    pub(crate) async fn between(&self, address: Ipv4Addr) -> Result<Between> {
        Between::before(address, self.port).await
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process, while it runs.
    pub fn process_id(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("the relay is not running")?.id())
    }

    /// A GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Any request, as an attacker too would make it.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let mut request = self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
    }

    /// Runs `suishen --data … ARGUMENTS` beside it: its exit code, and all that it printed.
    pub async fn command(&self, arguments: &[&str]) -> Result<(i32, String)> {
        run(&self.data(), arguments).await
    }
}

async fn run(data: &Path, arguments: &[&str]) -> Result<(i32, String)> {
    let mut command = tokio::process::Command::new(built::binary()?);
    command.arg("--data").arg(data).args(arguments).kill_on_drop(true);
    let output = tokio::time::timeout(HANG, command.output())
        .await
        .with_context(|| format!("`suishen {}` hangs", arguments.join(" ")))??;
    let printed = [output.stdout, output.stderr].concat();
    let code = output.status.code().context("the program was ended by a signal")?;
    Ok((code, String::from_utf8_lossy(&printed).into_owned()))
}
