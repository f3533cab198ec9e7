// SPDX-License-Identifier: Apache-2.0
//! The sealing key on disk: made at the first start, followed by a new one on demand.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use virtwarden_core::trail::key::{KeyError, KeyId, PublicKey, SigningKey};

use crate::trail::config::Config;
use crate::trail::error::TrailError;

/// Where the keys are.
#[derive(Debug)]
pub(super) struct KeyFiles {
    private: PathBuf,
    next: PathBuf,
    public: PathBuf,
}

impl KeyFiles {
    pub(super) fn new(config: &Config) -> Self {
        let private = config.key();
        Self { next: private.with_extension("key.next"), private, public: config.public_key() }
    }

    /// Makes the first key of a new trail, or reads the one there is.
    pub(super) fn first(&self) -> Result<SigningKey, TrailError> {
        let key = if self.private.try_exists().map_err(TrailError::file(&self.private))? {
            self.read(&self.private)?
        } else {
            let key = SigningKey::generate().map_err(|cause| self.unusable(&cause))?;
            self.write(&self.private, &key)?;
            key
        };
        self.publish(&key.public())?;
        Ok(key)
    }

    /// The key that seals a trail at its end. A change of keys that was interrupted is completed.
    pub(super) fn current(&self, sealing: KeyId) -> Result<SigningKey, TrailError> {
        match self.read(&self.next) {
            Ok(next) if next.public().id() == sealing => self.adopt_next(&next.public())?,
            Ok(_) | Err(_) => {}
        }
        if !self.private.try_exists().map_err(TrailError::file(&self.private))? {
            return Err(TrailError::KeyMissing(self.private.clone()));
        }
        let key = self.read(&self.private)?;
        if key.public().id() != sealing {
            return Err(TrailError::Key(
                self.private.clone(),
                "it is not the one that sealed the trail".into(),
            ));
        }
        self.publish(&key.public())?;
        Ok(key)
    }

    /// Makes the key that is to follow and keeps it beside the present one.
    pub(super) fn prepare_next(&self) -> Result<SigningKey, TrailError> {
        let key = SigningKey::generate().map_err(|cause| self.unusable(&cause))?;
        self.write(&self.next, &key)?;
        Ok(key)
    }

    /// Puts the following key in the place of the present one.
    pub(super) fn adopt_next(&self, public: &PublicKey) -> Result<(), TrailError> {
        fs::rename(&self.next, &self.private).map_err(TrailError::file(&self.next))?;
        self.publish(public)
    }

    fn read(&self, path: &Path) -> Result<SigningKey, TrailError> {
        let file = File::open(path).and_then(|file| Ok((file.metadata()?.mode(), io::read_to_string(file)?)));
        let (mode, pem) = file.map_err(TrailError::file(path))?;
        if mode & 0o077 != 0 {
            return Err(TrailError::Key(path.to_owned(), "others may read it; set its mode to 0600".into()));
        }
        SigningKey::from_pem(pem.as_bytes()).map_err(|cause| self.unusable(&cause))
    }

    fn write(&self, path: &Path, key: &SigningKey) -> Result<(), TrailError> {
        let pem = key.to_pem().map_err(|cause| self.unusable(&cause))?;
        replace(path, &pem, 0o600).map_err(TrailError::file(path))
    }

    /// Adds a key to the public ones, which are kept in the order of their use.
    fn publish(&self, key: &PublicKey) -> Result<(), TrailError> {
        let mut pem = fs::read(&self.public).or_else(none_yet).map_err(TrailError::file(&self.public))?;
        let added = key.to_pem().map_err(|cause| self.unusable(&cause))?;
        if pem.windows(added.len()).any(|block| block == added) {
            return Ok(());
        }
        pem.extend(added);
        replace(&self.public, &pem, 0o644).map_err(TrailError::file(&self.public))
    }

    fn unusable(&self, cause: &KeyError) -> TrailError {
        TrailError::Key(self.private.clone(), cause.to_string().into())
    }
}

fn none_yet(cause: io::Error) -> io::Result<Vec<u8>> {
    if cause.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(cause) }
}

/// Puts a file in place whole or not at all, durably.
pub(super) fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
