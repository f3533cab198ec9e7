// SPDX-License-Identifier: Apache-2.0
//! Certificates of those who sign others, looked at by OpenSSL before anything trusts them.

use virtwarden_core::setting::Certificates;

use crate::host::Host;
use crate::program::Input;

const OPENSSL: &str = "/usr/bin/openssl";

/// Whether each can sign others and is valid now.
///
/// # Errors
/// One is not, or OpenSSL's command is missing.
pub(super) fn examine(host: &Host, certificates: &Certificates) -> Result<(), String> {
    if !host.has(OPENSSL) {
        return Err("certificates are looked at by OpenSSL's command; install openssl".to_owned());
    }
    certificates.each().try_for_each(|one| signs_others(host, one))
}

fn signs_others(host: &Host, one: &str) -> Result<(), String> {
    let words = [OPENSSL, "x509", "-noout", "-checkend", "0", "-subject", "-ext", "basicConstraints"];
    let ran = host.run(&words, Input::Text(one))?;
    let said = || ran.said.trim().replace('\n', ", ");
    if ran.said.contains("Certificate will expire") {
        Err(format!("a certificate has expired: {}", said()))
    } else if !ran.succeeded() {
        Err(format!("a certificate cannot be read: {}", said()))
    } else if !ran.said.contains("CA:TRUE") {
        Err(format!("a certificate cannot sign others, so nothing can be trusted for it: {}", said()))
    } else {
        Ok(())
    }
}
