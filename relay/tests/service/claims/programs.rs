//! The example clients in Rust and Python against the real `suishen claims`, in its sandbox; and the keys on its command
//! line.

use crate::process::suishen;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use suishen_core::sm::edge;

/// `suishen claims --sandbox`, running.
struct Sandbox {
    child: Child,
    base: String,
}

impl Sandbox {
    async fn start(data: &Path, key: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
        command.args(["--log", "error", "claims", "--sandbox", "--port", "0", "--client-key"]).arg(key);
        let mut child = command.arg("--data").arg(data).stdin(Stdio::null()).spawn().unwrap();
        let (began, url) = (Instant::now(), data.join("sandbox/claims/url"));
        loop {
            assert!(child.try_wait().unwrap().is_none(), "the server does not start");
            assert!(began.elapsed() < Duration::from_mins(1), "the server is not ready");
            if let Ok(base) = std::fs::read_to_string(&url)
                && reqwest::get(format!("{base}/healthz"))
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            {
                return Self { child, base };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key as another program makes it.
fn key(dir: &Path) -> std::path::PathBuf {
    let file = dir.join("core.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out"])
        .arg(&file)
        .status();
    assert!(made.expect("openssl is there").success());
    file
}

async fn output(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

#[tokio::test]
async fn the_example_clients_settle_a_claim_each() {
    let dir = tempfile::tempdir().unwrap();
    let secret = key(dir.path());
    let public = dir.path().join("public.pem");
    let pem = edge::secret_key_from_pem(&std::fs::read_to_string(&secret).unwrap()).unwrap().public();
    std::fs::write(&public, edge::public_key_to_pem(&pem)).unwrap();
    let sandbox = Sandbox::start(&dir.path().join("data"), &public).await;

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut python = Command::new("python3");
    python.arg(root.join("samples/claims/client.py")).arg(&sandbox.base).arg(&secret).arg("sandbox");
    let printed = output(python).await;
    assert!(printed.starts_with("settled 9927.86 "), "{printed}");

    let programs = Path::new(env!("CARGO_BIN_EXE_suishen")).parent().unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "suishen-relay", "--example", "claims", "--target-dir"]);
    output({
        build.arg(programs.parent().unwrap()).current_dir(root);
        build
    })
    .await;
    let mut rust = Command::new(programs.join("examples/claims"));
    rust.arg(&sandbox.base).arg(&secret).arg("sandbox");
    let printed = output(rust).await;
    assert!(printed.contains("settled") && printed.contains("9927.86"), "{printed}");

    let info: serde_json::Value =
        reqwest::get(format!("{}/v1/info", sandbox.base)).await.unwrap().json().await.unwrap();
    assert_eq!(info["sandbox"], true);
    let refused = reqwest::get(format!("{}/v1/claims", sandbox.base)).await.unwrap();
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["sandbox"], true);
}

#[tokio::test]
async fn a_key_is_registered_listed_and_removed_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("core.pem");
    std::fs::write(&file, edge::public_key_to_pem(&crate::relay::fresh().public())).unwrap();
    let file = file.to_str().unwrap();
    let call = async |arguments: &[&str]| suishen(&data, &[&["claims", "key"], arguments].concat()).await;
    assert_eq!(call(&["add", file]).await.0, 0);
    let (code, printed) = call(&["add", file]).await;
    assert!(code == 2 && printed.contains("remove it first"), "{printed}");
    assert!(call(&["list"]).await.1.starts_with("core: "));
    assert_eq!(call(&["add", file, "--name", "../up"]).await.0, 2);
    let secret = key(dir.path()).with_extension("pem");
    let (code, printed) = call(&["add", secret.to_str().unwrap(), "--name", "secret"]).await;
    assert!(code == 2 && printed.contains("BEGIN PUBLIC KEY"), "{printed}");
    assert_eq!(call(&["remove", "core"]).await.0, 0);
    assert_eq!(call(&["remove", "core"]).await.0, 2);
    let (code, printed) = suishen(&data, &["claims", "--relay", "http://127.0.0.1:9"]).await;
    assert!(code == 2 && printed.contains("cannot be reached"), "{printed}");
}
