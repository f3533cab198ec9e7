// SPDX-License-Identifier: Apache-2.0
//! What the disk itself takes: the yardstick for the audit trail.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::line::Line;

/// One writer appends a record's worth of bytes to a file that has its size already, and syncs each.
pub(crate) fn run(directory: &str, seconds: u64) -> Result<(), Box<dyn Error>> {
    const RECORD: [u8; 512] = [b'x'; 512];
    let path = Path::new(directory).join("disk-bench");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; 16 << 20])?;
    file.sync_all()?;
    let mut file = File::options().write(true).open(&path)?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_secs(seconds) && times.len() < 32_000 {
        let one = Instant::now();
        file.write_all(&RECORD)?;
        file.sync_data()?;
        times.push(one.elapsed());
    }
    let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Line::new("disk", "sync").with("per_second", rate).with_times(times).print();
    Ok(())
}
