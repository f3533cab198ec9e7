// SPDX-License-Identifier: Apache-2.0
//! Stories of connections. Whoever runs the tests is root, or is told that he is not.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use virtwarden_core::setting::{Lockout, Unlocking};
use virtwarden_login::{Answer, Phase, Question, Refusal, receive, send};

use super::scene::{Scene, over_ssh};
use super::{GO, limit};
use crate::login::{Logins, Places, admit};

fn connect(logins: &Arc<Logins>, places: &Places) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    admit(theirs, logins, places);
    ours
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn one_question_one_answer_and_the_end() {
    let logins = Arc::new(Scene::new(limit(2, Unlocking::After(600))).logins);
    let mut link = connect(&logins, &Places::default());
    let question = Question::Authenticate(Phase::Failed, over_ssh("alice"));
    send(&mut link, &question).unwrap();
    let answer: Answer = receive(&mut link).unwrap();
    if is_root() {
        assert_eq!(answer, GO);
    } else {
        assert!(matches!(answer, Answer::Refuse(Refusal::Because(_))), "{answer:?}");
    }
    let _more = send(&mut link, &question);
    assert!(receive::<Answer>(&mut link).is_err(), "one question");
}

#[test]
fn what_is_no_question_gets_no_answer() {
    let logins = Arc::new(Scene::new(Lockout::default()).logins);
    for bytes in [&b"\0\0\0\x02xx"[..], b"\xff\xff\xff\xff", b"GET / HTTP/1.0\r\n\r\n"] {
        let mut link = connect(&logins, &Places::default());
        link.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _reset = link.read_to_end(&mut answer);
        assert!(answer.is_empty() || !is_root(), "{bytes:?} {answer:?}");
    }
}

#[test]
fn who_says_nothing_is_left_alone_in_time_and_holds_nobody_up() {
    let logins = Arc::new(Scene::new(Lockout::default()).logins);
    let (places, began) = (Places::default(), Instant::now());
    let mut silent: Vec<_> = (0..20).map(|_| connect(&logins, &places)).collect();
    for link in &mut silent {
        let _half = link.write_all(&[0, 0]);
    }
    if is_root() {
        let mut link = connect(&logins, &places);
        send(&mut link, &Question::Authenticate(Phase::Begin, over_ssh("alice"))).unwrap();
        assert_eq!(receive::<Answer>(&mut link).unwrap(), GO);
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    for link in &mut silent {
        let mut answer = Vec::new();
        let _reset = link.read_to_end(&mut answer);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
