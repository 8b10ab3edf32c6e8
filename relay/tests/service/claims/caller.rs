//! An insurer's core system at the door, with a key that its operator registered.

use super::world::{Server, World};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::{path::Path, sync::Arc};
use suishen_core::{
    id::{GrantId, LedgerId},
    identity::request::{Headers, Message, sign_registered},
    sm::{Digest, SecretKey, edge},
};
use suishen_relay::{
    claims::{door::Door, webhook::Hook},
    command::claims::{start, until},
    config::{Limits, serve_defaults},
    http::connections::Bounds,
    random::SystemRandom,
};
use tokio::{net::TcpListener, task::JoinSet};

/// A server with its door open.
pub struct Desk {
    pub server: Server,
    pub hook: Arc<Hook>,
    pub caller: Caller,
    serving: JoinSet<()>,
}

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    pub base: String,
    pub key: SecretKey,
    pub ledger: LedgerId,
    pub now: u64,
    pub http: reqwest::Client,
}

pub fn register(data: &Path, key: &SecretKey) {
    let file = data.join("core.pem");
    std::fs::write(&file, edge::public_key_to_pem(&key.public())).unwrap();
    suishen_relay::claims::clients::Clients::of(data).add("core", &file).unwrap();
}

impl Desk {
    pub async fn open(world: &World, server: Server) -> Self {
        let key = crate::relay::fresh();
        register(server.dir.path(), &key);
        Self::behind(world, server, key).await
    }

    /// With connections held to other bounds than a relay's usual ones.
    pub async fn open_within(world: &World, server: Server, change: impl FnOnce(&mut Limits)) -> Self {
        let key = crate::relay::fresh();
        register(server.dir.path(), &key);
        Self::behind_within(world.client.ledger(), server, key, change).await
    }

    pub async fn behind(world: &World, server: Server, key: SecretKey) -> Self {
        Self::behind_within(world.client.ledger(), server, key, |_| {}).await
    }

    pub async fn behind_within(
        ledger: LedgerId,
        server: Server,
        key: SecretKey,
        change: impl FnOnce(&mut Limits),
    ) -> Self {
        let mut limits = serve_defaults().limits;
        change(&mut limits);
        let hook = Arc::new(Hook::new(server.desk.clone(), true).unwrap());
        let door = Door::open(server.dir.path(), server.desk.clone(), hook.clone(), None).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = start(server.desk.clone(), hook.clone(), &door);
        let bounds = Bounds::new(&limits, false);
        serving.spawn(async move { until(listener, &door, &bounds, std::future::pending()).await });
        let caller = Caller::new(&base, key, ledger).await;
        Self { server, hook, caller, serving }
    }

    /// Ends it; its data stay.
    pub async fn stop(self) -> tempfile::TempDir {
        let Self { server, hook, mut serving, .. } = self;
        drop(hook);
        serving.shutdown().await;
        server.stop().await
    }

    /// As after a crash.
    pub async fn restart(self, world: &World) -> Self {
        self.restart_after(world, |_| {}).await
    }

    /// As after a crash in which something happened to its data.
    pub async fn restart_after(self, world: &World, happened: impl FnOnce(&Path)) -> Self {
        let key = self.caller.key.clone();
        let dir = self.stop().await;
        happened(dir.path());
        let server = Server::open(dir, &world.relay.base, None).await.unwrap();
        Self::behind(world, server, key).await
    }
}

impl Caller {
    pub async fn new(base: &str, key: SecretKey, ledger: LedgerId) -> Self {
        let http = reqwest::Client::new();
        let info: Value = http.get(format!("{base}/v1/info")).send().await.unwrap().json().await.unwrap();
        assert_eq!(info["ledger"], ledger.to_hex());
        Self { base: base.to_owned(), key, ledger, now: info["now"].as_u64().unwrap(), http }
    }

    /// Of a POST with the idempotency key of [`Caller::raw`].
    pub fn sign(&self, method: &Method, target: &str, body: &[u8], at: u64) -> Headers {
        self.sign_once(method, target, body, at, (method == Method::POST).then_some("raw"))
    }

    pub fn sign_once(
        &self,
        method: &Method,
        target: &str,
        body: &[u8],
        at: u64,
        once: Option<&str>,
    ) -> Headers {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let message = Message { method: method.as_str(), path, query, content: Digest::of(body), once };
        sign_registered(&message, &self.key, &self.ledger, at, &mut SystemRandom)
    }

    pub fn request(&self, method: Method, target: &str, body: &[u8], signed: &Headers) -> RequestBuilder {
        self.http
            .request(method, format!("{}{target}", self.base))
            .header("accept-language", "en")
            .header("content-type", "application/json")
            .header("content-digest", &signed.content_digest)
            .header("signature-input", &signed.signature_input)
            .header("signature", &signed.signature)
            .body(body.to_vec())
    }

    async fn send(request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
    }

    pub async fn call(&self, method: Method, target: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let signed = self.sign(&method, target, &body, self.now);
        Self::send(self.request(method, target, &body, &signed)).await
    }

    pub async fn get(&self, target: &str) -> (u16, Value) {
        self.call(Method::GET, target, &Value::Null).await
    }

    /// A POST under an idempotency key.
    pub async fn post_as(&self, name: &str, target: &str, body: &Value) -> (u16, Value) {
        let body = serde_json::to_vec(body).unwrap();
        let signed = self.sign_once(&Method::POST, target, &body, self.now, Some(name));
        Self::send(self.request(Method::POST, target, &body, &signed).header("idempotency-key", name)).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> (u16, Value) {
        let name = data_encoding::HEXLOWER.encode(&suishen_core::sm::Random::bytes::<16>(&mut SystemRandom));
        self.post_as(&name, target, body).await
    }

    /// Headers as they are, whatever they are.
    pub async fn raw(&self, method: Method, target: &str, body: &[u8], signed: &Headers) -> (u16, Value) {
        let named = self.request(method, target, body, signed).header("idempotency-key", "raw");
        Self::send(named).await
    }
}

/// Status and code of a problem, whose form is checked.
pub fn problem((status, body): (u16, Value)) -> (u16, String) {
    let code = body["code"].as_str().unwrap_or_else(|| panic!("{status} {body}")).to_owned();
    assert_eq!(body["type"], format!("urn:suishen:problem:{code}"));
    assert_eq!(body["status"], status);
    for field in ["title", "detail", "action"] {
        assert!(body[field].as_str().is_some_and(|text| text.is_ascii() && !text.is_empty()), "{body}");
    }
    (status, code)
}

pub fn path(claim: &GrantId, rest: &str) -> String {
    format!("/v1/claims/{claim}{rest}")
}
