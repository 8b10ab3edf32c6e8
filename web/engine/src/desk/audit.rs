//! The auditor's desk: replays the ledger from entry 0 in this worker and opens the boxes that the keys at hand open. The
//! keys stay in this worker's memory, and the look is an entry before a box is opened.

mod period;
mod report;

use crate::engine::Engine;
use crate::http::Call;
use crate::ledger::Ledger;
use crate::platform::BrowserRandom;
use crate::worker::tell;
use core::cmp::Reverse;
use core::ops::Range;
use report::{Done, Lines, Logged};
use std::cell::RefCell;
use suishen_bridge::{
    Action, AuditClaims, AuditFinding, AuditInstitution, AuditKeys, AuditMonth, AuditPeriod, AuditReader,
    AuditRequest, AuditResponse, AuditView, Event, Fault, Payer, Step,
};
use suishen_core::audit::report::Facts;
use suishen_core::audit::{
    At, Audit, BoxKeys, Boxed, Counted, Finding, Institution, Period, Professional, Reader, Signer, Tables,
    Thresholds, Wrong,
    clock::{self, Month},
};
use suishen_core::cbor;
use suishen_core::consent::AuditorLook;
use suishen_core::contract::{
    AuditorKeys, Checked, Context, Entry, Key, Memory, SignedTransaction, Slot, Transaction, Views as _,
    apply_checked,
};
use suishen_core::id::PartyId;
use suishen_core::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use suishen_core::proof::log::ProvenEntry;
use suishen_core::proof::map::{Leaf, root_of};
use suishen_core::proof::tree::{Edge, Sm3, TreeHash as _};
use suishen_core::report::Sensitivity;
use suishen_core::sm::{PublicKey, SecretKey, edge};

/// Entries that are asked for, and verified, at a time: between two of them the worker answers others.
const AT_A_TIME: u64 = 32;
/// Findings and people that are listed on the screen; the report lists more, and `suishen audit` all.
const MOST: usize = 200;
/// Months whose people are listed, the newest.
const MOST_MONTHS: usize = 24;
/// Keys that are held at a time.
const MOST_KEYS: usize = 64;
/// Largest key file.
const MOST_BYTES: usize = 8 * 1024;
/// How often the relay is asked for a checkpoint with the look in it.
const TRIES: u32 = 20;

/// The auditor's keys, and what the last audit gave, while the page is there.
#[derive(Default)]
pub struct Keys(RefCell<Vec<SecretKey>>, RefCell<Option<Done>>);

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Keys({} [redacted])", self.0.borrow().len())
    }
}

impl Keys {
    /// Answers one request.
    pub async fn answer(
        &self,
        engine: &Engine,
        task: u32,
        request: AuditRequest,
        bytes: Option<Vec<u8>>,
    ) -> Result<(AuditResponse, Option<Vec<u8>>), Fault> {
        let none = || Fault::new("audit-none", Action::Retry);
        let response = match request {
            AuditRequest::Key => {
                self.take(&bytes.ok_or_else(|| Fault::new("request", Action::Nothing))?)?;
                self.at_hand(engine).await?
            }
            AuditRequest::Forget => {
                self.forget();
                AuditResponse::Keys(AuditKeys::default())
            }
            AuditRequest::Keys => self.at_hand(engine).await?,
            AuditRequest::Run { why, period } => {
                // Copied first: another request may come while this one waits.
                let keys = self.0.borrow().clone();
                self.1.take();
                let done = run(engine, task, keys, (why, period)).await?;
                let view = shown_all(&done);
                self.1.replace(Some(done));
                AuditResponse::Audit(Box::new(view))
            }
            AuditRequest::Reads { skip } => {
                AuditResponse::Reads(self.1.borrow().as_ref().ok_or_else(none)?.reads(skip))
            }
            AuditRequest::Report { form, english } => {
                let (name, file) =
                    self.1.borrow().as_ref().ok_or_else(none)?.report(form, english, &self.0.borrow())?;
                return Ok((AuditResponse::Report { name }, Some(file)));
            }
        };
        Ok((response, None))
    }

    /// Forgets them, and what they opened.
    pub fn forget(&self) {
        self.0.borrow_mut().clear();
        self.1.take();
    }

    fn take(&self, file: &[u8]) -> Result<(), Fault> {
        let not_one = || Fault::new("audit-key", Action::Retry);
        let text = core::str::from_utf8(file).ok().filter(|text| text.len() <= MOST_BYTES);
        let key = edge::secret_key_from_pem(text.ok_or_else(not_one)?).map_err(|_| not_one())?;
        let mut held = self.0.borrow_mut();
        let known = held.iter().any(|other| other.public() == key.public());
        if !known && held.len() < MOST_KEYS {
            held.push(key);
        }
        Ok(())
    }

    async fn at_hand(&self, engine: &Engine) -> Result<AuditResponse, Fault> {
        if self.0.borrow().is_empty() {
            return Ok(AuditResponse::Keys(AuditKeys::default()));
        }
        let ledger = engine.fresh_ledger().await?;
        let auditor = ledger.auditor(engine.store().await?).await?;
        let held: Vec<PublicKey> = self.0.borrow().iter().map(SecretKey::public).collect();
        let signs = held.contains(&auditor.audit);
        let quarter = |key: &&PublicKey| auditor.boxes.iter().any(|quarter| quarter.key == **key);
        let quarters = held.iter().filter(quarter).count() as u64;
        let others = held.len() as u64 - quarters - u64::from(signs);
        let due =
            auditor.boxes.last().map(|newest| newest.since.saturating_add(Thresholds::default().quarter));
        let due = due.map(|due| (due, ledger.now().is_some_and(|now| due < now)));
        Ok(AuditResponse::Keys(AuditKeys { quarters, signs, others, due }))
    }
}

async fn run(
    engine: &Engine,
    task: u32,
    keys: Vec<SecretKey>,
    (why, chosen): (String, AuditPeriod),
) -> Result<Done, Fault> {
    let ledger = engine.fresh_ledger().await?;
    let why = why.trim().to_owned();
    let period = period::find(ledger, &chosen).await?;
    let range = period.as_ref().map(Period::range);
    let look = match &range {
        _ if keys.is_empty() => None,
        Some(range) => Some(log(engine, ledger, &keys, (why, range.clone())).await?),
        None => {
            let size = ledger.seen().map_or(0, |(size, _)| size);
            Some(log(engine, ledger, &keys, (why, 0..size)).await?)
        }
    };
    let (_, checked) = ledger.seen().ok_or_else(|| Fault::new("offline", Action::Retry))?;
    let note = SignedCheckpoint::parse(&ledger.note());
    let checkpoint = note.map_err(|_| Fault::new("offline", Action::Retry))?.checkpoint;
    let keys: BoxKeys = keys.into_iter().collect();
    let mut replay = Replay::new(ledger, keys, look, period)?;
    while replay.edge.size() < checkpoint.size {
        let done = replay.edge.size();
        tell(&Event::Progress { task, step: Step::Checking, done, total: checkpoint.size });
        let to = checkpoint.size.min(done + AT_A_TIME);
        for bytes in entries(ledger, done..to).await? {
            replay.take(&bytes)?;
        }
    }
    replay.end(&checkpoint, checked)
}

/// Some entries' bytes, at least one and no more than are asked for.
async fn entries(ledger: &Ledger, range: Range<u64>) -> Result<Vec<minicbor::bytes::ByteVec>, Fault> {
    let Range { start: from, end: to } = range;
    let answer = ledger.call(&Call::get(format!("/v1/ledger/entries?from={from}&to={to}"))).await?;
    let mut entries: Vec<minicbor::bytes::ByteVec> = cbor::decode(&answer).map_err(|_| wrong_entry(from))?;
    entries.truncate(usize::try_from(to - from).unwrap_or(0));
    if entries.is_empty() { Err(wrong_entry(from)) } else { Ok(entries) }
}

/// Writes the look on the ledger, and sees it there before a box is opened: that the relay says so is its word.
async fn log(
    engine: &Engine,
    ledger: &Ledger,
    keys: &[SecretKey],
    (why, range): (String, Range<u64>),
) -> Result<Logged, Fault> {
    let store = engine.store().await?;
    let auditor: AuditorKeys = ledger.auditor(store).await?;
    let own = keys.iter().find(|key| key.public() == auditor.audit);
    let own = own.ok_or_else(|| Fault::new("audit-no-signing", Action::Retry))?;
    let look = AuditorLook { why: why.clone(), from: range.start, to: range.end };
    let box_key = auditor.box_key().map_err(|_| Fault::new("ledger-unsound", Action::Retry))?;
    let body = look
        .log(&own.public(), &box_key, &ledger.id, &mut BrowserRandom)
        .map_err(|_| Fault::new("audit-why", Action::Retry))?;
    let signed = SignedTransaction::new(&Transaction::LogAudit(body), own, &ledger.id);
    let entry = ledger.submit(&signed).await?.number;
    for _ in 0..TRIES {
        ledger.refresh(store).await?;
        if ledger.seen().is_some_and(|(size, _)| size > entry) {
            return match stands(ledger, entry).await? {
                Some(found) if found.signed == signed => Ok(Logged { entry, range, why }),
                _ => Err(wrong_entry(entry)),
            };
        }
    }
    Err(Fault::new("offline", Action::Retry))
}

/// An entry, proven under the newest checkpoint that this device verified.
async fn stands(ledger: &Ledger, number: u64) -> Result<Option<Entry>, Fault> {
    let note = SignedCheckpoint::parse(&ledger.note());
    let checkpoint = note.map_err(|_| Fault::new("offline", Action::Retry))?.checkpoint;
    let path = format!("/v1/ledger/proof/inclusion?entry={number}&size={}", checkpoint.size);
    let answer = ledger.call(&Call::get(path)).await?;
    let inclusion = cbor::decode(&answer).map_err(|_| wrong_entry(number))?;
    let found = entries(ledger, number..number + 1).await?.into_iter().next();
    let proven = found.map(|bytes| ProvenEntry { number, bytes: bytes.into(), inclusion });
    Ok(proven.and_then(|entry| entry.verify(&checkpoint).ok()))
}

fn wrong_entry(number: u64) -> Fault {
    Fault::new("audit-entry", Action::Nothing).with_detail(number.to_string())
}

/// The ledger as far as it was replayed.
struct Replay<'a> {
    ledger: &'a Ledger,
    state: Memory,
    edge: Edge,
    audit: Audit,
    keys: BoxKeys,
    look: Option<Logged>,
    period: Option<Period>,
    last: At,
    lines: Lines,
}

impl<'a> Replay<'a> {
    /// Begins. No more boxes are opened than the look says, and the look itself.
    fn new(
        ledger: &'a Ledger,
        keys: BoxKeys,
        look: Option<Logged>,
        period: Option<Period>,
    ) -> Result<Self, Fault> {
        let genesis = &ledger.genesis;
        let logged = look.as_ref().map(|look| look.range.clone());
        let range = logged.or_else(|| period.as_ref().map(Period::range)).unwrap_or(0..u64::MAX);
        let audit = Audit::new(genesis, Thresholds::default()).map_err(|_| wrong_entry(0))?;
        Ok(Self {
            ledger,
            state: Memory::new(genesis),
            edge: Edge::new(),
            audit: audit.within(range, look.as_ref().map(|look| look.entry)),
            keys,
            look,
            period,
            last: At { entry: 0, time: genesis.time },
            lines: Lines::default(),
        })
    }

    /// Takes the next entry: verified, applied, its boxes opened.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let number = self.edge.size();
        if number == 0 {
            if bytes != cbor::encode(&self.ledger.genesis) {
                return Err(wrong_entry(0));
            }
        } else {
            self.apply(number, bytes).ok_or_else(|| wrong_entry(number))?;
        }
        if let Some(period) = &self.period {
            period.check(self.last).map_err(|why| period::fault(&why))?;
        }
        self.edge.append::<Sm3>(Sm3::leaf(bytes), |_| {});
        Ok(())
    }

    fn apply(&mut self, number: u64, bytes: &[u8]) -> Option<()> {
        let entry = Entry::from_bytes(bytes).ok()?;
        let at = At { entry: number, time: entry.now };
        let context = Context { number, now: entry.now, sponsor: entry.sponsor };
        let checked = Checked::read(entry.signed, &self.ledger.id).ok()?;
        self.state.commit(apply_checked(&self.state, &context, &checked).ok()?);
        self.last = at;
        let boxes = self.audit.boxes(at, checked.transaction(), &self.state).ok()?;
        if let Some(boxes) = boxes {
            let taken = self.audit.take(boxes.open(&self.keys));
            self.lines.take(taken);
        }
        Some(())
    }

    /// Holds both roots against the checkpoint's, and says what was found.
    fn end(mut self, checkpoint: &Checkpoint, cosigned: u64) -> Result<Done, Fault> {
        let mapped = self.state.iter().filter(|(key, _)| Key::is_mapped(key));
        let map = root_of(mapped.map(|(key, value)| Leaf::of(key, value)));
        let roots = (self.edge.root::<Sm3>(), map);
        if roots != (checkpoint.tree, checkpoint.map) {
            return Err(Fault::new("audit-root", Action::Nothing));
        }
        let thresholds = *self.audit.thresholds();
        let (tables, last) = self.audit.end(self.last);
        self.lines.note(last);
        Ok(Done {
            facts: Facts {
                ledger: self.ledger.id,
                size: checkpoint.size,
                founded: self.ledger.genesis.time,
                last: self.last.time,
                cosigned,
            },
            look: self.look,
            days: self.period.as_ref().map(Period::days),
            roots,
            auditor: self.state.auditor().map_err(|_| Fault::new("ledger-unsound", Action::Retry))?.audit,
            tables,
            thresholds,
            keys: self.keys,
            lines: self.lines,
        })
    }
}

/// What a page shows of it.
fn shown_all(done: &Done) -> AuditView {
    let Done { tables, lines, .. } = done;
    let held = |key: &PublicKey| done.keys.public().any(|held| held == key);
    let quarters = tables.quarters.iter().filter(|quarter| held(&quarter.key)).count() as u64;
    let listed = lines.findings.get(..MOST).unwrap_or(&lines.findings);
    AuditView {
        size: done.facts.size,
        checked: done.facts.cosigned,
        look: done.look.as_ref().map(|look| look.entry),
        days: done.days.map(|days| (clock::written(days.first()), clock::written(days.last()))),
        cut: lines.cut,
        quarters: (quarters, tables.quarters.len() as u64),
        no_key: tables.no_key,
        looks: tables.looks,
        reads: tables.reads,
        findings: listed.iter().map(|finding| shown(finding, tables)).collect(),
        more: lines.count - listed.len() as u64,
        institutions: institutions(tables),
        readers: readers(tables),
        months: months(tables),
        hours: hours(tables),
        purposes: tables.purposes.iter().map(|(code, reads)| (code.clone(), *reads)).collect(),
        claims: claims(tables),
    }
}

/// A finding in what a page needs to make its sentence.
fn shown(finding: &Finding, tables: &Tables) -> AuditFinding {
    let Finding { at, what, signer } = finding;
    let Signer { party, person, proven, .. } = signer;
    let mut shown = AuditFinding {
        entry: at.entry,
        time: at.time,
        name: what.name().to_owned(),
        boxed: String::new(),
        other: 0,
        counts: (0, None),
        who: String::new(),
        organisation: party.as_ref().map(|party| tables.named(party).to_owned()).unwrap_or_default(),
        person: person.as_ref().map(Professional::described).unwrap_or_default(),
        proven: *proven,
        unusual: what.is_unusual(),
    };
    match what {
        Wrong::Box(boxed, _) => {
            let name = match boxed {
                Boxed::Grant => "grant",
                Boxed::Use => "use",
                Boxed::Settlement => "settlement",
                Boxed::Reversal => "reversal",
                Boxed::Look => "look",
            };
            name.clone_into(&mut shown.boxed);
        }
        Wrong::TwoTags { issuer, first: (entry, _), .. } => {
            shown.other = *entry;
            tables.named(issuer).clone_into(&mut shown.who);
        }
        Wrong::Settled(_, entry) => shown.other = *entry,
        Wrong::PaidVoid { void } => shown.other = *void,
        Wrong::ManyReads { reads, peers } => shown.counts = (*reads, *peers),
        Wrong::NightReads { reads } => shown.counts = (*reads, None),
        Wrong::KeyOverdue { since } => shown.other = *since,
        Wrong::Records | Wrong::Anchor => {}
    }
    shown
}

fn institutions(tables: &Tables) -> Vec<AuditInstitution> {
    let read = tables.institutions.iter().filter(|(_, institution)| institution.reads > 0);
    let mut found: Vec<AuditInstitution> = read.map(|(party, it)| institution(party, it, tables)).collect();
    found.sort_by_key(|institution| Reverse(institution.reads));
    found
}

fn institution(party: &PartyId, it: &Institution, tables: &Tables) -> AuditInstitution {
    let sensitive = it.classes.iter().filter(|(class, _)| **class != Sensitivity::Ordinary);
    let months = tables.months.iter().filter(|((_, of), _)| of == party);
    AuditInstitution {
        name: tables.named(party).to_owned(),
        reads: it.reads,
        records: it.records,
        sensitive: sensitive.map(|(_, reads)| reads).sum(),
        nameless: it.nameless,
        months: months.map(|((month, _), reads)| (month.to_string(), *reads)).collect(),
    }
}

fn readers(tables: &Tables) -> Vec<AuditReader> {
    let reader = |((party, _), it): (&(PartyId, PublicKey), &Reader)| AuditReader {
        name: it.who.described(),
        organisation: tables.named(party).to_owned(),
        reads: it.reads,
        records: it.records,
        night: it.night,
        last: it.last.time,
    };
    busiest(tables.readers.iter().map(reader).collect())
}

fn busiest(mut found: Vec<AuditReader>) -> Vec<AuditReader> {
    found.sort_by_key(|reader| Reverse(reader.reads));
    found.truncate(MOST);
    found
}

/// Who read in a month, and how much.
type Line<'a> = (&'a (Month, PartyId, Option<PublicKey>), &'a Counted);

/// Who read in each of the newest months.
fn months(tables: &Tables) -> Vec<AuditMonth> {
    let reader = |party: &PartyId, key: Option<&PublicKey>, it: &Counted| AuditReader {
        name: tables.reader(party, key).map(|reader| reader.who.described()).unwrap_or_default(),
        organisation: tables.named(party).to_owned(),
        reads: it.reads,
        records: it.records,
        night: it.night,
        last: it.last.time,
    };
    let people: Vec<Line<'_>> = tables.people.iter().collect();
    let by_month = people.chunk_by(|((one, ..), _), ((other, ..), _)| one == other).rev().take(MOST_MONTHS);
    let of_month = |lines: &[Line<'_>]| {
        let readers = lines.iter().map(|((_, party, key), it)| reader(party, key.as_ref(), it)).collect();
        let month = lines.first().map(|((month, ..), _)| month.to_string());
        Some(AuditMonth { month: month?, readers: busiest(readers) })
    };
    by_month.filter_map(of_month).collect()
}

fn hours(tables: &Tables) -> Vec<(u64, bool)> {
    let thresholds = Thresholds::default();
    // An hour of the day as Unix seconds in China: eight hours ahead of UTC.
    let night = |hour: u64| thresholds.is_night((hour + 16) % 24 * 3600);
    (0..).zip(tables.hours).map(|(hour, reads)| (reads, night(hour))).collect()
}

fn claims(tables: &Tables) -> Vec<AuditClaims> {
    let one = |((insurer, slot, currency), it): (&(PartyId, Slot, String), &suishen_core::audit::Claims)| {
        let narrow = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        AuditClaims {
            insurer: tables.named(insurer).to_owned(),
            payer: match slot {
                Slot::Statutory => Payer::Statutory,
                Slot::Commercial => Payer::Commercial,
            },
            counts: [it.whole, it.partly, it.reversed, it.unread],
            claimed: narrow(it.claimed),
            paid: narrow(it.paid),
            currency: currency.clone(),
        }
    };
    tables.claims.iter().map(one).collect()
}
