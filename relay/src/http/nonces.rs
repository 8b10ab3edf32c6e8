//! Nonces of signed requests, remembered until a request with them would be too old anyway, over a restart too.
//!
//! The file holds digests of key and nonce, so it names nobody. Each use is written before it is acknowledged, and
//! synced every few seconds: the end of the process forgets nothing, a power cut at most those seconds.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use suishen_core::{
    identity::request::REPLAY_WINDOW,
    sm::{Digest, Label, PublicKey},
};

/// Bytes of a row: a digest, and until when it counts.
const ROW: usize = 40;
const USED: Label = Label::new("used-nonce");

/// Nonces that were used.
#[derive(Debug)]
pub struct Nonces(Mutex<Used>);

#[derive(Debug)]
struct Used {
    until: HashMap<Digest, u64>,
    path: PathBuf,
    file: File,
    synced: bool,
}

impl Nonces {
    /// Reads what was used before `now` and still counts; makes the file where there is none.
    pub fn open(path: &Path, now: u64) -> io::Result<Self> {
        let rows = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let mut until: HashMap<_, _> = rows.chunks_exact(ROW).filter_map(read).collect();
        until.retain(|_, until| *until > now);
        let file = rewrite(path, &until)?;
        Ok(Self(Mutex::new(Used { until, path: path.to_owned(), file, synced: true })))
    }

    /// Whether a nonce is new; it isn't any more afterwards.
    pub fn is_new(&self, key: &PublicKey, nonce: [u8; 16], now: u64) -> io::Result<bool> {
        let id = Digest::labelled(USED, &[key.as_bytes(), &nonce]);
        // The last second of the window counts too.
        let end = now.saturating_add(2 * REPLAY_WINDOW + 1);
        let mut used = self.used();
        if used.until.get(&id).is_some_and(|until| *until > now) {
            return Ok(false);
        }
        let row = [id.as_bytes().as_slice(), &end.to_be_bytes()].concat();
        if let Err(error) = used.file.write_all(&row) {
            // Perhaps half of it is there: begin anew, so that the rows after it can be read.
            used.file = rewrite(&used.path, &used.until)?;
            return Err(error);
        }
        used.synced = false;
        used.until.insert(id, end);
        Ok(true)
    }

    /// Makes what was used durable.
    pub fn sync(&self) -> io::Result<()> {
        let file = {
            let mut used = self.used();
            if std::mem::replace(&mut used.synced, true) {
                return Ok(());
            }
            used.file.try_clone()?
        };
        file.sync_data()
    }

    /// Forgets what is too old.
    pub fn expire(&self, now: u64) -> io::Result<()> {
        let mut used = self.used();
        used.until.retain(|_, until| *until > now);
        used.file = rewrite(&used.path, &used.until)?;
        used.synced = true;
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(row: &[u8]) -> Option<(Digest, u64)> {
    let (id, until) = row.split_first_chunk::<32>()?;
    Some((Digest::from_bytes(*id), u64::from_be_bytes(until.try_into().ok()?)))
}

/// The file anew, in one step: whole before or whole after.
fn rewrite(path: &Path, until: &HashMap<Digest, u64>) -> io::Result<File> {
    let new = path.with_extension("new");
    let rows: Vec<u8> = until
        .iter()
        .flat_map(|(id, until)| id.as_bytes().iter().copied().chain(until.to_be_bytes()))
        .collect();
    fs::write(&new, rows)?;
    let file = OpenOptions::new().append(true).open(&new)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use suishen_core::sm::SecretKey;

    fn key(n: u8) -> PublicKey {
        SecretKey::from_bytes(&[n; 32]).unwrap().public()
    }

    #[test]
    fn a_nonce_counts_once_for_its_key_until_its_request_is_too_old() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nonces");
        let nonces = Nonces::open(&path, 1000).unwrap();
        let new = |nonces: &Nonces, k, n: u8, now| nonces.is_new(&key(k), [n; 16], now).unwrap();
        assert!(new(&nonces, 1, 1, 1000) && new(&nonces, 1, 2, 1000) && new(&nonces, 2, 1, 1000));
        // Signed ahead by the whole window, it holds for twice as long, the last second included.
        assert!(!new(&nonces, 1, 1, 1000 + 2 * REPLAY_WINDOW));
        drop(nonces);

        let nonces = Nonces::open(&path, 1001).unwrap();
        assert!(!new(&nonces, 1, 1, 1001) && !new(&nonces, 2, 1, 1001) && new(&nonces, 3, 1, 1100));
        nonces.expire(1000 + 2 * REPLAY_WINDOW + 1).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), ROW as u64);
        assert!(!new(&nonces, 3, 1, 1101) && new(&nonces, 4, 1, 1101), "the rewritten file goes on");
        nonces.sync().unwrap();
        // Half a row, as a power cut leaves it.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&[7; ROW / 2]).unwrap();
        let nonces = Nonces::open(&path, 1102).unwrap();
        assert!(!new(&nonces, 3, 1, 1102) && !new(&nonces, 4, 1, 1102) && new(&nonces, 5, 1, 1102));
        assert!(!new(&Nonces::open(&path, 1103).unwrap(), 5, 1, 1103));
    }
}
