// SPDX-License-Identifier: Apache-2.0
//! Who wants in, in the words of the login program.

/// The longest field of a claim in bytes; [`Claim::cut`] shortens a longer one.
pub const LONGEST_FIELD: usize = 4096;

/// The longest name that an account can have in bytes (`LOGIN_NAME_MAX`). Whoever gives a longer one is
/// refused, whatever policyd says; it is asked all the same, so that there is a record.
pub const LONGEST_ACCOUNT: usize = 256;

/// Who wants in, in the words of the login program. Nothing here is believed about who is asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The account that is to be entered (`PAM_USER`).
    pub account: Vec<u8>,
    /// The PAM service: `sshd`, `login`, `su`, `sudo`, `gdm-password`, ...
    pub service: Vec<u8>,
    /// The terminal (`PAM_TTY`); empty if there is none.
    pub tty: Vec<u8>,
    /// The address or name of the remote host (`PAM_RHOST`); empty means local.
    pub remote_host: Vec<u8>,
    /// The account that asks, where the program says so (`PAM_RUSER`).
    pub remote_user: Vec<u8>,
}

/// Where a login comes from, as failures are counted: FIA_AFL_EXT.1 asks for remote ones at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// At the machine itself.
    Local,
    /// Over the network.
    Remote,
}

impl Claim {
    /// Where it comes from by the program's own word. policyd may know better: somebody can be inside a
    /// remote session already.
    pub fn class(&self) -> Class {
        if self.remote_host.is_empty() || self.is_from_inside() { Class::Local } else { Class::Remote }
    }

    /// Whether it comes from a program that a person who is logged in runs as often as he likes, in order to act
    /// as another account or to prove himself again. sudo's option `pam_rhost` gives the machine's own name as
    /// the remote host.
    pub fn is_from_inside(&self) -> bool {
        matches!(self.service.as_slice(), b"su" | b"su-l" | b"sudo" | b"sudo-i" | b"polkit-1" | b"virtwarden")
    }

    /// The same with every field cut to [`LONGEST_FIELD`]. A name that needs it is longer than an account's
    /// can be, so the cut one is nobody else's.
    #[must_use]
    pub fn cut(mut self) -> Self {
        for field in [
            &mut self.account,
            &mut self.service,
            &mut self.tty,
            &mut self.remote_host,
            &mut self.remote_user,
        ] {
            field.truncate(LONGEST_FIELD);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_host_makes_a_login_remote_but_not_a_change_of_account_within_a_session() {
        let rows: [(&[u8], &[u8], Class); 6] = [
            (b"sshd", b"192.0.2.7", Class::Remote),
            (b"sshd", b"::1", Class::Remote),
            (b"of-the-future", b"host", Class::Remote),
            (b"login", b"", Class::Local),
            (b"su", b"", Class::Local),
            (b"sudo", b"thishost", Class::Local),
        ];
        for (service, host, class) in rows {
            let claim = Claim { service: service.to_vec(), remote_host: host.to_vec(), ..Claim::default() };
            assert_eq!(claim.class(), class, "{claim:?}");
        }
    }

    #[test]
    fn a_field_is_cut_to_the_limit_and_not_below() {
        let claim = Claim { account: vec![b'a'; 65536], tty: b"pts/1".to_vec(), ..Claim::default() }.cut();
        assert_eq!((claim.account.len(), claim.tty.as_slice()), (LONGEST_FIELD, b"pts/1".as_slice()));
    }
}
