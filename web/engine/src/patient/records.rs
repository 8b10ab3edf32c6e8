//! Records for the screen: the list, one record, its files. Everything shown was decrypted and verified here.

use super::card::{Card, Entry, found, paged};
use super::cards::{Known, Provided, State, entries, read_on};
use super::{Answered, Session, fault};
use crate::desk::series;
use crate::engine::Engine;
use crate::store::Table;
use crate::worker::tell;
use std::collections::BTreeSet;
use std::rc::Rc;
use suishen_bridge::{
    Action, Event, Fault, Filter, PatientResponse, ProofLine, RecordCard, RecordDetail, RecordList,
    RecordTag, Sensitivity, Topic,
};
use suishen_core::contract::Anchor;
use suishen_core::fhir::ReportView;
use suishen_core::id::{BlobAddress, Commitment};
use suishen_core::order;
use suishen_core::report::{self, FHIR_MEDIA_TYPE, GroupOpening, Manifest, PartCopy, ReportError, open_part};
use suishen_core::sm::Signed;
use suishen_core::vault::{Body, Record, RecordIndex};

/// Reports that a trend is drawn from, beside the one that is read: the newest.
const MOST_OF_TREND: usize = 100;

/// A record's id as the page gives it.
pub fn id_of(text: &str) -> Result<Commitment, Fault> {
    Commitment::from_hex(text).ok_or_else(|| Fault::new("request", Action::Nothing))
}

/// Content that another copy of the wallet has.
const COMING: &str = "coming";

impl Session {
    /// The list, newest first.
    pub(super) async fn records(&self, engine: &Rc<Engine>, filter: &Filter) -> Result<RecordList, Fault> {
        let Provided { more, .. } = self.provide_cards(engine).await?;
        // With other copies about, what isn't here comes from one of them.
        let away = if self.has_copies(engine).await? { RecordTag::Coming } else { RecordTag::Damaged };
        let (list, shown) =
            self.read(|index| self.cards.look(|known| self.list(index, known, filter, away)))?;
        if self.cards.is_shown(shown.into_iter()) || more {
            read_on(engine);
        }
        Ok(list)
    }

    fn list(
        &self,
        index: &RecordIndex,
        known: &Known,
        filter: &Filter,
        away: RecordTag,
    ) -> (RecordList, Vec<Commitment>) {
        let all = found(entries(index, known), filter);
        let (here, more) = paged(all.len(), filter.most);
        // The reports in whose place this wallet holds a newer version.
        let replaced: BTreeSet<&String> =
            order::set(known.values().filter_map(|(card, _)| card.replaces.as_ref()));
        let (looked, anchored) = (index.last_looked(), self.anchored.borrow());
        let row = |entry: &Entry<'_>| {
            let mut tags = match known.get(&entry.record) {
                Some((_, State::Damaged)) => vec![RecordTag::Damaged],
                Some((card, State::Unread)) if card.content.is_some() => vec![away],
                _ if looked.is_none_or(|looked| entry.kept > looked) => vec![RecordTag::New],
                _ => Vec::new(),
            };
            if !tags.iter().any(|tag| matches!(tag, RecordTag::Damaged | RecordTag::Coming)) {
                tags.extend(anchored.get(&entry.record).into_iter().flatten());
            }
            let corrected = replaced.contains(&entry.record.to_hex());
            if corrected && !tags.contains(&RecordTag::Corrected) && !tags.contains(&RecordTag::Damaged) {
                tags.push(RecordTag::Corrected);
            }
            tags.extend(self.voided(index, &entry.record));
            entry.card.row(&entry.record, &entry.marks, tags)
        };
        let tags = order::set(all.iter().flat_map(|entry| &entry.marks.tags));
        let list = RecordList {
            cards: all[..here].iter().map(row).collect(),
            more,
            tags: tags.into_iter().cloned().collect(),
        };
        (list, all[..here].iter().map(|entry| entry.record).collect())
    }

    /// Whom the newest of the visible reports is about.
    pub(super) async fn newest_name(&self, engine: &Engine) -> Result<Option<String>, Fault> {
        self.provide_cards_aside(engine).await?;
        self.read(|index| {
            self.cards.look(|known| {
                let visible = entries(index, known).filter(|entry| !entry.marks.hidden);
                let named = visible.filter(|entry| entry.card.patient.is_some());
                named
                    .max_by(|a, b| a.card.date.cmp(&b.card.date))
                    .and_then(|entry| entry.card.patient.clone())
            })
        })
    }

    /// Titles of records as the list has them, and whether they may be in a bulk choice; nothing for those that aren't here.
    pub(super) async fn titled(
        &self,
        engine: &Engine,
        ids: &[Commitment],
    ) -> Result<Vec<Option<(String, Sensitivity)>>, Fault> {
        self.provide_cards_aside(engine).await?;
        self.read(|index| {
            self.cards.look(|known| {
                let titled = |id: &Commitment| {
                    let (card, _) = known.get(id).filter(|_| index.record(id).is_some())?;
                    Some((card.title(&index.marks(id)).to_owned(), card.sensitivity))
                };
                ids.iter().map(titled).collect()
            })
        })
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
        let number = manifest.fhir_part().ok_or_else(no_content)?;
        let view = read_view(&self.part(engine, record, manifest, number).await?)?;
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
        let copy = copy_of(record, number)?;
        let blob = self.beside(engine, &copy.address).await?;
        open_part(manifest, copy, &blob).map_err(damaged)
    }

    /// A record's disclosure groups.
    pub(super) async fn groups(&self, engine: &Engine, record: &Record) -> Result<Vec<GroupOpening>, Fault> {
        let Some(copy) = &record.added.groups else { return Ok(record.added.tags.clone()) };
        copy.open(&self.beside(engine, &copy.address).await?).map_err(fault)
    }

    /// What lies beside a record.
    async fn beside(&self, engine: &Engine, address: &BlobAddress) -> Result<Vec<u8>, Fault> {
        match engine.store().await?.get(Table::Blobs, &address.to_hex()).await? {
            Some(blob) => Ok(blob),
            // With other copies about it comes from one of them.
            None if self.has_copies(engine).await? => Err(Fault::new(COMING, Action::Retry)),
            None => Err(missing()),
        }
    }

    /// Other reports about the same person with some of the same values, the newest of them: what a trend is drawn from.
    async fn alike(
        &self,
        engine: &Engine,
        record: &Record,
        view: &ReportView,
    ) -> Result<Vec<ReportView>, Fault> {
        self.provide_cards_aside(engine).await?;
        let values = order::set(view.rows.iter().map(|row| &row.name));
        let name = view.patient.as_ref().and_then(|patient| patient.name.as_ref());
        let mut alike: Vec<(String, Record)> = self.read(|index| {
            self.cards.look(|known| {
                let others = index.records().filter(|other| other.added.record != record.added.record);
                let carded = others.filter_map(|other| Some((&known.get(&other.added.record)?.0, other)));
                let same = carded.filter(|(card, _)| {
                    card.patient.as_ref() == name && card.values.iter().any(|value| values.contains(value))
                });
                same.map(|(card, other)| (card.date.clone(), other.clone())).collect()
            })
        })?;
        order::sort_by(&mut alike, |(a, _), (b, _)| b.cmp(a));
        let mut views = Vec::new();
        for (_, other) in alike.into_iter().take(MOST_OF_TREND) {
            // One that doesn't open is missing from the trend, and says itself why.
            let Ok(other) = self.view(engine, &other, &manifest_of(&other)?).await else { continue };
            let same = matches!((&other.patient, &view.patient), (Some(a), Some(b)) if a.is_same_person(b));
            views.extend(Some(other).filter(|other| same && other != view));
        }
        Ok(views)
    }

    /// One record with history, files and proof.
    pub(super) async fn record(&self, engine: &Engine, id: &str) -> Result<RecordDetail, Fault> {
        let commitment = id_of(id)?;
        let no_record = || Fault::new("no-record", Action::Nothing);
        let (record, marks, looked) = self
            .read(|index| {
                let record = index.record(&commitment).cloned();
                record.map(|r| (r, index.marks(&commitment), index.last_looked()))
            })?
            .ok_or_else(no_record)?;
        let manifest = manifest_of(&record)?;
        let view = match self.view(engine, &record, &manifest).await {
            Ok(view) => view,
            Err(fault) => {
                if fault.action == Action::Recover && self.cards.is_damaged(&commitment) {
                    tell(&Event::Changed(Topic::Records));
                }
                return Err(fault);
            }
        };
        let new = looked.is_none_or(|looked| record.kept > looked);
        let mut tags = if new { vec![RecordTag::New] } else { Vec::new() };
        tags.extend(self.read(|index| self.voided(index, &commitment))?);
        let mut card = Card::of(&record, &manifest, &view).row(&commitment, &marks, tags);
        let proof = self.proof(engine, &record, &manifest, &mut card).await;
        let mut all = vec![view.clone()];
        all.extend(self.alike(engine, &record, &view).await?);
        let mine: Vec<_> =
            series(&all).into_iter().filter(|s| view.rows.iter().any(|r| r.name == s.name)).collect();
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

fn copy_of(record: &Record, number: u32) -> Result<&PartCopy, Fault> {
    record.added.parts.iter().find(|copy| copy.part == number).ok_or_else(missing)
}

/// Opens and verifies what is read of a record.
pub(super) fn view_of(record: &Record, manifest: &Manifest, blob: &[u8]) -> Result<ReportView, Fault> {
    let copy = copy_of(record, manifest.fhir_part().ok_or_else(no_content)?)?;
    read_view(&open_part(manifest, copy, blob).map_err(damaged)?)
}

fn read_view(bytes: &[u8]) -> Result<ReportView, Fault> {
    ReportView::from_json(bytes).map_err(|e| Fault::new("fhir", Action::AskDesk).with_detail(e.to_string()))
}

fn no_content() -> Fault {
    Fault::new("content", Action::AskDesk)
}

fn missing() -> Fault {
    Fault::new("no-file", Action::Recover)
}

fn damaged(_: ReportError) -> Fault {
    Fault::new("store-damaged", Action::Recover)
}
