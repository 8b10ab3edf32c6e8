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

use engine::Part;
use suishen_bridge::{Action, Fault, Request, Response};
use worker::Answer;

pub use worker::start;

/// The patient's wallet.
pub const WALLET: Part = Part {
    answer: |engine, task, (request, bytes)| {
        Box::pin(async move {
            let Request::Patient(request) = request else { return not_ours() };
            let (response, file) = engine.patient.answer(&engine, task, request, bytes).await?;
            Ok((Response::Patient(response), file))
        })
    },
    refresh: |engine| Box::pin(async move { engine.patient.refresh(&engine).await }),
};

/// A desk.
pub const DESK: Part = Part {
    answer: |engine, task, (request, bytes)| {
        Box::pin(async move {
            let Request::Desk(request) = request else { return not_ours() };
            let (response, file) = engine.desk.answer(&engine, task, request, bytes).await?;
            Ok((Response::Desk(response), file))
        })
    },
    refresh: |_| Box::pin(async { Ok(()) }),
};

fn not_ours() -> Answer {
    Err(Fault::new("request", Action::Nothing))
}
