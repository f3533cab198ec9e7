// SPDX-License-Identifier: Apache-2.0
//! A cursor over XDR bytes that cannot overrun and accepts one spelling of each value only.
//!
//! An optional flag other than 0 and 1, padding that is not zero, a zero byte within a string and
//! bytes after the last value are errors here, so that what was judged can be read in one way only.

use std::fmt;

/// Why bytes are not the XDR they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdrError {
    /// The bytes end before the value does.
    Truncated,
    /// More elements or bytes than the protocol allows in this place.
    TooLong {
        /// How many there claim to be.
        length: u32,
        /// How many there may be.
        limit: u32,
    },
    /// The bytes that fill up to a multiple of four are not zero.
    Padding,
    /// A flag or truth value that is neither 0 nor 1.
    NotBoolean(u32),
    /// A number that its type cannot hold.
    OutOfRange(u32),
    /// A string with a zero byte in it, which C would cut there.
    Nul,
    /// A string that is not UTF-8.
    NotText,
    /// A typed parameter of a type that does not exist.
    UnknownType(i32),
    /// Bytes that belong to nothing.
    Trailing(usize),
}

impl fmt::Display for XdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            XdrError::Truncated => f.write_str("the bytes end too early"),
            XdrError::TooLong { length, limit } => write!(f, "{length} is more than the {limit} allowed"),
            XdrError::Padding => f.write_str("the padding is not zero"),
            XdrError::NotBoolean(value) => write!(f, "{value} is neither 0 nor 1"),
            XdrError::OutOfRange(value) => write!(f, "{value} does not fit the type"),
            XdrError::Nul => f.write_str("a string holds a zero byte"),
            XdrError::NotText => f.write_str("a string is not UTF-8"),
            XdrError::UnknownType(tag) => write!(f, "there is no parameter type {tag}"),
            XdrError::Trailing(count) => write!(f, "{count} bytes are left over"),
        }
    }
}

impl std::error::Error for XdrError {}

/// The bytes not yet read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of the bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are not yet read.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next bytes, as they are.
    ///
    /// # Errors
    /// [`XdrError::Truncated`] if there are fewer.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], XdrError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(XdrError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A reader of the next bytes alone.
    ///
    /// # Errors
    /// [`XdrError::Truncated`] if there are fewer.
    pub fn part(&mut self, length: usize) -> Result<Reader<'a>, XdrError> {
        self.take(length).map(Reader::new)
    }

    /// The next bytes of a length known when this is compiled.
    ///
    /// # Errors
    /// [`XdrError::Truncated`] if there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(XdrError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// An unsigned integer of 32 bits.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, XdrError> {
        self.array().map(u32::from_be_bytes)
    }

    /// An integer of 32 bits.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, XdrError> {
        self.array().map(i32::from_be_bytes)
    }

    /// An unsigned integer of 64 bits.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, XdrError> {
        self.array().map(u64::from_be_bytes)
    }

    /// An integer of 64 bits.
    ///
    /// # Errors
    /// [`XdrError::Truncated`].
    pub fn i64(&mut self) -> Result<i64, XdrError> {
        self.array().map(i64::from_be_bytes)
    }

    /// A truth value, or the flag before an optional value.
    ///
    /// # Errors
    /// [`XdrError::NotBoolean`] for anything but 0 and 1.
    pub fn boolean(&mut self) -> Result<bool, XdrError> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(XdrError::NotBoolean(other)),
        }
    }

    /// The number of elements that follow, each at least `element` bytes long. The answer is never
    /// more than the bytes can hold, so it is safe to allocate for.
    ///
    /// # Errors
    /// [`XdrError::TooLong`] above the limit, [`XdrError::Truncated`] if the bytes cannot hold them.
    pub fn count(&mut self, limit: u32, element: usize) -> Result<usize, XdrError> {
        let length = self.u32()?;
        if length > limit {
            return Err(XdrError::TooLong { length, limit });
        }
        let count = usize::try_from(length).map_err(|_| XdrError::Truncated)?;
        match count.checked_mul(element) {
            Some(bytes) if bytes <= self.remaining() => Ok(count),
            _ => Err(XdrError::Truncated),
        }
    }

    /// Bytes with their length before them and zero padding behind.
    ///
    /// # Errors
    /// [`XdrError::TooLong`], [`XdrError::Truncated`] or [`XdrError::Padding`].
    pub fn opaque(&mut self, limit: u32) -> Result<&'a [u8], XdrError> {
        let length = self.count(limit, 1)?;
        let bytes = self.take(length)?;
        let padding = self.take(length.wrapping_neg() & 3)?;
        if padding.iter().any(|b| *b != 0) {
            return Err(XdrError::Padding);
        }
        Ok(bytes)
    }

    /// A string that C and we read alike.
    ///
    /// # Errors
    /// As [`opaque`](Self::opaque), and [`XdrError::Nul`] or [`XdrError::NotText`].
    pub fn text(&mut self, limit: u32) -> Result<&'a str, XdrError> {
        let bytes = self.opaque(limit)?;
        if bytes.contains(&0) {
            return Err(XdrError::Nul);
        }
        std::str::from_utf8(bytes).map_err(|_| XdrError::NotText)
    }

    /// Insists that nothing is left.
    ///
    /// # Errors
    /// [`XdrError::Trailing`].
    pub const fn finish(self) -> Result<(), XdrError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(XdrError::Trailing(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_one_spelling() {
        let good = *b"\0\0\0\x05hello\0\0\0";
        let mut reader = Reader::new(&good);
        assert_eq!(reader.text(5), Ok("hello"));
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(Reader::new(&good).text(4), Err(XdrError::TooLong { length: 5, limit: 4 }));
        assert_eq!(Reader::new(b"\0\0\0\x05hello\0\0\x01").text(9), Err(XdrError::Padding));
        assert_eq!(Reader::new(b"\0\0\0\x05hello\0\0").text(9), Err(XdrError::Truncated));
        assert_eq!(Reader::new(b"\0\0\0\x05he\0lo\0\0\0").text(9), Err(XdrError::Nul));
        assert_eq!(Reader::new(b"\0\0\0\x05he\xfflo\0\0\0").text(9), Err(XdrError::NotText));
    }

    #[test]
    fn a_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_allocated() {
        assert_eq!(Reader::new(b"\xff\xff\xff\xff").count(u32::MAX, 8), Err(XdrError::Truncated));
        assert_eq!(Reader::new(b"\0\0\0\x01\0\0\0\0").count(1, 4), Ok(1));
        assert_eq!(Reader::new(b"\0\0\0\x01\0\0\0").count(1, 4), Err(XdrError::Truncated));
    }

    #[test]
    fn a_flag_is_0_or_1() {
        assert_eq!(Reader::new(b"\0\0\0\x01").boolean(), Ok(true));
        assert_eq!(Reader::new(b"\0\0\0\x02").boolean(), Err(XdrError::NotBoolean(2)));
        assert_eq!(Reader::new(b"\xff\xff\xff\xff").boolean(), Err(XdrError::NotBoolean(u32::MAX)));
    }

    #[test]
    fn nothing_may_be_left_over() {
        let mut reader = Reader::new(b"\0\0\0\x01\0");
        assert_eq!(reader.u32(), Ok(1));
        assert_eq!(reader.finish(), Err(XdrError::Trailing(1)));
    }
}
