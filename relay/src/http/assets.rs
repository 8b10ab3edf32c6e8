//! The built pages: files by path, `index.html` for every page's path, brotli where it lies beside.
//!
//! `/pkg/` names files by their content, so they are immutable; everything else is asked for anew each time,
//! with an entity tag.

use super::{Shared, blobs, problem::Fault};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use std::{
    fs::Metadata,
    path::{Component, Path, PathBuf},
};
use tokio::fs::File;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const ASK_ANEW: &str = "no-cache";

/// Serves a file, or the page that the path belongs to.
pub async fn serve(State(node): State<Shared>, request: Request) -> Response {
    let path = request.uri().path();
    if ["/v1/", "/p2p"].iter().any(|api| path.starts_with(api)) {
        return Fault::NotFound.into_response();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Fault::Method.into_response();
    }
    let Some(web) = &node.web else { return Fault::NotFound.into_response() };
    let Some(file) = file_of(web, request.uri()) else { return Fault::NotFound.into_response() };
    match find(&file, request.headers()).await {
        Some(found) => found.into_response(path, request.method(), request.headers()),
        None => Fault::NotFound.into_response(),
    }
}

/// A path with a dot in its last part is a file; every other is a page, drawn by `index.html`.
fn file_of(web: &Path, uri: &Uri) -> Option<PathBuf> {
    let path = uri.path().trim_start_matches('/');
    if path.contains(['%', '\\', '\0']) {
        return None;
    }
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let last = path.rsplit('/').next().unwrap_or_default();
    match (plain, last.contains('.')) {
        (true, true) if relative.extension().is_none_or(|extension| extension != "br") => {
            Some(web.join(relative))
        }
        (true, false) => Some(web.join("index.html")),
        _ => None,
    }
}

/// A file that was found and opened, not read yet.
struct Found {
    file: File,
    size: u64,
    kind: &'static str,
    tag: String,
    packed: bool,
    has_packed: bool,
}

async fn find(file: &Path, headers: &HeaderMap) -> Option<Found> {
    let packed_name = {
        let mut name = file.as_os_str().to_owned();
        name.push(".br");
        PathBuf::from(name)
    };
    let has_packed = tokio::fs::try_exists(&packed_name).await.unwrap_or(false);
    let packed = has_packed && accepts_brotli(headers);
    let opened = File::open(if packed { &packed_name } else { file }).await.ok()?;
    let about = opened.metadata().await.ok().filter(Metadata::is_file)?;
    let age = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
    let tag = format!("\"{:x}-{age:x}{}\"", about.len(), if packed { "-br" } else { "" });
    Some(Found { file: opened, size: about.len(), kind: kind_of(file), tag, packed, has_packed })
}

impl Found {
    /// The tag is compared before a byte is read, and what is sent is read piece by piece.
    fn into_response(self, path: &str, method: &Method, asked: &HeaderMap) -> Response {
        let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
        let unchanged = known.is_some_and(|list| list.split(',').any(|tag| tag.trim() == self.tag));
        let body = if unchanged || method == Method::HEAD {
            Body::empty()
        } else {
            blobs::content(self.file, self.size)
        };
        let mut response = Response::new(body);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        if !unchanged {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.size));
        }
        let caching = if path.starts_with("/pkg/") { IMMUTABLE } else { ASK_ANEW };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::ETAG, HeaderValue::from_str(&self.tag).expect("hexadecimal digits in quotes"));
        if self.has_packed {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if self.packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        response
    }
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let (coding, rest) = one.split_once(';').unwrap_or((one, ""));
        coding.trim() == "br" && rest.trim() != "q=0"
    })
}

fn kind_of(file: &Path) -> &'static str {
    match file.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "pdf" => "application/pdf",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &'static str) -> Option<PathBuf> {
        file_of(Path::new("/web"), &Uri::from_static(path))
    }

    #[test]
    fn pages_get_the_index_and_files_are_themselves() {
        for page in ["/", "/t", "/c", "/i", "/records/12", "/settings/"] {
            assert_eq!(file(page), Some("/web/index.html".into()), "{page}");
        }
        assert_eq!(file("/pkg/app-1.js"), Some("/web/pkg/app-1.js".into()));
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for bad in ["/../ledger.redb", "/a/../../x.js", "/%2e%2e/x.js", "/./x.js", "/app.js.br"] {
            let found = file(bad);
            assert!(found.is_none() || found == Some("/web/x.js".into()), "{bad}: {found:?}");
        }
    }
}
