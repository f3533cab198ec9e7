// SPDX-License-Identifier: Apache-2.0
//! Who is said to want in, in a form that can be counted, compared and recorded.

use virtwarden_core::authentication::Origin;
use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::Name;
use virtwarden_login::{Claim, Class};

use super::{Found, Logins};
use crate::peer::Peer;

/// Names, services and addresses are cut here: no account's reaches this far.
const LONGEST: usize = 255;

/// Here a helper that systemd may have started, in nobody's session, takes the password of who is logged in.
const HELPED: &[&[u8]] = &[b"virtwarden", b"polkit-1"];

/// A claim, understood.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    /// The account, if there is one.
    pub(super) account: Option<Found>,
    /// Its name; what was typed, escaped, if there is none.
    pub(super) name: String,
    /// The PAM service.
    pub(super) service: String,
    /// Where from.
    pub(super) origin: Origin,
}

impl Claimed {
    /// Which logins it belongs to.
    pub(super) fn class(&self) -> OriginClass {
        match self.origin {
            Origin::Local { .. } => OriginClass::Local,
            Origin::Remote { .. } => OriginClass::Remote,
        }
    }

    /// Whether the host has the account.
    pub(super) fn known(&self) -> Name {
        if self.account.is_some() { Name::Account } else { Name::Unknown }
    }
}

impl Logins {
    /// Understands a claim. The account goes by the name that the database gives it, so that other letters of
    /// the same name are no other account.
    pub(super) fn claimed(&self, peer: &Peer, claim: &Claim) -> Claimed {
        let typed = std::str::from_utf8(&claim.account).ok().filter(|name| is_plausible(name));
        let account = typed.and_then(|name| self.directory.find(name));
        let name = match &account {
            Some(account) => account.name.clone(),
            None => word(&claim.account),
        };
        Claimed { account, name, service: word(&claim.service), origin: self.origin(peer, claim) }
    }

    /// Remote if the login program says so, or if the session is in which it runs: whoever uses sudo in a
    /// session over the network is still somewhere else.
    fn origin(&self, peer: &Peer, claim: &Claim) -> Origin {
        let remote = claim.class() == Class::Remote;
        let sessions = self.monitor.sessions();
        let within = sessions.origin_of(peer.login.as_ref()).or_else(|| {
            let account = std::str::from_utf8(&claim.account).ok()?;
            HELPED.contains(&claim.service.as_slice()).then(|| sessions.origin_for(account))?
        });
        match within {
            Some(Origin::Remote { address }) if !remote => Origin::Remote { address },
            Some(Origin::Remote { .. } | Origin::Local { .. }) | None if remote => {
                Origin::Remote { address: word(&claim.remote_host) }
            }
            Some(Origin::Remote { .. } | Origin::Local { .. }) | None => {
                Origin::Local { terminal: word(&claim.tty) }
            }
        }
    }
}

/// What the account database may be asked for.
fn is_plausible(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.chars().any(char::is_control)
}

/// Bytes as text, each reversible: nothing that a terminal could act on, nothing that looks like something else.
pub(super) fn word(bytes: &[u8]) -> String {
    let cut = bytes.get(..LONGEST).unwrap_or(bytes);
    let mut text = match std::str::from_utf8(cut) {
        Ok(plain) if plain.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => plain.to_owned(),
        Ok(_) | Err(_) => cut.escape_ascii().to_string(),
    };
    if bytes.len() > cut.len() {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_plain_and_short() {
        for (typed, shown) in [
            (&b"alice"[..], "alice"),
            (b"al ice\\", "al ice\\"),
            (b"\x1b[2Jalice\n", "\\x1b[2Jalice\\n"),
            (b"\xff", "\\xff"),
            ("\u{202e}ecila".as_bytes(), "\\xe2\\x80\\xaeecila"),
            (b"", ""),
        ] {
            assert_eq!(word(typed), shown);
        }
        assert_eq!(word(&[b'a'; 70_000]), format!("{}...", "a".repeat(LONGEST)));
        assert!(!is_plausible("") && !is_plausible("a\0b") && !is_plausible(&"a".repeat(LONGEST + 1)));
    }
}
