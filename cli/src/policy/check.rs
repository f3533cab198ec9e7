// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy check`: reads policy files as policyd would, without it and without rights.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use virtwarden_core::policy::{Policy, Source};

use crate::exit::{Exit, Failed};
use crate::output::Output;

/// Where the host's policy is; a file in a later directory hides files of its name in earlier ones.
const DIRECTORIES: [&str; 2] = ["/usr/share/virtwarden/policy.d", "/etc/virtwarden/policy.d"];

/// Policy files by name.
type Files = BTreeMap<OsString, PathBuf>;

/// Checks the files of one directory, or those of this host.
pub(super) fn check(directory: Option<&Path>, output: &Output) -> Result<(), Failed> {
    let files = match directory {
        Some(directory) => named(directory)?,
        None => hosts()?,
    };
    if files.is_empty() {
        let message = "there is no policy file; their names end in `.toml`".to_owned();
        return Err(Failed { exit: Exit::NotFound, message });
    }
    let texts = files.into_values().map(read).collect::<Result<Vec<_>, _>>()?;
    load(&texts)?;
    texts.iter().try_for_each(|(name, _)| output.remark(&format!("{name}: no mistakes")))
}

/// The texts of this host's files by their paths, in the order in which policyd reads them.
///
/// # Errors
/// They cannot be read, or have a mistake.
pub(crate) fn on_disk() -> Result<Vec<(String, String)>, Failed> {
    let texts = hosts()?.into_values().map(read).collect::<Result<Vec<_>, _>>()?;
    load(&texts).map(|_| texts)
}

/// The information domains that this host's files name; none where they cannot be read or have a mistake.
pub(crate) fn information_domains() -> Vec<String> {
    let texts = hosts().and_then(|files| files.into_values().map(read).collect::<Result<Vec<_>, _>>());
    let policy = texts.and_then(|texts| load(&texts));
    let named = |policy: Policy| policy.information_domains().map(|domain| domain.name.clone()).collect();
    policy.map(named).unwrap_or_default()
}

fn load(texts: &[(String, String)]) -> Result<Policy, Failed> {
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    Policy::load(&sources).map_err(|mistakes| {
        let rendered: Vec<_> = mistakes.iter().map(|mistake| mistake.render(&sources)).collect();
        Failed::error(rendered.join("\n"))
    })
}

fn hosts() -> Result<Files, Failed> {
    let mut files = BTreeMap::new();
    for directory in DIRECTORIES {
        match listed(Path::new(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => files.extend(found.map_err(|error| unreadable(Path::new(directory), &error))?),
        }
    }
    Ok(files)
}

fn named(directory: &Path) -> Result<Files, Failed> {
    listed(directory).map_err(|error| unreadable(directory, &error))
}

fn listed(directory: &Path) -> io::Result<Files> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|end| end == "toml")) {
            files.insert(name.to_owned(), path);
        }
    }
    Ok(files)
}

fn read(path: PathBuf) -> Result<(String, String), Failed> {
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    Ok((path.display().to_string(), text))
}

fn unreadable(path: &Path, error: &io::Error) -> Failed {
    let missing = error.kind() == io::ErrorKind::NotFound;
    let exit = if missing { Exit::NotFound } else { Exit::Error };
    Failed { exit, message: format!("cannot read `{}`: {error}", path.display()) }
}
