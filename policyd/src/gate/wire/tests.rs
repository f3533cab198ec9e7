// SPDX-License-Identifier: Apache-2.0
use std::fs::File;
use std::io::{Read, Seek, Write};

use super::*;

fn pair() -> (UnixStream, Wire) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (theirs, Wire::new(ours).unwrap())
}

/// A frame with this type word and payload.
fn frame(kind: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(28 + payload.len()).unwrap();
    let mut bytes = Vec::new();
    for word in [length, 0x2000_8086, 1, 9, kind, 7, 0] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

fn receive(wire: &mut Wire) -> Result<Option<Frame>, WireError> {
    wire.fill()?;
    wire.next_frame()
}

/// A file whose content tells it apart.
fn marked(text: &str) -> OwnedFd {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file.into()
}

fn mark(fd: OwnedFd) -> String {
    let mut text = String::new();
    File::from(fd).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn frames_come_out_as_they_went_in() {
    let (theirs, mut wire) = pair();
    let mut sender = Wire::new(theirs).unwrap();
    sender.send(frame(0, b"abcd"));
    sender.send(frame(0, b""));
    sender.flush().unwrap();
    assert_eq!(receive(&mut wire).unwrap().unwrap().bytes, frame(0, b"abcd"));
    assert_eq!(wire.next_frame().unwrap().unwrap().bytes, frame(0, b""));
    assert!(receive(&mut wire).unwrap().is_none());
}

#[test]
fn a_dribble_of_bytes_makes_a_frame_in_the_end() {
    let (mut theirs, mut wire) = pair();
    let bytes = frame(0, b"abcd");
    for byte in &bytes[..bytes.len() - 1] {
        theirs.write_all(&[*byte]).unwrap();
        assert!(receive(&mut wire).unwrap().is_none());
    }
    theirs.write_all(&bytes[bytes.len() - 1..]).unwrap();
    assert_eq!(receive(&mut wire).unwrap().unwrap().bytes, bytes);
}

#[test]
fn impossible_lengths_end_the_link() {
    for length in [0, 4, 27, 32 * 1024 * 1024 + 5, u32::MAX] {
        let (mut theirs, mut wire) = pair();
        theirs.write_all(&u32::to_be_bytes(length)).unwrap();
        assert!(matches!(receive(&mut wire), Err(WireError::Length)), "{length}");
    }
}

#[test]
fn a_length_that_lies_costs_no_memory() {
    let (mut theirs, mut wire) = pair();
    theirs.write_all(&u32::to_be_bytes(32 * 1024 * 1024)).unwrap();
    theirs.write_all(&[0; 100]).unwrap();
    assert!(receive(&mut wire).unwrap().is_none());
    assert!(wire.inbox.space().len() < 64 * 1024);
}

#[test]
fn a_long_frame_arrives_and_its_memory_is_given_back() {
    let (mut theirs, mut wire) = pair();
    let bytes = frame(3, &vec![5; 3 * 1024 * 1024]);
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || theirs.write_all(&sent).map(|()| theirs));
    let received = loop {
        if let Some(frame) = receive(&mut wire).unwrap() {
            break frame;
        }
    };
    assert_eq!(received.bytes, bytes);
    writer.join().unwrap().unwrap();
    assert!(wire.inbox.space().len() <= 4096);
}

#[test]
fn descriptors_stay_with_their_frames() {
    let (theirs, mut wire) = pair();
    let mut sender = Wire::new(theirs).unwrap();
    let two = [2u32.to_be_bytes(), [0; 4]].concat();
    sender.send(frame(0, b"abcd"));
    sender.send(Frame { fds: vec![marked("one"), marked("two")], ..Frame::from(frame(4, &two)) });
    sender.send(frame(0, b"efgh"));
    sender.flush().unwrap();
    let mut frames = Vec::new();
    while frames.len() < 3 {
        frames.extend(receive(&mut wire).unwrap());
    }
    assert!(frames[0].fds.is_empty() && frames[2].fds.is_empty());
    assert_eq!(frames.remove(1).fds.into_iter().map(mark).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(frames[1].bytes, frame(0, b"efgh"));
}

#[test]
fn a_frame_waits_for_its_descriptors() {
    let (mut theirs, mut wire) = pair();
    theirs.write_all(&frame(4, &1u32.to_be_bytes())).unwrap();
    assert!(receive(&mut wire).unwrap().is_none());
    let mut sender = Outbox::default();
    sender.push(Frame { fds: vec![marked("late")], ..Frame::from(vec![]) });
    sender.flush(theirs.as_fd()).unwrap();
    assert_eq!(receive(&mut wire).unwrap().unwrap().fds.len(), 1);
}

#[test]
fn a_descriptor_nobody_announced_ends_the_link() {
    let (theirs, mut wire) = pair();
    let mut sender = Wire::new(theirs).unwrap();
    sender.send(Frame { fds: vec![marked("smuggled")], ..Frame::from(frame(0, b"abcd")) });
    sender.send(frame(0, b"efgh"));
    sender.flush().unwrap();
    assert!(receive(&mut wire).unwrap().is_some());
    let end = loop {
        match receive(&mut wire) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(end, WireError::Descriptors | WireError::Length), "{end}");
}

#[test]
fn an_announced_descriptor_that_is_a_plain_byte_ends_the_link() {
    let (mut theirs, mut wire) = pair();
    theirs.write_all(&frame(4, &1u32.to_be_bytes())).unwrap();
    theirs.write_all(&[0]).unwrap();
    assert!(matches!(receive(&mut wire), Err(WireError::Descriptors)));
}

#[test]
fn too_many_descriptors_are_refused_before_any_arrives() {
    let (mut theirs, mut wire) = pair();
    theirs.write_all(&frame(4, &33u32.to_be_bytes())).unwrap();
    assert!(matches!(receive(&mut wire), Err(WireError::Descriptors)));
}

#[test]
fn two_descriptors_on_one_byte_end_the_link() {
    let (theirs, mut wire) = pair();
    let (one, two) = (marked("one"), marked("two"));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
    let both = [one.as_fd(), two.as_fd()];
    control.push(rustix::net::SendAncillaryMessage::ScmRights(&both));
    let bytes = std::io::IoSlice::new(&[0]);
    rustix::net::sendmsg(&theirs, &[bytes], &mut control, rustix::net::SendFlags::empty()).unwrap();
    assert!(matches!(wire.fill(), Err(WireError::Descriptors)));
}

#[test]
fn the_last_frames_are_read_before_the_end_is_told() {
    let (mut theirs, mut wire) = pair();
    theirs.write_all(&frame(0, b"")).unwrap();
    drop(theirs);
    assert!(receive(&mut wire).unwrap().is_some());
    assert!(matches!(receive(&mut wire), Err(WireError::Closed)));
    assert!(!wire.is_cut_short());
}

#[test]
fn a_slow_reader_makes_the_link_full() {
    let (_theirs, mut wire) = pair();
    while !wire.is_full() {
        wire.send(frame(3, &[0; 65536]));
        wire.flush().unwrap();
    }
    assert!(wire.wait_for(Reading::Paused).is_some());
    assert!(!wire.is_drained());
}

#[test]
fn the_space_of_a_long_frame_is_given_back_when_it_is_taken() {
    let (mut theirs, mut wire) = pair();
    let long = frame(0, &vec![7; 1 << 20]);
    let sender = std::thread::spawn(move || {
        theirs.write_all(&long).unwrap();
        theirs.write_all(&frame(0, b"next")[..10]).unwrap();
        theirs
    });
    let taken = loop {
        if let Some(frame) = receive(&mut wire).unwrap() {
            break frame;
        }
    };
    assert_eq!(taken.bytes.len(), 28 + (1 << 20));
    let mut theirs = sender.join().unwrap();
    assert!(wire.inbox.allocated() <= 8192, "{} bytes are kept", wire.inbox.allocated());
    theirs.write_all(&frame(0, b"next")[10..]).unwrap();
    let next = loop {
        if let Some(frame) = receive(&mut wire).unwrap() {
            break frame;
        }
    };
    assert_eq!(next.bytes, frame(0, b"next"));
    assert!(wire.inbox.allocated() <= 8192);
}

#[test]
fn a_frame_without_room_is_passed_over_with_its_descriptors_and_the_next_one_comes() {
    use crate::gate::budget::{Budget, Use, Whose};
    let (theirs, mut wire) = pair();
    let mut sender = Wire::new(theirs).unwrap();
    let purse = std::sync::Arc::new(Budget::default()).purse(Whose::Account(1));
    wire.charge(purse.clone());
    let full: Vec<_> = std::iter::from_fn(|| purse.take(Use::Passed, 1 << 20)).collect();
    let payload = [&1u32.to_be_bytes()[..], &[0; 100_000]].concat();
    sender.send(Frame { fds: vec![marked("one")], ..Frame::from(frame(4, &payload)) });
    sender.send(frame(0, b"abcd"));
    let mut received = Vec::new();
    while received.len() < 2 {
        sender.flush().unwrap();
        wire.fill().unwrap();
        received.extend(wire.next_frame().unwrap());
    }
    assert_eq!((received[0].missing, received[0].bytes.len(), received[0].fds.len()), (Some(100_032), 32, 1));
    assert_eq!((received[1].missing, &received[1].bytes), (None, &frame(0, b"abcd")));
    drop((full, received));
    sender.send(frame(0, &[0; 100_000]));
    while received_length(&mut sender, &mut wire) != Some(100_028) {}
}

fn received_length(sender: &mut Wire, wire: &mut Wire) -> Option<usize> {
    sender.flush().unwrap();
    wire.fill().unwrap();
    wire.next_frame().unwrap().map(|frame| frame.bytes.len())
}
