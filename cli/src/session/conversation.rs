// SPDX-License-Identifier: Apache-2.0
//! The talk with root's helper, which authenticates the person through PAM.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use virtwarden_core::control::{Conversation, LineError, LineReader, Typed, encode};

use crate::exit::{Exit, Failed};
use crate::terminal::{self, Answers, Echo};

/// How long the helper may be silent: PAM waits after a failure, and a directory server may be slow.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(60) };
/// More messages than any PAM stack has.
const MOST_MESSAGES: usize = 100;
/// How much of a message is shown.
const LONGEST_MESSAGE: usize = 8192;

/// Talks until the session is raised. `shown` is a text that the person has seen already.
pub(super) fn hold(
    socket: &Path,
    ticket: u64,
    shown: Option<&str>,
    answers: &mut Answers,
) -> Result<(), Failed> {
    let stream = UnixStream::connect(socket).map_err(|error| unreachable(&error))?;
    let deadlines = stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
    deadlines.map_err(|error| broken(&LineError::Io(error)))?;
    talk(&mut LineReader::new(stream), ticket, shown, answers)
}

fn talk(
    lines: &mut LineReader<UnixStream>,
    ticket: u64,
    shown: Option<&str>,
    answers: &mut Answers,
) -> Result<(), Failed> {
    send(lines, &Typed::Raise { ticket })?;
    for _ in 0..MOST_MESSAGES {
        let said = lines.receive::<Conversation>().map_err(|error| broken(&error))?;
        match said.ok_or_else(|| broken(&LineError::Truncated))? {
            // The PAM module shows the banner wherever somebody becomes an Administrator.
            Conversation::Show(text) if shown.is_some_and(|shown| shown.trim() == text.trim()) => {}
            Conversation::Show(text) | Conversation::Complain(text) => terminal::say(cut(&text)),
            Conversation::AskOpenly(prompt) => answer(lines, answers.take(cut(&prompt), Echo::Shown)?)?,
            Conversation::AskHidden(prompt) => answer(lines, answers.take(cut(&prompt), Echo::Hidden)?)?,
            Conversation::Raised => return Ok(()),
            Conversation::Refused(why) => {
                return Err(Failed { exit: Exit::Denied, message: cut(&why).to_owned() });
            }
        }
    }
    Err(Failed::error("the authentication helper does not come to an end"))
}

fn answer(lines: &mut LineReader<UnixStream>, text: String) -> Result<(), Failed> {
    send(lines, &Typed::Answer(text))
}

fn send(lines: &mut LineReader<UnixStream>, typed: &Typed) -> Result<(), Failed> {
    let line = encode(typed).map_err(|error| broken(&error))?;
    lines.stream().write_all(&line).map_err(|error| broken(&LineError::Io(error)))
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(LONGEST_MESSAGE).map_or(text.len(), |(index, _)| index);
    text.get(..end).unwrap_or_default()
}

fn unreachable(error: &io::Error) -> Failed {
    Failed::error(format!(
        "cannot reach the authentication helper: {error}; see `systemctl list-sockets --all 'virtwarden-*'`"
    ))
}

fn broken(error: &LineError) -> Failed {
    let next = "the session stays as it was; try again, or see `journalctl -u 'virtwarden-*'`";
    match error {
        LineError::Io(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Failed::error(format!("the authentication helper does not answer; {next}"))
        }
        LineError::Io(_) | LineError::Truncated => {
            Failed::error(format!("the authentication helper went away; {next}"))
        }
        LineError::TooLong | LineError::Version(_) | LineError::Malformed(_) => {
            Failed::error(format!("{error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_says_nothing_is_not_waited_for() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        let failed = talk(&mut LineReader::new(ours), 1, None, &mut Answers::Terminal).unwrap_err();
        assert!(failed.message.contains("does not answer"), "{}", failed.message);
    }

    #[test]
    fn a_helper_that_never_ends_is_left() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let line = encode(&Conversation::Show("again".to_owned())).unwrap();
        std::thread::spawn(move || while theirs.write_all(&line).is_ok() {});
        let failed = talk(&mut LineReader::new(ours), 1, None, &mut Answers::Terminal).unwrap_err();
        assert!(failed.message.contains("does not come to an end"), "{}", failed.message);
    }

    #[test]
    fn a_message_is_shown_up_to_its_bound() {
        assert_eq!(cut(&"ü".repeat(10_000)).chars().count(), LONGEST_MESSAGE);
        assert_eq!(cut("short"), "short");
    }
}
