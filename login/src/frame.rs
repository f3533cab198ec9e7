// SPDX-License-Identifier: Apache-2.0
//! One message on a stream: its length, then itself.

use std::io::{self, Read, Write};

use crate::codec::Message;
use crate::fault::{Fault, ReceiveError};

/// The longest message in bytes, without the four of its length. The largest question fits: five fields of
/// a claim and what sshd exposes.
pub const LONGEST_MESSAGE: usize = 64 * 1024;

/// A message with its length before it, to be written at once.
///
/// # Errors
/// A field is over its limit, or a text is not plain.
pub fn encode_frame<M: Message>(message: &M) -> Result<Vec<u8>, Fault> {
    let body = message.encode()?;
    let length = u32::try_from(body.len()).map_err(|_| Fault::TooLong)?;
    if body.len() > LONGEST_MESSAGE {
        return Err(Fault::TooLong);
    }
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend(length.to_be_bytes());
    frame.extend(body);
    Ok(frame)
}

/// Writes a message.
///
/// # Errors
/// Those of the stream; `InvalidInput` if the message has a fault.
pub fn send<M: Message>(stream: &mut impl Write, message: &M) -> io::Result<()> {
    let frame = encode_frame(message).map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault))?;
    stream.write_all(&frame)
}

/// Reads one message. Nothing is allocated before its length is known to be allowed.
///
/// # Errors
/// Those of the stream, its end included, or what is wrong with the message.
pub fn receive<M: Message>(stream: &mut impl Read) -> Result<M, ReceiveError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Fault::TooLong)?;
    if length > LONGEST_MESSAGE {
        return Err(Fault::TooLong.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(M::decode(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Answer, Question, Ticket};

    #[test]
    fn a_frame_reads_back_and_leaves_what_follows() {
        let mut bytes = Vec::new();
        send(&mut bytes, &Question::Close(Ticket(7))).unwrap();
        bytes.push(9);
        let mut stream = bytes.as_slice();
        assert_eq!(receive::<Question>(&mut stream).unwrap(), Question::Close(Ticket(7)));
        assert_eq!(stream, [9]);
    }

    #[test]
    fn a_huge_length_is_refused_before_anything_is_read_or_allocated() {
        let mut endless = [0xff; 4].chain(io::repeat(0));
        assert!(matches!(receive::<Answer>(&mut endless), Err(ReceiveError::Fault(Fault::TooLong))));
    }

    #[test]
    fn a_connection_that_ends_early_is_an_error() {
        let frame = encode_frame(&Question::Close(Ticket(7))).unwrap();
        for cut in 0..frame.len() {
            let refused = receive::<Question>(&mut &frame[..cut]);
            assert!(matches!(refused, Err(ReceiveError::Io(_))), "{cut}");
        }
    }
}
