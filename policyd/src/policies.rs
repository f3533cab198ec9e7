// SPDX-License-Identifier: Apache-2.0
//! The policy in force: read from its directories, replaced whole, never half.

mod trial;
mod unconfirmed;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use virtwarden_core::policy::fault::PolicyError;
use virtwarden_core::policy::{Policy, Source};

pub use self::trial::{End, Trial, TrialError};
use crate::kept::StoreError;

/// A policy file with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// Why no policy was loaded; what was in force stays.
#[derive(Debug)]
pub enum LoadError {
    /// A file or directory cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// Others than root can write to it.
    Unsafe(PathBuf),
    /// There is no policy file at all.
    Nothing,
    /// Mistakes in the files, each already rendered with its line.
    Mistakes(Vec<PolicyError>, String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            LoadError::Unsafe(path) => {
                write!(
                    f,
                    "`{}` can be written by others than root, correct its owner and mode",
                    path.display()
                )
            }
            LoadError::Nothing => f.write_str("there is no policy file"),
            LoadError::Mistakes(_, text) => f.write_str(text),
        }
    }
}

impl std::error::Error for LoadError {}

/// A policy with the files it came from.
#[derive(Debug)]
pub struct InForce {
    /// What decides.
    pub policy: Policy,
    /// Its files, in the order in which they were read.
    pub files: Vec<PolicyFile>,
}

/// The policy in force and where to read it again.
#[derive(Debug)]
pub struct Policies {
    /// From the weakest to the strongest: a file hides files of its name in earlier directories.
    directories: Vec<PathBuf>,
    current: RwLock<Arc<InForce>>,
    trial: Trial,
}

impl Policies {
    /// Reads the policy for the first time.
    ///
    /// # Errors
    /// There is no policy without mistakes; policyd must not serve then.
    pub fn open(directories: Vec<PathBuf>) -> Result<Self, LoadError> {
        let current = RwLock::new(Arc::new(read(&directories)?));
        Ok(Self { directories, current, trial: Trial::default() })
    }

    /// Keeps what is on trial in a file, so that a restart is no confirmation. What an Administrator must know of it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn keeping(mut self, path: &Path) -> Result<(Self, Vec<String>), StoreError> {
        let (trial, before, warnings) = Trial::kept(path, &self.current())?;
        self.trial = trial;
        if let Some(before) = before {
            self.put_in_force(before);
        }
        Ok((self, warnings))
    }

    /// The policy that decides now.
    pub fn current(&self) -> Arc<InForce> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files without putting them in force.
    ///
    /// # Errors
    /// They are not a policy.
    pub fn candidate(&self) -> Result<InForce, LoadError> {
        read(&self.directories)
    }

    /// Puts a policy in force that was read with [`Policies::candidate`].
    pub fn put_in_force(&self, candidate: InForce) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(candidate);
    }

    /// Puts a policy in force that was in force before.
    pub fn put_back(&self, before: Arc<InForce>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = before;
    }

    /// The policy that is on trial, if any.
    pub const fn trial(&self) -> &Trial {
        &self.trial
    }

    /// Reads the files again and puts them in force.
    ///
    /// # Errors
    /// They are not a policy; what was in force stays.
    pub fn reload(&self) -> Result<Arc<InForce>, LoadError> {
        let new = Arc::new(read(&self.directories)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new.clone();
        Ok(new)
    }
}

fn read(directories: &[PathBuf]) -> Result<InForce, LoadError> {
    let mut files = BTreeMap::new();
    for directory in directories {
        for path in listed(directory)? {
            files.insert(path.file_name().map(ToOwned::to_owned), path);
        }
    }
    let files = files.into_values().map(read_file).collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        return Err(LoadError::Nothing);
    }
    let names: Vec<_> = files.iter().map(|file| file.path.display().to_string()).collect();
    let sources: Vec<_> =
        names.iter().zip(&files).map(|(name, file)| Source { name, text: &file.text }).collect();
    match Policy::load(&sources) {
        Ok(policy) => Ok(InForce { policy, files }),
        Err(errors) => {
            let text = errors.iter().map(|error| error.render(&sources)).collect::<Vec<_>>().join("\n");
            Err(LoadError::Mistakes(errors, text))
        }
    }
}

/// The policy files of a directory; one that does not exist has none.
fn listed(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |error| LoadError::Unreadable(directory.to_owned(), error);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    insist_on_root(directory, &std::fs::metadata(directory).map_err(unreadable)?)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(unreadable)?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "toml")).collect())
}

fn read_file(path: PathBuf) -> Result<PolicyFile, LoadError> {
    let mut file = open(&path).map_err(|error| LoadError::Unreadable(path.clone(), error))?;
    let metadata = file.metadata().map_err(|error| LoadError::Unreadable(path.clone(), error))?;
    insist_on_root(&path, &metadata)?;
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) => Ok(PolicyFile { path, text }),
        Err(error) => Err(LoadError::Unreadable(path, error)),
    }
}

/// A pipe in the place of a file must not hold us up.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOCTTY;
    File::options().read(true).custom_flags(flags.bits()).open(path)
}

/// Root's, or our own account's, and nobody else may write.
fn insist_on_root(path: &Path, metadata: &std::fs::Metadata) -> Result<(), LoadError> {
    let own = nix::unistd::geteuid().as_raw();
    let safe = (metadata.uid() == 0 || metadata.uid() == own) && metadata.mode() & 0o022 == 0;
    if safe { Ok(()) } else { Err(LoadError::Unsafe(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ONE: &str = "[role.one]\ncolumn = \"administrator\"\n";
    const TWO: &str = "[role.two]\ncolumn = \"administrator\"\n";

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    fn roles(policies: &Policies) -> Vec<String> {
        policies.current().policy.rules().map(|role| role.name.clone()).collect()
    }

    #[test]
    fn a_file_of_the_host_hides_the_shipped_one_of_its_name() {
        let shipped = directory(&[("90-default.toml", ONE), ("notes.txt", "not policy")]);
        let own = directory(&[("90-default.toml", TWO)]);
        let policies = Policies::open(vec![shipped.path().into(), own.path().into()]).unwrap();
        assert_eq!(roles(&policies), ["two"]);
    }

    #[test]
    fn a_mistake_leaves_the_policy_in_force() {
        let own = directory(&[("50-site.toml", ONE)]);
        let policies = Policies::open(vec![own.path().into()]).unwrap();
        std::fs::write(own.path().join("60-more.toml"), "[role.two]\ncolum = 1\n").unwrap();
        assert!(matches!(policies.reload(), Err(LoadError::Mistakes(..))));
        assert_eq!(roles(&policies), ["one"]);
        std::fs::write(own.path().join("60-more.toml"), TWO).unwrap();
        policies.reload().unwrap();
        assert_eq!(roles(&policies), ["one", "two"]);
    }

    #[test]
    fn a_file_that_others_can_write_is_no_policy() {
        let own = directory(&[("50-site.toml", ONE)]);
        let path = own.path().join("50-site.toml");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(matches!(Policies::open(vec![own.path().into()]), Err(LoadError::Unsafe(_))));
    }

    #[test]
    fn no_file_is_no_policy() {
        let own = directory(&[]);
        assert!(matches!(
            Policies::open(vec![own.path().into(), "/nowhere".into()]),
            Err(LoadError::Nothing)
        ));
    }

    #[test]
    fn the_shipped_policy_loads() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/policy.d");
        assert_eq!(
            roles(&Policies::open(vec![shipped.into()]).unwrap()),
            ["administrator", "host-services", "user"]
        );
    }
}
