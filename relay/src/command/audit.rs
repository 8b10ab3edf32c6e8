//! `suishen audit`: replays a ledger from entry 0 and says what it holds; with the quarters' keys who read what, what was
//! paid, and what is wrong, as tables, a page and CSV files under the auditor's signature. Or verifies a proof bundle that
//! a patient exported, without network.
//!
//! Opening boxes is itself an entry: it is written first, and the report names it.

mod keys;
pub mod pass;
mod period;
mod pin;
mod report;
pub mod source;

use super::{Outcome, moment, progress::Progress};
use crate::{client::Client, config::Place};
use anyhow::{Context as _, bail};
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use pass::{Passed, Plan, pass};
use period::{Chosen, End, find};
use pin::Pin;
use report::csv::Csv;
use source::Source;
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};
use suishen_core::{
    audit::{
        BoxKeys, Finding, Period, Tables, Taken, Thresholds,
        report::{Content, Facts, Language, Listed, Looked, MOST_FINDINGS, local, page as report_page, sum},
    },
    contract::{Transaction, Views as _},
    id::LedgerId,
    proof::bundle::{Bundle, Proven},
};
use tokio::runtime::Runtime;

/// Options of `suishen audit`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
  suishen audit                                    replay and count, nothing is opened
  suishen audit --keys DATA/keys/auditor --why '季度例行审计' --report audit.html --csv audit
  suishen audit --keys DATA/keys/auditor --why '三季度审计' --from 2026-07-01 --to 2026-09-30 --csv audit
  suishen audit --verify audit.html                is the report as it was signed, over this ledger
  suishen audit rotate                             once a quarter: a new key for the auditor's boxes
  suishen audit --bundle FILE                      the proof of one read, without network

Ends with 0 where nothing was found, 1 where something is wrong or unusual, 2 where it could not run."
)]
pub struct Audit {
    /// What else to do.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Proof bundle to verify instead of the ledger; needs neither data folder nor network
    #[arg(long, env = "SUISHEN_BUNDLE", value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Read the ledger from this relay [default: the published copy in the data folder]
    #[arg(long, env = "SUISHEN_RELAY", value_name = "URL")]
    pub relay: Option<String>,
    /// The ledger's id, where it must be this one [default: the one remembered beside keys or report, if any]
    #[arg(long, env = "SUISHEN_LEDGER", value_name = "ID", value_parser = pin::ledger)]
    pub ledger: Option<LedgerId>,
    /// The auditor's folder of keys: boxes are opened, and that is written on the ledger first
    #[arg(long, env = "SUISHEN_KEYS", value_name = "FOLDER", requires = "why")]
    pub keys: Option<PathBuf>,
    /// Why boxes are opened, for whoever audits the auditor
    #[arg(long, env = "SUISHEN_WHY", value_name = "TEXT", requires = "keys")]
    pub why: Option<String>,
    /// The first entry that is looked at, as 812, or the first day by the clock in China, as 2026-07-01 [default: 0]
    #[arg(long, env = "SUISHEN_FROM", value_name = "ENTRY|DAY", value_parser = period::end)]
    pub from: Option<End>,
    /// The entry after the last that is looked at, as 905, or the last day, itself included, as 2026-09-30 [default: all]
    #[arg(long, env = "SUISHEN_TO", value_name = "ENTRY|DAY", value_parser = period::end)]
    pub to: Option<End>,
    /// Write the report as one page of HTML; signed where --keys has the auditor's key
    #[arg(long, env = "SUISHEN_REPORT", value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write every line as CSV files in this folder
    #[arg(long, env = "SUISHEN_CSV", value_name = "FOLDER")]
    pub csv: Option<PathBuf>,
    /// Language of page and CSV files
    #[arg(long, env = "SUISHEN_LANGUAGE", value_parser = language(), default_value = "zh")]
    pub language: Language,
    /// Check a report, or a folder of CSV files, against its signature and the ledger
    #[arg(long, env = "SUISHEN_VERIFY", value_name = "FILE", conflicts_with_all = ["keys", "report", "csv", "bundle"])]
    pub verify: Option<PathBuf>,
    /// What is unusual.
    #[command(flatten)]
    pub unusual: Unusual,
}

/// From when on reads are unusual.
#[derive(Clone, Debug, Args)]
pub struct Unusual {
    /// Fewer reads of one person's in a day are never unusual
    #[arg(long, env = "SUISHEN_MANY_READS", value_name = "N", default_value_t = 30)]
    pub many_reads: u64,
    /// So many times the median of the others in the same role is unusual
    #[arg(long, env = "SUISHEN_TIMES_PEERS", value_name = "N", default_value_t = 4)]
    pub times_peers: u64,
    /// The night, by the clock in China: from this hour to that
    #[arg(long, env = "SUISHEN_NIGHT", value_name = "FROM-TO", default_value = "23-6", value_parser = night)]
    pub night: (u8, u8),
    /// So many reads of one person's in a night are unusual
    #[arg(long, env = "SUISHEN_NIGHT_READS", value_name = "N", default_value_t = 3)]
    pub night_reads: u64,
}

impl Default for Unusual {
    fn default() -> Self {
        let Thresholds { many, times, night, night_reads, .. } = Thresholds::default();
        Self { many_reads: many, times_peers: times, night, night_reads }
    }
}

fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(["zh", "en"]).map(|tag| match tag.as_str() {
        "en" => Language::English,
        _ => Language::Chinese,
    })
}

fn night(text: &str) -> Result<(u8, u8), String> {
    let hours = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    hours
        .filter(|(from, to)| *from < 24 && *to < 24)
        .ok_or_else(|| "two hours of the day, such as 23-6".into())
}

/// What `suishen audit` does besides.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Change the key that auditor's boxes are sealed to, or the one that signs
    Rotate(keys::Rotate),
}

/// Audits and prints.
pub fn run(place: &Place, audit: &Audit) -> anyhow::Result<Outcome> {
    match audit {
        Audit { action: Some(Action::Rotate(rotate)), .. } => {
            keys::rotate(place, rotate).map(|()| Outcome::Well)
        }
        Audit { bundle: Some(file), .. } => bundle(file),
        Audit { verify: Some(path), .. } => verify(place, audit, path),
        _ => ledger(place, audit),
    }
}

fn source(place: &Place, audit: &Audit) -> anyhow::Result<Source> {
    audit.relay.as_deref().map_or_else(|| Ok(Source::folder(&place.data)), Source::relay)
}

fn said(verdict: Result<(), String>) -> Outcome {
    match verdict {
        Ok(()) => Outcome::Well,
        Err(why) => {
            println!("WRONG      {why}");
            Outcome::FoundWrong
        }
    }
}

fn bundle(file: &Path) -> anyhow::Result<Outcome> {
    let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let verdict = Bundle::from_bytes(&bytes)
        .and_then(|bundle| Ok((bundle.grant.id, bundle.verify()?)))
        .map(|(grant, proven)| print_bundle(&grant, &proven))
        .map_err(|error| error.to_string());
    Ok(said(verdict))
}

fn verify(place: &Place, audit: &Audit, path: &Path) -> anyhow::Result<Outcome> {
    let pin = Pin::of(audit)?;
    let mut source = source(place, audit)?;
    let verdict = report::sign::verify(path, &mut source, &pin)?;
    println!("verdict    {}", verdict.said());
    for wrong in &verdict.wrong {
        println!("WRONG      {wrong}");
    }
    for good in &verdict.good {
        println!("holds      {good}");
    }
    for absent in &verdict.absent {
        println!("elsewhere  {absent}: check it in the folder where it is");
    }
    Ok(if verdict.wrong.is_empty() { Outcome::Well } else { Outcome::FoundWrong })
}

/// An audit whose keys are at hand and whose look is on the ledger.
struct Opening<'a> {
    folder: &'a Path,
    why: &'a str,
    entry: u64,
    /// Which entries the look says are opened; no others are.
    range: Range<u64>,
}

/// The relay that takes the look, and the keys for it.
struct Reached<'a> {
    runtime: Runtime,
    client: Client,
    folder: &'a Path,
    why: &'a str,
}

impl<'a> Reached<'a> {
    /// Reaches the relay, where boxes are opened, and waits until what is read has all that it has.
    fn new(
        place: &Place,
        audit: &'a Audit,
        source: &Source,
        ledger: &LedgerId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(folder) = audit.keys.as_deref() else { return Ok(None) };
        let why = audit.why.as_deref().context("say --why the boxes are opened")?;
        keys::boxes(folder)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(keys::reach(place, audit.relay.as_deref()))?;
        if client.ledger() != *ledger {
            bail!(
                "the relay at {} has another ledger than the one that is read, {ledger}: name its relay with --relay",
                client.base()
            );
        }
        let (_, size) = runtime.block_on(keys::on_ledger(&client))?;
        keys::wait_for(&client, source, size.saturating_sub(1))?;
        Ok(Some(Self { runtime, client, folder, why }))
    }

    /// Writes the look, before a box is opened.
    fn log(self, source: &Source, from: u64, to: Option<u64>) -> anyhow::Result<Opening<'a>> {
        let Self { runtime, client, folder, why } = self;
        let asked = keys::Asked { folder, why, from, to };
        let (entry, range) = runtime.block_on(keys::log_look(&client, &asked))?;
        keys::wait_for(&client, source, entry)?;
        Ok(Opening { folder, why, entry, range })
    }
}

/// Replays the ledger, opens what the keys open, prints, writes and signs.
fn ledger(place: &Place, audit: &Audit) -> anyhow::Result<Outcome> {
    let pin = Pin::of(audit)?;
    let mut source = source(place, audit)?;
    // Before anything is logged or written over.
    let named = match source.ledger()? {
        Ok(named) => named,
        Err(why) => return Ok(said(Err(why))),
    };
    pin.check(&named)?;
    let chosen = Chosen::of(audit.from, audit.to)?;
    let reached = Reached::new(place, audit, &source, &named)?;
    let (from, to, period) = match chosen {
        Chosen::Entries(from, to) => (from, to, None),
        Chosen::Days(first, last) => match find(&mut source, (first, last))? {
            Ok(found) => (found.range().start, Some(found.range().end), Some(found)),
            Err(why) => return Ok(said(Err(why))),
        },
    };
    let opening = reached.map(|reached| reached.log(&source, from, to)).transpose()?;
    let keys = opening.as_ref().map(|opening| keys::boxes(opening.folder)).transpose()?.unwrap_or_default();
    let plan = Plan {
        keys,
        range: opening.as_ref().map_or(from..to.unwrap_or(u64::MAX), |opening| opening.range.clone()),
        period,
        look: opening.as_ref().map(|opening| opening.entry),
        thresholds: audit.unusual.thresholds(),
        size: None,
    };
    let mut csv = audit.csv.as_deref().map(|folder| Csv::new(folder, audit.language)).transpose()?;
    let mut findings = Findings::default();
    let progress = Progress::new("entries");
    let passed =
        pass(&mut source, &plan, &progress, &mut |taken, tables| findings.all(taken, csv.as_mut(), tables))?;
    progress.done();
    let mut passed = match passed {
        Ok(passed) => passed,
        Err(why) => return Ok(said(Err(why))),
    };
    let ledger = passed.replay.ledger();
    pin.check(&ledger)?;
    for finding in std::mem::take(&mut passed.findings) {
        findings.take(finding, csv.as_mut(), &passed.tables)?;
    }
    print(&passed, &findings, &plan);
    let files = write(audit, &plan, &passed, &findings, opening.as_ref(), csv)?;
    pin.remember(&ledger)?;
    match &opening {
        Some(opening) if !files.is_empty() => {
            let audit_key = passed.replay.state().auditor()?.audit;
            let key = keys::signing(opening.folder, &audit_key)?;
            let places = (audit.report.as_deref(), audit.csv.as_deref());
            report::sign::sign(&passed, opening.entry, &key, files, places)?;
            println!("signed     by the auditor's key; check it with `suishen audit --verify`");
        }
        None if !files.is_empty() => println!("unsigned   only an audit with --keys is signed"),
        _ => {}
    }
    Ok(if findings.count == 0 { Outcome::Well } else { Outcome::FoundWrong })
}

impl Unusual {
    fn thresholds(&self) -> Thresholds {
        Thresholds {
            many: self.many_reads,
            times: self.times_peers,
            night: self.night,
            night_reads: self.night_reads,
            ..Thresholds::default()
        }
    }
}

/// What was found: the first so many one by one; beside it the lines that the page lists.
#[derive(Debug, Default)]
struct Findings {
    listed: Vec<Finding>,
    count: u64,
    lines: Listed,
}

impl Findings {
    /// Takes what came of an entry.
    fn all(&mut self, taken: Taken, mut csv: Option<&mut Csv>, tables: &Tables) -> anyhow::Result<()> {
        for finding in taken.findings {
            self.take(finding, csv.as_deref_mut(), tables)?;
        }
        let Some(row) = &taken.row else { return Ok(()) };
        self.lines.take(row);
        csv.map_or(Ok(()), |csv| csv.row(row))
    }

    fn take(&mut self, finding: Finding, csv: Option<&mut Csv>, tables: &Tables) -> anyhow::Result<()> {
        if let Some(csv) = csv {
            csv.finding(&finding, tables)?;
        }
        self.count += 1;
        if self.listed.len() < MOST_FINDINGS {
            self.listed.push(finding);
        }
        Ok(())
    }

    fn more(&self) -> u64 {
        self.count.saturating_sub(self.listed.len() as u64)
    }
}

/// Writes page and CSV files; their names and digests.
fn write(
    audit: &Audit,
    plan: &Plan,
    passed: &Passed,
    findings: &Findings,
    opening: Option<&Opening<'_>>,
    csv: Option<Csv>,
) -> anyhow::Result<Vec<(String, suishen_core::sm::Digest)>> {
    let mut files = csv.map_or_else(|| Ok(Vec::new()), |csv| csv.end(&passed.tables))?;
    if let Some(path) = &audit.report {
        let page = page(audit.language, plan, passed, findings, opening);
        fs::write(path, page).with_context(|| format!("could not write {}", path.display()))?;
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            bail!("--report takes the name of a file, such as audit.html");
        };
        files.push((name.to_owned(), report::sign::digest_of(path)?));
        println!("report     {}", path.display());
    }
    Ok(files)
}

fn page(
    language: Language,
    plan: &Plan,
    passed: &Passed,
    findings: &Findings,
    opening: Option<&Opening<'_>>,
) -> String {
    let replay = &passed.replay;
    let opened = |range: &Range<u64>| range.start..range.end.min(replay.size());
    report_page(&Content {
        language,
        facts: Facts {
            ledger: replay.ledger(),
            size: replay.size(),
            founded: replay.genesis().time,
            last: replay.last_time(),
            cosigned: passed.time,
        },
        days: plan.period.as_ref().map(Period::days),
        look: opening.map(|it| Looked { entry: it.entry, why: it.why, range: opened(&plan.range) }),
        tables: &passed.tables,
        listed: &findings.lines,
        findings: &findings.listed,
        more: findings.more(),
        thresholds: &plan.thresholds,
        keys: &plan.keys,
    })
}

fn print(passed: &Passed, findings: &Findings, plan: &Plan) {
    let (replay, tables) = (&passed.replay, &passed.tables);
    let totals = replay.totals();
    println!("ledger     {}", replay.ledger());
    println!("founded    {}", moment::utc(replay.genesis().time));
    println!("entries    {}, the last of {}", replay.size(), moment::utc(replay.last_time()));
    println!("cosigned   {}", moment::utc(passed.time));
    if let Some(period) = &plan.period {
        let range = period.range();
        println!("period     {}, entries {} to {}", period.days(), range.start, range.end.saturating_sub(1));
    }
    for (name, count) in Transaction::NAMES.iter().zip(totals.kinds).filter(|(_, count)| *count > 0) {
        println!("{count:>10} {name}");
    }
    for (party, kinds) in &totals.parties {
        let did = Transaction::NAMES.iter().zip(kinds).filter(|(_, count)| **count > 0);
        let did: Vec<String> = did.map(|(name, count)| format!("{count} {name}")).collect();
        println!("{party} {}: {}", tables.named(party), did.join(", "));
    }
    println!("every signature, transition, root and cosignature holds");
    if !plan.keys.is_empty() {
        print_opened(tables, &plan.keys);
    }
    for finding in findings.listed.iter().take(20) {
        let language = Language::English;
        let (party, person) = language.signer(finding, tables);
        let kind = if finding.what.is_unusual() { "UNUSUAL" } else { "WRONG" };
        let what = language.wrong(&finding.what, tables);
        println!(
            "{kind:<10} entry {} {}: {what}; {party} {person}",
            finding.at.entry,
            local(finding.at.time)
        );
    }
    let more = findings.count.saturating_sub(20);
    if more > 0 {
        println!("           and {more} more, in the report and the CSV files");
    }
}

/// A count with its word: `1 record`, `2 records`.
fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

fn print_opened(tables: &Tables, keys: &BoxKeys) {
    let language = Language::English;
    let held = |key| keys.public().any(|held| held == key);
    let quarters = tables.quarters.iter().filter(|quarter| held(&quarter.key)).count();
    println!(
        "keys       {quarters} of the {} that boxes were sealed to; {} boxes without a key at hand",
        tables.quarters.len(),
        tables.no_key
    );
    for ((party, _), reader) in &tables.readers {
        let who = &reader.who;
        println!(
            "{:>10} {}, {}: {} {}, {}, {}",
            reader.reads,
            if reader.reads == 1 { "read" } else { "reads" },
            counted(reader.records, "record"),
            who.name,
            who.title,
            tables.named(party),
            language.role(reader.role)
        );
    }
    for ((insurer, slot, currency), claims) in &tables.claims {
        println!(
            "{:>10} settled, {} taken back: {}, {}, paid {} of {} {currency}",
            claims.whole + claims.partly + claims.unread,
            claims.reversed,
            tables.named(insurer),
            language.slot(*slot),
            sum(claims.paid),
            sum(claims.claimed)
        );
    }
}

fn print_bundle(grant: &suishen_core::id::GrantId, proven: &Proven) {
    println!("ledger     {}", proven.checkpoint.checkpoint().ledger);
    println!("grant      {grant}");
    println!("as of      {}", moment::utc(proven.checkpoint.time()));
    for entry in &proven.log.entries {
        let party = entry.transaction.credential().and_then(|c| c.claimed().ok()).map(|c| c.party);
        let party = party.map_or_else(String::new, |party| format!(" by {party}"));
        println!("entry {:>6} {} {}{party}", entry.number, moment::utc(entry.now), entry.transaction.name());
    }
    println!("these are all entries on this grant up to then; compare the ledger's id with the one you know");
}

#[cfg(test)]
mod tests;
