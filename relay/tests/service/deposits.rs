//! What a deposit may name: blobs that its own signer has uploaded, and no others.

use crate::relay::{Relay, credential, fresh, name, refused};
use suishen_core::{
    consent::GRANT_BOX,
    contract::{AnchorReport, Destination, IssueGrant, Kind, Role, SignedTransaction, Transaction},
    gate::{Deposit, RecordHalf, split},
    id::{BlobAddress, Commitment, GrantId},
    sm::{Digest, Key32, Random as _, SecretKey},
};
use suishen_relay::{client::Client, random::SystemRandom};

fn halves(object: &Digest, blobs: Vec<BlobAddress>) -> (Digest, Vec<Deposit>) {
    let record = RecordHalf { half: Key32::generate(&mut SystemRandom), blobs };
    let split = split(object, &[record], 1, 1, &mut SystemRandom).unwrap();
    (split.digest, split.deposits)
}

/// A grant on the ledger, and its deposit that names `blobs`.
async fn grant(client: &Client, blobs: Vec<BlobAddress>, now: u64) -> (SecretKey, Vec<Deposit>) {
    let (key, ledger) = (fresh(), client.ledger());
    let (shares, deposits) = halves(GrantId::of(&ledger, &key.public()).digest(), blobs);
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer: fresh().public(),
        role: Role::Physician,
        duration: 3600,
        accept_within: 600,
        uses: 1,
        interval: 0,
        records: 1,
        shares,
        auditor_box: vec![0; GRANT_BOX],
        reply: fresh().public(),
        include_before: now + 600,
    };
    let issue = SignedTransaction::new(&Transaction::IssueGrant(issue), &key, &ledger);
    client.submit(&issue).await.unwrap();
    (key, deposits)
}

#[tokio::test]
async fn a_grant_s_deposit_names_only_what_the_grant_key_has_uploaded() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let bytes = b"a part, shared whole".to_vec();
    let blob = BlobAddress::of(&bytes);
    client.put_blob(&blob, bytes.clone(), &fresh(), now).await.unwrap();

    let (key, deposits) = grant(&client, vec![blob], now).await;
    assert_eq!(refused(client.deposit(&deposits, &key).await), name("not-allowed", 403));
    // A refused one leaves nothing behind: after the upload the same deposit is taken, as often as it comes.
    client.put_blob(&blob, bytes.clone(), &key, now).await.unwrap();
    client.deposit(&deposits, &key).await.unwrap();
    client.deposit(&deposits, &key).await.unwrap();

    // The same record shared again: the same blob, one more owner.
    let (second, deposits) = grant(&client, vec![blob], now).await;
    client.put_blob(&blob, bytes, &second, now).await.unwrap();
    client.deposit(&deposits, &second).await.unwrap();

    let (third, deposits) = grant(&client, vec![BlobAddress::from_bytes([7; 32])], now).await;
    let absent = refused(client.deposit(&deposits, &third).await);
    assert_eq!(absent, name("not-allowed", 403), "whether a blob is here is not told");
}

#[tokio::test]
async fn a_ticket_s_deposit_names_only_what_its_issuer_has_uploaded() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let (pass, _, credential) = credential(&relay.keys(), &client, Role::Issuer, now);
    let (own, other): ([u8; 40], [u8; 40]) = (SystemRandom.bytes(), SystemRandom.bytes());
    let blobs = vec![BlobAddress::of(&own), BlobAddress::of(&other)];
    client.put_blob(&blobs[0], own.to_vec(), &pass, now).await.unwrap();
    client.put_blob(&blobs[1], other.to_vec(), &fresh(), now).await.unwrap();

    let commitment = Commitment::from_bytes(SystemRandom.bytes());
    let (digest, deposits) = halves(commitment.digest(), blobs.clone());
    let destination = Destination::Ticket(fresh().public(), now + 3600, digest);
    let anchor = AnchorReport { commitment, credential, destination };
    let anchor = SignedTransaction::new(&Transaction::AnchorReport(anchor), &pass, &client.ledger());
    client.submit(&anchor).await.unwrap();
    assert_eq!(refused(client.deposit(&deposits, &pass).await), name("not-allowed", 403));
    client.put_blob(&blobs[1], other.to_vec(), &pass, now).await.unwrap();
    client.deposit(&deposits, &pass).await.unwrap();
}
