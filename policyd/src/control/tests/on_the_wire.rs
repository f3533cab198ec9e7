// SPDX-License-Identifier: Apache-2.0
//! The same over real sockets. The client is this test, so it is whoever runs it.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;

use virtwarden_core::control::{FailureKind, LineReader, MAX_LINE, Reply, Request, encode};
use virtwarden_core::record::Kind;

use super::scene::Scene;
use crate::control::{Clients, Limits, serve};

struct Served {
    scene: Scene,
    _directory: tempfile::TempDir,
    path: std::path::PathBuf,
}

fn served(limits: Limits) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let scene = Scene::new();
    let control = Arc::clone(&scene.control);
    thread::spawn(move || serve(&listener, &control, &Clients::new(limits)));
    Served { scene, _directory: directory, path }
}

impl Served {
    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).unwrap()
    }

    fn say(&self, bytes: &[u8]) -> (Option<Reply>, Vec<u8>) {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut lines = LineReader::new(stream.try_clone().unwrap());
        let reply = lines.receive().unwrap();
        let mut rest = Vec::new();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut rest);
        (reply, rest)
    }
}

#[test]
fn a_client_asks_as_often_as_it_likes() {
    let served = served(Limits::default());
    let stream = served.connect();
    let mut lines = LineReader::new(stream);
    for _ in 0..3 {
        let line = encode(&Request::Whoami).unwrap();
        lines.stream().write_all(&line).unwrap();
        let Some(Reply::Whoami(whoami)) = lines.receive().unwrap() else { panic!("no answer") };
        assert_eq!(whoami.account.uid, nix::unistd::geteuid().as_raw());
    }
}

#[test]
fn what_is_no_request_is_refused_recorded_and_ends_the_connection() {
    let mut too_long = vec![b' '; MAX_LINE];
    too_long.push(b'\n');
    for bytes in [
        b"hello\n".to_vec(),
        b"{\"protocol\":2,\"message\":\"status\"}\n".to_vec(),
        b"{\"protocol\":1,\"message\":{\"vm-show\":{\"vm\":\"a\",\"as\":\"root\"}}}\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        too_long,
    ] {
        let served = served(Limits::default());
        let mut stream = served.connect();
        // The other end may close before it has read everything.
        let _ = stream.write_all(&bytes);
        let mut lines = LineReader::new(stream);
        let Some(Reply::Failed(failure)) = lines.receive().unwrap() else { panic!("no refusal") };
        assert_eq!(failure.kind, FailureKind::Usage, "{}", failure.message);
        assert!(!matches!(lines.receive::<Reply>(), Ok(Some(_))));
        let told = served.scene.told();
        assert_eq!((told.len(), told[0].kind), (1, Kind::Denial));
        assert_eq!(told[0].operation, "control");
    }
}

#[test]
fn a_connection_that_says_nonsense_hurts_no_other() {
    let served = served(Limits::default());
    let other = served.connect();
    let (refused, rest) = served.say(b"nonsense\n");
    assert!(matches!(refused, Some(Reply::Failed(_))) && rest.is_empty());
    let mut lines = LineReader::new(other);
    let line = encode(&Request::Status).unwrap();
    lines.stream().write_all(&line).unwrap();
    assert!(matches!(lines.receive::<Reply>().unwrap(), Some(Reply::Status(_))));
}
