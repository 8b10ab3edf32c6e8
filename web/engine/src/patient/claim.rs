//! Claims on the phone: what an insurer would be shown of an invoice, the grant that shows it, and what came of it.
//!
//! **What the patient hears is held against what the phone knows**: an insurer's answer against the patient's own invoice,
//! and against the settlement's entry in the log that the ledger proves complete.

use super::share::Giving;
use super::{Session, records};
use crate::engine::Engine;
use crate::ledger::Ledger;
use std::collections::BTreeSet;
use suishen_bridge::{
    Action, Claim, ClaimAlarm, ClaimChoice, ClaimDecision, ClaimGap, ClaimPiece, ClaimPieceKind,
    ClaimPreview, ClaimRequest, ClaimState, Fault, PatientResponse, Payer, Purpose, Share, ShareChoice,
};
use suishen_core::consent::{Answer, AuditorSettlement, Decision, OwnClaim};
use suishen_core::contract::{AuditorKeys, Kind, SettleClaim, Slot, Transaction};
use suishen_core::fhir::Json;
use suishen_core::id::{Commitment, GrantId};
use suishen_core::report::claim::{Invoice, Missing, Proposal, Why, proposal};
use suishen_core::report::{ClaimKey, ClaimTag, GroupKind, Manifest, ReportError, describe};
use suishen_core::vault::{Grant, Record};

/// How long an insurer may look at a claim, in seconds: ninety days.
pub const CLAIM_TERM: u64 = 90 * 86_400;
/// How often.
const READS: u32 = 20;
/// How long after a settlement an insurer's word may be under way, in seconds.
const SILENCE: u64 = 86_400;

/// The slot of a class of insurer.
pub const fn slot_of(payer: Payer) -> Slot {
    match payer {
        Payer::Statutory => Slot::Statutory,
        Payer::Commercial => Slot::Commercial,
    }
}

/// The class of insurer of a slot.
pub const fn payer_of(slot: Slot) -> Payer {
    match slot {
        Slot::Statutory => Payer::Statutory,
        Slot::Commercial => Payer::Commercial,
    }
}

fn unclaimable(error: &ReportError) -> Fault {
    let code = if *error == ReportError::NoInvoice { "claim-no-invoice" } else { "content" };
    Fault::new(code, Action::AskDesk).with_detail(error.to_string())
}

impl Session {
    /// Answers what is asked about claims.
    pub(super) async fn answer_claim(
        &self,
        engine: &Engine,
        task: u32,
        request: ClaimRequest,
    ) -> Result<PatientResponse, Fault> {
        Ok(match request {
            ClaimRequest::Preview(choice) => {
                PatientResponse::ClaimPreview(Box::new(self.preview_claim(engine, &choice).await?))
            }
            ClaimRequest::Make(choice) => {
                PatientResponse::Share(Box::new(self.claim(engine, task, &choice).await?))
            }
            ClaimRequest::List { record } => PatientResponse::Claims(self.claims(engine, &record).await?),
        })
    }

    /// What a claim would show.
    async fn preview_claim(&self, engine: &Engine, choice: &ClaimChoice) -> Result<ClaimPreview, Fault> {
        let record = self.claimed_record(choice)?;
        let (invoice, manifest) = self.invoice_of(engine, &record).await?;
        let proposal = proposed(&record, choice)?;
        let slot = slot_of(choice.payer);
        let mut gaps: Vec<ClaimGap> = proposal.missing.iter().copied().map(gap).collect();
        // A tag whose key isn't here settles nothing.
        if !gaps.contains(&ClaimGap::Tag) && !self.signs_for(&record, slot, &manifest)? {
            gaps.push(ClaimGap::Tag);
        }
        let names = describe(&record.added.openings);
        let piece = |place: usize, kind: ClaimPieceKind| ClaimPiece {
            number: u32::try_from(place).unwrap_or(u32::MAX),
            kind,
            name: names.get(place).and_then(|(_, name)| name.clone()),
        };
        let mut shown: Vec<ClaimPiece> =
            proposal.groups.iter().filter_map(|(place, why)| Some(piece(*place, kind_of(*why)?))).collect();
        shown.sort_by_key(|piece| piece.kind);
        let hidden_kind = |place: usize| match names.get(place).map(|(kind, name)| (*kind, name.as_deref())) {
            Some((GroupKind::Numbers, _)) => ClaimPieceKind::Numbers,
            Some((GroupKind::Contact, _)) => ClaimPieceKind::Contact,
            Some((_, Some("Encounter"))) => ClaimPieceKind::Visit,
            Some((_, Some("Coverage"))) => ClaimPieceKind::OtherPolicy,
            _ => ClaimPieceKind::Other,
        };
        Ok(ClaimPreview {
            total: invoice.total.to_string(),
            payable: invoice.payable(slot).map(|payable| payable.to_string()),
            shown,
            hidden: proposal.hidden.iter().map(|place| piece(*place, hidden_kind(*place))).collect(),
            policies: proposal.policies.iter().map(|place| piece(*place, ClaimPieceKind::Policy)).collect(),
            gaps,
            duration: CLAIM_TERM,
        })
    }

    /// Makes the claim's grant and its code. One insurer at a time: a claim for the same part that still runs is to be taken
    /// back first.
    async fn claim(&self, engine: &Engine, task: u32, choice: &ClaimChoice) -> Result<Share, Fault> {
        let running = self.claims(engine, &choice.record).await?;
        let same = |claim: &&Claim| claim.payer == choice.payer;
        if running.iter().filter(same).any(|claim| matches!(claim.state, ClaimState::Settled { .. })) {
            return Err(Fault::new("claim-settled-before", Action::Nothing));
        }
        if running
            .iter()
            .filter(same)
            .any(|claim| matches!(claim.state, ClaimState::Shared | ClaimState::Read(_)))
        {
            return Err(Fault::new("claim-runs", Action::Nothing));
        }
        let share = ShareChoice {
            records: vec![choice.record.clone()],
            purpose: Purpose::Payment,
            duration: CLAIM_TERM,
            reads: READS,
            offline: false,
            text: choice.text.clone(),
        };
        let giving = Giving { choice: &share, person: None, claim: Some(choice) };
        let grant = self.give(engine, task, &giving).await?;
        self.one_share(engine, &grant).await
    }

    /// The groups of a claim, and the keys that sign for its tag.
    pub(super) fn claim_openings(
        &self,
        record: &Record,
        choice: &ClaimChoice,
    ) -> Result<(Vec<suishen_core::report::GroupOpening>, Vec<ClaimKey>), Fault> {
        let proposal = proposed(record, choice)?;
        let left_out: BTreeSet<usize> =
            choice.left_out.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
        let keep = proposal.groups.iter().map(|(place, _)| *place).filter(|place| !left_out.contains(place));
        let openings = proposal.chosen(&record.added.openings, &keep.collect());
        Ok((openings, self.with(|vault| vault.claim_keys(record))?))
    }

    /// The claims for a record, newest first.
    async fn claims(&self, engine: &Engine, record: &str) -> Result<Vec<Claim>, Fault> {
        let id = records::id_of(record)?;
        let of_record: Vec<_> = self.read(|index| {
            let grants = index.grants().filter(|(_, grant)| grant.issued.records.contains(&id));
            let claims = grants.filter(|(_, grant)| grant.issued.terms.kind == Kind::Claim);
            claims.map(|(id, grant)| (*id, grant.clone())).collect()
        })?;
        let mut claims = Vec::new();
        for (id, grant) in of_record {
            let Some(slot) = Slot::of(grant.issued.terms.role) else { continue };
            let share = self.one_share(engine, &id).await?;
            let state = self.claim_state(engine, &id, &grant, slot, &share).await?;
            let insurer = self.seen.borrow().get(&id).and_then(|seen| seen.person.clone());
            let insurer = insurer.or_else(|| grant.answer.as_ref().map(|answer| answer.person.clone()));
            claims.push(Claim {
                share: share.share,
                payer: payer_of(slot),
                insurer: insurer.map(|person| person.leaf().subject().organisation.clone()),
                made: share.issued,
                state,
            });
        }
        claims.sort_by_key(|claim| core::cmp::Reverse(claim.made));
        Ok(claims)
    }

    /// By the log, which is complete, and by those of the insurer's answers that fit it.
    async fn claim_state(
        &self,
        engine: &Engine,
        id: &GrantId,
        grant: &Grant,
        slot: Slot,
        share: &Share,
    ) -> Result<ClaimState, Fault> {
        let entries = self.seen.borrow().get(id).and_then(|seen| seen.log.clone()).map(|log| log.entries);
        let (mut settled, mut reversed) = (None, None);
        for entry in entries.into_iter().flatten() {
            match entry.transaction {
                Transaction::SettleClaim(body) => (settled, reversed) = (Some((body, entry.now)), None),
                Transaction::ReverseClaim(_) => (settled, reversed) = (None, Some(entry.now)),
                _ => {}
            }
        }
        if let Some(alarm) = self.other_invoice(engine, grant, slot).await? {
            return Ok(ClaimState::Alarm(alarm));
        }
        if let Some((entry, at)) = settled {
            return self.told_of(engine, grant, &entry, at).await;
        }
        let answers = || grant.answers.values();
        if let Some(at) = reversed {
            let mut words = answers().filter_map(|answer| match answer {
                Answer::Reversed(told, _) => Some(told.words.clone()),
                Answer::Settled(..) | Answer::Refused(_) => None,
            });
            return Ok(ClaimState::Reversed { at, words: words.next_back() });
        }
        if let Some(Answer::Refused(told)) = answers().last() {
            return Ok(ClaimState::Refused(told.reason.clone()));
        }
        Ok(match (&share.state, grant.reads.values().map(|read| read.time).max()) {
            (state, Some(at)) if is_open(state) => ClaimState::Read(at),
            (state, None) if is_open(state) => ClaimState::Shared,
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
        at: u64,
    ) -> Result<ClaimState, Fault> {
        let ledger = self.with(|vault| *vault.ledger())?;
        let last = |answer: &&Answer| matches!(answer, Answer::Settled(..));
        let Some(said) = grant.answers.values().rfind(last) else {
            let refused = grant.answers.values().any(|answer| matches!(answer, Answer::Refused(_)));
            let late = engine.known_ledger().and_then(Ledger::now).is_some_and(|now| now > at + SILENCE);
            let state = ClaimState::Settled { at, told: None };
            return Ok(if refused && late { ClaimState::Alarm(ClaimAlarm::Contradicts) } else { state });
        };
        // Without a network the comparison waits.
        let Some(auditor) = self.auditor_keys(engine).await else {
            return Ok(ClaimState::Settled { at, told: decision(said) });
        };
        let agrees = |answer: &&Answer| answer.agrees(entry, at, &auditor, &ledger).is_ok();
        Ok(match grant.answers.values().rfind(agrees) {
            Some(told) => ClaimState::Settled { at, told: decision(told) },
            None => ClaimState::Alarm(ClaimAlarm::Auditor),
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

    fn claimed_record(&self, choice: &ClaimChoice) -> Result<Record, Fault> {
        let id: Commitment = records::id_of(&choice.record)?;
        let record = self.read(|index| index.record(&id).cloned())?;
        record.ok_or_else(|| Fault::new("no-record", Action::Nothing))
    }

    /// The invoice of a record, and its manifest.
    async fn invoice_of(&self, engine: &Engine, record: &Record) -> Result<(Invoice, Manifest), Fault> {
        let damaged = || Fault::new("store-damaged", Action::Recover);
        let manifest = records::manifest_of(record)?;
        let number = manifest.fhir_part().ok_or_else(|| unclaimable(&ReportError::NoInvoice))?;
        let bytes = self.part(engine, record, &manifest, number).await?;
        let json = Json::parse(&bytes).map_err(|_| damaged())?;
        let invoice = Invoice::in_report(&json).map_err(|e| unclaimable(&e))?;
        Ok((invoice.ok_or_else(|| unclaimable(&ReportError::NoInvoice))?, manifest))
    }

    fn signs_for(&self, record: &Record, slot: Slot, manifest: &Manifest) -> Result<bool, Fault> {
        let keys = self.with(|vault| vault.claim_keys(record))?;
        Ok(tag_of(record, slot, manifest).is_some_and(|tag| ClaimKey::of(&tag, &keys).is_some()))
    }
}

fn tag_of(record: &Record, slot: Slot, manifest: &Manifest) -> Option<ClaimTag> {
    let mut groups = record.added.openings.iter().filter(|opening| opening.slot() == Some(slot));
    groups.find_map(|opening| opening.tag(&manifest.issuer))
}

fn proposed(record: &Record, choice: &ClaimChoice) -> Result<Proposal, Fault> {
    let policy = choice.policy.and_then(|policy| usize::try_from(policy).ok());
    proposal(&record.added.openings, slot_of(choice.payer), policy).map_err(|e| unclaimable(&e))
}

const fn gap(missing: Missing) -> ClaimGap {
    match missing {
        Missing::Tag => ClaimGap::Tag,
        Missing::Lines => ClaimGap::Lines,
        Missing::Diagnosis => ClaimGap::Diagnosis,
        Missing::Policy => ClaimGap::Policy,
        Missing::WhichPolicy => ClaimGap::WhichPolicy,
    }
}

/// What a person sees of a reason; head and tag are no news to anybody.
const fn kind_of(why: Why) -> Option<ClaimPieceKind> {
    match why {
        Why::Head | Why::Tag => None,
        Why::Invoice => Some(ClaimPieceKind::Invoice),
        Why::Line => Some(ClaimPieceKind::Line),
        Why::Diagnosis => Some(ClaimPieceKind::Diagnosis),
        Why::Insured => Some(ClaimPieceKind::Insured),
        Why::Policy => Some(ClaimPieceKind::Policy),
        Why::Hospital => Some(ClaimPieceKind::Hospital),
    }
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
        Answer::Settled(told, _) => Some(decided(told)),
        Answer::Refused(_) | Answer::Reversed(..) => None,
    }
}

const fn is_open(state: &suishen_bridge::ShareState) -> bool {
    use suishen_bridge::ShareState::{Asked, Offered, Open};
    matches!(state, Offered | Asked { .. } | Open { .. })
}
