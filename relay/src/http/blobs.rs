//! Blobs over HTTP: streamed both ways, one range, to those who may (PROTOCOL §4).

use super::{Fault, Problem, Shared, signed, wire};
use crate::blob::{AccessError, Uploaded, Written};
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use std::io::SeekFrom;
use suishen_core::id::BlobAddress;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        wire::internal(&error)
    }
}

fn address(text: &str) -> Result<BlobAddress, Problem> {
    BlobAddress::from_hex(text).ok_or_else(|| Fault::NoBlob.into())
}

/// Takes a blob from its owner. The signature is checked before the first byte is taken, the address after the
/// last.
pub async fn put(
    State(node): State<Shared>,
    Path(path): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let address = address(&path)?;
    let (parts, body) = request.into_parts();
    // What is signed is the digest of the content, which is the address.
    let owner = signed::signer(&node, &parts.method, &parts.uri, &parts.headers, *address.digest())?;
    let size = length(&parts.headers)?;
    if size > node.blobs.limits().largest {
        return Err(Fault::TooLarge.into());
    }
    let mut upload = node.blobs.begin(size).await?.ok_or(Fault::NoRoom)?;
    let mut content = body.into_data_stream();
    while let Some(piece) = content.next().await {
        // The client hung up, or sent what isn't HTTP.
        let piece = piece.map_err(|_| Fault::Malformed)?;
        match upload.write(&piece).await? {
            Written::Taken => {}
            Written::TooMany => return Err(Fault::Digest.into()),
            Written::NoRoom => return Err(Fault::NoRoom.into()),
        }
    }
    match upload.finish(address, owner, node.now()).await? {
        Uploaded::New => Ok(StatusCode::CREATED),
        Uploaded::Known => Ok(StatusCode::NO_CONTENT),
        Uploaded::Crowded => {
            Err(Fault::NoRoom.because("这份密文的所有者已满", "As many keys own this blob as may"))
        }
        Uploaded::Other => Err(Fault::Digest.into()),
    }
}

fn length(headers: &HeaderMap) -> Result<u64, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).ok_or(Fault::Length)?;
    length.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| Fault::Malformed.into())
}

/// Gives a blob, or a range of it.
pub async fn get(
    State(node): State<Shared>,
    Path(path): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let address = address(&path)?;
    let asked = headers.get(header::RANGE).cloned();
    let found = wire::blocking(move || {
        let key = signed::signer_of_nothing(&node, &method, &uri, &headers)?;
        // Who may not read it isn't told whether it is here.
        if !node.blobs.may_read(&address, &key, &node.replica, node.now())? {
            return Err(Fault::NoBlob.into());
        }
        let meta = node.blobs.meta(&address)?.ok_or(Fault::NoBlob)?;
        Ok((node.blobs.path(&address), meta.size))
    });
    let (path, size) = found.await?;
    let range = match &asked {
        Some(asked) => Some(range_of(asked, size)?),
        None => None,
    };
    let (start, end) = range.unwrap_or((0, size));
    let mut file = File::open(path).await.map_err(|_| Fault::NoBlob)?;
    file.seek(SeekFrom::Start(start)).await.map_err(|error| wire::internal(&error))?;
    let mut response = content(file, end - start).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if range.is_some() {
        let content_range = format!("bytes {start}-{}/{size}", end - 1);
        let content_range = HeaderValue::from_str(&content_range).expect("digits are a header value");
        headers.insert(header::CONTENT_RANGE, content_range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// `bytes=a-b`, `bytes=a-` or `bytes=-n` as [start, end).
fn range_of(asked: &HeaderValue, size: u64) -> Result<(u64, u64), Problem> {
    let outside = || Problem::from(Fault::Range);
    let text = asked.to_str().ok().and_then(|text| text.strip_prefix("bytes=")).ok_or_else(outside)?;
    let (first, last) = text.split_once('-').ok_or_else(outside)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| outside());
    let (start, end) = match (first.trim(), last.trim()) {
        ("", suffix) => (size.saturating_sub(number(suffix)?), size),
        (first, "") => (number(first)?, size),
        (first, last) => (number(first)?, number(last)?.saturating_add(1).min(size)),
    };
    if start < end { Ok((start, end)) } else { Err(outside()) }
}

/// The next bytes of a file as a body, read piece by piece as they are sent.
pub(super) fn content(file: File, bytes: u64) -> Body {
    Body::from_stream(pieces(file, bytes))
}

fn pieces(file: File, left: u64) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> {
    stream::unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut piece = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        match file.read(&mut piece).await {
            Ok(0) => Some((Err(std::io::ErrorKind::UnexpectedEof.into()), (file, 0))),
            Ok(n) => {
                piece.truncate(n);
                Some((Ok(piece), (file, left - n as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    })
}

/// Deletes a blob at its owner's word.
pub async fn delete(
    State(node): State<Shared>,
    Path(path): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let address = address(&path)?;
    wire::blocking(move || {
        let key = signed::signer_of_nothing(&node, &method, &uri, &headers)?;
        if !node.blobs.is_owner(&address, &key)? {
            return Err(Fault::NoBlob.into());
        }
        node.blobs.disown(&address, &key)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_lies_within_the_blob() {
        let range = |text| range_of(&HeaderValue::from_static(text), 100).ok();
        assert_eq!(range("bytes=0-0"), Some((0, 1)));
        assert_eq!(range("bytes=10-"), Some((10, 100)));
        assert_eq!(range("bytes=90-500"), Some((90, 100)));
        assert_eq!(range("bytes=-10"), Some((90, 100)));
        assert_eq!(range("bytes=-500"), Some((0, 100)));
        for bad in
            ["bytes=100-", "bytes=5-4", "bytes=-0", "bytes=a-b", "bytes=1", "items=0-1", "bytes=0-1,5-6"]
        {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
