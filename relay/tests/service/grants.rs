//! A grant's way: issued, deposited, accepted, redeemed, revoked; and its drop box.

use crate::relay::{HOSPITAL, Relay, credential, fresh, name, refused};
use reqwest::Method;
use suishen_core::{
    cbor,
    consent::{GRANT_BOX, USE_BOX},
    contract::{
        AcceptGrant, Acceptance, Credential, IssueGrant, Kind, RedeemGrant, RevokeGrant, Role,
        SignedTransaction, Transaction,
    },
    gate::{Gathering, RecordHalf, Released, Revocation, Torn, open_release, split},
    id::{BlobAddress, GrantId},
    proof::log::ShownGrants,
    sm::{Digest, Key32, PublicKey, Random as _, SecretKey, Signed},
};
use suishen_relay::{
    client::{Client, ClientError},
    http::gate::Ask,
    keys::Keys,
    random::SystemRandom,
};

pub struct Shared {
    pub id: GrantId,
    pub key: SecretKey,
    pub grantee: SecretKey,
    pub credential: Signed<Credential>,
    pub half: Key32,
    pub shares: Digest,
    pub blob: BlobAddress,
}

impl Shared {
    /// Asks the gate as the reader does.
    pub async fn release(
        &self,
        client: &Client,
        use_number: u32,
        now: u64,
    ) -> Result<Signed<Released>, ClientError> {
        let ask = Ask { object: *self.id.digest(), use_number };
        client.ask("/v1/gate/release", &ask, &self.grantee, now).await
    }

    /// The refused attempts that the patient sees: code and organisation.
    async fn refused(&self, client: &Client, now: u64) -> Vec<(u16, Option<String>)> {
        let path = format!("/v1/drop/{}/refused", self.id);
        let seen = client.signed(Method::GET, &path, Vec::new(), &self.key, now).await.unwrap();
        let seen: Vec<(u64, u16, Option<String>)> = cbor::decode(&seen).unwrap();
        seen.into_iter().map(|(_, code, party)| (code, party)).collect()
    }
}

pub async fn share(keys: &Keys, client: &Client, now: u64) -> Shared {
    let (key, offer, ledger) = (fresh(), fresh(), client.ledger());
    let id = GrantId::of(&ledger, &key.public());
    let bytes: [u8; 100] = SystemRandom.bytes();
    let blob = BlobAddress::of(&bytes);
    client.put_blob(&blob, bytes.to_vec(), &key, now).await.unwrap();
    let half = Key32::generate(&mut SystemRandom);
    let record = RecordHalf { half: half.clone(), blobs: vec![blob] };
    let split = split(id.digest(), &[record], 1, 1, &mut SystemRandom).unwrap();
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer: offer.public(),
        role: Role::Physician,
        duration: 3600,
        accept_within: 600,
        uses: 2,
        interval: 0,
        records: 1,
        shares: split.digest,
        auditor_box: vec![0; GRANT_BOX],
        reply: fresh().public(),
        include_before: now + 600,
    };
    let issue = SignedTransaction::new(&Transaction::IssueGrant(issue), &key, &ledger);
    // A gate takes nothing that the ledger doesn't know.
    assert_eq!(refused(client.deposit(&split.deposits, &key).await), name("101", 409));
    client.submit(&issue).await.unwrap();
    client.deposit(&split.deposits, &key).await.unwrap();
    client.deposit(&split.deposits, &key).await.unwrap();

    let (grantee, box_key, credential) = credential(keys, client, Role::Physician, now);
    let acceptance = Acceptance { grant: id, grantee: grantee.public(), box_key: box_key.public() };
    let acceptance = Signed::new(&acceptance, &offer, &ledger);
    let accept = AcceptGrant { grant: id, credential: credential.clone(), acceptance };
    let accept = SignedTransaction::new(&Transaction::AcceptGrant(accept), &grantee, &ledger);
    client.submit(&accept).await.unwrap();
    Shared { id, key, grantee, credential, half, shares: split.digest, blob }
}

pub fn redemption(shared: &Shared, client: &Client, use_number: u64, epk: PublicKey) -> SignedTransaction {
    let redeem = RedeemGrant {
        grant: shared.id,
        credential: shared.credential.clone(),
        use_number,
        records: vec![0],
        epk,
        auditor_box: vec![0; USE_BOX],
    };
    SignedTransaction::new(&Transaction::RedeemGrant(redeem), &shared.grantee, &client.ledger())
}

#[tokio::test]
async fn no_log_no_key() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    assert_eq!(refused(shared.release(&client, 1, now).await), name("107", 403));
    assert_eq!(refused(client.get_blob(&shared.blob, &shared.grantee, now).await), name("no-blob", 404));

    let epk = fresh();
    client.submit(&redemption(&shared, &client, 1, epk.public())).await.unwrap();
    let relay = relay.restart().await;
    let client = relay.client().await;
    let released = shared.release(&client, 1, now).await.unwrap();
    let release =
        open_release(&released, &client.gate_key(), &epk, shared.id.digest(), 1, &client.ledger()).unwrap();
    let mut gathering = Gathering::new(*shared.id.digest(), shared.shares, 1, 1);
    gathering.add(1, &release).unwrap();
    assert_eq!(gathering.half(0).unwrap(), shared.half);
    client.get_blob(&shared.blob, &shared.grantee, now).await.unwrap();

    // The patient sees both the use and the attempt before it.
    assert_eq!(shared.refused(&client, now).await, [(107, Some(HOSPITAL.to_owned()))]);
    let path = format!("/v1/drop/{}/refused", shared.id);
    assert_eq!(
        refused(client.signed(Method::GET, &path, Vec::new(), &shared.grantee, now).await),
        name("not-allowed", 403)
    );
    let shown: ShownGrants = cbor::decode(&client.get("/v1/ledger/state/-").await.unwrap()).unwrap();
    let grant = shown.grants.iter().find(|grant| grant.id == shared.id).unwrap();
    assert_eq!(grant.entries.len(), 3);
}

#[tokio::test]
async fn a_revocation_destroys_the_share_before_it_is_on_the_ledger() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: shared.id });
    let signed = SignedTransaction::new(&revoke, &shared.key, &client.ledger());
    let forged = Revocation {
        key: shared.key.public(),
        signed: SignedTransaction::new(&revoke, &fresh(), &client.ledger()),
    };
    assert_eq!(refused(client.post("/v1/gate/revoke", &forged).await), name("103", 403));
    let revocation = Revocation { key: shared.key.public(), signed: signed.clone() };
    let torn = client.post("/v1/gate/revoke", &revocation).await.unwrap();
    let torn: Signed<Torn> = cbor::decode(&torn).unwrap();
    assert_eq!(torn.verify(&client.gate_key(), &client.ledger()).unwrap().object, *shared.id.digest());
    assert_eq!(refused(shared.release(&client, 1, now).await), name("105", 409));

    client.submit(&signed).await.unwrap();
    let relay = relay.restart().await;
    let client = relay.client().await;
    assert_eq!(refused(shared.release(&client, 1, now).await), name("109", 403));
    assert_eq!(refused(client.get_blob(&shared.blob, &shared.grantee, now).await), name("no-blob", 404));
    let late = redemption(&shared, &client, 2, fresh().public());
    assert_eq!(refused(client.submit(&late).await), name("72", 409));
}

#[tokio::test]
async fn an_attacker_who_knows_the_grant_neither_fills_nor_empties_its_list_of_refused_attempts() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    assert_eq!(refused(shared.release(&client, 2, now).await), name("107", 403));
    let real = (107, Some(HOSPITAL.to_owned()));

    // Asking the gate: without a signature, or with a key that isn't the reader's.
    for use_number in 0..40 {
        let ask = Ask { object: *shared.id.digest(), use_number };
        assert_eq!(refused(client.post("/v1/gate/release", &ask).await), name("unsigned", 401));
        let stranger = client.ask::<_, Signed<Released>>("/v1/gate/release", &ask, &fresh(), now).await;
        assert_eq!(refused(stranger), name("not-allowed", 403));
    }
    assert_eq!(shared.refused(&client, now).await, std::slice::from_ref(&real));

    // Sending transactions, with the reader's credential copied from the ledger and another key.
    for use_number in 1..40 {
        let redeem = RedeemGrant {
            grant: shared.id,
            credential: shared.credential.clone(),
            use_number,
            records: vec![0],
            epk: fresh().public(),
            auditor_box: vec![0; USE_BOX],
        };
        let forged = SignedTransaction::new(&Transaction::RedeemGrant(redeem), &fresh(), &client.ledger());
        refused(client.submit(&forged).await);
    }
    let seen = shared.refused(&client, now).await;
    assert_eq!(seen[0], real);
    assert!(seen[1..].iter().all(|(_, party)| party.is_none()), "nobody is blamed: {seen:?}");
    assert!(seen.len() <= 4, "one row a code: {seen:?}");

    // The reader itself is named, and still gets what it redeemed.
    refused(client.submit(&redemption(&shared, &client, 9, fresh().public())).await);
    assert_eq!(shared.refused(&client, now).await.last().unwrap().1.as_deref(), Some(HOSPITAL));
    shared.release(&client, 1, now).await.unwrap();
}

#[tokio::test]
async fn a_drop_box_is_between_the_grant_key_and_the_accepted_grantee() {
    let relay = Relay::start().await;
    let client = relay.client().await;
    let now = client.info().await.unwrap().now;
    let shared = share(&relay.keys(), &client, now).await;
    let path = format!("/v1/drop/{}", shared.id);
    let write = |key: SecretKey, body: &'static [u8]| {
        let (client, path) = (&client, path.clone());
        async move { client.signed(Method::POST, &path, body.to_vec(), &key, now).await }
    };
    write(shared.key.clone(), b"one").await.unwrap();
    write(shared.grantee.clone(), b"two").await.unwrap();
    assert_eq!(refused(write(fresh(), b"three").await), name("not-allowed", 403));
    let read = format!("{path}?from=1");
    let messages = client.signed(Method::GET, &read, Vec::new(), &shared.grantee, now).await.unwrap();
    let messages: Vec<minicbor::bytes::ByteVec> = cbor::decode(&messages).unwrap();
    assert_eq!(messages.iter().map(|m| m.as_slice()).collect::<Vec<_>>(), [b"two"]);
    let unknown = format!("/v1/drop/{}", GrantId::of(&client.ledger(), &fresh().public()));
    assert_eq!(
        refused(client.signed(Method::GET, &unknown, Vec::new(), &shared.key, now).await),
        name("not-there", 404)
    );
}
