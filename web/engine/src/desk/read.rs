//! Reading at the doctor's desk: redeem, fetch, open, tell the patient (PROTOCOL §6, §7).

use super::fees::{self, Listed};
use super::line::{Lines, Wanted};
use super::offer::{Held, Redemption, drop_in, judged, ledger_view, purpose_of, view};
use super::person::Person;
use super::settle;
use crate::engine::Engine;
use crate::gates;
use crate::http::CallError;
use crate::ledger::{Ledger, LedgerError};
use crate::patient::grant_of;
use crate::platform::BrowserRandom;
use crate::store::Store;
use crate::worker::tell;
use futures::lock::Mutex;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use suishen_bridge::{
    Action, DeskClaim, DeskFees, Event, Fault, OfferState, ReadRecord, Reading, Step, Topic,
};
use suishen_core::consent::{
    AuditorUse, Disclosure, JudgedRecord, Payload, PayloadRecord, Presence, Receipt, RecordKey, WrappedPart,
};
use suishen_core::contract::{GrantLeaf, RedeemGrant, SignedTransaction, Slot, Terms, Transaction};
use suishen_core::fhir::{ReportView, Series};
use suishen_core::id::{BlobAddress, Commitment, GrantId};
use suishen_core::report::claim::Shown;
use suishen_core::report::{FHIR_MEDIA_TYPE, FeeList, ReportError, open_part};
use suishen_core::sm::{Key32, SecretKey, Signed};

/// What is open on the screen: content lives here and nowhere else, until it is closed or locked.
#[derive(Debug, Default)]
pub struct Open {
    readings: RefCell<BTreeMap<GrantId, Opened>>,
    turns: RefCell<BTreeMap<GrantId, Arc<Mutex<()>>>>,
}

/// Name, media type and content of files, by record and part.
type Files = BTreeMap<(u32, u32), (String, String, Vec<u8>)>;

#[derive(Clone, Debug)]
struct Opened {
    reading: Reading,
    files: Files,
    claim: Option<OpenClaim>,
}

/// The claim of a reading, at an insurer's desk.
#[derive(Clone, Debug)]
pub struct OpenClaim {
    /// Invoice and tag, as they were shown.
    pub shown: Shown,
    /// The record that they are in.
    pub record: Commitment,
    /// What its own lines come to, as far as they are shown.
    pub lines: Option<DeskFees>,
    /// What the fee lists beside it come to.
    pub fees: Option<DeskFees>,
}

/// Redeems one use and opens the records.
pub async fn read(
    engine: &Engine,
    task: u32,
    (open, lines): (&Open, &Lines),
    share: &str,
) -> Result<Reading, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let person = Person::here(store).await?;
    let turn = open.turn(&grant_of(share)?);
    let _turn = turn.lock().await;
    let mut held = Held::load(store, share).await?;
    let (terms, leaf) = ledger_view(ledger, store, held.grant).await?;
    let waiting = || Fault::new("waiting", Action::AskPatient);
    let (payload, judged) = judged(ledger, store, &held, &terms).await?.ok_or_else(waiting)?;
    let half = held.half.clone().ok_or_else(waiting)?;
    let redemption = redeem(ledger, store, &person, &mut held, &terms, &leaf).await?;

    tell(&Event::Progress { task, step: Step::Checking, done: 0, total: 0 });
    let secret = &redemption.secret;
    let grantee = &held.pass.grantee;
    let object = held.grant.digest();
    let gathered =
        gates::release(ledger, object, redemption.number, grantee, secret, terms.grant.shares).await?;
    let groups = payload.records.iter().filter_map(|r| r.groups.as_ref()).map(|g| g.size);
    let total = payload.records.iter().flat_map(|r| &r.parts).map(|p| p.size).chain(groups).sum();
    let files = BTreeMap::new();
    let mut content = Content {
        ledger,
        person: &person,
        held: &held,
        lines,
        task,
        total,
        done: 0,
        files,
        claim: None,
        listed: Vec::new(),
    };
    let mut records = Vec::new();
    for (record, facts) in payload.records.iter().zip(&judged.records) {
        let gate = gathered
            .halves
            .half(record.number)
            .map_err(|e| Fault::new("gate-share", Action::Retry).with_detail(e.to_string()))?;
        let key = RecordKey::new(&half, &gate, &held.grant, record.number);
        records.push(content.open(record, facts, &key).await?);
    }
    let (files, claim) = content.end(&records)?;
    held.patient = records.iter().find_map(|r| r.view.patient.as_ref()?.name.clone());
    held.invoice = claim.as_ref().map(|claim| claim.shown.invoice.number.as_str().to_owned());
    held.save(store).await?;
    receipt(ledger, &held, &redemption, &terms, &payload).await?;
    let (terms, leaf) = ledger_view(ledger, store, held.grant).await?;
    let mut offer = view(ledger, store, &held, &terms, &leaf).await?;
    offer.state = OfferState::Reading;
    offer.purpose = purpose_of(&payload.consent.purpose);
    let views: Vec<ReportView> = records.iter().map(|r| r.view.clone()).collect();
    let (entry, at) = redemption.stands.unwrap_or_default();
    let shown = match &claim {
        Some(claim) => Some(settle::view(ledger, store, &held, claim).await?),
        None => None,
    };
    let series = series(&views);
    let text = payload.consent.text;
    let reading = Reading { offer, records, series, at, entry, consent: text, claim: shown };
    open.readings.borrow_mut().insert(held.grant, Opened { reading: reading.clone(), files, claim });
    // The last step: until it is done, another try goes on with the same redemption.
    if let Some(read) = held.redemptions.iter_mut().find(|r| r.number == redemption.number) {
        read.opened = true;
    }
    held.save(store).await?;
    tell(&Event::Changed(Topic::Desk));
    Ok(reading)
}

/// Fetching and opening what a redemption released.
struct Content<'a> {
    ledger: &'a Ledger,
    person: &'a Person,
    held: &'a Held,
    lines: &'a Lines,
    task: u32,
    /// Bytes in all, and those that are here.
    total: u64,
    done: u64,
    files: Files,
    claim: Option<OpenClaim>,
    /// Fee lists among it.
    listed: Vec<Listed>,
}

fn unsound() -> Fault {
    Fault::new("content", Action::AskPatient)
}

fn unread(error: &impl ToString) -> Fault {
    Fault::new("fhir", Action::AskPatient).with_detail(error.to_string())
}

impl Content<'_> {
    /// Files and claim, with what the fee lists beside it come to. Without a claim an insurer has nothing to do with it.
    fn end(self, records: &[ReadRecord]) -> Result<(Files, Option<OpenClaim>), Fault> {
        let mut claim = self.claim;
        if let Some(claim) = &mut claim {
            claim.fees = fees::beside(&claim.shown, &self.listed, records);
        }
        if Slot::of(self.person.role()).is_some() && claim.is_none() {
            return Err(Fault::new("claim-no-invoice", Action::AskPatient));
        }
        Ok((self.files, claim))
    }

    /// Opens one record: its report whole or the groups that are shown, and its files.
    async fn open(
        &mut self,
        record: &PayloadRecord,
        facts: &JudgedRecord,
        key: &RecordKey,
    ) -> Result<ReadRecord, Fault> {
        let mut whole = None;
        let mut files = Vec::new();
        for wrapped in &record.parts {
            let (part, plain) = self.part(facts, key, wrapped).await?;
            let entry = facts.manifest.part(part).map_err(|_| unsound())?;
            if entry.media_type == FHIR_MEDIA_TYPE {
                whole = Some(ReportView::from_json(&plain).map_err(|e| unread(&e))?);
            } else {
                files.push((part, entry.name.clone(), entry.media_type.clone(), entry.size));
                let file = (entry.name.clone(), entry.media_type.clone(), plain);
                self.files.insert((record.number, part), file);
            }
        }
        let (view, groups) = if let Some(view) = whole {
            (view, 0)
        } else {
            let disclosed = match &record.groups {
                Some(wrapped) => {
                    let blob = self.blob(wrapped.address, wrapped.size).await?;
                    key.open_groups(wrapped, &blob).map_err(|_| unsound())?
                }
                None => Disclosure::default(),
            };
            let slot = Slot::of(self.person.role());
            let refused = |e: ReportError| if slot.is_some() { settle::unclaimable(&e) } else { unsound() };
            let shown = facts.manifest.open_groups(&disclosed.groups).map_err(refused)?;
            // Beside the invoice a claim has papers that explain it, without a tag.
            if let Some(slot) = slot.filter(|_| disclosed.proof.is_some() || !shown.tags.is_empty()) {
                let under = (&self.held.grant, &self.ledger.id);
                let claim = Shown::read(&shown, disclosed.proof.as_ref(), slot, under).map_err(refused)?;
                let lines = FeeList::lines_of(&shown.json).map_err(refused)?;
                let lines = lines.map(|lines| fees::sum(&lines, &claim.invoice.total));
                let claim = OpenClaim { shown: claim, record: facts.commitment, lines, fees: None };
                if self.claim.replace(claim).is_some() {
                    // One grant settles one invoice.
                    return Err(Fault::new("claim-several", Action::AskPatient));
                }
            }
            if let Some(list) = FeeList::in_report(&shown.json).map_err(refused)? {
                let issuer = facts.manifest.issuer.clone();
                self.listed.push(Listed { number: record.number, issuer, list });
            }
            (shown.view().map_err(|e| unread(&e))?, shown.withheld)
        };
        // A report shown in groups counts by its groups and not as a file.
        let shown = record.parts.len() + usize::from(record.groups.is_some());
        let parts = facts.manifest.parts.len().saturating_sub(shown);
        Ok(ReadRecord {
            number: record.number,
            view,
            withheld: u32::try_from(groups + parts).unwrap_or(u32::MAX),
            files,
            issuer: record.chain.leaf().subject().organisation.clone(),
            sound: true,
            corrected: facts.anchor.replaced_by.is_some(),
        })
    }

    /// One part's number and content, fetched and verified.
    async fn part(
        &mut self,
        facts: &JudgedRecord,
        key: &RecordKey,
        wrapped: &WrappedPart,
    ) -> Result<(u32, Vec<u8>), Fault> {
        let copy = key.open(wrapped).map_err(|_| unsound())?;
        let blob = self.blob(copy.address, wrapped.size).await?;
        Ok((copy.part, open_part(&facts.manifest, &copy, &blob).map_err(|_| unsound())?))
    }

    /// Ciphertext, from the phone in the room or from the relays.
    async fn blob(&mut self, address: BlobAddress, size: u64) -> Result<Vec<u8>, Fault> {
        let (task, done, total) = (self.task, self.done, self.total);
        tell(&Event::Progress { task, step: Step::Fetching, done, total });
        let blob = if self.held.line.is_some() {
            let (ledger, person, held) = (self.ledger, self.person, self.held);
            let wanted = Wanted { ledger, person, held, address, size };
            let progress =
                |now| tell(&Event::Progress { task, step: Step::Fetching, done: done + now, total });
            self.lines.fetch(&wanted, progress).await?
        } else {
            let grantee = &self.held.pass.grantee;
            self.ledger.get_blob(&address, grantee).await.map_err(|error| match error {
                LedgerError::Unsound(_) => Fault::new("content", Action::Retry),
                other => other.into(),
            })?
        };
        self.done += size;
        Ok(blob)
    }
}

/// Makes the next redemption, or goes on with one whose content was never opened.
async fn redeem(
    ledger: &Ledger,
    store: &Store,
    person: &Person,
    held: &mut Held,
    terms: &Terms,
    leaf: &GrantLeaf,
) -> Result<Redemption, Fault> {
    let now = ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let index = match held.unfinished(now) {
        Some(index) if held.redemptions[index].stands.is_some() => return Ok(held.redemptions[index].clone()),
        Some(index) => index,
        None => {
            held.renew(ledger, person).await?;
            let number = u32::try_from(leaf.uses + 1).map_err(|_| Fault::new("request", Action::Nothing))?;
            let redemption = new_redemption(ledger, store, person, held, terms, number).await?;
            held.redemptions.push(redemption);
            held.save(store).await?;
            held.redemptions.len() - 1
        }
    };
    match ledger.submit(&held.redemptions[index].transaction).await {
        Ok(receipt) => {
            held.redemptions[index].stands = Some((receipt.number, receipt.now));
            held.save(store).await?;
            Ok(held.redemptions[index].clone())
        }
        Err(error) => {
            // Refused for good: it will never stand, so the next try is a new one.
            if matches!(&error, LedgerError::Call(CallError::Refused { .. })) {
                held.redemptions.remove(index);
                held.save(store).await?;
            }
            Err(error.into())
        }
    }
}

async fn new_redemption(
    ledger: &Ledger,
    store: &Store,
    person: &Person,
    held: &Held,
    terms: &Terms,
    number: u32,
) -> Result<Redemption, Fault> {
    let records: Vec<u32> = (0..).take(usize::try_from(terms.grant.records).unwrap_or(0)).collect();
    let presence = Presence { grant: held.grant, grantee: held.pass.grantee.public() };
    let told = AuditorUse {
        grant: held.grant,
        number,
        certificate: person.chain.leaf().to_der().to_vec(),
        presence: Signed::new(&presence, person.key(), &ledger.id),
        records: records.clone(),
    };
    let auditor = ledger.auditor_key(store).await?;
    let seed = Key32::generate(&mut BrowserRandom);
    let auditor_box = told
        .seal(&seed, &auditor, &ledger.id)
        .map_err(|_| Fault::new("certificate-too-long", Action::Nothing))?;
    let secret = SecretKey::generate(&mut BrowserRandom);
    let body = RedeemGrant {
        grant: held.grant,
        credential: held.pass.credential.clone(),
        use_number: number.into(),
        records: records.into_iter().map(u64::from).collect(),
        epk: secret.public(),
        auditor_box,
    };
    let transaction = SignedTransaction::new(&Transaction::RedeemGrant(body), &held.pass.grantee, &ledger.id);
    Ok(Redemption { number, secret, transaction, stands: None, opened: false })
}

/// Tells the patient what was opened. Its absence shows as "key released, no receipt".
async fn receipt(
    ledger: &Ledger,
    held: &Held,
    redemption: &Redemption,
    terms: &Terms,
    payload: &Payload,
) -> Result<(), Fault> {
    let receipt = Receipt {
        grant: held.grant,
        number: redemption.number,
        records: payload.records.iter().map(|r| r.number).collect(),
        checkpoint: ledger.note(),
    };
    let message = receipt.seal(&held.pass.grantee, &terms.grant.reply, &ledger.id, &mut BrowserRandom);
    Ok(drop_in(ledger, held.grant, &message, &held.pass.grantee).await?)
}

impl Open {
    /// What a desk stores of a grant is read, changed and written by one at a time.
    pub fn turn(&self, grant: &GrantId) -> Arc<Mutex<()>> {
        self.turns.borrow_mut().entry(*grant).or_default().clone()
    }

    /// A reading that is still open.
    pub fn reading(&self, share: &str) -> Result<Reading, Fault> {
        self.find(share).map(|opened| opened.reading)
    }

    /// A file of it.
    pub fn file(&self, share: &str, record: u32, part: u32) -> Result<(String, String, Vec<u8>), Fault> {
        let missing = || Fault::new("no-file", Action::Nothing);
        self.find(share)?.files.remove(&(record, part)).ok_or_else(missing)
    }

    /// The claim of a reading that is open.
    pub fn claim(&self, share: &str) -> Result<OpenClaim, Fault> {
        self.find(share)?.claim.ok_or_else(|| Fault::new("claim-no-invoice", Action::AskPatient))
    }

    /// The reading with its claim as it stands now.
    pub fn set_claim(&self, grant: &GrantId, claim: DeskClaim) -> Result<Reading, Fault> {
        let mut readings = self.readings.borrow_mut();
        let opened = readings.get_mut(grant).ok_or_else(|| Fault::new("closed", Action::Nothing))?;
        opened.reading.claim = Some(claim);
        Ok(opened.reading.clone())
    }

    /// Whether a grant's content is open.
    pub fn holds(&self, grant: &GrantId) -> bool {
        self.readings.borrow().contains_key(grant)
    }

    fn find(&self, share: &str) -> Result<Opened, Fault> {
        let grant = grant_of(share)?;
        let found = self.readings.borrow().get(&grant).cloned();
        found.ok_or_else(|| Fault::new("closed", Action::Nothing))
    }

    /// Lets the content of one reading go.
    pub fn close(&self, share: &str) {
        if let Some(grant) = GrantId::from_hex(share) {
            self.readings.borrow_mut().remove(&grant);
        }
    }

    /// Lets everything go.
    pub fn close_all(&self) {
        self.readings.borrow_mut().clear();
    }
}

/// Values with a history over several reports.
pub fn series(views: &[ReportView]) -> Vec<Series> {
    let rows = views.iter().enumerate().flat_map(|(i, v)| (0..v.rows.len()).map(move |row| (i, row)));
    let mut found: Vec<Series> = Vec::new();
    for (report, row) in rows {
        if let Some(series) = Series::of(views, report, row)
            && series.points.len() > 1
            && !found.iter().any(|s| s.name == series.name && s.unit == series.unit)
        {
            found.push(series);
        }
    }
    found
}
