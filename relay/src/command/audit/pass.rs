//! One pass over the ledger, from entry 0: entries are applied in order while all cores verify signatures and open boxes
//! of those before. What came of an entry is taken in order, and only once its signatures and all before it held.

use super::source::Source;
use crate::{
    command::progress::Progress,
    replica::replay::{Fault, Replay, Waiting},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};
use suishen_core::{
    audit::{At, Audit, BoxKeys, Boxes, Finding, Opened, Period, Tables, Taken, Thresholds},
    proof::{
        bundle::first_epoch,
        checkpoint::{SignedCheckpoint, VerifiedCheckpoint},
        tile::{WIDTH, decode_entries},
    },
};

/// Entries that one core takes at a time.
const SHARE: usize = 32;

/// What a pass looks for.
#[derive(Debug)]
pub struct Plan {
    /// The quarters' keys at hand.
    pub keys: BoxKeys,
    /// Of these entries boxes are opened and lines given.
    pub range: Range<u64>,
    /// The days for which a search gave that range: every entry is held against them.
    pub period: Option<Period>,
    /// The auditor's own entry that says so, which is opened and given too.
    pub look: Option<u64>,
    /// What is unusual.
    pub thresholds: Thresholds,
    /// Entries to replay; fewer than the checkpoint's where an older report is checked.
    pub size: Option<u64>,
}

impl Default for Plan {
    /// Everything, without keys.
    fn default() -> Self {
        Self {
            keys: BoxKeys::default(),
            range: 0..u64::MAX,
            period: None,
            look: None,
            thresholds: Thresholds::default(),
            size: None,
        }
    }
}

impl Plan {
    /// Holds an entry against the days that were searched.
    fn check(&self, at: At) -> Result<(), String> {
        self.period.as_ref().map_or(Ok(()), |period| period.check(at)).map_err(|why| why.to_string())
    }
}

/// A ledger that was replayed and found right.
#[derive(Debug)]
pub struct Passed {
    /// The ledger as it stands after the pass.
    pub replay: Replay,
    /// When its checkpoint was cosigned.
    pub time: u64,
    /// What was counted.
    pub tables: Tables,
    /// What only the end shows.
    pub findings: Vec<Finding>,
}

/// Some entries with their boxes.
struct Work {
    index: u64,
    waiting: Vec<Waiting>,
    boxes: Vec<Boxes>,
}

/// What came of them.
struct Done {
    index: u64,
    fault: Option<Fault>,
    opened: Vec<Opened>,
}

impl Work {
    fn run(self, keys: &BoxKeys) -> Done {
        let fault = self.waiting.iter().find_map(|waiting| waiting.verify().err());
        let opened = self.boxes.into_iter().map(|boxes| boxes.open(keys)).collect();
        Done { index: self.index, fault, opened }
    }
}

/// Replays the ledger; `sink` is given what came of each entry, in order. The inner error says what is wrong with it.
pub fn pass(
    source: &mut Source,
    plan: &Plan,
    progress: &Progress,
    sink: &mut dyn FnMut(Taken, &Tables) -> anyhow::Result<()>,
) -> anyhow::Result<Result<Passed, String>> {
    let note = source.note()?;
    let signed = match SignedCheckpoint::parse(&note) {
        Ok(signed) => signed,
        Err(error) => return Ok(Err(format!("checkpoint: {error}"))),
    };
    let size = plan.size.unwrap_or(signed.checkpoint.size);
    if size > signed.checkpoint.size {
        return Ok(Err(format!(
            "checkpoint {}: the ledger has fewer than {size} entries",
            signed.checkpoint.size
        )));
    }
    progress.total(size);
    let entries = match read(source, 0, size)? {
        Ok(entries) => entries,
        Err(why) => return Ok(Err(why)),
    };
    let Some((genesis, rest)) = entries.split_first() else {
        return Ok(Err(format!("checkpoint {size}: it vouches for nothing")));
    };
    let begun = Replay::new(genesis).map_err(|fault| say(&fault)).and_then(|replay| {
        let audit = Audit::new(replay.genesis(), plan.thresholds).map_err(|error| error.to_string())?;
        let founded = At { entry: 0, time: replay.genesis().time };
        plan.check(founded).map_err(|why| say(&Fault { number: 0, why }))?;
        Ok((replay, audit.within(plan.range.clone(), plan.look)))
    });
    let (replay, audit) = match begun {
        Ok(begun) => begun,
        Err(why) => return Ok(Err(why)),
    };
    let mut under_way = UnderWay { replay, audit, plan, next: 0, early: BTreeMap::new(), sent: 0 };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let run = thread::scope(|scope| {
        let (send, receive) = sync_channel(2 * cores);
        let receive = Arc::new(Mutex::new(receive));
        let (give, done) = channel();
        for _ in 0..cores {
            let (receive, give) = (receive.clone(), give.clone());
            scope.spawn(move || work(&receive, &give, &plan.keys));
        }
        drop((give, receive));
        under_way.all(source, rest, size, progress, (&send, &done), sink).and_then(|fault| {
            drop(send);
            under_way.drain(&done, sink, fault)
        })
    })?;
    if let Some(fault) = run {
        return Ok(Err(say(&fault)));
    }
    let UnderWay { replay, audit, .. } = under_way;
    Ok(compare(replay, audit, &signed, plan.size))
}

fn say(fault: &Fault) -> String {
    format!("entry {}: {}", fault.number, fault.why)
}

/// Takes work until there is none.
fn work(receive: &Mutex<Receiver<Work>>, give: &Sender<Done>, keys: &BoxKeys) {
    loop {
        let Ok(next) = receive.lock().map(|receive| receive.recv()) else { return };
        let Ok(work) = next else { return };
        if give.send(work.run(keys)).is_err() {
            return;
        }
    }
}

/// The entries of a bundle, as many as the ledger has.
pub(super) fn read(
    source: &mut Source,
    index: u64,
    size: u64,
) -> anyhow::Result<Result<Vec<Vec<u8>>, String>> {
    let width = size.saturating_sub(index * WIDTH).min(WIDTH);
    if width == 0 {
        return Ok(Ok(Vec::new()));
    }
    let bundle = source.entries(index, u16::try_from(width).unwrap_or(256))?;
    let Ok(entries) = decode_entries(&bundle) else {
        return Ok(Err(format!("the entries from {} on cannot be read", index * WIDTH)));
    };
    let wanted = usize::try_from(width).unwrap_or(256);
    match entries.get(..wanted) {
        Some(entries) => Ok(Ok(entries.iter().map(|entry| entry.to_vec()).collect())),
        None => Ok(Err(format!("entry {}: it is missing", index * WIDTH + entries.len() as u64))),
    }
}

/// A pass on its way.
struct UnderWay<'a> {
    replay: Replay,
    audit: Audit,
    plan: &'a Plan,
    /// The work whose turn it is.
    next: u64,
    /// What was done before its turn.
    early: BTreeMap<u64, Done>,
    /// Works given out.
    sent: u64,
}

type Sink<'a> = &'a mut dyn FnMut(Taken, &Tables) -> anyhow::Result<()>;
type Lines<'a> = (&'a SyncSender<Work>, &'a Receiver<Done>);

impl UnderWay<'_> {
    /// Sequences every entry and gives its work out; ends early at a fault.
    fn all(
        &mut self,
        source: &mut Source,
        first: &[Vec<u8>],
        size: u64,
        progress: &Progress,
        (send, done): Lines<'_>,
        sink: Sink<'_>,
    ) -> anyhow::Result<Option<Fault>> {
        let mut fault = self.give_out(first, send);
        for index in 1..size.div_ceil(WIDTH) {
            while let Ok(one) = done.try_recv() {
                fault = self.in_turn(one, sink)?.or(fault);
            }
            if fault.is_some() {
                break;
            }
            match read(source, index, size)? {
                Ok(entries) => fault = self.give_out(&entries, send),
                Err(why) => fault = Some(Fault { number: index * WIDTH, why }),
            }
            progress.at(index * WIDTH);
        }
        Ok(fault)
    }

    fn give_out(&mut self, entries: &[Vec<u8>], send: &SyncSender<Work>) -> Option<Fault> {
        for share in entries.chunks(SHARE) {
            let (audit, plan) = (&mut self.audit, self.plan);
            let mut boxes = Vec::new();
            let (waiting, fault) = self.replay.sequence(share, |entry, time, transaction, state| {
                let at = At { entry, time };
                plan.check(at)?;
                boxes.extend(audit.boxes(at, transaction, state).map_err(|error| error.to_string())?);
                Ok(())
            });
            let gone = send.send(Work { index: self.sent, waiting, boxes }).is_err();
            self.sent += 1;
            if fault.is_some() || gone {
                return fault;
            }
        }
        None
    }

    /// Takes what is done, in the order of the entries. Gives the first fault.
    fn in_turn(&mut self, one: Done, sink: Sink<'_>) -> anyhow::Result<Option<Fault>> {
        self.early.insert(one.index, one);
        while let Some(Done { fault, opened, .. }) = self.early.remove(&self.next) {
            if fault.is_some() {
                return Ok(fault);
            }
            self.next += 1;
            for opened in opened {
                let taken = self.audit.take(opened);
                sink(taken, self.audit.tables())?;
            }
        }
        Ok(None)
    }

    /// Waits for what is still out. What it finds was before what sequencing met.
    fn drain(
        &mut self,
        done: &Receiver<Done>,
        sink: Sink<'_>,
        met: Option<Fault>,
    ) -> anyhow::Result<Option<Fault>> {
        for one in done {
            if let Some(fault) = self.in_turn(one, sink)? {
                return Ok(Some(fault));
            }
        }
        Ok(met)
    }
}

/// Cosignatures and roots against what the entries make; the roots only where all entries were replayed.
fn compare(
    replay: Replay,
    audit: Audit,
    signed: &SignedCheckpoint,
    partly: Option<u64>,
) -> Result<Passed, String> {
    let size = signed.checkpoint.size;
    let verified = signed.verify(&replay.ledger(), &first_epoch(replay.genesis()));
    let verified: VerifiedCheckpoint = verified.map_err(|error| format!("checkpoint {size}: {error}"))?;
    if partly.is_none_or(|partly| partly == size) {
        if verified.checkpoint().tree != replay.tree_root() {
            return Err(format!("checkpoint {size}: its tree root is not that of the entries"));
        }
        if verified.checkpoint().map != replay.map_root() {
            return Err(format!(
                "checkpoint {size}: its map root is not that of the state which the entries make"
            ));
        }
    }
    let last = At { entry: replay.size().saturating_sub(1), time: replay.last_time() };
    let (tables, findings) = audit.end(last);
    Ok(Passed { replay, time: verified.time(), tables, findings })
}
