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
    let bytes = decode_block(base64).ok().filter(|bytes| !bytes.is_empty())?;
    let padding = base64.bytes().rev().take_while(|byte| *byte == b'=').count();
    let key = bytes.get(..bytes.len().checked_sub(padding)?)?;
    let print = openssl::base64::encode_block(&sha256(key));
    let key = format!("{} SHA256:{}", word(kind.as_bytes()), print.trim_end_matches('='));
    Some(Factor::PublicKey { key })
}
