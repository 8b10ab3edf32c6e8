//! Frames of a stream, each behind its length (u32, big-endian).

use futures_util::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use std::{io, mem, time::Duration};
use tokio::time::timeout;

/// What a length takes.
const HEAD: usize = 4;
/// Memory for a frame is taken as its bytes come, not as they are announced.
const CHUNK: usize = 16 << 10;
/// A peer that takes nothing for so long is given up.
const STALLED: Duration = Duration::from_secs(30);

/// One stream's frames. Waiting for one may be given up and begun again: nothing that came is lost by it.
pub struct Frames<S> {
    stream: S,
    /// The length and bytes of the frame that is coming, and how much of it has come.
    coming: Vec<u8>,
    came: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Of this stream.
    pub const fn new(stream: S) -> Self {
        Self { stream, coming: Vec::new(), came: 0 }
    }

    /// The next frame; none when the stream has ended or what came is no frame of at most `longest` bytes.
    pub async fn next(&mut self, longest: usize) -> Option<Vec<u8>> {
        loop {
            let whole = self.whole(longest)?;
            if self.came == whole {
                let mut frame = mem::take(&mut self.coming);
                self.came = 0;
                frame.truncate(whole);
                frame.drain(..HEAD);
                return Some(frame);
            }
            let until = whole.min(self.came + CHUNK);
            if self.coming.len() < until {
                self.coming.resize(until, 0);
            }
            match self.stream.read(&mut self.coming[self.came..until]).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.came += read,
            }
        }
    }

    /// The next frame, if it comes in time.
    pub async fn next_within(&mut self, longest: usize, limit: Duration) -> Option<Vec<u8>> {
        timeout(limit, self.next(longest)).await.ok().flatten()
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        // In one: what is written by itself goes by itself, sealed and wrapped.
        let frame = [&length.to_be_bytes(), frame].concat();
        let write = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        timeout(STALLED, write).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// How many bytes there will be, as far as it is known: the length's own first.
    fn whole(&self, longest: usize) -> Option<usize> {
        let Some(head) = self.coming.first_chunk().filter(|_| self.came >= HEAD) else { return Some(HEAD) };
        let length = usize::try_from(u32::from_be_bytes(*head)).ok()?;
        (length <= longest).then_some(HEAD + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::io::Cursor;

    fn framed(frame: &[u8]) -> Vec<u8> {
        [&u32::try_from(frame.len()).unwrap().to_be_bytes(), frame].concat()
    }

    #[tokio::test]
    async fn frames_come_one_by_one_and_a_longer_one_than_may_be_ends_the_stream() {
        let sent = [framed(&vec![1; 40_000]), framed(&[]), framed(&[2; 11])].concat();
        let mut frames = Frames::new(Cursor::new(sent));
        assert_eq!(frames.next(40_000).await, Some(vec![1; 40_000]));
        assert_eq!(frames.next(0).await, Some(Vec::new()));
        assert_eq!(frames.next(10).await, None);
    }

    #[tokio::test]
    async fn malicious_announcement_of_a_large_frame_takes_no_memory() {
        let mut sent = framed(&vec![0; 200 << 10]);
        sent.truncate(10);
        let mut frames = Frames::new(Cursor::new(sent));
        assert_eq!(frames.next(256 << 10).await, None);
        assert!(frames.coming.capacity() < 100 << 10);
    }

    #[tokio::test]
    async fn waiting_may_be_given_up_anywhere_without_losing_a_byte() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut frames = Frames::new(tokio_util::compat::TokioAsyncReadCompatExt::compat(near));
        let sending = tokio::spawn(async move {
            for byte in [framed(b"first"), framed(b"second")].concat() {
                tokio::io::AsyncWriteExt::write_all(&mut far, &[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut got = Vec::new();
        while got.len() < 2 {
            tokio::select! {
                biased;
                frame = frames.next(10) => got.push(frame.unwrap()),
                () = tokio::task::yield_now() => {}
            }
        }
        sending.await.unwrap();
        assert_eq!(got, [b"first".to_vec(), b"second".to_vec()]);
    }
}
