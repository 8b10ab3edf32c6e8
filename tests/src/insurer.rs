//! An insurer's server whose keys a scene holds: it works as it should, and says what the scene has it say.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use axum::http::Method;
use suishen_core::cbor;
use suishen_core::consent::{Answer, AuditorSettlement, INCLUDE_WITHIN, SETTLEMENT_TEXT};
use suishen_core::contract::{Key, Role, SettleClaim, SignedTransaction, Terms, Transaction};
use suishen_core::id::GrantId;
use suishen_core::qr::{Scanned, scan};
use suishen_core::report::Money;
use suishen_core::sm::{Digest, Key32, Label, pad, sealed};
use suishen_relay::claims::held::{Held, State};
use suishen_relay::claims::{ClaimsDesk, enrolment, work};
use suishen_relay::client::Client;
use suishen_relay::desk::Invitee;
use suishen_relay::random::SystemRandom;
use tempfile::TempDir;
use tokio::task::AbortHandle;

use crate::played::{auditor, invite};
use crate::relay::next_address;
use crate::{Between, HANG, Relay, Turn};

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
        let between = relay.between(next_address()).await?;
        let client = Client::connect(&between.base()).await?;
        let invitee = Invitee { name: "理赔服务器".into(), role, title: None, unit: None, server: true };
        let invite = invite(relay, &client, party, &invitee).await?;
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

    /// Settles whole whatever has become of the invoice since it was opened, and tells the auditor this.
    pub async fn settles_anyway(
        &self,
        held: &Held,
        change: impl FnOnce(&mut AuditorSettlement),
    ) -> Result<()> {
        let seen = self.desk.seen(held)?;
        let payable = seen.shown.invoice.payable(self.desk.slot()).context("the invoice adds up")?;
        let record = held.opened.as_ref().context("the claim is open")?.record;
        let mut told = AuditorSettlement::of(&seen.shown, &record, payable, "")?;
        change(&mut told);
        let client = &self.desk.ledger.client;
        let auditor = auditor(client).await?.box_key()?;
        // An honest one would not seal what doesn't hold.
        let label = Label::new("auditor-settlement");
        let object = Digest::labelled(label, &[told.grant.as_bytes(), told.tag.as_bytes()]);
        let text = pad::pad_to(&cbor::encode(&told), SETTLEMENT_TEXT)?;
        let fresh = Key32::generate(&mut SystemRandom);
        let body = SettleClaim {
            grant: held.grant,
            credential: held.pass.credential.clone(),
            voucher: seen.shown.tag.voucher().clone(),
            proof: seen.shown.proof.clone(),
            auditor_box: sealed::seal_recomputable(&fresh, &auditor, &client.ledger(), &object, label, &text),
            include_before: client.info().await?.now + INCLUDE_WITHIN,
        };
        let body = Transaction::SettleClaim(body);
        client.submit(&SignedTransaction::new(&body, &held.pass.key, &client.ledger())).await?;
        Ok(())
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
