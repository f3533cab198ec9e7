// SPDX-License-Identifier: Apache-2.0
//! The distribution's own programs, run with an environment of ours.

use std::process::{Command, Output, Stdio};

use crate::exit::Failed;

/// Where they are; nothing of the caller's is looked into.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs one to its end; what it printed, or what it complained.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String, Failed> {
    let output = output(program, arguments)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaint = if complained.trim().is_empty() { said } else { complained };
    Err(Failed::error(format!("{program} failed: {}", last_lines(&complaint))))
}

/// Runs one to its end, however that is.
pub(super) fn output(program: &str, arguments: &[&str]) -> Result<Output, Failed> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs([("PATH", PATH), ("LC_ALL", "C.UTF-8"), ("DEBIAN_FRONTEND", "noninteractive")])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failed::error(format!("cannot run {program}: {error}")))
}

/// A complaint as far as a record has room for it.
fn last_lines(text: &str) -> String {
    let all: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // apt's own errors begin so, and say more than the list of hashes that it ends with.
    let errors: Vec<_> = all.iter().copied().filter(|line| line.starts_with("E: ")).collect();
    let lines = if errors.is_empty() { all } else { errors };
    lines.iter().skip(lines.len().saturating_sub(6)).copied().collect::<Vec<_>>().join("; ")
}
