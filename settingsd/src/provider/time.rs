// SPDX-License-Identifier: Apache-2.0
//! Where the host's time comes from: chrony, or systemd-timesyncd. Row 19.

mod chrony;
mod timesyncd;

use virtwarden_core::setting::{SettingName, TimeProof, TimeServers};

use super::{Derived, Provider, Rendered};
use crate::host::Host;

/// The time servers' files.
pub(crate) struct TimeFiles;

impl Provider for TimeFiles {
    type Value = TimeServers;
    const NAME: SettingName = SettingName::TimeServers;
    const FILES: &'static [&'static str] = &[chrony::CONFIGURATION, chrony::UNIT, timesyncd::DROP_IN];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, value: &TimeServers) -> Result<(), String> {
        match (chrony::is_here(host), timesyncd::is_here(host), value.proof) {
            (true, _, _) | (false, true, TimeProof::Nothing) => Ok(()),
            (false, true, TimeProof::Nts) => {
                Err("systemd-timesyncd cannot check proof=nts; install chrony".to_owned())
            }
            (false, false, _) => {
                Err("nothing on this host asks time servers; install chrony or systemd-timesyncd".to_owned())
            }
        }
    }

    fn render(host: &Host, value: &TimeServers) -> Result<Vec<Rendered>, String> {
        match (value.servers.is_empty(), chrony::is_here(host)) {
            (true, _) => Ok(Vec::new()),
            (false, true) => chrony::render(host, value),
            (false, false) => Ok(timesyncd::render(value)),
        }
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        chrony::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        if chrony::is_here(host) { chrony::take_effect(host) } else { timesyncd::take_effect(host) }
    }

    fn read_back(host: &Host, value: &TimeServers) -> Vec<String> {
        match (value.servers.is_empty(), chrony::is_here(host)) {
            (true, _) => Vec::new(),
            (false, true) => chrony::read_back(host, value),
            (false, false) => timesyncd::read_back(host, value),
        }
    }

    fn remarks(_host: &Host, _value: &TimeServers) -> Vec<String> {
        Vec::new()
    }
}
