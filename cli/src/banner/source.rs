// SPDX-License-Identifier: Apache-2.0
//! Where a banner's text comes from: the command line, a file, standard input.

use std::fs::File;
use std::io::{self, Read};

use virtwarden_core::setting::{BannerText, LONGEST_BANNER};

use crate::arguments::TextArguments;
use crate::exit::Failed;

/// The text that was named, if one was. Line ends at its end are the file's, not the banner's.
pub(super) fn text(arguments: &TextArguments) -> Result<Option<BannerText>, Failed> {
    let typed = match (&arguments.file, arguments.text.as_deref()) {
        (Some(path), _) => {
            let name = path.display().to_string();
            read(File::open(path), &name)?
        }
        (None, Some("-")) => read(Ok(io::stdin().lock()), "standard input")?,
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Ok(None),
    };
    let text = typed.trim_end_matches(['\n', '\r']);
    BannerText::new(text).map(Some).map_err(|error| Failed::usage(error.to_string()))
}

/// Reads little more than is allowed, so that a wrong file does not fill the memory.
fn read(opened: io::Result<impl Read>, name: &str) -> Result<String, Failed> {
    let most = u64::try_from(LONGEST_BANNER).unwrap_or(u64::MAX).saturating_mul(2);
    let mut bytes = Vec::new();
    let read = opened.and_then(|source| source.take(most).read_to_end(&mut bytes));
    read.map_err(|error| Failed::error(format!("cannot read `{name}`: {error}")))?;
    String::from_utf8(bytes)
        .map(|text| text.replace("\r\n", "\n"))
        .map_err(|_| Failed::usage(format!("`{name}` is not UTF-8 text; save it as UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(content: &[u8]) -> Result<Option<BannerText>, Failed> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("banner.txt");
        std::fs::write(&file, content).unwrap();
        text(&TextArguments { text: None, file: Some(file) })
    }

    #[test]
    fn a_files_text_is_taken_literally_but_for_its_last_line_end() {
        for (content, expected) in [
            ("One\n\n  \\u %d $HOME\n", "One\n\n  \\u %d $HOME"),
            ("Büro\r\nNur für Befugte\r\n", "Büro\nNur für Befugte"),
        ] {
            assert_eq!(of_file(content.as_bytes()).unwrap().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_banner_is_refused() {
        for (content, said) in [
            (&b""[..], "empty"),
            (b"\n\n", "empty"),
            (b"\x1b[2J", "U+001B"),
            (b"a\rb", "U+000D"),
            (b"\xff\xfe", "not UTF-8"),
            (&[b'x'; 4097], "4097 bytes"),
        ] {
            let failed = of_file(content).unwrap_err();
            assert!(failed.message.contains(said), "{}", failed.message);
        }
    }
}
