// SPDX-License-Identifier: Apache-2.0
//! What becomes of a peer of IPsec whose certificate nobody can tell valid or revoked: a section that the site's
//! connections refer to. Row 27, FIA_X509_EXT.2.
//!
//! By itself strongSwan accepts it. The audit server, the directory and ssh look nothing up, so there is nothing to set.

use virtwarden_core::setting::{CertificateValidity, SettingName, ValidityAction};

use super::swanctl::{self, ABSENT, PEER, Section};
use super::{Derived, Provider, Rendered, sshd};
use crate::host::Host;

const CONFIGURATION: &str = "/etc/swanctl/conf.d/10-virtwarden-certificates.conf";
/// What charon calls a peer that must be found good.
const GOOD: &str = "GOOD";

/// The action's file.
pub(crate) struct CertificateValidityFiles;

impl Provider for CertificateValidityFiles {
    type Value = CertificateValidity;
    const NAME: SettingName = SettingName::CertificateValidity;
    const FILES: &'static [&'static str] = &[CONFIGURATION];
    const DERIVED: &'static [Derived] = &[];

    /// Where nobody asks for certificates, refusing them holds by itself; it is in force by default.
    fn examine(host: &Host, value: &CertificateValidity) -> Result<(), String> {
        match (value.action, swanctl::is_here(host)) {
            (ValidityAction::Refuse, false) => Ok(()),
            (ValidityAction::Accept, false) => Err(ABSENT.to_owned()),
            (ValidityAction::Refuse | ValidityAction::Accept, true) => swanctl::examine(host),
        }
    }

    fn render(host: &Host, value: &CertificateValidity) -> Result<Vec<Rendered>, String> {
        if !swanctl::is_here(host) {
            return Ok(Vec::new());
        }
        let text = format!("{}{PEER} {{\n  revocation = {}\n}}\n", sshd::HEAD, word(value.action));
        Ok(vec![Rendered { path: CONFIGURATION, text }])
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        rendered.iter().try_for_each(|file| swanctl::read(host, &file.text).map(drop))
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        swanctl::take_effect(host)
    }

    fn read_back(host: &Host, value: &CertificateValidity) -> Vec<String> {
        match (swanctl::is_here(host), value.action) {
            (false, ValidityAction::Refuse) => return Vec::new(),
            (false, ValidityAction::Accept) => return vec![ABSENT.to_owned()],
            (true, ValidityAction::Refuse | ValidityAction::Accept) => {}
        }
        let wanted = word(value.action);
        match swanctl::read(host, "") {
            Ok(read) if peers(&read.probe).any(|peer| peer.value("revocation") == Some(wanted)) => Vec::new(),
            Ok(_) => vec![format!(
                "swanctl does not read `revocation = {wanted}` in `{PEER}`; look for it in /etc/swanctl/swanctl.conf and \
                 in files of /etc/swanctl/conf.d that come after ours"
            )],
            Err(why) => vec![why],
        }
    }

    /// The site's connections. None of them keeps the setting from being set: they could not refer to it before.
    fn remarks(host: &Host, value: &CertificateValidity) -> Vec<String> {
        if value.action == ValidityAction::Accept || !swanctl::is_here(host) {
            return Vec::new();
        }
        let (read, loaded) = match (swanctl::read(host, ""), swanctl::loaded(host)) {
            (Ok(read), Ok(loaded)) => (read.connections, loaded),
            (Err(why), _) | (_, Err(why)) => return vec![why],
        };
        let lax = read.iter().filter(|connection| accepts(connection, word(ValidityAction::Refuse)));
        let mut lines: Vec<_> = lax
            .map(|lax| {
                format!(
                    "connection `{}` of strongSwan accepts a peer whose certificate may be revoked; let its `remote` refer \
                     to `{PEER}`",
                    lax.name
                )
            })
            .collect();
        if lines.is_empty() {
            let other = loaded.iter().filter(|connection| accepts(connection, GOOD));
            lines.extend(other.map(|other| {
                format!(
                    "charon has connection `{}` otherwise than it is written: `swanctl --load-all` loads it",
                    other.name
                )
            }));
        }
        lines
    }
}

/// As swanctl has it.
const fn word(action: ValidityAction) -> &'static str {
    match action {
        ValidityAction::Refuse => "strict",
        ValidityAction::Accept => "relaxed",
    }
}

/// What a connection says of its peer, in each round.
fn peers(connection: &Section) -> impl Iterator<Item = &Section> {
    connection.sections.iter().filter(|section| section.name.starts_with("remote"))
}

/// Whether a peer with a certificate gets in without being found good. One that nothing is said of may have one.
fn accepts(connection: &Section, strict: &str) -> bool {
    let lax = |peer: &Section| shows_certificate(peer) && peer.value("revocation") != Some(strict);
    peers(connection).next().is_none() || peers(connection).any(lax)
}

/// Anything but a secret that both know, and a password; as swanctl writes it, and as charon does.
fn shows_certificate(peer: &Section) -> bool {
    let known = peer.value("auth").or_else(|| peer.value("class")).unwrap_or("pubkey");
    !["psk", "pre-shared key", "xauth", "XAuth"].iter().any(|secret| known.starts_with(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection whose rounds say this.
    fn connection(rounds: &[&[(&str, &str)]]) -> Section {
        let round = |pairs: &&[(&str, &str)]| Section::of("remote-1", pairs);
        let mut connection = Section::of("site", &[]);
        connection.sections.extend(rounds.iter().map(round));
        connection
    }

    #[test]
    fn a_peer_must_be_found_good_unless_it_shows_no_certificate() {
        let strict = ("revocation", "strict");
        for (rounds, expected) in [
            (&[][..], true),
            (&[&[][..]], true),
            (&[&[strict]], false),
            (&[&[("revocation", "relaxed")]], true),
            (&[&[("revocation", "ifuri")]], true),
            (&[&[("auth", "psk")]], false),
            (&[&[("auth", "pubkey-sha256")]], true),
            (&[&[strict], &[("auth", "xauth-generic")]], false),
            (&[&[strict], &[("auth", "eap-tls")]], true),
        ] {
            assert_eq!(accepts(&connection(rounds), "strict"), expected, "{rounds:?}");
        }
        let charons = connection(&[&[("class", "public key"), ("revocation", "GOOD")]]);
        assert!(!accepts(&charons, GOOD) && accepts(&charons, "strict"));
        assert!(!accepts(&connection(&[&[("class", "pre-shared key")]]), GOOD));
    }
}
