//! All rules and formats of the Suishen health wallet, sans-io: no clock, no randomness of its own, no
//! storage, no network. The same code runs in the phone, at the desk and in the relay.
//!
//! | need | module |
//! |---|---|
//! | sign, seal, encrypt, hash | [`sm`] |
//! | encode and decode any object, byte for byte | [`cbor`] |
//! | read and show medical reports (FHIR R4) | [`fhir`] |
//! | issue, verify and disclose reports; tickets | [`report`] |
//! | what a scanned code is, and the codes shown | [`qr`] |
//! | certificates: who acts, for whom, in which role | [`identity`] |
//! | what may stand on the ledger | [`contract`] |
//! | who read what, what was paid, what is wrong: the auditor's rules | [`audit`] |
//! | what travels around a grant | [`consent`] |
//! | who holds shares of keys, when they are released and torn | [`gate`] |
//! | a patient's records, shares and keys, and what unlocks them | [`vault`] |
//! | make two copies of a vault the same, whoever holds them | [`sync`] |
//! | names of things, one type a kind | [`id`] |
//! | sort and collect in little code | [`order`] |
//! | check what a relay claims about the ledger | [`proof`] |

pub mod audit;
pub mod cbor;
pub mod consent;
pub mod contract;
pub mod fhir;
pub mod gate;
pub mod id;
pub mod identity;
pub mod order;
pub mod proof;
pub mod qr;
pub mod report;
pub mod sm;
pub mod sync;
mod text;
pub mod vault;
