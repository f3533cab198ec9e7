// SPDX-License-Identifier: Apache-2.0
//! Whether policyd takes a policy file: root's or its own, written by nobody else, and readable to its account. It does not
//! start with one that is not so.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::User;

use super::files::unreadable;
use crate::exit::Failed;

/// policyd's account.
const ACCOUNT: &str = "virtwarden";

/// Who owns a file, and who may do what with it.
#[derive(Clone, Copy)]
struct Access {
    owner: u32,
    group: u32,
    mode: u32,
}

impl From<&Metadata> for Access {
    fn from(found: &Metadata) -> Self {
        Self { owner: found.uid(), group: found.gid(), mode: found.mode() }
    }
}

/// policyd, as the kernel knows it; nobody where it is not installed.
#[derive(Clone, Copy)]
struct Reader {
    user: u32,
    group: u32,
}

/// Refuses what policyd would refuse, and by what it would not even see.
pub(super) fn insist(path: &Path) -> Result<(), Failed> {
    let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let policyd = User::from_name(ACCOUNT).ok().flatten();
    let policyd = policyd.map(|user| Reader { user: user.uid.as_raw(), group: user.gid.as_raw() });
    match flaw(Access::from(&found), policyd) {
        None => Ok(()),
        Some(flaw) => Err(Failed::error(format!("`{}` {flaw}, correct its owner and mode", path.display()))),
    }
}

fn flaw(access: Access, policyd: Option<Reader>) -> Option<&'static str> {
    let is_own = |reader: Reader| reader.user == access.owner;
    if (access.owner != 0 && !policyd.is_some_and(is_own)) || access.mode & 0o022 != 0 {
        return Some("can be written by others than root");
    }
    let bit = match policyd {
        Some(reader) if reader.user == access.owner => 0o400,
        Some(reader) if reader.group == access.group => 0o040,
        Some(_) | None => 0o004,
    };
    (access.mode & bit == 0).then_some("cannot be read by policyd")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICYD: Reader = Reader { user: 987, group: 986 };

    fn of(owner: u32, group: u32, mode: u32) -> Option<&'static str> {
        flaw(Access { owner, group, mode }, Some(POLICYD))
    }

    #[test]
    fn what_policyd_refuses_is_refused_here() {
        for (owner, mode) in [(1001, 0o644), (1001, 0o600), (0, 0o664), (0, 0o646), (987, 0o622)] {
            assert_eq!(of(owner, 0, mode), Some("can be written by others than root"), "{owner} {mode:o}");
        }
        for (owner, group, mode) in [(0, 0, 0o600), (0, 0, 0o640), (0, 986, 0o604), (987, 0, 0o044)] {
            assert_eq!(of(owner, group, mode), Some("cannot be read by policyd"), "{owner}:{group} {mode:o}");
        }
        for (owner, group, mode) in [(0, 0, 0o644), (0, 986, 0o640), (987, 0, 0o600)] {
            assert_eq!(of(owner, group, mode), None, "{owner}:{group} {mode:o}");
        }
    }

    #[test]
    fn where_policyd_is_not_installed_root_and_everybody_count() {
        let of = |owner, mode| flaw(Access { owner, group: 0, mode }, None);
        assert_eq!(of(0, 0o644), None);
        assert!(of(987, 0o644).is_some() && of(0, 0o640).is_some());
    }
}
