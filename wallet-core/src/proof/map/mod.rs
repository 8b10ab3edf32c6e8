//! The state map: a sparse Merkle tree over the contract's state, so that a root of 32 bytes says what the
//! state holds under a key, that it holds nothing there, and *all* that it holds under a prefix.
//!
//! Key = SM3("suishen/state-key\0" ‖ state key), leaf = H(02 ‖ key ‖ SM3(value)), node = H(03 ‖ left ‖ right),
//! an empty subtree is 32 zero bytes, and a subtree with one leaf is that leaf wherever it is. The root is a
//! function of the keys and values alone, never of the order in which they were written.
//!
//! Not the crate jmt: its proofs speak of one key, and a wallet asks for a whole prefix so that the relay
//! doesn't learn which grants are its own; its versions need pruning, where the replica's snapshots give the
//! same for nothing; and it would bring borsh, hashbrown and more into the wallet's wasm.
//!
//! [`MapProof`] is what a wallet checks, [`pages`] what a replica stores.

pub mod pages;
mod prefix;

pub use prefix::Prefix;

use crate::order;
use crate::sm::{Digest, DigestBuilder, Label};
use minicbor::{Decode, Encode};

/// Why a map proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// More siblings than the prefix has bits.
    #[error("the proof goes deeper than its prefix")]
    Depth,
    /// Leaves out of order, twice, or outside the subtree that the proof is about.
    #[error("the leaves of the proof are not those of one subtree, in order")]
    Leaves,
    /// The proof leads to another root.
    #[error("the proof leads to another map root")]
    Root,
    /// The value shown isn't the one in the leaf.
    #[error("the value is not the one that the state holds")]
    Value,
    /// A stored page is missing or unreadable, at this many digits of the key.
    #[error("page {0} of the state map is missing or damaged")]
    Page(pages::PagePath),
    /// Not a prefix: binary digits, or `-` for the whole map.
    #[error("a prefix is up to 256 binary digits, or - for none")]
    Prefix,
}

/// Where a state key lies in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct MapKey(#[n(0)] Digest);

impl MapKey {
    /// The place of a state key (tag byte ‖ id bytes).
    pub fn of(state_key: &[u8]) -> Self {
        Self(Digest::labelled(Label::new("state-key"), &[state_key]))
    }

    /// A place that was computed before.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    fn bit(&self, depth: usize) -> bool {
        self.0.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
    }

    fn nibble(&self, digit: usize) -> usize {
        usize::from(self.0.as_bytes()[digit / 2] >> (4 - digit % 2 * 4) & 15)
    }
}

/// A key and the digest of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Leaf {
    /// Its place.
    #[n(0)]
    pub key: MapKey,
    /// SM3 of the value.
    #[n(1)]
    pub value: Digest,
}

impl Leaf {
    /// The leaf of a value under a state key.
    pub fn of(state_key: &[u8], value: &[u8]) -> Self {
        Self { key: MapKey::of(state_key), value: Digest::of(value) }
    }

    fn hash(&self) -> Digest {
        let mut hash = DigestBuilder::new();
        hash.update(&[2]);
        hash.update(self.key.as_bytes());
        hash.update(self.value.as_bytes());
        hash.finish()
    }
}

const EMPTY: Digest = Digest::from_bytes([0; 32]);

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hash = DigestBuilder::new();
    hash.update(&[3]);
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    hash.finish()
}

/// The root of the subtree at `depth` bits that holds exactly these leaves, ascending and distinct.
fn subtree(leaves: &[Leaf], depth: usize) -> Digest {
    match leaves {
        [] => EMPTY,
        [one] => one.hash(),
        more => {
            let (left, right) = more.split_at(more.partition_point(|leaf| !leaf.key.bit(depth)));
            node(&subtree(left, depth + 1), &subtree(right, depth + 1))
        }
    }
}

/// The map's root over these leaves, in any order; of two with the same key the later counts.
pub fn root_of(leaves: impl IntoIterator<Item = Leaf>) -> Digest {
    let sorted = order::map(leaves.into_iter().map(|l| (l.key, l.value)));
    let leaves: Vec<_> = sorted.into_iter().map(|(key, value)| Leaf { key, value }).collect();
    subtree(&leaves, 0)
}

/// Proves all that the map holds under a prefix. A prefix of 256 bits is one key: held, or absent.
///
/// Siblings from the root downwards, then every leaf of the subtree where they end. They may end before the
/// prefix does, at an empty place or at the only leaf there, which may lie outside the prefix: it has nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MapProof {
    #[n(0)]
    siblings: Vec<Digest>,
    #[n(1)]
    leaves: Vec<Leaf>,
}

impl MapProof {
    /// The leaves that it shows, not verified.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// All leaves under the prefix in the map with this root.
    pub fn verify(&self, prefix: &Prefix, root: &Digest) -> Result<Vec<Leaf>, MapError> {
        let depth = self.siblings.len();
        if depth > prefix.bits() {
            return Err(MapError::Depth);
        }
        let ends_early = depth < prefix.bits();
        let ordered = self.leaves.is_sorted_by(|a, b| a.key < b.key);
        let inside = self.leaves.iter().all(|leaf| prefix.shares(&leaf.key, depth));
        if !ordered || !inside || (ends_early && self.leaves.len() > 1) {
            return Err(MapError::Leaves);
        }
        let mut hash = subtree(&self.leaves, depth);
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            hash = if prefix.bit(depth) { node(sibling, &hash) } else { node(&hash, sibling) };
        }
        if hash != *root {
            return Err(MapError::Root);
        }
        Ok(self.leaves.iter().filter(|leaf| prefix.shares(&leaf.key, prefix.bits())).copied().collect())
    }

    /// The digest of what the map holds under one key; `None` where it provably holds nothing.
    pub fn lookup(&self, key: &MapKey, root: &Digest) -> Result<Option<Digest>, MapError> {
        Ok(self.verify(&Prefix::whole(key), root)?.first().map(|leaf| leaf.value))
    }

    /// Checks that the map holds exactly this value under this state key.
    pub fn holds(&self, state_key: &[u8], value: &[u8], root: &Digest) -> Result<(), MapError> {
        match self.lookup(&MapKey::of(state_key), root)? {
            Some(held) if held == Digest::of(value) => Ok(()),
            _ => Err(MapError::Value),
        }
    }
}

#[cfg(test)]
mod tests;
