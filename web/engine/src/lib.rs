//! The wallet engine, in a web worker: keys, vault, IndexedDB, protocol, verification. The page sees what
//! `suishen-bridge` lists and nothing else. Locking ends the worker.

mod desk;
mod engine;
mod gates;
mod http;
mod ledger;
mod links;
mod patient;
mod peers;
mod platform;
mod platform_key;
mod store;
mod worker;
