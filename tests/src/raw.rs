// SPDX-License-Identifier: Apache-2.0
//! A client of libvirt that sends whatever bytes it is given, also those that no client sends.

pub mod descriptor;
pub mod misfits;

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// libvirt's public socket.
pub const PUBLIC: &str = "/run/libvirt/libvirt-sock";
/// The program most calls belong to.
pub const REMOTE: u32 = 0x2000_8086;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A good reply, with its payload.
    Done(Vec<u8>),
    /// An error, as libvirt's clients show it.
    Refused(String),
    /// The other side hung up.
    Closed,
    /// Nothing, for as long as an answer may take.
    Silence,
}

/// An open connection.
#[derive(Debug)]
pub struct Raw {
    socket: UnixStream,
    serial: u32,
}

impl Raw {
    /// Connects without saying anything.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect() -> io::Result<Self> {
        let socket = UnixStream::connect(PUBLIC)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, serial: 0 })
    }

    /// Connects and opens `qemu:///system`.
    ///
    /// # Errors
    /// It was refused.
    pub fn open() -> io::Result<Self> {
        let mut raw = Self::connect()?;
        raw.call(66, &[])?;
        let name = [&word(1)[..], &text(b"qemu:///system"), &word(0)].concat();
        match raw.call(1, &name)? {
            Answer::Done(_) => Ok(raw),
            other @ (Answer::Refused(_) | Answer::Closed | Answer::Silence) => {
                Err(io::Error::other(format!("not opened: {other:?}")))
            }
        }
    }

    /// One call and its answer.
    ///
    /// # Errors
    /// The socket failed.
    pub fn call(&mut self, procedure: u32, arguments: &[u8]) -> io::Result<Answer> {
        self.serial += 1;
        let call = frame([REMOTE, 1, procedure, 0, self.serial, 0], arguments);
        self.send(&call)?;
        self.answer()
    }

    /// Sends bytes as they are. That the other side hung up meanwhile is seen when reading.
    ///
    /// # Errors
    /// The socket failed.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.socket.write_all(bytes) {
            Err(error) if is_end(&error) => Ok(()),
            result => result,
        }
    }

    /// Sends no more, as a client that dies.
    ///
    /// # Errors
    /// The socket failed.
    pub fn fall_silent(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    /// The next reply; events and pings before it are passed over.
    ///
    /// # Errors
    /// The socket failed.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let frame = match self.receive() {
                Ok(frame) => frame,
                Err(error) if is_end(&error) => return Ok(Answer::Closed),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Answer::Silence),
                Err(error) => return Err(error),
            };
            let kind = frame.get(12..16).unwrap_or_default();
            let status = frame.get(20..24).unwrap_or_default();
            let payload = frame.get(24..).unwrap_or_default();
            match (kind, status) {
                ([0, 0, 0, 1], [0, 0, 0, 0]) => return Ok(Answer::Done(payload.to_vec())),
                ([0, 0, 0, 1], _) => return Ok(Answer::Refused(message(payload))),
                _ => {}
            }
        }
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length)?;
        let rest = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?.saturating_sub(4);
        let mut frame = vec![0; rest];
        self.socket.read_exact(&mut frame)?;
        Ok(frame)
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

fn message(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).chars().filter(|c| !c.is_control()).collect()
}

/// A frame: its length, six header words (program, version, procedure, kind, serial, status), a payload.
pub fn frame(header: [u32; 6], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(28 + payload.len()).unwrap_or(u32::MAX);
    frame_of_length(length, header, payload)
}

/// The same with a length that may be a lie.
pub fn frame_of_length(length: u32, header: [u32; 6], payload: &[u8]) -> Vec<u8> {
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(header.into_iter().flat_map(u32::to_be_bytes));
    bytes.extend(payload);
    bytes
}

/// A word as XDR writes it.
pub fn word(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

/// A string as XDR writes it, whatever its bytes.
pub fn text(bytes: &[u8]) -> Vec<u8> {
    let mut out = word(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).to_vec();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}
