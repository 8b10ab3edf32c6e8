//! The contract as specified: one test a rule with real signatures ([`form`], [`party`], [`report`],
//! [`grant`]), then every sequence against a naive reference ([`model`], [`naive`]).

mod form;
mod grant;
mod model;
mod naive;
mod party;
mod pool;
mod propose;
mod report;
mod table;
pub(crate) mod world;
