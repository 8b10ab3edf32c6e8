//! Where the ledger is read: the published copy in a data folder, or a relay by its address.

use crate::{
    client::{Client, ClientError},
    replica::{copy::Copy, replay::Replay},
};
use anyhow::Context as _;
use std::{path::Path, sync::Arc};
use suishen_core::{
    id::LedgerId,
    proof::tile::{Kind, TileId, decode_entries},
};
use tokio::{runtime::Runtime, task::JoinHandle};

/// A published ledger.
#[derive(Debug)]
pub enum Source {
    /// In a data folder, also while its relay runs.
    Folder(Copy),
    /// At a relay.
    Relay(Remote),
}

/// A tile on its way.
type Asked = JoinHandle<Result<Vec<u8>, ClientError>>;

/// A relay, and the tile that is asked for ahead.
#[derive(Debug)]
pub struct Remote {
    client: Arc<Client>,
    runtime: Runtime,
    ahead: Option<(TileId, Asked)>,
}

impl Source {
    /// The copy in a data folder.
    pub fn folder(data: &Path) -> Self {
        Self::Folder(Copy::of(data))
    }

    /// The ledger's id, by the genesis that the relay or the folder shows; the inner error says what is wrong with it.
    pub fn ledger(&self) -> anyhow::Result<Result<LedgerId, String>> {
        let copy = match self {
            Self::Folder(copy) => copy,
            Self::Relay(remote) => return Ok(Ok(remote.client.ledger())),
        };
        // Where nothing is published, that is what is said.
        self.note()?;
        let bundle = copy.tile(Kind::Entries, 0)?;
        let Ok(entries) = decode_entries(&bundle) else {
            return Ok(Err("the entries from 0 on cannot be read".into()));
        };
        let Some(genesis) = entries.first() else { return Ok(Err("entry 0: it is missing".into())) };
        Ok(match Replay::new(genesis) {
            Ok(replay) => Ok(replay.ledger()),
            Err(fault) => Err(format!("entry {}: {}", fault.number, fault.why)),
        })
    }

    /// A relay at `http://HOST:PORT` or `https://HOST`.
    pub fn relay(url: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = runtime.block_on(Client::connect(url))?;
        Ok(Self::Relay(Remote { client: Arc::new(client), runtime, ahead: None }))
    }

    /// The newest checkpoint's note.
    pub fn note(&self) -> anyhow::Result<String> {
        let bytes = match self {
            Self::Folder(copy) => copy.note().with_context(|| {
                format!("there is no published ledger in {}: name a data folder with --data, or a relay with --relay", copy.folder().display())
            })?,
            Self::Relay(remote) => remote.runtime.block_on(remote.client.get("/v1/ledger/checkpoint"))?,
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A bundle of entries as far as it is there; `width` is how many of it the checkpoint speaks of.
    pub fn entries(&mut self, index: u64, width: u16) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Folder(copy) => Ok(copy.tile(Kind::Entries, index)?),
            Self::Relay(remote) => remote.entries(index, width),
        }
    }
}

impl Remote {
    fn entries(&mut self, index: u64, width: u16) -> anyhow::Result<Vec<u8>> {
        let id = TileId::new(Kind::Entries, index, width)?;
        let asked = match self.ahead.take() {
            Some((ahead, asked)) if ahead == id => asked,
            _ => self.ask(id),
        };
        let bytes = self.runtime.block_on(asked)??;
        // The next whole one, while this one is worked on; where there is none the relay says so and nothing is lost.
        if width == 256 {
            let next = TileId::new(Kind::Entries, index + 1, 256)?;
            self.ahead = Some((next, self.ask(next)));
        }
        Ok(bytes)
    }

    fn ask(&self, id: TileId) -> Asked {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.get(&format!("/v1/ledger/{id}")).await })
    }
}
