// SPDX-License-Identifier: Apache-2.0
//! The machine that everything was measured on.

use std::error::Error;
use std::fs;
use std::process::Command;

use crate::line::Line;

/// Prints what a reader needs to compare.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let memory_mib = memory.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024;
    Line::new("machine", "facts")
        .with("cores", std::thread::available_parallelism()?.get())
        .with("model", model.map_or("unknown", |(_, model)| model))
        .with("kernel", kernel.trim().split('-').next().unwrap_or_default())
        .with("memory_mib", memory_mib)
        .with("load", fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default())
        .with("debian", fs::read_to_string("/etc/debian_version")?.trim())
        .with("libvirt", said_by("libvirtd", "--version"))
        .with("qemu", said_by("qemu-system-x86_64", "--version"))
        .print();
    Ok(())
}

/// The version in the first line that a program prints, if it is there.
fn said_by(program: &str, argument: &str) -> String {
    let out = Command::new(program).arg(argument).output().map(|ran| ran.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&out).into_owned();
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    words.find(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or("unknown").to_owned()
}
