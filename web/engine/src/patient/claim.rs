//! Claims on the phone: what an insurer would be shown of an invoice, and the grant that shows it. What came of it,
//! [`claim_state`](super::claim_state) says.

use super::card::Card;
use super::cards::State;
use super::share::{Giving, grant_of};
use super::{Session, records};
use crate::engine::Engine;
use std::collections::BTreeSet;
use suishen_bridge::{
    Action, ClaimChoice, ClaimGap, ClaimPaper, ClaimPaperKind, ClaimPiece, ClaimPieceKind, ClaimPreview,
    ClaimRequest, ClaimState, Fault, PatientResponse, Payer, Purpose, Share, ShareChoice, ShareState,
};
use suishen_core::consent::MOST_RECORDS;
use suishen_core::contract::Slot;
use suishen_core::fhir::Json;
use suishen_core::id::Commitment;
use suishen_core::order;
use suishen_core::report::claim::{Invoice, Missing, Proposal, Why, policy_name, proposal};
use suishen_core::report::{
    ClaimKey, ClaimTag, FeeList, GroupKind, GroupOpening, Manifest, ReportError, describe,
};
use suishen_core::vault::Record;

/// How long an insurer may look at a claim, in seconds: ninety days.
pub const CLAIM_TERM: u64 = 90 * 86_400;
/// What the title of an inpatient's invoice has in it.
const INPATIENT: &str = "住院";
/// How often.
const READS: u32 = 20;

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
            ClaimRequest::List { record } => {
                let claims = self.claims(engine, &record).await?;
                self.looked_at.borrow_mut().insert(records::id_of(&record)?);
                PatientResponse::Claims(claims)
            }
            ClaimRequest::Unexpected => PatientResponse::Unexpected(self.unexpected(engine).await?),
        })
    }

    /// What a claim would show.
    async fn preview_claim(&self, engine: &Engine, choice: &ClaimChoice) -> Result<ClaimPreview, Fault> {
        let record = self.claimed_record(choice)?;
        let (invoice, manifest) = self.invoice_of(engine, &record).await?;
        let groups = self.groups(engine, &record).await?;
        let proposal = proposed(&groups, choice)?;
        let slot = slot_of(choice.payer);
        let mut gaps: Vec<ClaimGap> = proposal.missing.iter().copied().map(gap).collect();
        // A tag whose key isn't here settles nothing.
        if !gaps.contains(&ClaimGap::Tag) && !self.signs_for(&record, slot, &manifest)? {
            gaps.push(ClaimGap::Tag);
        }
        let names = describe(&groups);
        let piece = |place: usize, kind: ClaimPieceKind| ClaimPiece {
            number: u32::try_from(place).unwrap_or(u32::MAX),
            kind,
            name: names.get(place).and_then(|(_, name)| name.clone()),
        };
        let policy = |place: usize| {
            let name = groups.get(place).and_then(policy_name);
            ClaimPiece { name, ..piece(place, ClaimPieceKind::Policy) }
        };
        let mut shown: Vec<ClaimPiece> =
            proposal.groups.iter().filter_map(|(place, why)| Some(piece(*place, kind_of(*why)?))).collect();
        order::sort_by_key(&mut shown, |piece| piece.kind);
        let hidden_kind = |place: usize| match names.get(place).map(|(kind, name)| (*kind, name.as_deref())) {
            Some((GroupKind::Numbers, _)) => ClaimPieceKind::Numbers,
            Some((GroupKind::Contact, _)) => ClaimPieceKind::Contact,
            Some((_, Some("Encounter"))) => ClaimPieceKind::Visit,
            Some((_, Some("Coverage"))) => ClaimPieceKind::OtherPolicy,
            _ => ClaimPieceKind::Other,
        };
        let along = self.papers(engine, &record, &invoice).await?;
        gaps.extend(self.gaps_beside(engine, &record, &along).await?);
        let statutory = invoice.payable(Slot::Statutory).is_some_and(|sum| sum.hundredths() > 0);
        if slot == Slot::Commercial && statutory && !self.is_settled(&record.added.record, Slot::Statutory)? {
            gaps.push(ClaimGap::StatutoryFirst);
        }
        Ok(ClaimPreview {
            along,
            total: invoice.total.to_string(),
            payable: invoice.payable(slot).map(|payable| payable.to_string()),
            shown,
            hidden: proposal.hidden.iter().map(|place| piece(*place, hidden_kind(*place))).collect(),
            policies: proposal.policies.iter().map(|place| policy(*place)).collect(),
            gaps,
            duration: CLAIM_TERM,
            reads: READS,
        })
    }

    /// What is missing beside the invoice, or doesn't fit it. Nothing is sent yet.
    async fn gaps_beside(
        &self,
        engine: &Engine,
        record: &Record,
        along: &[ClaimPaper],
    ) -> Result<Vec<ClaimGap>, Fault> {
        let titles = self.titles(engine, &[record.added.record]).await?;
        let stay = titles.iter().any(|title| title.contains(INPATIENT));
        let mut lists = along.iter().filter(|paper| paper.kind == ClaimPaperKind::Fees).peekable();
        let mut gaps = Vec::new();
        if lists.peek().is_none() {
            gaps.push(ClaimGap::Fees);
        }
        // Of several, lists of single days say, the desk sums up those that go along.
        if let (Some(ClaimPaper { makes_up: Some(false), .. }), None) = (lists.next(), lists.next()) {
            gaps.push(ClaimGap::FeesDiffer);
        }
        if stay && !along.iter().any(|paper| paper.kind == ClaimPaperKind::Discharge) {
            gaps.push(ClaimGap::Discharge);
        }
        Ok(gaps)
    }

    /// Makes the claim's grant and its code. One insurer at a time: a claim for the same part that still runs is to be taken
    /// back first, and what an insurer refused or took back is taken from it before the next is asked.
    async fn claim(&self, engine: &Engine, task: u32, choice: &ClaimChoice) -> Result<Share, Fault> {
        let (record, slot) = (self.claimed_record(choice)?, slot_of(choice.payer));
        self.follow_claims(engine, &record, slot).await?;
        let known = self.claims(engine, &choice.record).await?;
        if known.void.is_some() {
            return Err(Fault::new("claim-void", Action::AskDesk));
        }
        if self.is_settled(&record.added.record, slot)? {
            return Err(Fault::new("claim-settled-before", Action::Nothing));
        }
        for claim in known.claims.iter().filter(|claim| claim.payer == choice.payer) {
            match &claim.state {
                ClaimState::Settled { .. } => {
                    return Err(Fault::new("claim-settled-before", Action::Nothing));
                }
                ClaimState::Shared | ClaimState::Asked | ClaimState::Agreed | ClaimState::Read(_) => {
                    return Err(Fault::new("claim-runs", Action::Nothing));
                }
                ClaimState::Over => {}
                ClaimState::Refused(_)
                | ClaimState::Reversed { .. }
                | ClaimState::Leaving
                | ClaimState::Alarm(_) => self.leave(engine, &claim.share).await?,
            }
        }
        let share = ShareChoice {
            // The invoice first: what is settled is the first record's.
            records: std::iter::once(&choice.record).chain(&choice.along).cloned().collect(),
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

    /// Takes a claim from its insurer. Done only when the ledger says so: until then it could still be settled.
    async fn leave(&self, engine: &Engine, share: &str) -> Result<(), Fault> {
        self.revoke(engine, share).await?;
        let left = self.one_share(engine, &grant_of(share)?).await?;
        // The gates alone are not enough: what was read before is settled on the ledger.
        let ended = matches!(left.state, ShareState::Revoked | ShareState::Expired);
        if ended { Ok(()) } else { Err(Fault::new("claim-leaving", Action::Retry)) }
    }

    /// Other records of the same treatment: of the same person and hospital, within two months of the invoice.
    async fn papers(
        &self,
        engine: &Engine,
        record: &Record,
        invoice: &Invoice,
    ) -> Result<Vec<ClaimPaper>, Fault> {
        self.provide_cards_aside(engine).await?;
        let mut papers: Vec<ClaimPaper> = self.read(|index| {
            self.cards.look(|known| {
                let Some((invoice, _)) = known.get(&record.added.record) else { return Vec::new() };
                let replaced: BTreeSet<&String> =
                    order::set(known.values().filter_map(|(card, _)| card.replaces.as_ref()));
                let near = |(id, (card, _)): &(&Commitment, &(Card, State))| {
                    let own = index.record(id).is_some_and(|record| record.added.has_groups());
                    own && !index.marks(id).hidden
                        && !replaced.contains(&id.to_hex())
                        && card.explains(invoice)
                };
                let paper = |(id, (card, _)): (&Commitment, &(Card, State))| ClaimPaper {
                    record: id.to_hex(),
                    title: card.title(&index.marks(id)).to_owned(),
                    date: card.date.clone(),
                    kind: if card.is_discharge() {
                        ClaimPaperKind::Discharge
                    } else if card.is_fee_list() {
                        ClaimPaperKind::Fees
                    } else {
                        ClaimPaperKind::Other
                    },
                    makes_up: None,
                };
                known.iter().filter(near).map(paper).collect()
            })
        })?;
        order::sort_by(&mut papers, |a, b| (a.kind, &b.date).cmp(&(b.kind, &a.date)));
        papers.truncate(MOST_RECORDS - 1);
        for paper in papers.iter_mut().filter(|paper| paper.kind == ClaimPaperKind::Fees) {
            // What can't be read now goes along unjudged.
            let fees = self.fees_of(engine, &paper.record).await.ok().flatten();
            paper.makes_up = fees.map(|fees| fees.makes_up(&invoice.total));
        }
        Ok(papers)
    }

    /// The fee list of a record.
    async fn fees_of(&self, engine: &Engine, record: &str) -> Result<Option<FeeList>, Fault> {
        let damaged = || Fault::new("store-damaged", Action::Recover);
        let id: Commitment = records::id_of(record)?;
        let record = self.read(|index| index.record(&id).cloned())?.ok_or_else(damaged)?;
        let json = self.fhir_of(engine, &record, &records::manifest_of(&record)?).await?;
        FeeList::in_report(&json).map_err(|_| damaged())
    }

    /// The report that a record holds, as it was issued.
    async fn fhir_of(&self, engine: &Engine, record: &Record, manifest: &Manifest) -> Result<Json, Fault> {
        let number = manifest.fhir_part().ok_or_else(|| unclaimable(&ReportError::NoInvoice))?;
        let bytes = self.part(engine, record, manifest, number).await?;
        Json::parse(&bytes).map_err(|_| Fault::new("store-damaged", Action::Recover))
    }

    /// The groups of a claim, and the keys that sign for its tag.
    pub(super) async fn claim_openings(
        &self,
        engine: &Engine,
        record: &Record,
        choice: &ClaimChoice,
    ) -> Result<(Vec<GroupOpening>, Vec<ClaimKey>), Fault> {
        let groups = self.groups(engine, record).await?;
        let proposal = proposed(&groups, choice)?;
        let left_out: BTreeSet<usize> =
            order::set(choice.left_out.iter().filter_map(|n| usize::try_from(*n).ok()));
        let keep = proposal.groups.iter().map(|(place, _)| *place).filter(|place| !left_out.contains(place));
        let openings = proposal.chosen(&groups, &keep.collect());
        Ok((openings, self.with(|vault| vault.claim_keys(record))?))
    }

    fn claimed_record(&self, choice: &ClaimChoice) -> Result<Record, Fault> {
        let id: Commitment = records::id_of(&choice.record)?;
        let record = self.read(|index| index.record(&id).cloned())?;
        record.ok_or_else(|| Fault::new("no-record", Action::Nothing))
    }

    /// The invoice of a record, and its manifest.
    pub(super) async fn invoice_of(
        &self,
        engine: &Engine,
        record: &Record,
    ) -> Result<(Invoice, Manifest), Fault> {
        let manifest = records::manifest_of(record)?;
        let json = self.fhir_of(engine, record, &manifest).await?;
        let invoice = Invoice::in_report(&json).map_err(|e| unclaimable(&e))?;
        Ok((invoice.ok_or_else(|| unclaimable(&ReportError::NoInvoice))?, manifest))
    }

    fn signs_for(&self, record: &Record, slot: Slot, manifest: &Manifest) -> Result<bool, Fault> {
        let keys = self.with(|vault| vault.claim_keys(record))?;
        Ok(tag_of(record, slot, manifest).is_some_and(|tag| ClaimKey::of(&tag, &keys).is_some()))
    }
}

/// The tag of a slot among a record's groups.
pub(super) fn tag_of(record: &Record, slot: Slot, manifest: &Manifest) -> Option<ClaimTag> {
    let mut groups = record.added.tags.iter().filter(|opening| opening.slot() == Some(slot));
    groups.find_map(|opening| opening.tag(&manifest.issuer))
}

fn proposed(groups: &[GroupOpening], choice: &ClaimChoice) -> Result<Proposal, Fault> {
    let policy = choice.policy.and_then(|policy| usize::try_from(policy).ok());
    proposal(groups, slot_of(choice.payer), policy).map_err(|e| unclaimable(&e))
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
