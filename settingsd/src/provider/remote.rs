// SPDX-License-Identifier: Apache-2.0
//! When idle remote sessions end: policyd ends them itself. Row 15.
//!
//! sshd helps where it cannot be deceived: connections that are dead, and connections without any
//! channel. Two facilities are left alone on purpose. sshd's ChannelTimeout counts what a program or
//! VM prints as activity, so it would not end what must end, and it would end one quiet channel of a
//! connection in use. logind's StopIdleSessionSec ends sessions at the machine itself as well.

use virtwarden_core::setting::{IdleLimit, RemoteTimeout, SettingName};

use super::{Derived, Provider, Rendered, sshd};
use crate::host::Host;

const SSHD: &str = "/etc/ssh/sshd_config.d/10-virtwarden-remote-timeout.conf";
/// Seconds between two questions to a peer, and how many may stay unanswered: dead within a minute,
/// which is the shortest limit there is.
const ALIVE: (u32, u32) = (20, 3);

/// The remote timeout's files.
pub(crate) struct RemoteFiles;

impl Provider for RemoteFiles {
    type Value = RemoteTimeout;
    const NAME: SettingName = SettingName::RemoteTimeout;
    const FILES: &'static [&'static str] = &[SSHD];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, _value: &RemoteTimeout) -> Result<(), String> {
        sshd::examine(host)
    }

    fn render(host: &Host, value: &RemoteTimeout) -> Result<Vec<Rendered>, String> {
        let options = options(value);
        if options.is_empty() || !sshd::is_here(host) {
            return Ok(Vec::new());
        }
        let lines: String = options.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
        Ok(vec![Rendered { path: SSHD, text: format!("{}{lines}", sshd::HEAD) }])
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        sshd::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        sshd::take_effect(host)
    }

    fn read_back(host: &Host, value: &RemoteTimeout) -> Vec<String> {
        sshd::read_back(host, &options(value))
    }

    fn remarks(_host: &Host, _value: &RemoteTimeout) -> Vec<String> {
        Vec::new()
    }
}

fn options(value: &RemoteTimeout) -> Vec<(&'static str, String)> {
    match value.idle {
        IdleLimit::Never => Vec::new(),
        IdleLimit::After(seconds) => vec![
            ("UnusedConnectionTimeout", seconds.to_string()),
            ("ClientAliveInterval", ALIVE.0.to_string()),
            ("ClientAliveCountMax", ALIVE.1.to_string()),
        ],
    }
}
