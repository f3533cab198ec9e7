// SPDX-License-Identifier: Apache-2.0
//! How a banner looks where people log in.

use virtwarden_core::setting::BannerText;

use crate::exit::Failed;
use crate::output::Output;

/// A place, what stands before the text there, and what after it.
const PLACES: [(&str, &str, &str); 4] = [
    ("on a terminal or serial console", "", "\nhost login: _"),
    ("with ssh", "$ ssh alice@host", "alice@host's password: _"),
    ("with su or sudo to an Administrator", "$ sudo virsh list --all", "[sudo] password for alice: _"),
    ("with `virtwarden session elevate`", "$ virtwarden session elevate", "Password: _"),
];

/// Prints the text as each place shows it. It is harmless by its type, so it is printed as it stands.
pub(super) fn print(text: &BannerText, output: &Output) -> Result<(), Failed> {
    for (place, before, after) in PLACES {
        output.text(&format!("--- {place} ---"))?;
        [before, text.as_str(), after]
            .into_iter()
            .filter(|part| !part.is_empty())
            .try_for_each(|part| output.text(part))?;
        output.text("")?;
    }
    if text.as_str().is_ascii() {
        return Ok(());
    }
    output.remark(
        "note: where a terminal or an ssh client does not use UTF-8, letters beyond ASCII are shown as codes",
    )
}
