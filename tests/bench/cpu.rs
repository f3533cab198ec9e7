// SPDX-License-Identifier: Apache-2.0
//! Processor time of the daemons that take part in a call.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Who can take part, by the first 15 letters of its name, as the kernel keeps it.
const DAEMONS: [&str; 5] = ["libvirtd", "virtwarden-poli", "virtwarden-benc", "polkitd", "dbus-daemon"];
/// The kernel counts in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time by process.
pub(crate) struct Used(BTreeMap<u32, (String, Duration)>);

impl Used {
    /// Up to now.
    pub(crate) fn until_now() -> Self {
        let own = std::process::id();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let others = pids.filter(|pid| *pid != own);
        Self(others.filter_map(|pid| Some((pid, of(pid)?))).collect())
    }

    /// What each daemon used since then, by name.
    pub(crate) fn since(&self, then: &Self) -> BTreeMap<String, Duration> {
        let mut used = BTreeMap::new();
        for (pid, (name, now)) in &self.0 {
            let before = then.0.get(pid).map_or(Duration::ZERO, |(_, before)| *before);
            *used.entry(name.clone()).or_default() += now.saturating_sub(before);
        }
        used
    }
}

/// Name and time of a process, if it is one of the daemons.
fn of(pid: u32) -> Option<(String, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, ticks) = parse(&stat)?;
    DAEMONS.contains(&name).then(|| (name.to_owned(), TICK * ticks))
}

/// User and system time are the 12th and 13th field after the name.
fn parse(stat: &str) -> Option<(&str, u32)> {
    let (_, rest) = stat.split_once('(')?;
    let (name, fields) = rest.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().ok());
    Some((name, ticks.sum::<Option<u32>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added() {
        let stat = "112 (libvirtd) S 1 112 112 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 21 0 2097 1 2 3";
        assert_eq!(parse(stat), Some(("libvirtd", 300)));
    }
}
