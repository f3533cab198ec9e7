// SPDX-License-Identifier: Apache-2.0
//! Writes XDR, the counterpart of [`reader`](crate::rpc::reader).

/// Bytes being written. Callers bound what they write; a length beyond 32 bits cannot arise, since
/// everything written here was read from a frame or is shorter.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Starts empty, with room for some bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes were written.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes as they are, without length or padding.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An unsigned integer of 32 bits.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// An integer of 32 bits.
    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// An unsigned integer of 64 bits.
    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    /// An integer of 64 bits.
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// A truth value, or the flag before an optional value.
    pub fn boolean(&mut self, value: bool) {
        self.u32(u32::from(value));
    }

    /// The number of elements that follow.
    pub fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Bytes with their length before them and zero padding behind.
    pub fn opaque(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        self.opaque(text.as_bytes());
    }

    /// A string that may be missing.
    pub fn optional_text(&mut self, text: Option<&str>) {
        self.boolean(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::reader::Reader;

    #[test]
    fn what_is_written_reads_back() {
        let mut writer = Writer::default();
        writer.i32(-1);
        writer.u64(u64::MAX - 1);
        writer.optional_text(Some("vm"));
        writer.optional_text(None);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.i32(), reader.u64()), (Ok(-1), Ok(u64::MAX - 1)));
        assert_eq!((reader.boolean(), reader.text(2), reader.boolean()), (Ok(true), Ok("vm"), Ok(false)));
        assert_eq!(reader.finish(), Ok(()));
    }
}
