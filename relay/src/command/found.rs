//! `suishen found`: founds a consortium's ledger in an empty data folder, from a file that says who it is.

use super::Outcome;
use crate::{
    config::{Limits, Place},
    founding::{self, Consortium},
    keys::Keys,
    node::{GENESIS, KEYS},
    order::{Solo, system_clock},
    replica::Replica,
};
use anyhow::{Context as _, bail};
use clap::Args;
use std::{fs, path::PathBuf};
use suishen_core::cbor;

/// Options of `suishen found`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The file is TOML:
  relay = \"langfang-relay\"                    # the relay's name in cosignatures
  origins = [\"https://wallet.example.org\"]    # where it is reached, the wallet's pages first
  member = \"12131000ABCDEF0001\"               # the organisation that runs it
  auditor = \"11131000ABCDEF0002\"              # the one that opens auditor boxes
  root = { code = \"52131000ABCDEF0000\", name = \"…\" }
  [[organisation]]                            # once for each, member and auditor too
  code = \"12131000ABCDEF0001\"
  name = \"…\"
  roles = [\"issuer\", \"physician\"]             # insurer-statutory, insurer-commercial, pharmacist, auditor

All keys are made in the data folder. Take keys/root away, to where no network reaches: nothing here needs it again.")]
pub struct Found {
    /// The consortium
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Accepted entries a sponsor and hour
    #[arg(long, env = "SUISHEN_QUOTA", value_name = "N", default_value_t = Limits::QUOTA)]
    pub quota: u64,
}

/// Founds, and prints the ledger's id.
pub fn run(place: &Place, found: &Found) -> anyhow::Result<Outcome> {
    if Replica::exists(&place.data) {
        bail!("there is a ledger in {} already: choose an empty folder with --data", place.data.display());
    }
    let text = fs::read_to_string(&found.file)
        .with_context(|| format!("could not read {}", found.file.display()))?;
    let consortium: Consortium =
        toml::from_str(&text).with_context(|| format!("in {}", found.file.display()))?;
    crate::store::make_folder(&place.data)
        .with_context(|| format!("could not make the data folder {}", place.data.display()))?;
    let (keys, clock) = (Keys::new(place.data.join(KEYS)), system_clock());
    let genesis = founding::genesis(&keys, &consortium, found.quota, clock())?;
    let cosigner = keys.folder("member").read("cosigner")?;
    let replica =
        Replica::create(&place.data, &genesis, cosigner, clock()).context("could not found the ledger")?;
    fs::write(place.data.join(GENESIS), cbor::encode(&genesis))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let order = Solo::start(replica.clone(), clock)?;
        founding::register(&keys, &consortium, &replica, &order).await
    })?;
    println!("{}", replica.ledger());
    Ok(Outcome::Well)
}
