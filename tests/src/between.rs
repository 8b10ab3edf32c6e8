//! A place in the network between browsers and relay: where a relay's operator, or whoever sits on the line, could
//! answer otherwise, and where everything that passes can be read.
//!
//! It listens on the relay's port at another loopback address, and browsers are told to go there: what they load, their
//! origins and the relay are as they always are.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use suishen_core::cbor;
use suishen_core::contract::SignedTransaction;
use suishen_relay::http::transactions::Standing;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::HANG;
use crate::relay::Answer;

/// Where browsers are sent.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// No body is longer.
const MOST: usize = 1 << 26;
/// What a request's head may take.
const HEAD: usize = 16 << 10;

/// A request as it passes.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Which key signed it; empty where none did.
    pub signer: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// Whether it is a request of this method under this path.
    pub fn is(&self, method: &Method, path: &str) -> bool {
        self.method == *method && self.path.starts_with(path)
    }
}

impl Answer {
    /// “It stands”, of a transaction that never came to the ledger.
    pub fn stands(asked: &Asked) -> Self {
        let id = SignedTransaction::from_bytes(&asked.body).expect("a transaction").id();
        Self::made(StatusCode::CREATED, "application/cbor", cbor::encode(&Standing { id, number: 3, now: 1 }))
    }

    /// An answer of the scene's own.
    pub fn made(status: StatusCode, kind: &str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().expect("a type"));
        Self { status, headers, body }
    }
}

/// What becomes of a request.
pub enum Turn {
    /// It is done and answered as it should be.
    Honest,
    /// The relay never hears of it; this is the answer.
    Instead(Answer),
    /// The relay does it, and its answer becomes another.
    Then(Box<dyn FnOnce(Answer) -> Answer + Send>),
}

type Lie = Arc<dyn Fn(&Asked) -> Turn + Send + Sync>;

/// Everything between browsers and relay goes through here. Clones are the same place.
#[derive(Clone)]
pub struct Between {
    inner: Arc<Inner>,
}

struct Inner {
    base: String,
    port: u16,
    client: reqwest::Client,
    lie: Mutex<Option<Lie>>,
    passed: Arc<Mutex<Vec<u8>>>,
    task: Mutex<Option<AbortHandle>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = locked(&self.task).take() {
            task.abort();
        }
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Between {
    /// Before the relay at this port, for whoever goes by this loopback address.
    pub(crate) async fn before(address: Ipv4Addr, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((address, port)).await;
        let listener = listener.with_context(|| format!("{address} is no address of this machine"))?;
        let inner = Arc::new(Inner {
            base: format!("http://{address}:{port}"),
            port,
            client: reqwest::Client::builder().timeout(HANG).build()?,
            lie: Mutex::default(),
            passed: Arc::default(),
            task: Mutex::default(),
        });
        let (connections, queue) = mpsc::channel(16);
        let accepting = accept(listener, connections, (port, inner.passed.clone()));
        // It must not keep alive what ends it.
        let service = Router::new().fallback(pass).with_state(Arc::downgrade(&inner));
        let serving = axum::serve(Queue(queue), service);
        let task = tokio::spawn(async move {
            tokio::select! {
                () = accepting => {}
                _ = serving.into_future() => {}
            }
        });
        *locked(&inner.task) = Some(task.abort_handle());
        Ok(Self { inner })
    }

    /// Its address, for programs.
    pub(crate) fn base(&self) -> String {
        self.inner.base.clone()
    }

    /// From here on this is what becomes of requests.
    pub fn lies(&self, lie: impl Fn(&Asked) -> Turn + Send + Sync + 'static) {
        *locked(&self.inner.lie) = Some(Arc::new(lie));
    }

    /// From here on everything passes as it is.
    pub fn is_honest(&self) {
        *locked(&self.inner.lie) = None;
    }

    /// All that has passed: requests and answers, heads and bodies. Of web sockets, what the relay said.
    pub fn has_passed(&self) -> Vec<u8> {
        locked(&self.inner.passed).clone()
    }
}

/// Takes connections. Web sockets pass as bytes; the rest waits to be read as requests.
async fn accept(
    listener: TcpListener,
    connections: mpsc::Sender<TcpStream>,
    (port, passed): (u16, Arc<Mutex<Vec<u8>>>),
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (connections, passed) = (connections.clone(), passed.clone());
        // A browser opens connections ahead on which nothing comes for a long time.
        tokio::spawn(async move {
            if is_web_socket(&stream).await? {
                splice(stream, port, &passed).await
            } else {
                connections.send(stream).await.map_err(std::io::Error::other)
            }
        });
    }
}

/// Whether the first request asks for another protocol. Reads nothing away.
async fn is_web_socket(stream: &TcpStream) -> std::io::Result<bool> {
    let mut head = vec![0; HEAD];
    loop {
        stream.readable().await?;
        let read = stream.peek(&mut head).await?;
        let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
        if read == 0 || read == HEAD || head.contains("\r\n\r\n") {
            return Ok(head.contains("upgrade: websocket"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

async fn splice(browser: TcpStream, port: u16, passed: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let relay = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_relay, mut to_relay) = relay.into_split();
    let up = async {
        tokio::io::copy(&mut from_browser, &mut to_relay).await?;
        to_relay.shutdown().await
    };
    let down = async {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let read = from_relay.read(&mut bytes).await?;
            if read == 0 {
                return to_browser.shutdown().await;
            }
            locked(passed).extend_from_slice(&bytes[..read]);
            to_browser.write_all(&bytes[..read]).await?;
        }
    };
    tokio::try_join!(up, down).map(|_| ())
}

/// Connections that turned out to be plain ones.
struct Queue(mpsc::Receiver<TcpStream>);

impl Listener for Queue {
    type Io = TcpStream;
    type Addr = ();

    async fn accept(&mut self) -> (TcpStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn pass(State(place): State<std::sync::Weak<Inner>>, request: Request) -> Response {
    let outcome = match place.upgrade() {
        Some(place) => place.carry(request).await,
        None => Err(anyhow::anyhow!("the scene is over")),
    };
    // As where nothing listens.
    outcome.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response())
}

impl Inner {
    async fn carry(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MOST).await?.to_vec();
        let path = parts.uri.path_and_query().context("a request without a path")?.to_string();
        let input = parts.headers.get("signature-input").and_then(|value| value.to_str().ok());
        let signer = input.and_then(|text| text.split("keyid=\"").nth(1)?.split('"').next());
        let signer = signer.unwrap_or_default().to_owned();
        let asked = Asked { method: parts.method, path, signer, body };
        self.note(&[asked.path.as_bytes(), format!("{:?}", parts.headers).as_bytes(), &asked.body]);
        let lie = locked(&self.lie).clone();
        let answer = match lie.map_or(Turn::Honest, |lie| lie(&asked)) {
            Turn::Honest => self.forward(&asked, &parts.headers).await?,
            Turn::Instead(answer) => answer,
            Turn::Then(change) => change(self.forward(&asked, &parts.headers).await?),
        };
        self.note(&[format!("{:?}", answer.headers).as_bytes(), &answer.body]);
        let mut response = Response::new(Body::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    /// To the relay and back. Nothing is compressed, so that all of it can be read.
    async fn forward(&self, asked: &Asked, headers: &HeaderMap) -> Result<Answer> {
        let url = format!("http://127.0.0.1:{}{}", self.port, asked.path);
        let mut request = self.client.request(asked.method.clone(), url).body(asked.body.clone());
        for (name, value) in headers {
            if ![header::ACCEPT_ENCODING, header::CONTENT_LENGTH, header::CONNECTION].contains(name) {
                request = request.header(name, value);
            }
        }
        let response = request.send().await?;
        let (status, mut headers) = (response.status(), response.headers().clone());
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::CONNECTION);
        Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
    }

    fn note(&self, pieces: &[&[u8]]) {
        let mut passed = locked(&self.passed);
        for piece in pieces {
            passed.extend_from_slice(piece);
            passed.push(b'\n');
        }
    }
}
