// SPDX-License-Identifier: Apache-2.0
//! Answers the PAM module in policyd's place, as it should not, and prints what it was asked.
//! usage: impostor MANNER        listens on the login socket

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use virtwarden_login::{Answer, Question, Refusal, SOCKET, Span, Ticket, receive, send};

/// Longer than the module waits.
const LONG: Duration = Duration::from_secs(10);

fn main() -> std::io::Result<()> {
    let manner = Arc::new(std::env::args().nth(1).unwrap_or_default());
    let _ = std::fs::remove_file(SOCKET);
    let listener = UnixListener::bind(SOCKET)?;
    for stream in listener.incoming() {
        let (stream, manner) = (stream?, Arc::clone(&manner));
        thread::spawn(move || answer(stream, &manner));
    }
    Ok(())
}

/// What goes wrong is the client's leaving, which is not of interest here.
fn answer(mut stream: UnixStream, manner: &str) {
    let Ok(question) = receive::<Question>(&mut stream) else { return };
    println!("{}", told(&question));
    let _ = match manner {
        "obliging" => send(&mut stream, &obliging(&question)),
        "banner" => send(&mut stream, &Answer::Go { banner: Some("TEST Warning ä \\n %s".to_owned()) }),
        "locked" => send(&mut stream, &Answer::Refuse(Refusal::Locked(Some(Span::Seconds(540))))),
        "refusing" => send(&mut stream, &Answer::Refuse(Refusal::Because("not you".to_owned()))),
        "mixed-up" => send(&mut stream, &Answer::Opened(Ticket(1))),
        "garbage" => stream.write_all(&[0xff; 65536]),
        "huge" => flood(&mut stream),
        "escapes" => stream.write_all(b"\0\0\0\x07\x01\x46\0\x03\x1b[J"),
        "dripping" => drip(&mut stream),
        "silent" => hold(&mut stream),
        _ => Ok(()),
    };
}

fn obliging(question: &Question) -> Answer {
    match question {
        Question::Open(..) => Answer::Opened(Ticket(42)),
        Question::Authenticate(..)
        | Question::Admit(..)
        | Question::Close(_)
        | Question::Credential(..)
        | Question::Rejected(..)
        | Question::Redeem(..)
        | Question::Raise(..) => Answer::Go { banner: None },
    }
}

/// One line for each question: what, whose and with which proof.
fn told(question: &Question) -> String {
    let name = |account: &[u8]| match account.len() {
        0..=64 => account.escape_ascii().to_string(),
        length => format!("{length} bytes"),
    };
    match question {
        Question::Authenticate(phase, claim) => format!(
            "{phase:?} {} {} {} {}",
            name(&claim.account),
            name(&claim.service),
            name(&claim.tty),
            name(&claim.remote_host)
        ),
        Question::Admit(claim, proof) => format!("Admit {} {proof:?}", name(&claim.account)),
        Question::Open(claim, factors) => {
            format!("Open {} {:?} {}", name(&claim.account), factors.proof, name(&factors.exposed))
        }
        Question::Close(ticket) => format!("Close {}", ticket.0),
        Question::Credential(change, claim) => format!("Credential {change:?} {}", name(&claim.account)),
        Question::Rejected(claim, reason) => {
            format!("Rejected {} {}", name(&claim.account), name(reason))
        }
        Question::Redeem(ticket, claim) => format!("Redeem {} {}", ticket.0, name(&claim.account)),
        Question::Raise(ticket, claim) => format!("Raise {} {}", ticket.0, name(&claim.account)),
    }
}

fn flood(stream: &mut UnixStream) -> std::io::Result<()> {
    loop {
        stream.write_all(&[0; 65536])?;
    }
}

fn drip(stream: &mut UnixStream) -> std::io::Result<()> {
    for byte in [0, 0, 0xff, 0].into_iter().chain(std::iter::repeat_n(1, 1000)) {
        stream.write_all(&[byte])?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn hold(stream: &mut UnixStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LONG))?;
    stream.read(&mut [0]).map(|_| ())
}
