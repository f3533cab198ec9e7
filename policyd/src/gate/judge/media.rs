// SPDX-License-Identifier: Apache-2.0
//! Whether a path names a medium of a library: the file that is judged is the file that is used.
//!
//! Users cannot write to a library nor to any directory above it, and no component may be a symbolic link,
//! so what the path names cannot change between this look and libvirtd's.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

/// Why a path is not a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotMedium {
    /// It is not a plain name directly below a library directory.
    Elsewhere(String),
    /// It does not exist, or a component is a symbolic link or cannot be entered.
    Unreachable(String),
    /// Somebody other than root could change this directory.
    Changeable(PathBuf),
    /// It is not a regular file.
    Irregular(String),
}

impl fmt::Display for NotMedium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotMedium::Elsewhere(path) => {
                write!(f, "`{path}` is not in a media library, ask an administrator to put it there")
            }
            NotMedium::Unreachable(path) => write!(f, "there is no medium `{path}`"),
            NotMedium::Changeable(path) => {
                write!(f, "the media library is not safe: others than root may write to `{}`", path.display())
            }
            NotMedium::Irregular(path) => write!(f, "`{path}` is not a regular file"),
        }
    }
}

/// Checks that `path` is a regular file directly below one of the `libraries`.
///
/// # Errors
/// Why it is not.
pub fn check(path: &str, libraries: &[PathBuf]) -> Result<(), NotMedium> {
    let (directory, name) = split(path).ok_or_else(|| NotMedium::Elsewhere(path.to_owned()))?;
    if !libraries.iter().any(|library| library.as_path() == directory) {
        return Err(NotMedium::Elsewhere(path.to_owned()));
    }
    let library = enter(directory, path)?;
    let file = open(&library, name, OFlags::PATH).ok_or_else(|| NotMedium::Unreachable(path.to_owned()))?;
    match fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::RegularFile) => Ok(()),
        _ => Err(NotMedium::Irregular(path.to_owned())),
    }
}

/// Whether a directory, with all above it, is one that only root may change.
pub fn is_safe_directory(directory: &Path) -> bool {
    enter(directory, "").is_ok()
}

/// An absolute path, spelled in the one plain way, as directory and name.
fn split(path: &str) -> Option<(&Path, &str)> {
    let (directory, name) = path.rsplit_once('/')?;
    let plain = path.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
    (path.starts_with('/') && plain).then_some((Path::new(directory), name))
}

/// Walks down to a directory that, with all above it, only root may change.
fn enter(directory: &Path, path: &str) -> Result<OwnedFd, NotMedium> {
    let unreachable = || NotMedium::Unreachable(path.to_owned());
    let mut here = openat(CWD, "/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|_| unreachable())?;
    let mut walked = PathBuf::from("/");
    insist_on_root(&here, &walked)?;
    for component in directory.components() {
        if let Component::Normal(name) = component {
            walked.push(name);
            here = open(&here, name, OFlags::PATH | OFlags::DIRECTORY).ok_or_else(unreachable)?;
            insist_on_root(&here, &walked)?;
        }
    }
    Ok(here)
}

fn open(directory: &OwnedFd, name: impl rustix::path::Arg, flags: OFlags) -> Option<OwnedFd> {
    openat(directory, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Root's, or our own account's, and nobody but that account's group may write.
fn insist_on_root(directory: &OwnedFd, walked: &Path) -> Result<(), NotMedium> {
    let (own, group) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    let safe = |stat: &rustix::fs::Stat| {
        let closed = if stat.st_gid == group { 0o002 } else { 0o022 };
        (stat.st_uid == 0 || stat.st_uid == own) && stat.st_mode & closed == 0
    };
    match fstat(directory) {
        Ok(stat) if safe(&stat) => Ok(()),
        _ => Err(NotMedium::Changeable(walked.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A library below a directory that only root may change; none where the tests do not run as root.
    fn library() -> Option<tempfile::TempDir> {
        let base = Path::new("/var/lib");
        let library = tempfile::Builder::new().prefix("virtwarden-media-").tempdir_in(base).ok()?;
        std::fs::set_permissions(library.path(), PermissionsExt::from_mode(0o755)).ok()?;
        std::fs::write(library.path().join("disc.iso"), "disc").ok()?;
        Some(library)
    }

    fn verdict(library: &tempfile::TempDir, name: &str) -> Result<(), NotMedium> {
        let path = format!("{}/{name}", library.path().display());
        check(&path, &[library.path().to_owned()])
    }

    #[test]
    fn a_plain_file_in_the_library_is_a_medium() {
        let Some(library) = library() else { return };
        assert_eq!(verdict(&library, "disc.iso"), Ok(()));
    }

    #[test]
    fn what_is_not_directly_in_the_library_is_none() {
        let Some(library) = library() else { return };
        let libraries = [library.path().to_owned()];
        for path in ["/etc/shadow", "disc.iso", "", "/", "/var/lib/../lib/disc.iso"] {
            assert!(matches!(check(path, &libraries), Err(NotMedium::Elsewhere(_))), "{path}");
        }
        for name in ["../shadow", "./disc.iso", "/disc.iso", "disc.iso/", "sub/disc.iso"] {
            assert!(matches!(verdict(&library, name), Err(NotMedium::Elsewhere(_))), "{name}");
        }
    }

    #[test]
    fn links_devices_and_directories_are_no_media() {
        let Some(library) = library() else { return };
        symlink("/etc/shadow", library.path().join("link.iso")).unwrap();
        std::fs::create_dir(library.path().join("directory.iso")).unwrap();
        let pipe = library.path().join("pipe.iso");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        for name in ["link.iso", "directory.iso", "pipe.iso"] {
            assert!(matches!(verdict(&library, name), Err(NotMedium::Irregular(_))), "{name}");
        }
        assert!(matches!(verdict(&library, "absent.iso"), Err(NotMedium::Unreachable(_))));
    }

    #[test]
    fn a_library_that_others_may_write_to_is_none() {
        let Some(library) = library() else { return };
        std::fs::set_permissions(library.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(verdict(&library, "disc.iso"), Err(NotMedium::Changeable(library.path().to_owned())));
    }

    #[test]
    fn a_library_behind_a_link_is_none() {
        let Some(library) = library() else { return };
        let link = library.path().with_extension("link");
        symlink(library.path(), &link).unwrap();
        let verdict = check(&format!("{}/disc.iso", link.display()), std::slice::from_ref(&link));
        std::fs::remove_file(&link).unwrap();
        assert!(matches!(verdict, Err(NotMedium::Unreachable(_))));
    }
}
