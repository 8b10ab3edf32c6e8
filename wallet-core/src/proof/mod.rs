//! Proofs: what a wallet, a desk or an auditor checks by itself instead of believing a relay (PROTOCOL §8).
//!
//! | question | module |
//! |---|---|
//! | is this entry in the ledger, is this ledger an extension of that one | [`tree`] |
//! | how are entries and hashes cut into files | [`tile`] |
//! | what does the state hold under a key, and is that all of it | [`map`] |
//! | do the members vouch for these roots, and since when | [`checkpoint`] |
//! | what time is it by the ledger | [`time`] |
//! | who read what and when: all of it | [`log`] |
//! | the same in one file, for anybody, offline | [`bundle`] |
//! | may I accept this after what I have seen before | [`remembered`] |

pub mod bundle;
pub mod checkpoint;
pub mod log;
pub mod map;
pub mod remembered;
pub mod tile;
pub mod time;
pub mod tree;

/// Where the vectors of other implementations lie.
#[cfg(test)]
fn tests_vectors(set: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(set)
}
