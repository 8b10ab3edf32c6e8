//! End to end: a real relay, real Chromium, a real ledger, and people who look at screens and show each other QR codes.
//!
//! A test is a [`Scene`]: a relay on fresh data, and persons, each with a browser profile of their own.
//!
//! ```no_run
//! # use suishen_tests::{Result, Scene, Window};
//! # async fn example() -> Result<()> {
//! Scene::play("a-report-is-kept", 1, async |scene| {
//!     let patient = scene.person("patient", Window::Phone).await?;
//!     patient.goes_to("patient", "/").await?;
//!     patient.taps("保存").await?;
//!     patient.sees("已保存").await?;
//!     patient.picture("a-report-is-kept").await
//! })
//! .await
//! # }
//! ```
//!
//! `cargo xtask test` builds the relay and the web bundles and hands over where they are (`SUISHEN_BIN`,
//! `SUISHEN_WEB`); without these nothing here runs. Waiting has a hang limit and no test depends on speed. At the end of
//! a scene every browser's console must be clean: an error, or anything the content security policy stopped, fails it.

mod accessibility;
mod between;
mod built;
mod camera;
mod claims_server;
mod console;
mod driver;
mod files;
mod insurer;
mod passkey;
mod person;
mod played;
mod process;
mod random;
mod relay;
mod scene;
mod story;
mod walk;

pub use between::{Asked, Between, Turn};
pub use camera::Camera;
pub use claims_server::ClaimsServer;
pub use files::{copy_folder, sha256};
pub use insurer::Insurer;
pub use passkey::Authenticator;
pub use person::{Person, Window};
pub use played::{Accepted, Desk, HOSPITAL, Wallet, auditor, sample};
pub use random::Repeatable;
pub use relay::{Answer, FurtherMailbox, Relay};
pub use scene::Scene;
pub use story::PASSPHRASE;
pub use walk::Look;

/// What a test ends with.
pub type Result<T> = anyhow::Result<T>;

/// After this long something hangs; no other time is ever asserted.
pub const HANG: std::time::Duration = std::time::Duration::from_mins(1);
