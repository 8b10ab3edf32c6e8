//! The pages, one a file, by role.

pub mod desk;
pub mod patient;
mod start;
mod unknown;

pub use start::StartPage;
pub use unknown::UnknownPage;
