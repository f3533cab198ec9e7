// SPDX-License-Identifier: Apache-2.0
//! Names that other people chose, made harmless for files and terminals.
//!
//! In a trail every character outside printable ASCII is written as a JSON escape, so that `cat`, `less`
//! and `tail` show nothing but what is there. Reading the JSON gives the original text back.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The JSON of a value in printable ASCII.
///
/// # Errors
/// If the value has no JSON form.
pub fn json<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(512);
    value.serialize(&mut Serializer::with_formatter(&mut text, Ascii))?;
    Ok(text)
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        if is_plain(text) {
            return out.write_all(text.as_bytes());
        }
        text.chars().try_for_each(|c| match c {
            ' '..='~' => out.write_all(&[u8::try_from(c).unwrap_or(b'?')]),
            _ => c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}")),
        })
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The text for a person's terminal: letters of any left-to-right script stay, whatever a terminal could
/// act on, hide or reorder is shown as `\u{...}`.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => shown.push(c),
            _ if is_right_to_left(c) => drop(write!(shown, "{}", c.escape_unicode())),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// Scripts written from right to left, whose letters would swap the order of a row's columns.
fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOSTILE: &str =
        "\u{1b}[2J\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}\u{9b}31m\u{7f}\u{e0041}\n\r\t\0ü日😀";

    #[test]
    fn a_hostile_name_is_plain_in_the_file_and_whole_when_read() {
        let text = json(&HOSTILE).unwrap();
        assert!(text.iter().all(|byte| (b' '..=b'~').contains(byte)), "{text:?}");
        assert_eq!(serde_json::from_slice::<String>(&text).unwrap(), HOSTILE);
    }

    #[test]
    fn a_hostile_name_shows_nothing_odd_on_a_terminal() {
        let shown = printable(HOSTILE);
        assert!(shown.ends_with("ü日😀"), "{shown}");
        assert!(shown.starts_with("\\u{1b}[2J\\u{202e}gnp.exe\\u{2066}\\u{200b}\\u{feff}\\u{9b}31m\\u{7f}"));
        assert!(!printable("א\u{301}").contains(['א', '\u{301}']));
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let written = json(&text).unwrap();
            prop_assert!(written.iter().all(|byte| (b' '..=b'~').contains(byte)));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }
    }
}
