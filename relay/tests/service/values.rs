//! Several values of the state at once.

use crate::relay::{HOSPITAL, Relay, name, refused};
use suishen_core::{
    cbor,
    contract::Key,
    id::{HolderId, PartyId},
    proof::{bundle::first_epoch, checkpoint::SignedCheckpoint, log::ProvenEntry, map::MapKey},
    sm::Digest,
};
use suishen_relay::http::ledger::{ValuesAnswer, ValuesAsked};

#[tokio::test]
async fn values_and_absences_are_proven_under_one_checkpoint_in_the_order_of_the_question() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let nobody = Key::Holder(HolderId::from_bytes([9; 32]));
    let party = Key::Party(PartyId::new(HOSPITAL).unwrap());
    let keys = [Key::Auditor, nobody.clone(), party, nobody].map(|key| key.to_bytes());
    let asked = ValuesAsked::of(keys.clone());
    let answer = client.post("/v1/ledger/values", &asked).await.unwrap();
    let answer: ValuesAnswer = cbor::decode(&answer).unwrap();
    let signed = SignedCheckpoint::parse(&answer.note).unwrap();
    let verified = signed.verify(&client.ledger(), &first_epoch(client.genesis())).unwrap();
    assert_eq!(answer.values.len(), keys.len());
    for (key, shown) in keys.iter().zip(&answer.values) {
        let held = shown.proof.lookup(&MapKey::of(key), &verified.checkpoint().map).unwrap();
        assert_eq!(held, shown.value.as_ref().map(|value| Digest::of(value)));
    }
    let there: Vec<_> = answer.values.iter().map(|shown| shown.value.is_some()).collect();
    assert_eq!(there, [true, false, true, false]);

    let bad = ValuesAsked::of;
    let entries = ValuesAsked { entries: Some(vec![1; 65]), ..ValuesAsked::default() };
    for asked in [bad(vec![keys[0].clone(); 65]), bad(vec![keys[0].clone(), vec![0xff]]), entries] {
        assert_eq!(refused(client.post("/v1/ledger/values", &asked).await), name("malformed", 400));
    }
    assert_eq!(client.post("/v1/ledger/values", &bad(Vec::new())).await.unwrap()[0], 0xa2);
}

#[tokio::test]
async fn entries_and_what_the_ledger_goes_on_from_are_proven_under_the_same_checkpoint() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let asked = |entries: Vec<u64>, from| ValuesAsked {
        keys: vec![Key::Auditor.to_bytes().into()],
        entries: Some(entries),
        from: Some(from),
    };
    let ask = async |asked| -> ValuesAnswer {
        cbor::decode(&client.post("/v1/ledger/values", &asked).await.unwrap()).unwrap()
    };
    let answer = ask(asked(vec![0, 2, 1_000_000], 2)).await;
    let signed = SignedCheckpoint::parse(&answer.note).unwrap();
    let verified = signed.verify(&client.ledger(), &first_epoch(client.genesis())).unwrap();
    let checkpoint = verified.checkpoint();
    let shown: Vec<ProvenEntry> = answer.entries.unwrap().into_iter().map(Into::into).collect();
    assert_eq!(shown.iter().map(|entry| entry.number).collect::<Vec<_>>(), [0, 2], "one is to come");
    assert!(shown.iter().all(|entry| entry.check(checkpoint).is_ok()));
    assert_eq!(shown[0].bytes, cbor::encode(client.genesis()));
    let get = async |path: &str| -> Vec<Digest> { cbor::decode(&client.get(path).await.unwrap()).unwrap() };
    let path = format!("/v1/ledger/proof/consistency?from=2&to={}", checkpoint.size);
    assert_eq!(answer.consistency.unwrap(), get(&path).await);
    // From nothing, and from what is to come, nothing goes on.
    for from in [0, checkpoint.size + 1] {
        assert!(ask(asked(Vec::new(), from)).await.consistency.is_none(), "{from}");
    }
}
