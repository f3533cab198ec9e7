// SPDX-License-Identifier: Apache-2.0
//! As much of the tar format (POSIX ustar) as an archive needs: plain files with short names.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::path::{Path, PathBuf};

const BLOCK: u64 = 512;
const ZEROS: [u8; 512] = [0; 512];
/// Where a header has its fields.
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// The most files that are looked at.
const MOST: usize = 1_000_000;

/// Writes an archive, file after file.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    to: W,
    /// The file that is being written: its name and where its header stands.
    open: Option<(String, u64)>,
    length: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// An archive with nothing in it yet.
    pub(crate) fn new(to: W) -> Self {
        Self { to, open: None, length: 0 }
    }

    /// Adds a file whole.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.put(content)
    }

    /// Begins a file, whose length is known when the next one begins.
    pub(crate) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end()?;
        self.open = Some((name.to_owned(), self.to.stream_position()?));
        self.to.write_all(&ZEROS)
    }

    /// Adds to the file that was begun.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.open.is_none() {
            return Err(io::Error::other("the first line is no header of a segment"));
        }
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.to.write_all(bytes)
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end()?;
        self.to.write_all(&ZEROS)?;
        self.to.write_all(&ZEROS)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn end(&mut self) -> io::Result<()> {
        let Some((name, at)) = self.open.take() else { return Ok(()) };
        let length = std::mem::take(&mut self.length);
        let padding = usize::try_from(length.next_multiple_of(BLOCK) - length).unwrap_or_default();
        self.to.write_all(ZEROS.get(..padding).unwrap_or_default())?;
        let end = self.to.stream_position()?;
        self.to.seek(SeekFrom::Start(at))?;
        self.to.write_all(&header(&name, length))?;
        self.to.seek(SeekFrom::Start(end)).map(drop)
    }
}

fn header(name: &str, length: u64) -> [u8; 512] {
    let mut block = ZEROS;
    let mut set = |at: usize, text: &str| {
        let field = block.iter_mut().skip(at);
        field.zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    };
    set(NAME.start, name);
    set(100, "0000600\0");
    set(108, "0000000\0");
    set(116, "0000000\0");
    set(SIZE.start, &format!("{length:011o}\0"));
    set(136, "00000000000\0");
    set(156, "0");
    set(257, "ustar\u{0}00");
    let sum = checksum(&block);
    let field = block.iter_mut().skip(CHECKSUM.start);
    field.zip(format!("{sum:06o}\0 ").bytes()).for_each(|(place, byte)| *place = byte);
    block
}

/// The sum of all bytes of a header, its own field taken as blanks.
fn checksum(block: &[u8; 512]) -> u64 {
    let byte =
        |(at, byte): (usize, &u8)| if CHECKSUM.contains(&at) { u64::from(b' ') } else { u64::from(*byte) };
    block.iter().enumerate().map(byte).sum()
}

/// One file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    at: u64,
    length: u64,
}

/// An archive that is there.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    members: Vec<Member>,
}

impl Archive {
    /// Looks at what is in it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (end, mut at, mut members) = (file.metadata()?.len(), 0_u64, Vec::new());
        loop {
            let mut block = ZEROS;
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut block)?;
            if block == ZEROS {
                return Ok(Self { path: path.to_owned(), members });
            }
            let (name, length) =
                parse(&block).ok_or_else(|| damaged("it is damaged, or another kind of file"))?;
            at = at.saturating_add(BLOCK);
            members.push(Member { name, at, length });
            at = at.saturating_add(length).next_multiple_of(BLOCK);
            if at > end || members.len() > MOST {
                return Err(damaged("it was cut off"));
            }
        }
    }

    /// A file that is not longer than so; none if it is not there.
    pub(crate) fn small(&self, name: &str, longest: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else { return Ok(None) };
        if member.length > longest {
            return Err(damaged("a file in it is longer than it should be"));
        }
        let mut bytes = Vec::new();
        self.read(member)?.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The files below a directory, by name.
    pub(crate) fn members_below(
        &self,
        directory: &str,
    ) -> impl Iterator<Item = (String, io::Result<BufReader<Take<File>>>)> {
        let mut below: Vec<_> =
            self.members.iter().filter(|member| member.name.starts_with(directory)).collect();
        below.sort_by(|one, other| one.name.cmp(&other.name));
        below.into_iter().map(|member| (member.name.clone(), self.read(member)))
    }

    fn read(&self, member: &Member) -> io::Result<BufReader<Take<File>>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(member.at))?;
        Ok(BufReader::with_capacity(1 << 16, file.take(member.length)))
    }
}

fn parse(block: &[u8; 512]) -> Option<(String, u64)> {
    let text = |range| {
        let field = block.get::<std::ops::Range<usize>>(range)?;
        std::str::from_utf8(field).ok().map(|text| text.trim_end_matches(['\0', ' ']).to_owned())
    };
    let sum = u64::from_str_radix(&text(CHECKSUM)?, 8).ok()?;
    let length = u64::from_str_radix(&text(SIZE)?, 8).ok()?;
    (sum == checksum(block)).then_some(())?;
    Some((text(NAME)?, length))
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.reopen().unwrap());
        files.iter().for_each(|(name, content)| writer.add(name, content).unwrap());
        writer.finish().unwrap();
        file
    }

    #[test]
    fn what_goes_in_comes_out_and_tar_reads_it_too() {
        let long = vec![b'x'; 1300];
        let file = written(&[("README", b"read me"), ("audit/2", &long), ("audit/1", b"")]);
        let archive = Archive::open(file.path()).unwrap();
        assert_eq!(archive.small("README", 7).unwrap().unwrap(), b"read me");
        assert!(archive.small("README", 6).is_err());
        assert_eq!(archive.small("none", 9).unwrap(), None);
        let below: Vec<_> = archive
            .members_below("audit/")
            .map(|(name, reader)| {
                let mut bytes = Vec::new();
                reader.unwrap().read_to_end(&mut bytes).unwrap();
                (name, bytes.len())
            })
            .collect();
        assert_eq!(below, [("audit/1".to_owned(), 0), ("audit/2".to_owned(), 1300)]);
        let listed = std::process::Command::new("tar").arg("tf").arg(file.path()).output().unwrap();
        assert_eq!(String::from_utf8(listed.stdout).unwrap(), "README\naudit/2\naudit/1\n");
    }

    #[test]
    fn what_is_damaged_or_cut_off_is_no_archive() {
        let file = written(&[("README", b"read me"), ("audit/1", b"line\n")]);
        let whole = std::fs::read(file.path()).unwrap();
        for (what, bytes) in [
            ("cut in a file", whole[..1100].to_vec()),
            ("cut at a header", whole[..1024].to_vec()),
            ("a changed name", [b"X", &whole[1..]].concat()),
            ("text", b"{}".to_vec()),
            ("nothing", Vec::new()),
        ] {
            std::fs::write(file.path(), bytes).unwrap();
            assert!(Archive::open(file.path()).is_err(), "{what}");
        }
    }
}
