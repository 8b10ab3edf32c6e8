//! Frames of a stream, each behind its length (u32, big-endian).

use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, io::WriteHalf};
use libp2p::Stream;
use std::{io, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};

/// The longest frame, in bytes: the door's, which may hold every epoch of a vault.
const LONGEST: usize = suishen_core::sync::MOST_AT_DOOR;
/// Frames that came and were not yet taken.
const AHEAD: usize = 4;
/// A peer that takes nothing for so long is given up.
const STALLED: Duration = Duration::from_secs(30);

/// One stream's frames. What waits to be read is never lost by waiting for something else beside it.
pub struct Frames {
    came: mpsc::Receiver<Vec<u8>>,
    write: WriteHalf<Stream>,
    reading: JoinHandle<()>,
}

impl Frames {
    /// Of this stream.
    pub fn new(stream: Stream) -> Self {
        let (mut read, write) = stream.split();
        let (sender, came) = mpsc::channel(AHEAD);
        let reading = tokio::spawn(async move {
            loop {
                let mut length = [0; 4];
                if read.read_exact(&mut length).await.is_err() {
                    return;
                }
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                if length > LONGEST {
                    return;
                }
                let mut frame = vec![0; length];
                if read.read_exact(&mut frame).await.is_err() || sender.send(frame).await.is_err() {
                    return;
                }
            }
        });
        Self { came, write, reading }
    }

    /// The next frame; none when the stream has ended or what came is no frame.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.came.recv().await
    }

    /// The next frame, if it comes in time.
    pub async fn next_within(&mut self, limit: Duration) -> Option<Vec<u8>> {
        timeout(limit, self.came.recv()).await.ok().flatten()
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        let write = async {
            self.write.write_all(&length.to_be_bytes()).await?;
            self.write.write_all(frame).await?;
            self.write.flush().await
        };
        timeout(STALLED, write).await.map_err(|_: Elapsed| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
