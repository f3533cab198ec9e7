// SPDX-License-Identifier: Apache-2.0
//! chrony: a configuration of our own, made from the host's without its sources.
//!
//! chrony adds up the sources of all files that it reads, and Debian's chrony.conf names a pool and reads
//! what DHCP brings: a drop-in could add servers but not take those away. So ours is the host's file
//! with every source taken out, and a drop-in of the unit starts chronyd with it.

use virtwarden_core::setting::{TimeProof, TimeServers};

use crate::host::Host;
use crate::program::Input;
use crate::provider::{Rendered, sshd};

const CHRONYD: &str = "/usr/sbin/chronyd";
/// Runs chronyc for us, and leaves what it said in the file: by names as given, in CSV.
const ASK: &str = "virtwarden-time-sources.service";
const ANSWER: &str = "/run/virtwarden/settingsd/time-sources";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const STOCK: &str = "/etc/chrony/chrony.conf";
/// The stock file's directory: chronyd's AppArmor profile lets it read there.
pub(super) const CONFIGURATION: &str = "/etc/chrony/virtwarden.conf";
pub(super) const UNIT: &str = "/etc/systemd/system/chrony.service.d/50-virtwarden.conf";
/// What brings sources in.
const SOURCES: [&str; 6] = ["pool", "server", "peer", "sourcedir", "refclock", "initstepslew"];
/// What could bring them in from another file.
const INCLUDES: [&str; 2] = ["include", "confdir"];

pub(super) fn is_here(host: &Host) -> bool {
    host.has(CHRONYD)
}

pub(super) fn render(host: &Host, value: &TimeServers) -> Result<Vec<Rendered>, String> {
    let stock = host.text(STOCK)?.ok_or_else(|| format!("`{STOCK}` is missing; reinstall chrony"))?;
    let kept: String =
        stock.lines().filter(|line| !brings_sources(line)).map(|line| format!("{line}\n")).collect();
    let nts = match value.proof {
        TimeProof::Nothing => "",
        TimeProof::Nts => " nts",
    };
    let servers: String = value.servers.iter().map(|name| format!("server {name} iburst{nts}\n")).collect();
    let unit = format!(
        "{}[Service]\nExecStart=\nExecStart=!{CHRONYD} -f {CONFIGURATION} $DAEMON_OPTS\n",
        sshd::HEAD
    );
    Ok(vec![
        Rendered { path: CONFIGURATION, text: format!("{}{kept}{servers}", sshd::HEAD) },
        Rendered { path: UNIT, text: unit },
    ])
}

/// A directive's name is not told apart by case.
fn brings_sources(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    SOURCES.contains(&word.as_str()) || INCLUDES.contains(&word.as_str())
}

/// chronyd reads a candidate and says what it made of it.
pub(super) fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
    let ours = rendered.iter().find(|file| file.path == CONFIGURATION);
    ours.map_or(Ok(()), |file| {
        host.with_candidate(&file.text, |path| host.must(&[CHRONYD, "-p", "-f", path]).map(drop))
            .map_err(|why| format!("chrony does not take its configuration: {why}"))
    })
}

pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    host.must(&[SYSTEMCTL, "daemon-reload"])?;
    // Somebody who tries one value after the other must not meet systemd's limit on starts.
    let _unknown = host.run(&[SYSTEMCTL, "reset-failed", "chrony.service"], Input::Nothing);
    host.must(&[SYSTEMCTL, "try-restart", "chrony.service"]).map(drop)
}

/// What chronyd itself asks, if it runs: no other than those that were set.
pub(super) fn read_back(host: &Host, value: &TimeServers) -> Vec<String> {
    let runs = host.run(&[SYSTEMCTL, "is-active", "--quiet", "chrony.service"], Input::Nothing);
    if !runs.is_ok_and(|ran| ran.succeeded()) {
        return vec!["chrony does not run: `systemctl start chrony`".to_owned()];
    }
    match sources(host) {
        Ok(said) => differences(&said, value),
        Err(why) => vec![why],
    }
}

fn sources(host: &Host) -> Result<String, String> {
    host.must(&[SYSTEMCTL, "start", ASK])?;
    host.text(ANSWER)?.ok_or_else(|| "chronyc said nothing".to_owned())
}

/// The third column is the source's name.
fn differences(said: &str, value: &TimeServers) -> Vec<String> {
    let asked: Vec<_> = said.lines().filter_map(|line| line.split(',').nth(2)).collect();
    let wanted = |name: &str| value.servers.iter().any(|server| server.as_str() == name);
    let strangers = asked.iter().filter(|name| !wanted(name)).map(|name| format!("chrony also asks {name}"));
    let missing = value.servers.iter().filter(|server| !asked.contains(&server.as_str()));
    strangers.chain(missing.map(|server| format!("chrony does not ask {server}"))).collect()
}

#[cfg(test)]
mod tests {
    use virtwarden_core::setting::ServerName;

    use super::*;

    #[test]
    fn whatever_brings_sources_in_is_taken_out() {
        for line in [
            "pool 2.debian.pool.ntp.org iburst",
            " server x",
            "PEER y",
            "sourcedir /run/chrony-dhcp",
            "confdir /etc/x",
        ] {
            assert!(brings_sources(line), "{line}");
        }
        for line in ["driftfile /var/lib/chrony/chrony.drift", "# server x", "", "rtcsync"] {
            assert!(!brings_sources(line), "{line}");
        }
    }

    #[test]
    fn what_chrony_asks_is_compared_with_what_was_set() {
        let value =
            TimeServers { servers: vec![ServerName::new("a.example").unwrap()], proof: TimeProof::Nothing };
        assert!(differences("^,*,a.example,2,6\n", &value).is_empty());
        assert_eq!(
            differences("^,?,b.example,2,6\n", &value),
            ["chrony also asks b.example", "chrony does not ask a.example"]
        );
    }
}
