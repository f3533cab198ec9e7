// SPDX-License-Identifier: Apache-2.0
//! Accepts clients of the control socket, a thread for each.

use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{getsockopt, sockopt};
use virtwarden_core::control::{Reply, encode};
use virtwarden_core::subject::Door;

use super::clients::{Clients, Place};
use super::failure::unavailable;
use super::{Control, conversation};
use crate::peer::Peer;

/// How long a client may take to send a request or to take an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait when the host is out of descriptors or threads.
const BREATH: Duration = Duration::from_millis(100);

/// Serves clients until the listener is shut down.
pub fn serve(listener: &UnixListener, control: &Arc<Control>, clients: &Clients) {
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => admit(stream, control, clients),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return,
            Err(_) => thread::sleep(BREATH),
        }
    }
}

/// Serves one client in a thread of its own, if there is a place for it.
pub fn admit(stream: UnixStream, control: &Arc<Control>, clients: &Clients) {
    let Ok(credentials) = getsockopt(&stream, sockopt::PeerCredentials) else { return };
    if stream.set_read_timeout(Some(PATIENCE)).is_err() || stream.set_write_timeout(Some(PATIENCE)).is_err() {
        return;
    }
    let Some(place) = clients.admit(credentials.uid()) else {
        return turn_away(&stream, "too many open connections to policyd; close some and try again");
    };
    let control = Arc::clone(control);
    let started =
        thread::Builder::new().name("control".to_owned()).spawn(move || attend(stream, &control, place));
    if started.is_err() {
        thread::sleep(BREATH);
    }
}

/// One client, from its identity to its end. The place is given back when this returns.
fn attend(stream: UnixStream, control: &Control, place: Place) {
    match Peer::of(&stream, Door::Control, &control.accounts, Instant::now()) {
        Ok(peer) => conversation::hold(stream, &peer, control),
        Err(error) => turn_away(&stream, &error.to_string()),
    }
    drop(place);
}

/// Says why; whoever does not listen is gone already.
fn turn_away(mut stream: &UnixStream, why: &str) {
    let line = encode(&Reply::Failed(unavailable(why)));
    let _gone = line.map(|line| stream.write_all(&line));
}
