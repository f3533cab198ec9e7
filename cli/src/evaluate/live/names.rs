// SPDX-License-Identifier: Apache-2.0
//! What the things of one run are called: names that tell them from all else on the host.

use std::path::Path;

use super::made::PREFIX;
use super::people::Person;

/// The words of the tables and what they stand for.
pub(super) struct Names(Vec<(&'static str, String)>);

impl Names {
    /// Of a run with this mark.
    pub(super) fn of(mark: &str, [administrator, user]: [&Person; 2]) -> Self {
        let ours = |what: &str| format!("{PREFIX}{what}-{mark}");
        Self(vec![
            ("{own}", ours("own")),
            ("{other}", ours("other")),
            ("{new}", ours("new")),
            ("{net}", ours("net")),
            ("{newnet}", ours("newnet")),
            ("{admin}", administrator.name.clone()),
            ("{user}", user.name.clone()),
            ("{adminrole}", administrator.role.clone()),
            ("{userrole}", user.role.clone()),
            ("{mark}", mark.to_owned()),
            ("{somebody}", somebody(mark)),
        ])
    }

    /// With the files of the run, and the media that Users may insert.
    #[must_use]
    pub(super) fn in_places(mut self, files: &Path, library: Option<&Path>, mark: &str) -> Self {
        let library = library.unwrap_or(Path::new("/nonexistent"));
        self.0.extend([
            ("{files}", files.display().to_string()),
            ("{library}", library.display().to_string()),
            ("{iso}", library.join(format!("{PREFIX}{mark}.iso")).display().to_string()),
        ]);
        self
    }

    /// With servers of the run's own: the audit server's port, the directory's, and where people are in it.
    #[must_use]
    pub(super) fn with_servers(mut self, log: u16, directory: u16, base: &str) -> Self {
        self.0.extend([
            ("{logport}", log.to_string()),
            ("{ldapport}", directory.to_string()),
            ("{ldapbase}", base.to_owned()),
        ]);
        self
    }

    /// A text of the tables with the names in it.
    pub(super) fn put_into(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, name)| text.replace(word, name))
    }
}

/// Who is in the directory, and nowhere else.
pub(super) fn somebody(mark: &str) -> String {
    format!("{PREFIX}somebody-{mark}")
}
