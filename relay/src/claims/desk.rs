//! A claim's life at an insurer's server, as at the insurer's desk in the browser: the code is accepted, the server's
//! certificate put before the patient, the yes awaited, the payload judged, one use redeemed, the invoice opened
//! ([`super::opening`]), and what was decided said ([`super::saying`]).
//!
//! **What must survive a crash is stored before it is sent**, and a repeat makes the same entry. Each step looks at the
//! ledger first, proven under a current checkpoint: what a relay says of an entry, yes or no, decides nothing.

use super::{
    held::{Closed, Held, State},
    ledger::{Ledger, LedgerError, Proven},
    refusal::Refusal,
    rows::{Rows, RowsError},
};
use crate::{
    client::ClientError,
    issuing::{CommandDesk, IssueError},
    random::SystemRandom,
};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use suishen_core::{
    consent::{DeskIdentity, Presence, taken_back},
    contract::{
        AcceptGrant, Acceptance, Claim, GrantLeaf, Key, Party, Settled, SignedTransaction, Slot, Status,
        Terms, Transaction,
    },
    id::{GrantId, PartyId, TagId},
    identity::{Kind, Role},
    qr::ConsentOffer,
    sm::Signed,
};
use tokio::sync::{Mutex, MutexGuard, Notify};

/// Claims that are worked on at a time never share one of these.
const TURNS: usize = 255;
/// Claims that are looked over at a time, within what the ledger answers at once.
const LOOKED_AT: usize = 64;
/// How long a claim is kept after the patient's consent has ended, in seconds: half a year.
const KEPT: u64 = 180 * 86_400;
/// How often, and how far apart, the ledger is looked at again for an entry that a relay says stands.
const LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Why a step wasn't taken.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The request asks for something that isn't done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The ledger, or the relay.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The rows.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The credential.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl From<ClientError> for DeskError {
    fn from(error: ClientError) -> Self {
        Self::Ledger(error.into())
    }
}

impl DeskError {
    /// What a relay said no with, where it did: number or name.
    pub fn said_no(&self) -> Option<&str> {
        match self {
            Self::Ledger(error) => error.said_no(),
            Self::Issue(IssueError::Client(ClientError::Refused { code, .. })) => Some(code),
            _ => None,
        }
    }
}

/// An insurer's server.
#[derive(Debug)]
pub struct ClaimsDesk {
    /// The ledger.
    pub ledger: Ledger,
    /// What is kept.
    pub rows: Rows,
    /// Who it is: with another certificate once that is renewed.
    who: RwLock<Arc<CommandDesk>>,
    party: PartyId,
    pub(super) role: Role,
    pub(super) slot: Slot,
    turns: Vec<Mutex<()>>,
    last_turn: Mutex<()>,
    /// Whoever opens much.
    pub(super) opening: Mutex<()>,
    /// Told when a claim came or changed.
    pub stirred: Notify,
    /// Told when there is an event.
    pub happened: Notify,
}

impl ClaimsDesk {
    /// The server of an insurer. Other roles, and a person's certificate, are refused.
    pub fn new(ledger: Ledger, rows: Rows, who: CommandDesk) -> Result<Self, Refusal> {
        let leaf = who.chain().leaf();
        let (Some(role), Kind::ServerSign) = (leaf.role(), leaf.kind()) else {
            return Err(Refusal::NotAServer);
        };
        let slot = Slot::of(role).ok_or(Refusal::NotAServer)?;
        let turns = (0..TURNS).map(|_| Mutex::default()).collect();
        Ok(Self {
            ledger,
            rows,
            party: leaf.subject().party.clone(),
            who: RwLock::new(Arc::new(who)),
            role,
            slot,
            turns,
            last_turn: Mutex::default(),
            opening: Mutex::default(),
            stirred: Notify::new(),
            happened: Notify::new(),
        })
    }

    /// Who it is now.
    pub fn who(&self) -> Arc<CommandDesk> {
        self.who.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with a renewed certificate of the same insurer and role; another is refused.
    pub fn renewed(&self, who: CommandDesk) -> Result<(), Refusal> {
        let leaf = who.chain().leaf();
        if leaf.kind() != Kind::ServerSign
            || leaf.role() != Some(self.role)
            || leaf.subject().party != self.party
        {
            return Err(Refusal::NotAServer);
        }
        *self.who.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(who);
        Ok(())
    }

    /// The insurer.
    pub const fn party(&self) -> &PartyId {
        &self.party
    }

    /// Which slot it settles.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// One claim, one step at a time.
    pub(super) async fn turn(&self, id: &GrantId) -> MutexGuard<'_, ()> {
        let place = id.as_bytes().first().map_or(0, |byte| usize::from(*byte));
        self.turns.get(place).unwrap_or(&self.last_turn).lock().await
    }

    /// A claim that is here.
    pub fn claim(&self, id: &GrantId) -> Result<Held, DeskError> {
        Ok(self.rows.claim(id)?.ok_or(Refusal::NoClaim)?)
    }

    /// Writes a claim that was in the state of this name before.
    pub(super) async fn save(&self, held: &Held, before: &'static str) -> Result<(), DeskError> {
        let at = self.ledger.now().await?;
        self.rows.put_claim(held, before, at).await?;
        if held.state().name() != before {
            self.happened.notify_one();
        }
        Ok(())
    }

    /// Takes the claim that a patient's code offers. Nothing is sent yet; a code that was taken before gives its claim.
    pub async fn take(&self, offer: &ConsentOffer) -> Result<Held, DeskError> {
        let _turn = self.turn(&offer.grant).await;
        if let Some(held) = self.rows.claim(&offer.grant)? {
            // Whoever knows a grant's name only hasn't seen its code.
            return if held.offer_key == offer.offer_key {
                Ok(held)
            } else {
                Err(Refusal::NotAConsent.into())
            };
        }
        let keys = [Key::Terms(offer.grant), Key::Grant(offer.grant), Key::Party(self.party().clone())];
        let proven = self.ledger.values(&keys).await?;
        let now = self.ledger.now().await?;
        let (Some(terms), Some(leaf)) = (proven.get::<Terms>(0)?, proven.get::<GrantLeaf>(1)?) else {
            return Err(Refusal::NoGrant.into());
        };
        check_suspension(&proven, 2, now)?;
        if terms.grant.offer != offer.offer_key.public() {
            return Err(Refusal::NotAConsent.into());
        }
        if terms.grant.role != self.role {
            return Err(Refusal::OtherRole.into());
        }
        match leaf.status {
            Status::Offered if now < terms.accept_end() => {}
            Status::Offered => return Err(Refusal::TooLate.into()),
            Status::Accepted | Status::Exhausted => return Err(Refusal::Taken.into()),
            Status::Revoked => return Err(Refusal::Revoked.into()),
        }
        let held = Held {
            grant: offer.grant,
            offer_key: offer.offer_key.clone(),
            pass: self.pass(None, now).await?,
            since: now,
            accept_until: terms.accept_end(),
            until: terms.end(),
            accepted: false,
            presented: false,
            half: offer.half.clone(),
            payload: None,
            redemption: None,
            opened: None,
            saying: None,
            said: None,
            closed: None,
            flagged: false,
            given_up: None,
            telling: None,
            reply: Some(terms.grant.reply),
            taken_back: None,
        };
        self.rows.add_claim(&held, now).await?;
        self.happened.notify_one();
        self.stirred.notify_one();
        Ok(held)
    }

    /// A credential for fresh keys, or for those that accepted.
    async fn pass(&self, old: Option<&Held>, now: u64) -> Result<crate::issuing::Pass, DeskError> {
        let client = &self.ledger.client;
        let pass = match old {
            None => self.who().pass(client, self.role, now).await,
            Some(held) => {
                let keys = [held.pass.key.clone(), held.pass.box_key.clone()];
                self.who().renew(client, self.role, keys, now).await
            }
        };
        pass.map_err(DeskError::from).map_err(|error| match error.said_no() {
            Some("person-suspended") => Refusal::Suspended.into(),
            _ => error,
        })
    }

    /// A credential that lasts, for the same keys.
    pub(super) async fn renew(&self, held: &mut Held, now: u64) -> Result<(), DeskError> {
        if !held.pass.lasts(now) {
            held.pass = self.pass(Some(held), now).await?;
        }
        Ok(())
    }

    /// Does what is next for a claim, as far as it goes now. Whether something is left for a later try.
    pub async fn step(&self, id: &GrantId) -> Result<bool, DeskError> {
        let _turn = self.turn(id).await;
        let mut held = self.claim(id)?;
        if held.closed.is_some() {
            return Ok(false);
        }
        if !held.accepted && !self.accept(&mut held).await? {
            return Ok(false);
        }
        if !held.presented {
            self.present(&mut held).await?;
        }
        if held.opened.is_none() {
            if !self.has_answer(&mut held).await? {
                return Ok(held.closed.is_none());
            }
            self.open(&mut held).await?;
        }
        // A relay that takes no messages for the patient holds up no decision.
        let untold = held.opened.as_ref().is_some_and(|opened| !opened.receipt);
        let shown = if untold { self.tell_opened(&mut held).await } else { Ok(()) };
        let said = match self.look_back(&mut held).await {
            Ok(()) => self.say(&mut held).await,
            error => error,
        };
        let told = self.tell(&mut held).await;
        shown.and(said).and(told)?;
        Ok(held.is_under_way())
    }

    /// Ends a claim that comes to nothing.
    pub(super) async fn close(
        &self,
        held: &mut Held,
        code: &str,
        detail: impl Into<String>,
    ) -> Result<(), DeskError> {
        let before = held.state().name();
        held.closed = Some(Closed { code: code.to_owned(), detail: detail.into() });
        // Nothing of it is needed any more.
        (held.payload, held.half) = (None, None);
        self.save(held, before).await
    }

    /// Terms and leaf of a claim's grant, proven now.
    pub(super) async fn grant(&self, held: &Held) -> Result<(Terms, GrantLeaf), DeskError> {
        let proven = self.ledger.values(&[Key::Terms(held.grant), Key::Grant(held.grant)]).await?;
        Ok((proven.need(0, "grant")?, proven.need(1, "grant")?))
    }

    /// What the state holds once it contains this entry, which a relay says stands; and the entry.
    pub(super) async fn after(&self, entry: u64, keys: &[Key]) -> Result<Proven, DeskError> {
        for _ in 0..LOOKS {
            let proven = self.ledger.values_with(keys, Some(entry)).await?;
            if proven.size > entry {
                return Ok(proven);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Err(LedgerError::Unsound("entry").into())
    }

    /// Accepts on the ledger; false where the claim came to nothing.
    async fn accept(&self, held: &mut Held) -> Result<bool, DeskError> {
        let (terms, leaf) = self.grant(held).await?;
        let now = self.ledger.now().await?;
        if self.seen_accepted(held, &terms, &leaf, now).await? {
            return Ok(held.closed.is_none());
        }
        let before = held.state().name();
        self.renew(held, now).await?;
        self.save(held, before).await?;
        let ledger = self.ledger.id();
        let (grantee, box_key) = (held.pass.key.public(), held.pass.box_key.public());
        let acceptance = Acceptance { grant: held.grant, grantee, box_key };
        let body = AcceptGrant {
            grant: held.grant,
            credential: held.pass.credential.clone(),
            acceptance: Signed::new(&acceptance, &held.offer_key, &ledger),
        };
        let signed = SignedTransaction::new(&Transaction::AcceptGrant(body), &held.pass.key, &ledger);
        let entry = self.ledger.submit(&signed).await?;
        let proven = self.after(entry, &[Key::Terms(held.grant), Key::Grant(held.grant)]).await?;
        let (terms, leaf) = (proven.need(0, "grant")?, proven.need(1, "grant")?);
        if self.seen_accepted(held, &terms, &leaf, now).await? {
            Ok(held.closed.is_none())
        } else {
            Err(LedgerError::Unsound("acceptance").into())
        }
    }

    /// Whether the ledger says what became of the acceptance: ours, or never.
    async fn seen_accepted(
        &self,
        held: &mut Held,
        terms: &Terms,
        leaf: &GrantLeaf,
        now: u64,
    ) -> Result<bool, DeskError> {
        match &terms.accepted {
            Some(accepted) if accepted.grantee == held.pass.key.public() => {
                let before = held.state().name();
                held.accepted = true;
                self.save(held, before).await?;
            }
            Some(_) => self.close(held, "taken", "another desk accepted this claim first").await?,
            None if leaf.status == Status::Revoked => {
                self.close(held, "revoked", "the patient took the consent back").await?;
            }
            None if now >= terms.accept_end() => {
                self.close(held, "too-late", "the claim was not accepted in time").await?;
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Puts the server's certificate before the patient.
    async fn present(&self, held: &mut Held) -> Result<(), DeskError> {
        let ledger = self.ledger.id();
        let proven = self.ledger.values(&[Key::Terms(held.grant)]).await?;
        let terms: Terms = proven.need(0, "grant")?;
        let presence = Presence { grant: held.grant, grantee: held.pass.key.public() };
        let who = self.who();
        let identity = DeskIdentity {
            chain: who.chain().clone(),
            presence: Signed::new(&presence, who.key(), &ledger),
            checkpoint: proven.note,
        };
        let message = identity.seal(&terms.grant.reply, &held.grant, &ledger, &mut SystemRandom);
        self.drop_in(held, &message).await?;
        let before = held.state().name();
        held.presented = true;
        self.save(held, before).await
    }

    /// Looks at all claims again: a settlement whose invoice its hospital has voided since is flagged, one that another desk of
    /// the insurer took back is reversed, and what is long over is forgotten. One that can't be read is left, and said.
    pub async fn look_over(&self) -> Result<(), DeskError> {
        let mut after = Some(0);
        while let Some(from) = after {
            let (found, next) = self.rows.names(from, LOOKED_AT)?;
            let now = self.ledger.now().await?;
            let mut named = Vec::with_capacity(found.len());
            for id in found {
                match self.settled_or_over(&id, now).await {
                    Ok(tag) => named.extend(tag.map(|tag| (id, tag))),
                    Err(error) => tracing::error!(claim = %id, %error, "a claim is not looked over"),
                }
            }
            let keys: Vec<Key> = named.iter().map(|(_, tag)| Key::Claim(*tag)).collect();
            if !keys.is_empty() {
                let proven = self.ledger.values(&keys).await?;
                for (n, (id, _)) in named.iter().enumerate() {
                    if let Some(slot) = proven.get::<Claim>(n)? {
                        self.take_over(id, &slot).await?;
                    }
                }
            }
            after = next;
        }
        Ok(())
    }

    /// The slot that a settled claim is in; a claim that is long over is forgotten.
    async fn settled_or_over(&self, id: &GrantId, now: u64) -> Result<Option<TagId>, DeskError> {
        let over = |held: &Held| !held.waits() && held.until.saturating_add(KEPT) < now;
        let held = self.claim(id)?;
        if over(&held) {
            let _turn = self.turn(id).await;
            // Meanwhile something may have been decided.
            if over(&self.claim(id)?) {
                self.rows.forget(id).await?;
            }
            return Ok(None);
        }
        if held.state() != State::Settled {
            return Ok(None);
        }
        Ok(Some(self.seen(&held)?.shown.tag.id().map_err(|_| Refusal::Tag)?))
    }

    /// Takes over what has become of the slot that a settled claim is in.
    async fn take_over(&self, id: &GrantId, slot: &Claim) -> Result<(), DeskError> {
        let _turn = self.turn(id).await;
        let mut held = self.claim(id)?;
        let (State::Settled, Some(settled)) = (held.state(), held.settled()) else { return Ok(()) };
        let before = held.state().name();
        let in_force = slot.settlement.as_ref().map(|it| Settled { grant: it.grant, entry: it.entry });
        if in_force == Some(settled) {
            held.flagged = slot.is_flagged();
        } else if let Some(reversal) = taken_back(&self.ledger.log_of(id).await?, &settled) {
            held.overtaken(reversal);
        }
        if held.state().name() == before { Ok(()) } else { self.save(&held, before).await }
    }

    /// Closes a claim whose consent has ended; whether it still runs.
    pub(super) async fn check_running(
        &self,
        held: &mut Held,
        terms: &Terms,
        leaf: &GrantLeaf,
        now: u64,
    ) -> Result<bool, DeskError> {
        if leaf.status == Status::Revoked {
            self.close(held, "revoked", "the patient took the consent back").await?;
        } else if now >= terms.end() {
            self.close(held, "expired", "the patient's consent has ended").await?;
        }
        Ok(held.closed.is_none())
    }
}

/// A suspended insurer decides nothing: whether this is one, by the `n`-th value.
pub(super) fn check_suspension(proven: &Proven, n: usize, now: u64) -> Result<(), DeskError> {
    let party: Party = proven.need(n, "party")?;
    // Whole seconds of two clocks: the checkpoint's may be the later.
    if party.is_suspended(now.max(proven.at)) { Err(Refusal::Suspended.into()) } else { Ok(()) }
}
