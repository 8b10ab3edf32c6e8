//! The parts of LOOK, one a file: state flows down, messages go up.

mod announcer;
mod icon;
mod link_to;
mod mark;
mod person_seal;
mod seal;

pub use announcer::{Announcer, Voice, use_voice};
pub use icon::Icon;
pub use link_to::LinkTo;
pub use mark::Mark;
pub use person_seal::PersonSeal;
pub use seal::{Proof, Seal};
