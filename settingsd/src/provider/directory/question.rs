// SPDX-License-Identifier: Apache-2.0
//! Whether a directory answers, and proves itself: asked by a unit of its own, because settingsd has no network.

use virtwarden_core::setting::{DirectoryProtection, KnownDirectory};

use crate::host::Host;
use crate::program::Input;

const LDAPSEARCH: &str = "/usr/bin/ldapsearch";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
/// Asks, as an account of nobody's, and leaves what it heard in a file.
const ASK: &str = "virtwarden-directory-question.service";
const QUESTION: &str = "directory-question";
const CA: &str = "directory-ca.pem";
const ANSWER: &str = "/run/virtwarden/settingsd/directory-answer";

/// Binds, and looks whether the base is there.
///
/// # Errors
/// What came instead.
pub(super) fn ask(host: &Host, known: &KnownDirectory<'_>) -> Result<(), String> {
    if !host.has(LDAPSEARCH) {
        return Err("a directory is asked before it is used; install ldap-utils".to_owned());
    }
    let start_tls = match known.protection {
        DirectoryProtection::Ldaps => "",
        DirectoryProtection::StartTls => "-ZZ",
    };
    host.scratch(CA, known.ca.as_str())?;
    host.scratch(QUESTION, &format!("URI={}\nBASE=\"{}\"\nSTART_TLS={start_tls}\n", known.uri, known.base))?;
    let ran = host.run(&[SYSTEMCTL, "start", ASK], Input::Nothing)?;
    if ran.succeeded() {
        return Ok(());
    }
    let heard = host.text(ANSWER)?.unwrap_or_default();
    Err(format!(
        "`{}` does not answer as it must, so nothing is changed: {}; it must be up, have the base `{}`, and a \
         certificate of its name that one of the `ca` signed",
        known.uri,
        heard.trim().replace('\n', ", "),
        known.base
    ))
}
