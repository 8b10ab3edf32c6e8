//! Requests byte by byte, as no HTTP library would send them.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// What answers later than this hangs.
const HANG: Duration = Duration::from_secs(20);

/// An answer, read to the connection's end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Some(Self { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Sends bytes and reads until the relay closes. `None` where it closes without a word.
pub async fn exchange(base: &str, sent: &[u8]) -> Option<Answer> {
    let address = base.strip_prefix("http://").unwrap();
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let sending = async {
        // The relay may have said no and closed before all was sent.
        let _ = write.write_all(sent).await;
    };
    let mut bytes = Vec::new();
    let reading = async {
        let _ = read.read_to_end(&mut bytes).await;
    };
    let done = timeout(HANG, async { tokio::join!(sending, reading) }).await;
    assert!(done.is_ok(), "no answer to {:?}", String::from_utf8_lossy(&sent[..sent.len().min(300)]));
    Answer::read(&bytes)
}
