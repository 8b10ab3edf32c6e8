//! Noise as libp2p speaks it (specs/noise: `Noise_XX_25519_ChaChaPoly_SHA256`, static keys signed by the peer's identity), for
//! who is dialled. The handshake and the ciphers are `snow`'s.
//!
//! libp2p's own keeps buffers of 8 KiB and more for as long as a connection lasts, of up to 64 KiB each once a long frame
//! went through. **Here a connection that has nothing to say has no buffer but for a length.**

use futures_util::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, FutureExt as _,
    future::{BoxFuture, Ready, ready},
};
use libp2p::{
    PeerId,
    core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo},
    identity::{self, Keypair},
};
use prost::Message as _;
use snow::{
    Builder, TransportState,
    resolvers::{DefaultResolver, FallbackResolver, RingResolver},
};
use std::{
    io, iter, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready as come},
};
use zeroize::Zeroizing;

/// The name that is negotiated.
const NAME: &str = "/noise";
const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_SHA256";
/// What the identity signs stands behind this.
const DOMAIN: &[u8] = b"noise-libp2p-static-key:";
/// What a frame's length takes, and what the cipher adds to it, in bytes.
const HEAD: usize = 2;
const TAG: usize = 16;
/// The longest message of a handshake that is taken.
const MOST_HANDSHAKE: usize = 4 << 10;
/// What is sealed at a time.
const MOST_SEALED: usize = 16 << 10;
/// Memory for a frame is taken as its bytes come, not as they are announced.
const CHUNK: usize = 8 << 10;

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum NoiseError {
    /// The connection.
    #[error("the connection ended during the handshake: {0}")]
    Io(#[from] io::Error),
    /// The protocol.
    #[error("the peer's handshake does not hold: {0}")]
    Noise(#[from] snow::Error),
    /// What is said in it.
    #[error("the peer's handshake says nothing that can be read")]
    Payload(#[from] prost::DecodeError),
    /// The peer's key.
    #[error("the peer's identity is no key that is known here: {0}")]
    Identity(#[from] identity::DecodingError),
    /// Our key.
    #[error("the relay's own identity signs nothing: {0}")]
    Signing(#[from] identity::SigningError),
    /// The peer isn't who it says it is.
    #[error("the peer's identity did not sign its key")]
    Signature,
}

/// What both say of themselves. There may be more, which is nothing to us.
#[derive(Clone, PartialEq, prost::Message)]
struct Payload {
    #[prost(bytes = "vec", tag = "1")]
    identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

/// The relay's part of every handshake.
#[derive(Clone)]
pub struct Noise(Arc<Own>);

struct Own {
    key: Zeroizing<Vec<u8>>,
    payload: Vec<u8>,
}

impl Noise {
    /// With a new static key, signed by this identity.
    pub fn new(identity: &Keypair) -> Result<Self, NoiseError> {
        let snow::Keypair { private, public } = builder()?.generate_keypair()?;
        let key = Zeroizing::new(private);
        let signature = identity.sign(&[DOMAIN, &public].concat())?;
        let payload = Payload { identity: identity.public().encode_protobuf(), signature };
        Ok(Self(Arc::new(Own { key, payload: payload.encode_to_vec() })))
    }

    /// Answers a handshake: who the other is, and the bytes that it sends and takes.
    async fn answer<T>(self, mut io: T) -> Result<(PeerId, Secured<T>), NoiseError>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut session = builder()?.local_private_key(&self.0.key)?.build_responder()?;
        let mut plain = vec![0; MOST_HANDSHAKE];
        let first = session.read_message(&message(&mut io).await?, &mut plain)?;
        if first > 0 {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        let mut sealed = vec![0; MOST_HANDSHAKE];
        let length = session.write_message(&self.0.payload, &mut sealed)?;
        io.write_all(&framed(&sealed[..length])?).await?;
        io.flush().await?;
        let length = session.read_message(&message(&mut io).await?, &mut plain)?;
        let theirs = Payload::decode(&plain[..length])?;
        let identity = identity::PublicKey::try_decode_protobuf(&theirs.identity)?;
        let key = session.get_remote_static().ok_or(NoiseError::Signature)?;
        if !identity.verify(&[DOMAIN, key].concat(), &theirs.signature) {
            return Err(NoiseError::Signature);
        }
        Ok((identity.to_peer_id(), Secured::new(io, session.into_transport_mode()?)))
    }
}

fn builder<'a>() -> Result<Builder<'a>, snow::Error> {
    let ciphers = FallbackResolver::new(Box::new(RingResolver), Box::new(DefaultResolver));
    Ok(Builder::with_resolver(PATTERN.parse()?, Box::new(ciphers)))
}

/// The next message of a handshake.
async fn message(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    io.read_exact(&mut head).await?;
    let length = usize::from(u16::from_be_bytes(head));
    if length > MOST_HANDSHAKE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    io.read_exact(&mut message).await?;
    Ok(message)
}

fn framed(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), message].concat())
}

impl UpgradeInfo for Noise {
    type Info = &'static str;
    type InfoIter = iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once(NAME)
    }
}

impl<T> InboundConnectionUpgrade<T> for Noise
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = (PeerId, Secured<T>);
    type Error = NoiseError;
    type Future = BoxFuture<'static, Result<Self::Output, NoiseError>>;

    fn upgrade_inbound(self, io: T, _: Self::Info) -> Self::Future {
        self.answer(io).boxed()
    }
}

/// The relay dials nobody.
impl<T> OutboundConnectionUpgrade<T> for Noise
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Output = (PeerId, Secured<T>);
    type Error = NoiseError;
    type Future = Ready<Result<Self::Output, NoiseError>>;

    fn upgrade_outbound(self, _: T, _: Self::Info) -> Self::Future {
        ready(Err(io::Error::from(io::ErrorKind::Unsupported).into()))
    }
}

/// Bytes that are sealed on the way.
pub struct Secured<T> {
    io: T,
    session: TransportState,
    /// The length and bytes of the frame that is coming, and how much of it has come.
    coming: Vec<u8>,
    came: usize,
    /// What came and isn't read, behind what is.
    opened: Vec<u8>,
    read: usize,
    /// What is to be sealed.
    written: Vec<u8>,
    /// What is sealed, and how much of it has gone.
    sealed: Vec<u8>,
    gone: usize,
}

impl<T> Secured<T> {
    const fn new(io: T, session: TransportState) -> Self {
        Self {
            io,
            session,
            coming: Vec::new(),
            came: 0,
            opened: Vec::new(),
            read: 0,
            written: Vec::new(),
            sealed: Vec::new(),
            gone: 0,
        }
    }

    /// How many bytes the frame that is coming has, as far as it is known: the length's own first.
    fn whole(&self) -> usize {
        let head = self.coming.first_chunk().filter(|_| self.came >= HEAD);
        head.map_or(HEAD, |head| HEAD + usize::from(u16::from_be_bytes(*head)))
    }

    /// Opens the frame that has come.
    fn open(&mut self) -> io::Result<()> {
        let frame = mem::take(&mut self.coming);
        self.came = 0;
        let mut plain = vec![0; frame.len() - HEAD];
        let length = self.session.read_message(&frame[HEAD..], &mut plain).map_err(invalid)?;
        plain.truncate(length);
        (self.opened, self.read) = (plain, 0);
        Ok(())
    }

    /// Seals what was written.
    fn seal(&mut self) -> io::Result<()> {
        let plain = mem::take(&mut self.written);
        let mut sealed = vec![0; HEAD + plain.len() + TAG];
        let length = self.session.write_message(&plain, &mut sealed[HEAD..]).map_err(invalid)?;
        sealed[..HEAD].copy_from_slice(&u16::try_from(length).map_err(io::Error::other)?.to_be_bytes());
        (self.sealed, self.gone) = (sealed, 0);
        Ok(())
    }
}

fn invalid(error: snow::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<T: AsyncWrite + Unpin> Secured<T> {
    /// Sends all that was written.
    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.gone < self.sealed.len() {
                let sent = Pin::new(&mut self.io).poll_write(context, &self.sealed[self.gone..]);
                match come!(sent)? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    sent => self.gone += sent,
                }
            } else if self.written.is_empty() {
                (self.sealed, self.gone) = (Vec::new(), 0);
                return Poll::Ready(Ok(()));
            } else {
                self.seal()?;
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Secured<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let rest = &this.opened[this.read..];
            if !rest.is_empty() {
                let read = rest.len().min(buffer.len());
                buffer[..read].copy_from_slice(&rest[..read]);
                this.read += read;
                if this.read == this.opened.len() {
                    (this.opened, this.read) = (Vec::new(), 0);
                }
                return Poll::Ready(Ok(read));
            }
            let whole = this.whole();
            if this.came == whole {
                this.open()?;
                continue;
            }
            let until = whole.min(this.came + CHUNK);
            if this.coming.len() < until {
                this.coming.resize(until, 0);
            }
            let read = Pin::new(&mut this.io).poll_read(context, &mut this.coming[this.came..until]);
            match come!(read)? {
                0 if this.came == 0 => return Poll::Ready(Ok(0)),
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                read => this.came += read,
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Secured<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.written.len() == MOST_SEALED {
            come!(this.poll_sent(context))?;
        }
        let taken = bytes.len().min(MOST_SEALED - this.written.len());
        this.written.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        come!(this.poll_sent(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        come!(this.poll_sent(context))?;
        Pin::new(&mut this.io).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join, try_join};
    use libp2p::noise;
    use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

    type Pipe = Compat<tokio::io::DuplexStream>;

    fn pipe() -> (Pipe, Pipe) {
        let (near, far) = tokio::io::duplex(1000);
        (near.compat(), far.compat())
    }

    /// One of libp2p's own at the relay.
    async fn met() -> (noise::Output<Pipe>, Secured<Pipe>) {
        let (wallet, relay) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let (near, far) = pipe();
        let dialled = noise::Config::new(&wallet).unwrap().upgrade_outbound(near, NAME);
        let answered = Noise::new(&relay).unwrap().upgrade_inbound(far, NAME);
        let ((seen, dialled), (came, answered)) =
            join(dialled.map(Result::unwrap), answered.map(Result::unwrap)).await;
        assert_eq!(seen, relay.public().to_peer_id());
        assert_eq!(came, wallet.public().to_peer_id());
        (dialled, answered)
    }

    #[tokio::test]
    async fn what_libp2p_sends_is_taken_and_sent_back_and_no_buffer_stays() {
        let (mut dialled, mut answered) = met().await;
        for length in [1, 100, MOST_SEALED, 200_000] {
            let sent: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            let mut back = vec![0; length];
            let (mut read, mut write) = (&mut dialled).split();
            let there = async {
                write.write_all(&sent).await?;
                write.flush().await
            };
            let echo = async {
                let mut all = vec![0; length];
                answered.read_exact(&mut all).await?;
                answered.write_all(&all).await?;
                answered.flush().await
            };
            try_join(try_join(there, echo), read.read_exact(&mut back)).await.unwrap();
            assert!(back == sent);
            let Secured { coming, opened, written, sealed, .. } = &answered;
            assert_eq!([opened, written, sealed].map(Vec::capacity), [0; 3]);
            assert!(coming.capacity() < 100);
        }
    }

    #[tokio::test]
    async fn malicious_peer_that_borrows_an_identity_is_nobody() {
        let (near, far) = pipe();
        let relay = Noise::new(&Keypair::generate_ed25519()).unwrap();
        let payload = Payload {
            identity: Keypair::generate_ed25519().public().encode_protobuf(),
            signature: Keypair::generate_ed25519().sign(b"something else").unwrap(),
        };
        let thief = async {
            let mut io = near;
            let key = builder().unwrap().generate_keypair().unwrap().private;
            let mut session = builder().unwrap().local_private_key(&key).unwrap().build_initiator().unwrap();
            let mut buffer = vec![0; MOST_HANDSHAKE];
            let length = session.write_message(&[], &mut buffer).unwrap();
            io.write_all(&framed(&buffer[..length]).unwrap()).await.unwrap();
            let answer = message(&mut io).await.unwrap();
            session.read_message(&answer, &mut buffer).unwrap();
            let length = session.write_message(&payload.encode_to_vec(), &mut buffer).unwrap();
            io.write_all(&framed(&buffer[..length]).unwrap()).await.unwrap();
        };
        let (answered, ()) = join(relay.upgrade_inbound(far, NAME), thief).await;
        assert!(matches!(answered, Err(NoiseError::Signature)));
    }

    #[tokio::test]
    async fn malicious_bytes_end_the_connection_and_announced_ones_take_no_memory() {
        let (near, far) = pipe();
        let relay = Noise::new(&Keypair::generate_ed25519()).unwrap();
        let mut peer = near;
        let (answered, sent) = join(relay.upgrade_inbound(far, NAME), peer.write_all(&[0xff; 100])).await;
        sent.unwrap();
        assert!(matches!(answered, Err(NoiseError::Io(_))));

        let (_dialled, mut answered) = met().await;
        answered.coming = vec![0xff, 0xff];
        answered.came = HEAD;
        assert!(answered.read(&mut [0; 10]).now_or_never().is_none());
        assert!(answered.coming.capacity() < 20_000);
        let (mut dialled, mut answered) = met().await;
        dialled.write_all(b"one").await.unwrap();
        dialled.flush().await.unwrap();
        // A bit of it is another.
        let mut frame = vec![0; HEAD + 3 + TAG];
        answered.io.read_exact(&mut frame).await.unwrap();
        frame[HEAD] ^= 1;
        (answered.coming, answered.came) = (frame.clone(), frame.len());
        assert_eq!(answered.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        // The end in the middle of a frame is no end.
        let (dialled, mut answered) = met().await;
        (answered.coming, answered.came) = (frame, HEAD + 1);
        drop(dialled);
        assert_eq!(answered.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
