//! A disk that loses, tears and reorders what wasn't synced; a crash at every sync, and again in recovery.

use super::*;
use crate::replica::replay::Replay;
use std::io;

const SECTOR: usize = 512;

/// A disk whose content survives a crash only as far as it was synced.
#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// As it reads.
    now: Vec<u8>,
    /// As it was at the last sync.
    synced: Vec<u8>,
    /// Written since.
    pending: Vec<(usize, Vec<u8>)>,
    /// Syncs until the power goes.
    left: Option<u64>,
    syncs: u64,
    dead: bool,
}

impl Disk {
    fn new(content: Vec<u8>, left: Option<u64>) -> Self {
        let platter = Platter { now: content.clone(), synced: content, left, ..Platter::default() };
        Self(Arc::new(Mutex::new(platter)))
    }

    fn alive<T>(&self, act: impl FnOnce(&mut Platter) -> T) -> io::Result<T> {
        let mut platter = self.0.lock().unwrap();
        if platter.dead { Err(io::Error::other("the power is gone")) } else { Ok(act(&mut platter)) }
    }

    fn is_dead(&self) -> bool {
        self.0.lock().unwrap().dead
    }

    fn syncs(&self) -> u64 {
        self.0.lock().unwrap().syncs
    }

    /// What is on the disk when the power comes back: of the sectors written since the last sync, some.
    fn after_crash(&self, seed: u64) -> Vec<u8> {
        let platter = self.0.lock().unwrap();
        let mut content = platter.synced.clone();
        // The length may have grown, or not.
        if Digest::of(&seed.to_be_bytes()).as_bytes()[31] & 1 == 1 && platter.now.len() > content.len() {
            content.resize(platter.now.len(), 0);
        }
        let mut coin = 0_u64;
        for (offset, bytes) in &platter.pending {
            for (i, sector) in bytes.chunks(SECTOR).enumerate() {
                coin += 1;
                let kept = Digest::of(&[seed.to_be_bytes(), coin.to_be_bytes()].concat()).as_bytes()[0];
                let start = offset + i * SECTOR;
                if kept & 1 == 1 && start + sector.len() <= content.len() {
                    content[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        content
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.alive(|p| p.now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.alive(|p| out.copy_from_slice(&p.now[start..start + out.len()]))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.alive(|p| p.now.resize(usize::try_from(len).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.alive(|p| {
            p.syncs += 1;
            if p.left == Some(0) {
                p.dead = true;
                return Err(io::Error::other("the power went"));
            }
            p.left = p.left.map(|left| left - 1);
            p.synced.clone_from(&p.now);
            p.pending.clear();
            Ok(())
        })?
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.alive(|p| {
            p.now[start..start + data.len()].copy_from_slice(data);
            p.pending.push((start, data.to_vec()));
        })
    }
}

const BATCHES: usize = 4;

fn batches() -> Vec<Vec<SignedTransaction>> {
    (0..BATCHES)
        .map(|n| {
            let (_, issue, revoke) = grant(&n.to_string());
            vec![open_holder(&n.to_string()), issue, revoke]
        })
        .collect()
}

/// Founds and fills a ledger until the power goes. Gives how many entries were acknowledged.
fn work(disk: &Disk, batches: &[Vec<SignedTransaction>]) -> u64 {
    let Ok(replica) = Replica::create_on(disk.clone(), &genesis(), key("cosigner"), FOUNDED) else {
        return 0;
    };
    for batch in batches {
        if replica.append(&accept(&replica.published(), batch)).is_err() {
            break;
        }
    }
    replica.published().size()
}

/// Opens after a crash and checks all against a replay; goes on with one more entry.
fn check(content: Vec<u8>, acknowledged: u64, what: &str) -> bool {
    let replica = match Replica::open_on(Disk::new(content, None), key("cosigner"), FOUNDED) {
        Ok(replica) => replica,
        // Not founded yet: a file of half a ledger never gets a ledger's name.
        Err(_) if acknowledged == 0 => return false,
        Err(error) => panic!("{what}: {error}"),
    };
    let published = replica.published();
    assert!(published.size() >= acknowledged, "{what}: {} of {acknowledged}", published.size());
    // Batches are whole or not there.
    assert_eq!((published.size() - 1) % 3, 0, "{what}");
    let mut replay = Replay::new(&published.snapshot().entry(0).unwrap().unwrap()).unwrap();
    let entries: Vec<_> =
        (1..published.size()).map(|n| published.snapshot().entry(n).unwrap().unwrap()).collect();
    replay.take(&entries).unwrap();
    assert_eq!(replay.tree_root(), published.checkpoint().tree, "{what}");
    assert_eq!(replay.map_root(), published.checkpoint().map, "{what}");
    replica.append(&accept(&published, &[open_holder("after")])).unwrap();
    verified(&replica.published());
    published.size() > acknowledged
}

#[test]
fn no_crash_at_any_sync_loses_what_was_acknowledged_or_leaves_half() {
    let batches = batches();
    let whole = Disk::new(Vec::new(), None);
    let all = 1 + 3 * BATCHES as u64;
    assert_eq!(work(&whole, &batches), all);
    let (points, mut lost, mut early) = (whole.syncs(), 0, 0);
    assert!(points > 2 * BATCHES as u64, "two-phase commits sync more than once: {points}");
    for crash in 0..points {
        let disk = Disk::new(Vec::new(), Some(crash));
        let acknowledged = work(&disk, &batches);
        assert!(disk.is_dead() && acknowledged <= all);
        lost += u64::from(acknowledged < all);
        for seed in 0..3 {
            early +=
                u64::from(check(disk.after_crash(seed), acknowledged, &format!("sync {crash}, seed {seed}")));
        }
    }
    // The cases that the test is about did occur.
    assert!(lost > 0 && early > 0, "{lost} {early}");
}

#[test]
fn a_crash_during_recovery_loses_nothing_either() {
    let batches = batches();
    let whole = Disk::new(Vec::new(), None);
    work(&whole, &batches);
    let mut crashed_again = 0;
    for crash in (0..whole.syncs()).step_by(2) {
        let disk = Disk::new(Vec::new(), Some(crash));
        let acknowledged = work(&disk, &batches);
        for again in 0..4 {
            let recovering = Disk::new(disk.after_crash(crash), Some(again));
            let opened = Replica::open_on(recovering.clone(), key("cosigner"), FOUNDED).map(drop);
            crashed_again += u64::from(recovering.is_dead());
            assert!(opened.is_ok() || recovering.is_dead() || acknowledged == 0);
            for seed in 0..2 {
                let what = format!("sync {crash}, again at {again}, seed {seed}");
                check(recovering.after_crash(seed), acknowledged, &what);
            }
        }
    }
    assert!(crashed_again > 0);
}
