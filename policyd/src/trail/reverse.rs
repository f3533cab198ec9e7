// SPDX-License-Identifier: Apache-2.0
//! The lines of a file from its end to its beginning, in bounded memory.

use std::io::{self, Read, Seek, SeekFrom};

use virtwarden_core::trail::bound::LINE;

const BLOCK: u64 = 64 * 1024;

/// The lines of a file, last first, each with the offset of its first byte and without its line feed.
#[derive(Debug)]
pub(super) struct Backwards<R> {
    file: R,
    /// Where the bytes in hand begin.
    start: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Backwards<R> {
    /// The lines up to that offset. Zeros at the end are none.
    pub(super) fn new(mut file: R, limit: u64) -> io::Result<Self> {
        let end = file.seek(SeekFrom::End(0))?.min(limit);
        let mut lines = Self { file, start: end, bytes: Vec::new() };
        while lines.start > 0 && lines.bytes.is_empty() {
            lines.fetch()?;
            let used = lines.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            lines.bytes.truncate(used);
        }
        lines.bytes.pop_if(|last| *last == b'\n');
        Ok(lines)
    }

    /// Takes the block before the bytes in hand.
    fn fetch(&mut self) -> io::Result<()> {
        let length = self.start.min(BLOCK);
        self.start -= length;
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut block = Vec::new();
        self.file.by_ref().take(length).read_to_end(&mut block)?;
        block.append(&mut self.bytes);
        self.bytes = block;
        Ok(())
    }

    fn line(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        loop {
            if let Some(feed) = self.bytes.iter().rposition(|byte| *byte == b'\n') {
                let text = self.bytes.split_off(feed + 1);
                self.bytes.pop();
                return Ok(Some((self.start + u64::try_from(feed).unwrap_or(u64::MAX) + 1, text)));
            }
            if self.start == 0 {
                let text = std::mem::take(&mut self.bytes);
                return Ok((!text.is_empty()).then_some((0, text)));
            }
            if self.bytes.len() > LINE {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line is longer than a line can be",
                ));
            }
            self.fetch()?;
        }
    }
}

impl<R: Read + Seek> Iterator for Backwards<R> {
    type Item = io::Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.line();
        if line.is_err() {
            (self.start, self.bytes) = (0, Vec::new());
        }
        line.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn lines_come_in_reverse_with_their_places() {
        let lines: Vec<_> = (0..20_000).map(|number| format!("line {number}\n")).collect();
        let mut text = lines.concat().into_bytes();
        let end = text.len();
        text.extend([0; 100_000]);
        let mut at = end;
        let mut expected = lines.iter().rev();
        for found in Backwards::new(Cursor::new(text), u64::MAX).unwrap() {
            let (offset, line) = found.unwrap();
            let expected = expected.next().unwrap();
            at -= expected.len();
            assert_eq!((offset, &line[..]), (at as u64, expected.trim_end().as_bytes()));
        }
        assert_eq!(expected.next(), None);
    }

    #[test]
    fn nothing_behind_the_limit_is_seen() {
        let lines = Backwards::new(Cursor::new(b"one\ntwo\nthree\n"), 8).unwrap();
        let lines: Vec<_> = lines.map(|line| line.unwrap().1).collect();
        assert_eq!(lines, [b"two", b"one"]);
    }

    #[test]
    fn empty_files_and_endless_lines_end() {
        assert_eq!(Backwards::new(Cursor::new(b""), u64::MAX).unwrap().count(), 0);
        assert_eq!(Backwards::new(Cursor::new(vec![0; 200_000]), u64::MAX).unwrap().count(), 0);
        let mut endless = Backwards::new(Cursor::new(vec![b'x'; 4 * LINE]), u64::MAX).unwrap();
        assert!(endless.next().unwrap().is_err());
        assert!(endless.next().is_none());
    }
}
