// SPDX-License-Identifier: Apache-2.0
//! `virtwarden device learn --apply`: the proposal as a policy file, taken or tried as any other.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use virtwarden_core::control::{Mode, Reply, Request};

use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::Output;
use crate::vm::print_change;

/// Where an Administrator's policy files are.
const DIRECTORY: &str = "/etc/virtwarden/policy.d";

/// Writes the class's file and puts it in force, for good or on trial. A policy that is not taken leaves no file.
pub(super) fn apply(
    (class, text): (&str, &str),
    revert_after: Option<u32>,
    socket: &Path,
    output: &Output,
) -> Result<(), Failed> {
    let file = write(Path::new(DIRECTORY), class, text)?;
    let request = match revert_after {
        Some(seconds) => Request::PolicyTry { seconds },
        None => Request::PolicyReload { mode: Mode::Apply },
    };
    let taken = ask(socket, &request).and_then(|reply| {
        let Reply::Changed(change) = reply else { return Err(unexpected()) };
        Ok(change)
    });
    let change = taken.map_err(|failed| taken_back(&file, failed))?;
    output.remark(&format!("written: {}", file.display()))?;
    print_change(&change, output)?;
    match revert_after {
        Some(seconds) => {
            output.remark(&format!("type `virtwarden policy confirm` within {seconds} seconds to keep it"))
        }
        None => Ok(()),
    }
}

/// A new file of this class's name; none that is there is touched.
fn write(directory: &Path, class: &str, text: &str) -> Result<PathBuf, Failed> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if class.is_empty() || !class.bytes().all(plain) {
        return Err(Failed::usage(format!(
            "`{class}` cannot be the name of a policy file; use letters, digits, `-` and `_`"
        )));
    }
    let file = directory.join(format!("50-{class}.toml"));
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&file);
    let mut open = opened.map_err(|error| unwritten(&file, &error))?;
    let written = open.write_all(text.as_bytes()).and_then(|()| open.sync_all());
    written.map_err(|error| taken_back(&file, unwritten(&file, &error)))?;
    Ok(file)
}

fn unwritten(file: &Path, error: &io::Error) -> Failed {
    let file = file.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failed::error(format!(
            "`{file}` is there already; add to it by hand, or name another class with --class"
        ));
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        let message = format!("`{file}` is root's to write; run this as root in an Administrator's session");
        return Failed { exit: Exit::Denied, message };
    }
    Failed::error(format!("cannot write `{file}`: {error}"))
}

/// What is not in force shall not come into force with the next reload either.
fn taken_back(file: &Path, failed: Failed) -> Failed {
    match fs::remove_file(file) {
        Ok(()) => failed,
        Err(error) => Failed {
            message: format!("{}; and `{}` cannot be removed: {error}", failed.message, file.display()),
            ..failed
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_gets_a_file_of_its_own_and_no_other_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let file = write(directory.path(), "office-sticks", "text").unwrap();
        assert_eq!(file, directory.path().join("50-office-sticks.toml"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
        let again = write(directory.path(), "office-sticks", "other").unwrap_err();
        assert!(again.message.contains("is there already"), "{}", again.message);
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
        for class in ["", "../x", "a b", "a/b", "ä"] {
            assert!(write(directory.path(), class, "").is_err(), "{class}");
        }
    }
}
