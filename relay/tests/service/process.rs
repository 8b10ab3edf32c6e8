//! The real `suishen` program.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use suishen_relay::client::Client;

const HANG: Duration = Duration::from_mins(1);

/// The program, running on a data folder.
pub struct Process {
    child: Child,
    pub base: String,
}

impl Process {
    /// Starts a relay with these flags beside the usual ones, and waits until it is ready.
    pub async fn start(data: &Path, flags: &[&str]) -> Self {
        let usual = ["serve", "--port", "0", "--requests-per-address", "0"];
        Self::run(data, &[&usual, flags].concat()).await
    }

    /// Starts a mailbox that stands alone.
    pub async fn start_mailbox(data: &Path, flags: &[&str]) -> Self {
        Self::run(data, &[&["mailbox", "--port", "0"], flags].concat()).await
    }

    async fn run(data: &Path, arguments: &[&str]) -> Self {
        let url = data.join("url");
        let _ = std::fs::remove_file(&url);
        let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
        command.args(["--log", "error"]).args(arguments);
        command.arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        loop {
            assert!(child.try_wait().unwrap().is_none(), "it does not start");
            assert!(began.elapsed() < HANG, "it is not ready");
            if let Ok(base) = std::fs::read_to_string(&url)
                && reqwest::get(format!("{base}/healthz"))
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            {
                return Self { child, base };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn client(&self) -> Client {
        Client::connect(&self.base).await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `suishen --data … ARGUMENTS` to its end: its exit code, and all that it printed.
pub async fn suishen(data: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
    command.arg("--data").arg(data).args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn what_it_writes_only_its_owner_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new");
    let process = Process::start(&data, &["--demo"]).await;
    let mut folders = vec![data.clone()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.chain([data.clone()]) {
            let about = std::fs::metadata(&path).unwrap();
            assert_eq!(about.permissions().mode() & 0o077, 0, "{}", path.display());
            if about.is_dir() && path != data {
                folders.push(path);
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
    process.kill();
}
