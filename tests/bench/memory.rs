// SPDX-License-Identifier: Apache-2.0
//! How much memory a process holds now.

use std::error::Error;
use std::fs;

use crate::line::Line;

/// Weighs the newest process of a name, to be found under its first 15 letters.
pub(crate) fn weigh(way: &str, measure: &str, process: &str) -> Result<(), Box<dyn Error>> {
    let pid = newest(process).ok_or_else(|| format!("no process `{process}` runs"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let number = |name| number(&status, name).ok_or_else(|| format!("no `{name}` in the status of {pid}"));
    Line::new(way, measure)
        .with("rss_kib", number("VmRSS")?)
        .with("own_kib", number("RssAnon")?)
        .with("threads", number("Threads")?)
        .print();
    Ok(())
}

fn newest(process: &str) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let named =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|c| c.trim() == process);
    pids.filter(named).max()
}

/// A number of `/proc/PID/status`.
fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_whole_name() {
        let status = "VmRSSX:\t7 kB\nVmRSS:\t  4608 kB\nThreads:\t12\n";
        assert_eq!(number(status, "VmRSS"), Some(4608));
        assert_eq!(number(status, "Threads"), Some(12));
    }
}
