//! A relay of the demo consortium, insurers' servers beside it, and patients who are played.

use crate::relay::Relay;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use suishen_core::{
    contract::{Role, Slot},
    id::{GrantId, PartyId},
    qr::{ConsentOffer, Scanned, scan},
};
use suishen_relay::{
    claims::{
        ClaimsDesk,
        enrolment::{self, StartError},
        held::{Held, State},
        patient::{Made, Patient, Record},
        work,
    },
    client::Client,
    desk::{Invitee, Organisation},
    issuing::CommandDesk,
    keys::Keys,
    order::system_clock,
};

pub const INSURER: &str = "91520100ANLAN00051";
pub const RIVAL: &str = "91520100ANLAN00069";
pub const FUND: &str = "11520100ANLAN00042";
const INVOICE: &[u8] = include_bytes!("../../../../samples/invoice/report.json");
const ORIGIN: &str = "http://patient.localhost:8080";

pub struct World {
    pub relay: Relay,
    pub client: Client,
    pub patient: Patient,
    pub invoice: Record,
    pub hospital: CommandDesk,
}

/// A server that works by itself.
pub struct Server {
    pub dir: tempfile::TempDir,
    pub desk: Arc<ClaimsDesk>,
    working: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl World {
    pub async fn found() -> Self {
        Self::on(Relay::start().await).await
    }

    /// With a clock that goes ahead of this machine's by so many seconds.
    pub async fn ahead() -> (Self, Arc<AtomicU64>) {
        let ahead = Arc::new(AtomicU64::new(0));
        let clock = ahead.clone();
        let clock = Arc::new(move || system_clock()() + clock.load(Ordering::SeqCst));
        (Self::on(Relay::serve_by(tempfile::tempdir().unwrap(), |_| {}, clock).await).await, ahead)
    }

    async fn on(relay: Relay) -> Self {
        let client = relay.client().await;
        let patient = Patient::arrive(&client).await.unwrap();
        let links: serde_json::Value =
            serde_json::from_slice(&client.get("/v1/demo").await.unwrap()).unwrap();
        let now = client.info().await.unwrap().now;
        let keys = Keys::new(relay.dir.path().join("hospital-desk"));
        let hospital =
            CommandDesk::enrol(&keys, &client, links["hospital"].as_str().unwrap(), now).await.unwrap();
        let invoice = patient.receive(&client, &hospital, INVOICE.to_vec()).await.unwrap();
        Self { relay, client, patient, invoice, hospital }
    }

    /// An invite of this organisation.
    pub async fn invite(&self, party: &str, role: Role, server: bool) -> String {
        let party = PartyId::new(party).unwrap();
        let organisation = Organisation::read(&self.relay.keys(), &party).unwrap();
        let invitee = Invitee { name: "理赔服务器".into(), role, title: None, unit: None, server };
        organisation.invite(&invitee, &self.client.ledger(), self.client.info().await.unwrap().now)
    }

    pub async fn server(&self, party: &str, role: Role) -> Server {
        let invite = self.invite(party, role, true).await;
        Server::open(tempfile::tempdir().unwrap(), &self.relay.base, Some(&invite)).await.unwrap()
    }

    pub async fn insurer(&self) -> Server {
        self.server(INSURER, Role::InsurerCommercial).await
    }

    pub async fn claim(&self, slot: Slot) -> Made {
        self.patient.claim(&self.client, &self.invoice, slot, ORIGIN).await.unwrap()
    }

    /// A record of the same patient that may go along.
    pub async fn paper(&self, fhir: &[u8]) -> Record {
        self.patient.receive(&self.client, &self.hospital, fhir.to_vec()).await.unwrap()
    }

    /// A claim with what goes along.
    pub async fn claim_with(&self, papers: &[&Record], slot: Slot) -> Made {
        self.patient.claim_with(&self.client, (&self.invoice, papers), slot, ORIGIN).await.unwrap()
    }

    /// A claim that this server has open.
    pub async fn opened(&self, server: &Server, slot: Slot) -> (Made, GrantId) {
        let made = self.claim(slot).await;
        self.open(server, made).await
    }

    /// Has this server open it.
    pub async fn open(&self, server: &Server, made: Made) -> (Made, GrantId) {
        server.desk.take(&offer(&made.link)).await.unwrap();
        let chain = made.agree(&self.client).await.unwrap();
        assert_eq!(chain.leaf().subject().name.as_deref(), Some("理赔服务器"));
        server.until(&made.grant(), State::Open).await;
        let grant = made.grant();
        (made, grant)
    }
}

impl Server {
    pub async fn open(dir: tempfile::TempDir, base: &str, invite: Option<&str>) -> Result<Self, StartError> {
        let client = Client::connect(base).await?;
        let rows = enrolment::rows(dir.path())?;
        let desk = Arc::new(enrolment::open(dir.path(), client, rows, invite).await?);
        let working = tokio::spawn(work::work(desk.clone()));
        Ok(Self { dir, desk, working })
    }

    /// As after a crash: another process on the same data.
    pub async fn restart(self, base: &str) -> Self {
        Self::open(self.stop().await, base, None).await.unwrap()
    }

    /// Ends it; its data stay.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.working.abort();
        let _ = (&mut self.working).await;
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    /// Waits until a claim is in a state.
    pub async fn until(&self, id: &GrantId, wanted: State) -> Held {
        for _ in 0..600 {
            let held = self.desk.claim(id).unwrap();
            if held.state() == wanted {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let held = self.desk.claim(id).unwrap();
        panic!("{held:?}, {:?}", held.closed);
    }
}

/// Damages the row of a claim in the data of a server that was stopped.
pub fn damage(data: &std::path::Path, claim: &GrantId) {
    let claims: redb::TableDefinition<'_, &[u8; 32], &[u8]> = redb::TableDefinition::new("claims");
    let database = redb::Database::open(data.join("claims/claims.redb")).unwrap();
    let change = database.begin_write().unwrap();
    change.open_table(claims).unwrap().insert(claim.as_bytes(), [7; 50].as_slice()).unwrap();
    change.commit().unwrap();
}

pub fn offer(link: &str) -> ConsentOffer {
    match scan(link) {
        Ok(Scanned::Consent { offer, .. }) => *offer,
        other => panic!("{other:?}"),
    }
}
