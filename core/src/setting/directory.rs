// SPDX-License-Identifier: Apache-2.0
//! The directory that people are looked up in and authenticate against: row 17, FIA_UAU.5.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Certificates, ServerName, SettingError};

/// Longer than any suffix of a directory.
const LONGEST: usize = 255;

/// Where in the directory people are: `ou=people,dc=example,dc=org`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SearchBase(String);

impl SearchBase {
    /// Parts of a name and a value, of characters that no file and no filter reads as anything else.
    ///
    /// # Errors
    /// It is not so.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ');
        let word = |word: &str| !word.is_empty() && word.trim() == word && word.bytes().all(legal);
        let part = |part: &str| part.split_once('=').is_some_and(|(name, value)| word(name) && word(value));
        if text.len() <= LONGEST && text.split(',').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            let shown = text.escape_debug();
            Err(SettingError(format!("`{shown}` is no search base; expected such as `dc=example,dc=org`")))
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SearchBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SearchBase {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        Self::new(&text)
    }
}

impl From<SearchBase> for String {
    fn from(base: SearchBase) -> String {
        base.0
    }
}

/// How the connection is protected. There is no other choice: passwords pass through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryProtection {
    /// LDAP over TLS.
    #[default]
    Ldaps,
    /// LDAP that turns to TLS before anything else is said.
    StartTls,
}

impl DirectoryProtection {
    /// All.
    pub const ALL: [DirectoryProtection; 2] = [DirectoryProtection::Ldaps, DirectoryProtection::StartTls];

    /// The word in commands and records.
    pub const fn word(self) -> &'static str {
        match self {
            DirectoryProtection::Ldaps => "ldaps",
            DirectoryProtection::StartTls => "start-tls",
        }
    }

    const fn scheme(self) -> (&'static str, u16) {
        match self {
            DirectoryProtection::Ldaps => ("ldaps", 636),
            DirectoryProtection::StartTls => ("ldap", 389),
        }
    }
}

/// The setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DirectoryServer {
    /// The server, by the name in its certificate; none means that no directory is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ServerName>,
    /// Its port, if that is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub protection: DirectoryProtection,
    /// Where people are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<SearchBase>,
    /// Who must have signed its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Certificates>,
}

/// A directory with all that is needed to know and use it.
#[derive(Clone, Debug)]
pub struct KnownDirectory<'a> {
    /// `ldaps://ldap.example.org:636`.
    pub uri: String,
    /// How the connection is protected.
    pub protection: DirectoryProtection,
    /// Where people are in it.
    pub base: &'a SearchBase,
    /// Who must have signed its certificate.
    pub ca: &'a Certificates,
}

impl DirectoryServer {
    /// The directory, if there is one.
    ///
    /// # Errors
    /// What is missing to know or use it.
    pub fn known(&self) -> Result<Option<KnownDirectory<'_>>, SettingError> {
        let Some(address) = &self.address else { return Ok(None) };
        let missing = |what: &str| SettingError(format!("`{what}` is missing: name it as well"));
        let base = self.base.as_ref().ok_or_else(|| missing("base=NAME"))?;
        let ca = self.ca.as_ref().ok_or_else(|| missing("ca=FILE"))?;
        let (scheme, usual) = self.protection.scheme();
        let port = self.port.unwrap_or(usual);
        let host = if address.as_str().contains(':') { format!("[{address}]") } else { address.to_string() };
        let uri = format!("{scheme}://{host}:{port}");
        Ok(Some(KnownDirectory { uri, protection: self.protection, base, ca }))
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// It is not whole, or the port is 0.
    pub fn check(&self) -> Result<(), SettingError> {
        if self.port == Some(0) {
            return Err(SettingError("the port must be from 1 to 65535".to_owned()));
        }
        self.known().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_base_is_names_and_values_and_nothing_else() {
        for good in ["dc=example,dc=org", "ou=People of the site,o=x", "o=a"] {
            assert!(SearchBase::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", "dc", "dc=", "=x", "dc=a,", "dc=a\nldap_uri = x", "dc=a)(uid=*", "dc=a;b", "dc= a", "o=é"]
        {
            assert!(SearchBase::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_directory_is_whole_or_refused() {
        let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
        let whole = DirectoryServer {
            address: ServerName::new("ldap.example.org").ok(),
            base: SearchBase::new("dc=example,dc=org").ok(),
            ca,
            ..DirectoryServer::default()
        };
        let uri = |server: &DirectoryServer| server.known().unwrap().unwrap().uri;
        assert!(DirectoryServer::default().check().is_ok());
        assert_eq!(uri(&whole), "ldaps://ldap.example.org:636");
        let start_tls = DirectoryServer { protection: DirectoryProtection::StartTls, ..whole.clone() };
        assert_eq!(uri(&start_tls), "ldap://ldap.example.org:389");
        let other = DirectoryServer {
            address: ServerName::new("2001:db8::1").ok(),
            port: Some(3636),
            ..whole.clone()
        };
        assert_eq!(uri(&other), "ldaps://[2001:db8::1]:3636");
        for broken in [
            DirectoryServer { base: None, ..whole.clone() },
            DirectoryServer { ca: None, ..whole.clone() },
            DirectoryServer { port: Some(0), ..whole },
        ] {
            assert!(broken.check().is_err(), "{broken:?}");
        }
    }
}
