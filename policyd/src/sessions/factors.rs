// SPDX-License-Identifier: Apache-2.0
//! What somebody proved himself by, from what the login program exposes.

use openssl::base64::decode_block;
use openssl::sha::sha256;
use virtwarden_core::authentication::Factor;
use virtwarden_login::{Factors, Proof};

use super::words::word;

/// ssh's own service: the only one whose word on ssh's methods counts.
const SSH: &str = "sshd";
/// So many methods of one login are kept; ssh itself asks for few.
const MOST: usize = 8;

/// What counts as proof, or nothing if nobody proved anything.
pub(super) fn factors(service: &str, seen: &Factors) -> Vec<Factor> {
    let exposed = if service == SSH { exposed(&seen.exposed) } else { Vec::new() };
    match (exposed.is_empty(), seen.proof) {
        (false, Proof::Seen | Proof::Absent) => exposed,
        (true, Proof::Seen) => vec![Factor::Pam],
        (true, Proof::Absent) => Vec::new(),
    }
}

/// The methods in ssh's list, one a line. `none` and `hostbased` prove nothing of a person.
fn exposed(lines: &[u8]) -> Vec<Factor> {
    let text = String::from_utf8_lossy(lines);
    text.lines().take(MOST).filter_map(method).collect()
}

fn method(line: &str) -> Option<Factor> {
    let mut words = line.split(' ');
    match words.next()?.split('/').next()? {
        "password" => Some(Factor::Password),
        "keyboard-interactive" => Some(Factor::Other { name: "keyboard-interactive".to_owned() }),
        "publickey" => public_key(words.next()?, words.next()?),
        _ => None,
    }
}

/// As `ssh-keygen -l` names a key.
fn public_key(kind: &str, base64: &str) -> Option<Factor> {
    let key = decode_block(base64).ok().filter(|key| !key.is_empty())?;
    let print = openssl::base64::encode_block(&sha256(&key));
    let key = format!("{} SHA256:{}", word(kind.as_bytes()), print.trim_end_matches('='));
    Some(Factor::PublicKey { key })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key whose text ends in padding, with the print that `ssh-keygen -l` gives it.
    const KEY: &str = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBMBKp0oo30oiUg0flA+SGUPGUUg9vhBa2LWb4hQ06TxxIc8PRZ2FBvVusyf2NLotB+KywbHBeU+KdihQzpxiTMBbxLu/ZiMsEox/Kl32ak0uWn0RL9PPkfvS+q9+q1wYdg==";
    const PRINT: &str = "SHA256:RG6zzQaD2Ya3hS3IxJ4iL8cNae/kdFlJ+4MshAhCujg";

    fn of(service: &str, proof: Proof, exposed: &str) -> Vec<Factor> {
        factors(service, &Factors { proof, exposed: exposed.into() })
    }

    #[test]
    fn a_key_is_named_as_ssh_names_it() {
        let key = format!("ecdsa-sha2-nistp384 {PRINT}");
        let exposed = format!("publickey {KEY}\n");
        assert_eq!(of("sshd", Proof::Absent, &exposed), [Factor::PublicKey { key: key.clone() }]);
        let both = format!("publickey {KEY}\npassword\n");
        assert_eq!(of("sshd", Proof::Seen, &both), [Factor::PublicKey { key }, Factor::Password]);
    }

    #[test]
    fn only_what_proves_a_person_counts_and_only_by_sshs_own_word() {
        for line in ["none", "hostbased", "gssapi-with-mic alice@EXAMPLE", "", "publickey", "publickey x"] {
            assert_eq!(of("sshd", Proof::Absent, line), [], "{line}");
        }
        assert_eq!(of("login", Proof::Absent, "password\n"), []);
        assert_eq!(of("login", Proof::Seen, "publickey\n"), [Factor::Pam]);
        assert_eq!(of("sshd", Proof::Seen, ""), [Factor::Pam]);
        assert_eq!(of("sshd", Proof::Absent, &"password\n".repeat(1000)).len(), MOST);
    }
}
