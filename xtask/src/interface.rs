//! The insurers' interface against its own description: schemathesis asks the sandbox of `suishen claims` whatever the
//! OpenAPI document allows and forbids, signed as the example client signs. On loopback, within two minutes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::steps::{succeed, succeed_within};

/// Of a fixed version, in a virtual environment below the target folder, never part of what is shipped.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
const INSTALLED: Duration = Duration::from_mins(5);
const CHECKED: Duration = Duration::from_mins(2);
const READY: Duration = Duration::from_secs(30);
/// What isn't asked: not every text of a description's form is a patient's link, a sum that may be paid, or an address
/// that may be called.
const LEFT_OUT: &str = "positive_data_acceptance";
/// The same requests each time.
const SEED: &str = "20260903";

/// The sandbox while it runs.
struct Sandbox(Child);

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts the sandbox and holds it to its document.
pub fn check(place: &Place) -> Result<()> {
    let program = install(place)?;
    let dir = place.target.join("interface");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let (secret, public) = (dir.join("secret.pem"), dir.join("core.pem"));
    let mut key = Command::new("openssl");
    key.args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out"]);
    succeed(key.arg(&secret).stderr(Stdio::null()))?;
    succeed(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&secret).arg("-out").arg(&public))?;
    let data = dir.join("data");
    let (_sandbox, url) = start(place, &data, &public)?;
    let mut run = Command::new(program);
    run.args(["run", &format!("{url}/v1/openapi.json"), "--url", &url]);
    run.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", SEED]);
    run.args(["--exclude-checks", LEFT_OUT, "--generation-database", "none", "--no-color"]);
    run.env("SCHEMATHESIS_HOOKS", place.root.join("relay/tests/interface/signing.py"));
    run.env("SUISHEN_URL", &url).env("SUISHEN_KEY", &secret).env("PYTHONDONTWRITEBYTECODE", "1");
    succeed_within(run.current_dir(&dir), CHECKED)
}

fn install(place: &Place) -> Result<PathBuf> {
    let dir = place.target.join("python").join(SCHEMATHESIS.replace("==", "-"));
    let program = dir.join("bin/schemathesis");
    if !program.is_file() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
        let mut pip = Command::new(dir.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", SCHEMATHESIS]);
        succeed_within(&mut pip, INSTALLED)
            .with_context(|| format!("{SCHEMATHESIS} could not be installed by pip"))?;
    }
    Ok(program)
}

fn start(place: &Place, data: &Path, key: &Path) -> Result<(Sandbox, String)> {
    let mut command = Command::new(place.relay_binary());
    command.args(["--log", "error", "claims", "--sandbox", "--port", "0", "--client-key"]).arg(key);
    let child = command.arg("--data").arg(data).spawn().context("could not start the sandbox")?;
    let mut sandbox = Sandbox(child);
    let (began, told) = (Instant::now(), data.join("sandbox/claims/url"));
    loop {
        if let Some(status) = sandbox.0.try_wait()? {
            bail!("the sandbox ended before it was ready, with {status}");
        }
        if let Ok(url) = fs::read_to_string(&told) {
            return Ok((sandbox, url));
        }
        if began.elapsed() > READY {
            bail!("the sandbox is not ready after {} s", READY.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
