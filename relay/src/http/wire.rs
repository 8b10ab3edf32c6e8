//! Bodies of the API: CBOR in its one canonical form, in and out.

use super::{Fault, Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use minicbor::{Decode, Encode};
use suishen_core::{cbor, sm::Digest};

const MEDIA_TYPE: &str = "application/cbor";

/// A canonical CBOR body, with the digest of its bytes.
#[derive(Debug)]
pub struct Cbor<T> {
    /// The object.
    pub value: T,
    /// SM3 of the body.
    pub digest: Digest,
}

impl<S, T> FromRequest<S> for Cbor<T>
where
    S: Send + Sync,
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        check_type(request.headers()).map_err(IntoResponse::into_response)?;
        let bytes = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let value = cbor::decode(&bytes).map_err(|_| {
            let (zh, en) = ("内容不是规定的 CBOR 编码", "The body is not the canonical CBOR of this object");
            Fault::Malformed.because(zh, en).into_response()
        })?;
        Ok(Self { value, digest: Digest::of(&bytes) })
    }
}

/// Any canonical CBOR body, not yet read.
#[derive(Debug)]
pub struct CborBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for CborBytes {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        check_type(request.headers()).map_err(IntoResponse::into_response)?;
        Bytes::from_request(request, state).await.map(Self).map_err(IntoResponse::into_response)
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(MEDIA_TYPE)) {
        Ok(())
    } else {
        Err(Fault::MediaType.into())
    }
}

/// An answer in CBOR.
pub fn reply<T: Encode<()>>(status: StatusCode, value: &T) -> Response {
    bytes(status, MEDIA_TYPE, cbor::encode(value))
}

/// An answer of bytes that isn't to be cached.
pub fn bytes(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = (status, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Runs work that waits for the disk, off the threads that answer.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(internal(&error)),
    }
}

/// Our own failure: logged here, told to the client without a word about its cause.
pub fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "failed");
    Fault::Internal.into()
}
