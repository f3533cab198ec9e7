// SPDX-License-Identifier: Apache-2.0
//! The sessions' files, one each, so that policyd can die and come back while people stay logged in.
//!
//! They are good for one boot. What cannot be written or read is not known, and so nobody's session.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::table::Session;
use super::within;

/// The file format that this build writes and reads.
const FORMAT: u32 = 1;
/// The kernel's name for this boot.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// One file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    boot: String,
    session: Session,
}

/// The directory.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    boot: String,
}

pub(super) type Sessions = BTreeMap<u32, Arc<Session>>;

impl Store {
    /// Opens the directory and reads what is there of this boot; the rest goes.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, Sessions)> {
        Self::of_boot(directory, fs::read_to_string(BOOT)?.trim().to_owned())
    }

    fn of_boot(directory: &Path, boot: String) -> io::Result<(Self, Sessions)> {
        DirBuilder::new().mode(0o700).recursive(true).create(directory)?;
        let store = Self { directory: directory.to_owned(), boot };
        let mut sessions = Sessions::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|name| name == within::NAME) {
                continue;
            }
            match store.read(&path) {
                Some(session) => drop(sessions.insert(session.id, Arc::new(session))),
                None => fs::remove_file(&path)?,
            }
        }
        Ok((store, sessions))
    }

    fn read(&self, path: &Path) -> Option<Session> {
        let document: Document = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let own = self.path(document.session.id) == path;
        let good = own && document.format == FORMAT && document.boot == self.boot;
        good.then_some(document.session)
    }

    /// Brings the files up to what has changed.
    pub(super) fn keep(&self, before: &Sessions, after: &Sessions) {
        let same =
            |session: &Arc<Session>| before.get(&session.id).is_some_and(|other| Arc::ptr_eq(other, session));
        after.values().filter(|session| !same(session)).for_each(|session| self.write(session));
        before.keys().filter(|id| !after.contains_key(*id)).for_each(|id| self.remove(*id));
    }

    /// A session whose file is not what it is must have none: it would come back as what it was.
    fn write(&self, session: &Session) {
        if let Err(error) = self.replace(session) {
            eprintln!("virtwarden-policyd: session {} will not outlive policyd: {error}", session.id);
            self.remove(session.id);
        }
    }

    fn replace(&self, session: &Session) -> io::Result<()> {
        let document = Document { format: FORMAT, boot: self.boot.clone(), session: session.clone() };
        let new = self.directory.join(format!(".{}.new", session.id));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&document)?)?;
        fs::rename(&new, self.path(session.id))
    }

    fn remove(&self, id: u32) {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                eprintln!("virtwarden-policyd: cannot remove the file of session {id}: {error}");
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn path(&self, id: u32) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::alices;
    use super::*;

    fn of(session: Session) -> Sessions {
        Sessions::from([(session.id, Arc::new(session))])
    }

    #[test]
    fn what_was_kept_is_there_again_until_the_next_boot() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions");
        let (store, sessions) = Store::of_boot(&path, "one".to_owned()).unwrap();
        assert!(sessions.is_empty());
        store.keep(&sessions, &of(alices(5)));
        let (store, sessions) = Store::of_boot(&path, "one".to_owned()).unwrap();
        assert_eq!(*sessions[&5], alices(5));
        store.keep(&sessions, &Sessions::new());
        assert!(Store::of_boot(&path, "one".to_owned()).unwrap().1.is_empty());

        store.keep(&Sessions::new(), &of(alices(6)));
        assert!(Store::of_boot(&path, "two".to_owned()).unwrap().1.is_empty());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "files of another boot go");
    }

    #[test]
    fn what_is_not_a_session_is_nobodys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions");
        let (store, none) = Store::of_boot(&path, "one".to_owned()).unwrap();
        store.keep(&none, &of(alices(5)));
        let sound = fs::read_to_string(path.join("5.json")).unwrap();
        for (name, text) in [
            ("5.json", "{}".to_owned()),
            ("5.json", sound[..sound.len() / 2].to_owned()),
            ("6.json", sound.clone()),
            ("5.json", sound.replace("\"format\":1", "\"format\":2")),
            (".5.new", sound.clone()),
            ("5.json", sound.replace("\"since\"", "\"sinse\"")),
        ] {
            fs::write(path.join(name), &text).unwrap();
            if name != "5.json" {
                fs::remove_file(path.join("5.json")).unwrap_or_default();
            }
            assert!(Store::of_boot(&path, "one".to_owned()).unwrap().1.is_empty(), "{name}: {text}");
        }
    }

    #[test]
    fn a_session_that_cannot_be_written_does_not_come_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let (store, none) = Store::of_boot(directory.path(), "one".to_owned()).unwrap();
        store.keep(&none, &of(alices(5)));
        fs::create_dir(directory.path().join(".5.new")).unwrap();
        store.keep(&of(alices(5)), &of(Session { since: 1, ..alices(5) }));
        assert!(!directory.path().join("5.json").exists());
    }
}
