// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy check`: reads policy files as policyd would, without it and without rights.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use virtwarden_core::control::PolicyFile;
use virtwarden_core::policy::hidden::Hidden;
use virtwarden_core::policy::{Policy, Source};

use super::files::{self, unreadable};
use super::guarded;
use crate::exit::{Exit, Failed};
use crate::output::Output;

/// Where the host's policy is; a file in a later directory hides files of its name in earlier ones.
const DIRECTORIES: [&str; 2] = [SHIPPED, "/etc/virtwarden/policy.d"];
/// Where the package's are.
pub(super) const SHIPPED: &str = "/usr/share/virtwarden/policy.d";

/// Policy files by name.
type Files = BTreeMap<OsString, PathBuf>;

/// Checks the files of one directory, or those of this host.
pub(super) fn check(directory: Option<&Path>, output: &Output) -> Result<(), Failed> {
    let files = match directory {
        Some(directory) => named(directory)?,
        None => guarded_hosts()?,
    };
    if files.is_empty() {
        let message = "there is no policy file; their names end in `.toml`".to_owned();
        return Err(Failed { exit: Exit::NotFound, message });
    }
    let texts = files.into_values().map(read).collect::<Result<Vec<_>, _>>()?;
    let policy = load(&texts)?;
    texts.iter().try_for_each(|(name, _)| output.remark(&format!("{name}: no mistakes")))?;
    remark_on(&policy, output)
}

/// Says what in this host's files, with others beside them or in their place, does not count. What cannot be read, or has
/// a mistake, is told by whoever reads it in earnest.
pub(super) fn remark_hidden(others: &[PolicyFile], output: &Output) -> Result<(), Failed> {
    let texts = hosts().and_then(|files| {
        files.into_iter().map(|(name, path)| Ok((name, read(path)?))).collect::<Result<BTreeMap<_, _>, _>>()
    });
    let mut texts = texts.unwrap_or_default();
    for PolicyFile { path, text } in others {
        let name = Path::new(path).file_name().unwrap_or_default();
        texts.insert(name.to_owned(), (path.clone(), text.clone()));
    }
    match load(&texts.into_values().collect::<Vec<_>>()) {
        Ok(policy) => remark_on(&policy, output),
        Err(_) => Ok(()),
    }
}

/// That a shipped table gives way to a site's own is as it should be.
fn remark_on(policy: &Policy, output: &Output) -> Result<(), Failed> {
    let is_own = |hidden: &&Hidden| !Path::new(&*hidden.place.source).starts_with(SHIPPED);
    policy.hidden().iter().filter(is_own).try_for_each(|hidden| output.remark(&hidden.to_string()))
}

/// The texts of this host's files by their paths, in the order in which policyd reads them.
///
/// # Errors
/// They cannot be read, or have a mistake.
pub(crate) fn on_disk() -> Result<Vec<(String, String)>, Failed> {
    let texts = guarded_hosts()?.into_values().map(read).collect::<Result<Vec<_>, _>>()?;
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

/// This host's files, if policyd would read them.
fn guarded_hosts() -> Result<Files, Failed> {
    let directories = DIRECTORIES.iter().map(Path::new);
    directories.filter(|directory| directory.exists()).try_for_each(guarded::insist)?;
    let files = hosts()?;
    files.values().try_for_each(|path| guarded::insist(path))?;
    Ok(files)
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
    let text = files::text(&path).map_err(|error| unreadable(&path, &error))?;
    Ok((path.display().to_string(), text))
}
