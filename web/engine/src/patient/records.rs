//! Records for the screen: the list, one record, its files. Everything shown was decrypted and verified here.

use super::{Answered, Session};
use crate::desk::series;
use crate::engine::Engine;
use crate::platform::day;
use crate::store::Table;
use std::collections::BTreeSet;
use suishen_bridge::{
    Action, Fault, Filter, PatientResponse, ProofLine, RecordCard, RecordDetail, RecordTag, Sensitivity,
};
use suishen_core::contract::Anchor;
use suishen_core::fhir::{Finding, Kind, Moment, ReportView};
use suishen_core::id::Commitment;
use suishen_core::report::{self, FHIR_MEDIA_TYPE, Manifest, open_part};
use suishen_core::sm::Signed;
use suishen_core::vault::{Body, Marks, Record};

/// A record's id as the page gives it.
pub fn id_of(text: &str) -> Result<Commitment, Fault> {
    Commitment::from_hex(text).ok_or_else(|| Fault::new("request", Action::Nothing))
}

/// Content that another copy of the wallet has.
const COMING: &str = "coming";

impl Session {
    /// The list, newest first.
    pub(super) async fn records(&self, engine: &Engine, filter: &Filter) -> Result<Vec<RecordCard>, Fault> {
        let records = self.read(|index| {
            let marked = |r: &Record| (r.clone(), index.marks(&r.added.record));
            (index.records().map(marked).collect::<Vec<_>>(), index.last_looked())
        })?;
        let (records, looked) = records;
        // The reports in whose place this wallet holds a newer version.
        let mut replaced = BTreeSet::new();
        let mut cards = Vec::new();
        for (record, marks) in records {
            let manifest = manifest_of(&record)?;
            replaced.extend(manifest.replaces.map(Commitment::to_hex));
            match self.view(engine, &record, &manifest).await {
                Ok(view) => {
                    let mut card = card(&record, &manifest, &marks, &view, looked);
                    card.marks.extend(self.anchored.borrow().get(&record.added.record).into_iter().flatten());
                    cards.extend(Some(card).filter(|card| shown(card, &view, filter)));
                }
                // One that is damaged, or not here yet, doesn't take the others with it; it says so itself.
                Err(fault) if fault.action == Action::Recover || fault.code == COMING => {
                    let mark = if fault.code == COMING { RecordTag::Coming } else { RecordTag::Damaged };
                    let card = unread_card(&record, &manifest, &marks, mark);
                    cards.extend(Some(card).filter(|card| filter.hidden || !card.hidden));
                }
                Err(fault) => return Err(fault),
            }
        }
        for card in cards.iter_mut().filter(|card| replaced.contains(&card.record)) {
            if !card.marks.contains(&RecordTag::Corrected) && !card.marks.contains(&RecordTag::Damaged) {
                card.marks.push(RecordTag::Corrected);
            }
        }
        cards.sort_by(|a, b| {
            b.date.cmp(&a.date).then_with(|| a.visit.cmp(&b.visit)).then_with(|| a.title.cmp(&b.title))
        });
        Ok(cards)
    }

    /// Adds or removes the person's own tag.
    pub(super) async fn tag(&self, engine: &Engine, id: &str, tag: String, on: bool) -> Result<(), Fault> {
        let id = id_of(id)?;
        let body = if on { Body::Tagged(id, tag) } else { Body::Untagged(id, tag) };
        self.append(engine, vec![body], Vec::new()).await
    }

    /// Hides a record, or shows it again.
    pub(super) async fn hide(&self, engine: &Engine, id: &str, hidden: bool) -> Result<(), Fault> {
        let id = id_of(id)?;
        let body = if hidden { Body::Hidden(id) } else { Body::Unhidden(id) };
        self.append(engine, vec![body], Vec::new()).await
    }

    /// A record's content, decrypted and verified once a session.
    async fn view(&self, engine: &Engine, record: &Record, manifest: &Manifest) -> Result<ReportView, Fault> {
        let id = record.added.record.to_hex();
        if let Some(view) = self.opened.borrow().get(&id) {
            return Ok(view.clone());
        }
        let number = manifest.fhir_part().ok_or_else(|| Fault::new("content", Action::AskDesk))?;
        let bytes = self.part(engine, record, manifest, number).await?;
        let view = ReportView::from_json(&bytes)
            .map_err(|e| Fault::new("fhir", Action::AskDesk).with_detail(e.to_string()))?;
        self.opened.borrow_mut().insert(id, view.clone());
        Ok(view)
    }

    pub(super) async fn part(
        &self,
        engine: &Engine,
        record: &Record,
        manifest: &Manifest,
        number: u32,
    ) -> Result<Vec<u8>, Fault> {
        let missing = || Fault::new("no-file", Action::Recover);
        let copy = record.added.parts.iter().find(|copy| copy.part == number).ok_or_else(missing)?;
        let blob = engine.store().await?.get(Table::Blobs, &copy.address.to_hex()).await?;
        let blob = match blob {
            Some(blob) => blob,
            // With other copies about it comes from one of them.
            None if self.has_copies(engine).await? => return Err(Fault::new(COMING, Action::Retry)),
            None => return Err(missing()),
        };
        open_part(manifest, copy, &blob).map_err(|_| Fault::new("store-damaged", Action::Recover))
    }

    /// One record with history, files and proof.
    pub(super) async fn record(&self, engine: &Engine, id: &str) -> Result<RecordDetail, Fault> {
        let commitment = id_of(id)?;
        let missing = || Fault::new("no-record", Action::Nothing);
        let (record, marks, looked) = self
            .read(|index| {
                let record = index.record(&commitment).cloned();
                record.map(|r| (r, index.marks(&commitment), index.last_looked()))
            })?
            .ok_or_else(missing)?;
        let manifest = manifest_of(&record)?;
        let view = self.view(engine, &record, &manifest).await?;
        let mut card = card(&record, &manifest, &marks, &view, looked);
        let proof = self.proof(engine, &record, &manifest, &mut card).await;
        let others: Vec<ReportView> = {
            let opened = self.opened.borrow();
            let same = |v: &&ReportView| {
                **v != view
                    && matches!((&v.patient, &view.patient), (Some(a), Some(b)) if a.is_same_person(b))
            };
            std::iter::once(&view).chain(opened.values().filter(same)).cloned().collect()
        };
        let mine: Vec<_> =
            series(&others).into_iter().filter(|s| view.rows.iter().any(|r| r.name == s.name)).collect();
        let files = (0u32..)
            .zip(&manifest.parts)
            .filter(|(_, part)| part.media_type != FHIR_MEDIA_TYPE)
            .map(|(number, part)| (number, part.name.clone(), part.media_type.clone(), part.size))
            .collect();
        let sound = proof.iter().all(|line| line.good);
        Ok(RecordDetail { card, view, series: mine, files, proof, sound })
    }

    /// Signature, chain, digests and anchor, checked again now; offline the anchor stands as it was when it was kept.
    async fn proof(
        &self,
        engine: &Engine,
        record: &Record,
        manifest: &Manifest,
        card: &mut RecordCard,
    ) -> Vec<ProofLine> {
        let line = |key: &str, good: bool, detail: String| ProofLine { key: key.to_owned(), good, detail };
        let issuer = record.added.chain.leaf().subject();
        let who = [Some(issuer.organisation.clone()), issuer.unit.clone(), issuer.name.clone()];
        let who = who.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let mut lines = vec![
            line("proof-chain", true, who),
            line("proof-digests", true, manifest.parts.len().to_string()),
        ];
        if let Ok(anchor) = self.anchor_now(engine, record).await {
            let same = report::commitment(&record.added.salt, &record.added.manifest) == record.added.record;
            let signed = Signed::<Manifest>::from_bytes(&record.added.manifest)
                .and_then(|m| m.verify(&anchor.issuer, &engine_ledger(engine)))
                .is_ok();
            lines.insert(0, line("proof-signature", signed, issuer.organisation.clone()));
            lines.push(line("proof-anchor", same, record.added.record.to_hex()));
            let suspended = self.suspended(engine, &anchor).await;
            let withdrawn = anchor.cancellation.as_ref().map(|_| RecordTag::Withdrawn);
            let corrected = anchor.replaced_by.map(|_| RecordTag::Corrected);
            let said: Vec<RecordTag> = withdrawn.into_iter().chain(corrected).chain(suspended).collect();
            card.marks.extend(&said);
            self.anchored.borrow_mut().insert(record.added.record, said);
            lines.push(line(
                "proof-issuer",
                suspended != Some(RecordTag::IssuerSuspended),
                issuer.organisation.clone(),
            ));
        }
        lines
    }

    async fn anchor_now(&self, engine: &Engine, record: &Record) -> Result<Anchor, Fault> {
        let ledger = engine.ledger().await?;
        let anchor = ledger.anchor(engine.store().await?, record.added.record).await?;
        anchor.ok_or_else(|| Fault::new("no-anchor", Action::AskDesk))
    }

    /// Whether the issuer is suspended, and from a moment before this was anchored: then it doesn't count any more.
    async fn suspended(&self, engine: &Engine, anchor: &Anchor) -> Option<RecordTag> {
        let (ledger, store) = (engine.ledger().await.ok()?, engine.store().await.ok()?);
        let party = ledger.party(store, anchor.party.clone()).await.ok().flatten()?;
        match ledger.now() {
            _ if party.is_suspended(anchor.at) => Some(RecordTag::IssuerSuspended),
            Some(now) if party.is_suspended(now) => Some(RecordTag::IssuerSuspendedSince),
            _ => None,
        }
    }

    /// An attachment.
    pub(super) async fn file(&self, engine: &Engine, id: &str, number: u32) -> Answered {
        let commitment = id_of(id)?;
        let record = self.read(|index| index.record(&commitment).cloned())?;
        let record = record.ok_or_else(|| Fault::new("no-record", Action::Nothing))?;
        let manifest = manifest_of(&record)?;
        let entry = manifest.part(number).map_err(|_| Fault::new("no-file", Action::Nothing))?;
        let (name, media_type) = (entry.name.clone(), entry.media_type.clone());
        let bytes = self.part(engine, &record, &manifest, number).await?;
        Ok((PatientResponse::File { name, media_type }, Some(bytes)))
    }
}

fn engine_ledger(engine: &Engine) -> suishen_core::id::LedgerId {
    engine.known_ledger().map_or(suishen_core::id::LedgerId::from_bytes([0; 32]), |ledger| ledger.id)
}

/// What the issuer signed; verified against the anchor when it was kept.
pub fn manifest_of(record: &Record) -> Result<Manifest, Fault> {
    Signed::<Manifest>::from_bytes(&record.added.manifest)
        .and_then(|signed| signed.claimed())
        .map_err(|_| Fault::new("store-damaged", Action::Recover))
}

fn card(
    record: &Record,
    manifest: &Manifest,
    marks: &Marks,
    view: &ReportView,
    looked: Option<u64>,
) -> RecordCard {
    let date = view.date().map(day_of).unwrap_or_default();
    let department = view.department.clone().unwrap_or_default();
    let organisation =
        view.organisation.clone().unwrap_or_else(|| record.added.chain.leaf().subject().organisation.clone());
    let (high, low, finding) = match &view.finding {
        Finding::Counts { high, low, .. } => (*high, *low, String::new()),
        Finding::Sentence(text) => (0, 0, text.clone()),
        Finding::Nothing => (0, 0, String::new()),
    };
    let new = looked.is_none_or(|looked| record.kept > looked);
    RecordCard {
        record: record.added.record.to_hex(),
        visit: format!("{date}|{organisation}|{department}"),
        date,
        department,
        organisation,
        kind: view.kind,
        title: marks.name.clone().unwrap_or_else(|| view.title.clone()),
        high,
        low,
        finding,
        marks: if new { vec![RecordTag::New] } else { Vec::new() },
        tags: marks.tags.iter().cloned().collect(),
        hidden: marks.hidden,
        sensitivity: sensitivity(manifest),
    }
}

/// What can be said of a record whose content can't be read: who issued it, and when.
fn unread_card(record: &Record, manifest: &Manifest, marks: &Marks, mark: RecordTag) -> RecordCard {
    let date = day(manifest.issued_at);
    let organisation = record.added.chain.leaf().subject().organisation.clone();
    RecordCard {
        record: record.added.record.to_hex(),
        visit: format!("{date}|{organisation}|"),
        date,
        department: String::new(),
        title: marks.name.clone().unwrap_or_else(|| organisation.clone()),
        organisation,
        kind: Kind::Other,
        high: 0,
        low: 0,
        finding: String::new(),
        marks: vec![mark],
        tags: marks.tags.iter().cloned().collect(),
        hidden: marks.hidden,
        sensitivity: sensitivity(manifest),
    }
}

fn sensitivity(manifest: &Manifest) -> Sensitivity {
    match manifest.sensitivity {
        report::Sensitivity::Ordinary => Sensitivity::Normal,
        _ => Sensitivity::Sensitive,
    }
}

/// `2026-11-12`, or less where less was known.
fn day_of(moment: &Moment) -> String {
    let part = |part: Option<u8>| part.map(|p| format!("-{p:02}")).unwrap_or_default();
    format!("{:04}{}{}", moment.year, part(moment.month), part(moment.day))
}

fn shown(card: &RecordCard, view: &ReportView, filter: &Filter) -> bool {
    let text = [&card.title, &card.organisation, &card.department, &card.finding, &card.date];
    let names = view.rows.iter().flat_map(|row| std::iter::once(&row.name).chain(&row.short));
    let passages = view.sections.iter().flat_map(|section| [&section.title, &section.text]);
    let hay: String = text
        .into_iter()
        .chain(names)
        .chain(passages)
        .chain(&view.conclusion)
        .chain(&card.tags)
        .map(|s| s.to_lowercase())
        .collect::<Vec<_>>()
        .join(" ");
    let found = filter.search.to_lowercase().split_whitespace().all(|word| hay.contains(word));
    found
        && (filter.hidden || !card.hidden)
        && filter.kind.is_none_or(|kind| kind == card.kind)
        && filter.tag.as_ref().is_none_or(|tag| card.tags.contains(tag))
}
