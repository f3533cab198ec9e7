// SPDX-License-Identifier: Apache-2.0
//! Who is locked: the snapshot that the PAM module reads while policyd does not answer.
//!
//! A text file, one lock on a line: class, when it ends in seconds since 1970 or `-` for "when an
//! Administrator unlocks it", and the account, each byte other than `A-Z a-z 0-9 . _ -` as `%XX`:
//!
//! ```text
//! virtwarden-locked 1
//! remote 1790000000 alice
//! local - m%C3%BCller
//! ```

use crate::claim::{Class, LONGEST_ACCOUNT};
use crate::fault::Fault;

/// Where policyd keeps it; owned by policyd's account, replaced atomically.
pub const PATH: &str = "/var/lib/virtwarden/lockout/locked";

/// The longest snapshot in bytes that the module reads; [`render`] keeps below it.
pub const LONGEST: usize = 16 * 1024 * 1024;

const HEADER: &str = "virtwarden-locked 1";

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Whose logins.
    pub account: Vec<u8>,
    /// Which of them.
    pub class: Class,
    /// What ends it.
    pub until: Until,
}

/// What ends a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Time does, in seconds since 1970.
    Time(u64),
    /// An Administrator does.
    Unlocked,
}

/// How an account stands by the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has no lock now.
    Open,
    /// It has one for so many seconds more.
    For(u64),
    /// It has one until an Administrator acts.
    UntilUnlocked,
}

/// Writes the snapshot. An account name that is too long for this host to have is left out: the module
/// refuses those by itself.
///
/// # Errors
/// It would be longer than [`LONGEST`].
pub fn render(locks: &[Locked]) -> Result<String, Fault> {
    let mut text = format!("{HEADER}\n");
    for lock in locks.iter().filter(|lock| lock.account.len() <= LONGEST_ACCOUNT) {
        text.push_str(&line(lock));
    }
    if text.len() > LONGEST { Err(Fault::TooLong) } else { Ok(text) }
}

fn line(lock: &Locked) -> String {
    let class = match lock.class {
        Class::Local => "local",
        Class::Remote => "remote",
    };
    let until = match lock.until {
        Until::Time(seconds) => seconds.to_string(),
        Until::Unlocked => "-".to_owned(),
    };
    format!("{class} {until} {}\n", escape(&lock.account))
}

/// Reads the snapshot.
///
/// # Errors
/// Anything that [`render`] does not write; the caller then knows nothing of any lock.
pub fn parse(snapshot: &[u8]) -> Result<Vec<Locked>, Fault> {
    if snapshot.len() > LONGEST {
        return Err(Fault::TooLong);
    }
    let text = str::from_utf8(snapshot).map_err(|_| Fault::Text)?;
    let lines = text.strip_suffix('\n').ok_or(Fault::Short)?;
    let mut lines = lines.split('\n').zip(1..);
    match lines.next() {
        Some((HEADER, _)) => {}
        Some(_) | None => return Err(Fault::Line(1)),
    }
    lines.map(|(line, number)| parse_line(line).ok_or(Fault::Line(number))).collect()
}

fn parse_line(line: &str) -> Option<Locked> {
    let (class, rest) = line.split_once(' ')?;
    let (until, account) = rest.split_once(' ')?;
    let class = match class {
        "local" => Class::Local,
        "remote" => Class::Remote,
        _ => return None,
    };
    let account = unescape(account)?;
    Some(Locked { account, class, until: parse_until(until)? })
}

fn parse_until(word: &str) -> Option<Until> {
    if word == "-" {
        return Some(Until::Unlocked);
    }
    let seconds: u64 = word.parse().ok()?;
    (seconds.to_string() == word).then_some(Until::Time(seconds))
}

/// How an account stands at `now` (seconds since 1970). Of several locks the longest counts.
pub fn standing(locks: &[Locked], account: &[u8], class: Class, now: u64) -> Standing {
    let own = locks.iter().filter(|lock| lock.account == account && lock.class == class);
    own.fold(Standing::Open, |longest, lock| match (longest, lock.until) {
        (Standing::UntilUnlocked, _) | (_, Until::Unlocked) => Standing::UntilUnlocked,
        (Standing::Open, Until::Time(end)) if end > now => Standing::For(end - now),
        (Standing::For(left), Until::Time(end)) => Standing::For(left.max(end.saturating_sub(now))),
        (Standing::Open, Until::Time(_)) => Standing::Open,
    })
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn escape(account: &[u8]) -> String {
    account
        .iter()
        .map(|byte| if is_plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn unescape(word: &str) -> Option<Vec<u8>> {
    let mut account = Vec::new();
    let mut bytes = word.bytes();
    while let Some(byte) = bytes.next() {
        account.push(match byte {
            b'%' => from_hex(bytes.next()?, bytes.next()?)?,
            plain if is_plain(plain) => plain,
            _ => return None,
        });
    }
    (escape(&account) == word && account.len() <= LONGEST_ACCOUNT).then_some(account)
}

fn from_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests;
