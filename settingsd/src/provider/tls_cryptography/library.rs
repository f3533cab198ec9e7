// SPDX-License-Identifier: Apache-2.0
//! Which library of TLS is behind libldap, with which sssd asks a directory: they are configured in different ways.

use crate::host::Host;

const LDD: &str = "/usr/bin/ldd";
/// Libraries, below directories that are called after the machine.
const LIBRARIES: &str = "/usr/lib";

/// A library of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// Debian 13 and later.
    OpenSsl,
    /// Debian 12.
    GnuTls,
}

/// What libldap of this host is linked with; without one, what later ones are.
///
/// # Errors
/// It is linked with neither.
pub(super) fn of_directory(host: &Host) -> Result<Library, String> {
    let machines = host.names(LIBRARIES).into_iter().map(|machine| format!("{LIBRARIES}/{machine}"));
    let libraries = machines.flat_map(|directory| {
        let names = host.names(&directory).into_iter().filter(|name| is_libldap(name));
        names.map(move |name| format!("{directory}/{name}")).collect::<Vec<_>>()
    });
    libraries.last().map_or(Ok(Library::OpenSsl), |path| linked(&host.must(&[LDD, &path])?, &path))
}

/// `libldap.so.2` or `libldap-2.5.so.0`.
fn is_libldap(name: &str) -> bool {
    let rest = name.strip_prefix("libldap").unwrap_or_default();
    rest.starts_with(".so.") || (rest.starts_with("-2.") && rest.contains(".so."))
}

fn linked(said: &str, path: &str) -> Result<Library, String> {
    match (said.contains("libssl.so"), said.contains("libgnutls.so")) {
        (true, false) => Ok(Library::OpenSsl),
        (false, true) => Ok(Library::GnuTls),
        (true, true) | (false, false) => {
            Err(format!("`{path}` has neither OpenSSL nor GnuTLS alone for TLS"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_known_by_its_name_and_by_what_it_is_linked_with() {
        for (name, expected) in [
            ("libldap.so.2", true),
            ("libldap-2.5.so.0", true),
            ("libldap.so", false),
            ("libldap_r-2.4.so.2", false),
            ("liblber.so.2", false),
        ] {
            assert_eq!(is_libldap(name), expected, "{name}");
        }
        assert_eq!(linked("libssl.so.3 => /lib/libssl.so.3", "x"), Ok(Library::OpenSsl));
        assert_eq!(linked("libgnutls.so.30 => /lib/libgnutls.so.30", "x"), Ok(Library::GnuTls));
        assert!(linked("libc.so.6", "x").is_err());
    }
}
