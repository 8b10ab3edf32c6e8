//! What only a browser can do: address bar, storage, camera, passkeys, workers. Each file wraps one of its parts in
//! the app's own terms; none holds a rule.

pub mod address;
pub mod asking;
pub mod camera;
pub mod embedded;
pub mod engine;
pub mod file;
pub mod language;
pub mod ledger;
pub mod offline;
pub mod page;
pub mod passkey;
pub mod scanner;
pub mod timer;
pub mod work;
