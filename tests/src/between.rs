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

/// What has passed.
#[derive(Default)]
struct Passed {
    /// Requests and answers, and what the relay said over web sockets.
    all: Vec<u8>,
    /// What browsers said over web sockets.
    by_socket: Vec<u8>,
}

struct Inner {
    base: String,
    port: u16,
    client: reqwest::Client,
    lie: Mutex<Option<Lie>>,
    passed: Arc<Mutex<Passed>>,
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
        locked(&self.inner.passed).all.clone()
    }

    /// What browsers said over web sockets: heads, and messages without their masks.
    pub fn was_said_by_socket(&self) -> Vec<u8> {
        locked(&self.inner.passed).by_socket.clone()
    }
}

/// Takes connections. Web sockets pass as bytes; the rest waits to be read as requests.
async fn accept(
    listener: TcpListener,
    connections: mpsc::Sender<TcpStream>,
    (port, passed): (u16, Arc<Mutex<Passed>>),
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

async fn splice(browser: TcpStream, port: u16, passed: &Mutex<Passed>) -> std::io::Result<()> {
    let relay = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_relay, mut to_relay) = relay.into_split();
    let up = async {
        let (mut bytes, mut said) = (vec![0; 64 << 10], Said::default());
        loop {
            let read = from_browser.read(&mut bytes).await?;
            if read == 0 {
                return to_relay.shutdown().await;
            }
            let plain = said.push(&bytes[..read]);
            locked(passed).by_socket.extend(plain);
            to_relay.write_all(&bytes[..read]).await?;
        }
    };
    let down = async {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let read = from_relay.read(&mut bytes).await?;
            if read == 0 {
                return to_browser.shutdown().await;
            }
            locked(passed).all.extend_from_slice(&bytes[..read]);
            to_browser.write_all(&bytes[..read]).await?;
        }
    };
    tokio::try_join!(up, down).map(|_| ())
}

/// A browser's side of a web socket as it comes: each frame lies under a mask of its own (RFC 6455, section 5).
#[derive(Default)]
struct Said {
    waiting: Vec<u8>,
    is_open: bool,
}

impl Said {
    /// Takes the next bytes; gives what they complete, read.
    fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.waiting.extend_from_slice(bytes);
        let mut plain = Vec::new();
        if !self.is_open {
            let Some(end) = memchr::memmem::find(&self.waiting, b"\r\n\r\n") else { return plain };
            plain.extend(self.waiting.drain(..end + 4));
            self.is_open = true;
        }
        while let Some(frame) = self.frame() {
            plain.extend(frame);
        }
        plain
    }

    /// The next whole frame's content.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let wide = match self.waiting.get(1)? & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let length =
            self.waiting.get(2..2 + wide)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let length = if wide == 0 { usize::from(self.waiting.get(1)? & 0x7f) } else { length };
        let begins = 2 + wide + 4;
        let mask = self.waiting.get(2 + wide..begins)?.to_vec();
        let content = self.waiting.get(begins..begins + length)?.iter().zip(mask.iter().cycle());
        let content = content.map(|(byte, mask)| byte ^ mask).collect();
        self.waiting.drain(..begins + length);
        Some(content)
    }
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
            passed.all.extend_from_slice(piece);
            passed.all.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn what_a_browser_says_is_read_in_whatever_pieces_it_comes() {
        let mut sent = b"GET /p2p HTTP/1.1\r\n\r\n".to_vec();
        let mut expected = sent.clone();
        for length in [0_usize, 5, 125, 126, 300, 70_000] {
            let content: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            sent.push(0x82);
            match (u16::try_from(length), length) {
                (_, 0..126) => sent.push(0x80 | u8::try_from(length).unwrap()),
                (Ok(length), _) => sent.extend([&[0xfe][..], &length.to_be_bytes()].concat()),
                _ => sent.extend([&[0xff][..], &(length as u64).to_be_bytes()].concat()),
            }
            let mask = [7, 0, 255, u8::try_from(length % 256).unwrap()];
            sent.extend(mask);
            sent.extend(content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            expected.extend(content);
        }
        for piece in [1, 7, 1000, sent.len()] {
            let mut said = Said::default();
            let read: Vec<u8> = sent.chunks(piece).flat_map(|bytes| said.push(bytes)).collect();
            assert_eq!(read, expected, "in pieces of {piece}");
        }
    }
}
