// SPDX-License-Identifier: Apache-2.0
//! The access banner where people log in: ssh, terminals, serial consoles, gdm. Row 20, FTA_TAB.1.
//!
//! Literal everywhere: sshd sends its file as it is, agetty's escapes are doubled, dconf's string is
//! quoted.

use virtwarden_core::setting::{Banner, SettingName};

use super::{Derived, Provider, Rendered, gdm, issue, sshd};
use crate::host::Host;

/// The text, for sshd and for whoever wants to read it.
const TEXT: &str = "/etc/virtwarden/banner";
/// Accounts for which sshd is asked.
const MOST_ASKED: usize = 16;
const SSHD: &str = "/etc/ssh/sshd_config.d/10-virtwarden-banner.conf";

/// The banner's files.
pub(crate) struct BannerFiles;

impl Provider for BannerFiles {
    type Value = Banner;
    const NAME: SettingName = SettingName::Banner;
    const FILES: &'static [&'static str] = &[
        TEXT,
        issue::PATH,
        SSHD,
        gdm::FILES[0],
        gdm::FILES[1],
        gdm::FILES[2],
        gdm::FILES[3],
        gdm::DERIVED.path,
    ];
    const DERIVED: &'static [Derived] = &[gdm::DERIVED];

    fn examine(host: &Host, _value: &Banner) -> Result<(), String> {
        sshd::examine(host)?;
        gdm::examine(host)
    }

    fn render(host: &Host, value: &Banner) -> Result<Vec<Rendered>, String> {
        let Some(text) = &value.text else { return Ok(Vec::new()) };
        let mut files = vec![
            Rendered { path: TEXT, text: ended(text.as_str()) },
            Rendered { path: issue::PATH, text: issue::escaped(text.as_str()) },
        ];
        if sshd::is_here(host) {
            files.push(Rendered { path: SSHD, text: format!("{}Banner {TEXT}\n", sshd::HEAD) });
        }
        files.extend(gdm::render(host, text.as_str())?);
        Ok(files)
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        sshd::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        issue::take_effect(host);
        gdm::take_effect(host)?;
        sshd::take_effect(host)
    }

    fn read_back(host: &Host, value: &Banner) -> Vec<String> {
        let Some(text) = &value.text else { return Vec::new() };
        let mut differences = sshd::read_back(host, &[("Banner", TEXT.to_owned())]);
        differences.extend(sshd::matched(host, "Banner", TEXT));
        if differences.is_empty() && sshd::is_here(host) {
            differences.extend(sshd::read_back_for(host, &administrators(host), "Banner", TEXT));
        }
        differences.extend(issue::read_back(host, text.as_str()));
        differences.extend(gdm::read_back(host, text.as_str()));
        differences
    }

    /// Other display managers have no greeter that we know how to make show it.
    fn remarks(host: &Host, value: &Banner) -> Vec<String> {
        let manager = host.text("/etc/X11/default-display-manager").ok().flatten();
        let unknown = manager.filter(|path| value.text.is_some() && !path.trim().ends_with("/gdm3"));
        let line = |path: String| format!("the display manager `{}` does not show the banner", path.trim());
        unknown.map(line).into_iter().collect()
    }
}

/// Who must see it: the accounts that the host's own group names. Looked at one by one, so no more than so many.
fn administrators(host: &Host) -> Vec<String> {
    let groups = host.text("/etc/group").ok().flatten().unwrap_or_default();
    let line = groups.lines().find_map(|line| line.strip_prefix("virtwarden-admin:"));
    let members = line.and_then(|line| line.rsplit(':').next()).unwrap_or_default();
    let named = members.split(',').filter(|name| !name.is_empty()).take(MOST_ASKED);
    ["root"].into_iter().chain(named).map(str::to_owned).collect()
}

/// ssh's client adds no line end of its own.
fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
