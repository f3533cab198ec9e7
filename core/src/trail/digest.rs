// SPDX-License-Identifier: Apache-2.0
//! SHA-256 digests and the step of the chain.

use std::fmt;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// What stands before the first line of a trail.
    pub const START: Digest = Digest([0; 32]);

    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(openssl::sha::sha256(bytes))
    }

    /// The next link of a chain: the digest of this one followed by a line's body.
    #[must_use]
    pub fn then(&self, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(&self.0);
        hash.update(body);
        Self(hash.finish())
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Some(Self(unhex(text)?.try_into().ok()?))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(text.as_bytes()).ok_or_else(|| format!("`{text}` is not a SHA-256 digest"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// Lower-case hexadecimal digits of some bytes.
pub(in crate::trail) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes behind lower-case hexadecimal digits. Upper case is refused, so that each value has one form.
pub(in crate::trail) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_written_form() {
        let digest = Digest::of(b"abc");
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::parse(text.as_bytes()), Some(digest));
        assert_eq!(Digest::parse(text.to_uppercase().as_bytes()), None);
        assert_eq!(Digest::parse(&text.as_bytes()[1..]), None);
    }

    #[test]
    fn a_link_depends_on_what_came_before() {
        assert_ne!(Digest::START.then(b"line"), Digest::of(b"x").then(b"line"));
        assert_eq!(Digest::START.then(b"line"), Digest::of(&[&[0; 32][..], b"line"].concat()));
    }
}
