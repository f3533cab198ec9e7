// SPDX-License-Identifier: Apache-2.0
//! The directory that people are looked up in: sssd, for their names and their passwords. Row 17, FIA_UAU.5.
//!
//! The server is asked before anything is written: one that cannot prove itself, or has no such base, is refused.

mod question;

use virtwarden_core::setting::{DirectoryProtection, DirectoryServer, KnownDirectory, SettingName};

use super::{Derived, Provider, Rendered, certificates, pam, sshd};
use crate::file;
use crate::host::Host;
use crate::program::Input;

const SSSD: &str = "/usr/sbin/sssd";
/// sssd's modules, below a directory that is called after the machine.
const LIBRARIES: &str = "/usr/lib";
const LDAP: &str = "sssd/libsss_ldap.so";
/// The site's own, which would be mixed with ours.
const OWN: &str = "/etc/sssd/sssd.conf";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const UNIT: &str = "sssd.service";

const CONFIGURATION: &str = "/etc/sssd/conf.d/50-virtwarden.conf";
const CA: &str = "/etc/virtwarden/directory-server/ca.pem";
/// What sssd remembers of the people of our domain. They are no people of another directory's.
const MEMORY: [&str; 2] =
    ["/var/lib/sss/db/cache_virtwarden.ldb", "/var/lib/sss/db/timestamps_virtwarden.ldb"];

/// The directory server's files.
pub(crate) struct DirectoryServerFiles;

impl Provider for DirectoryServerFiles {
    type Value = DirectoryServer;
    const NAME: SettingName = SettingName::DirectoryServer;
    const FILES: &'static [&'static str] = &[CONFIGURATION, CA];
    const DERIVED: &'static [Derived] = &[];
    /// sssd reads no file that others can read.
    const MODE: u32 = 0o600;

    fn examine(host: &Host, value: &DirectoryServer) -> Result<(), String> {
        let Some(known) = value.known().map_err(|error| error.to_string())? else { return Ok(()) };
        is_whole(host)?;
        certificates::examine(host, known.ca)?;
        question::ask(host, &known)
    }

    fn render(_host: &Host, value: &DirectoryServer) -> Result<Vec<Rendered>, String> {
        let Some(known) = value.known().map_err(|error| error.to_string())? else { return Ok(Vec::new()) };
        Ok(vec![
            Rendered { path: CA, text: known.ca.as_str().to_owned() },
            Rendered { path: CONFIGURATION, text: configuration(&known) },
        ])
    }

    fn try_out(_host: &Host, _rendered: &[Rendered]) -> Result<(), String> {
        Ok(())
    }

    /// Without any configuration sssd does not start, and that is no failure.
    fn take_effect(host: &Host) -> Result<(), String> {
        let _unknown = host.run(&[SYSTEMCTL, "reset-failed", UNIT], Input::Nothing);
        host.must(&[SYSTEMCTL, "stop", UNIT])?;
        MEMORY.iter().try_for_each(|path| file::remove(host, path))?;
        if host.has(CONFIGURATION) { host.must(&[SYSTEMCTL, "start", UNIT]).map(drop) } else { Ok(()) }
    }

    fn read_back(host: &Host, value: &DirectoryServer) -> Vec<String> {
        if value.address.is_none() {
            return Vec::new();
        }
        let mut differences: Vec<_> = is_whole(host).err().into_iter().collect();
        match host.run(&[SYSTEMCTL, "is-active", "--quiet", UNIT], Input::Nothing) {
            Ok(ran) if ran.succeeded() => {}
            Ok(_) => differences.push("nobody of the directory can log in: sssd does not run".to_owned()),
            Err(why) => differences.push(why),
        }
        differences
    }

    fn remarks(_host: &Host, _value: &DirectoryServer) -> Vec<String> {
        Vec::new()
    }
}

/// Whether this host can ask a directory at all, and ours alone.
///
/// # Errors
/// What is missing or in the way.
fn is_whole(host: &Host) -> Result<(), String> {
    let modules = host.names(LIBRARIES).into_iter().map(|machine| format!("{LIBRARIES}/{machine}/{LDAP}"));
    if !host.has(SSSD) || !modules.into_iter().any(|module| host.has(&module)) {
        return Err("directories are asked by sssd; install sssd-ldap, libnss-sss and libpam-sss".to_owned());
    }
    if host.has(OWN) {
        return Err(format!("`{OWN}` is your own and would be mixed with ours; move it away first"));
    }
    let names = host.text("/etc/nsswitch.conf")?.unwrap_or_default();
    let asked = |line: &str| line.starts_with("passwd:") && line.split_whitespace().any(|word| word == "sss");
    if !names.lines().any(asked) {
        return Err("/etc/nsswitch.conf does not ask sssd for people; install libnss-sss".to_owned());
    }
    if !pam::lines(host, "common-auth").iter().any(|line| line.contains("pam_sss.so")) {
        return Err(
            "logins do not ask sssd; install libpam-sss, or switch it on with `pam-auth-update`".to_owned()
        );
    }
    Ok(())
}

/// Accounts of the system's are none of a directory's, and what is known from there is known as long as sssd runs: without
/// its memory for other processes, which would answer after it. The domain's name is in those of [`MEMORY`].
fn configuration(known: &KnownDirectory<'_>) -> String {
    let start_tls = match known.protection {
        DirectoryProtection::Ldaps => "false",
        DirectoryProtection::StartTls => "true",
    };
    let options = [
        ("id_provider", "ldap"),
        ("auth_provider", "ldap"),
        ("chpass_provider", "none"),
        ("access_provider", "permit"),
        ("sudo_provider", "none"),
        ("autofs_provider", "none"),
        ("ldap_uri", &known.uri),
        ("ldap_search_base", known.base.as_str()),
        ("ldap_id_use_start_tls", start_tls),
        ("ldap_tls_cacert", CA),
        ("ldap_tls_reqcert", "demand"),
        ("cache_credentials", "false"),
        ("min_id", "1000"),
    ];
    let lines: String = options.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    format!(
        "{}[sssd]\nservices = nss, pam\ndomains = virtwarden\n[nss]\nmemcache_timeout = 0\n[domain/virtwarden]\n{lines}",
        sshd::HEAD
    )
}
