//! What a view shows, worked out without a view: plain code, tested natively.

pub mod code;
pub mod ring;
