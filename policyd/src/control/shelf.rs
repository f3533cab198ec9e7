// SPDX-License-Identifier: Apache-2.0
//! The trail of this host, read while it is being written: only what is durable is shown.

mod fill;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use virtwarden_core::control::{Before, TrailKeys, Verification};
use virtwarden_core::trail::line::Line;

use super::archive::{Archive, Flow, Part, Reader, Record, State};
use crate::trail::{Config, Directory, News, ReadError, Removable, Store, Trail};
use fill::Fill;

/// How often a follower who waits is looked at.
const GLANCE: Duration = Duration::from_secs(1);

/// The trail of this host.
pub struct Shelf {
    trail: Arc<Trail>,
    store: Directory,
    config: Config,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("directory", &self.config.directory).finish_non_exhaustive()
    }
}

impl Shelf {
    /// The trail that was opened with a configuration.
    ///
    /// # Errors
    /// Its directory cannot be opened.
    pub fn new(trail: Arc<Trail>, config: Config) -> io::Result<Self> {
        Ok(Self { trail, store: Directory::open(&config.directory)?, config })
    }

    fn unreadable(&self, error: &io::Error) -> String {
        format!("the audit trail in `{}` cannot be read: {error}", self.config.directory.display())
    }
}

impl Archive for Shelf {
    fn read(&self, reader: &mut dyn Reader) -> Result<(), String> {
        for record in self.trail.read().forwards().map_err(|error| self.unreadable(&error))? {
            let record = match record {
                Ok(record) => record,
                // The oldest segment went to make room while it was being read.
                Err(ReadError::File(error)) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.to_string()),
            };
            if hand_over(&record.line, &record.text, reader)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn follow(&self, reader: &mut dyn Reader) -> Result<(), String> {
        let follower = self.trail.follow();
        loop {
            let flow = match follower.next(GLANCE) {
                News::Line(text) => {
                    let text = text.trim_ascii_end();
                    hand_over(&Line::parse(text).map_err(|error| damaged(&error))?, text, reader)?
                }
                News::Quiet => reader.wait(),
                News::Lagged => return Err("records come faster than you read; follow again".to_owned()),
                News::Closed => Flow::Stop,
            };
            if flow == Flow::Stop {
                return Ok(());
            }
        }
    }

    fn verify(&self) -> Verification {
        match self.trail.verify() {
            Ok(report) => Verification::from(&report),
            Err(why) => Verification::impossible(why.to_string()),
        }
    }

    fn state(&self) -> State {
        let segments = self.store.segments().unwrap_or_default();
        let used = segments.iter().map(|segment| segment.bytes).sum();
        // What the file system does not say does not bound it.
        let free = self.store.free().unwrap_or(u64::MAX);
        Fill::new(&self.config, used, free).state(self.trail.trouble().as_ref())
    }

    fn keys(&self) -> Result<TrailKeys, String> {
        let (keys, head) = self.trail.keys().map_err(|error| error.to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| damaged(&error));
        Ok(TrailKeys { keys: text(keys)?, head: head.map(text).transpose()? })
    }

    fn begin_sending(&self) -> Result<(), String> {
        self.trail.begin_sending().map_err(|error| error.to_string())
    }

    fn removable(&self, before: Before) -> Result<Option<Removable>, String> {
        self.trail.removable(before).map_err(|error| self.unreadable(&error))
    }

    fn remove(&self, removable: &Removable, reason: &str) -> Result<(), String> {
        self.trail.remove(removable.through, reason).map(drop).map_err(|error| error.to_string())
    }
}

fn hand_over(line: &Line, text: &[u8], reader: &mut dyn Reader) -> Result<Flow, String> {
    let text = std::str::from_utf8(text).map_err(|error| damaged(&error))?;
    let event = line.entry.event();
    Ok(reader.take(&Record {
        sequence: line.seq,
        time: line.stamp.time.micros(),
        event: &event,
        part: Part::of(&line.entry),
        line: text,
    }))
}

fn damaged(error: &dyn fmt::Display) -> String {
    format!("{error}; check the trail with `virtwarden audit verify`")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use virtwarden_core::record::Outcome;
    use virtwarden_core::trail::entry::of_trail;

    use super::*;
    use crate::trail::Kernel;

    struct Scene {
        _directory: tempfile::TempDir,
        trail: Arc<Trail>,
        shelf: Shelf,
        config: Config,
    }

    fn scene() -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let (segments, state) = (directory.path().join("audit"), directory.path().join("state"));
        fs::create_dir(&segments).unwrap();
        fs::create_dir(&state).unwrap();
        let config =
            Config { kernel: Kernel::Silent, segment_bytes: 1 << 20, ..Config::new(&segments, &state) };
        let trail = Arc::new(Trail::open(config.clone()).unwrap());
        let shelf = Shelf::new(trail.clone(), config.clone()).unwrap();
        Scene { _directory: directory, trail, shelf, config }
    }

    fn say(trail: &Trail, words: &str) {
        trail.attempt(of_trail("test", Outcome::Success, words.to_owned())).unwrap();
    }

    /// Takes the details of events, and leaves when it has enough.
    struct Ear {
        heard: Vec<String>,
        enough: usize,
        /// Something to happen while it waits.
        meanwhile: Box<dyn FnMut()>,
    }

    impl Reader for Ear {
        fn take(&mut self, record: &Record<'_>) -> Flow {
            assert_eq!(Line::parse(record.line.as_bytes()).unwrap().seq, record.sequence);
            if record.event.operation == "test" {
                self.heard.push(record.event.detail.clone());
            }
            if self.heard.len() < self.enough { Flow::Continue } else { Flow::Stop }
        }
        fn wait(&mut self) -> Flow {
            (self.meanwhile)();
            Flow::Continue
        }
    }

    fn ear(enough: usize) -> Ear {
        Ear { heard: Vec::new(), enough, meanwhile: Box::new(|| ()) }
    }

    #[test]
    fn what_was_recorded_is_read_in_order_until_the_reader_has_enough() {
        let scene = scene();
        ["one", "two", "three"].iter().for_each(|words| say(&scene.trail, words));
        let mut all = ear(usize::MAX);
        scene.shelf.read(&mut all).unwrap();
        assert_eq!(all.heard, ["one", "two", "three"]);
        let mut some = ear(2);
        scene.shelf.read(&mut some).unwrap();
        assert_eq!(some.heard, ["one", "two"]);
    }

    #[test]
    fn a_follower_hears_only_what_comes() {
        let scene = scene();
        say(&scene.trail, "before");
        let trail = scene.trail.clone();
        let mut follower = Ear { meanwhile: Box::new(move || say(&trail, "after")), ..ear(2) };
        scene.shelf.follow(&mut follower).unwrap();
        assert_eq!(follower.heard, ["after", "after"]);
    }

    #[test]
    fn a_whole_trail_verifies_and_a_changed_one_does_not() {
        let scene = scene();
        say(&scene.trail, "honest");
        scene.trail.seal().unwrap();
        let verification = scene.shelf.verify();
        assert_eq!((verification.code, verification.flaw), (0, None));
        let segment = fs::read_dir(&scene.config.directory).unwrap().map(|entry| entry.unwrap().path());
        let segment =
            segment.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).min().unwrap();
        let bytes = fs::read(&segment).unwrap();
        let at = bytes.windows(6).position(|part| part == b"honest").unwrap();
        let mut changed = bytes;
        changed[at] = b'H';
        fs::write(&segment, changed).unwrap();
        let verification = scene.shelf.verify();
        assert_eq!((verification.code, verification.verdict.as_str()), (10, "changed"));
        assert!(verification.flaw.is_some());
    }

    #[test]
    fn a_trail_without_its_key_is_not_called_whole() {
        let scene = scene();
        fs::remove_file(scene.config.public_key()).unwrap();
        assert_eq!(scene.shelf.verify().code, 15);
    }

    #[test]
    fn a_store_that_is_nearly_full_warns_and_one_that_is_full_too() {
        let mut scene = scene();
        assert_eq!(scene.shelf.state().warning, None);
        scene.shelf.config.total_bytes = 1 << 20;
        assert!(scene.shelf.state().warning.unwrap().contains("100 % full"));
        let config = Config { total_bytes: 2 << 20, reserve_bytes: 0, ..scene.config.clone() };
        drop((scene.shelf, scene.trail));
        let trail = Arc::new(Trail::open(config.clone()).unwrap());
        while trail.attempt(of_trail("test", Outcome::Success, "more".to_owned())).is_ok() {}
        let warning = Shelf::new(trail, config).unwrap().state().warning.unwrap();
        assert!(warning.starts_with("nothing can be managed: the audit trail is full"), "{warning}");
    }
}
