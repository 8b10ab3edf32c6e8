//! What a view shows, worked out without a view: plain code, tested natively.

pub mod claim;
pub mod code;
pub mod lab;
pub mod passage;
pub mod record;
pub mod ring;
pub mod trend;
