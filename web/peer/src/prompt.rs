//! A web socket without the library's waits: that one looks ten times a second whether the browser has sent what it was handed.

use futures::{AsyncRead, AsyncWrite, FutureExt as _, io, ready};
use futures_timer::Delay;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A socket that is full is tried again after this: browsers wait no shorter.
const AGAIN: Duration = Duration::from_millis(4);

/// A connection whose flush waits for nothing, and that is written to again as soon as it has room.
pub struct Prompt<C> {
    inner: C,
    full: Option<Delay>,
}

impl<C> Prompt<C> {
    /// A connection of the library.
    pub const fn new(inner: C) -> Self {
        Self { inner, full: None }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Prompt<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Prompt<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if let Poll::Ready(written) = Pin::new(&mut self.inner).poll_write(context, bytes) {
                self.full = None;
                return Poll::Ready(written);
            }
            ready!(self.full.get_or_insert_with(|| Delay::new(AGAIN)).poll_unpin(context));
            self.full = None;
        }
    }

    /// What was written is the browser's, which sends it by itself.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Pending => Poll::Ready(Ok(())),
            flushed @ Poll::Ready(_) => flushed,
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{AsyncWriteExt as _, executor::block_on};

    /// Has room at every third try, tells nobody, and never says that it has sent.
    struct Busy(Vec<u8>, u32);

    impl AsyncWrite for Busy {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.1 += 1;
            if !self.1.is_multiple_of(3) {
                return Poll::Pending;
            }
            self.0.extend(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
    }

    #[test]
    fn what_is_full_is_tried_again_though_nobody_says_that_there_is_room() {
        let mut socket = Prompt::new(Busy(Vec::new(), 0));
        block_on(socket.write_all(b"abc")).unwrap();
        block_on(socket.write_all(b"def")).unwrap();
        assert_eq!((socket.inner.0.as_slice(), socket.inner.1), (&b"abcdef"[..], 6));
    }

    #[test]
    fn a_flush_waits_for_nothing_and_an_error_is_passed_on() {
        let mut socket = Prompt::new(Busy(Vec::new(), 0));
        assert!(matches!(socket.flush().now_or_never(), Some(Ok(()))));
        assert!(matches!(socket.close().now_or_never(), Some(Err(_))));
    }
}
