//! The contract as specified: one test a rule with real signatures ([`form`], [`party`], [`report`],
//! [`grant`], [`claim`]), then every sequence against a naive reference ([`model`], [`naive`]).

mod claim;
mod form;
mod grant;
mod model;
mod naive;
mod naive_claim;
mod party;
mod pool;
mod propose;
mod propose_claim;
mod report;
mod table;
pub(crate) mod world;
