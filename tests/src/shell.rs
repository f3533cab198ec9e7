// SPDX-License-Identifier: Apache-2.0
//! A virsh that somebody has open, with one connection for all its commands.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use crate::host::Host;

/// What virsh prints after each command, so that its end is seen.
const DONE: &str = "that-was-it";

/// A virsh that waits for its next command.
#[derive(Debug)]
pub struct Shell {
    virsh: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Shell {
    /// Opens one for somebody; it ends by itself after two minutes.
    ///
    /// # Errors
    /// It could not be started, or could not connect.
    pub fn open(host: &Host, person: &str) -> Result<Self, String> {
        let script = "exec timeout 120 virsh -c qemu:///system 2>&1";
        let mut virsh = host.begin(person, script).map_err(|error| error.to_string())?;
        let (Some(says), Some(hears)) = (virsh.stdout.take(), virsh.stdin.take()) else {
            return Err("virsh has no standard input and output".to_owned());
        };
        let mut shell = Self { virsh, says: BufReader::new(says), hears };
        shell.ask("uri").map(|_| shell)
    }

    /// Gives a command and returns all that was printed, errors included.
    ///
    /// # Errors
    /// virsh ended.
    pub fn ask(&mut self, command: &str) -> Result<String, String> {
        writeln!(self.hears, "{command}\necho {DONE}").map_err(|error| error.to_string())?;
        self.hears.flush().map_err(|error| error.to_string())?;
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            match self.says.read_line(&mut line) {
                Ok(0) => return Err(format!("virsh ended at `{command}`: {printed}")),
                Ok(_) if line.trim() == DONE => return Ok(printed),
                Ok(_) => printed.push_str(&line),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Gives a command that must print one of these.
    ///
    /// # Errors
    /// It printed something else.
    pub fn must_show(&mut self, command: &str, any: &[&str]) -> Result<(), String> {
        let printed = self.ask(command)?;
        if any.iter().any(|text| printed.contains(text)) {
            Ok(())
        } else {
            Err(format!("`{command}` printed `{printed}`, not {any:?}"))
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ended_already = writeln!(self.hears, "quit");
        let _ended_already = self.virsh.kill();
        let _reaped = self.virsh.wait();
    }
}
