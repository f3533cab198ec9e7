// SPDX-License-Identifier: Apache-2.0
//! What a device says of itself, made harmless: a device can say anything.

use std::fmt::Write as _;

use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::escape::printable;

/// Most characters of a name that people see.
const NAME: usize = 64;
/// Most characters of a serial number within an identity. A longer one goes by its digest.
const SERIAL: usize = 96;

/// A name for people: one line, nothing a terminal could act on, not too long.
pub(super) fn name(words: &[Option<String>], otherwise: &str) -> String {
    let words: Vec<_> =
        words.iter().flatten().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
    let shown = printable(&words.join(" "));
    if shown.is_empty() {
        return otherwise.to_owned();
    }
    match shown.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}...", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

/// A serial number; none if there is nothing in it.
pub(super) fn serial(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A serial number within an identity: no two different ones look alike, and none looks like anything else.
pub(super) fn identifying(serial: &str) -> String {
    let mut text = String::with_capacity(serial.len());
    for byte in serial.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'_' | b'-' => text.push(char::from(byte)),
            _ => drop(write!(text, "%{byte:02x}")),
        }
    }
    if text.len() <= SERIAL { text } else { format!("%{}", Digest::of(serial.as_bytes())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_bounded_line_that_does_nothing_to_a_terminal() {
        let hostile = Some("\u{1b}[2JKing\nston\u{202e}".to_owned());
        let shown = name(&[hostile, None, Some(" DataTraveler ".into())], "x");
        assert!(shown.starts_with("\\u{1b}[2JKing") && shown.ends_with(" DataTraveler"), "{shown}");
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown}");
        assert_eq!(name(&[None, Some("  ".into())], "USB device"), "USB device");
        assert_eq!(name(&[Some("ü".repeat(4000))], "x").chars().count(), NAME + 3);
    }

    #[test]
    fn different_serial_numbers_make_different_identities_and_no_other_kind_of_them() {
        let long = "x".repeat(500);
        let serials = ["E0D5", "e0d5", "E0D5@1-2", "E0D5%401-2", "a b", "a:b", "a%3ab", "", "\n", &long];
        let mut seen: Vec<_> = serials.iter().map(|serial| identifying(serial)).collect();
        assert!(
            seen.iter().all(|id| id.len() <= SERIAL && !id.contains(['@', ':', '/', ' ', '\n'])),
            "{seen:?}"
        );
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), serials.len());
    }
}
