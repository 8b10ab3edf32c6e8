//! The relay's own cosigner. It signs what a [`Snapshot`] holds as committed, and nothing handed to it.

use super::{ReplicaError, Snapshot};
use suishen_core::{
    contract::Genesis,
    proof::{
        checkpoint::{Checkpoint, SignedCheckpoint},
        map::pages,
    },
    sm::{Digest, SecretKey},
};

/// A member's cosigner key with its relay's name.
pub struct Cosigner {
    place: usize,
    name: String,
    key: SecretKey,
}

impl Cosigner {
    /// The member whose cosigner key this is.
    pub fn new(genesis: &Genesis, key: SecretKey) -> Result<Self, ReplicaError> {
        let public = key.public();
        let place = genesis.members.iter().position(|m| m.cosigner == public);
        let place = place.ok_or(ReplicaError::NotAMember)?;
        Ok(Self { place, name: genesis.members[place].name.clone(), key })
    }

    /// The member's place in the genesis.
    pub const fn place(&self) -> usize {
        self.place
    }

    /// Cosigns a checkpoint that was committed.
    pub fn sign(&self, checkpoint: &Checkpoint, now: u64) -> SignedCheckpoint {
        let line = checkpoint.cosign(&self.name, &self.key, now);
        SignedCheckpoint { checkpoint: *checkpoint, cosignatures: vec![line] }
    }
}

/// Checks that what was stored for signing is what tree and map say: else somebody changed the database, and
/// signing again would fork the ledger.
pub fn check_stored(snapshot: &Snapshot, tree: &Digest) -> Result<(), ReplicaError> {
    let stored = snapshot.checkpoint();
    if stored.tree != *tree {
        return Err(ReplicaError::Damaged("the tree's root is not the one that was signed".into()));
    }
    if stored.map != pages::root(&snapshot.pages())? {
        return Err(ReplicaError::Damaged("the state map's root is not the one that was signed".into()));
    }
    Ok(())
}
