//! A report's files: the CSV files as they are written, and the signature over all.

pub mod csv;
pub mod sign;
