//! The relay of the Suishen health wallet: serves the pages, carries ciphertext, orders and anchors
//! transactions, holds one gate share.
//!
//! | need | module |
//! |---|---|
//! | flags, environment and file | [`config`] |
//! | a running relay and its parts | [`node`] |
//! | pages, API, their limits and errors | [`http`] |
//! | entries, state, proofs and the checkpoint over them | [`replica`] |
//! | who orders transactions | [`order`] |
//! | shares: kept, released, destroyed | [`gate`] |
//! | ciphertext by address | [`blob`] |
//! | messages of grants and to known recipients | [`boxes`] |
//! | copies of vaults for their devices | [`mailbox`] |
//! | what needs no ledger: mailboxes, libp2p, pages | [`post`], [`p2p`] |
//! | organisations' people and their credentials | [`desk`] |
//! | what changed | [`events`] |
//! | a consortium's keys, genesis and first entries | [`founding`] |
//! | a demo consortium | [`demo`] |
//! | secret keys on disk | [`keys`] |
//! | the relay's own database | [`store`] |
//! | a desk on the command line, and what it issues | [`client`], [`issuing`] |
//! | an insurer's own server | [`claims`] |
//! | https to others | [`tls`] |
//! | randomness of the system | [`random`] |
//! | logs and figures | [`telemetry`] |
//! | what `suishen` does on a command line | [`command`] |

pub mod blob;
pub mod boxes;
pub mod claims;
pub mod client;
pub mod command;
pub mod config;
pub mod demo;
pub mod desk;
pub mod events;
pub mod founding;
pub mod gate;
pub mod http;
pub mod issuing;
pub mod keys;
pub mod mailbox;
pub mod node;
pub mod order;
pub mod p2p;
pub mod post;
pub mod random;
pub mod replica;
pub mod store;
pub mod telemetry;
pub mod tls;
