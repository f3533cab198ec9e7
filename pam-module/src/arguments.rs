// SPDX-License-Identifier: Apache-2.0
//! What stands behind the module's name in a PAM configuration.

use virtwarden_login::{Change, Phase};

/// Which place of an authentication stack it is.
///
/// # Errors
/// What is wrong with the line.
pub(crate) fn phase(arguments: &[Vec<u8>]) -> Result<Phase, String> {
    match only(arguments) {
        Some(b"begin") => Ok(Phase::Begin),
        Some(b"failed") => Ok(Phase::Failed),
        Some(b"passed") => Ok(Phase::Passed),
        Some(_) | None => {
            Err(complaint("an auth line needs one argument: begin, failed or passed", arguments))
        }
    }
}

/// Which place of a password stack it is.
///
/// # Errors
/// What is wrong with the line.
pub(crate) fn change(arguments: &[Vec<u8>]) -> Result<Change, String> {
    match only(arguments) {
        Some(b"wanted") => Ok(Change::Wanted),
        Some(b"done") => Ok(Change::Done),
        Some(_) | None => Err(complaint("a password line needs one argument: wanted or done", arguments)),
    }
}

/// Insists that there is nothing.
///
/// # Errors
/// What is wrong with the line.
pub(crate) fn none(arguments: &[Vec<u8>]) -> Result<(), String> {
    if arguments.is_empty() {
        Ok(())
    } else {
        Err(complaint("account and session lines take no argument", arguments))
    }
}

fn only(arguments: &[Vec<u8>]) -> Option<&[u8]> {
    match arguments {
        [argument] => Some(argument),
        _ => None,
    }
}

fn complaint(expected: &str, arguments: &[Vec<u8>]) -> String {
    format!("{expected}; got `{}`", arguments.join(&b' ').escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn each_place_has_its_word_and_nothing_else_is_taken() {
        assert_eq!(phase(&words("begin")), Ok(Phase::Begin));
        assert_eq!(phase(&words("failed")), Ok(Phase::Failed));
        assert_eq!(phase(&words("passed")), Ok(Phase::Passed));
        assert_eq!(change(&words("wanted")), Ok(Change::Wanted));
        assert_eq!(change(&words("done")), Ok(Change::Done));
        assert_eq!(none(&[]), Ok(()));
        for line in ["", "Begin", "begin passed", "debug", "begin debug"] {
            assert!(phase(&words(line)).is_err() && change(&words(line)).is_err(), "{line}");
        }
        let said = none(&words("debug nullok")).unwrap_err();
        assert_eq!(said, "account and session lines take no argument; got `debug nullok`");
    }
}
