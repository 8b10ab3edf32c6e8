//! QR decoding (web worker).
