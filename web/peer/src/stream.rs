//! One stream: frames behind their length (u32, big-endian), with as many under way as the engine keeps up with.

use futures::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    future::{Either, select},
    io,
};
use std::pin::pin;
use suishen_bridge::peer::{MOST_FRAME, PeerEvent, WINDOW};

/// The engine's end of a stream.
pub struct Handle {
    frames: UnboundedSender<Vec<u8>>,
    taken: UnboundedSender<()>,
}

/// The worker's end of a stream.
pub struct Carrier {
    frames: UnboundedReceiver<Vec<u8>>,
    taken: UnboundedReceiver<()>,
}

/// Both ends.
pub fn ends() -> (Handle, Carrier) {
    let (frames, to_send) = unbounded();
    let (taken, credit) = unbounded();
    (Handle { frames, taken }, Carrier { frames: to_send, taken: credit })
}

impl Handle {
    /// Sends a frame, after those before.
    pub fn send(&self, frame: Vec<u8>) {
        let _ = self.frames.unbounded_send(frame);
    }

    /// The engine took a frame.
    pub fn took(&self) {
        let _ = self.taken.unbounded_send(());
    }
}

impl Carrier {
    /// Carries frames both ways until the stream or the engine's end of it is closed.
    pub async fn carry(
        self,
        number: u32,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        tell: impl Fn(&PeerEvent),
    ) {
        let (read, write) = stream.split();
        let reading = pin!(reading(number, read, self.taken, &tell));
        let writing = pin!(writing(number, write, self.frames, &tell));
        let ended = select(reading, writing).await;
        // Nothing more comes: the engine hears it now, and lets its end go.
        tell(&PeerEvent::Closed(number));
        if let Either::Left((Ok(()), writing)) = ended {
            // What it has sent may be what the other side still waits for.
            drop(writing.await);
        }
    }
}

async fn reading(
    stream: u32,
    mut read: impl AsyncRead + Unpin,
    mut taken: UnboundedReceiver<()>,
    tell: &impl Fn(&PeerEvent),
) -> io::Result<()> {
    let mut under_way = 0;
    loop {
        let mut length = [0; 4];
        if read.read(&mut length[..1]).await? == 0 {
            return Ok(());
        }
        read.read_exact(&mut length[1..]).await?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MOST_FRAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; length];
        read.read_exact(&mut bytes).await?;
        while under_way == WINDOW {
            taken.next().await.ok_or(io::ErrorKind::BrokenPipe)?;
            under_way -= 1;
        }
        under_way += 1;
        tell(&PeerEvent::Frame { stream, bytes });
    }
}

async fn writing(
    stream: u32,
    mut write: impl AsyncWrite + Unpin,
    mut frames: UnboundedReceiver<Vec<u8>>,
    tell: &impl Fn(&PeerEvent),
) -> io::Result<()> {
    while let Some(frame) = frames.next().await {
        let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        // In one: what is written by itself goes by itself, sealed and wrapped.
        write.write_all(&[&length.to_be_bytes(), frame.as_slice()].concat()).await?;
        write.flush().await?;
        tell(&PeerEvent::Taken(stream));
    }
    write.close().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::cell::RefCell;

    /// Reads from one buffer, writes into another.
    struct Wire(io::Cursor<Vec<u8>>, std::rc::Rc<RefCell<Vec<u8>>>);

    impl AsyncRead for Wire {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            buf: &mut [u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::pin::Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Wire {
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buf: &[u8],
        ) -> std::task::Poll<io::Result<usize>> {
            self.1.borrow_mut().extend_from_slice(buf);
            std::task::Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn poll_close(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
    }

    fn carried(came: Vec<u8>, sent: &[&[u8]], taken: usize) -> (Vec<PeerEvent>, Vec<u8>) {
        let (handle, carrier) = ends();
        for frame in sent {
            handle.send(frame.to_vec());
        }
        for _ in 0..taken {
            handle.took();
        }
        drop(handle);
        let (told, written) = (RefCell::new(Vec::new()), std::rc::Rc::default());
        let wire = Wire(io::Cursor::new(came), std::rc::Rc::clone(&written));
        block_on(carrier.carry(2, wire, |event| told.borrow_mut().push(event.clone())));
        (told.into_inner(), written.take())
    }

    #[test]
    fn frames_go_both_ways_behind_their_length() {
        let (told, written) = carried(vec![0, 0, 0, 2, 7, 8, 0, 0, 0, 0], &[b"abc"], 0);
        let frame = |bytes: &[u8]| PeerEvent::Frame { stream: 2, bytes: bytes.into() };
        assert_eq!(told[..2], [frame(&[7, 8]), frame(&[])]);
        assert!(told.contains(&PeerEvent::Closed(2)));
        assert_eq!(written, [0, 0, 0, 3, b'a', b'b', b'c']);
    }

    #[test]
    fn the_engine_hears_at_once_that_nothing_more_comes() {
        let (_still_held, carrier) = ends();
        let told = RefCell::new(Vec::new());
        let wire = Wire(io::Cursor::new(Vec::new()), std::rc::Rc::default());
        let under_way = carrier.carry(2, wire, |event| told.borrow_mut().push(event.clone()));
        assert!(futures::FutureExt::now_or_never(under_way).is_none());
        assert_eq!(told.take(), [PeerEvent::Closed(2)]);
    }

    #[test]
    fn no_more_comes_than_the_engine_keeps_up_with() {
        let many: Vec<u8> = (0..WINDOW + 8).flat_map(|_| [0, 0, 0, 1, 9]).collect();
        let frames = |taken| {
            let (told, _) = carried(many.clone(), &[], taken);
            told.iter().filter(|event| matches!(event, PeerEvent::Frame { .. })).count()
        };
        assert_eq!(frames(0), WINDOW);
        assert_eq!(frames(3), WINDOW + 3);
        assert_eq!(frames(WINDOW + 8), WINDOW + 8);
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_short_ends_the_stream() {
        for bad in [u32::MAX.to_be_bytes().to_vec(), vec![0, 0, 0, 9, 1], vec![0, 0]] {
            let (told, _) = carried(bad, &[], 0);
            assert_eq!(told, [PeerEvent::Closed(2)]);
        }
    }
}
