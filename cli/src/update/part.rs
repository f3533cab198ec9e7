// SPDX-License-Identifier: Apache-2.0
//! The parts of the virtualization system, as packages.

use serde::Serialize;

use super::program;
use crate::exit::Failed;

/// How the names of its packages begin, and what each part is.
const PARTS: &[(&str, &str)] = &[
    ("libvirt-daemon", "libvirt"),
    ("libvirt0", "libvirt"),
    ("libvirt-clients", "libvirt"),
    ("libvirt-common", "libvirt"),
    ("qemu-system", "emulator"),
    ("qemu-utils", "emulator"),
    ("qemu-block", "emulator"),
    ("ovmf", "firmware"),
    ("seabios", "firmware"),
    ("ipxe-qemu", "firmware"),
    ("swtpm", "emulator"),
    ("virtiofsd", "emulator"),
    ("passt", "emulator"),
    ("linux-image-", "kernel"),
    ("virtwarden", "Virtwarden"),
    ("libpam-virtwarden", "Virtwarden"),
];

/// A package that is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    /// What it is.
    pub(super) part: &'static str,
    /// Its package.
    pub(super) package: String,
    /// The version that is installed.
    pub(super) installed: String,
}

/// What is installed.
pub(super) fn installed() -> Result<Vec<Part>, Failed> {
    let format = "--showformat=${Package} ${Version} ${db:Status-Status}\\n";
    let listed = program::run("dpkg-query", &["--show", format])?;
    let mut parts: Vec<_> = listed.lines().filter_map(part).collect();
    parts.sort_by(|one, other| (one.part, &one.package).cmp(&(other.part, &other.package)));
    Ok(parts)
}

fn part(line: &str) -> Option<Part> {
    let mut words = line.split(' ');
    let (package, version) = (words.next()?, words.next()?);
    (words.next() == Some("installed")).then_some(())?;
    let part = PARTS.iter().find(|(begins, _)| package.starts_with(begins))?.1;
    Some(Part { part, package: package.to_owned(), installed: version.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_packages_that_are_installed_and_nothing_else() {
        let of = |line| part(line).map(|part| (part.part, part.installed));
        assert_eq!(of("qemu-system-x86 1:10.0.2 installed"), Some(("emulator", "1:10.0.2".to_owned())));
        assert_eq!(of("qemu-system-x86 1:10.0.2 config-files"), None);
        assert_eq!(of("bash 5.2 installed"), None);
        assert_eq!(of("half"), None);
    }
}
