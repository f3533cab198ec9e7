// SPDX-License-Identifier: Apache-2.0
//! The person at the other end, who answers what PAM's modules ask.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pam_virtwarden::{Converse, Echo, Tone};
use virtwarden_core::control::{Conversation, LineReader, Typed, encode};

/// Speaks lines of the control protocol until time is up.
pub(crate) struct Person {
    lines: LineReader<Timed>,
}

impl Person {
    pub(crate) fn new(stream: UnixStream, deadline: Instant) -> Self {
        Self { lines: LineReader::new(Timed { stream, deadline }) }
    }

    /// From now on there is so much time.
    pub(crate) fn may_take(&mut self, longest: Duration) {
        self.lines.stream().deadline = Instant::now() + longest;
    }

    pub(crate) fn say(&mut self, what: &Conversation) -> io::Result<()> {
        let line = encode(what).map_err(io::Error::other)?;
        self.lines.stream().write_all(&line)
    }

    pub(crate) fn hear(&mut self) -> io::Result<Typed> {
        let typed = self.lines.receive().map_err(io::Error::other)?;
        typed.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Converse for Person {
    fn tell(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        self.say(&match tone {
            Tone::Plain => Conversation::Show(text.to_owned()),
            Tone::Error => Conversation::Complain(text.to_owned()),
        })
    }

    fn ask(&mut self, echo: Echo, text: &str) -> io::Result<String> {
        self.say(&match echo {
            Echo::Shown => Conversation::AskOpenly(text.to_owned()),
            Echo::Hidden => Conversation::AskHidden(text.to_owned()),
        })?;
        match self.hear()? {
            Typed::Answer(answer) => Ok(answer),
            Typed::Raise { .. } => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A stream on which nothing takes longer than until the deadline, also if it comes byte by byte.
struct Timed {
    stream: UnixStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            Some(_) | None => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn pair(longest: Duration) -> (Person, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Person::new(ours, Instant::now() + longest), theirs)
    }

    #[test]
    fn a_prompt_goes_out_and_its_answer_comes_back() {
        let (mut person, mut theirs) = pair(Duration::from_secs(5));
        theirs.write_all(&encode(&Typed::Answer("secret".to_owned())).unwrap()).unwrap();
        person.tell(Tone::Error, "locked").unwrap();
        assert_eq!(person.ask(Echo::Hidden, "Password: ").unwrap(), "secret");
        let mut heard = LineReader::new(theirs);
        let expected =
            [Conversation::Complain("locked".to_owned()), Conversation::AskHidden("Password: ".to_owned())];
        for line in expected {
            assert_eq!(heard.receive::<Conversation>().unwrap(), Some(line));
        }
    }

    #[test]
    fn what_is_no_answer_and_nobody_are_errors() {
        let (mut person, mut theirs) = pair(Duration::from_secs(5));
        theirs.write_all(&encode(&Typed::Raise { ticket: 1 }).unwrap()).unwrap();
        assert!(person.ask(Echo::Shown, "Name: ").is_err());
        drop(theirs);
        assert!(person.ask(Echo::Shown, "Name: ").is_err());
    }

    #[test]
    fn more_time_is_given_to_who_has_shown_his_ticket() {
        let (mut person, mut theirs) = pair(Duration::ZERO);
        theirs.write_all(&encode(&Typed::Answer("secret".to_owned())).unwrap()).unwrap();
        assert!(person.hear().is_err());
        person.may_take(Duration::from_secs(5));
        assert!(person.hear().is_ok());
    }

    #[test]
    fn one_who_types_for_ever_is_left_in_time() {
        let (mut person, mut theirs) = pair(Duration::from_millis(200));
        let typing = thread::spawn(move || {
            while theirs.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let begun = Instant::now();
        assert!(person.hear().is_err());
        assert!(begun.elapsed() < Duration::from_secs(2));
        drop(person);
        typing.join().unwrap();
    }
}
