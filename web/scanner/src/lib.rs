//! QR decoding, in a web worker of its own: a frame in, the codes in it out.
//!
//! `scanner.js` beside this crate is the worker's module and describes the messages. What a code *means* is the
//! engine's business; nothing here looks inside one, and no frame is kept.

mod frame;

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

pub use frame::{Frame, NotAFrame};

/// Decodes all codes in an RGBA picture, rows from the top, four bytes a pixel.
///
/// Returns an array of `{text}`, or `{bytes}` where a code holds bytes that are not UTF-8.
///
/// # Errors
///
/// A text when the picture's size does not fit its bytes.
#[wasm_bindgen]
pub fn decode(rgba: &[u8], width: u32, height: u32) -> Result<Array, JsValue> {
    let frame =
        Frame::from_rgba(rgba, width, height).map_err(|error| JsValue::from_str(&error.to_string()))?;
    frame.codes().into_iter().map(code).collect()
}

fn code(bytes: Vec<u8>) -> Result<JsValue, JsValue> {
    let object = Object::new();
    match String::from_utf8(bytes) {
        Ok(text) => Reflect::set(&object, &"text".into(), &text.into())?,
        Err(error) => Reflect::set(&object, &"bytes".into(), &Uint8Array::from(error.as_bytes()))?,
    };
    Ok(object.into())
}
