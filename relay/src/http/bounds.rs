//! How long a request may be above its body, and how slowly its body may come: one that stalls doesn't hold a
//! connection, a file or a thread for ever.

use super::{Fault, Shared};
use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// Most bytes of a request's target and header fields together.
const MOST_ABOVE_BODY: usize = 16 * 1024;
/// Bytes of a body that earn it one more second.
const SLOWEST: u64 = 1024;
/// The same for a blob, which may be large: at 1 KiB a second its file would stay open for days.
const SLOWEST_BLOB: u64 = 16 * 1024;
/// Where blobs are taken.
const BLOBS: &str = "/v1/blobs/";

/// Refuses a request whose target and header fields are too long.
pub async fn above_body(request: Request, next: Next) -> Response {
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target + fields.sum::<usize>() > MOST_ABOVE_BODY {
        return Fault::Headers.into_response();
    }
    next.run(request).await
}

/// Gives up on a body that comes slower than 1 KiB a second, a blob 16 KiB, once its first seconds are over.
pub async fn body(State(node): State<Shared>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let patience = Duration::from_secs(node.limits.body_seconds);
    let late = Arc::new(AtomicBool::new(false));
    let told = late.clone();
    let slowest = if request.uri().path().starts_with(BLOBS) { SLOWEST_BLOB } else { SLOWEST };
    let paced = |body: Body| Body::from_stream(paced(body.into_data_stream(), patience, slowest, told));
    let request = request.map(paced);
    let response = next.run(request).await;
    // Whatever the handler made of the broken body, this is why it broke.
    if late.load(Ordering::Relaxed) { Fault::Slow.into_response() } else { response }
}

fn paced(
    body: BodyDataStream,
    patience: Duration,
    slowest: u64,
    late: Arc<AtomicBool>,
) -> impl futures_util::Stream<Item = io::Result<axum::body::Bytes>> + Send {
    let began = Instant::now();
    stream::unfold(Some((body, 0_u64)), move |state| {
        let late = late.clone();
        async move {
            let (mut body, came) = state?;
            match timeout_at(began + patience + Duration::from_secs(came / slowest), body.next()).await {
                Ok(Some(Ok(piece))) => {
                    let came = came + piece.len() as u64;
                    Some((Ok(piece), Some((body, came))))
                }
                Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
                Ok(None) => None,
                Err(_) => {
                    late.store(true, Ordering::Relaxed);
                    Some((Err(io::ErrorKind::TimedOut.into()), None))
                }
            }
        }
    })
}
