// SPDX-License-Identifier: Apache-2.0
//! Which characters may stand where, and what a reference means.

use super::problem::Problem;

/// What `&name;` stands for: one of the five entities or a character reference.
pub(super) fn reference(name: &str) -> Result<char, Problem> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => numbered(name).ok_or_else(|| Problem::Entity(name.to_owned())),
    }
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |hex| (hex, 16));
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(char::from_u32)
}

/// Text: everything XML 1.0 allows, which leaves out NUL and other controls.
pub(super) fn check_text(text: &str) -> Result<(), Problem> {
    refuse(text, |c| !matches!(c, '\t' | '\n' | '\r') && forbidden(c))
}

/// Attribute values: no control character at all. A line feed in one can end up as a line of its
/// own in a file that libvirt writes.
pub(super) fn check_value(value: &str) -> Result<(), Problem> {
    refuse(value, |c| c == '\u{7f}' || forbidden(c))
}

fn forbidden(c: char) -> bool {
    c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn refuse(text: &str, wrong: impl Fn(char) -> bool) -> Result<(), Problem> {
    text.chars().find(|c| wrong(*c)).map_or(Ok(()), |c| Err(Problem::Control(u32::from(c))))
}

/// Resolves the references in an attribute value as it was written.
pub(super) fn resolve(written: &str) -> Result<String, Problem> {
    if written.contains('<') {
        return Err(Problem::Malformed("`<` in an attribute".into()));
    }
    let mut pieces = written.split('&');
    let mut value = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').ok_or_else(|| Problem::Entity(piece.to_owned()))?;
        value.push(reference(name)?);
        value.push_str(rest);
    }
    check_value(&value)?;
    Ok(value)
}

/// A local name: libvirt uses ASCII only, and so do the applications that write metadata.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if first && rest { Ok(()) } else { Err(Problem::Name(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_entities_and_numbers_are_the_only_references() {
        assert_eq!(resolve("a&amp;&#x41;&#66;&apos;"), Ok("a&AB'".into()));
        for bad in [
            "&e;",
            "&#;",
            "&#x;",
            "&#-1;",
            "&#+65;",
            "&#xD800;",
            "&#x110000;",
            "&#X41;",
            "&",
            "&amp",
            "&&amp;;",
        ] {
            assert!(resolve(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attribute_holds_no_line_however_it_is_written() {
        for bad in
            ["a\nb", "a&#10;b", "a&#xA;b", "a\tb", "a&#13;b", "a&#0;b", "a\0b", "a&#127;b", "a<b", "\u{ffff}"]
        {
            assert!(resolve(bad).is_err(), "{bad:?}");
        }
    }
}
