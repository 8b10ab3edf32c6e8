//! Whose requests an insurer's server takes: public keys that its operator put into a folder, a file each (PEM). A file
//! that is added or removed counts within seconds, without a restart.

use super::enrolment::FOLDER;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use suishen_core::{
    identity::request::KeyName,
    sm::{PublicKey, edge},
};

/// The folder within that of the server.
const CLIENTS: &str = "clients";
/// How long the files count as they were last read.
const HOLDS: Duration = Duration::from_secs(2);
/// Most keys.
const MOST: usize = 64;

/// Why a key isn't registered.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// A file.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// Not an SM2 public key.
    #[error("{0} is not an SM2 public key in PEM (BEGIN PUBLIC KEY)")]
    Form(PathBuf),
    /// A name for a file.
    #[error("a client's name is 1 to 40 letters, digits and hyphens")]
    Name,
    /// Taken.
    #[error("a client of this name is registered; remove it first")]
    Taken,
    /// Another key has the name.
    #[error(
        "the client {0} is registered with another key: remove that with `suishen claims key remove {0}` (in the sandbox \
         `suishen claims --sandbox key remove {0}`), or give the file another name"
    )]
    Other(String),
    /// Too many.
    #[error("at most {MOST} clients are registered; remove one first")]
    Full,
    /// Unknown.
    #[error("no client of this name is registered")]
    Unknown,
}

fn read(pem: &Path) -> Result<PublicKey, ClientsError> {
    let text = fs::read_to_string(pem).map_err(|error| ClientsError::File(pem.to_owned(), error))?;
    edge::public_key_from_pem(&text).map_err(|_| ClientsError::Form(pem.to_owned()))
}

fn is_pem(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pem")
}

/// Keys by name.
type Named = Vec<(String, PublicKey)>;

/// The registered keys.
#[derive(Debug)]
pub struct Clients {
    folder: PathBuf,
    read: Mutex<Option<(Instant, Named)>>,
}

impl Clients {
    /// The registered keys of a data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER).join(CLIENTS), read: Mutex::default() }
    }

    fn file(&self, name: &str) -> Result<PathBuf, ClientsError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
            return Err(ClientsError::Name);
        }
        Ok(self.folder.join(format!("{name}.pem")))
    }

    /// Registers the key in this file under a name.
    pub fn add(&self, name: &str, pem: &Path) -> Result<PublicKey, ClientsError> {
        let file = self.file(name)?;
        if file.exists() {
            return Err(ClientsError::Taken);
        }
        if self.list()?.len() >= MOST {
            return Err(ClientsError::Full);
        }
        let key = read(pem)?;
        let written = crate::store::make_folder(&self.folder)
            .and_then(|()| fs::write(&file, edge::public_key_to_pem(&key)));
        written.map_err(|error| ClientsError::File(file, error))?;
        Ok(key)
    }

    /// Registers the key in this file under a name, where it isn't yet. Another key of this name is refused.
    pub fn ensure(&self, name: &str, pem: &Path) -> Result<(), ClientsError> {
        if !self.file(name)?.exists() {
            return self.add(name, pem).map(drop);
        }
        let known = self.list()?.into_iter().find(|(known, _)| known == name).map(|(_, key)| key);
        if known == Some(read(pem)?) { Ok(()) } else { Err(ClientsError::Other(name.to_owned())) }
    }

    /// Removes a key.
    pub fn remove(&self, name: &str) -> Result<(), ClientsError> {
        let file = self.file(name)?;
        match fs::remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ClientsError::Unknown),
            other => other.map_err(|error| ClientsError::File(file, error)),
        }
    }

    /// All of them, by name.
    pub fn list(&self) -> Result<Named, ClientsError> {
        let failed = |error| ClientsError::File(self.folder.clone(), error);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            // An editor's copy and whatever else lies there are no keys.
            let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_pem(&path)) else {
                continue;
            };
            match read(&path) {
                Ok(key) => found.push((name.to_owned(), key)),
                // One file that is no key, or can't be read, takes nothing from the others.
                Err(error) => tracing::warn!(%error, "a client's key is left out"),
            }
        }
        found.sort();
        Ok(found)
    }

    /// The registered key of this name, as a request gives it.
    pub fn find(&self, name: &KeyName) -> Result<Option<PublicKey>, ClientsError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.as_ref().is_none_or(|(at, _)| at.elapsed() > HOLDS) {
            *read = Some((Instant::now(), self.list()?));
        }
        let keys = read.iter().flat_map(|(_, keys)| keys);
        Ok(keys.map(|(_, key)| *key).find(|key| name.names(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use suishen_core::sm::SecretKey;

    #[test]
    fn what_lies_beside_the_keys_or_cannot_be_read_takes_nothing_from_them() {
        let dir = tempfile::tempdir().unwrap();
        let clients = Clients::of(dir.path());
        let key = SecretKey::generate(&mut SystemRandom).public();
        let pem = edge::public_key_to_pem(&key);
        let file = dir.path().join("core.pem");
        fs::write(&file, &pem).unwrap();
        clients.add("core", &file).unwrap();
        let folder = dir.path().join(FOLDER).join(CLIENTS);
        fs::create_dir(folder.join("folder.pem")).unwrap();
        fs::write(folder.join("binary.pem"), [0xff, 0xfe, 0]).unwrap();
        fs::write(folder.join("text.pem"), "no key").unwrap();
        let other = SecretKey::generate(&mut SystemRandom).public();
        for beside in ["removed.pem.bak", "removed.pem~", "removed"] {
            fs::write(folder.join(beside), edge::public_key_to_pem(&other)).unwrap();
        }
        assert_eq!(clients.list().unwrap(), [("core".to_owned(), key)]);
        assert_eq!(clients.find(&key.key_id().into()).unwrap(), Some(key));
        assert_eq!(clients.find(&other.key_id().into()).unwrap(), None);
    }
}
