//! A relay of a demo consortium, and what every test asks of it.

use reqwest::Method;
use std::{path::PathBuf, sync::Arc, time::Duration};
use suishen_core::{
    contract::{Credential, Role},
    sm::{SecretKey, Signed},
};
use suishen_relay::{
    client::{Client, ClientError},
    config::{Serve, serve_defaults},
    desk::ORGANISATIONS,
    keys::Keys,
    node::{KEYS, Node},
    order::{Clock, system_clock},
    random::SystemRandom,
};
use tokio::{net::TcpListener, sync::oneshot};

pub const HOSPITAL: &str = "12520100ANLAN00018";

/// A relay of a demo consortium in a folder of its own.
pub struct Relay {
    pub dir: tempfile::TempDir,
    pub base: String,
    stop: Option<oneshot::Sender<()>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Relay {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    /// A fresh relay with other options.
    pub async fn start_with(change: impl FnOnce(&mut Serve)) -> Self {
        Self::serve(tempfile::tempdir().unwrap(), change).await
    }

    pub async fn start_in(dir: tempfile::TempDir) -> Self {
        Self::serve(dir, |_| {}).await
    }

    /// A relay on data that are there, with other options.
    pub async fn serve(dir: tempfile::TempDir, change: impl FnOnce(&mut Serve)) -> Self {
        Self::serve_by(dir, change, system_clock()).await
    }

    /// The same by another clock.
    pub async fn serve_by(dir: tempfile::TempDir, change: impl FnOnce(&mut Serve), clock: Clock) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serve = serve_defaults();
        serve.demo = true;
        serve.web = Some(pages(&dir));
        change(&mut serve);
        let node = open(&dir, &serve, address.port(), clock).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let _upkeep = node.start();
            let stopped = async {
                let _ = stopped.await;
            };
            suishen_relay::command::serve::until(listener, Arc::clone(&node), stopped).await;
        });
        Self { dir, base: format!("http://{address}"), stop: Some(stop), serving }
    }

    pub async fn restart(self) -> Self {
        Self::start_in(self.stop().await).await
    }

    /// Ends it in good order; its data stay.
    pub async fn stop(mut self) -> tempfile::TempDir {
        let _ = self.stop.take().unwrap().send(());
        self.serving.await.unwrap();
        self.dir
    }

    pub async fn client(&self) -> Client {
        Client::connect(&self.base).await.unwrap()
    }

    pub fn keys(&self) -> Keys {
        Keys::new(self.dir.path().join(KEYS))
    }

    pub fn raw(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new().request(method, format!("{}{path}", self.base))
    }
}

/// Opens a relay's data; waits for what its last process, which is this one, still writes.
async fn open(dir: &tempfile::TempDir, serve: &Serve, port: u16, clock: Clock) -> Arc<Node> {
    let mut tries = 0;
    loop {
        match Node::open(dir.path(), serve, port, clock.clone()).await {
            Ok(node) => return node,
            Err(error) if tries == 100 || !format!("{error:#}").contains("already open") => {
                panic!("{error:#}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        tries += 1;
    }
}

/// A credential as the organisation's relay signs it, without the way over enrolment.
pub fn credential(
    keys: &Keys,
    client: &Client,
    role: Role,
    now: u64,
) -> (SecretKey, SecretKey, Signed<Credential>) {
    let acceptance = keys.folder(ORGANISATIONS).folder(HOSPITAL).read("acceptance").unwrap();
    let (grantee, box_key) = (fresh(), fresh());
    let credential = Credential {
        party: suishen_core::id::PartyId::new(HOSPITAL).unwrap(),
        role,
        grantee: grantee.public(),
        box_key: box_key.public(),
        expiry: now + 3600,
    };
    (grantee, box_key, Signed::new(&credential, &acceptance, &client.ledger()))
}

pub fn pages(dir: &tempfile::TempDir) -> PathBuf {
    let web = dir.path().join("web");
    std::fs::create_dir_all(web.join("pkg")).unwrap();
    std::fs::write(web.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(web.join("engine.js"), "0").unwrap();
    std::fs::write(web.join("engine.js.br"), "packed").unwrap();
    std::fs::write(web.join("pkg/app-1.js"), "0").unwrap();
    web
}

pub fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

pub fn refused(result: Result<impl Sized, ClientError>) -> (u16, String) {
    match result.err().expect("it must be refused") {
        ClientError::Refused { status, code, .. } => (status, code),
        other => panic!("{other}"),
    }
}

pub fn name(code: &str, status: u16) -> (u16, String) {
    (status, code.to_owned())
}

pub fn laboratory() -> Vec<u8> {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/laboratory/report.json");
    std::fs::read(sample).unwrap()
}
