//! The example clients in Rust and Python against the real `suishen claims`, in its sandbox; and the keys on its command
//! line.

use super::caller::Caller;
use crate::process::suishen;
use reqwest::Method;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use suishen_core::{id::LedgerId, sm::edge};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

/// `suishen claims --sandbox`, running.
struct Sandbox {
    child: Child,
    base: String,
}

impl Sandbox {
    async fn start(data: &Path, key: &Path) -> Self {
        Self::start_with(data, key, &[]).await
    }

    async fn start_with(data: &Path, key: &Path, variables: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
        command.envs(variables.iter().copied());
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
    let (along, settled) = printed.split_once('\n').unwrap();
    assert!(along.starts_with("along with it: 出院小结, withheld ("), "{printed}");
    assert!(settled.starts_with("settled 9927.86 "), "{printed}");

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
    assert!(printed.contains("出院小结"), "{printed}");

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
    // Another key of a known name is not passed over in silence.
    let other = dir.path().join("other/core.pem");
    std::fs::create_dir(other.parent().unwrap()).unwrap();
    std::fs::write(&other, edge::public_key_to_pem(&crate::relay::fresh().public())).unwrap();
    let other = ["claims", "--relay", "http://127.0.0.1:9", "--client-key", other.to_str().unwrap()];
    let (code, printed) = suishen(&data, &other).await;
    assert!(code == 2 && printed.contains("suishen claims key remove core"), "{printed}");
    let secret = key(dir.path()).with_extension("pem");
    let (code, printed) = call(&["add", secret.to_str().unwrap(), "--name", "secret"]).await;
    assert!(code == 2 && printed.contains("BEGIN PUBLIC KEY"), "{printed}");
    assert_eq!(call(&["remove", "core"]).await.0, 0);
    assert_eq!(call(&["remove", "core"]).await.0, 2);
    let (code, printed) = suishen(&data, &["claims", "--relay", "http://127.0.0.1:9"]).await;
    assert!(code == 2 && printed.contains("cannot be reached"), "{printed}");
}

/// A certificate for this machine, by itself; its file.
pub fn certificate(dir: &Path, name: &str) -> std::path::PathBuf {
    let file = dir.join(name);
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-subj", "/CN=core", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2", "-keyout"])
        .arg(file.with_extension("key"))
        .arg("-out")
        .arg(&file)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl is there").success());
    file
}

/// Listens for https with this certificate: where.
pub async fn listening(file: &Path) -> (TlsAcceptor, TcpListener, String) {
    let certificate = CertificateDer::from_pem_file(file).unwrap();
    let key = PrivateKeyDer::from_pem_file(file.with_extension("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    (TlsAcceptor::from(Arc::new(config)), listener, url)
}

/// Takes events over https with this certificate; where, and what came.
async fn secured(file: &Path) -> (String, mpsc::UnboundedReceiver<String>) {
    let (acceptor, listener, url) = listening(file).await;
    let (told, came) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while !text.ends_with('}') {
                let read = stream.read(&mut piece).await.unwrap();
                text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            let _ = stream.shutdown().await;
            let _ = told.send(text);
        }
    });
    (format!("{url}/events"), came)
}

#[tokio::test]
async fn a_webhook_is_called_over_https_where_its_certificate_is_trusted_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let (trusted, other) = (certificate(dir.path(), "trusted.pem"), certificate(dir.path(), "other.pem"));
    let (secret, public) = (crate::relay::fresh(), dir.path().join("core.pem"));
    std::fs::write(&public, edge::public_key_to_pem(&secret.public())).unwrap();
    let variables = [("SSL_CERT_FILE", trusted.as_path())];
    let sandbox = Sandbox::start_with(&dir.path().join("data"), &public, &variables).await;
    let info: Value = reqwest::get(format!("{}/v1/info", sandbox.base)).await.unwrap().json().await.unwrap();
    let ledger = LedgerId::from_hex(info["ledger"].as_str().unwrap()).unwrap();
    let caller = Caller::new(&sandbox.base, secret, ledger).await;
    let (url, mut came) = secured(&trusted).await;
    assert_eq!(caller.call(Method::PUT, "/v1/webhook", &json!({ "url": url })).await.0, 200);
    let (_, link) = caller.post("/v1/sandbox/claims", &json!({})).await;
    let (status, _) = caller.post("/v1/claims", &json!({ "link": link["link"] })).await;
    assert_eq!(status, 202);
    let first = tokio::time::timeout(Duration::from_secs(30), came.recv()).await.unwrap().unwrap();
    assert!(first.starts_with("POST /events HTTP/1.1") && first.contains("\"received\""), "{first}");
    assert!(first.contains("signature-input: suishen=("), "{first}");

    let (url, mut came) = secured(&other).await;
    assert_eq!(caller.call(Method::PUT, "/v1/webhook", &json!({ "url": url })).await.0, 200);
    let (_, link) = caller.post("/v1/sandbox/claims", &json!({})).await;
    caller.post("/v1/claims", &json!({ "link": link["link"] })).await;
    for _ in 0..100 {
        let (_, hook) = caller.get("/v1/webhook").await;
        if hook["failures"].as_u64().unwrap() > 0 {
            assert!(came.try_recv().is_err());
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing was tried");
}
