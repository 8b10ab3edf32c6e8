//! The insurer's server (`suishen claims`): a patient's claim links go in, decisions come out, at night too. A relay never
//! sees a plaintext, so this is a door of the insurer's own, with the insurer's own key, over a relay.
//!
//! | need | module |
//! |---|---|
//! | the ledger, proven | [`ledger`] |
//! | what is kept, sealed | [`rows`], [`held`] |
//! | a claim's life up to the patient's yes | [`desk`] |
//! | redeem and open | [`opening`] |
//! | settle, refuse, take back | [`saying`] |
//! | what isn't done, and why | [`refusal`] |

pub mod desk;
pub mod enrolment;
pub mod held;
pub mod ledger;
pub mod opening;
pub mod patient;
pub mod refusal;
pub mod rows;
pub mod saying;
pub mod work;

pub use desk::{ClaimsDesk, DeskError};
pub use refusal::Refusal;
