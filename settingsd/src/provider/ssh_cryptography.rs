// SPDX-License-Identifier: Apache-2.0
//! Which cryptography sshd offers and takes: named suites. Row 11.
//!
//! Only algorithms that this sshd knows are written, and only if something is left of each kind, so that no
//! suite can make a host unreachable.

use virtwarden_core::setting::{SettingName, SshCryptography, SshSuite};

use super::{Derived, Provider, Rendered, sshd};
use crate::host::Host;

const SSHD: &str = "/etc/ssh/sshd_config.d/10-virtwarden-cryptography.conf";
const SSH: &str = "/usr/bin/ssh";

/// A kind of algorithm: sshd's option, what `ssh -Q` calls it, and what the profile admits of it.
struct Kind {
    option: &'static str,
    query: &'static str,
    profile: &'static [&'static str],
}

/// FCS_COP.1/UDE and /KeyedHash, FCS_CKM.2, FCS_COP.1/Sig of the base profile, within what FCS_SSH_EXT.1 lists.
/// Ed25519 is the package's, not the base profile's: people's keys of that kind keep working, host keys do not.
const KINDS: [Kind; 5] = [
    Kind {
        option: "Ciphers",
        query: "cipher",
        profile: &["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
    },
    Kind { option: "MACs", query: "mac", profile: &["hmac-sha2-512", "hmac-sha2-256"] },
    Kind {
        option: "KexAlgorithms",
        query: "kex",
        profile: &[
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group14-sha256",
        ],
    },
    Kind {
        option: "HostKeyAlgorithms",
        query: "key-sig",
        profile: &[
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-512",
            "rsa-sha2-256",
        ],
    },
    Kind {
        option: "PubkeyAcceptedAlgorithms",
        query: "key-sig",
        profile: &[
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-512",
            "rsa-sha2-256",
            "ssh-ed25519",
        ],
    },
];

/// A new key after so many bytes or seconds, whichever comes first: FCS_SSH_EXT.1.8 allows 1 GiB and an hour.
const REKEY: (&str, &str) = ("RekeyLimit", "512M 1h");
/// The same as `sshd -T` writes it.
const REKEY_TOLD: &str = "536870912 3600";

/// The cryptography's files.
pub(crate) struct SshCryptographyFiles;

impl Provider for SshCryptographyFiles {
    type Value = SshCryptography;
    const NAME: SettingName = SettingName::SshCryptography;
    const FILES: &'static [&'static str] = &[SSHD];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, _value: &SshCryptography) -> Result<(), String> {
        if sshd::is_here(host) { sshd::examine(host) } else { Err("this host has no sshd".to_owned()) }
    }

    fn render(host: &Host, value: &SshCryptography) -> Result<Vec<Rendered>, String> {
        match value.suite {
            SshSuite::Distribution => Ok(Vec::new()),
            SshSuite::Profile => {
                let options = options(host)?;
                let lines: String = options.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
                let text = format!("{}{lines}{} {}\n", sshd::HEAD, REKEY.0, REKEY.1);
                Ok(vec![Rendered { path: SSHD, text }])
            }
        }
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        sshd::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        sshd::take_effect(host)
    }

    fn read_back(host: &Host, value: &SshCryptography) -> Vec<String> {
        match value.suite {
            SshSuite::Distribution => Vec::new(),
            SshSuite::Profile => match options(host) {
                Ok(mut options) => {
                    options.push((REKEY.0, REKEY_TOLD.to_owned()));
                    sshd::read_back(host, &options)
                }
                Err(why) => vec![why],
            },
        }
    }

    fn remarks(_host: &Host, _value: &SshCryptography) -> Vec<String> {
        Vec::new()
    }
}

/// The profile's algorithms as far as this OpenSSH knows them.
///
/// # Errors
/// It knows none of a kind, or does not tell.
fn options(host: &Host) -> Result<Vec<(&'static str, String)>, String> {
    KINDS.iter().map(|kind| Ok((kind.option, kept(kind, &host.must(&[SSH, "-Q", kind.query])?)?))).collect()
}

fn kept(kind: &Kind, known: &str) -> Result<String, String> {
    let kept: Vec<_> =
        kind.profile.iter().copied().filter(|name| known.lines().any(|line| line == *name)).collect();
    if kept.is_empty() {
        return Err(format!("this OpenSSH knows no {} that the profile admits", kind.option));
    }
    Ok(kept.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_openssh_knows_is_written_and_never_nothing() {
        let [ciphers, ..] = &KINDS;
        assert_eq!(kept(ciphers, "3des-cbc\naes128-ctr\naes256-ctr\n").unwrap(), "aes256-ctr,aes128-ctr");
        assert!(kept(ciphers, "chacha20-poly1305@openssh.com\n").unwrap_err().contains("Ciphers"));
    }
}
