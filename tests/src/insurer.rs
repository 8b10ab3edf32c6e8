//! An insurer's server whose keys a scene holds: it works as it should, and says what the scene has it say.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use axum::http::Method;
use suishen_core::cbor;
use suishen_core::consent::{Answer, AuditorSettlement};
use suishen_core::contract::{Key, Role, Terms};
use suishen_core::id::{GrantId, PartyId};
use suishen_core::qr::{Scanned, scan};
use suishen_core::report::Money;
use suishen_relay::claims::held::{Held, State};
use suishen_relay::claims::{ClaimsDesk, enrolment, work};
use suishen_relay::client::Client;
use suishen_relay::desk::{Invitee, Organisation};
use suishen_relay::keys::Keys;
use suishen_relay::node::KEYS;
use suishen_relay::random::SystemRandom;
use tempfile::TempDir;
use tokio::task::AbortHandle;

use crate::{Between, HANG, Relay, Turn};

/// Where the next insurer's server goes, so that what it says can be held back: the last byte of a loopback address.
static NEXT: AtomicU8 = AtomicU8::new(3);

/// The server of an insurer of the demo consortium.
pub struct Insurer {
    desk: Arc<ClaimsDesk>,
    between: Between,
    working: AbortHandle,
    _data: TempDir,
}

impl Drop for Insurer {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl Insurer {
    /// Enrols one for this organisation.
    pub async fn enrols(relay: &Relay, party: &str, role: Role) -> Result<Self> {
        let between = relay.between(Ipv4Addr::new(127, 0, 0, NEXT.fetch_add(1, Ordering::SeqCst))).await?;
        let client = Client::connect(&between.base()).await?;
        let organisation = Organisation::read(
            &Keys::new(relay.data().join(KEYS)),
            &PartyId::new(party).context("no party")?,
        )?;
        let invitee = Invitee { name: "理赔服务器".into(), role, title: None, unit: None, server: true };
        let invite = organisation.invite(&invitee, &client.ledger(), client.info().await?.now);
        let data = tempfile::Builder::new().prefix("suishen-insurer-").tempdir()?;
        let rows = enrolment::rows(data.path())?;
        let desk = Arc::new(enrolment::open(data.path(), client, rows, Some(&invite)).await?);
        let working = tokio::spawn(work::work(desk.clone())).abort_handle();
        Ok(Self { desk, between, working, _data: data })
    }

    /// Takes a claim's code.
    pub async fn takes(&self, link: &str) -> Result<GrantId> {
        let Scanned::Consent { offer, .. } = scan(link)? else { bail!("not a consent: {link}") };
        self.desk.take(&offer).await?;
        Ok(offer.grant)
    }

    /// Waits until the claim is open.
    pub async fn has_open(&self, claim: &GrantId) -> Result<Held> {
        let start = Instant::now();
        while start.elapsed() < HANG {
            let held = self.desk.claim(claim)?;
            ensure!(held.closed.is_none(), "the claim is closed: {:?}", held.closed);
            if held.state() == State::Open {
                return Ok(held);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        bail!("the claim did not come to be open")
    }

    /// Decides as it should, and says so to the patient.
    pub async fn decides(&self, claim: &GrantId, paid: &str, reason: &str) -> Result<Held> {
        Ok(self.desk.decide(claim, paid, reason).await?)
    }

    /// Decides, and says nothing to the patient.
    pub async fn decides_in_silence(&self, claim: &GrantId, paid: &str, reason: &str) -> Result<Held> {
        self.between.lies(|asked| {
            let is_word = asked.is(&Method::POST, "/v1/drop/");
            if is_word { Turn::Instead(crate::relay::Answer::empty()) } else { Turn::Honest }
        });
        let held = self.desk.decide(claim, paid, reason).await;
        self.between.is_honest();
        Ok(held?)
    }

    /// What an honest server would tell of this decision.
    pub fn would_tell(&self, held: &Held, paid: &str, reason: &str) -> Result<AuditorSettlement> {
        let seen = self.desk.seen(held)?;
        let record = held.opened.as_ref().context("the claim is open")?.record;
        let paid = Money::parse(paid, seen.shown.invoice.total.currency())?;
        Ok(AuditorSettlement::of(&seen.shown, &record, paid, reason)?)
    }

    /// Tells the patient this.
    pub async fn tells(&self, held: &Held, answer: &Answer) -> Result<()> {
        let ledger = &self.desk.ledger;
        let terms: Terms = ledger.values(&[Key::Terms(held.grant)]).await?.need(0, "grant")?;
        let message = answer.seal(&held.pass.key, &terms.grant.reply, &ledger.id(), &mut SystemRandom)?;
        let path = format!("/v1/drop/{}", held.grant);
        ledger.signed(Method::POST, &path, cbor::encode(&message), &held.pass.key).await?;
        Ok(())
    }
}
