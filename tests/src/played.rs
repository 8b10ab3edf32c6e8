//! People whose keys a scene holds: a patient whose wallet shows what the scene says, and an organisation's desk that says
//! on the ledger what the scene has it say. They go about it as the real ones do, over the relay.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use reqwest::StatusCode;
use suishen_core::cbor;
use suishen_core::consent::{
    AuditedRecord, AuditorGrant, AuditorOpening, AuditorReversal, AuditorUse, Choice, Presence, Reversing,
};
use suishen_core::contract::{
    AcceptGrant, Acceptance, AuditorKeys, CancelTicket, Destination, Key, RedeemGrant, ReversalReason, Role,
    SignedTransaction, Slot, SupersedeReport, Transaction,
};
use suishen_core::id::{Commitment, GrantId, HolderId, PartyId};
use suishen_core::qr::{Scanned, scan};
use suishen_core::report::claim::proposal;
use suishen_core::report::{ClaimKey, ClaimTag, GroupOpening, InvoiceNumber, Sensitivity};
use suishen_core::sm::{Digest, Key32, PublicKey, Random as _, SecretKey, Signed};
use suishen_relay::claims::patient::{Made, Patient, Record, choice_for};
use suishen_relay::client::Client;
use suishen_relay::desk::{Invitee, ORGANISATIONS, Organisation};
use suishen_relay::issuing::{CommandDesk, Draft, Pass, issue};
use suishen_relay::keys::Keys;
use suishen_relay::node::KEYS;
use suishen_relay::random::SystemRandom;
use tempfile::TempDir;
use tokio::task::AbortHandle;

use crate::{Answer, Between, Relay, Turn, relay::next_address};

/// The demo consortium's hospital.
pub const HOSPITAL: &str = "12520100ANLAN00018";

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

/// A sample's report, with other words in it where there are any.
pub fn sample(name: &str, changes: &[(&str, &str)]) -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
    let mut text = std::fs::read_to_string(path)?;
    for (from, to) in changes {
        anyhow::ensure!(text.contains(from), "{name} has no {from}");
        text = text.replace(from, to);
    }
    Ok(text.into_bytes())
}

/// Invites somebody for an organisation of the demo consortium.
pub(crate) async fn invite(relay: &Relay, client: &Client, party: &str, who: &Invitee) -> Result<String> {
    let keys = Keys::new(relay.data().join(KEYS));
    let organisation = Organisation::read(&keys, &PartyId::new(party).context("no party")?)?;
    Ok(organisation.invite(who, &client.ledger(), client.info().await?.now))
}

/// A desk of an organisation, by its keys.
pub struct Desk {
    /// The relay as this desk reaches it.
    pub client: Client,
    who: CommandDesk,
    keys: Keys,
    party: PartyId,
    between: Between,
    _own: TempDir,
}

/// A grant that a desk has accepted.
pub struct Accepted {
    grant: GrantId,
    pass: Pass,
    reads: u32,
}

impl Desk {
    /// Enrols a person of this organisation.
    pub async fn enrols(relay: &Relay, party: &str, role: Role, name: &str) -> Result<Self> {
        let between = relay.between(next_address()).await?;
        let client = Client::connect(&between.base()).await?;
        let invitee = Invitee { name: name.into(), role, title: None, unit: None, server: false };
        let (invite, now) = (invite(relay, &client, party, &invitee).await?, client.info().await?.now);
        let own = tempfile::Builder::new().prefix("suishen-desk-").tempdir()?;
        let who = CommandDesk::enrol(&Keys::new(own.path().to_owned()), &client, &invite, now).await?;
        let (keys, party) = (Keys::new(relay.data().join(KEYS)), PartyId::new(party).context("no party")?);
        Ok(Self { client, who, keys, party, between, _own: own })
    }

    /// Who sits here.
    pub const fn who(&self) -> &CommandDesk {
        &self.who
    }

    /// Issues a report: the ticket's link.
    pub async fn issues(&self, fhir: Vec<u8>) -> Result<String> {
        let draft = Draft { fhir, attachments: Vec::new(), sensitive: false };
        let issued = issue(&self.client, &self.who, &draft, None).await?;
        Ok(issued.link.context("a ticket has a link")?.to_string())
    }

    /// From here on invoices get these claim tags in place of those that the hospital's relay makes.
    pub fn gives_tags(&self, tags: &[(ClaimTag, ClaimKey)]) {
        let body = cbor::encode(&tags.to_vec());
        self.between.lies(move |asked| {
            if !asked.is(&Method::POST, "/v1/desk/tags") {
                return Turn::Honest;
            }
            Turn::Instead(Answer::made(StatusCode::OK, "application/cbor", body.clone()))
        });
    }

    /// From here on invoices get the tags that they should.
    pub fn is_honest(&self) {
        self.between.is_honest();
    }

    /// Tags of this hospital's for an invoice, made from another secret than its own; vouched for by its key, or by one
    /// that the ledger doesn't know.
    pub fn other_tags(&self, fhir: &[u8], sound: bool) -> Result<Vec<(ClaimTag, ClaimKey)>> {
        let number = InvoiceNumber::in_report(fhir)?.context("an invoice has a number")?;
        let own = self.keys.folder(ORGANISATIONS).folder(self.party.as_str());
        let voucher = if sound { own.read("voucher")? } else { fresh() };
        let secret = Key32::generate(&mut SystemRandom);
        Ok(ClaimTag::both(&secret, &self.party, &number, &voucher, &self.client.ledger()).into())
    }

    /// Takes a report back.
    pub async fn cancels(&self, record: Commitment) -> Result<()> {
        let pass = self.pass(Role::Issuer).await?;
        let body =
            CancelTicket { commitment: record, credential: pass.credential.clone(), why: "person".into() };
        self.submits(Transaction::CancelTicket(body), &pass).await
    }

    /// Puts a new version in place of a report, which the patient is never given.
    pub async fn replaces(&self, record: Commitment) -> Result<()> {
        let pass = self.pass(Role::Issuer).await?;
        let until = self.client.info().await?.now + 3600;
        let body = SupersedeReport {
            commitment: Commitment::from_bytes(SystemRandom.bytes()),
            credential: pass.credential.clone(),
            destination: Destination::Ticket(fresh().public(), until, Digest::of(b"nobody's")),
            replaces: record,
            why: "content".into(),
        };
        self.submits(Transaction::SupersedeReport(body), &pass).await
    }

    /// Makes a slot of an invoice void.
    pub async fn voids(&self, invoice: &Record, slot: Slot) -> Result<()> {
        let pass = self.pass(Role::Issuer).await?;
        let group = invoice.openings().iter().find(|group| group.slot() == Some(slot));
        let tag = group.and_then(|group| group.tag(&self.party)).context("an invoice has tags")?;
        let ledger = self.client.ledger();
        let reversing = Reversing { tag: tag.id()?, desk: pass.key.public() };
        let told = AuditorReversal {
            tag: tag.id()?,
            settlement: None,
            why: ReversalReason::Reversed,
            words: "重复开票".into(),
            certificate: self.who.chain().leaf().to_der().to_vec(),
            presence: Signed::new(&reversing, self.who.key(), &ledger),
        };
        let (key, seed) = (auditor(&self.client).await?.box_key()?, Key32::generate(&mut SystemRandom));
        let (voucher, now) = (tag.voucher().clone(), self.client.info().await?.now);
        let body = told.reverse(voucher, pass.credential.clone(), &seed, now, (&key, &ledger))?;
        self.submits(body, &pass).await
    }

    async fn submits(&self, body: Transaction, pass: &Pass) -> Result<()> {
        self.client.submit(&SignedTransaction::new(&body, &pass.key, &self.client.ledger())).await?;
        Ok(())
    }

    async fn pass(&self, role: Role) -> Result<Pass> {
        let now = self.client.info().await?.now;
        Ok(self.who.pass(&self.client, role, now).await?)
    }

    /// Accepts a code on the ledger. The patient isn't asked: nothing is opened.
    pub async fn accepts(&self, link: &str) -> Result<Accepted> {
        let Scanned::Consent { offer, .. } = scan(link)? else { bail!("not a consent: {link}") };
        let role = self.who.chain().leaf().role().context("a desk has a role")?;
        let pass = self.pass(role).await?;
        let (grantee, box_key) = (pass.key.public(), pass.box_key.public());
        let acceptance = Acceptance { grant: offer.grant, grantee, box_key };
        let body = AcceptGrant {
            grant: offer.grant,
            credential: pass.credential.clone(),
            acceptance: Signed::new(&acceptance, &offer.offer_key, &self.client.ledger()),
        };
        self.submits(Transaction::AcceptGrant(body), &pass).await?;
        Ok(Accepted { grant: offer.grant, pass, reads: 0 })
    }

    /// What an honest desk tells the auditor of its next read.
    pub fn would_tell(&self, accepted: &Accepted) -> AuditorUse {
        let presence = Presence { grant: accepted.grant, grantee: accepted.pass.key.public() };
        AuditorUse {
            grant: accepted.grant,
            number: accepted.reads + 1,
            certificate: self.who.chain().leaf().to_der().to_vec(),
            presence: Signed::new(&presence, self.who.key(), &self.client.ledger()),
            records: vec![0],
        }
    }

    /// Redeems the next use, as it should.
    pub async fn reads(&self, accepted: &mut Accepted) -> Result<()> {
        let (told, auditor) = (self.would_tell(accepted), auditor(&self.client).await?.box_key()?);
        self.reads_telling(accepted, &told, &auditor).await
    }

    /// Redeems the next use, and tells the auditor this, under this key.
    pub async fn reads_telling(
        &self,
        accepted: &mut Accepted,
        told: &AuditorUse,
        auditor: &PublicKey,
    ) -> Result<()> {
        let ledger = self.client.ledger();
        let auditor_box = told.seal(&Key32::generate(&mut SystemRandom), auditor, &ledger)?;
        accepted.reads += 1;
        let body = RedeemGrant {
            grant: accepted.grant,
            credential: accepted.pass.credential.clone(),
            use_number: accepted.reads.into(),
            records: vec![0],
            epk: fresh().public(),
            auditor_box,
        };
        self.submits(Transaction::RedeemGrant(body), &accepted.pass).await
    }
}

/// The auditor's keys, as the ledger has them now.
pub async fn auditor(client: &Client) -> Result<AuditorKeys> {
    let answer = client.value(&Key::Auditor).await?;
    Ok(cbor::decode(&answer.values.first().context("a ledger has an auditor")?.value)?)
}

/// A patient whose wallet shows what the scene says.
pub struct Wallet {
    client: Client,
    patient: Patient,
    origin: String,
    agreeing: Mutex<Vec<AbortHandle>>,
}

impl Drop for Wallet {
    fn drop(&mut self) {
        for waiting in self.agreeing.get_mut().unwrap_or_else(PoisonError::into_inner) {
            waiting.abort();
        }
    }
}

impl Wallet {
    /// A new patient.
    pub async fn arrives(relay: &Relay) -> Result<Self> {
        let client = Client::connect(&relay.origin("").replace("localhost", "127.0.0.1")).await?;
        let patient = Patient::arrive(&client).await?;
        Ok(Self { client, patient, origin: relay.origin("patient"), agreeing: Mutex::default() })
    }

    /// The hospital issues a report to this patient, who takes it in.
    pub async fn receives(&self, hospital: &Desk, fhir: Vec<u8>) -> Result<Record> {
        Ok(self.patient.receive(&hospital.client, &hospital.who, fhir).await?)
    }

    /// The groups that a claim for this slot needs of an invoice.
    pub fn needed(invoice: &Record, slot: Slot) -> Result<Vec<GroupOpening>> {
        Ok(proposal(invoice.openings(), slot, None)?.openings(invoice.openings()))
    }

    /// Makes a grant of these groups. Nothing is sent yet.
    pub async fn makes(&self, shown: &[(&Record, Vec<GroupOpening>)], choice: Choice) -> Result<Made> {
        Ok(self.patient.make(&self.client, shown, choice, &self.origin).await?)
    }

    /// Puts a grant on the ledger, whose auditor is told that it is of a record that nobody registered.
    pub async fn issues_of_nothing(&self, made: &Made) -> Result<()> {
        let (draft, ledger) = (made.draft(), self.client.ledger());
        let Transaction::IssueGrant(mut body) = draft.transaction.claimed()? else { bail!("a grant") };
        let grant = AuditorGrant {
            grant: draft.grant,
            purpose: "TREAT".into(),
            records: vec![AuditedRecord { class: Sensitivity::Ordinary, anchor: [0; 8] }],
            holder: HolderId::of(&fresh().public()),
        };
        let told = AuditorOpening { seed: Key32::generate(&mut SystemRandom), grant };
        body.auditor_box = told.seal(&auditor(&self.client).await?.box_key()?, &ledger)?;
        let signed = SignedTransaction::new(&Transaction::IssueGrant(body), &draft.key, &ledger);
        self.client.submit(&signed).await?;
        Ok(())
    }

    /// Makes a grant of these groups for whoever has this role, and says yes to whoever takes the code; the code's link.
    pub async fn shows(&self, shown: &[(&Record, Vec<GroupOpening>)], role: Role) -> Result<String> {
        let made = self.makes(shown, choice_for(role)).await?;
        made.bring(&self.client).await?;
        Ok(self.agrees(&made))
    }

    /// Makes an honest claim, and says yes to whoever takes it.
    pub async fn claims(&self, invoice: &Record, slot: Slot) -> Result<String> {
        self.shows(&[(invoice, Self::needed(invoice, slot)?)], slot.role()).await
    }

    /// Says yes to whoever takes what was brought.
    pub fn agrees(&self, made: &Made) -> String {
        let (link, base, made) = (made.link.clone(), self.client.base().to_owned(), made.clone());
        let agreeing = tokio::spawn(async move {
            let Ok(client) = Client::connect(&base).await else { return };
            // Whoever doesn't ask shows on the screen that waits.
            drop(made.agree(&client).await);
        });
        self.agreeing.lock().expect("no panic").push(agreeing.abort_handle());
        link
    }
}
