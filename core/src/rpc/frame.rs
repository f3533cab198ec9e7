// SPDX-License-Identifier: Apache-2.0
//! Frames: length, header, number of descriptors, payload.
//!
//! A frame on the wire is `length(4) header(24) [descriptors(4)] payload`, big-endian, the length
//! counting itself. Frames `with descriptors` carry their number in front of the payload; the
//! descriptors follow the frame, one byte of data each, outside the length.

use std::fmt;

use crate::rpc::reader::{Reader, XdrError};
use crate::rpc::writer::Writer;

/// Bytes of the word that says how long the frame is.
pub const LENGTH_BYTES: usize = 4;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 24;
/// The most that may follow the length word; libvirtd, too, hangs up beyond it.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// The most descriptors one frame may carry.
pub const DESCRIPTOR_LIMIT: u32 = 32;
/// The version of every program of libvirt's.
pub const VERSION: u32 = 1;

/// The program most calls belong to.
pub const REMOTE: u32 = 0x2000_8086;
/// The program of calls that only QEMU has.
pub const QEMU: u32 = 0x2000_8087;
/// The program of ping and pong.
pub const KEEPALIVE: u32 = 0x6b65_6570;
/// Keepalive's question.
pub const PING: u32 = 1;
/// Keepalive's answer.
pub const PONG: u32 = 2;

/// What kind of message a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A call.
    Call,
    /// The reply to a call.
    Reply,
    /// Something nobody asked for: an event, a ping.
    Message,
    /// Data, end or failure of a stream.
    Stream,
    /// A call that file descriptors follow.
    CallWithFds,
    /// A reply that file descriptors follow.
    ReplyWithFds,
    /// A gap in a stream.
    StreamHole,
}

impl MessageKind {
    const ALL: [Self; 7] = [
        Self::Call,
        Self::Reply,
        Self::Message,
        Self::Stream,
        Self::CallWithFds,
        Self::ReplyWithFds,
        Self::StreamHole,
    ];

    /// Whether the number of descriptors precedes the payload.
    pub const fn carries_descriptors(self) -> bool {
        matches!(self, Self::CallWithFds | Self::ReplyWithFds)
    }
}

/// How the sender is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Well; for streams: the end.
    Ok,
    /// It failed; the payload of a reply is the error.
    Error,
    /// There is more to come on this stream.
    Continue,
}

impl Status {
    const ALL: [Self; 3] = [Self::Ok, Self::Error, Self::Continue];
}

/// Who sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client of libvirt.
    Client,
    /// libvirtd.
    Daemon,
}

/// What stands before every payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The program; any number, so that a call to an unknown one can be answered.
    pub program: u32,
    /// The program's version.
    pub version: u32,
    /// The procedure within the program.
    pub procedure: u32,
    /// What kind of message it is.
    pub kind: MessageKind,
    /// The caller's number for the call; replies and streams repeat it. Zero for messages.
    pub serial: u32,
    /// How the sender is doing.
    pub status: Status,
}

impl Header {
    /// The header of a reply to this call.
    #[must_use]
    pub const fn reply(self, status: Status) -> Self {
        Self { kind: MessageKind::Reply, status, ..self }
    }

    /// The header of a ping or pong.
    pub const fn keepalive(procedure: u32) -> Self {
        Self {
            program: KEEPALIVE,
            version: VERSION,
            procedure,
            kind: MessageKind::Message,
            serial: 0,
            status: Status::Ok,
        }
    }

    /// Whether this side may send such a frame at all. What is not listed here ends the connection,
    /// so that nothing depends on how the other side would take it.
    pub fn may_come_from(&self, side: Side) -> bool {
        let keepalive = self.program == KEEPALIVE;
        match (side, self.kind, self.status) {
            (_, MessageKind::Message, Status::Ok) => keepalive || side == Side::Daemon,
            _ if keepalive => false,
            (Side::Client, MessageKind::Call | MessageKind::CallWithFds, Status::Ok) => true,
            (Side::Daemon, MessageKind::Reply, Status::Ok | Status::Error) => true,
            (Side::Daemon, MessageKind::ReplyWithFds, Status::Ok) => true,
            (_, MessageKind::Stream, Status::Ok | Status::Error | Status::Continue) => true,
            (_, MessageKind::StreamHole, Status::Continue) => true,
            _ => false,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let (program, version, procedure) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (kind, serial, status) = (reader.u32()?, reader.u32()?, reader.u32()?);
        Ok(Self {
            program,
            version,
            procedure,
            kind: nth(&MessageKind::ALL, kind).ok_or(FrameError::Kind(kind))?,
            serial,
            status: nth(&Status::ALL, status).ok_or(FrameError::Status(status))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.program);
        writer.u32(self.version);
        writer.u32(self.procedure);
        writer.count(MessageKind::ALL.iter().position(|k| *k == self.kind).unwrap_or_default());
        writer.u32(self.serial);
        writer.count(Status::ALL.iter().position(|s| *s == self.status).unwrap_or_default());
    }
}

fn nth<T: Copy>(all: &[T], index: u32) -> Option<T> {
    all.get(usize::try_from(index).ok()?).copied()
}

/// Why bytes are no frame. The peer cannot be followed any further: hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The length word is below the smallest or above the largest frame, or not that of the bytes given.
    Length(u32),
    /// There is no such kind of message.
    Kind(u32),
    /// There is no such status.
    Status(u32),
    /// More descriptors than one frame may carry.
    Descriptors(u32),
    /// The bytes end within the header.
    Truncated,
}

impl From<XdrError> for FrameError {
    fn from(_: XdrError) -> Self {
        FrameError::Truncated
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Length(length) => write!(f, "a frame cannot be {length} bytes long"),
            FrameError::Kind(kind) => write!(f, "there is no message type {kind}"),
            FrameError::Status(status) => write!(f, "there is no status {status}"),
            FrameError::Descriptors(count) => {
                write!(f, "{count} descriptors are more than the {DESCRIPTOR_LIMIT} allowed")
            }
            FrameError::Truncated => f.write_str("the frame ends within its header"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Reads the length word: how many bytes the frame has, the word included.
///
/// # Errors
/// [`FrameError::Length`] if no frame has that many; nothing needs to be allocated for it then.
pub fn length(word: [u8; LENGTH_BYTES]) -> Result<usize, FrameError> {
    let claimed = u32::from_be_bytes(word);
    let wrong = FrameError::Length(claimed);
    let length = usize::try_from(claimed).map_err(|_| wrong)?;
    let legal = LENGTH_BYTES + HEADER_BYTES..=LENGTH_BYTES + BODY_LIMIT;
    legal.contains(&length).then_some(length).ok_or(wrong)
}

/// One whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its header.
    pub header: Header,
    /// How many descriptors follow it.
    pub descriptors: u32,
    /// The arguments, result, error or data.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads a frame from all its bytes, the length word included.
    ///
    /// # Errors
    /// Any [`FrameError`]; [`FrameError::Length`] also if the word and the bytes disagree.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let word = reader.array()?;
        if length(word)? != bytes.len() {
            return Err(FrameError::Length(u32::from_be_bytes(word)));
        }
        let header = Header::read(&mut reader)?;
        let descriptors = if header.kind.carries_descriptors() { reader.u32()? } else { 0 };
        if descriptors > DESCRIPTOR_LIMIT {
            return Err(FrameError::Descriptors(descriptors));
        }
        Ok(Self { header, descriptors, payload: reader.take(reader.remaining())? })
    }

    /// Writes the frame, the length word included.
    ///
    /// # Errors
    /// [`FrameError::Length`] if the payload is more than a frame may carry.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let count_bytes = if self.header.kind.carries_descriptors() { 4 } else { 0 };
        let total = LENGTH_BYTES + HEADER_BYTES + count_bytes + self.payload.len();
        let word = u32::try_from(total).unwrap_or(u32::MAX);
        length(word.to_be_bytes())?;
        let mut writer = Writer::with_capacity(total);
        writer.u32(word);
        self.header.write(&mut writer);
        if self.header.kind.carries_descriptors() {
            writer.u32(self.descriptors);
        }
        writer.raw(self.payload);
        Ok(writer.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(payload: &[u8]) -> Frame<'_> {
        let header = Header { procedure: 16, kind: MessageKind::Call, serial: 7, ..Header::keepalive(0) };
        Frame { header: Header { program: REMOTE, ..header }, descriptors: 0, payload }
    }

    fn corrupt(at: usize, word: u32) -> Result<(), FrameError> {
        let mut bytes = call(b"abcd").encode().unwrap();
        bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        Frame::parse(&bytes).map(|_| ())
    }

    #[test]
    fn a_frame_reads_back_as_written() {
        let frame = call(b"payload.");
        assert_eq!(Frame::parse(&frame.encode().unwrap()), Ok(frame));
        let kind = MessageKind::CallWithFds;
        let frame = Frame { header: Header { kind, ..frame.header }, descriptors: 2, ..frame };
        assert_eq!(Frame::parse(&frame.encode().unwrap()), Ok(frame));
    }

    #[test]
    fn the_length_has_libvirts_own_bounds() {
        let length = |n: u32| length(n.to_be_bytes());
        assert_eq!(length(27), Err(FrameError::Length(27)));
        assert_eq!(length(28), Ok(28));
        assert_eq!(length(33_554_436), Ok(33_554_436));
        assert_eq!(length(33_554_437), Err(FrameError::Length(33_554_437)));
    }

    #[test]
    fn every_field_of_the_header_is_checked() {
        assert_eq!(corrupt(0, 31), Err(FrameError::Length(31)), "a length that is not the bytes'");
        assert_eq!(corrupt(16, 7), Err(FrameError::Kind(7)));
        assert_eq!(corrupt(24, 3), Err(FrameError::Status(3)));
        assert_eq!(corrupt(16, 4), Err(FrameError::Descriptors(u32::from_be_bytes(*b"abcd"))));
        assert_eq!(corrupt(4, 0xffff_ffff), Ok(()), "an unknown program gets an answer");
    }

    #[test]
    fn a_frame_with_descriptors_must_say_how_many() {
        let kind = MessageKind::CallWithFds;
        let frame = call(b"");
        let mut bytes =
            Frame { header: Header { kind, ..frame.header }, descriptors: 32, ..frame }.encode().unwrap();
        assert!(Frame::parse(&bytes).is_ok());
        bytes[31] = 33;
        assert_eq!(Frame::parse(&bytes), Err(FrameError::Descriptors(33)));
        bytes.truncate(28);
        bytes[3] = 28;
        assert_eq!(Frame::parse(&bytes), Err(FrameError::Truncated));
    }

    #[test]
    fn each_side_may_send_only_what_is_its_own() {
        let mut may = Vec::new();
        for side in [Side::Client, Side::Daemon] {
            for kind in MessageKind::ALL {
                for status in Status::ALL {
                    let header = Header { kind, status, ..call(b"").header };
                    if header.may_come_from(side) {
                        may.push((side, kind, status));
                    }
                }
            }
        }
        use {MessageKind::*, Side::*, Status::*};
        let expected = [
            (Client, Call, Ok),
            (Client, Stream, Ok),
            (Client, Stream, Error),
            (Client, Stream, Continue),
            (Client, CallWithFds, Ok),
            (Client, StreamHole, Continue),
            (Daemon, Reply, Ok),
            (Daemon, Reply, Error),
            (Daemon, Message, Ok),
            (Daemon, Stream, Ok),
            (Daemon, Stream, Error),
            (Daemon, Stream, Continue),
            (Daemon, ReplyWithFds, Ok),
            (Daemon, StreamHole, Continue),
        ];
        assert_eq!(may, expected);
        assert!(Header::keepalive(PING).may_come_from(Client));
        assert!(!Header { kind: Call, ..Header::keepalive(PING) }.may_come_from(Client));
    }
}
