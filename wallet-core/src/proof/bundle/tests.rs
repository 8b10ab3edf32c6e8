//! A bundle as a file: whole, and with any byte changed.

use super::super::checkpoint::tests::key;
use super::super::log::tests::{Small, history, party};
use super::*;
use crate::contract::{Auditor, Bounds, CertificateDer, Member};
use crate::identity::{Serial, Subject, Validity, self_sign};
use crate::sm::seeded::Seeded;

fn genesis() -> Genesis {
    let member = Member {
        party: party(),
        origins: vec!["https://wallet.example".into()],
        vote: key(51).public(),
        sponsor: key(52).public(),
        cosigner: key(1).public(),
        gate: key(53).public(),
        time: key(54).public(),
        name: "relay-1".into(),
    };
    let auditor = Auditor { party: party(), audit: key(55).public(), box_key: key(56).public() };
    let subject = Subject::organisation(party(), "Consortium");
    let validity = Validity { not_before: 0, not_after: 1_000_000 };
    let root = self_sign(subject, &key(57), &Serial::generate(&mut Seeded::new(1)), validity).unwrap();
    Genesis {
        root: CertificateDer::from(&root),
        members: vec![member],
        auditor,
        quota: 1000,
        bounds: Bounds { read: 86_400 },
        time: 900,
    }
}

fn bundle() -> Bundle {
    let genesis = genesis();
    let (a, _, history) = history(&genesis.ledger_id());
    let small = Small::new(genesis.ledger_id(), cbor::encode(&genesis), &history);
    Bundle {
        genesis: small.entry(0),
        note: small.note.clone(),
        grant: small.grant(a, &[1, 2, 4, 5]),
        proof: small.value(&Key::Grant(a)).proof,
        parties: vec![ShownParty { id: party(), value: small.value(&Key::Party(party())) }],
        receipts: vec![],
    }
}

#[test]
fn a_bundle_proves_offline_who_read_and_when() {
    let proven = Bundle::from_bytes(&bundle().to_bytes()).unwrap().verify().unwrap();
    assert_eq!(proven.genesis, genesis());
    assert_eq!((proven.checkpoint.time(), proven.log.entries.len()), (1500, 4));
    assert!(proven.parties.contains_key(&party()));
}

#[test]
fn every_changed_byte_is_refused() {
    let bytes = bundle().to_bytes();
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[i] ^= 1 << (i % 8);
        let verdict = Bundle::from_bytes(&changed).and_then(|bundle| bundle.verify());
        assert!(verdict.is_err(), "byte {i}");
    }
}

#[test]
fn what_is_left_out_is_noticed() {
    let whole = bundle();
    let without_parties = Bundle { parties: vec![], ..whole.clone() };
    assert_eq!(without_parties.verify().unwrap_err(), BundleError::Missing(party()));
    let mut without_entry = whole.clone();
    without_entry.grant.entries.remove(2);
    assert!(matches!(without_entry.verify(), Err(BundleError::Log(LogError::Incomplete { .. }))));
    let other_genesis = Bundle { genesis: whole.grant.entries[0].clone(), ..whole };
    assert!(other_genesis.verify().is_err());
}
