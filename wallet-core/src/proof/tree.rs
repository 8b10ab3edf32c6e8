//! The entry tree: a Merkle tree in the shape of RFC 6962 §2.1, under SM3.
//!
//! Leaf = H(00 ‖ entry), node = H(01 ‖ left ‖ right), empty = H(). Making a proof asks a [`NodeSource`] for
//! O(log n) complete subtrees; checking one needs nothing but the proof (RFC 9162 §2.1.3.2, §2.1.4.2).
//! Nothing here trusts a length or number that it is handed: every input gives an answer, never a panic.

use crate::sm::{Digest, DigestBuilder};

/// How leaves and nodes are hashed. The ledger's is [`Sm3`]; tests bring SHA-256 to check against others.
pub trait TreeHash {
    /// Hash of a leaf's bytes.
    fn leaf(entry: &[u8]) -> Digest;
    /// Hash of an inner node.
    fn node(left: &Digest, right: &Digest) -> Digest;
    /// Root of the tree without leaves.
    fn empty() -> Digest;
}

/// RFC 6962 hashing with SM3.
#[derive(Clone, Copy, Debug)]
pub struct Sm3;

impl TreeHash for Sm3 {
    fn leaf(entry: &[u8]) -> Digest {
        let mut hash = DigestBuilder::new();
        hash.update(&[0]);
        hash.update(entry);
        hash.finish()
    }

    fn node(left: &Digest, right: &Digest) -> Digest {
        let mut hash = DigestBuilder::new();
        hash.update(&[1]);
        hash.update(left.as_bytes());
        hash.update(right.as_bytes());
        hash.finish()
    }

    fn empty() -> Digest {
        Digest::of(&[])
    }
}

/// Why a tree proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The number doesn't lie in a tree of this size, or the older tree is empty or larger than the newer.
    #[error("no such entry or older tree in a tree of this size")]
    Range,
    /// The proof is longer or shorter than sizes and number demand.
    #[error("the proof has another length than the tree demands")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Where the hashes of complete subtrees come from.
pub trait NodeSource {
    /// What can go wrong in reading.
    type Error;
    /// The root of the complete subtree over the leaves [index · 2^level, (index + 1) · 2^level).
    fn node(&self, level: u8, index: u64) -> Result<Digest, Self::Error>;
}

/// A complete subtree that an append has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Height over the leaves.
    pub level: u8,
    /// Its place among the subtrees of this height.
    pub index: u64,
    /// Its root.
    pub hash: Digest,
}

/// The right edge of a growing tree: enough to append and to know the root, in O(log n) space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// Roots of the complete subtrees that the size is made of, largest first: one for each bit set.
    peaks: Vec<Digest>,
}

impl Edge {
    /// The edge of an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of the tree with `size` leaves.
    pub fn load<S: NodeSource>(source: &S, size: u64) -> Result<Self, S::Error> {
        let mut peaks = Vec::new();
        let mut start = 0;
        for level in (0..64).rev().filter(|l| size >> l & 1 == 1) {
            peaks.push(source.node(level_u8(level), start >> level)?);
            start += 1 << level;
        }
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash; tells every complete subtree that this finishes, the leaf itself first.
    pub fn append<H: TreeHash>(&mut self, leaf: Digest, mut finished: impl FnMut(Node)) {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        finished(node);
        while node.index & 1 == 1 {
            let left = self.peaks.pop().expect("a size with this bit set has a peak of this height");
            node = Node { level: node.level + 1, index: node.index >> 1, hash: H::node(&left, &node.hash) };
            finished(node);
        }
        self.peaks.push(node.hash);
        self.size += 1;
    }

    /// The root.
    pub fn root<H: TreeHash>(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return H::empty() };
        peaks.fold(*last, |right, left| H::node(left, &right))
    }
}

/// The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), leaf's sibling first.
pub fn prove_inclusion<H: TreeHash, S: NodeSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, S::Error> {
    let mut path = Vec::new();
    if index < size {
        descend::<H, S>(source, index, 0, size, &mut path)?;
    }
    Ok(path)
}

fn descend<H: TreeHash, S: NodeSource>(
    source: &S,
    index: u64,
    start: u64,
    len: u64,
    path: &mut Vec<Digest>,
) -> Result<(), S::Error> {
    if len <= 1 {
        return Ok(());
    }
    let left = split(len);
    if index - start < left {
        descend::<H, S>(source, index, start, left, path)?;
        path.push(range::<H, S>(source, start + left, len - left)?);
    } else {
        descend::<H, S>(source, index, start + left, len - left, path)?;
        path.push(range::<H, S>(source, start, left)?);
    }
    Ok(())
}

/// The consistency proof between the trees of `old` and `new` leaves (RFC 6962 §2.1.2).
pub fn prove_consistency<H: TreeHash, S: NodeSource>(
    source: &S,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, S::Error> {
    let mut path = Vec::new();
    if 0 < old && old < new {
        subproof::<H, S>(source, old, 0, new, true, &mut path)?;
    }
    Ok(path)
}

fn subproof<H: TreeHash, S: NodeSource>(
    source: &S,
    old: u64,
    start: u64,
    len: u64,
    whole: bool,
    path: &mut Vec<Digest>,
) -> Result<(), S::Error> {
    if old == len {
        // The old tree's own root is known to who checks; any other complete part is told.
        if !whole {
            path.push(range::<H, S>(source, start, len)?);
        }
        return Ok(());
    }
    let left = split(len);
    if old <= left {
        subproof::<H, S>(source, old, start, left, whole, path)?;
        path.push(range::<H, S>(source, start + left, len - left)?);
    } else {
        subproof::<H, S>(source, old - left, start + left, len - left, false, path)?;
        path.push(range::<H, S>(source, start, left)?);
    }
    Ok(())
}

/// The root of the tree of `size` leaves.
pub fn root<H: TreeHash, S: NodeSource>(source: &S, size: u64) -> Result<Digest, S::Error> {
    if size == 0 { Ok(H::empty()) } else { range::<H, S>(source, 0, size) }
}

/// The root over `len` > 0 leaves from `start`, which is a multiple of the least power of two ≥ `len`.
fn range<H: TreeHash, S: NodeSource>(source: &S, start: u64, len: u64) -> Result<Digest, S::Error> {
    if len.is_power_of_two() {
        let level = len.trailing_zeros();
        return source.node(level_u8(level), start >> level);
    }
    let left = split(len);
    let (l, r) = (range::<H, S>(source, start, left)?, range::<H, S>(source, start + left, len - left)?);
    Ok(H::node(&l, &r))
}

/// The largest power of two below `len` ≥ 2.
const fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

fn level_u8(level: u32) -> u8 {
    u8::try_from(level).expect("a u64 has 64 bits")
}

/// Checks that `leaf` stands at `index` in the tree of `size` leaves with this root.
pub fn verify_inclusion<H: TreeHash>(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), TreeError> {
    if index >= size {
        return Err(TreeError::Range);
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for step in proof {
        if last == 0 {
            return Err(TreeError::Length);
        }
        if place & 1 == 1 || place == last {
            hash = H::node(step, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = H::node(&hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(TreeError::Length);
    }
    if hash == *root { Ok(()) } else { Err(TreeError::Root) }
}

/// Checks that the tree (`new`, `new_root`) begins with the whole tree (`old`, `old_root`). An empty older tree
/// proves nothing and is refused.
pub fn verify_consistency<H: TreeHash>(
    old: u64,
    new: u64,
    proof: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> Result<(), TreeError> {
    if old == 0 || old > new {
        return Err(TreeError::Range);
    }
    if old == new {
        if !proof.is_empty() {
            return Err(TreeError::Length);
        }
        return if old_root == new_root { Ok(()) } else { Err(TreeError::Root) };
    }
    // A complete older tree is itself the first node of the path.
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(TreeError::Length)?;
        (*first, rest)
    };
    let (mut place, mut last) = (old - 1, new - 1);
    let shift = place.trailing_ones();
    place >>= shift;
    last >>= shift;
    let (mut old_hash, mut new_hash) = (first, first);
    for step in rest {
        if last == 0 {
            return Err(TreeError::Length);
        }
        if place & 1 == 1 || place == last {
            old_hash = H::node(step, &old_hash);
            new_hash = H::node(step, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = H::node(&new_hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(TreeError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(TreeError::Root) }
}

#[cfg(test)]
pub(crate) mod tests;
