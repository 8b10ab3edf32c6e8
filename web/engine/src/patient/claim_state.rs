//! How claims go. **What the patient hears is held against what the phone knows**: an insurer's answer against the patient's
//! own invoice and the entry in the grant's log, which the ledger proves complete; and each payer slot is looked at itself,
//! for a hospital's word or a settlement under another grant stands there and in no log of this wallet's.

use super::claim::{payer_of, tag_of};
use super::{Session, records};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::worker::tell;
use std::collections::BTreeSet;
use suishen_bridge::{
    self as bridge, Action, ClaimAlarm, ClaimDecision, ClaimState, Claims, Event, Fault, InvoiceVoid,
    RecordTag, Share, ShareState, Topic,
};
use suishen_core::consent::{Answer, AuditorSettlement, Decision, OwnClaim};
use suishen_core::contract::{
    AuditorKeys, Claim, Kind, ReversalReason, ReverseClaim, SettleClaim, Slot, Transaction,
};
use suishen_core::id::{Commitment, GrantId, TagId};
use suishen_core::order;
use suishen_core::vault::{Body, DeviceRole, Grant, Record, RecordIndex, SlotSeen};

/// How long after an entry an insurer's word may be under way, in seconds.
const SILENCE: u64 = 7 * 86_400;

/// The last settlement under a grant, and what took it back.
#[derive(Default)]
struct Steps {
    settled: Option<(u64, u64, Option<Box<SettleClaim>>)>,
    reversed: Option<(u64, Option<Box<ReverseClaim>>)>,
}

impl Session {
    /// Looks at the payer slots of every invoice that was ever claimed; whether all could be looked at.
    pub(super) async fn look_at_claimed(&self, engine: &Engine, ledger: &Ledger) -> Result<bool, Fault> {
        let mut whole = true;
        for id in self.claimed()? {
            let Some(record) = self.read(|index| index.record(&id).cloned())? else { continue };
            whole &= self.look_at_slots(engine, ledger, &record).await.is_ok();
        }
        Ok(whole)
    }

    /// Every record that was ever shown to an insurer.
    fn claimed(&self) -> Result<BTreeSet<Commitment>, Fault> {
        self.read(|index| {
            let claims = index.grants().filter(|(_, grant)| grant.issued.terms.kind == Kind::Claim);
            order::set(claims.flat_map(|(_, grant)| grant.issued.records.clone()))
        })
    }

    /// An invoice with whose claims something is wrong, which the person hasn't looked at yet: an insurer's word that
    /// doesn't hold, a settlement that nobody here agreed to, a payment on what its hospital withdrew.
    pub(super) async fn unexpected(&self, engine: &Engine) -> Result<Option<String>, Fault> {
        for id in self.claimed()? {
            let Some(record) = self.read(|index| index.record(&id).cloned())? else { continue };
            if self.looked_at.borrow().contains(&id) {
                continue;
            }
            let Claims { void, foreign, claims } = self.claims_as_seen(engine, &record).await?;
            let alarm = |claim: &bridge::Claim| matches!(claim.state, ClaimState::Alarm(_));
            if !foreign.is_empty() || void.is_some_and(|void| void.paid) || claims.iter().any(alarm) {
                return Ok(Some(id.to_hex()));
            }
        }
        Ok(None)
    }

    /// Looks at the payer slots of an invoice; what has changed is noted for when there is no network.
    async fn look_at_slots(&self, engine: &Engine, ledger: &Ledger, record: &Record) -> Result<(), Fault> {
        let store = engine.store().await?;
        let id = record.added.record;
        let (mut bodies, mut void_now, mut void_before) = (Vec::new(), false, false);
        for slot in Slot::ALL {
            let Some(tag) = tag_id(record, slot)? else { continue };
            let Some(claim) = self.sound(ledger.slot_of(store, &tag).await)? else { continue };
            let known = self.read(|index| index.slot(&id, slot).last().map(Claim::last_entry))?;
            let is_void = |before: Option<Claim>| before.is_some_and(|before| before.void.is_some());
            void_now |= claim.void.is_some();
            void_before |= is_void(self.slots.borrow_mut().insert((id, slot), claim.clone()));
            if known.is_none_or(|known| known < claim.last_entry()) {
                bodies.push(Body::SlotSeen(Box::new(SlotSeen { record: id, claim })));
            }
        }
        if !bodies.is_empty() && self.with(|vault| vault.role())? >= DeviceRole::Share {
            self.append(engine, bodies, Vec::new()).await?;
            tell(&Event::Changed(Topic::Shares));
        }
        if void_now && !void_before {
            tell(&Event::Changed(Topic::Records));
        }
        Ok(())
    }

    /// The mark of an invoice on which its hospital has said that nothing is paid any more.
    pub(super) fn voided(&self, index: &RecordIndex, id: &Commitment) -> Option<RecordTag> {
        let live = self.slots.borrow();
        let seen = |slot| live.get(&(*id, slot)).or_else(|| index.slot(id, slot).last());
        let void = Slot::ALL.into_iter().find_map(|slot| seen(slot)?.void.as_ref())?;
        Some(if void.why == ReversalReason::OnPaper { RecordTag::OnPaper } else { RecordTag::Reversed })
    }

    /// How a payer slot stands: as the ledger showed it since this wallet was opened, or as a device saw it before.
    fn slot_seen(&self, id: &Commitment, slot: Slot) -> Result<Option<Claim>, Fault> {
        let live = self.slots.borrow().get(&(*id, slot)).cloned();
        match live {
            Some(claim) => Ok(Some(claim)),
            None => self.read(|index| index.slot(id, slot).last().cloned()),
        }
    }

    /// Whether the ledger says that a slot of this invoice is settled, under whichever grant.
    pub(super) fn is_settled(&self, id: &Commitment, slot: Slot) -> Result<bool, Fault> {
        Ok(self.slot_seen(id, slot)?.is_some_and(|claim| claim.settlement.is_some()))
    }

    /// The claims of an invoice's slot, also those made of another version of it: they have the tag in common.
    fn claims_of(&self, record: &Record, slot: Slot) -> Result<Vec<(GrantId, Grant)>, Fault> {
        let tag = tag_id(record, slot)?;
        self.read(|index| {
            let same = |id: &Commitment| {
                let of = || index.record(id).and_then(|other| tag_id(other, slot).ok()?);
                *id == record.added.record || (tag.is_some() && of() == tag)
            };
            let claims = index.grants().filter(|(_, grant)| {
                let terms = &grant.issued.terms;
                terms.kind == Kind::Claim
                    && Slot::of(terms.role) == Some(slot)
                    && grant.issued.records.iter().any(same)
            });
            claims.map(|(id, grant)| (*id, grant.clone())).collect()
        })
    }

    /// How an invoice and its claims stand, newest claim first.
    pub(super) async fn claims(&self, engine: &Engine, record: &str) -> Result<Claims, Fault> {
        let id = records::id_of(record)?;
        let record = self.read(|index| index.record(&id).cloned())?;
        let record = record.ok_or_else(|| Fault::new("no-record", Action::Nothing))?;
        if let Some(ledger) = engine.known_ledger() {
            match self.look_at_slots(engine, ledger, &record).await {
                // Without a network, what was seen last stands.
                Err(fault) if fault.key == "log-broken" => return Err(fault),
                _ => {}
            }
        }
        self.claims_as_seen(engine, &record).await
    }

    /// The same, as the ledger was seen last.
    async fn claims_as_seen(&self, engine: &Engine, record: &Record) -> Result<Claims, Fault> {
        let id = record.added.record;
        let (mut void, mut foreign, mut claims) = (None::<InvoiceVoid>, Vec::new(), Vec::new());
        for slot in Slot::ALL {
            let of_slot = self.claims_of(record, slot)?;
            if let Some(claim) = self.slot_seen(&id, slot)? {
                let settled = claim.settlement.as_ref();
                if settled.is_some_and(|settled| !of_slot.iter().any(|(id, _)| *id == settled.grant)) {
                    foreign.push(payer_of(slot));
                }
                if let Some(word) = &claim.void {
                    let paid = claim.is_flagged() || void.is_some_and(|void| void.paid);
                    void = Some(InvoiceVoid {
                        on_paper: word.why == ReversalReason::OnPaper,
                        at: word.at,
                        paid,
                    });
                }
            }
            for (id, grant) in of_slot {
                let share = self.one_share(engine, &id).await?;
                let state = self.claim_state(engine, (&id, &grant), (record, slot), &share).await?;
                let insurer = self.seen.borrow().get(&id).and_then(|seen| seen.person.clone());
                let insurer = insurer.or_else(|| grant.answer.as_ref().map(|answer| answer.person.clone()));
                claims.push(bridge::Claim {
                    share: share.share,
                    payer: payer_of(slot),
                    insurer: insurer.map(|person| person.leaf().subject().organisation.clone()),
                    made: share.issued,
                    state,
                });
            }
        }
        order::sort_by_key(&mut claims, |claim: &bridge::Claim| core::cmp::Reverse(claim.made));
        Ok(Claims { void, foreign, claims })
    }

    /// Looks at the claims of a slot once more, before another is made.
    pub(super) async fn follow_claims(
        &self,
        engine: &Engine,
        record: &Record,
        slot: Slot,
    ) -> Result<(), Fault> {
        for (id, _) in self.claims_of(record, slot)? {
            self.follow_one(engine, &id).await?;
        }
        Ok(())
    }

    /// By the log, which is complete, and by those of the insurer's answers that fit it.
    async fn claim_state(
        &self,
        engine: &Engine,
        (id, grant): (&GrantId, &Grant),
        (record, slot): (&Record, Slot),
        share: &Share,
    ) -> Result<ClaimState, Fault> {
        let tag = tag_id(record, slot)?;
        let log = self.seen.borrow().get(id).and_then(|seen| seen.log.clone());
        let steps = match log {
            Some(log) => {
                Steps::in_log(log.entries.into_iter().map(|e| (e.number, e.now, e.transaction)), tag)
            }
            None => self.read(|index| {
                let records = grant.issued.records.iter();
                Steps::in_looks(id, records.flat_map(|record| index.slot(record, slot)))
            })?,
        };
        // Where the invoice's own content isn't here, there is nothing to compare with.
        if let Ok(Some(alarm)) = self.other_invoice(engine, grant, slot).await {
            return Ok(ClaimState::Alarm(alarm));
        }
        match (steps.settled, steps.reversed) {
            (Some((_, at, None)), None) => return Ok(ClaimState::Settled { at, told: None }),
            (Some((number, at, Some(entry))), None) => {
                return self.told_of(engine, grant, &entry, (number, at)).await;
            }
            (Some((number, ..)), Some((at, entry))) => {
                return self.taken_back(engine, grant, number, at, entry.as_deref()).await;
            }
            (None, _) => {}
        }
        if let Some(Answer::Refused(told)) = grant.answers.values().last() {
            return Ok(ClaimState::Refused(told.reason.clone()));
        }
        let read = grant.reads.values().map(|read| read.time).max();
        Ok(match (&share.state, read) {
            (ShareState::NotYetRevoked | ShareState::RevokedAtGates, _) => ClaimState::Leaving,
            // Whoever has read may settle, reads left or not.
            (ShareState::Open { .. } | ShareState::Exhausted | ShareState::Offered, Some(at)) => {
                ClaimState::Read(at)
            }
            (ShareState::Open { .. }, None) => ClaimState::Agreed,
            (ShareState::Asked { .. }, _) => ClaimState::Asked,
            (ShareState::Offered, None) => ClaimState::Shared,
            _ => ClaimState::Over,
        })
    }

    /// What the insurer said of a settlement that stands. Another word than the auditor got, or only a refusal a day
    /// later, is an alarm.
    async fn told_of(
        &self,
        engine: &Engine,
        grant: &Grant,
        entry: &SettleClaim,
        (number, at): (u64, u64),
    ) -> Result<ClaimState, Fault> {
        let ledger = self.with(|vault| *vault.ledger())?;
        let of_entry = |answer: &&Answer| matches!(answer, Answer::Settled(_, _, entry) if *entry == number);
        if !grant.answers.values().any(|answer| of_entry(&answer)) {
            // What was refused before and settled after is no contradiction: the last word is under way.
            let refused = matches!(grant.answers.values().last(), Some(Answer::Refused(_)));
            let late = engine.known_ledger().and_then(Ledger::now).is_some_and(|now| now > at + SILENCE);
            let state = ClaimState::Settled { at, told: None };
            return Ok(if refused && late { ClaimState::Alarm(ClaimAlarm::Contradicts) } else { state });
        }
        // Without a network the comparison waits, and nothing uncompared is shown.
        let Some(auditor) = self.auditor_keys(engine).await else {
            return Ok(ClaimState::Settled { at, told: None });
        };
        let agrees = |answer: &&Answer| answer.agrees(entry, (number, at), &auditor, &ledger).is_ok();
        Ok(match grant.answers.values().rfind(agrees) {
            Some(told) => ClaimState::Settled { at, told: decision(told) },
            None => ClaimState::Alarm(ClaimAlarm::Auditor),
        })
    }

    /// What the insurer said of taking back the settlement of this entry.
    async fn taken_back(
        &self,
        engine: &Engine,
        grant: &Grant,
        settled: u64,
        at: u64,
        entry: Option<&ReverseClaim>,
    ) -> Result<ClaimState, Fault> {
        let ledger = self.with(|vault| *vault.ledger())?;
        let of_entry = |answer: &&Answer| match answer {
            Answer::Reversed(told, _) => told.settlement.is_some_and(|named| named.entry == settled),
            Answer::Settled(..) | Answer::Refused(_) => false,
        };
        let said = grant.answers.values().rfind(of_entry);
        let (Some(said), Some(entry), Some(auditor)) = (said, entry, self.auditor_keys(engine).await) else {
            return Ok(ClaimState::Reversed { at, words: None });
        };
        Ok(match (said, said.agrees_reversal(entry, at, &auditor, &ledger)) {
            (Answer::Reversed(told, _), Ok(())) => {
                ClaimState::Reversed { at, words: Some(told.words.clone()) }
            }
            _ => ClaimState::Alarm(ClaimAlarm::Auditor),
        })
    }

    /// Whether anything that the insurer said is about another invoice than the patient's, or in other sums.
    async fn other_invoice(
        &self,
        engine: &Engine,
        grant: &Grant,
        slot: Slot,
    ) -> Result<Option<ClaimAlarm>, Fault> {
        let Some(id) = grant.issued.records.first().filter(|_| !grant.answers.is_empty()) else {
            return Ok(None);
        };
        let Some(record) = self.read(|index| index.record(id).cloned())? else { return Ok(None) };
        let (invoice, manifest) = self.invoice_of(engine, &record).await?;
        let Some(tag) = tag_of(&record, slot, &manifest) else { return Ok(None) };
        let own = OwnClaim { invoice: &invoice, tag: &tag, record: id };
        let other = grant.answers.values().any(|answer| answer.is_about(&own).is_err());
        Ok(other.then_some(ClaimAlarm::Other))
    }

    /// The auditor's keys; none without a network, when the comparison waits.
    async fn auditor_keys(&self, engine: &Engine) -> Option<AuditorKeys> {
        let ledger = engine.known_ledger()?;
        ledger.auditor(engine.store().await.ok()?).await.ok()
    }
}

impl Steps {
    /// By the entries of the grant's log; those of another slot than the patient's own don't count.
    fn in_log(entries: impl Iterator<Item = (u64, u64, Transaction)>, tag: Option<TagId>) -> Self {
        let own = |voucher: &suishen_core::sm::Signed<suishen_core::contract::Voucher>| {
            voucher.claimed().is_ok_and(|voucher| tag.is_none_or(|tag| TagId::of(&voucher) == tag))
        };
        let mut steps = Self::default();
        for (number, at, transaction) in entries {
            match transaction {
                Transaction::SettleClaim(body) if own(&body.voucher) => {
                    steps = Self { settled: Some((number, at, Some(Box::new(body)))), reversed: None };
                }
                Transaction::ReverseClaim(body) if own(&body.voucher) => {
                    steps.reversed = Some((at, Some(Box::new(body))));
                }
                _ => {}
            }
        }
        steps
    }

    /// By what was seen of the slot before, while the log isn't at hand.
    fn in_looks<'a>(id: &GrantId, looks: impl Iterator<Item = &'a suishen_core::contract::Claim>) -> Self {
        let mut steps = Self::default();
        for claim in looks {
            match claim.settlement.as_ref().filter(|settled| settled.grant == *id) {
                Some(settled) => {
                    steps = Self { settled: Some((settled.entry, settled.at, None)), reversed: None };
                }
                None if steps.settled.is_some() && steps.reversed.is_none() => {
                    steps.reversed = claim.reversal.as_ref().map(|reversal| (reversal.at, None));
                }
                None => {}
            }
        }
        steps
    }
}

/// The name of an invoice's payer slot; none where its hospital gave no tag.
fn tag_id(record: &Record, slot: Slot) -> Result<Option<TagId>, Fault> {
    let tag = tag_of(record, slot, &records::manifest_of(record)?);
    Ok(tag.and_then(|tag| tag.id().ok()))
}

/// What was decided, in words for a screen.
pub fn decided(told: &AuditorSettlement) -> ClaimDecision {
    ClaimDecision {
        paid: told.paid.to_string(),
        whole: told.decision() == Decision::Whole,
        reason: told.reason.clone(),
    }
}

fn decision(told: &Answer) -> Option<ClaimDecision> {
    match told {
        Answer::Settled(told, ..) => Some(decided(told)),
        Answer::Refused(_) | Answer::Reversed(..) => None,
    }
}
