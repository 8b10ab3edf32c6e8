//! `suishen`: the relay and the tools around its ledger.

fn main() {}
