//! The published copy, examined: entries against hashes, hashes against the tiles above, roots against the
//! checkpoint, transitions by replay.
//!
//! Where an entry and its hash disagree, the tile above says which of them was changed, and the checkpoint's
//! root where there is none above.

use super::{Finding, Report};
use crate::{
    command::progress::Progress,
    replica::{
        copy::Copy,
        replay::{Fault, Replay},
    },
};
use std::{collections::BTreeMap, io};
use suishen_core::{
    cbor,
    contract::Genesis,
    proof::{
        bundle::first_epoch,
        checkpoint::{Checkpoint, SignedCheckpoint},
        tile::{Kind, TileId, WIDTH},
        tree::{Edge, Sm3, TreeHash as _},
    },
    sm::Digest,
};

/// Examines the copy. Gives the replay where every entry stood.
pub fn examine(copy: &Copy, report: &mut Report, progress: &Progress) -> io::Result<Option<Replay>> {
    let checkpoint = checkpoint(copy, report)?;
    let size = match &checkpoint {
        Some(checkpoint) => checkpoint.size,
        None => count(copy)?,
    };
    report.size = size;
    progress.total(size);
    let mut walk = Walk::new(copy, checkpoint);
    for index in 0..size.div_ceil(WIDTH) {
        walk.bundle(index, (size - index * WIDTH).min(WIDTH), report)?;
        progress.at(index * WIDTH);
    }
    walk.blame(size, report)?;
    walk.levels_above(size, report)?;
    Ok(walk.roots(size, report))
}

/// The checkpoint, once the members' cosignatures hold.
fn checkpoint(copy: &Copy, report: &mut Report) -> io::Result<Option<Checkpoint>> {
    let mut wrong = |size, why: String| {
        report.findings.push(Finding::Checkpoint(size, why));
        Ok(None)
    };
    let note = match copy.note() {
        Ok(note) => note,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return wrong(None, "it is missing".into()),
        Err(error) => return Err(error),
    };
    let parsed = str::from_utf8(&note).map_err(|e| e.to_string());
    let signed = match parsed.and_then(|text| SignedCheckpoint::parse(text).map_err(|e| e.to_string())) {
        Ok(signed) => signed,
        Err(why) => return wrong(None, why),
    };
    let size = signed.checkpoint.size;
    let bundle = copy.tile(Kind::Entries, 0)?;
    let genesis = whole_entries(&bundle, 1).first().map(|bytes| cbor::decode::<Genesis>(bytes));
    let Some(Ok(genesis)) = genesis else {
        // Without the members' keys no cosignature can be verified; the entry itself is found wrong below.
        return Ok(None);
    };
    match signed.verify(&genesis.ledger_id(), &first_epoch(&genesis)) {
        Ok(verified) => {
            report.ledger = Some(genesis.ledger_id());
            report.time = Some(verified.time());
            Ok(Some(*verified.checkpoint()))
        }
        Err(error) => wrong(Some(size), error.to_string()),
    }
}

/// Up to `most` whole entries at the beginning of a bundle.
fn whole_entries(mut bundle: &[u8], most: u64) -> Vec<&[u8]> {
    let mut entries = Vec::new();
    while (entries.len() as u64) < most
        && let Some((length, rest)) = bundle.split_first_chunk()
        && let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
    {
        entries.push(entry);
        bundle = rest;
    }
    entries
}

/// How many hashes there are, where no checkpoint says it.
fn count(copy: &Copy) -> io::Result<u64> {
    let mut size = 0;
    loop {
        let hashes = copy.tile(Kind::Hashes(0), size / WIDTH)?.len() as u64 / 32;
        size += hashes.min(WIDTH);
        if hashes < WIDTH {
            return Ok(size);
        }
    }
}

fn hashes(tile: &[u8], width: u64) -> Vec<Digest> {
    let all = tile.as_chunks::<32>().0.iter();
    all.take(usize::try_from(width).unwrap_or(256)).map(|hash| Digest::from_bytes(*hash)).collect()
}

fn root(hashes: &[Digest]) -> Digest {
    let mut edge = Edge::new();
    for hash in hashes {
        edge.append::<Sm3>(*hash, |_| {});
    }
    edge.root::<Sm3>()
}

fn path(level: u8, index: u64) -> String {
    TileId::new(Kind::Hashes(level), index, 256).map_or_else(|e| e.to_string(), |tile| tile.to_string())
}

/// Entries and hashes of one bundle that disagree.
struct Dispute {
    index: u64,
    /// Places within the bundle.
    places: Vec<u64>,
    by_entries: Digest,
    by_hashes: Digest,
}

struct Walk<'a> {
    copy: &'a Copy,
    checkpoint: Option<Checkpoint>,
    /// The tree over the entries as they are.
    entries: Edge,
    /// The tree over the hashes as they are.
    hashes: Edge,
    /// Hashes of the levels above the first, from the entries.
    computed: BTreeMap<(u8, u64), Vec<u8>>,
    disputes: Vec<Dispute>,
    replay: Option<Replay>,
    fault: Option<Fault>,
}

impl<'a> Walk<'a> {
    fn new(copy: &'a Copy, checkpoint: Option<Checkpoint>) -> Self {
        let (entries, hashes, computed) = (Edge::new(), Edge::new(), BTreeMap::new());
        Self { copy, checkpoint, entries, hashes, computed, disputes: Vec::new(), replay: None, fault: None }
    }

    /// One bundle of entries with its tile of hashes.
    fn bundle(&mut self, index: u64, width: u64, report: &mut Report) -> io::Result<()> {
        let bundle = self.copy.tile(Kind::Entries, index)?;
        let entries = whole_entries(&bundle, width);
        let stored = hashes(&self.copy.tile(Kind::Hashes(0), index)?, width);
        let leaves: Vec<Digest> = entries.iter().map(|entry| Sm3::leaf(entry)).collect();
        let first = index * WIDTH;
        if (stored.len() as u64) < width {
            let why = format!("it ends after {} of {width} hashes", stored.len());
            report.findings.push(Finding::Tile(path(0, index), why));
        }
        let torn = (entries.len() as u64) < width;
        let places = differing(&leaves, &stored);
        if torn && places.is_empty() {
            let number = first + entries.len() as u64;
            report.findings.push(Finding::Entry(number, "it is missing or cut off".into()));
        }
        if !places.is_empty() {
            let (by_entries, by_hashes) = (root(&leaves), root(&stored));
            self.disputes.push(Dispute { index, places, by_entries, by_hashes });
        }
        for leaf in &leaves {
            let computed = &mut self.computed;
            self.entries.append::<Sm3>(*leaf, |node| {
                if node.level > 0 && node.level % 8 == 0 {
                    let tile = computed.entry((node.level / 8, node.index / WIDTH)).or_default();
                    tile.extend_from_slice(node.hash.as_bytes());
                }
            });
        }
        for hash in &stored {
            self.hashes.append::<Sm3>(*hash, |_| {});
        }
        self.replay(&entries);
        if torn && self.fault.is_none() {
            let number = first + entries.len() as u64;
            self.fault = Some(Fault { number, why: "it is missing or cut off".into() });
        }
        Ok(())
    }

    /// Replays on until the first entry that can't stand.
    fn replay(&mut self, mut entries: &[&[u8]]) {
        if self.fault.is_some() {
            return;
        }
        if self.replay.is_none() {
            let Some((genesis, rest)) = entries.split_first() else { return };
            match Replay::new(genesis) {
                Ok(replay) => self.replay = Some(replay),
                Err(fault) => self.fault = Some(fault),
            }
            entries = rest;
        }
        if let Some(replay) = &mut self.replay
            && let Err(fault) = replay.take(entries)
        {
            self.fault = Some(fault);
        }
    }

    /// Says for each dispute whether entry or hash was changed.
    fn blame(&self, size: u64, report: &mut Report) -> io::Result<()> {
        let signed = self.checkpoint.map(|checkpoint| checkpoint.tree);
        let holds = |edge: &Edge| edge.size() == size && signed == Some(edge.root::<Sm3>());
        let (entries_hold, hashes_hold) = (holds(&self.entries), holds(&self.hashes));
        for dispute in &self.disputes {
            let above = self.copy.tile(Kind::Hashes(1), dispute.index / WIDTH)?;
            let above =
                hashes(&above, WIDTH).get(usize::try_from(dispute.index % WIDTH).unwrap_or(0)).copied();
            let full = (dispute.index + 1) * WIDTH <= size;
            let above = above.filter(|_| full);
            let hash_changed = above == Some(dispute.by_entries) || entries_hold;
            let entry_changed = above == Some(dispute.by_hashes) || hashes_hold;
            for place in &dispute.places {
                let number = dispute.index * WIDTH + place;
                report.findings.push(match (entry_changed, hash_changed) {
                    (true, false) => Finding::Entry(number, "it was changed: its hash is another".into()),
                    (false, true) => Finding::Tile(
                        path(0, dispute.index),
                        format!("hash {place}, of entry {number}, was changed"),
                    ),
                    _ => Finding::EntryOrHash(number),
                });
            }
        }
        Ok(())
    }

    /// Each hash above is that of the tile below, or of the entries where that tile was changed.
    fn levels_above(&self, size: u64, report: &mut Report) -> io::Result<()> {
        for level in 1..8 {
            let items = size >> (8 * u32::from(level));
            for index in 0..items.div_ceil(WIDTH) {
                let width = (items - index * WIDTH).min(WIDTH);
                let stored = hashes(&self.copy.tile(Kind::Hashes(level), index)?, width);
                if (stored.len() as u64) < width {
                    let why = format!("it ends after {} of {width} hashes", stored.len());
                    report.findings.push(Finding::Tile(path(level, index), why));
                }
                let computed = self.computed.get(&(level, index)).map(|tile| hashes(tile, width));
                let computed = computed.unwrap_or_default();
                for (place, hash) in stored.iter().enumerate() {
                    let below = index * WIDTH + place as u64;
                    let below = root(&hashes(&self.copy.tile(Kind::Hashes(level - 1), below)?, WIDTH));
                    if *hash != below && computed.get(place) != Some(hash) {
                        report
                            .findings
                            .push(Finding::Tile(path(level, index), format!("hash {place} was changed")));
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares the roots with the checkpoint's. Gives the replay if all stood.
    fn roots(mut self, size: u64, report: &mut Report) -> Option<Replay> {
        if let Some(fault) = self.fault.take() {
            // After a changed entry nothing fits; before one, the fault is its own.
            let known = |f: &Finding| matches!(f, Finding::Entry(n, _) | Finding::EntryOrHash(n) if *n <= fault.number);
            if !report.findings.iter().any(known) {
                report.findings.push(Finding::Entry(fault.number, fault.why));
            }
            return None;
        }
        let (replay, checkpoint) = (self.replay?, self.checkpoint);
        if let Some(checkpoint) = checkpoint {
            let mut wrong = |why: &str| report.findings.push(Finding::Checkpoint(Some(size), why.into()));
            if replay.tree_root() != checkpoint.tree && self.disputes.is_empty() {
                wrong("its tree root is not that of the entries");
            }
            if replay.tree_root() == checkpoint.tree && replay.map_root() != checkpoint.map {
                wrong("its map root is not that of the state which the entries make");
            }
        }
        Some(replay)
    }
}

/// The places where entries and hashes differ. Where one entry's length was changed, all behind it differ; only
/// the first is told then.
fn differing(leaves: &[Digest], stored: &[Digest]) -> Vec<u64> {
    let differs = |i: &usize| leaves[*i] != stored[*i];
    let both = leaves.len().min(stored.len());
    let in_step = (0..both).rev().find(|i| !differs(i)).unwrap_or(0);
    let mut places: Vec<u64> = (0..in_step).filter(differs).map(|i| i as u64).collect();
    places.extend((in_step..both).find(differs).map(|i| i as u64));
    places
}
