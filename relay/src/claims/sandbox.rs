//! The sandbox: a demo relay in this process, a hospital that issues, patients who say yes by themselves. The ledger, the
//! keys and the proofs are real; its data lies in a folder of its own and is nobody's.

use super::{
    Refusal, enrolment,
    patient::{Patient, PatientError},
};
use crate::{
    client::Client,
    command::embedded::Embedded,
    config::serve_defaults,
    desk::{DeskError, Invitee, Organisation},
    issuing::CommandDesk,
    keys::Keys,
    node::KEYS,
    random::SystemRandom,
};
use std::{path::Path, sync::Arc};
use suishen_core::{
    contract::Slot,
    id::{LedgerId, PartyId},
    identity::Role,
    sm::Random as _,
};
use tokio::sync::Semaphore;

/// The sandbox's own data within a data folder.
pub const FOLDER: &str = "sandbox";
/// The sample invoice, and the number in it that each copy has another for.
const INVOICE: &str = include_str!("../../../samples/invoice/report.json");
const NUMBER: &str = "0038217745";
/// What goes along with it.
const DISCHARGE: &str = include_str!("../../../samples/discharge/report.json");
/// The demo's hospital and insurer.
const HOSPITAL: &str = "12520100ANLAN00018";
const INSURER: &str = "91520100ANLAN00051";
/// The port in links, which lead nowhere.
const PAGES: u16 = 8080;
/// Patients who wait for somebody to ask.
const MOST_WAITING: usize = 256;

/// The sandbox as it runs.
#[derive(Debug)]
pub struct Sandbox {
    client: Client,
    hospital: CommandDesk,
    waiting: Arc<Semaphore>,
}

/// Patients' and relay's parts of a sandbox, and an invite for its server.
#[derive(Debug)]
pub struct Started {
    /// Who is played.
    pub sandbox: Sandbox,
    /// The relay; it ends with this.
    pub relay: Embedded,
    /// Enrols the insurer's server.
    pub invite: String,
}

impl Sandbox {
    /// Starts the relay of this folder, founding its ledger the first time, and enrols the hospital's desk.
    pub async fn start(folder: &Path) -> anyhow::Result<Started> {
        let mut options = serve_defaults();
        options.demo = true;
        crate::store::make_folder(folder)?;
        let relay = Embedded::start(folder, &options, PAGES).await?;
        let client = Client::connect(relay.url()).await?;
        let now = client.info().await?.now;
        let keys = Keys::new(folder.join(enrolment::FOLDER).join("hospital"));
        let hospital = if let Some(desk) = CommandDesk::open(&keys, &client, now)? {
            desk
        } else {
            let link = invite(folder, HOSPITAL, Role::Issuer, "方静", false, &client.ledger(), now)?;
            CommandDesk::enrol(&keys, &client, &link, now).await?
        };
        let role = Role::InsurerCommercial;
        let invite = invite(folder, INSURER, role, "理赔服务器", true, &client.ledger(), now)?;
        let waiting = Arc::new(Semaphore::new(MOST_WAITING));
        Ok(Started { sandbox: Self { client, hospital, waiting }, relay, invite })
    }

    /// A new patient with an invoice that nobody else has and a discharge summary, who shows a claim link and says yes to whoever takes it.
    pub async fn play(&self) -> Result<String, PlayError> {
        let waiting = self.waiting.clone().try_acquire_owned().map_err(|_| Refusal::TooMany)?;
        let patient = Patient::arrive(&self.client).await?;
        let number = u64::from_be_bytes(SystemRandom.bytes()) % 10_000_000_000;
        let fhir = INVOICE.replace(NUMBER, &format!("{number:010}")).into_bytes();
        let invoice = patient.receive(&self.client, &self.hospital, fhir).await?;
        let summary = DISCHARGE.as_bytes().to_vec();
        let summary = patient.receive(&self.client, &self.hospital, summary).await?;
        let origin = format!("http://patient.localhost:{PAGES}");
        let pack = (&invoice, &[&summary][..]);
        let made = patient.claim_with(&self.client, pack, Slot::Commercial, &origin).await?;
        let link = made.link.clone();
        let base = self.client.base().to_owned();
        tokio::spawn(async move {
            let _waiting = waiting;
            let agreed = match Client::connect(&base).await {
                Ok(client) => made.agree(&client).await.map(drop),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = agreed {
                tracing::info!(%error, "a played patient said nothing");
            }
        });
        Ok(link)
    }
}

/// Why nobody was played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// Too many wait.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The patient.
    #[error(transparent)]
    Patient(#[from] PatientError),
}

fn invite(
    folder: &Path,
    party: &str,
    role: Role,
    name: &str,
    server: bool,
    ledger: &LedgerId,
    now: u64,
) -> Result<String, DeskError> {
    let party = PartyId::new(party).ok_or(DeskError::NoOrganisation)?;
    let organisation = Organisation::read(&Keys::new(folder.join(KEYS)), &party)?;
    let invitee = Invitee { name: name.to_owned(), role, title: None, unit: None, server };
    Ok(organisation.invite(&invitee, ledger, now))
}
