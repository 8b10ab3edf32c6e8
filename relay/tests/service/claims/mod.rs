//! An insurer's server over a real relay: a patient's claim link in, a settlement on the ledger out.

mod life;
mod world;
