// SPDX-License-Identifier: Apache-2.0
//! A libvirt client in a page: as little as possible between the clock and the socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

const REMOTE: u32 = 0x2000_8086;

/// One open connection.
pub(crate) struct Link {
    socket: UnixStream,
    serial: u32,
    reply: Vec<u8>,
}

impl Link {
    /// Connects, authenticates as this process's account and opens `qemu:///system`.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let mut link = Self { socket: UnixStream::connect(path)?, serial: 0, reply: Vec::new() };
        let polkit = link.call(66, &[])?.get(7) == Some(&2);
        if polkit {
            link.call(70, &[])?;
        }
        let mut arguments = 1_u32.to_be_bytes().to_vec();
        arguments.extend(string("qemu:///system"));
        arguments.extend(0_u32.to_be_bytes());
        link.call(1, &arguments)?;
        Ok(link)
    }

    /// Says goodbye and waits for the answer.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.call(2, &[]).map(drop)
    }

    /// One call; the body of its reply, or the error that libvirt sent.
    pub(crate) fn call(&mut self, procedure: u32, arguments: &[u8]) -> io::Result<&[u8]> {
        self.serial += 1;
        let length = u32::try_from(28 + arguments.len()).map_err(io::Error::other)?;
        let mut frame = Vec::with_capacity(28 + arguments.len());
        for word in [length, REMOTE, 1, procedure, 0, self.serial, 0] {
            frame.extend(word.to_be_bytes());
        }
        frame.extend(arguments);
        self.socket.write_all(&frame)?;
        loop {
            self.receive()?;
            let word = |at: usize| self.reply.get(at..at + 4).map(<[u8]>::to_vec).unwrap_or_default();
            let is_reply = word(16) == self.serial.to_be_bytes() && word(8) == procedure.to_be_bytes();
            if !is_reply {
                continue;
            }
            let body = self.reply.get(24..).unwrap_or_default();
            return match word(20).as_slice() {
                [0, 0, 0, 0] => Ok(body),
                _ => Err(io::Error::other(String::from_utf8_lossy(body).into_owned())),
            };
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length)?;
        let rest = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?.saturating_sub(4);
        self.reply.resize(rest, 0);
        self.socket.read_exact(&mut self.reply)
    }
}

/// A string as XDR writes it.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap_or(0).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
