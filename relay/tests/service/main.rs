//! A relay on a port, used as desks, wallets, strangers and attackers use it: over HTTP, with real keys and a real
//! ledger.

mod answers;
mod audit;
mod blobs;
mod claims;
mod connections;
mod deposits;
mod desks;
mod dialing;
mod events;
mod fsck;
mod further;
mod grants;
mod killed;
mod malformed;
mod peers;
mod process;
mod raw;
mod relay;
mod suspension;
mod tickets;
mod tombstones;
mod values;
