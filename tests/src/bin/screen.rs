// SPDX-License-Identifier: Apache-2.0
//! Opens the screen of a VM through a descriptor, from inside a test host, and prints what its VNC
//! server says first: `screen get VM`, or `screen hand VM` to hand over a socket of ours for it. With a UUID,
//! the handle is made up: this name, that UUID.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use virtwarden_tests::raw::{Answer, Raw, text, word};

const LOOKUP_BY_NAME: u32 = 23;
const USAGE: &str = "usage: screen get|hand VM [UUID]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let greeted = match words.as_slice() {
        [way, name] => greeting(way, name, None),
        [way, name, uuid] => greeting(way, name, Some(uuid)),
        _ => Err(io::Error::other(USAGE)),
    };
    match greeted {
        Ok(greeting) => println!("{greeting}"),
        Err(error) => {
            eprintln!("screen: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn greeting(way: &str, name: &str, uuid: Option<&str>) -> io::Result<String> {
    let mut raw = Raw::open()?;
    let vm = match uuid {
        Some(uuid) => forged(name, uuid),
        None => looked_up(&mut raw, name)?,
    };
    let screen = match way {
        "get" => raw.screen(&vm)?,
        "hand" => raw.screen_on_a_socket_of_ours(&vm)?,
        _ => return Err(io::Error::other(USAGE)),
    };
    let screen = screen.ok_or_else(|| io::Error::other("refused"))?;
    let mut greeting = [0; 11];
    UnixStream::from(screen).read_exact(&mut greeting)?;
    match raw.call(3, &[])? {
        Answer::Done(_) => Ok(String::from_utf8_lossy(&greeting).into_owned()),
        other @ (Answer::Refused(_) | Answer::Closed | Answer::Silence) => {
            Err(io::Error::other(format!("out of step after the descriptor: {other:?}")))
        }
    }
}

fn looked_up(raw: &mut Raw, name: &str) -> io::Result<Vec<u8>> {
    match raw.call(LOOKUP_BY_NAME, &text(name.as_bytes()))? {
        Answer::Done(handle) => Ok(handle),
        Answer::Refused(why) => Err(io::Error::other(why)),
        Answer::Closed | Answer::Silence => Err(io::Error::other("no answer")),
    }
}

/// A handle as libvirt would give it: name, UUID, number.
fn forged(name: &str, uuid: &str) -> Vec<u8> {
    let digits: Vec<u32> = uuid.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    let uuid: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
    [text(name.as_bytes()), uuid, word(u32::MAX).to_vec()].concat()
}
