// SPDX-License-Identifier: Apache-2.0
//! What a path of the host leads to, by the kernel's numbers; a loop device is its file as well.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use virtwarden_core::policy::sharing::{Identity, Looked};

/// Looks at a path.
pub(crate) fn look(path: &str) -> Looked {
    match fs::metadata(path).and_then(|found| Ok((found, fs::canonicalize(path)?))) {
        Ok((found, path)) => {
            let kind = found.file_type();
            let identities = if kind.is_block_device() {
                [Identity::Device(found.rdev())].into_iter().chain(loop_file(found.rdev())).collect()
            } else if kind.is_char_device() {
                vec![Identity::Device(found.rdev())]
            } else {
                vec![Identity::File { device: found.dev(), inode: found.ino() }]
            };
            Looked::There { identities, path }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Looked::Absent,
        Err(error) => Looked::Unknown(format!("`{path}`: {error}")),
    }
}

/// The file behind a loop device.
fn loop_file(device: u64) -> Option<Identity> {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    let named = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/loop/backing_file")).ok()?;
    let file = fs::metadata(named.trim_end_matches('\n')).ok()?;
    Some(Identity::File { device: file.dev(), inode: file.ino() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_its_number_and_a_file_its_own() {
        let Looked::There { identities, .. } = look("/dev/null") else { panic!("there is one") };
        assert!(matches!(identities.as_slice(), [Identity::Device(_)]), "{identities:?}");
        let Looked::There { identities, .. } = look("/etc/hostname") else { panic!("there is one") };
        assert!(matches!(identities.as_slice(), [Identity::File { .. }]), "{identities:?}");
        assert_eq!(look("/nowhere/at/all"), Looked::Absent);
    }
}
