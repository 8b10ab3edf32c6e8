//! The Suishen web interface (Yew, main thread).
//!
//! What a person sees and taps. It holds no keys and decides nothing: questions go to the engine worker over the
//! messages of `suishen-bridge`, answers come back as views. What crosses this thread is the closed list of DESIGN §6
//! (typed passphrase, PRF output, phrase on screen, QR payloads), and none of it is stored here.
//!
//! [`view`] is plain code, tested natively; [`component`] is one part of LOOK a file; [`page`] is one page a file;
//! [`browser`] is what only a browser can do.

// Texts and callbacks are made for the part that draws them, and the parts take them over.
#![allow(clippy::needless_pass_by_value)]
// Answers arrive boxed; a second box around them is one allocation a page.
#![allow(clippy::redundant_allocation)]
// "Answered, and there is none" differs from "not answered".
#![allow(clippy::option_option)]

pub mod app;
pub mod browser;
pub mod clock;
pub mod component;
pub mod page;
pub mod role;
pub mod route;
pub mod view;
pub mod words;
