// SPDX-License-Identifier: Apache-2.0
//! A disk that fails when told to, or loses power in the middle of a sync.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex};

use virtwarden_policyd::trail::{Directory, Sink, Store, Stored};

/// What the disk does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// What it should.
    #[default]
    Good,
    /// Syncs fail; what was written may or may not be there.
    SyncFails,
    /// The next sync fails, later ones seem to work.
    SyncFailsOnce,
    /// There is no free space.
    Full,
    /// At the next sync the power fails: of what was not synced, these sectors (by a random number) arrive.
    PowerFails(u64),
    /// Nothing works.
    Dead,
}

/// A directory whose disk has moods.
pub(crate) struct MoodyDisk {
    directory: Directory,
    mood: Arc<Mutex<Mood>>,
}

impl MoodyDisk {
    pub(crate) fn new(directory: &std::path::Path) -> Self {
        Self { directory: Directory::open(directory).unwrap(), mood: Arc::default() }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn check(&self) -> io::Result<()> {
        match *self.mood.lock().unwrap() {
            Mood::Good | Mood::SyncFails | Mood::SyncFailsOnce | Mood::PowerFails(_) => Ok(()),
            Mood::Full => Err(io::ErrorKind::StorageFull.into()),
            Mood::Dead => Err(io::Error::from_raw_os_error(5)),
        }
    }

    fn sink(&self, inner: Box<dyn Sink>) -> Box<dyn Sink> {
        Box::new(MoodySink { inner, mood: Arc::clone(&self.mood), unsynced: Vec::new() })
    }
}

impl Store for MoodyDisk {
    fn segments(&self) -> io::Result<Vec<Stored>> {
        self.directory.segments()
    }

    fn prepare(&self, bytes: u64) -> io::Result<()> {
        self.check()?;
        self.directory.prepare(bytes)
    }

    fn begin(&self, number: u64, header: &[u8]) -> io::Result<Box<dyn Sink>> {
        match *self.mood.lock().unwrap() {
            // The file is there already, and renaming it takes no space.
            Mood::Good | Mood::Full | Mood::SyncFailsOnce | Mood::PowerFails(_) => {
                Ok(self.sink(self.directory.begin(number, header)?))
            }
            Mood::SyncFails | Mood::Dead => Err(io::Error::from_raw_os_error(5)),
        }
    }

    fn discard(&self) -> io::Result<()> {
        self.directory.discard()
    }

    fn read(&self, number: u64) -> io::Result<File> {
        self.directory.read(number)
    }

    fn reopen(&self, number: u64) -> io::Result<Box<dyn Sink>> {
        Ok(self.sink(self.directory.reopen(number)?))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.directory.remove(number)
    }

    fn free(&self) -> io::Result<u64> {
        if *self.mood.lock().unwrap() == Mood::Full { Ok(0) } else { self.directory.free() }
    }
}

struct MoodySink {
    inner: Box<dyn Sink>,
    mood: Arc<Mutex<Mood>>,
    unsynced: Vec<(Vec<u8>, u64)>,
}

impl Sink for MoodySink {
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.unsynced.push((bytes.to_vec(), offset));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut mood = self.mood.lock().unwrap();
        match *mood {
            Mood::Good | Mood::Full => {
                for (bytes, offset) in self.unsynced.drain(..) {
                    self.inner.put(&bytes, offset)?;
                }
                return self.inner.sync();
            }
            Mood::SyncFails | Mood::SyncFailsOnce => {
                if *mood == Mood::SyncFailsOnce {
                    *mood = Mood::Good;
                }
                for (bytes, offset) in self.unsynced.drain(..) {
                    self.inner.put(&bytes[..bytes.len() / 2], offset)?;
                }
            }
            Mood::PowerFails(mut luck) => {
                for (bytes, offset) in self.unsynced.drain(..) {
                    let mut at = 0;
                    while at < bytes.len() {
                        let sector = 512 - (offset as usize + at) % 512;
                        let end = (at + sector).min(bytes.len());
                        luck = luck
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        if luck >> 63 == 1 {
                            self.inner.put(&bytes[at..end], offset + at as u64)?;
                        }
                        at = end;
                    }
                }
                *mood = Mood::Dead;
            }
            Mood::Dead => {}
        }
        Err(io::Error::from_raw_os_error(5))
    }

    fn finish(&mut self, bytes: u64) -> io::Result<()> {
        match *self.mood.lock().unwrap() {
            Mood::Good | Mood::Full | Mood::SyncFailsOnce => self.inner.finish(bytes),
            Mood::SyncFails | Mood::PowerFails(_) | Mood::Dead => Err(io::Error::from_raw_os_error(5)),
        }
    }
}
