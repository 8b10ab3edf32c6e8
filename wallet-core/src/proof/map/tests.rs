//! The map against a naive reference, and every proof against every bit.

use super::{pages::*, *};
use crate::cbor;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Memory = BTreeMap<PagePath, Page>;

/// Few distinct keys with long shared prefixes, so that pages split, merge and go.
fn crowded_key(n: u16) -> MapKey {
    let mut bytes = [0x5a; 32];
    bytes[usize::from(n % 5)] = (n >> 3).to_be_bytes()[1];
    bytes[31] = (n % 7) as u8;
    MapKey(Digest::from_bytes(bytes))
}

fn filled(n: u64) -> (Memory, Digest, Vec<Leaf>) {
    let leaves: Vec<_> = (0..n).map(|i| Leaf::of(&i.to_be_bytes(), b"value")).collect();
    let changes = leaves.iter().map(|l| (l.key, Some(l.value))).collect();
    let mut memory = Memory::new();
    let update = update(&memory, &changes).unwrap();
    let root = update.root;
    update.write_to(&mut memory);
    (memory, root, leaves)
}

proptest! {
    #[test]
    fn the_root_depends_on_the_content_alone(
        batches in prop::collection::vec(prop::collection::vec((0_u16..600, prop::option::of(0_u8..3)), 1..40), 1..12),
        probes in prop::collection::vec((0_u16..700, 0_u16..=256), 8),
    ) {
        let (mut memory, mut reference) = (Memory::new(), BTreeMap::new());
        for batch in batches {
            let changes: BTreeMap<_, _> =
                batch.into_iter().map(|(k, v)| (crowded_key(k), v.map(|v| Digest::of(&[v])))).collect();
            for (key, value) in &changes {
                match value {
                    Some(value) => reference.insert(*key, *value),
                    None => reference.remove(key),
                };
            }
            let update = update(&memory, &changes).unwrap();
            let expected = root_of(reference.iter().map(|(&key, &value)| Leaf { key, value }));
            prop_assert_eq!(update.root, expected);
            update.write_to(&mut memory);
            prop_assert_eq!(root(&memory).unwrap(), expected);
        }
        let root = root(&memory).unwrap();
        let mut visited = 0;
        let leaves = walk(&memory, &mut |_, page| {
            visited += 1;
            assert_eq!(Page::from_bytes(&page.to_bytes()).as_ref(), Some(page));
        });
        prop_assert_eq!(leaves.unwrap(), reference.iter().map(|(&key, &value)| Leaf { key, value }).collect::<Vec<_>>());
        // An empty map has a root page in thought only.
        prop_assert_eq!(visited, memory.len().max(1));
        for (key, bits) in probes {
            let key = crowded_key(key);
            let found = prove(&memory, &Prefix::whole(&key)).unwrap().lookup(&key, &root).unwrap();
            prop_assert_eq!(found, reference.get(&key).copied());
            let prefix = Prefix::of(&key, bits);
            let all = prove(&memory, &prefix).unwrap().verify(&prefix, &root).unwrap();
            let expected: Vec<_> = reference.range(prefix.first()..=prefix.last())
                .map(|(&key, &value)| Leaf { key, value }).collect();
            prop_assert_eq!(all, expected);
        }
    }
}

#[test]
fn an_empty_map_proves_that_it_holds_nothing() {
    let memory = Memory::new();
    let key = MapKey::of(b"anything");
    assert_eq!(prove(&memory, &Prefix::whole(&key)).unwrap().lookup(&key, &EMPTY), Ok(None));
    assert_eq!(root(&memory).unwrap(), root_of([]));
}

#[test]
fn every_flipped_bit_of_a_proof_is_refused() {
    let (memory, root, leaves) = filled(40);
    let prefix = Prefix::of(&leaves[7].key, 3);
    let absent = MapKey::of(b"absent");
    for prefix in [prefix, Prefix::whole(&leaves[7].key), Prefix::whole(&absent)] {
        let proof = prove(&memory, &prefix).unwrap();
        let honest = proof.verify(&prefix, &root).unwrap();
        let bytes = cbor::encode(&proof);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verdict = cbor::decode::<MapProof>(&changed).map(|p| p.verify(&prefix, &root));
            assert!(!matches!(verdict, Ok(Ok(_))), "bit {bit}, honest {honest:?}");
        }
    }
}

#[test]
fn malicious_relay_cannot_withhold_a_leaf_of_a_prefix() {
    let (memory, root, leaves) = filled(40);
    let prefix = Prefix::of(&leaves[0].key, 1);
    let proof = prove(&memory, &prefix).unwrap();
    for withheld in 0..proof.leaves.len() {
        let mut less = proof.clone();
        less.leaves.remove(withheld);
        assert_eq!(less.verify(&prefix, &root), Err(MapError::Root));
    }
}

#[test]
fn a_proof_holds_for_its_own_prefix_and_value_only() {
    let (memory, root, leaves) = filled(40);
    let proof = prove(&memory, &Prefix::whole(&leaves[3].key)).unwrap();
    assert!(proof.holds(&3_u64.to_be_bytes(), b"value", &root).is_ok());
    assert_eq!(proof.holds(&3_u64.to_be_bytes(), b"other", &root), Err(MapError::Value));
    for other in leaves.iter().filter(|l| l.key != leaves[3].key) {
        assert_ne!(proof.lookup(&other.key, &root), Ok(None), "a held key never reads as absent");
        assert_ne!(proof.lookup(&other.key, &root), Ok(Some(other.value)));
    }
    let deep = MapProof { siblings: vec![EMPTY; 257], leaves: vec![] };
    assert_eq!(deep.verify(&Prefix::whole(&leaves[0].key), &root), Err(MapError::Depth));
}

#[test]
fn leaves_twice_or_out_of_order_are_refused() {
    let (memory, root, leaves) = filled(10);
    let proof = prove(&memory, &Prefix::ALL).unwrap();
    assert_eq!(proof.verify(&Prefix::ALL, &root).unwrap().len(), leaves.len());
    let mut twice = proof.clone();
    twice.leaves.insert(1, twice.leaves[0]);
    assert_eq!(twice.verify(&Prefix::ALL, &root), Err(MapError::Leaves));
    let mut swapped = proof;
    swapped.leaves.swap(0, 1);
    assert_eq!(swapped.verify(&Prefix::ALL, &root), Err(MapError::Leaves));
}

#[test]
fn a_prefix_reads_as_it_is_written() {
    let key = MapKey::of(b"key");
    for bits in [0, 1, 7, 8, 9, 255, 256] {
        let prefix = Prefix::of(&key, bits);
        assert_eq!(prefix.to_string().parse(), Ok(prefix));
        assert!(prefix.covers(&key) && prefix.covers(&prefix.first()) && prefix.covers(&prefix.last()));
    }
    for text in ["", "2", "0 1", "--", &"0".repeat(257), &"0".repeat(70000)] {
        assert_eq!(text.parse::<Prefix>(), Err(MapError::Prefix));
    }
}

#[test]
fn a_missing_page_is_named() {
    let (mut memory, _, leaves) = filled(40);
    let lost = *memory.keys().find(|p| **p != PagePath::ROOT).unwrap();
    memory.remove(&lost);
    assert_eq!(walk(&memory, &mut |_, _| {}), Err(MapError::Page(lost)));
    assert!(leaves.iter().any(|l| prove(&memory, &Prefix::whole(&l.key)) == Err(MapError::Page(lost))));
}
