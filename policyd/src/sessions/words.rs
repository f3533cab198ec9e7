// SPDX-License-Identifier: Apache-2.0
//! A login program's bytes as words that a record, a terminal or a file can hold.

/// Longer ones are cut: they are shown, never compared.
const LONGEST: usize = 128;

/// Printable text, cut to a length that no name or address reaches.
pub(super) fn word(bytes: &[u8]) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(bytes).chars().take(LONGEST).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_at_a_prompt_cannot_play_with_a_terminal() {
        assert_eq!(word(b"pts/3"), "pts/3");
        assert_eq!(word(b"\x1b[2Jalice\n"), "\u{fffd}[2Jalice\u{fffd}");
        assert_eq!(word(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(word(&[b'a'; 100_000]).len(), LONGEST);
    }
}
