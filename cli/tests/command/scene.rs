// SPDX-License-Identifier: Apache-2.0
//! A policyd that says what the test wants, and the command before it.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;
use virtwarden_core::control::{Change, Failure, FailureKind, LineReader, Mode, Reply, Request, encode};

/// A place of its own for each test.
pub(crate) struct Scene {
    pub(crate) directory: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }

    /// A policyd that takes one connection, gives these answers in turn and returns what it was asked.
    pub(crate) fn policyd(&self, answers: Vec<Vec<Reply>>) -> JoinHandle<Vec<Request>> {
        let listener = UnixListener::bind(self.socket()).unwrap();
        thread::spawn(move || serve(&listener, answers))
    }

    /// The same for two connections with one answer each.
    pub(crate) fn policyd_of_two(&self, answers: [Vec<Reply>; 2]) -> JoinHandle<Vec<Request>> {
        let listener = UnixListener::bind(self.socket()).unwrap();
        thread::spawn(move || {
            answers.into_iter().flat_map(|replies| serve(&listener, vec![replies])).collect()
        })
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = command().arg("--socket").arg(self.socket()).args(arguments).output().unwrap();
        Run(output)
    }
}

fn serve(listener: &UnixListener, answers: Vec<Vec<Reply>>) -> Vec<Request> {
    let (stream, _) = listener.accept().unwrap();
    let mut lines = LineReader::new(stream);
    let mut asked = Vec::new();
    for replies in answers {
        asked.extend(lines.receive::<Request>().unwrap());
        for reply in replies {
            let _ = lines.stream().write_all(&encode(&reply).unwrap());
        }
    }
    asked
}

/// How the command ended.
pub(crate) struct Run(pub(crate) Output);

impl Run {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }
    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

/// The command itself.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_virtwarden"))
}

/// A refusal.
pub(crate) fn failure(kind: FailureKind) -> Vec<Vec<Reply>> {
    vec![vec![Reply::Failed(Failure { kind, message: "because".into() })]]
}

/// A change that policyd made, in one line.
pub(crate) fn changed(mode: Mode, difference: &str) -> Vec<Vec<Reply>> {
    vec![vec![Reply::Changed(Change { mode, differences: vec![difference.to_owned()] })]]
}
