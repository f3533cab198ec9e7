// SPDX-License-Identifier: Apache-2.0
//! Lines of the control protocol: versioned, bounded, strict.

use std::fmt;
use std::io::{self, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of the protocol that this build speaks. Both ends are installed together, so
/// another version is refused rather than guessed at.
pub const VERSION: u32 = 1;

/// The longest line in bytes, its end included. A VM's definition fits (a hook sends one).
pub const MAX_LINE: usize = 1 << 20;

/// Why a line could not be sent or understood.
#[derive(Debug)]
pub enum LineError {
    /// The socket failed, or its deadline passed.
    Io(io::Error),
    /// Longer than [`MAX_LINE`].
    TooLong,
    /// The peer left in the middle of a line.
    Truncated,
    /// Another version of the protocol.
    Version(u32),
    /// Not JSON, or not a message of this protocol.
    Malformed(serde_json::Error),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Io(error) => write!(f, "control socket: {error}"),
            LineError::TooLong => write!(f, "control message longer than {MAX_LINE} bytes"),
            LineError::Truncated => f.write_str("control connection ended in the middle of a message"),
            LineError::Version(theirs) => write!(
                f,
                "the other side speaks control protocol {theirs}, this one {VERSION}; restart \
                 virtwarden-policyd after an upgrade"
            ),
            LineError::Malformed(error) => write!(f, "malformed control message: {error}"),
        }
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LineError::Io(error) => Some(error),
            LineError::Malformed(error) => Some(error),
            LineError::TooLong | LineError::Truncated | LineError::Version(_) => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<T> {
    protocol: u32,
    message: T,
}

/// Read before the rest, so that another version gets a clear answer whatever its messages look like.
#[derive(Deserialize)]
struct Envelope {
    protocol: u32,
}

/// Writes a message as one line, its end included.
///
/// # Errors
/// [`LineError::TooLong`] if the peer would refuse it for its length.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, LineError> {
    let line = Line { protocol: VERSION, message };
    let mut bytes = serde_json::to_vec(&line).map_err(LineError::Malformed)?;
    bytes.push(b'\n');
    if bytes.len() > MAX_LINE { Err(LineError::TooLong) } else { Ok(bytes) }
}

/// Reads a message from one line, with or without its end.
///
/// # Errors
/// Everything that is not exactly one message of this version.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, LineError> {
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    let envelope: Envelope = serde_json::from_slice(line).map_err(LineError::Malformed)?;
    if envelope.protocol != VERSION {
        return Err(LineError::Version(envelope.protocol));
    }
    let line: Line<T> = serde_json::from_slice(line).map_err(LineError::Malformed)?;
    Ok(line.message)
}

/// Takes lines from a stream without ever holding more than one line and a read's rest.
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    pending: Vec<u8>,
    /// How much of `pending` is known to hold no line end, so that a slow sender costs no rescans.
    scanned: usize,
}

impl<R: Read> LineReader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, pending: Vec::new(), scanned: 0 }
    }

    /// The stream, to change its deadline or to write to it.
    pub fn stream(&mut self) -> &mut R {
        &mut self.stream
    }

    /// The next message; none when the peer has closed the connection between two lines.
    ///
    /// # Errors
    /// See [`LineError`]; after any error the connection is of no further use.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, LineError> {
        match self.next_line()? {
            Some(line) => decode(&line).map(Some),
            None => Ok(None),
        }
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            if let Some(end) = self.line_end() {
                self.scanned = 0;
                let rest = self.pending.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.pending, rest)));
            }
            if self.pending.len() >= MAX_LINE {
                return Err(LineError::TooLong);
            }
            if self.fill()? == 0 {
                return if self.pending.is_empty() { Ok(None) } else { Err(LineError::Truncated) };
            }
        }
    }

    fn line_end(&mut self) -> Option<usize> {
        let fresh = self.pending.iter().skip(self.scanned).position(|byte| *byte == b'\n');
        let end = fresh.map(|position| position + self.scanned);
        self.scanned = self.pending.len();
        end
    }

    fn fill(&mut self) -> Result<usize, LineError> {
        let mut chunk = [0; 16 * 1024];
        let room = chunk.len().min(MAX_LINE - self.pending.len());
        let free = chunk.get_mut(..room).unwrap_or_default();
        let count = read_once(&mut self.stream, free).map_err(LineError::Io)?;
        self.pending.extend(chunk.iter().take(count));
        Ok(count)
    }
}

/// One read, begun again if a signal interrupted it.
fn read_once(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Mode, Reply, Request};

    fn receive(bytes: &[u8]) -> Result<Option<Request>, LineError> {
        LineReader::new(bytes).receive()
    }

    #[test]
    fn a_message_reads_back_as_written() {
        let request = Request::PolicyReload { mode: Mode::DryRun };
        let bytes = encode(&request).unwrap();
        assert_eq!(bytes, b"{\"protocol\":1,\"message\":{\"policy-reload\":{\"mode\":\"dry-run\"}}}\n");
        assert_eq!(decode::<Request>(&bytes).unwrap(), request);
    }

    #[test]
    fn several_messages_come_out_of_one_stream_in_order() {
        let mut bytes = encode(&Request::Status).unwrap();
        bytes.extend(encode(&Request::Whoami).unwrap());
        let mut lines = LineReader::new(bytes.as_slice());
        assert_eq!(lines.receive::<Request>().unwrap(), Some(Request::Status));
        assert_eq!(lines.receive::<Request>().unwrap(), Some(Request::Whoami));
        assert_eq!(lines.receive::<Request>().unwrap(), None);
    }

    #[test]
    fn a_field_that_is_not_known_is_refused_wherever_it_stands() {
        for line in [
            r#"{"protocol":1,"message":"status","subject":"root"}"#,
            r#"{"protocol":1,"message":{"vm-show":{"vm":"a","subject":"root"}}}"#,
            r#"{"protocol":1,"message":{"vm-show":{"vm":"a"},"status":null}}"#,
            r#"{"protocol":1,"message":{"vm-show":{"vm":"a","vm":"b"}}}"#,
            r#"{"protocol":1,"protocol":1,"message":"status"}"#,
            r#"{"protocol":1,"message":"status"} x"#,
        ] {
            assert!(matches!(receive(line.as_bytes()), Err(LineError::Truncated)), "{line}");
            let ended = format!("{line}\n");
            assert!(matches!(receive(ended.as_bytes()), Err(LineError::Malformed(_))), "{line}");
        }
    }

    #[test]
    fn another_version_is_named_even_if_its_message_is_not_known() {
        let line = b"{\"protocol\":2,\"message\":{\"of-the-future\":1}}\n";
        assert!(matches!(receive(line), Err(LineError::Version(2))));
    }

    #[test]
    fn an_endless_line_is_refused_before_it_is_held() {
        let endless = io::repeat(b' ');
        let refused = LineReader::new(endless).receive::<Request>();
        assert!(matches!(refused, Err(LineError::TooLong)));
        let fits = Reply::Record { line: "x".repeat(MAX_LINE - 100) };
        let too_long = Reply::Record { line: "x".repeat(MAX_LINE) };
        assert!(encode(&fits).is_ok());
        assert!(matches!(encode(&too_long), Err(LineError::TooLong)));
    }

    #[test]
    fn deep_nesting_is_refused_without_harm() {
        let mut line = vec![b'['; MAX_LINE - 1];
        line.push(b'\n');
        assert!(matches!(receive(&line), Err(LineError::Malformed(_))));
    }
}
