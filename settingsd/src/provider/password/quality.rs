// SPDX-License-Identifier: Apache-2.0
//! What libpwquality reads: the files of pwquality.conf.d in order, then pwquality.conf over them.

use std::collections::BTreeMap;
use std::fs;

use virtwarden_core::setting::PasswordStrength;

use crate::host::Host;
use crate::program::Input;

const MAIN: &str = "/etc/security/pwquality.conf";
const DROP_INS: &str = "/etc/security/pwquality.conf.d";
const DICTIONARY: &str = "/var/cache/cracklib/cracklib_dict.pwd";
const PWSCORE: &str = "/usr/bin/pwscore";

/// 128 characters by chance, with all four classes among the first four.
const SAMPLE: &str = "q7Z_kT4xw2VmRb9!LpHs6dYc@fG3nJtQ8z#uKe5XvWa1$BrMg0%iPoDy^hN7lC&sE4jF*Uq(T2wA)kZ9xR-bV6mL+H3pS=Y8dGc\
cJ[f5n]Q{t}z;u:K.e,X/v?W~a<B>";

/// The options that demand it. Credits for classes would let shorter passwords pass.
pub(super) fn wanted(strength: &PasswordStrength) -> Vec<(&'static str, String)> {
    let mut wanted =
        vec![("minlen", strength.minimum_length.to_string()), ("minclass", strength.classes.to_string())];
    wanted.extend(["dcredit", "ucredit", "lcredit", "ocredit"].map(|credit| (credit, "0".to_owned())));
    wanted.extend([("enforcing", "1".to_owned())]);
    wanted
}

/// Whether the library has the dictionary that it wants; without one it refuses every password, and
/// nobody could change his any more.
///
/// # Errors
/// It has not.
pub(super) fn dictionary(host: &Host) -> Result<(), String> {
    let unwanted = effective(host)?.get("dictcheck").is_some_and(|value| value == "0");
    if unwanted || host.has(DICTIONARY) {
        return Ok(());
    }
    Err(format!(
        "libpwquality has no dictionary ({DICTIONARY}) and would refuse every password; install cracklib-runtime \
         and a word list such as wamerican, or say `dictcheck = 0` in {MAIN}"
    ))
}

/// One line for each option that the library would take otherwise.
pub(super) fn differences(host: &Host, strength: &PasswordStrength) -> Vec<String> {
    let options = match effective(host) {
        Ok(options) => options,
        Err(why) => return vec![why],
    };
    let mut wanted: Vec<_> = wanted(strength);
    wanted.push(("enforce_for_root", String::new()));
    let differs = |(name, value): &(&str, String)| {
        let found = options.get(*name).map(String::as_str);
        (found != Some(value)).then(|| {
            let found = found.unwrap_or("nothing");
            let value = if value.is_empty() { "set" } else { value };
            format!("libpwquality has {name} {found}, not {value}; look for {name} in {MAIN} and in later files of {DROP_INS}")
        })
    };
    wanted.iter().filter_map(differs).collect()
}

fn effective(host: &Host) -> Result<BTreeMap<String, String>, String> {
    let directory = host.place(DROP_INS);
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".conf"));
    names.sort_unstable();
    let mut paths: Vec<_> = names.iter().map(|name| format!("{DROP_INS}/{name}")).collect();
    paths.push(MAIN.to_owned());
    let mut options = BTreeMap::new();
    for path in paths {
        options.extend(host.text(&path)?.unwrap_or_default().lines().filter_map(option));
    }
    Ok(options)
}

/// `name = value`, or a name alone; what follows `#` is a comment.
fn option(line: &str) -> Option<(String, String)> {
    let text = line.split('#').next().unwrap_or_default().trim();
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (!name.is_empty()).then(|| (name.trim().to_owned(), value.trim().to_owned()))
}

/// The library itself, where its command is installed: a password that is one character too short must
/// be refused for that, and one that is long enough must not.
pub(super) fn probe(host: &Host, strength: &PasswordStrength) -> Option<String> {
    if !host.has(PWSCORE) {
        return None;
    }
    let score = |length: u16| {
        let password: String = SAMPLE.chars().take(usize::from(length)).collect();
        host.run(&[PWSCORE], Input::Text(&format!("{password}\n")))
    };
    let (short, enough) = (score(strength.minimum_length - 1), score(strength.minimum_length));
    match (short, enough) {
        (Ok(short), Ok(enough)) if !short.succeeded() && enough.succeeded() => None,
        (Ok(short), Ok(_)) if short.succeeded() => {
            Some(format!("libpwquality takes a password of {} characters", strength.minimum_length - 1))
        }
        (Ok(_), Ok(enough)) => Some(format!("libpwquality refuses a good password: {}", enough.said.trim())),
        (Err(why), _) | (_, Err(why)) => Some(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_long_enough_and_mixed_from_the_start() {
        assert_eq!(SAMPLE.chars().count(), 128);
        let start: Vec<char> = SAMPLE.chars().take(4).collect();
        assert!(start.iter().any(char::is_ascii_lowercase) && start.iter().any(char::is_ascii_uppercase));
        assert!(start.iter().any(char::is_ascii_digit) && start.iter().any(char::is_ascii_punctuation));
    }

    #[test]
    fn options_are_read_as_the_library_reads_them() {
        for (line, expected) in [
            ("minlen = 15", Some(("minlen", "15"))),
            ("  minlen=15 # site rule", Some(("minlen", "15"))),
            ("enforce_for_root", Some(("enforce_for_root", ""))),
            ("# minlen = 8", None),
            ("", None),
        ] {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(option(line), expected, "{line}");
        }
    }
}
