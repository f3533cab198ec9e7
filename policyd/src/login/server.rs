// SPDX-License-Identifier: Apache-2.0
//! One connection of the login socket: one question, one answer, and no more time than a login can wait.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::socket::{getsockopt, sockopt};
use virtwarden_core::subject::Door;
use virtwarden_login::{Question, receive, send};

use super::Logins;
use crate::peer::Peer;

/// How long a connection may take in all. The module gives up after three seconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Login programs that are answered at once.
const ROOTS: usize = 256;
/// Others that are turned away at once.
const STRANGERS: usize = 8;

/// The connections there are.
#[derive(Debug, Default)]
pub struct Places {
    roots: Arc<AtomicUsize>,
    strangers: Arc<AtomicUsize>,
}

/// A place, given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Places {
    /// A place for one more, if there is one: root's and others' do not compete.
    fn take(&self, uid: u32) -> Option<Place> {
        let (taken, most) = if uid == 0 { (&self.roots, ROOTS) } else { (&self.strangers, STRANGERS) };
        let place = Place(taken.clone());
        (taken.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Answers one connection in a thread of its own. Without a place it is closed, and the module does what it
/// does without policyd: nothing that would let anybody in.
pub fn admit(socket: UnixStream, logins: &Arc<Logins>, places: &Places) {
    let Ok(credentials) = getsockopt(&socket, sockopt::PeerCredentials) else { return };
    let Some(place) = places.take(credentials.uid()) else { return };
    let (logins, until) = (logins.clone(), Instant::now() + PATIENCE);
    let thread = thread::Builder::new().name("login".to_owned());
    let attended = thread.spawn(move || {
        attend(socket, &logins, until);
        drop(place);
    });
    if let Err(error) = attended {
        eprintln!("virtwarden-policyd: a login was not answered: {error}");
    }
}

fn attend(socket: UnixStream, logins: &Logins, until: Instant) {
    let Ok(peer) = Peer::of(&socket, Door::Login, &logins.accounts, Instant::now()) else { return };
    let mut link = Link { socket, until };
    let answer = if peer.uid == 0 {
        let Ok(question) = receive::<Question>(&mut link) else { return };
        logins.answer(&peer, &question, SystemTime::now())
    } else {
        logins.turn_away(&peer)
    };
    // A login program that is gone needs no answer; what it did is counted.
    let _gone = send(&mut link, &answer);
}

/// A socket with one deadline for everything.
struct Link {
    socket: UnixStream,
    until: Instant,
}

impl Link {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
