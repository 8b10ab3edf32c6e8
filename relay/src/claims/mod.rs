//! The insurer's server (`suishen claims`): a patient's claim links go in, decisions come out, at night too. A relay never
//! sees a plaintext, so this is a door of the insurer's own, with the insurer's own key, over a relay.
//!
//! | need | module |
//! |---|---|
//! | enrolment, and where its data is | [`enrolment`] |
//! | the ledger, proven | [`ledger`], [`looks`] |
//! | what is kept, sealed | [`rows`], [`held`] |
//! | a claim's life up to the patient's yes | [`desk`] |
//! | redeem and open | [`opening`], [`view`] |
//! | settle, refuse, take back | [`saying`] |
//! | what it does by itself | [`work`], [`webhook`] |
//! | what isn't done, and why | [`refusal`] |
//! | the insurer's systems over HTTP | [`door`], [`clients`] |
//! | patients who are played | [`sandbox`], [`patient`] |

pub mod clients;
pub mod desk;
pub mod door;
mod dropbox;
pub mod enrolment;
pub mod held;
pub mod ledger;
mod looks;
pub mod opening;
pub mod patient;
pub mod refusal;
pub mod rows;
pub mod sandbox;
pub mod saying;
pub mod view;
pub mod webhook;
pub mod work;

pub use desk::{ClaimsDesk, DeskError};
pub use refusal::Refusal;
