// SPDX-License-Identifier: Apache-2.0
//! The lines of one segment file, read in bounded memory.

use std::io::{self, BufRead, Read};

use crate::trail::bound::LINE;

/// A piece of a segment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A line, without its line feed.
    Line(Vec<u8>),
    /// The beginning of a line that the file ends in. What follows it up to the end is zeros, if anything.
    Torn {
        /// What is there.
        text: Vec<u8>,
        /// Whether the unused, zeroed rest of a pre-sized file follows it.
        zeros: bool,
    },
    /// Longer than a line can be, or something other than zeros after the first zero.
    Garbage,
}

/// The chunks of a segment file. The unused, zeroed rest of a pre-sized file ends them.
#[derive(Debug)]
pub struct Chunks<R> {
    reader: R,
    ended: bool,
    offset: u64,
}

impl<R: BufRead> Chunks<R> {
    /// The chunks of what the reader gives.
    pub fn new(reader: R) -> Self {
        Self { reader, ended: false, offset: 0 }
    }

    /// Where the last line returned ends in the file, in bytes: all before is whole lines.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut text = Vec::new();
        let cap = u64::try_from(LINE).unwrap_or(u64::MAX);
        let length = self.reader.by_ref().take(cap).read_until(b'\n', &mut text)?;
        if text.pop_if(|last| *last == b'\n').is_some() && !text.contains(&0) {
            self.offset += u64::try_from(length).unwrap_or(u64::MAX);
            return Ok(Some(Chunk::Line(text)));
        }
        self.ended = true;
        self.rest(text, length)
    }

    /// The last piece, which has no line feed: text, then zeros, then nothing.
    fn rest(&mut self, mut text: Vec<u8>, length: usize) -> io::Result<Option<Chunk>> {
        let written = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let zeros = written < text.len();
        let whole = text.len() == length;
        let clean = text.split_off(written).iter().all(|byte| *byte == 0);
        Ok(match (whole && clean && self.only_zeros_left()?, text.is_empty()) {
            (false, _) => Some(Chunk::Garbage),
            (true, true) => None,
            (true, false) => Some(Chunk::Torn { text, zeros }),
        })
    }

    fn only_zeros_left(&mut self) -> io::Result<bool> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(true);
            }
            if buffer.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let length = buffer.len();
            self.reader.consume(length);
        }
    }
}

impl<R: BufRead> Iterator for Chunks<R> {
    type Item = io::Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let chunk = self.chunk();
        self.ended |= chunk.is_err();
        chunk.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(bytes: &[u8]) -> Vec<Chunk> {
        Chunks::new(io::BufReader::with_capacity(7, bytes)).map(Result::unwrap).collect()
    }

    fn line(text: &str) -> Chunk {
        Chunk::Line(text.into())
    }

    fn torn(text: &str, zeros: bool) -> Chunk {
        Chunk::Torn { text: text.into(), zeros }
    }

    #[test]
    fn a_file_ends_with_its_lines_or_with_zeros() {
        assert_eq!(chunks(b""), []);
        assert_eq!(chunks(b"one\ntwo\n"), [line("one"), line("two")]);
        assert_eq!(chunks(b"one\n\0\0\0\0\0\0\0\0\0\0"), [line("one")]);
    }

    #[test]
    fn a_torn_line_is_told_apart_from_a_whole_one() {
        assert_eq!(chunks(b"one\ntw"), [line("one"), torn("tw", false)]);
        assert_eq!(chunks(b"one\ntwo two two\0\0\0\0\0\0\0\0\0"), [line("one"), torn("two two two", true)]);
    }

    #[test]
    fn nothing_can_hide_behind_zeros() {
        assert_eq!(chunks(b"one\n\0\0\0\0\0\0\0\0two\n"), [line("one"), Chunk::Garbage]);
        assert_eq!(chunks(b"one\ntw\0o\n"), [line("one"), Chunk::Garbage]);
        assert_eq!(chunks(b"one\n\0\0\0\0\0\0\0\0\0\0x"), [line("one"), Chunk::Garbage]);
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        assert_eq!(chunks(&[b'x'; LINE + 1]), [Chunk::Garbage]);
        assert_eq!(chunks(&vec![b'x'; 3 * LINE]), [Chunk::Garbage]);
    }
}
