//! What only a browser can do: address bar, storage, camera, passkeys, workers. Each file wraps one of its parts in
//! the app's own terms; none holds a rule.

pub mod address;
pub mod language;
pub mod page;
