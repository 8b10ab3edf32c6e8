//! What an insurer's server says of a claim: settled on the ledger, refused to the patient only, or taken back.
//!
//! **A relay's no isn't the ledger's**: what was stored to be said stays until the slot is seen to hold it, or until the
//! ledger's clock, by a checkpoint, is past the moment by which it could stand and the slot is proven not to hold it.
//! Only then is anything else decided; and what was given up so is looked for as long as the claim is kept, so that a
//! member that lets it stand after all, dated back, gains nothing.

use super::{
    desk::{ClaimsDesk, DeskError, check_suspension},
    held::{Held, Saying},
    ledger::{LedgerError, Proven},
    opening::Seen,
    refusal::Refusal,
};
use crate::{random::SystemRandom, store::StoreError};
use suishen_core::{
    consent::{
        Answer, AnswerFault, AuditorReversal, AuditorSettlement, Decision, Reversing, Settleable, Standing,
        Unsettleable, stood, taken_back,
    },
    contract::{
        Anchor, AuditorKeys, Claim, GrantLeaf, Key, ReversalReason, SignedTransaction, Status, Terms,
        Transaction,
    },
    id::TagId,
    report::Money,
    sm::{Key32, PublicKey, Signed},
};

/// After so many decisions on one claim that never came to stand, or that the patient can't be told, no other is made: its
/// relay brings none.
const MOST_GIVEN_UP: usize = 16;

fn answer(fault: AnswerFault) -> DeskError {
    match fault {
        AnswerFault::Amount => Refusal::Amount.into(),
        AnswerFault::Shares => Refusal::Shares.into(),
        AnswerFault::Reason => Refusal::Reason.into(),
        _ => LedgerError::Unsound("answer").into(),
    }
}

impl From<Unsettleable> for Refusal {
    fn from(why: Unsettleable) -> Self {
        match why {
            Unsettleable::Replaced => Self::Replaced,
            Unsettleable::Cancelled => Self::Cancelled,
            Unsettleable::Suspended => Self::HospitalSuspended,
            Unsettleable::Tag => Self::Tag,
            Unsettleable::Settled(_) => Self::SettledElsewhere,
            Unsettleable::Void => Self::Void,
        }
    }
}

impl ClaimsDesk {
    /// What was opened of a claim here, verified again.
    pub fn seen(&self, held: &Held) -> Result<Seen, DeskError> {
        let opened = held.opened.as_ref().ok_or(Refusal::NotOpened)?;
        self.read(held, opened).map_err(|_| Refusal::Tag.into())
    }

    /// Settles a claim whole or in part, or refuses it where nothing is paid. `paid` is in the invoice's currency. What
    /// comes back may still be on its way; the same decision again goes on with it.
    pub async fn decide(
        &self,
        id: &suishen_core::id::GrantId,
        paid: &str,
        reason: &str,
    ) -> Result<Held, DeskError> {
        let _turn = self.turn(id).await;
        let mut held = self.claim(id)?;
        self.look_back(&mut held).await?;
        check_open_ends(&held)?;
        let seen = self.seen(&held)?;
        let record = held.opened.as_ref().ok_or(Refusal::NotOpened)?.record;
        let paid = Money::parse(paid.trim(), seen.shown.invoice.total.currency());
        let paid = paid.map_err(|_| Refusal::Amount)?;
        let told = AuditorSettlement::of(&seen.shown, &record, paid, reason).map_err(answer)?;
        if let Some(saying) = &held.saying {
            return if saying.told() == Some(&told) {
                self.go_on(held, Slot::Unknown).await
            } else {
                Err(Refusal::Deciding.into())
            };
        }
        match held.said.as_ref().map(|said| &said.answer) {
            _ if held.taken_back.is_some() => {}
            Some(Answer::Settled(before, ..) | Answer::Refused(before)) if *before == told => {
                return Ok(held);
            }
            Some(Answer::Settled(..)) => return Err(Refusal::Decided.into()),
            Some(Answer::Refused(_) | Answer::Reversed(..)) | None => {}
        }
        let before = held.state().name();
        let saying = self.prepare(&mut held, &seen, told).await?;
        held.saying = Some(saying);
        self.save(&held, before).await?;
        self.go_on(held, Slot::Open).await
    }

    /// What is to be said, after a fresh look at the ledger.
    async fn prepare(
        &self,
        held: &mut Held,
        seen: &Seen,
        told: AuditorSettlement,
    ) -> Result<Saying, DeskError> {
        let record = held.opened.as_ref().ok_or(Refusal::NotOpened)?.record;
        if told.decision() == Decision::Refused {
            return Ok(Saying { entry: None, answer: Answer::Refused(told), stands: None, against: None });
        }
        let voucher = seen.shown.tag.voucher().claimed().map_err(|_| Refusal::Tag)?;
        let keys = [
            Key::Anchor(record),
            Key::Party(voucher.issuer.clone()),
            Key::Claim(TagId::of(&voucher)),
            Key::Auditor,
            Key::Party(self.party().clone()),
            Key::Grant(held.grant),
        ];
        let proven = self.ledger.values(&keys).await?;
        let now = self.ledger.now().await?;
        check_suspension(&proven, 4, now)?;
        let leaf: GrantLeaf = proven.need(5, "grant")?;
        if leaf.status == Status::Revoked {
            return Err(Refusal::Revoked.into());
        }
        // By the terms as they were proven when the claim came: they never change. Nor does one consent settle without end.
        if now >= held.until || !leaf.takes_settlement() {
            return Err(Refusal::Ended.into());
        }
        let settleable = self.settleable(&proven, seen, now)?;
        self.renew(held, now).await?;
        let auditor = auditor_of(&proven, 3)?;
        let (credential, fresh) = (held.pass.credential.clone(), Key32::generate(&mut SystemRandom));
        let ledger = self.ledger.id();
        let made = told.settle(&seen.shown, &settleable, credential, &fresh, (&auditor, &ledger));
        let body = made.map_err(answer)?;
        let before = match &body {
            Transaction::SettleClaim(body) => body.include_before,
            _ => now,
        };
        let signed = SignedTransaction::new(&body, &held.pass.key, &ledger);
        // Which entry it is, is known once it stands.
        let said = Answer::Settled(told, fresh, 0);
        Ok(Saying { entry: Some((signed, before)), answer: said, stands: None, against: None })
    }

    fn settleable(&self, proven: &Proven, seen: &Seen, now: u64) -> Result<Settleable, DeskError> {
        let anchor: Anchor = proven.need(0, "anchor")?;
        let hospital = proven.need(1, "party")?;
        let claim: Option<Claim> = proven.get(2)?;
        let tag = &seen.shown.tag;
        tag.check(&hospital, &self.ledger.id()).map_err(|_| Refusal::Tag)?;
        let standing = Standing { anchor: &anchor, claim: claim.as_ref(), hospital: &hospital, now };
        Ok(standing.settleable(tag).map_err(Refusal::from)?)
    }

    /// Takes this server's settlement back.
    pub async fn reverse(
        &self,
        id: &suishen_core::id::GrantId,
        why: ReversalReason,
        words: &str,
    ) -> Result<Held, DeskError> {
        let _turn = self.turn(id).await;
        let mut held = self.claim(id)?;
        self.look_back(&mut held).await?;
        check_open_ends(&held)?;
        let seen = self.seen(&held)?;
        let words = words.trim();
        let same = |answer: &Answer| matches!(answer, Answer::Reversed(told, _) if (told.why, told.words.as_str()) == (why, words));
        if let Some(saying) = &held.saying {
            return if same(&saying.answer) {
                self.go_on(held, Slot::Unknown).await
            } else {
                Err(Refusal::Deciding.into())
            };
        }
        if held.said.as_ref().is_some_and(|said| same(&said.answer)) {
            return Ok(held);
        }
        let settlement = held.settled().ok_or(Refusal::NotSettled)?;
        let proven = self.ledger.values(&[Key::Auditor, Key::Party(self.party().clone())]).await?;
        let now = self.ledger.now().await?;
        check_suspension(&proven, 1, now)?;
        let before = held.state().name();
        self.renew(&mut held, now).await?;
        let ledger = self.ledger.id();
        let tag = seen.shown.tag.id().map_err(|_| Refusal::Tag)?;
        let reversing = Reversing { tag, desk: held.pass.key.public() };
        let who = self.who();
        let told = AuditorReversal {
            tag,
            settlement: Some(settlement),
            why,
            words: words.to_owned(),
            certificate: who.chain().leaf().to_der().to_vec(),
            presence: Signed::new(&reversing, who.key(), &ledger),
        };
        let auditor = auditor_of(&proven, 0)?;
        let (credential, fresh) = (held.pass.credential.clone(), Key32::generate(&mut SystemRandom));
        let voucher = seen.shown.tag.voucher().clone();
        let body = told.reverse(voucher, credential, &fresh, now, (&auditor, &ledger)).map_err(answer)?;
        let include_before = match &body {
            Transaction::ReverseClaim(body) => body.include_before,
            _ => now,
        };
        let signed = SignedTransaction::new(&body, &held.pass.key, &ledger);
        let entry = Some((signed, include_before));
        held.saying =
            Some(Saying { entry, answer: Answer::Reversed(told, fresh), stands: None, against: None });
        self.save(&held, before).await?;
        self.go_on(held, Slot::Unknown).await
    }

    /// Says what is stored, as far as it goes now; the rest goes on by itself.
    async fn go_on(&self, mut held: Held, slot: Slot) -> Result<Held, DeskError> {
        let stored = Stored(self);
        let said = match slot {
            Slot::Open => self.bring(&mut held).await,
            Slot::Unknown => self.say(&mut held).await,
        };
        let told = self.tell(&mut held).await;
        if let Err(error) = said.and(told) {
            tracing::info!(claim = %held.grant, %error, "a decision is not through yet");
        }
        if !held.is_under_way() {
            stored.through();
        }
        Ok(held)
    }

    /// Finds what is to be said on the ledger, or brings it there. What can't stand any more is given up.
    pub(super) async fn say(&self, held: &mut Held) -> Result<(), DeskError> {
        let Some(saying) = &held.saying else { return Ok(()) };
        let (keys, until) = match (saying.stands, saying.slot(), &saying.entry) {
            (None, Some(slot), Some((_, until))) => ([Key::Claim(slot)], *until),
            // A refusal is no entry.
            _ => return self.said(held).await,
        };
        let proven = self.ledger.values(&keys).await?;
        if self.is_over(held, &proven).await? {
            return Ok(());
        }
        if proven.at > until {
            let against = held.saying.as_ref().and_then(|saying| saying.against.as_deref());
            tracing::warn!(claim = %held.grant, against, "a decision did not come to stand in its time");
            let before = held.state().name();
            held.give_up();
            return self.save(held, before).await;
        }
        self.bring(held).await
    }

    /// Brings what was stored to the ledger and sees it there.
    async fn bring(&self, held: &mut Held) -> Result<(), DeskError> {
        let Some(saying) = &held.saying else { return Ok(()) };
        let (Some(slot), Some((transaction, _))) = (saying.slot(), &saying.entry) else {
            return self.said(held).await;
        };
        let keys = [Key::Claim(slot)];
        let (proven, error) = match self.ledger.submit(transaction).await {
            Ok(entry) => (self.after(entry, &keys).await?, None),
            // Perhaps it was included all the same.
            Err(error) => (self.ledger.values(&keys).await?, Some(DeskError::from(error))),
        };
        if self.is_over(held, &proven).await? {
            return Ok(());
        }
        let before = held.state().name();
        let said_no = error.as_ref().and_then(DeskError::said_no).map(str::to_owned);
        if let (Some(saying), Some(code)) = (&mut held.saying, said_no) {
            saying.against = Some(code);
            self.save(held, before).await?;
        }
        Err(error.unwrap_or_else(|| LedgerError::Unsound("entry").into()))
    }

    /// Ends what is to be said where the ledger shows what became of it; whether it did. It stands by its own transaction,
    /// which another desk's decision under the same grant isn't: the entry that was looked for and that the slot, the first of
    /// these values, names; or one in the grant's log. A reversal of what another desk took back can't stand any more. A slot
    /// that nobody ever named spares the look.
    async fn is_over(&self, held: &mut Held, proven: &Proven) -> Result<bool, DeskError> {
        let Some(Saying { entry: Some((transaction, _)), answer, .. }) = &held.saying else {
            return Ok(false);
        };
        let Some(slot) = proven.get::<Claim>(0)? else { return Ok(false) };
        let mut stands = proven.entry_of(transaction).filter(|entry| *entry == slot.last_entry());
        if stands.is_none() {
            let decision = claimed(transaction)?;
            let log = self.ledger.log_of(&held.grant).await?;
            stands = stood(&log, &[decision]).first().map(|stood| stood.entry);
            let settlement = match answer {
                Answer::Reversed(told, _) => told.settlement,
                Answer::Settled(..) | Answer::Refused(_) => None,
            };
            let other = settlement.and_then(|settlement| taken_back(&log, &settlement));
            if let (None, Some(reversal)) = (stands, other) {
                tracing::info!(claim = %held.grant, entry = reversal.entry, "another desk took this settlement back");
                let before = held.state().name();
                held.overtaken(reversal);
                self.save(held, before).await?;
                return Ok(true);
            }
        }
        let Some(entry) = stands else { return Ok(false) };
        if let Some(saying) = &mut held.saying {
            saying.stands = Some(entry);
        }
        self.said(held).await.map(|()| true)
    }

    /// From now on it is said; the patient is told next.
    async fn said(&self, held: &mut Held) -> Result<(), DeskError> {
        let (before, at) = (held.state().name(), self.ledger.now().await?);
        held.say(at);
        self.save(held, before).await
    }

    /// Tells the patient what was said, in its order. What isn't told yet is told later, and keeps nothing from being
    /// decided.
    pub(super) async fn tell(&self, held: &mut Held) -> Result<(), DeskError> {
        if held.telling().is_empty() {
            return Ok(());
        }
        let reply = if let Some(reply) = held.reply {
            reply
        } else {
            let proven = self.ledger.values(&[Key::Terms(held.grant)]).await?;
            proven.need::<Terms>(0, "grant")?.grant.reply
        };
        let ledger = self.ledger.id();
        while let Some(said) = held.telling().first() {
            let message = said.seal(&held.pass.key, &reply, &ledger, &mut SystemRandom);
            self.drop_in(held, &message.map_err(answer)?).await?;
            let before = held.state().name();
            held.told();
            self.save(held, before).await?;
        }
        Ok(())
    }

    /// Looks for what was given up: what stands after all is said, in the ledger's order, before anything else is.
    pub(super) async fn look_back(&self, held: &mut Held) -> Result<(), DeskError> {
        while !held.given_up().is_empty() {
            let decisions = held.given_up().iter().filter_map(|saying| saying.entry.as_ref());
            let decisions: Vec<_> =
                decisions.map(|(transaction, _)| claimed(transaction)).collect::<Result<_, _>>()?;
            let log = self.ledger.log_of(&held.grant).await?;
            let Some(found) = stood(&log, &decisions).first().copied() else { break };
            tracing::warn!(claim = %held.grant, entry = found.entry, "a decision that was given up stands");
            let before = held.state().name();
            let taken_up = held.take_up(found.which);
            // What was decided meanwhile was decided on the word that this doesn't stand.
            held.give_up();
            held.saying = taken_up.map(|saying| Saying { stands: Some(found.entry), ..saying });
            let at = self.ledger.now().await?;
            held.say(at);
            self.save(held, before).await?;
        }
        Ok(())
    }
}

/// What is stored and not through yet: it goes on by itself once nobody waits for it any more, also where who asked hung up.
struct Stored<'a>(&'a ClaimsDesk);

impl Stored<'_> {
    /// There is nothing left to be done.
    fn through(self) {
        std::mem::forget(self);
    }
}

impl Drop for Stored<'_> {
    fn drop(&mut self) {
        self.0.stirred.notify_one();
    }
}

/// Where too much is given up, or waits to be told, nothing more is decided.
fn check_open_ends(held: &Held) -> Result<(), Refusal> {
    let most = held.given_up().len().max(held.telling().len());
    if most < MOST_GIVEN_UP { Ok(()) } else { Err(Refusal::Ledger) }
}

/// What is known of a slot right before something is brought to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// Seen open just now.
    Open,
    /// Perhaps it holds what is to be said.
    Unknown,
}

fn claimed(transaction: &SignedTransaction) -> Result<Transaction, DeskError> {
    Ok(transaction.claimed().map_err(|_| LedgerError::Rows(StoreError::Row.into()))?)
}

fn auditor_of(proven: &Proven, n: usize) -> Result<PublicKey, DeskError> {
    let keys: AuditorKeys = proven.need(n, "auditor")?;
    keys.box_key().map_err(|_| LedgerError::Unsound("auditor").into())
}
