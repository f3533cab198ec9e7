// SPDX-License-Identifier: Apache-2.0
//! What a path of the host leads to, by the kernel's numbers. Looked at, never read.
//!
//! policyd sees no devices and nobody's home. What is there is compared by its name here; the hook,
//! which sees all of the host, looks again at every start.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use virtwarden_core::policy::sharing::{Identity, Looked};

/// Looks at a path.
pub fn look(path: &str) -> Looked {
    match std::fs::metadata(path).and_then(|found| Ok((found, std::fs::canonicalize(path)?))) {
        Ok((found, path)) if found.file_type().is_block_device() || found.file_type().is_char_device() => {
            Looked::There { identities: vec![Identity::Device(found.rdev())], path }
        }
        Ok((found, path)) => Looked::There {
            identities: vec![Identity::File { device: found.dev(), inode: found.ino() }],
            path,
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Looked::Absent,
        Err(error) => Looked::Unknown(format!("`{path}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn identities(path: &std::path::Path) -> Vec<Identity> {
        match look(path.to_str().unwrap()) {
            Looked::There { identities, .. } => identities,
            other @ (Looked::Absent | Looked::Unknown(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn links_of_both_kinds_lead_to_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("disk"), "").unwrap();
        fs::write(at("copy"), "").unwrap();
        fs::hard_link(at("disk"), at("hard")).unwrap();
        symlink(at("disk"), at("soft")).unwrap();
        assert_eq!(identities(&at("disk")), identities(&at("hard")));
        assert_eq!(identities(&at("disk")), identities(&at("soft")));
        assert_ne!(identities(&at("disk")), identities(&at("copy")));
        assert_eq!(look(at("gone").to_str().unwrap()), Looked::Absent);
        symlink(at("loop"), at("loop")).unwrap();
        assert!(matches!(look(at("loop").to_str().unwrap()), Looked::Unknown(_)));
    }
}
