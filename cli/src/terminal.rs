// SPDX-License-Identifier: Apache-2.0
//! Questions to the person at the terminal. They go to standard error, so that standard output has results only.

mod hidden;

use std::io::{self, BufRead, BufReader, Read, Stdin, Write};

use virtwarden_core::trail::escape::printable;

use crate::exit::Failed;

/// The longest answer in bytes.
const LONGEST_ANSWER: usize = 4096;

/// Whether what is typed is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// It is.
    Shown,
    /// It is not: a secret.
    Hidden,
}

/// Where answers come from.
#[derive(Debug)]
pub(crate) enum Answers {
    /// The person types them.
    Terminal,
    /// Lines of standard input.
    Lines(BufReader<Stdin>),
}

impl Answers {
    /// Lines of standard input.
    pub(crate) fn lines() -> Self {
        Self::Lines(BufReader::new(io::stdin()))
    }

    /// Asks, and takes one answer.
    pub(crate) fn take(&mut self, prompt: &str, echo: Echo) -> Result<String, Failed> {
        match self {
            Answers::Terminal => ask(prompt, echo),
            Answers::Lines(lines) => one_line(lines),
        }
    }
}

/// Asks the person at the terminal.
pub(crate) fn ask(prompt: &str, echo: Echo) -> Result<String, Failed> {
    match echo {
        Echo::Shown => {
            write_prompt(prompt);
            one_line(&mut io::stdin().lock())
        }
        Echo::Hidden => hidden::ask(prompt),
    }
}

/// Shows lines. Whatever a terminal could act on is made visible.
pub(crate) fn say(text: &str) {
    for line in text.lines() {
        eprintln!("{}", printable(line));
    }
}

/// A prompt is a line without an end. If nobody can see it, nobody will answer it.
fn write_prompt(prompt: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{}", printable(prompt)).and_then(|()| out.flush());
}

fn one_line(source: &mut impl BufRead) -> Result<String, Failed> {
    let most = u64::try_from(LONGEST_ANSWER).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    source.take(most).read_until(b'\n', &mut bytes).map_err(|error| unreadable(&error))?;
    answer(bytes)
}

/// A line without its end. A line that was cut off by the end of input is none.
fn answer(mut bytes: Vec<u8>) -> Result<String, Failed> {
    if bytes.pop_if(|last| *last == b'\n').is_none() {
        let why = if bytes.len() > LONGEST_ANSWER { "the answer is too long" } else { "no answer" };
        return Err(Failed::error(format!("{why}; nothing was changed")));
    }
    String::from_utf8(bytes).map_err(|_| Failed::error("the answer is not UTF-8; nothing was changed"))
}

fn unreadable(error: &io::Error) -> Failed {
    Failed::error(format!("cannot read the answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_whole_line() {
        let mut source = &b"first\n s p a c e \n\ncut"[..];
        assert_eq!(one_line(&mut source).unwrap(), "first");
        assert_eq!(one_line(&mut source).unwrap(), " s p a c e ");
        assert_eq!(one_line(&mut source).unwrap(), "");
        assert!(one_line(&mut source).unwrap_err().message.contains("no answer"));
        let long = [vec![b'x'; LONGEST_ANSWER + 1], vec![b'\n']].concat();
        assert!(one_line(&mut long.as_slice()).unwrap_err().message.contains("too long"));
        assert!(one_line(&mut &b"\xff\n"[..]).unwrap_err().message.contains("UTF-8"));
    }
}
