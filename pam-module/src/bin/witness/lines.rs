// SPDX-License-Identifier: Apache-2.0
//! sshd's lines. Pure.
//!
//! By default it logs a key that does not fit only from the third on, but always that a connection ended without a
//! login; with `LogLevel VERBOSE` each key. Of passwords the PAM module tells.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Shown where a line does not tell whom it is about or where from.
const UNKNOWN: &str = "unknown";
/// So many connections are remembered; sshd has no more than a hundred at once that are not logged in.
const MOST: usize = 4096;
/// How a failure begins that PAM has said, for keyboard-interactive: the method itself is named from the third on.
const FROM_PAM: &str = "error: PAM: ";
/// How the end of a connection without a login begins.
const ENDS: &[&str] =
    &["Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting "];

/// Somebody whom sshd refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// The name that he gave.
    pub(crate) account: String,
    /// Where he is.
    pub(crate) address: String,
    /// What happened.
    pub(crate) reason: String,
}

/// The connections of which a failure is on record, by sshd's process.
#[derive(Debug, Default)]
pub(crate) struct Connections(BTreeSet<u32>);

impl Connections {
    /// Hears a line, and says whether it is to be told.
    pub(crate) fn hear(&mut self, process: u32, message: &str) -> Option<Rejection> {
        let message = message.trim_end().trim_end_matches(" [preauth]");
        if let Some(failure) = message.strip_prefix("Failed ") {
            return self.failure(process, failure);
        }
        if message.starts_with(FROM_PAM) {
            self.remember(process);
        }
        let end = ENDS.iter().find_map(|end| message.strip_prefix(end))?;
        let who = end.strip_prefix("authenticating user ").or_else(|| end.strip_prefix("invalid user "))?;
        let told = self.0.remove(&process);
        let who = find(who, " ");
        (!told).then(|| who.rejection("left without a login; no key fitted, if there was one"))
    }

    fn remember(&mut self, process: u32) {
        if self.0.len() >= MOST {
            self.0.pop_first();
        }
        self.0.insert(process);
    }

    /// `METHOD for NAME from ADDRESS port N ssh2: KEY`.
    fn failure(&mut self, process: u32, failure: &str) -> Option<Rejection> {
        let (method, who) = failure.split_once(" for ")?;
        if method == "none" {
            return None;
        }
        self.remember(process);
        // These go through PAM, and the module has told.
        if method == "password" || method.starts_with("keyboard-interactive") {
            return None;
        }
        let who = find(who.strip_prefix("invalid user ").unwrap_or(who), " from ");
        let key = who.rest.strip_prefix("ssh2: ").map(|key| format!(", {key}")).unwrap_or_default();
        Some(who.rejection(&format!("{method} does not fit{key}")))
    }
}

/// Who and where, and what comes after it.
struct Who<'a> {
    account: &'a str,
    address: &'a str,
    rest: &'a str,
}

impl Who<'_> {
    fn rejection(&self, reason: &str) -> Rejection {
        Rejection {
            account: self.account.to_owned(),
            address: self.address.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// `NAME<between>ADDRESS port N REST`. A name or a certificate's comment may itself look like that: then nobody
/// knows which is which.
fn find<'a>(text: &'a str, between: &str) -> Who<'a> {
    let mut found = text.match_indices(between).filter_map(|(at, _)| {
        let (account, after) = (text.get(..at)?, text.get(at + between.len()..)?);
        let (address, rest) = after.split_once(" port ")?;
        let (port, rest) = rest.split_once([' ', ':']).unwrap_or((rest, ""));
        let sound = address.parse::<IpAddr>().is_ok() && port.parse::<u16>().is_ok();
        sound.then_some(Who { account, address, rest })
    });
    match (found.next(), found.next()) {
        (Some(who), None) => who,
        (Some(_), Some(_)) | (None, _) => Who { account: text, address: UNKNOWN, rest: "" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Option<[String; 3]> {
        let heard = Connections::default().hear(1, message);
        heard.map(|Rejection { account, address, reason }| [account, address, reason])
    }

    fn says(message: &str, account: &str, address: &str, reason: &str) {
        let expected = [account, address, reason].map(str::to_owned);
        assert_eq!(told(message), Some(expected), "{message}");
    }

    const LEFT: &str = "left without a login; no key fitted, if there was one";

    #[test]
    fn a_key_that_is_not_provisioned_is_told_with_name_and_address() {
        says(
            "Failed publickey for alice from 192.0.2.7 port 40022 ssh2: ED25519 SHA256:abc+/x",
            "alice",
            "192.0.2.7",
            "publickey does not fit, ED25519 SHA256:abc+/x",
        );
        says(
            "Failed publickey for invalid user o'neil from 2001:db8::7 port 1 ssh2: RSA SHA256:x [preauth]",
            "o'neil",
            "2001:db8::7",
            "publickey does not fit, RSA SHA256:x",
        );
        says("Failed hostbased for bob from ::1 port 2 ssh2", "bob", "::1", "hostbased does not fit");
        says(
            "Connection closed by authenticating user alice 127.0.0.1 port 40022 [preauth]",
            "alice",
            "127.0.0.1",
            LEFT,
        );
        says("Connection reset by invalid user x 127.0.0.1 port 5 [preauth]", "x", "127.0.0.1", LEFT);
        says(
            "Disconnecting authenticating user alice 192.0.2.7 port 9: Too many authentication failures [preauth]",
            "alice",
            "192.0.2.7",
            LEFT,
        );
    }

    #[test]
    fn other_lines_tell_nothing() {
        for line in [
            "Accepted publickey for alice from 127.0.0.1 port 40022 ssh2: ED25519 SHA256:x",
            "Failed password for alice from 127.0.0.1 port 40022 ssh2",
            "Failed keyboard-interactive/pam for alice from 127.0.0.1 port 40022 ssh2",
            "Failed none for invalid user x from 127.0.0.1 port 40022 ssh2",
            "Connection closed by 127.0.0.1 port 40022 [preauth]",
            "Disconnected from user alice 127.0.0.1 port 40022",
            "Failed",
            "",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn who_looks_like_another_is_nobody_from_nowhere() {
        for line in [
            "alice from 6.6.6.6 port 1 ssh2: x from 192.0.2.7 port 40022 ssh2: RSA SHA256:x",
            "alice from 192.0.2.7 port 40022 ssh2: RSA-CERT ID  from 6.6.6.6 port 1 ssh2 (serial 0)",
            "alice from nowhere port 1 ssh2",
            "alice",
        ] {
            says(&format!("Failed publickey for {line}"), line, UNKNOWN, "publickey does not fit");
        }
        let line = "x 6.6.6.6 port 1 192.0.2.7 port 40022";
        says(&format!("Connection closed by authenticating user {line}"), line, UNKNOWN, LEFT);
    }

    #[test]
    fn the_end_of_a_connection_whose_failures_were_told_tells_nothing_more() {
        let mut connections = Connections::default();
        let end = "Connection closed by authenticating user alice 127.0.0.1 port 40022 [preauth]";
        assert_eq!(connections.hear(7, "Failed password for alice from 127.0.0.1 port 40022 ssh2"), None);
        assert_eq!(connections.hear(7, end), None);
        let by_pam = "error: PAM: Authentication failure for alice from 127.0.0.1";
        assert_eq!((connections.hear(7, by_pam), connections.hear(7, end)), (None, None));
        assert!(connections.hear(7, end).is_some(), "the number is another connection's now");
        for process in 0..2 * 4096 {
            connections.hear(process, "Failed password for alice from 127.0.0.1 port 40022 ssh2");
        }
        assert_eq!(connections.0.len(), MOST);
    }
}
