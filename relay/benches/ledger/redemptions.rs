//! A redemption as a desk feels it: over HTTP to a relay of the demo, until it stands and until the share that it
//! releases is opened.

use anyhow::Context as _;
use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};
use suishen_core::{
    consent::{GRANT_BOX, USE_BOX},
    contract::{
        AcceptGrant, Acceptance, Credential, IssueGrant, Kind, RedeemGrant, Role, SignedTransaction,
        Transaction,
    },
    gate::{RecordHalf, Released, open_release, split},
    id::{GrantId, PartyId},
    sm::{Key32, SecretKey, Signed},
};
use suishen_relay::{
    client::Client,
    command::serve::until,
    config::serve_defaults,
    desk::ORGANISATIONS,
    http::gate::Ask,
    keys::Keys,
    node::{KEYS, Node},
    order::system_clock,
    random::SystemRandom,
};
use tokio::{net::TcpListener, sync::oneshot};

const HOSPITAL: &str = "12520100ANLAN00018";
/// Redemptions that are measured, one after the other.
const USES: u32 = 300;
/// Redemptions before, which are not.
const WARM_UP: u32 = 10;

/// What each redemption took, from the desk's first byte.
pub struct Took {
    /// Until the entry stands, as the answer says.
    pub entry: Vec<Duration>,
    /// Until the released share is opened.
    pub share: Vec<Duration>,
    /// Until a page of some other file was on the same disk, measured before each.
    pub fsync: Vec<Duration>,
}

/// Serves a demo in a folder of its own and redeems.
pub async fn measure(folder: &Path) -> anyhow::Result<Took> {
    let dir = tempfile::tempdir_in(folder)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let mut serve = serve_defaults();
    serve.demo = true;
    (serve.limits.requests_per_address, serve.limits.requests_per_key) = (0, 0);
    let node = Node::open(dir.path(), &serve, address.port(), system_clock()).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let _upkeep = node.start();
        until(listener, node, async { drop(stopped.await) }).await;
    });
    let client = Client::connect(&format!("http://{address}")).await?;
    let took = redeem_all(&client, &Keys::new(dir.path().join(KEYS)), &dir.path().join("page")).await;
    drop(stop);
    serving.await?;
    took
}

async fn redeem_all(client: &Client, keys: &Keys, page: &Path) -> anyhow::Result<Took> {
    let desk = accepted(client, keys).await?;
    let mut took = Took { entry: Vec::new(), share: Vec::new(), fsync: Vec::new() };
    let page = File::create(page)?;
    for use_number in 1..=WARM_UP + USES {
        let (epk, fsync) = (fresh(), fsync(&page)?);
        let start = Instant::now();
        let standing = client.submit(&desk.redemption(client, use_number, &epk)).await?;
        let entry = start.elapsed();
        let ask = Ask { object: *desk.grant.digest(), use_number };
        let released: Signed<Released> =
            client.ask("/v1/gate/release", &ask, &desk.grantee, standing.now).await?;
        open_release(&released, &client.gate_key(), &epk, desk.grant.digest(), use_number, &client.ledger())?;
        let share = start.elapsed();
        if use_number > WARM_UP {
            took.entry.push(entry);
            took.share.push(share);
            took.fsync.push(fsync);
        }
    }
    Ok(took)
}

/// What it takes until one page is on this disk.
fn fsync(mut file: &File) -> anyhow::Result<Duration> {
    let start = Instant::now();
    file.rewind()?;
    file.write_all(&[7; 4096])?;
    file.sync_data()?;
    Ok(start.elapsed())
}

/// A desk with a grant that it accepted.
struct Desk {
    grant: GrantId,
    grantee: SecretKey,
    credential: Signed<Credential>,
}

impl Desk {
    fn redemption(&self, client: &Client, use_number: u32, epk: &SecretKey) -> SignedTransaction {
        let redeem = RedeemGrant {
            grant: self.grant,
            credential: self.credential.clone(),
            use_number: use_number.into(),
            records: vec![0],
            epk: epk.public(),
            auditor_box: vec![0; USE_BOX],
        };
        SignedTransaction::new(&Transaction::RedeemGrant(redeem), &self.grantee, &client.ledger())
    }
}

/// Issues a grant of one record, deposits its share, accepts it as the demo's hospital.
async fn accepted(client: &Client, keys: &Keys) -> anyhow::Result<Desk> {
    let (key, offer, ledger, now) = (fresh(), fresh(), client.ledger(), client.info().await?.now);
    let grant = GrantId::of(&ledger, &key.public());
    let record = RecordHalf { half: Key32::generate(&mut SystemRandom), blobs: Vec::new() };
    let split =
        split(grant.digest(), &[record], 1, 1, &mut SystemRandom).context("the share is not split")?;
    let issue = IssueGrant {
        key: key.public(),
        kind: Kind::Read,
        offer: offer.public(),
        role: Role::Physician,
        duration: 3600,
        accept_within: 600,
        uses: u64::from(WARM_UP + USES),
        interval: 0,
        records: 1,
        shares: split.digest,
        auditor_box: vec![0; GRANT_BOX],
        reply: fresh().public(),
        include_before: now + 600,
    };
    client.submit(&SignedTransaction::new(&Transaction::IssueGrant(issue), &key, &ledger)).await?;
    client.deposit(&split.deposits, &key).await?;

    let organisation = keys.folder(ORGANISATIONS).folder(HOSPITAL).read("acceptance")?;
    let (grantee, box_key) = (fresh(), fresh());
    let credential = Credential {
        party: PartyId::new(HOSPITAL).context("the hospital's code is not one")?,
        role: Role::Physician,
        grantee: grantee.public(),
        box_key: box_key.public(),
        expiry: now + 3600,
    };
    let credential = Signed::new(&credential, &organisation, &ledger);
    let acceptance = Acceptance { grant, grantee: grantee.public(), box_key: box_key.public() };
    let acceptance = Signed::new(&acceptance, &offer, &ledger);
    let accept = AcceptGrant { grant, credential: credential.clone(), acceptance };
    client.submit(&SignedTransaction::new(&Transaction::AcceptGrant(accept), &grantee, &ledger)).await?;
    Ok(Desk { grant, grantee, credential })
}

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}
