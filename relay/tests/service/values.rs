//! Several values of the state at once.

use crate::relay::{HOSPITAL, Relay, name, refused};
use suishen_core::{
    cbor,
    contract::Key,
    id::{HolderId, PartyId},
    proof::{bundle::first_epoch, checkpoint::SignedCheckpoint, map::MapKey},
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
    let asked = ValuesAsked { keys: keys.iter().cloned().map(Into::into).collect() };
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

    let bad = |keys: Vec<Vec<u8>>| ValuesAsked { keys: keys.into_iter().map(Into::into).collect() };
    for asked in [bad(vec![keys[0].clone(); 65]), bad(vec![keys[0].clone(), vec![0xff]])] {
        assert_eq!(refused(client.post("/v1/ledger/values", &asked).await), name("malformed", 400));
    }
    assert_eq!(client.post("/v1/ledger/values", &bad(Vec::new())).await.unwrap()[0], 0xa2);
}
