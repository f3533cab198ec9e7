// SPDX-License-Identifier: Apache-2.0
//! systemd-timesyncd: a drop-in that names the servers and leaves none to fall back on.

use virtwarden_core::setting::TimeServers;

use crate::host::Host;
use crate::provider::{Rendered, sshd};

const TIMESYNCD: &str = "/usr/lib/systemd/systemd-timesyncd";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const TIMEDATECTL: &str = "/usr/bin/timedatectl";
pub(super) const DROP_IN: &str = "/etc/systemd/timesyncd.conf.d/50-virtwarden.conf";

pub(super) fn is_here(host: &Host) -> bool {
    host.has(TIMESYNCD)
}

pub(super) fn render(value: &TimeServers) -> Vec<Rendered> {
    let text = format!("{}[Time]\nNTP=\nNTP={}\nFallbackNTP=\n", sshd::HEAD, joined(value));
    vec![Rendered { path: DROP_IN, text }]
}

pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    host.must(&[SYSTEMCTL, "try-restart", "systemd-timesyncd.service"]).map(drop)
}

pub(super) fn read_back(host: &Host, value: &TimeServers) -> Vec<String> {
    let asked = host.must(&[TIMEDATECTL, "show-timesync", "--property=SystemNTPServers", "--value"]);
    match asked.map(|said| said.trim().to_owned()) {
        Ok(servers) if servers == joined(value) => Vec::new(),
        Ok(servers) => vec![format!("systemd-timesyncd asks `{servers}`, not `{}`", joined(value))],
        Err(why) => vec![why],
    }
}

fn joined(value: &TimeServers) -> String {
    value.servers.iter().map(|server| server.as_str()).collect::<Vec<_>>().join(" ")
}
