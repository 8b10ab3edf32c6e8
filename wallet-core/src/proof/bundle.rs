//! The proof bundle of a grant: everything that shows, without network and for as long as the formats are
//! read, who read what and when, and that nobody else did up to the checkpoint (PROTOCOL §6 "Receipt").
//!
//! **What a bundle proves it proves against its ledger id**, which is the hash of the genesis object inside:
//! whoever relies on it compares that id with the one that they know.

use super::checkpoint::{CheckpointError, Cosigner, Epoch, SignedCheckpoint, VerifiedCheckpoint};
use super::log::{AccessLog, LogError, ProvenEntry, ProvenValue, ShownGrant};
use super::map::{MapError, MapProof};
use crate::cbor::{self, CborError};
use crate::contract::{Genesis, GenesisError, Key, Party};
use crate::id::PartyId;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// Why a bundle proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Not a bundle.
    #[error("not a proof bundle: {0}")]
    Form(#[from] CborError),
    /// The genesis object can't found a ledger.
    #[error("the genesis object is not one: {0}")]
    Genesis(#[from] GenesisError),
    /// The checkpoint doesn't stand.
    #[error("the checkpoint does not stand: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The log isn't proven.
    #[error("the log is not proven: {0}")]
    Log(#[from] LogError),
    /// An organisation isn't proven.
    #[error("the organisation {0} is not proven: {1}")]
    Party(PartyId, MapError),
    /// An organisation acts in the log and isn't in the bundle.
    #[error("the organisation {0} acted and is not in the bundle")]
    Missing(PartyId),
}

/// A grant's proof, complete in itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Bundle {
    /// Entry 0, as an entry of the tree.
    #[n(0)]
    pub genesis: ProvenEntry,
    /// The checkpoint note.
    #[n(1)]
    pub note: String,
    /// The grant with every entry on it.
    #[n(2)]
    pub grant: ShownGrant,
    /// That the grant's leaf is in the state map.
    #[n(3)]
    pub proof: MapProof,
    /// The organisations that acted, with their proofs.
    #[n(4)]
    pub parties: Vec<ShownParty>,
    /// Receipts that the desk signed, as they came; shown, and not relied on.
    #[n(5)]
    pub receipts: Vec<Receipt>,
}

/// An organisation in the state.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShownParty {
    /// Which.
    #[n(0)]
    pub id: PartyId,
    /// As the state holds it.
    #[n(1)]
    pub value: ProvenValue,
}

/// A receipt's signed bytes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Receipt(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// What a bundle proves.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The ledger's founding.
    pub genesis: Genesis,
    /// Up to when.
    pub checkpoint: VerifiedCheckpoint,
    /// What happened on the grant: all of it.
    pub log: AccessLog,
    /// The organisations that acted.
    pub parties: BTreeMap<PartyId, Party>,
}

/// Who cosigns in the epoch that the genesis begins.
pub fn first_epoch(genesis: &Genesis) -> Epoch {
    let cosigner = |m: &crate::contract::Member| Cosigner { name: m.name.clone(), key: m.cosigner };
    Epoch { number: 0, cosigners: genesis.members.iter().map(cosigner).collect() }
}

impl Bundle {
    /// The bundle as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a file; nothing is verified but the form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        Ok(cbor::decode(bytes)?)
    }

    /// Verifies everything, offline.
    pub fn verify(&self) -> Result<Proven, BundleError> {
        let genesis: Genesis = cbor::decode(&self.genesis.bytes)?;
        genesis.check()?;
        let (ledger, epoch) = (genesis.ledger_id(), first_epoch(&genesis));
        let verified = SignedCheckpoint::parse(&self.note)?.verify(&ledger, &epoch)?;
        let checkpoint = verified.checkpoint();
        if self.genesis.number != 0 {
            return Err(LogError::Order.into());
        }
        self.genesis.check(checkpoint)?;
        let log = self.grant.verify(&self.proof, checkpoint)?;
        let mut parties = BTreeMap::new();
        for shown in &self.parties {
            let party = shown.value.verify(&Key::Party(shown.id.clone()), checkpoint);
            let party = party.map_err(|error| BundleError::Party(shown.id.clone(), error))?;
            parties.insert(shown.id.clone(), party);
        }
        let proven = Proven { genesis, checkpoint: verified, log, parties };
        proven.check_parties()?;
        Ok(proven)
    }
}

impl Proven {
    /// Every organisation that acted is here. That it vouched for the desk with the key in force at that moment,
    /// the contract checked before the entry stood; keys have changed since, and only an audit has them all.
    fn check_parties(&self) -> Result<(), BundleError> {
        for entry in &self.log.entries {
            let Some(signed) = entry.transaction.credential() else { continue };
            let claimed = signed.claimed().map_err(|_| LogError::Form(entry.number))?;
            if !self.parties.contains_key(&claimed.party) {
                return Err(BundleError::Missing(claimed.party));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
