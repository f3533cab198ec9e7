// SPDX-License-Identifier: Apache-2.0
//! Raising a session: with a real terminal, and without one.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use nix::sys::signal::Signal;
use virtwarden_core::control::{
    Conversation, Elevation, FailureKind, LineReader, Mode, Reply, Request, Typed, encode,
};
use virtwarden_core::setting::{Acknowledgement, BannerText};

use crate::scene::{Run, Scene, changed, command, failure};
use crate::terminal::Terminal;

const SECRET: &str = "correct horse battery staple";

fn elevation(banner: Option<&str>, acknowledgement: Acknowledgement) -> Vec<Reply> {
    let banner = banner.map(|text| BannerText::new(text).unwrap());
    vec![Reply::Elevation(Elevation { ticket: 77, banner, acknowledgement, seconds: 900 })]
}

fn plain() -> Vec<Vec<Reply>> {
    vec![elevation(None, Acknowledgement::NotAsked)]
}

/// Root's helper, which says these things and after each prompt takes what was typed.
fn helper(scene: &Scene, says: Vec<Conversation>) -> JoinHandle<Vec<Typed>> {
    let listener = UnixListener::bind(scene.directory.path().join("elevate.sock")).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = LineReader::new(stream);
        let mut heard: Vec<Typed> = lines.receive().unwrap().into_iter().collect();
        for said in says {
            let asks = matches!(said, Conversation::AskHidden(_) | Conversation::AskOpenly(_));
            lines.stream().write_all(&encode(&said).unwrap()).unwrap();
            if asks {
                let Ok(typed) = lines.receive() else { break };
                heard.extend(typed);
            }
        }
        heard
    })
}

fn elevate(scene: &Scene, options: &[&str]) -> Command {
    let mut run = command();
    run.arg("--socket").arg(scene.socket()).args(["session", "elevate", "--elevate-socket"]);
    run.arg(scene.directory.path().join("elevate.sock")).args(options);
    run
}

fn with_lines(scene: &Scene, options: &[&str], typed: &str) -> Run {
    let mut run = elevate(scene, options);
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    Run(child.wait_with_output().unwrap())
}

fn answer(text: &str) -> Typed {
    Typed::Answer(text.to_owned())
}

#[test]
fn a_secret_is_typed_unseen_and_the_terminal_is_as_before() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let says = vec![
        Conversation::Show("Welcome \u{1b}[2J".to_owned()),
        Conversation::AskOpenly("Token: ".to_owned()),
        Conversation::AskHidden("Password: ".to_owned()),
        Conversation::Raised,
    ];
    let helper = helper(&scene, says);
    let mut terminal = Terminal::with(elevate(&scene, &[]));
    terminal.wait_for("Token: ");
    assert!(terminal.shows_what_is_typed());
    terminal.types("123456");
    terminal.wait_for("Password: ");
    assert!(!terminal.shows_what_is_typed());
    terminal.types(SECRET);
    terminal.wait_for("raised for 15 min, until ");
    assert!(terminal.child.wait().unwrap().success());
    assert!(terminal.shows_what_is_typed());
    assert!(!terminal.seen.contains(SECRET) && terminal.seen.contains("123456"), "{}", terminal.seen);
    assert!(
        !terminal.seen.contains('\u{1b}') && terminal.seen.contains("Welcome \\u{1b}[2J"),
        "{}",
        terminal.seen
    );
    assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }, answer("123456"), answer(SECRET)]);
    assert_eq!(policyd.join().unwrap(), [Request::SessionElevate]);
}

#[test]
fn a_signal_ends_it_but_first_the_terminal_shows_again() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let scene = Scene::new();
        let policyd = scene.policyd(plain());
        let helper = helper(&scene, vec![Conversation::AskHidden("Password: ".to_owned())]);
        let mut terminal = Terminal::with(elevate(&scene, &[]));
        terminal.wait_for("Password: ");
        assert!(!terminal.shows_what_is_typed());
        terminal.signal(signal);
        assert_eq!(terminal.child.wait().unwrap().signal(), Some(signal as i32));
        assert!(terminal.shows_what_is_typed(), "{signal}");
        assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }]);
        policyd.join().unwrap();
    }
}

#[test]
fn a_stop_shows_what_is_typed_and_going_on_asks_again() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let helper = helper(&scene, vec![Conversation::AskHidden("Password: ".to_owned()), Conversation::Raised]);
    let mut terminal = Terminal::with(elevate(&scene, &[]));
    terminal.wait_for("Password: ");
    terminal.signal(Signal::SIGTSTP);
    terminal.wait_for("\r\n");
    terminal.seen.clear();
    terminal.goes_on_until("Password: ");
    assert!(!terminal.shows_what_is_typed());
    terminal.types(SECRET);
    terminal.wait_for("raised for 15 min");
    assert!(terminal.child.wait().unwrap().success());
    assert!(!terminal.seen.contains(SECRET), "{}", terminal.seen);
    assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }, answer(SECRET)]);
    policyd.join().unwrap();
}

#[test]
fn without_a_terminal_nothing_is_asked_for() {
    let run = with_lines(&Scene::new(), &[], &format!("{SECRET}\n"));
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("--stdin"), "{}", run.err());
}

#[test]
fn with_stdin_lines_are_the_answers() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let hidden = || Conversation::AskHidden("Password: ".to_owned());
    let helper = helper(&scene, vec![hidden(), hidden(), Conversation::Raised]);
    let run = with_lines(&scene, &["--stdin", "--json"], "one\ntwo\n");
    assert_eq!(run.code(), 0, "{}", run.err());
    assert!(run.out().contains("\"raised_until\": "), "{}", run.out());
    assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }, answer("one"), answer("two")]);
    policyd.join().unwrap();
}

#[test]
fn a_line_that_was_cut_off_is_no_answer() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let helper = helper(&scene, vec![Conversation::AskHidden("Password: ".to_owned())]);
    let run = with_lines(&scene, &["--stdin"], "half");
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("no answer"), "{}", run.err());
    assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }]);
    policyd.join().unwrap();
}

#[test]
fn refusals_keep_their_words_and_their_exit_code() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let helper = helper(&scene, vec![Conversation::Refused("wrong\u{1b}c password".to_owned())]);
    let run = with_lines(&scene, &["--stdin"], "");
    assert_eq!((run.code(), run.err().as_str()), (3, "virtwarden: wrong\\u{1b}c password\n"));
    helper.join().unwrap();
    policyd.join().unwrap();

    let scene = Scene::new();
    let policyd = scene.policyd(failure(FailureKind::Denied));
    let run = with_lines(&scene, &["--stdin"], "");
    assert_eq!((run.code(), run.err().as_str()), (3, "virtwarden: because\n"));
    policyd.join().unwrap();
}

#[test]
fn where_no_helper_listens_the_socket_is_named() {
    let scene = Scene::new();
    let policyd = scene.policyd(plain());
    let run = with_lines(&scene, &["--stdin"], "");
    policyd.join().unwrap();
    assert_eq!(run.code(), 1);
    assert!(run.err().contains("list-sockets"), "{}", run.err());
}

#[test]
fn a_banner_that_must_be_accepted_is_shown_and_accepted_first() {
    let answers = || {
        let accepted = changed(Mode::Apply, "accepted").remove(0);
        vec![elevation(Some("Be good."), Acknowledgement::Required), accepted]
    };
    for (typed, accepts) in [("yes", true), ("no", false)] {
        let scene = Scene::new();
        let policyd = scene.policyd(answers());
        let helper = accepts
            .then(|| helper(&scene, vec![Conversation::Show("Be good.\n".to_owned()), Conversation::Raised]));
        let mut terminal = Terminal::with(elevate(&scene, &[]));
        terminal.wait_for("Type `yes`: ");
        assert!(terminal.seen.contains("Be good."));
        terminal.types(typed);
        terminal.wait_for(if accepts { "raised for" } else { "not accepted" });
        let code = terminal.child.wait().unwrap().code();
        assert_eq!(terminal.seen.matches("Be good.").count(), 1);
        assert_eq!(code, Some(if accepts { 0 } else { 3 }));
        let asked = policyd.join().unwrap();
        assert_eq!(asked.contains(&Request::BannerAccept), accepts);
        if let Some(helper) = helper {
            assert_eq!(helper.join().unwrap(), [Typed::Raise { ticket: 77 }]);
        }
    }
}

#[test]
fn a_script_must_say_that_it_accepts() {
    let scene = Scene::new();
    let policyd = scene.policyd(vec![elevation(Some("Be good."), Acknowledgement::Required)]);
    let run = with_lines(&scene, &["--stdin"], "secret\n");
    policyd.join().unwrap();
    assert_eq!(run.code(), 2);
    assert!(run.err().contains("--accept-banner"), "{}", run.err());
}

#[test]
fn who_wants_no_colours_gets_none() {
    let mut run = command();
    run.env("NO_COLOR", "1").arg("fly");
    let mut terminal = Terminal::with(run);
    terminal.wait_for("'--help'");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(2));
    assert!(!terminal.seen.contains('\u{1b}'), "{}", terminal.seen);
}
