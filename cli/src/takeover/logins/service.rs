// SPDX-License-Identifier: Apache-2.0
//! One service's stacks, with everything that they include.

use std::collections::BTreeSet;

use crate::takeover::host::Host;
use crate::takeover::stacks::lines_of;

/// Where services are; one of the first directory hides one of the same name of the second.
const DIRECTORIES: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// What a stack is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    Auth,
    Session,
}

impl Realm {
    fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Session => "session",
        }
    }
}

/// A service that PAM knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    directory: &'static str,
    name: String,
}

impl Service {
    /// All services; the stacks that they share are none.
    pub(crate) fn all(host: &Host<'_>) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for directory in DIRECTORIES {
            for name in host.list(directory).into_iter().filter(|name| is_service(name)) {
                if seen.insert(name.clone()) {
                    all.push(Self { directory, name });
                }
            }
        }
        all
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }

    /// The modules that it asks, without their directories.
    pub(crate) fn modules(&self, host: &Host<'_>, realm: Realm) -> BTreeSet<String> {
        let mut modules = BTreeSet::new();
        let mut read = BTreeSet::new();
        let mut files = vec![self.name.clone()];
        while let Some(name) = files.pop() {
            if !read.insert(name.clone()) {
                continue;
            }
            for line in lines(host, &name) {
                match entry(&line, realm) {
                    Some(Entry::Include(name)) => files.push(name),
                    Some(Entry::Module(name)) => drop(modules.insert(name)),
                    None => {}
                }
            }
        }
        modules
    }
}

/// Left-overs of dpkg, of editors and of pam-auth-update are no services.
fn is_service(name: &str) -> bool {
    !name.starts_with("common-") && !name.contains(['.', '~', '#'])
}

fn lines(host: &Host<'_>, name: &str) -> Vec<String> {
    let paths = DIRECTORIES.iter().map(|directory| format!("{directory}/{name}"));
    let found = paths.into_iter().find(|path| host.has(path));
    found.map(|path| lines_of(host, &path)).unwrap_or_default()
}

enum Entry {
    Include(String),
    Module(String),
}

/// `auth [success=1 default=ignore] pam_unix.so nullok`, `@include common-auth`, `auth substack common-auth`.
fn entry(line: &str, realm: Realm) -> Option<Entry> {
    if let Some(name) = line.strip_prefix("@include ") {
        return Some(Entry::Include(name.to_owned()));
    }
    let rest = line.trim_start_matches('-').strip_prefix(realm.word())?.strip_prefix(' ')?;
    let (control, rest) = if rest.starts_with('[') { rest.split_once("] ")? } else { rest.split_once(' ')? };
    let target = rest.split(' ').next()?;
    match control {
        "include" | "substack" => Some(Entry::Include(target.to_owned())),
        _ => target.rsplit('/').next().map(|module| Entry::Module(module.to_owned())),
    }
}
