//! The tree against RFC 6962's definition, the vectors of another implementation, and every change.

use super::*;
use crate::proof::tile::{self, TileError, TileNodes, TileSource};
use data_encoding::BASE64;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) struct Sha256;
impl TreeHash for Sha256 {
    fn leaf(entry: &[u8]) -> Digest {
        sha256(&[&[0], entry])
    }
    fn node(left: &Digest, right: &Digest) -> Digest {
        sha256(&[&[1], left.as_bytes(), right.as_bytes()])
    }
    fn empty() -> Digest {
        sha256(&[])
    }
}

fn sha256(parts: &[&[u8]]) -> Digest {
    use sha2::Digest as _;
    Digest::from_bytes(sha2::Sha256::digest(parts.concat()).into())
}

/// Tiles in memory, as a replica grows them.
#[derive(Default)]
pub(crate) struct Tiles(BTreeMap<(u8, u64), Vec<u8>>);

impl TileSource for Tiles {
    type Error = TileError;
    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, TileError> {
        self.0.get(&(level, index)).cloned().ok_or(TileError::Hashes)
    }
}

fn grown<H: TreeHash>(leaves: &[Digest]) -> (Tiles, Vec<Digest>) {
    let (mut tiles, mut edge, mut roots) = (Tiles::default(), Edge::new(), vec![H::empty()]);
    for leaf in leaves {
        edge.append::<H>(*leaf, |node| {
            if node.level % 8 == 0 {
                let tile = tiles.0.entry((node.level / 8, node.index / tile::WIDTH)).or_default();
                tile.extend_from_slice(node.hash.as_bytes());
            }
        });
        roots.push(edge.root::<H>());
    }
    (tiles, roots)
}

fn leaves(n: u64) -> Vec<Digest> {
    (0..n).map(|i| Sm3::leaf(&i.to_be_bytes())).collect()
}

/// RFC 6962 §2.1, word for word.
fn naive(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Sm3::empty(),
        [one] => *one,
        more => {
            let (l, r) = more.split_at(more.len().next_power_of_two() / 2);
            Sm3::node(&naive(l), &naive(r))
        }
    }
}

#[test]
fn the_root_is_that_of_rfc_6962_at_every_size() {
    let leaves = leaves(600);
    let (tiles, roots) = grown::<Sm3>(&leaves);
    let nodes = TileNodes::<Sm3, _>::new(&tiles);
    for (size, expected) in roots.iter().enumerate().step_by(7) {
        assert_eq!(naive(&leaves[..size]), *expected);
        assert_eq!(root::<Sm3, _>(&nodes, size as u64), Ok(*expected));
        assert_eq!(Edge::load(&nodes, size as u64).unwrap().root::<Sm3>(), *expected);
    }
}

fn at(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

#[test]
fn all_small_proofs_verify_and_each_change_is_refused() {
    let leaves = leaves(18);
    let (tiles, roots) = grown::<Sm3>(&leaves);
    let nodes = TileNodes::<Sm3, _>::new(&tiles);
    let changes = |proof: &[Digest]| {
        let mut all: Vec<Vec<Digest>> = vec![[proof, &[leaves[0]]].concat(), [&[leaves[0]], proof].concat()];
        for i in 0..proof.len() {
            let mut without = proof.to_vec();
            without.remove(i);
            let mut other = proof.to_vec();
            other[i] = leaves[1];
            all.extend([without, other]);
        }
        all
    };
    for new in 1..=18_u64 {
        let root = roots[at(new)];
        for i in 0..new {
            let (leaf, proof) = (leaves[at(i)], prove_inclusion::<Sm3, _>(&nodes, i, new).unwrap());
            assert_eq!(verify_inclusion::<Sm3>(leaf, i, new, &proof, &root), Ok(()));
            for other in (0..=new + 1).filter(|o| *o != i) {
                assert!(verify_inclusion::<Sm3>(leaf, other, new, &proof, &root).is_err());
            }
            for changed in changes(&proof).iter().filter(|c| **c != proof) {
                assert!(verify_inclusion::<Sm3>(leaf, i, new, changed, &root).is_err());
            }
        }
        for old in 1..=new {
            let old_root = roots[at(old)];
            let proof = prove_consistency::<Sm3, _>(&nodes, old, new).unwrap();
            assert_eq!(verify_consistency::<Sm3>(old, new, &proof, &old_root, &root), Ok(()));
            assert!(verify_consistency::<Sm3>(old, new, &proof, &leaves[2], &root).is_err());
            assert!(verify_consistency::<Sm3>(old, new, &proof, &old_root, &leaves[2]).is_err());
            for changed in changes(&proof).iter().filter(|c| **c != proof) {
                assert!(verify_consistency::<Sm3>(old, new, changed, &old_root, &root).is_err());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn proofs_from_tiles_verify_at_any_size(size in 1_u64..70_000, a in any::<u64>(), b in any::<u64>()) {
        let leaves = leaves(size);
        let (tiles, roots) = grown::<Sm3>(&leaves);
        let nodes = TileNodes::<Sm3, _>::new(&tiles);
        let new = b % size + 1;
        let (index, old) = (a % new, a % new + 1);
        let root = roots[at(new)];
        let proof = prove_inclusion::<Sm3, _>(&nodes, index, new).unwrap();
        prop_assert_eq!(verify_inclusion::<Sm3>(leaves[at(index)], index, new, &proof, &root), Ok(()));
        let proof = prove_consistency::<Sm3, _>(&nodes, old, new).unwrap();
        prop_assert_eq!(verify_consistency::<Sm3>(old, new, &proof, &roots[at(old)], &root), Ok(()));
    }

    #[test]
    fn no_input_panics(index in any::<u64>(), size in any::<u64>(), n in 0_usize..70) {
        let proof = vec![Sm3::empty(); n];
        let _ = verify_inclusion::<Sm3>(Sm3::empty(), index, size, &proof, &Sm3::empty());
        let _ = verify_consistency::<Sm3>(index, size, &proof, &Sm3::empty(), &Sm3::empty());
    }
}

fn vectors(kind: &str) -> Vec<(PathBuf, serde_json::Value)> {
    fn files(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    files(&crate::proof::tests_vectors("merkle-rfc6962").join(kind), &mut found);
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read(&path).unwrap();
            (path, serde_json::from_slice(&text).unwrap())
        })
        .collect()
}

fn hash(value: &serde_json::Value) -> Digest {
    let bytes = BASE64.decode(value.as_str().unwrap_or_default().as_bytes()).unwrap();
    // Of another length: some digest that is no one's root, and another for other bytes.
    Digest::from_bytes(bytes.as_slice().try_into().unwrap_or(*Digest::of(&bytes).as_bytes()))
}

/// A hash of another length than 32 can't be said in our types: such a case counts as refused.
fn proof(value: &serde_json::Value) -> Option<Vec<Digest>> {
    let hashes = value.as_array().cloned().unwrap_or_default();
    hashes
        .iter()
        .map(|h| Some(Digest::from_bytes(BASE64.decode(h.as_str()?.as_bytes()).ok()?.try_into().ok()?)))
        .collect()
}

#[test]
fn inclusion_proofs_agree_with_transparency_dev() {
    let cases = vectors("inclusion");
    assert_eq!(cases.len(), 20);
    for (path, case) in cases {
        let number = |name: &str| case[name].as_u64().unwrap();
        let verdict = proof(&case["proof"]).map(|proof| {
            let (index, size) = (number("leafIdx"), number("treeSize"));
            verify_inclusion::<Sha256>(hash(&case["leafHash"]), index, size, &proof, &hash(&case["root"]))
        });
        assert_eq!(verdict != Some(Ok(())), case["wantErr"].as_bool().unwrap(), "{}", path.display());
    }
}

#[test]
fn consistency_proofs_agree_with_transparency_dev() {
    let cases = vectors("consistency");
    assert_eq!(cases.len(), 20);
    for (path, case) in cases {
        let number = |name: &str| case[name].as_u64().unwrap();
        let verdict = proof(&case["proof"]).map(|proof| {
            let (old, new) = (hash(&case["root1"]), hash(&case["root2"]));
            verify_consistency::<Sha256>(number("size1"), number("size2"), &proof, &old, &new)
        });
        assert_eq!(verdict != Some(Ok(())), case["wantErr"].as_bool().unwrap(), "{}", path.display());
    }
}
