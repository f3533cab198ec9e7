// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy rollback`: policyd hands the files of a former policy over, root puts them back in their places,
//! and they come into force by a reload like any other. If that is refused, the files from before come back.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use virtwarden_core::control::{FormerPolicy, Mode, PolicyFile, Reply, Request};

use super::check::SHIPPED;
use super::files::unreadable;
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Output, listed};
use crate::takeover;
use crate::time;
use crate::vm::print_change;

const HEADERS: [&str; 5] = ["NUMBER", "IN FORCE UNTIL (UTC)", "REPLACED BY", "HASH", "WHAT CHANGED THEN"];
/// Where the host's own files are. The shipped ones are the package's and stay.
const DIRECTORY: &str = "/etc/virtwarden/policy.d";

/// Texts by paths; none is a file that is not to be there.
type Files = BTreeMap<PathBuf, Option<String>>;

/// Prints what can be gone back to.
pub(super) fn list(socket: &Path, output: &Output) -> Result<(), Failed> {
    let policies = former(socket, &Request::PolicyFormer)?;
    output.show(&policies, HEADERS, policies.iter().map(row))
}

fn row(policy: &FormerPolicy) -> [String; 5] {
    [
        policy.number.to_string(),
        time::of_seconds(policy.until),
        policy.by.clone(),
        policy.hash.chars().take(16).collect(),
        listed(policy.change.iter().map(|change| change.as_str())),
    ]
}

/// Goes back to one, or shows what that would change.
pub(super) fn go_back(number: u32, mode: Mode, socket: &Path, output: &Output) -> Result<(), Failed> {
    if mode == Mode::Apply && !nix::unistd::geteuid().is_root() {
        let message =
            "only root can write policy files; run it with `sudo`, or look with `--dry-run`".to_owned();
        return Err(Failed { exit: Exit::Denied, message });
    }
    let Some(policy) = former(socket, &Request::PolicyRecall { number })?.pop() else {
        return Err(unexpected());
    };
    let wanted = wanted(&policy, &present()?);
    if mode == Mode::DryRun {
        return show(&wanted, socket, output);
    }
    let before =
        wanted.keys().map(|path| Ok((path.clone(), text(path)?))).collect::<Result<Files, Failed>>()?;
    let reloaded = place(&wanted).and_then(|()| ask(socket, &Request::PolicyReload { mode: Mode::Apply }));
    match reloaded {
        Ok(Reply::Changed(change)) => print_change(&change, output),
        Ok(_) => Err(unexpected()),
        Err(failed) => {
            place(&before)?;
            Err(Failed { message: format!("{}; the files are as they were", failed.message), ..failed })
        }
    }
}

/// Which files would be written or removed, and what that would change.
fn show(wanted: &Files, socket: &Path, output: &Output) -> Result<(), Failed> {
    for (path, text) in wanted {
        match text {
            // What cannot be read here is root's to compare.
            Some(text) if self::text(path).is_ok_and(|present| present.as_ref() == Some(text)) => {}
            Some(_) => output.remark(&format!("would write: {}", path.display()))?,
            None => output.remark(&format!("would remove: {}", path.display()))?,
        }
    }
    let files = wanted.iter().map(|(path, text)| as_sent(path, text.as_deref())).collect::<Result<_, _>>()?;
    let Reply::Changed(change) = ask(socket, &Request::PolicyDiff { files })? else {
        return Err(unexpected());
    };
    print_change(&change, output)
}

/// A file as policyd compares it, beside those that are there. In the place of one that goes stands the shipped one that
/// it hid, or nothing.
fn as_sent(path: &Path, wanted: Option<&str>) -> Result<PolicyFile, Failed> {
    let shipped = || match path.file_name() {
        Some(name) => text(&Path::new(SHIPPED).join(name)),
        None => Ok(None),
    };
    let text = match wanted {
        Some(wanted) => wanted.to_owned(),
        None => shipped()?.unwrap_or_default(),
    };
    Ok(PolicyFile { path: path.display().to_string(), text })
}

fn former(socket: &Path, request: &Request) -> Result<Vec<FormerPolicy>, Failed> {
    let Reply::FormerPolicies(policies) = ask(socket, request)? else { return Err(unexpected()) };
    Ok(policies)
}

/// What must change so that the host's own files are those of the policy, and no others.
fn wanted(policy: &FormerPolicy, present: &[PathBuf]) -> Files {
    let own = policy.files.iter().filter(|file| Path::new(&file.path).parent() == Some(Path::new(DIRECTORY)));
    let mut files: Files = present.iter().map(|path| (path.clone(), None)).collect();
    files.extend(own.map(|file| (PathBuf::from(&file.path), Some(file.text.clone()))));
    files
}

/// The host's own policy files.
fn present() -> Result<Vec<PathBuf>, Failed> {
    let entries = match fs::read_dir(DIRECTORY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| unreadable(Path::new(DIRECTORY), &error))?,
    };
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect())
}

fn text(path: &Path) -> Result<Option<String>, Failed> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn place(files: &Files) -> Result<(), Failed> {
    files.iter().try_for_each(|(path, text)| takeover::put_in_place(path, text.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_files_become_those_of_the_policy_and_shipped_ones_stay() {
        let file = |path: &str| PolicyFile { path: path.to_owned(), text: "text".to_owned() };
        let policy = FormerPolicy {
            number: 1,
            hash: String::new(),
            until: 0,
            by: "alice".to_owned(),
            change: Vec::new(),
            files: vec![
                file("/etc/virtwarden/policy.d/20-site.toml"),
                file("/usr/share/virtwarden/policy.d/90-default.toml"),
                file("/etc/virtwarden/policy.d/../../shadow"),
            ],
        };
        let later = PathBuf::from("/etc/virtwarden/policy.d/30-later.toml");
        let wanted = wanted(&policy, std::slice::from_ref(&later));
        let written: Vec<_> =
            wanted.iter().map(|(path, text)| (path.display().to_string(), text.is_some())).collect();
        assert_eq!(
            written,
            [
                ("/etc/virtwarden/policy.d/20-site.toml".to_owned(), true),
                ("/etc/virtwarden/policy.d/30-later.toml".to_owned(), false),
            ]
        );
    }
}
