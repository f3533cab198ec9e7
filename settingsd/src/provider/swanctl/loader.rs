// SPDX-License-Identifier: Apache-2.0
//! The loader that a program is begun by. Called by its own name, with the program behind it, the program runs as if it
//! were a part of settingsd: Debian's AppArmor profile of swanctl lets it read its own files and talk to charon, and to
//! nobody else. systemd's limits of settingsd hold all the same.

use crate::host::Host;

const LDD: &str = "/usr/bin/ldd";

/// The loader of a program of this machine, as the program itself names it.
///
/// # Errors
/// It names none.
pub(super) fn of(host: &Host, program: &str) -> Result<String, String> {
    named(&host.must(&[LDD, program])?).ok_or_else(|| format!("`{program}` names no loader"))
}

/// The one line that is a path from the beginning.
fn named(said: &str) -> Option<String> {
    let paths = said.lines().filter_map(|line| line.split_whitespace().next());
    paths.into_iter().find(|word| word.starts_with('/') && word.contains("/ld-linux")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_by_its_place_and_name() {
        let libraries = "\tlinux-vdso.so.1 (0x1)\n\tlibvici.so.0 => /usr/lib/ipsec/libvici.so.0 (0x2)\n";
        for loader in ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"] {
            assert_eq!(named(&format!("{libraries}\t{loader} (0x3)\n")).as_deref(), Some(loader));
        }
        assert_eq!(named(libraries), None);
        assert_eq!(named("\tnot a dynamic executable\n"), None);
    }
}
