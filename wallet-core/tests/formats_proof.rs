//! The proofs' encoders against `formats.cddl`.

use cddl::validate_cbor_from_slice;
use std::collections::BTreeMap;
use suishen_core::{
    cbor,
    id::{GrantId, LedgerId, PartyId},
    proof::{
        bundle::{Bundle, Receipt, ShownParty},
        checkpoint::{Checkpoint, Cosigner, Epoch, SignedCheckpoint},
        log::{ProvenEntry, ProvenValue, ShownGrant, ShownGrants},
        map::{Leaf, MapProof, Prefix, pages},
        remembered::Remembered,
        time::TimeStatement,
    },
    sm::{Digest, SecretKey},
};

const FORMATS: &str = include_str!("../formats.cddl");

fn holds<T: minicbor::Encode<()>>(rule: &str, value: &T) {
    let (file, bytes) = (format!("root = {rule}\n{FORMATS}"), cbor::encode(value));
    validate_cbor_from_slice(&file, &bytes, None).unwrap_or_else(|e| panic!("{rule}: {e}"));
}

/// A proof with siblings and leaves both.
fn proof() -> MapProof {
    let leaves: Vec<_> = (0..40_u8).map(|n| Leaf::of(&[n], &[n])).collect();
    let mut stored = BTreeMap::new();
    let changes = leaves.iter().map(|leaf| (leaf.key, Some(leaf.value))).collect();
    pages::update(&stored, &changes).unwrap().write_to(&mut stored);
    pages::prove(&stored, &Prefix::of(&leaves[0].key, 3)).unwrap()
}

fn entry() -> ProvenEntry {
    ProvenEntry { number: 7, bytes: vec![1, 2, 3], inclusion: vec![Digest::of(b"a"), Digest::of(b"b")] }
}

fn grant() -> ShownGrant {
    ShownGrant { id: GrantId::from_bytes([3; 32]), leaf: vec![1], entries: vec![entry(), entry()] }
}

fn note() -> SignedCheckpoint {
    let (tree, map) = (Digest::of(b"tree"), Digest::of(b"map"));
    let checkpoint = Checkpoint { ledger: LedgerId::from_bytes([9; 32]), size: 8, tree, map, epoch: 0 };
    let key = SecretKey::from_bytes(&[1; 32]).unwrap();
    SignedCheckpoint { checkpoint, cosignatures: vec![checkpoint.cosign("relay-1", &key, 100)] }
}

#[test]
fn map_proofs_entries_and_values() {
    holds("map-leaf", &Leaf::of(b"key", b"value"));
    holds("map-proof", &proof());
    holds("proven-entry", &entry());
    holds("proven-value", &ProvenValue { value: vec![1], proof: proof() });
}

#[test]
fn grants_as_they_are_shown_and_bundles() {
    holds("shown-grant", &grant());
    let shown = ShownGrants { note: note().to_note(), proof: proof(), grants: vec![grant()] };
    holds("shown-grants", &shown);
    let party = ShownParty {
        id: PartyId::new("91131000MA0ANLAN1X").unwrap(),
        value: ProvenValue { value: vec![1], proof: proof() },
    };
    holds("shown-party", &party);
    let bundle = Bundle {
        genesis: entry(),
        note: note().to_note(),
        grant: grant(),
        proof: proof(),
        parties: vec![party],
        receipts: vec![Receipt(vec![1, 2])],
    };
    holds("bundle", &bundle);
}

#[test]
fn time_and_what_is_remembered() {
    holds("time-statement", &TimeStatement { nonce: [4; 32], time: 5 });
    let key = SecretKey::from_bytes(&[1; 32]).unwrap().public();
    let epoch = Epoch { number: 0, cosigners: vec![Cosigner { name: "relay-1".into(), key }] };
    let verified = note().verify(&LedgerId::from_bytes([9; 32]), &epoch).unwrap();
    holds("remembered", &Remembered::first(&verified));
}
