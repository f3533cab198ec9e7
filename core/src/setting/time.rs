// SPDX-License-Identifier: Apache-2.0
//! Where the host's time comes from: row 19, FPT_STM.1.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::SettingError;

/// Far more than anybody asks.
const MOST: usize = 16;
/// The longest name of the domain name system, and the longest part of one.
const LONGEST: (usize, usize) = (253, 63);

/// A server's name or address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

impl ServerName {
    /// A host name (RFC 1123) or an IP address: nothing that a configuration file could read as more.
    ///
    /// # Errors
    /// It is neither.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        let part = |part: &str| {
            !part.is_empty()
                && part.len() <= LONGEST.1
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let name = text.len() <= LONGEST.0 && text.split('.').all(part);
        if name || text.parse::<IpAddr>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(SettingError(format!("`{}` is neither a host name nor an address", text.escape_debug())))
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServerName {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        Self::new(&text)
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> String {
        name.0
    }
}

/// How a time server proves that it is the one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeProof {
    /// Not at all: whoever is on the way can tell any time.
    #[default]
    Nothing,
    /// Network Time Security (RFC 8915).
    Nts,
}

/// The setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TimeServers {
    /// The servers, and no others; none at all leaves what the distribution chose.
    pub servers: Vec<ServerName>,
    /// What each must prove.
    #[serde(default)]
    pub proof: TimeProof,
}

impl TimeServers {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// Too many servers, or one of them twice.
    pub fn check(&self) -> Result<(), SettingError> {
        if self.servers.len() > MOST {
            return Err(SettingError(format!("at most {MOST} servers, not {}", self.servers.len())));
        }
        let mut sorted: Vec<_> = self.servers.iter().collect();
        sorted.sort_unstable();
        let twice = sorted.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        twice.map_or(Ok(()), |server| Err(SettingError(format!("`{server}` stands there twice"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_or_an_address_and_nothing_else() {
        for good in ["ntp.example.org", "ntp1", "192.0.2.1", "2001:db8::1", "0.debian.pool.ntp.org"] {
            assert!(ServerName::new(good).is_ok(), "{good}");
        }
        let long = format!("{}.org", "a".repeat(64));
        for bad in
            ["", "a b", "a\nserver b", "-a", "a-", "a..b", "a;b", "[::1]", "a/b", "ä.org", "a iburst", &long]
        {
            assert!(ServerName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_same_server_twice_and_too_many_are_refused() {
        let name = |text: &str| ServerName::new(text).unwrap();
        let of = |servers: Vec<ServerName>| TimeServers { servers, proof: TimeProof::Nothing };
        assert!(of(vec![name("a"), name("b")]).check().is_ok());
        assert!(of(vec![name("a"), name("b"), name("a")]).check().unwrap_err().0.contains("twice"));
        assert!(of((0..17).map(|n| name(&format!("n{n}"))).collect()).check().is_err());
    }
}
