// SPDX-License-Identifier: Apache-2.0
//! When somebody last typed in a session: when its terminals were last read from, as the kernel notes it.
//!
//! Known only for pseudo-terminals, which is what remote sessions have. The kernel notes it to 8 seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use std::os::unix::fs::MetadataExt;

/// The major number of pseudo-terminals.
const PSEUDO: u32 = 136;

/// For each of these audit sessions with a terminal: when it last had input, in seconds since 1970.
pub(super) fn last_input(sessions: &BTreeSet<u32>) -> BTreeMap<u32, u64> {
    let mut last = BTreeMap::new();
    for (session, terminal) in terminals(Path::new("/proc"), sessions) {
        if let Some(read) = last_read(Path::new("/dev/pts"), terminal) {
            let newest = last.entry(session).or_insert(read);
            *newest = read.max(*newest);
        }
    }
    last
}

/// The terminals of all processes of these sessions.
fn terminals(processes: &Path, sessions: &BTreeSet<u32>) -> BTreeSet<(u32, u32)> {
    let Ok(entries) = fs::read_dir(processes) else { return BTreeSet::new() };
    entries.flatten().filter_map(|entry| terminal(&entry.path(), sessions)).collect()
}

/// A process that ends meanwhile has none.
fn terminal(process: &Path, sessions: &BTreeSet<u32>) -> Option<(u32, u32)> {
    let session = fs::read_to_string(process.join("sessionid")).ok()?.trim().parse().ok()?;
    if !sessions.contains(&session) {
        return None;
    }
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    Some((session, pseudo_terminal(controlling(&stat)?)?))
}

/// Field 7 of `/proc/PID/stat`; the command name before it may hold anything, so count from its end.
fn controlling(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let number: i32 = fields.split_whitespace().nth(4)?.parse().ok()?;
    Some(number.cast_unsigned())
}

/// Its number, from the kernel's device number.
fn pseudo_terminal(device: u32) -> Option<u32> {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    (major == PSEUDO).then_some(minor)
}

fn last_read(directory: &Path, terminal: u32) -> Option<u64> {
    let metadata = fs::metadata(directory.join(terminal.to_string())).ok()?;
    u64::try_from(metadata.atime()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_number_names_a_pseudo_terminal_or_none() {
        for (device, terminal) in [
            (0, None),
            (0x8800, Some(0)),
            (0x8803, Some(3)),
            (0x8000_88ff - 0x8000_0000, Some(255)),
            (0x10_8801, Some(257)),
            (0x0401, None),
        ] {
            assert_eq!(pseudo_terminal(device), terminal, "{device:#x}");
        }
    }

    #[test]
    fn a_command_name_cannot_choose_the_terminal() {
        assert_eq!(controlling("7 (a) S 1 7 7 34816 7) S 1 2 3 34819 -1"), Some(34819));
        assert_eq!(controlling("7 (bash) S 1 7 7 34817 7"), Some(34817));
        assert_eq!(controlling("7 (bash) S 1"), None);
        assert_eq!(controlling(""), None);
    }

    #[test]
    fn only_the_sessions_asked_for_are_looked_at() {
        let host = tempfile::tempdir().unwrap();
        for (pid, session, device) in
            [("10", "5", "34817"), ("11", "6", "34818"), ("12", "5", "0"), ("self", "5", "34819")]
        {
            let process = host.path().join(pid);
            fs::create_dir(&process).unwrap();
            fs::write(process.join("sessionid"), session).unwrap();
            fs::write(process.join("stat"), format!("{pid} (sh) S 1 7 7 {device} 7")).unwrap();
        }
        fs::create_dir(host.path().join("13")).unwrap();
        assert_eq!(terminals(host.path(), &BTreeSet::from([5])), BTreeSet::from([(5, 1), (5, 3)]));
        assert!(terminals(&host.path().join("nowhere"), &BTreeSet::from([5])).is_empty());
    }
}
