// SPDX-License-Identifier: Apache-2.0

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use virtwarden_login::locked::{Locked, Until};
use virtwarden_login::{Claim, Class, Phase, Ticket, send};

use super::*;
use crate::monitor::PATIENCE;

fn scene(directory: &Path) -> Policyd {
    Policyd {
        socket: directory.join("socket"),
        snapshot: directory.join("locked"),
        login_account: directory.join("loginuid"),
    }
}

fn question() -> Question {
    Question::Authenticate(Phase::Begin, Claim { account: vec![0xff; 4096], ..Claim::default() })
}

/// Asks a server that does this with the connection, for at most half a second.
fn ask_one_that(act: impl FnOnce(UnixStream) + Send + 'static) -> (Result<Answer, Silence>, Duration) {
    let directory = tempfile::tempdir().unwrap();
    let policyd = scene(directory.path());
    let listener = UnixListener::bind(&policyd.socket).unwrap();
    let server = thread::spawn(move || act(listener.accept().unwrap().0));
    let begun = Instant::now();
    let answer = policyd.ask(&question(), Duration::from_millis(500));
    let took = begun.elapsed();
    server.join().unwrap();
    (answer, took)
}

#[test]
fn a_question_is_answered() {
    let (answer, _) = ask_one_that(|mut stream| {
        assert_eq!(receive::<Question>(&mut stream).unwrap(), question());
        send(&mut stream, &Answer::Opened(Ticket(3))).unwrap();
    });
    assert_eq!(answer, Ok(Answer::Opened(Ticket(3))));
}

#[test]
fn nobody_is_noticed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let policyd = scene(directory.path());
    assert!(matches!(policyd.ask(&question(), PATIENCE), Err(Silence::Away(_))));
    drop(UnixListener::bind(&policyd.socket).unwrap());
    assert!(matches!(policyd.ask(&question(), PATIENCE), Err(Silence::Away(_))));
}

#[test]
fn one_that_says_nothing_or_drips_is_left_in_time() {
    let (answer, took) = ask_one_that(|_stream| thread::sleep(Duration::from_millis(900)));
    assert_eq!(answer, Err(Silence::Late));
    assert!(took >= Duration::from_millis(500) && took < Duration::from_millis(800), "{took:?}");

    let (answer, took) = ask_one_that(|mut stream| {
        for _ in 0..90 {
            if stream.write_all(&[0]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
    });
    assert!(matches!(answer, Err(Silence::Late | Silence::Nonsense(_))), "{answer:?}");
    assert!(took < Duration::from_millis(800), "{took:?}");
}

#[test]
fn one_that_is_gone_in_the_middle_is_late() {
    let (answer, _) = ask_one_that(drop);
    assert_eq!(answer, Err(Silence::Late));
    let (answer, _) = ask_one_that(|mut stream| {
        receive::<Question>(&mut stream).unwrap();
        stream.write_all(&[0, 0, 0, 9, 1]).unwrap();
    });
    assert_eq!(answer, Err(Silence::Late));
}

#[test]
fn garbage_is_no_answer() {
    for garbage in
        [[0xff_u8; 65536].as_slice(), b"HTTP/1.1 200 OK\r\n\r\n", &[0, 0, 0, 2, 1, 0], &[0, 0, 0, 0]]
    {
        let (answer, _) = ask_one_that(move |mut stream| {
            let _ = receive::<Question>(&mut stream);
            let _ = stream.write_all(garbage);
        });
        assert!(matches!(answer, Err(Silence::Nonsense(_))), "{garbage:?}: {answer:?}");
    }
}

#[test]
fn one_whose_queue_is_full_is_left_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let policyd = scene(directory.path());
    let listener =
        rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, None);
    let listener = listener.unwrap();
    let address = rustix::net::SocketAddrUnix::new(&policyd.socket).unwrap();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = UnixStream::connect(&policyd.socket).unwrap();
    let begun = Instant::now();
    assert_eq!(policyd.ask(&question(), Duration::from_millis(200)), Err(Silence::Late));
    assert!(begun.elapsed() < Duration::from_millis(500));
}

#[test]
fn the_snapshot_is_read_and_a_trap_in_its_place_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let policyd = scene(directory.path());
    assert_eq!(policyd.locks(), Locks::Known(Vec::new()));

    let lock = Locked { account: b"alice".to_vec(), class: Class::Local, until: Until::Unlocked };
    std::fs::write(&policyd.snapshot, locked::render(std::slice::from_ref(&lock)).unwrap()).unwrap();
    assert_eq!(policyd.locks(), Locks::Known(vec![lock]));

    std::fs::write(&policyd.snapshot, "").unwrap();
    assert!(matches!(policyd.locks(), Locks::Damaged(_)));

    std::fs::remove_file(&policyd.snapshot).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &policyd.snapshot, fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(matches!(policyd.locks(), Locks::Damaged(_)));

    std::fs::remove_file(&policyd.snapshot).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &policyd.snapshot).unwrap();
    assert!(matches!(policyd.locks(), Locks::Damaged(_)));
}

#[test]
fn only_a_process_without_a_login_is_the_systems() {
    let directory = tempfile::tempdir().unwrap();
    let policyd = scene(directory.path());
    assert_eq!(policyd.asker(), Asker::Person);
    for (number, asker) in [
        ("4294967295", Asker::System),
        ("4294967295\n", Asker::System),
        ("0", Asker::Person),
        ("1000", Asker::Person),
    ] {
        std::fs::write(&policyd.login_account, number).unwrap();
        assert_eq!(policyd.asker(), asker, "{number}");
    }
}
