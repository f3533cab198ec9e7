// SPDX-License-Identifier: Apache-2.0
//! Segment files on a disk. Behind a trait, so that tests can have a disk that fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const SPARE: &str = "spare";
const UNFINISHED_SPARE: &str = "spare.new";
const SUFFIX: &str = ".jsonl";
static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];

/// A segment file that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub number: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Where segments are kept.
pub trait Store: Send + Sync + 'static {
    /// The segments there are, by number.
    ///
    /// # Errors
    /// If the directory cannot be read.
    fn segments(&self) -> io::Result<Vec<Stored>>;

    /// Makes sure that a zeroed file of that many bytes is at hand for the next segment.
    ///
    /// # Errors
    /// If it cannot be made.
    fn prepare(&self, bytes: u64) -> io::Result<()>;

    /// Turns the prepared file into the segment with that number. It never appears without its header.
    ///
    /// # Errors
    /// If none was prepared, the segment exists already, or the disk refuses.
    fn begin(&self, number: u64, header: &[u8]) -> io::Result<Box<dyn Sink>>;

    /// Throws the prepared file away, whose contents are not known.
    ///
    /// # Errors
    /// If it cannot be deleted.
    fn discard(&self) -> io::Result<()>;

    /// Opens a segment to read it from its beginning.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn read(&self, number: u64) -> io::Result<File>;

    /// Opens an existing segment, so that it can be finished.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn reopen(&self, number: u64) -> io::Result<Box<dyn Sink>>;

    /// Deletes a segment.
    ///
    /// # Errors
    /// If it cannot be deleted.
    fn remove(&self, number: u64) -> io::Result<()>;

    /// How many bytes are free for us.
    ///
    /// # Errors
    /// If the file system does not say.
    fn free(&self) -> io::Result<u64>;
}

/// One segment file being written.
pub trait Sink: Send {
    /// Writes at an offset.
    ///
    /// # Errors
    /// If the disk refuses. How much was written is then unknown.
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// If the disk refuses. What was written since the last success must then be taken as lost.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to its final length, durably.
    ///
    /// # Errors
    /// If the disk refuses.
    fn finish(&mut self, bytes: u64) -> io::Result<()>;
}

/// A directory of segment files, `00000001.jsonl` and so on, readable by their owner alone.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The directory at that path, made if it is missing.
    ///
    /// # Errors
    /// If it can neither be found nor made.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// The path of a segment.
    pub fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:08}{SUFFIX}"))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Store for Directory {
    fn segments(&self) -> io::Result<Vec<Stored>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(number);
            if let Some(number) = number {
                found.push(Stored { number, bytes: entry.metadata()?.len() });
            }
        }
        found.sort_by_key(|stored| stored.number);
        Ok(found)
    }

    fn prepare(&self, bytes: u64) -> io::Result<()> {
        let spare = self.path.join(SPARE);
        if fs::metadata(&spare).is_ok_and(|found| found.len() == bytes) {
            return Ok(());
        }
        let unfinished = self.path.join(UNFINISHED_SPARE);
        let made = zeroed(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &spare));
        if made.is_err() {
            // Half a spare must not hold the space that others need.
            let _ = fs::remove_file(&unfinished);
        }
        made.and_then(|()| self.sync())
    }

    fn begin(&self, number: u64, header: &[u8]) -> io::Result<Box<dyn Sink>> {
        let (spare, path) = (self.path.join(SPARE), self.segment(number));
        if path.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&spare)?;
        file.put(header, 0)?;
        file.sync()?;
        if let Err(cause) = fs::rename(&spare, &path).and_then(|()| self.sync()) {
            // Whether the name is durable is unknown; it must be free for the next try.
            let _ = fs::remove_file(&path);
            return Err(cause);
        }
        Ok(Box::new(file))
    }

    fn discard(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(SPARE)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn read(&self, number: u64) -> io::Result<File> {
        File::open(self.segment(number))
    }

    fn reopen(&self, number: u64) -> io::Result<Box<dyn Sink>> {
        let file = OpenOptions::new().read(true).write(true).open(self.segment(number))?;
        Ok(Box::new(file))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.segment(number))?;
        self.sync()
    }

    fn free(&self) -> io::Result<u64> {
        let found = nix::sys::statvfs::statvfs(&self.path)?;
        Ok(found.blocks_available().saturating_mul(found.fragment_size()))
    }
}

impl Sink for File {
    fn put(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn finish(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.sync_all()
    }
}

/// The number in a segment's file name. Other files are none of ours.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let number = digits.parse().ok()?;
    (format!("{number:08}") == digits).then_some(number)
}

/// Writes zeros rather than reserving: later writes then change no metadata, and a sync need not wait for any.
fn zeroed(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(ZEROS.get(..length).unwrap_or(&ZEROS))?;
        left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_made_from_the_spare_and_never_over_another() {
        let place = tempfile::tempdir().unwrap();
        let store = Directory::open(&place.path().join("audit")).unwrap();
        assert!(store.begin(1, b"header\n").is_err(), "nothing is prepared yet");
        store.prepare(1 << 20).unwrap();
        let mut sink = store.begin(1, b"header\n").unwrap();
        assert_eq!(store.segments().unwrap(), [Stored { number: 1, bytes: 1 << 20 }]);
        sink.put(b"line\n", 7).unwrap();
        sink.finish(12).unwrap();
        store.prepare(4096).unwrap();
        assert!(store.begin(1, b"other\n").is_err());
        assert_eq!(fs::read(store.segment(1)).unwrap(), b"header\nline\n");
    }

    #[test]
    fn other_files_are_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let store = Directory::open(place.path()).unwrap();
        for name in ["1.jsonl", "00000002.jsonl.gz", "+0000003.jsonl", "notes", "00000004.jsonl"] {
            fs::write(place.path().join(name), "x").unwrap();
        }
        assert_eq!(store.segments().unwrap(), [Stored { number: 4, bytes: 1 }]);
    }
}
