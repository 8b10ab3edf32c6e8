//! Secret keys on disk: PEM files (PKCS #8) that only their owner may read, written once and never printed.

use crate::random::SystemRandom;
use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use suishen_core::sm::{SecretKey, edge};

/// Why a key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("could not read or write the key {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not an SM2 key.
    #[error("{0} is not an SM2 private key in PEM")]
    Form(PathBuf),
    /// Others may read it.
    #[error("{0} may be read by others: set its mode to 0600")]
    Open(PathBuf),
}

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Keys(PathBuf);

impl Keys {
    /// The keys in this folder, which is made when the first key is.
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// A folder within.
    #[must_use]
    pub fn folder(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads a key.
    pub fn read(&self, name: &str) -> Result<SecretKey, KeyError> {
        let path = self.file(name);
        let failed = |source| KeyError::File { path: path.clone(), source };
        if fs::metadata(&path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Open(path));
        }
        let pem = fs::read_to_string(&path).map_err(failed)?;
        edge::secret_key_from_pem(&pem).map_err(|_| KeyError::Form(path))
    }

    /// Reads a key, or makes it the first time.
    pub fn read_or_make(&self, name: &str) -> Result<SecretKey, KeyError> {
        if self.file(name).exists() { self.read(name) } else { self.make(name) }
    }

    fn make(&self, name: &str) -> Result<SecretKey, KeyError> {
        let path = self.file(name);
        let key = SecretKey::generate(&mut SystemRandom);
        let written = (|| {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(edge::secret_key_to_pem(&key).as_bytes())?;
            file.sync_all()
        })();
        written.map_err(|source| KeyError::File { path, source })?;
        Ok(key)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name).with_extension("pem")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::new(dir.path().join("keys"));
        let made = keys.read_or_make("gate").unwrap();
        assert_eq!(keys.read_or_make("gate").unwrap().public(), made.public());
        let file = dir.path().join("keys/gate.pem");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(keys.read("gate"), Err(KeyError::Open(_))));
    }
}
