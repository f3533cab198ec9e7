// SPDX-License-Identifier: Apache-2.0
//! Where a package lies while it is verified and installed: a copy that root alone reaches, taken once. Whatever becomes of
//! the file that was named, what is installed is what was verified.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg, OFlag};

use crate::exit::Failed;

const PLACE: &str = "/var/cache/virtwarden-update";

/// A directory of root's alone, and the lock by which only one update is in it. Emptied at both ends.
pub(super) struct Workplace {
    directory: PathBuf,
    _alone: Flock<File>,
}

impl Workplace {
    /// Takes it.
    pub(super) fn take() -> Result<Self, Failed> {
        Self::at(Path::new(PLACE))
    }

    fn at(place: &Path) -> Result<Self, Failed> {
        let trouble = |error: io::Error| Failed::error(format!("cannot use `{}`: {error}", place.display()));
        match DirBuilder::new().mode(0o700).create(place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(trouble)?,
        }
        let own = nix::unistd::geteuid().as_raw();
        let found = fs::symlink_metadata(place).map_err(trouble)?;
        if !found.is_dir() || found.uid() != own || found.mode() & 0o077 != 0 {
            return Err(Failed::error(format!(
                "`{}` must be a directory of root's alone, mode 0700",
                place.display()
            )));
        }
        let directory = File::open(place).map_err(trouble)?;
        let alone = Flock::lock(directory, FlockArg::LockExclusiveNonblock)
            .map_err(|_| Failed::error("another update is under way; wait until it has ended"))?;
        let workplace = Self { directory: place.to_owned(), _alone: alone };
        workplace.clear();
        Ok(workplace)
    }

    /// Copies a file that somebody names, once, if it is a file and not longer than so.
    pub(super) fn copy(&self, from: &Path, name: &str, longest: u64) -> Result<PathBuf, Failed> {
        let trouble = |error: io::Error| Failed::error(format!("cannot read `{}`: {error}", from.display()));
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let source = OpenOptions::new().read(true).custom_flags(flags.bits()).open(from).map_err(trouble)?;
        if !source.metadata().map_err(trouble)?.is_file() {
            return Err(Failed::error(format!("`{}` is no file", from.display())));
        }
        let path = self.directory.join(name);
        let mut copy =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(trouble)?;
        let length = io::copy(&mut source.take(longest.saturating_add(1)), &mut copy).map_err(trouble)?;
        copy.flush().and_then(|()| copy.sync_all()).map_err(trouble)?;
        if length > longest {
            return Err(Failed::error(format!("`{}` is longer than {longest} bytes", from.display())));
        }
        Ok(path)
    }

    fn clear(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let _the_next_update_tries_again = fs::remove_file(entry.path());
        }
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_was_copied_stays_whatever_becomes_of_the_file() {
        let place = tempfile::tempdir().unwrap();
        let (inside, file) = (place.path().join("work"), place.path().join("a.deb"));
        fs::write(&file, "good").unwrap();
        let workplace = Workplace::at(&inside).unwrap();
        let copy = workplace.copy(&file, "package.deb", 4).unwrap();
        fs::write(&file, "evil").unwrap();
        assert_eq!(fs::read_to_string(&copy).unwrap(), "good");
        assert!(workplace.copy(&file, "package.deb", 4).is_err(), "nothing is written over");
        assert!(workplace.copy(&file, "other", 3).is_err(), "too long");
        assert!(workplace.copy(place.path(), "directory", 9).is_err());
        assert!(Workplace::at(&inside).is_err(), "one at a time");
        drop(workplace);
        assert!(!copy.exists());
    }

    #[test]
    fn a_place_that_others_reach_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Workplace::at(&open).is_err());
        fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&open, place.path().join("link")).unwrap();
        assert!(Workplace::at(&place.path().join("link")).is_err());
    }
}
