//! An insurer's server over a real relay: a patient's claim link in, a settlement on the ledger out.

mod bounds;
mod caller;
mod door;
mod hooks;
pub mod lies;
mod life;
mod once;
mod programs;
mod renewal;
mod secure;
mod split;
mod world;
