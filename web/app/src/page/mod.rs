//! The pages, one a file, by role.

mod start;

pub use start::StartPage;
