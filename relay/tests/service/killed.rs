//! The real `suishen` process, killed in the middle of redemptions, revocations and releases, again and again: what was
//! acknowledged stands, nothing stands twice, no share comes back, and the replica proves whole.
//!
//! `SUISHEN_SEED` and `SUISHEN_ROUNDS` choose other moments and more of them; a failure prints its seed.

use crate::{
    grants::{Shared, redemption, share},
    process::Process,
    relay::{fresh, name, refused},
};
use std::{collections::BTreeMap, path::Path, time::Duration};
use suishen_core::{
    cbor,
    contract::{Entry, GrantLeaf, Key, RevokeGrant, SignedTransaction, Transaction},
    gate::{Revocation, Torn},
    id::GrantId,
    sm::{SecretKey, Signed},
};
use suishen_relay::{
    client::{Client, ClientError},
    command::fsck,
    keys::Keys,
    node::KEYS,
};
use tokio::task::JoinSet;

/// Grants that are worked on at once.
const GRANTS: usize = 6;

/// Moments from a seed.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What this test was told of a grant, by answers that reached it.
#[derive(Debug, Default)]
struct Told {
    /// Uses to the entry that each got.
    redeemed: BTreeMap<u64, u64>,
    /// The gate has said that the share is destroyed.
    torn: bool,
    /// The ledger has said that the grant is revoked.
    revoked: bool,
}

/// One thing that was acknowledged.
enum Done {
    Redeemed(u64, u64),
    Torn,
    Revoked,
}

type Report = (usize, Option<Done>);

async fn redeem(base: String, at: usize, signed: SignedTransaction, use_number: u64) -> Report {
    let Ok(client) = Client::connect(&base).await else { return (at, None) };
    (at, client.submit(&signed).await.ok().map(|standing| Done::Redeemed(use_number, standing.number)))
}

async fn revoke(base: String, at: usize, key: SecretKey, grant: GrantId, on_the_ledger: bool) -> Report {
    let Ok(client) = Client::connect(&base).await else { return (at, None) };
    let signed = revocation(&client, &key, grant);
    let done = if on_the_ledger {
        client.submit(&signed).await.ok().map(|_| Done::Revoked)
    } else {
        let asked = Revocation { key: key.public(), signed };
        let answer = client.post("/v1/gate/revoke", &asked).await.ok();
        let torn = answer.and_then(|answer| cbor::decode::<Signed<Torn>>(&answer).ok());
        torn.and_then(|torn| torn.verify(&client.gate_key(), &client.ledger()).ok()).map(|_| Done::Torn)
    };
    (at, done)
}

fn revocation(client: &Client, key: &SecretKey, grant: GrantId) -> SignedTransaction {
    SignedTransaction::new(&Transaction::RevokeGrant(RevokeGrant { grant }), key, &client.ledger())
}

/// A grant under work: its transactions, which a client sends again until they are answered.
struct Work {
    shared: Shared,
    redemptions: [SignedTransaction; 2],
    told: Told,
}

async fn prepare(data: &Path, client: &Client) -> Work {
    let now = client.info().await.unwrap().now;
    let shared = share(&Keys::new(data.join(KEYS)), client, now).await;
    let redemptions = [1, 2].map(|n| redemption(&shared, client, n, fresh().public()));
    Work { shared, redemptions, told: Told::default() }
}

/// Redeems, revokes and asks for shares, all at once, until the process is killed.
async fn until_killed(process: Process, works: &mut [Work], moments: &mut Moments) {
    let mut running = JoinSet::new();
    for (at, work) in works.iter().enumerate() {
        let base = || process.base.clone();
        let [first, second] = work.redemptions.clone();
        running.spawn(redeem(base(), at, first, 1));
        running.spawn(redeem(base(), at, second, 2));
        if moments.below(3) == 0 {
            let on_the_ledger = moments.below(2) == 0;
            running.spawn(revoke(base(), at, work.shared.key.clone(), work.shared.id, on_the_ledger));
        }
    }
    tokio::time::sleep(Duration::from_micros(moments.below(60_000))).await;
    process.kill();
    while let Some(ended) = running.join_next().await {
        let (at, done) = ended.unwrap();
        match done {
            Some(Done::Redeemed(use_number, entry)) => {
                works[at].told.redeemed.insert(use_number, entry);
            }
            Some(Done::Torn) => works[at].told.torn = true,
            Some(Done::Revoked) => works[at].told.revoked = true,
            None => {}
        }
    }
}

async fn leaf(client: &Client, grant: GrantId) -> (GrantLeaf, Vec<(u64, SignedTransaction)>) {
    let answer = client.value(&Key::Grant(grant)).await.unwrap();
    let shown = &answer.values[0];
    let entries = shown.entries.iter().map(|e| (e.number, Entry::from_bytes(&e.bytes).unwrap().signed));
    (cbor::decode(&shown.value).unwrap(), entries.collect())
}

/// Everything that was acknowledged stands; the count is that of the redemptions that stand.
async fn check(client: &Client, work: &mut Work) {
    let standing = standing(client, work).await;
    for (use_number, entry) in &work.told.redeemed {
        let index = usize::try_from(use_number - 1).unwrap();
        assert_eq!(standing[index], [*entry], "an acknowledged use is gone");
    }
    check_share(client, work, &standing).await;

    // A client sends again what wasn't answered: what stands is told where, the rest stands now or is refused.
    for (use_number, signed) in (1..).zip(work.redemptions.clone()) {
        match client.submit(&signed).await {
            Ok(standing) => {
                work.told.redeemed.insert(use_number, standing.number);
            }
            Err(error) => {
                assert!(work.told.revoked || revoked_on_the_ledger(&error), "{error}");
            }
        }
    }
    let standing = self::standing(client, work).await;
    let counted = standing.iter().flatten().count();
    assert_eq!(counted, work.told.redeemed.len(), "counted is what was acknowledged");
    check_share(client, work, &standing).await;
}

/// The entries of both redemptions: none or one each, and as many as the grant's leaf counts.
async fn standing(client: &Client, work: &Work) -> [Vec<u64>; 2] {
    let (found, entries) = leaf(client, work.shared.id).await;
    let stands = |signed: &SignedTransaction| {
        let same = entries.iter().filter(|(_, entry)| entry.id() == signed.id());
        same.map(|(number, _)| *number).collect::<Vec<_>>()
    };
    let standing = work.redemptions.each_ref().map(stands);
    assert!(standing.iter().all(|entries| entries.len() <= 1), "one redemption, two entries");
    assert_eq!(found.uses, standing.iter().flatten().count() as u64);
    assert_eq!(found.count, entries.len() as u64);
    standing
}

fn revoked_on_the_ledger(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { code, .. } if code == "72")
}

/// A destroyed share stays destroyed; a share that nobody has destroyed goes to the redemption that stands.
async fn check_share(client: &Client, work: &Work, standing: &[Vec<u64>; 2]) {
    let now = client.info().await.unwrap().now;
    for (use_number, entries) in (1..).zip(standing) {
        let released = work.shared.release(client, use_number, now).await;
        match released {
            Ok(_) => {
                assert!(!work.told.torn && !work.told.revoked, "a destroyed share came back");
                assert!(!entries.is_empty(), "a share without its redemption");
            }
            Err(error) if work.told.torn || work.told.revoked => {
                let (status, code) = refused(Err::<(), _>(error));
                assert!(["105", "107", "109"].contains(&code.as_str()), "{status} {code}");
            }
            Err(error) if entries.is_empty() => {
                let found = refused(Err::<(), _>(error));
                assert!([name("107", 403), name("105", 409), name("109", 403)].contains(&found), "{found:?}");
            }
            // Sent, carried out, and killed before the answer: then it is gone for good as well.
            Err(error) => {
                let found = refused(Err::<(), _>(error));
                assert!([name("105", 409), name("109", 403)].contains(&found), "{found:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_of_a_redemption_it_forgets_nothing_and_revives_nothing() {
    let seed = number("SUISHEN_SEED", 20_261_121);
    println!("SUISHEN_SEED={seed}");
    let mut moments = Moments(seed);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let mut before: Vec<Work> = Vec::new();
    for _ in 0..number("SUISHEN_ROUNDS", 8) {
        let process = Process::start(data, &["--demo"]).await;
        let client = process.client().await;
        for work in &mut before {
            check(&client, work).await;
        }
        let mut works = Vec::new();
        for _ in 0..GRANTS {
            works.push(prepare(data, &client).await);
        }
        until_killed(process, &mut works, &mut moments).await;
        // As it lies there, before anybody mends it.
        assert_eq!(fsck::examine(data).unwrap().findings, vec![]);
        // The latest are looked at in each round to come, so that a share that comes back later shows.
        before.extend(works);
        let old = before.len().saturating_sub(2 * GRANTS);
        before.drain(..old);
    }
    let process = Process::start(data, &["--demo"]).await;
    let client = process.client().await;
    for work in &mut before {
        check(&client, work).await;
    }
    assert_eq!(fsck::examine(data).unwrap().findings, vec![], "beside the running relay");
    process.kill();
    let report = fsck::examine(data).unwrap();
    assert_eq!((report.findings, report.database), (vec![], true));
}
