// SPDX-License-Identifier: Apache-2.0
//! Which TLS the connections take that other settings bring about: to the audit server, by rsyslog with OpenSSL, and to
//! the directory, by sssd with OpenSSL or, on Debian 12, GnuTLS. Named suites. Row 11.
//!
//! Both libraries take it from the environment of the unit, so that it holds in whichever order settings are set.

mod library;
mod suite;

use virtwarden_core::setting::{SettingName, TlsCryptography};

use self::library::Library;
use self::suite::Suite;
use super::{Derived, Provider, Rendered, sshd};
use crate::host::Host;
use crate::program::Input;

const OPENSSL: &str = "/usr/bin/openssl";
/// Gives a program of the host a variable; it has none of ours.
const ENV: &str = "/usr/bin/env";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const SSSD: &str = "/usr/sbin/sssd";
/// Where sssd's files are, and its option that counts before the environment.
const SSSD_FILES: (&str, &str) = ("/etc/sssd/conf.d", "ldap_tls_cipher_suite");

const CONFIGURATION: &str = "/etc/virtwarden/tls-cryptography/openssl.cnf";

/// A unit that is told by its environment.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    name: &'static str,
    /// The drop-in that tells it.
    path: &'static str,
}

const AUDIT_SERVER: Unit = Unit {
    name: "virtwarden-audit-server.service",
    path: "/etc/systemd/system/virtwarden-audit-server.service.d/50-virtwarden-tls.conf",
};
const DIRECTORY: Unit =
    Unit { name: "sssd.service", path: "/etc/systemd/system/sssd.service.d/50-virtwarden-tls.conf" };
/// What asks the directory before it is set.
const QUESTION: Unit = Unit {
    name: "virtwarden-directory-question.service",
    path: "/etc/systemd/system/virtwarden-directory-question.service.d/50-virtwarden-tls.conf",
};

/// The cryptography's files.
pub(crate) struct TlsCryptographyFiles;

impl Provider for TlsCryptographyFiles {
    type Value = TlsCryptography;
    const NAME: SettingName = SettingName::TlsCryptography;
    const FILES: &'static [&'static str] = &[CONFIGURATION, AUDIT_SERVER.path, DIRECTORY.path, QUESTION.path];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, _value: &TlsCryptography) -> Result<(), String> {
        if host.has(OPENSSL) {
            Ok(())
        } else {
            Err("suites are checked by OpenSSL's command; install openssl".to_owned())
        }
    }

    fn render(host: &Host, value: &TlsCryptography) -> Result<Vec<Rendered>, String> {
        let Some(suite) = suite::of(value.suite) else { return Ok(Vec::new()) };
        let drop_in = |(unit, variable): (Unit, String)| Rendered {
            path: unit.path,
            text: format!("{}[Service]\nEnvironment={variable}\n", sshd::HEAD),
        };
        let text = format!("{}{}", sshd::HEAD, suite.openssl());
        let configuration = Rendered { path: CONFIGURATION, text };
        let units = variables(host, &suite)?.into_iter().map(drop_in);
        Ok(std::iter::once(configuration).chain(units).collect())
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        let ours = rendered.iter().find(|file| file.path == CONFIGURATION);
        ours.map_or(Ok(()), |file| {
            host.with_candidate(&file.text, |path| ciphers(host, path))
                .map(drop)
                .map_err(|why| format!("OpenSSL does not take the suite: {why}"))
        })
    }

    /// What does not run takes it when it starts.
    fn take_effect(host: &Host) -> Result<(), String> {
        host.must(&[SYSTEMCTL, "daemon-reload"])?;
        let units = [Some(AUDIT_SERVER.name), host.has(SSSD).then_some(DIRECTORY.name)];
        units.into_iter().flatten().try_for_each(|unit| {
            let _unknown = host.run(&[SYSTEMCTL, "reset-failed", unit], Input::Nothing);
            host.must(&[SYSTEMCTL, "try-restart", unit]).map(drop)
        })
    }

    fn read_back(host: &Host, value: &TlsCryptography) -> Vec<String> {
        let Some(suite) = suite::of(value.suite) else { return Vec::new() };
        let taken = match ciphers(host, CONFIGURATION) {
            Ok(ciphers) if ciphers == suite.ciphers => None,
            Ok(ciphers) => Some(format!("OpenSSL takes {ciphers} by `{CONFIGURATION}`")),
            Err(why) => Some(why),
        };
        let told = match variables(host, &suite) {
            Ok(variables) => variables
                .into_iter()
                .filter_map(|(unit, variable)| is_told(host, unit, &variable).err())
                .collect(),
            Err(why) => vec![why],
        };
        taken.into_iter().chain(told).collect()
    }

    fn remarks(host: &Host, value: &TlsCryptography) -> Vec<String> {
        if suite::of(value.suite).is_none() {
            return Vec::new();
        }
        let (directory, option) = SSSD_FILES;
        let files = host.names(directory).into_iter().map(|name| format!("{directory}/{name}"));
        let found = files.filter_map(|path| match host.text(&path) {
            Ok(text) => text
                .unwrap_or_default()
                .lines()
                .any(|line| line.trim_start().starts_with(option))
                .then(|| {
                    format!(
                        "`{path}` has an {option} of its own, which sssd takes instead; take that line out"
                    )
                }),
            Err(why) => Some(why),
        });
        found.collect()
    }
}

/// Which unit gets which variable.
///
/// # Errors
/// It cannot be told which library asks the directory.
fn variables(host: &Host, suite: &Suite) -> Result<[(Unit, String); 3], String> {
    let openssl = format!("OPENSSL_CONF={CONFIGURATION}");
    let directory = match library::of_directory(host)? {
        Library::OpenSsl => openssl.clone(),
        Library::GnuTls => format!("LDAPTLS_CIPHER_SUITE={}", suite.gnutls()),
    };
    Ok([(AUDIT_SERVER, openssl), (DIRECTORY, directory.clone()), (QUESTION, directory)])
}

/// The ciphers that OpenSSL offers with a configuration, by its own word.
fn ciphers(host: &Host, path: &str) -> Result<String, String> {
    let said = host.must(&[ENV, &format!("OPENSSL_CONF={path}"), OPENSSL, "ciphers", "-s"])?;
    Ok(said.trim().to_owned())
}

/// Whether systemd gives a unit the variable, if there is such a unit.
fn is_told(host: &Host, unit: Unit, variable: &str) -> Result<(), String> {
    if unit == DIRECTORY && !host.has(SSSD) {
        return Ok(());
    }
    let said = host.must(&[SYSTEMCTL, "show", "--property=Environment", "--value", unit.name])?;
    if said.split_whitespace().any(|word| word == variable) {
        Ok(())
    } else {
        let name = unit.name;
        Err(format!("`{name}` does not get `{variable}`; `systemctl cat {name}` shows who takes it away"))
    }
}
