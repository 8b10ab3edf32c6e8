//! Files: picked or dropped in, shown safely, saved out.
//!
//! What a hospital attached is shown only as a picture or in a frame without any rights, from a `blob:` address that is
//! revoked when it is no longer shown; its media type is one of a closed list, never what the file claims.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, FileList, HtmlAnchorElement, Url};

use super::page;

/// A file that the person picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Its name.
    pub name: String,
    /// The media type that the browser believes.
    pub media_type: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The files of an input or a drop.
pub fn files(list: Option<FileList>) -> Vec<File> {
    list.map(|list| (0..list.length()).filter_map(|index| list.get(index)).collect()).unwrap_or_default()
}

/// Reads a file; none where the browser can't.
pub async fn read(file: File) -> Option<Picked> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Picked { name: file.name(), media_type: file.type_(), bytes: Uint8Array::new(&buffer).to_vec() })
}

/// How an attachment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As a picture.
    Picture(&'static str),
    /// In a frame without rights.
    Paper(&'static str),
    /// Not at all: only saved.
    Saved,
}

/// How a media type is shown. SVG and HTML never are: they can hold scripts.
pub fn how_shown(media_type: &str) -> Shown {
    match media_type.split(';').next().unwrap_or_default().trim() {
        "image/png" => Shown::Picture("image/png"),
        "image/jpeg" => Shown::Picture("image/jpeg"),
        "image/webp" => Shown::Picture("image/webp"),
        "image/gif" => Shown::Picture("image/gif"),
        "application/pdf" => Shown::Paper("application/pdf"),
        _ => Shown::Saved,
    }
}

/// A `blob:` address; revoked when dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct BlobAddress(String);

impl BlobAddress {
    /// An address for some bytes.
    pub fn of(bytes: &[u8], media_type: &str) -> Option<Self> {
        let parts = Array::of1(&Uint8Array::from(bytes));
        let kind = BlobPropertyBag::new();
        kind.set_type(media_type);
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind).ok()?;
        Url::create_object_url_with_blob(&blob).ok().map(Self)
    }

    /// The address.
    pub fn href(&self) -> &str {
        &self.0
    }
}

impl Drop for BlobAddress {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Saves bytes as a download.
pub fn save(name: &str, bytes: &[u8]) {
    let Some(address) = BlobAddress::of(bytes, "application/octet-stream") else { return };
    let Some(anchor) = page::document()
        .create_element("a")
        .ok()
        .and_then(|anchor| anchor.dyn_into::<HtmlAnchorElement>().ok())
    else {
        return;
    };
    anchor.set_href(address.href());
    anchor.set_download(name);
    anchor.click();
    // The download reads the address after this turn.
    wasm_bindgen_futures::spawn_local(async move {
        super::timer::wait(30_000).await;
        drop(address);
    });
}

/// Fetches one of this page's own files.
pub async fn fetch(path: &str) -> Option<Vec<u8>> {
    let buffer: JsValue = JsFuture::from(response(path).await?.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(&buffer).to_vec())
}

/// Fetches one that is JSON.
pub async fn fetch_json(path: &str) -> Option<JsValue> {
    JsFuture::from(response(path).await?.json().ok()?).await.ok()
}

async fn response(path: &str) -> Option<web_sys::Response> {
    let fetched = JsFuture::from(page::window().fetch_with_str(path)).await.ok()?;
    fetched.dyn_into::<web_sys::Response>().ok().filter(web_sys::Response::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_hold_a_script_is_never_shown() {
        for media_type in ["image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", ""] {
            assert_eq!(how_shown(media_type), Shown::Saved, "{media_type}");
        }
        assert_eq!(how_shown("application/pdf; charset=binary"), Shown::Paper("application/pdf"));
    }
}
