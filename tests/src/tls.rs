// SPDX-License-Identifier: Apache-2.0
//! Servers that offer one version of TLS, or one cipher, and nothing else: which of them a suite lets in, only a connection tells.

use crate::host::Host;
use crate::scene::check;

/// What a server offers: for people, and for socat.
pub type Offer = (&'static str, &'static str);

/// Neither of the profile's suites takes these, OpenSSL's own choice takes both.
pub const OUTSIDE: [Offer; 2] = [
    ("TLS 1.3 alone", "openssl-min-proto-version=TLS1.3"),
    ("ChaCha20 alone", "openssl-max-proto-version=TLS1.2,cipher=ECDHE-ECDSA-CHACHA20-POLY1305"),
];
/// What `profile` takes and `profile-256` does not.
pub const SHORT: Offer =
    ("AES-128 alone", "openssl-max-proto-version=TLS1.2,cipher=ECDHE-ECDSA-AES128-GCM-SHA256");
/// What every suite takes.
pub const INSIDE: Offer =
    ("AES-256 alone", "openssl-max-proto-version=TLS1.2,cipher=ECDHE-ECDSA-AES256-GCM-SHA384");

/// One end of the server.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Where it listens.
    pub port: u16,
    /// Certificate and key, without their endings.
    pub identity: &'a str,
    /// Where what comes over TLS goes to, as socat has it.
    pub inward: &'a str,
}

impl Server<'_> {
    /// Lets it offer this, and nothing that it offered before.
    ///
    /// # Errors
    /// It does not listen.
    pub fn offer(&self, host: &Host, (_, options): Offer) -> Result<(), String> {
        let Server { port, identity, inward } = self;
        let unit = format!("story-tls-{port}");
        check(
            "server",
            &host.root(&format!(
                "systemctl stop {unit} 2> /dev/null; systemctl reset-failed {unit} 2> /dev/null
                systemd-run -q --collect --unit={unit} socat -d -d \
                'OPENSSL-LISTEN:{port},reuseaddr,fork,verify=0,cert={identity}.pem,key={identity}.key,{options}' '{inward}'
                for try in $(seq 100); do ss -ltn | grep -q ':{port} ' && exit; sleep 0.1; done; exit 1"
            )),
        )
    }

    /// It goes.
    ///
    /// # Errors
    /// It cannot be asked to.
    pub fn end(&self, host: &Host) -> Result<(), String> {
        check("server", &host.root(&format!("systemctl stop story-tls-{} 2> /dev/null; true", self.port)))
    }

    /// A shell condition: it refused somebody since a time that is in this file.
    pub fn has_refused(&self, since: &str) -> String {
        format!(
            "journalctl -q -u story-tls-{} --since @$(cat {since}) | grep -iE 'SSL_accept.*(unsupported protocol|no shared cipher)'",
            self.port
        )
    }
}
