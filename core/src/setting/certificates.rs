// SPDX-License-Identifier: Apache-2.0
//! Certificates in PEM, as a value of settings.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SettingError;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// More than anybody trusts at once, and far more than a certificate has.
const MOST: (usize, usize) = (8, 16 << 10);
/// How many characters of a certificate's end are shown: of its signature, so that no two look alike.
const SHOWN: usize = 16;

/// One or more certificates, and nothing else: no key, no comment, nothing that a file could be read as besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Certificates(String);

impl Certificates {
    /// Takes the certificates out of a text in PEM. What stands between them is left out; keys are refused.
    ///
    /// # Errors
    /// There is no certificate in it, too many, a broken one, or a key.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        if text.contains("PRIVATE KEY") {
            return Err(SettingError("a private key is in it; name a file of certificates alone".to_owned()));
        }
        let blocks: Vec<_> = text.split(BEGIN).skip(1).map(body).collect::<Result<_, _>>()?;
        if blocks.is_empty() || blocks.len() > MOST.0 {
            let count = blocks.len();
            return Err(SettingError(format!(
                "1 to {} certificates in PEM are expected, not {count}",
                MOST.0
            )));
        }
        Ok(Self(blocks.iter().map(|body| format!("{BEGIN}\n{}{END}\n", lines(body))).collect()))
    }

    /// In PEM.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each one in PEM.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.split_inclusive(&*format!("{END}\n")).map(str::trim_end).collect::<Vec<_>>().into_iter()
    }
}

/// The base64 of one certificate.
fn body(block: &str) -> Result<String, SettingError> {
    let broken = || SettingError("a certificate is broken: it is no PEM from BEGIN to END".to_owned());
    let (body, _) = block.split_once(END).ok_or_else(broken)?;
    let body: String = body.split_whitespace().collect();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if body.is_empty() || body.len() > MOST.1 || !body.bytes().all(legal) { Err(broken()) } else { Ok(body) }
}

fn lines(body: &str) -> String {
    let bytes = body.as_bytes().chunks(64);
    bytes.map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

/// How many, and how each ends.
impl fmt::Display for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |one: &str| {
            let body: String = one.lines().filter(|line| !line.starts_with('-')).collect();
            let start = body.len().saturating_sub(SHOWN);
            body.get(start..).unwrap_or_default().trim_end_matches('=').to_owned()
        };
        let ends: Vec<_> = self.each().map(|one| format!("...{}", end(one))).collect();
        f.write_str(&ends.join(", "))
    }
}

impl TryFrom<String> for Certificates {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        Self::new(&text)
    }
}

impl From<Certificates> for String {
    fn from(certificates: Certificates) -> String {
        certificates.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> String {
        format!("{BEGIN}\n{body}\n{END}\n")
    }

    #[test]
    fn certificates_are_taken_out_and_nothing_else_is() {
        let text = format!("subject=x\n{}between\n{}", one("MIIBszCCAVmgAwIBAgIU"), one(&"A".repeat(100)));
        let taken = Certificates::new(&text).unwrap();
        assert!(!taken.as_str().contains("between") && !taken.as_str().contains("subject"));
        assert_eq!(taken.each().count(), 2);
        assert!(taken.each().all(|one| Certificates::new(one).is_ok()));
        assert_eq!(Certificates::new(taken.as_str()).unwrap(), taken);
        assert_eq!(taken.to_string(), format!("...szCCAVmgAwIBAgIU, ...{}", "A".repeat(16)));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let key = one("MIIB") + "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
        let many = one("MIIB").repeat(9);
        let long = one(&"A".repeat((16 << 10) + 1));
        for bad in ["", "x", BEGIN, &one(""), &one("a\"b"), &one("é"), &key, &many, &long] {
            assert!(Certificates::new(bad).is_err(), "{bad}");
        }
    }
}
