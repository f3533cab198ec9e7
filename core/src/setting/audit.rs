// SPDX-License-Identifier: Apache-2.0
//! Where the audit trail is sent: row 18, FAU_STG_EXT.1.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Certificates, ServerName, SettingError};

/// Syslog over TLS: RFC 5425.
const PORT: u16 = 6514;

/// The setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AuditServer {
    /// The server; none means that nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ServerName>,
    /// Its port.
    pub port: u16,
    /// The name that its certificate must have, if that is not the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<ServerName>,
    /// Who must have signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Certificates>,
}

impl Default for AuditServer {
    fn default() -> Self {
        Self { address: None, port: PORT, peer: None, ca: None }
    }
}

/// A server with all that is needed to know it.
#[derive(Clone, Copy, Debug)]
pub struct KnownServer<'a> {
    /// Where it is.
    pub address: &'a ServerName,
    /// Its port.
    pub port: u16,
    /// What its certificate must be called.
    pub peer: &'a ServerName,
    /// Who must have signed it.
    pub ca: &'a Certificates,
}

impl AuditServer {
    /// The server, if there is one.
    ///
    /// # Errors
    /// What is missing to know it by.
    pub fn known(&self) -> Result<Option<KnownServer<'_>>, SettingError> {
        let Some(address) = &self.address else { return Ok(None) };
        let Some(ca) = &self.ca else {
            return Err(SettingError(
                "whose certificates does the server have? name them with ca=FILE".to_owned(),
            ));
        };
        let peer = self.peer.as_ref().unwrap_or(address);
        if peer.as_str().parse::<IpAddr>().is_ok() {
            return Err(SettingError(
                "a certificate is known by a name, not by an address; name it with peer=NAME".to_owned(),
            ));
        }
        Ok(Some(KnownServer { address, port: self.port, peer, ca }))
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// It is not whole, or the port is 0.
    pub fn check(&self) -> Result<(), SettingError> {
        if self.port == 0 {
            return Err(SettingError("the port must be from 1 to 65535".to_owned()));
        }
        self.known().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_a_name_and_a_signer() {
        let name = |text: &str| Some(ServerName::new(text).unwrap());
        let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
        let server = |address: &str, peer, ca| AuditServer {
            address: name(address),
            peer,
            ca,
            ..AuditServer::default()
        };
        assert!(AuditServer::default().check().is_ok());
        let by_name = server("log.example.org", None, ca.clone());
        assert_eq!(by_name.known().unwrap().unwrap().peer.as_str(), "log.example.org");
        let by_address = server("192.0.2.2", name("log.example.org"), ca.clone());
        assert_eq!(by_address.known().unwrap().unwrap().peer.as_str(), "log.example.org");
        assert!(server("log.example.org", None, None).check().unwrap_err().0.contains("ca=FILE"));
        assert!(server("192.0.2.2", None, ca).check().unwrap_err().0.contains("peer=NAME"));
        assert!(AuditServer { port: 0, ..AuditServer::default() }.check().is_err());
    }
}
