// SPDX-License-Identifier: Apache-2.0
//! Bytes in and out, with the limits checked where the bytes are.

use crate::fault::Fault;

/// Takes a message apart; cannot go over its end.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.take(N)?.try_into().map_err(|_| Fault::Short)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn field(&mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        if length > limit { Err(Fault::TooLong) } else { Ok(self.take(length)?.to_vec()) }
    }

    pub(crate) fn text(&mut self, limit: usize) -> Result<String, Fault> {
        let text = String::from_utf8(self.field(limit)?).map_err(|_| Fault::Text)?;
        plain(&text)?;
        Ok(text)
    }

    /// Insists that nothing is left.
    pub(crate) fn end(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::Trailing) }
    }
}

/// Puts a message together.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(version: u8, tag: u8) -> Self {
        Self { bytes: vec![version, tag] }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.bytes.extend(number.to_be_bytes());
    }

    pub(crate) fn field(&mut self, field: &[u8], limit: usize) -> Result<(), Fault> {
        let length = u16::try_from(field.len()).map_err(|_| Fault::TooLong)?;
        if field.len() > limit {
            return Err(Fault::TooLong);
        }
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(field);
        Ok(())
    }

    pub(crate) fn text(&mut self, text: &str, limit: usize) -> Result<(), Fault> {
        plain(text)?;
        self.field(text.as_bytes(), limit)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A text goes to somebody's terminal as it is, so both ends refuse what a terminal would obey.
fn plain(text: &str) -> Result<(), Fault> {
    let obeyed = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if text.chars().any(obeyed) { Err(Fault::Text) } else { Ok(()) }
}
