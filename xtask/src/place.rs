//! Where things are: the repository, its target folders, and what is built into them.

use std::path::{Path, PathBuf};

/// The folders that a build reads and writes.
pub struct Place {
    /// The repository.
    pub root: PathBuf,
    /// Native builds.
    pub target: PathBuf,
    /// wasm builds: a folder of their own, for they may come from another compiler.
    pub target_wasm: PathBuf,
}

impl Place {
    /// The repository that this program was built from. `CARGO_TARGET_DIR` moves both target folders.
    pub fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies one folder below the repository's root")
            .to_path_buf();
        let (target, target_wasm) = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => {
                let target = root.join(dir);
                let mut wasm = target.clone().into_os_string();
                wasm.push("-wasm");
                (target, PathBuf::from(wasm))
            }
            None => (root.join("target"), root.join("target-wasm")),
        };
        Self { root, target, target_wasm }
    }

    /// What the relay serves to browsers.
    pub fn web_dist(&self) -> PathBuf {
        self.target.join("web-dist")
    }

    /// The relay's binary of the development profile.
    pub fn relay_binary(&self) -> PathBuf {
        self.target.join("debug/suishen")
    }

    /// npm packages that builds and tests use, never shipped.
    pub fn npm(&self) -> PathBuf {
        self.target.join("npm")
    }
}
