// SPDX-License-Identifier: Apache-2.0
//! As much of ASN.1's basic encoding rules as LDAP takes of them (RFC 4511, 5.1): definite lengths alone.

/// One element: what it is, and its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'b> {
    pub(super) tag: u8,
    pub(super) content: &'b [u8],
}

/// The first element, and what follows it; none if it is not whole.
pub(super) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..0x80 => (usize::from(short), rest),
        0x81..=0x84 => {
            let (long, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        0x80 | 0x85.. => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { tag, content }, rest))
}

/// All elements, one after the other, up to what is none.
pub(super) fn all(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (element, after) = first(rest)?;
        rest = after;
        Some(element)
    })
}

/// Writes one.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        Ok(_) | Err(_) => {
            let long: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            bytes.extend(long);
        }
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70000] {
            let content = vec![7; length];
            let mut bytes = element(0x30, &content);
            for cut in [0, 1, bytes.len() - 1] {
                assert_eq!(first(&bytes[..cut]), None);
            }
            bytes.push(1);
            let (read, rest) = first(&bytes).unwrap();
            assert_eq!((read.tag, read.content, rest), (0x30, content.as_slice(), &[1][..]));
        }
    }

    #[test]
    fn indefinite_and_absurd_lengths_are_no_elements() {
        for bytes in
            [&[0x30, 0x80, 0, 0][..], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0x84, 255, 255, 255, 255]]
        {
            assert_eq!(first(bytes), None);
        }
    }
}
