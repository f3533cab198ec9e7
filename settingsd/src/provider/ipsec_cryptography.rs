// SPDX-License-Identifier: Apache-2.0
//! Which cryptography connections of IPsec propose and take: named suites, as sections that the site's connections refer
//! to. Row 11, FCS_IPSEC_EXT.1.
//!
//! strongSwan has no proposals for all connections, so one that neither refers to ours nor says the same is drift.

mod suite;

use virtwarden_core::setting::{IpsecCryptography, IpsecSuite, SettingName};

use self::suite::Suite;
use super::swanctl::{self, ABSENT, ESP, IKE, Section};
use super::{Derived, Provider, Rendered, sshd};
use crate::host::Host;

const CONFIGURATION: &str = "/etc/swanctl/conf.d/10-virtwarden-cryptography.conf";

/// The cryptography's file.
pub(crate) struct IpsecCryptographyFiles;

impl Provider for IpsecCryptographyFiles {
    type Value = IpsecCryptography;
    const NAME: SettingName = SettingName::IpsecCryptography;
    const FILES: &'static [&'static str] = &[CONFIGURATION];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, value: &IpsecCryptography) -> Result<(), String> {
        match value.suite {
            IpsecSuite::Distribution => Ok(()),
            IpsecSuite::Profile | IpsecSuite::Profile256 => swanctl::examine(host),
        }
    }

    fn render(_host: &Host, value: &IpsecCryptography) -> Result<Vec<Rendered>, String> {
        let Some(suite) = suite::of(value.suite) else { return Ok(Vec::new()) };
        let text = format!(
            "{}{IKE} {{\n  proposals = {}\n}}\n{ESP} {{\n  esp_proposals = {}\n}}\n",
            sshd::HEAD,
            suite.ike.join(", "),
            suite.esp.join(", ")
        );
        Ok(vec![Rendered { path: CONFIGURATION, text }])
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        rendered.iter().try_for_each(|file| swanctl::read(host, &file.text).map(drop))
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        swanctl::take_effect(host)
    }

    fn read_back(host: &Host, value: &IpsecCryptography) -> Vec<String> {
        let Some(suite) = suite::of(value.suite) else { return Vec::new() };
        if !swanctl::is_here(host) {
            return vec![ABSENT.to_owned()];
        }
        match swanctl::read(host, "") {
            Ok(read) if has_both(&read.probe, &suite) => Vec::new(),
            Ok(_) => vec![format!(
                "swanctl reads other proposals in `{IKE}` or `{ESP}`; look for them in /etc/swanctl/swanctl.conf and in \
                 files of /etc/swanctl/conf.d that come after ours"
            )],
            Err(why) => vec![why],
        }
    }

    /// The site's connections. None of them keeps the setting from being set: they could not refer to it before.
    fn remarks(host: &Host, value: &IpsecCryptography) -> Vec<String> {
        let (Some(suite), true) = (suite::of(value.suite), swanctl::is_here(host)) else { return Vec::new() };
        match swanctl::read(host, "") {
            Ok(read) => read.connections.iter().flat_map(|connection| strays(connection, &suite)).collect(),
            Err(why) => vec![why],
        }
    }
}

fn has_both(probe: &Section, suite: &Suite) -> bool {
    let children: Vec<_> = probe.below("children").collect();
    probe.list("proposals") == suite.ike
        && matches!(children.as_slice(), [child] if child.list("esp_proposals") == suite.esp)
}

/// One line for each part of a connection that proposes something else.
fn strays(connection: &Section, suite: &Suite) -> Vec<String> {
    let name = &connection.name;
    let mut lines = Vec::new();
    if let Some(found) = suite::outside(connection.list("proposals"), suite.ike) {
        lines.push(format!("connection `{name}` of strongSwan has {found}; let it refer to `{IKE}`"));
    }
    for child in connection.below("children").filter(|child| is_protected(child)) {
        let (part, ah) = (&child.name, child.list("ah_proposals"));
        if !ah.is_empty() {
            lines.push(format!(
                "`{part}` of connection `{name}` has AH, which keeps nothing secret; take it out"
            ));
        } else if let Some(found) = suite::outside(child.list("esp_proposals"), suite.esp) {
            lines.push(format!("`{part}` of connection `{name}` has {found}; let it refer to `{ESP}`"));
        }
    }
    lines
}

/// What a policy lets pass or drops is not encrypted by anybody.
fn is_protected(child: &Section) -> bool {
    !matches!(child.value("mode"), Some("pass" | "drop"))
}
