// SPDX-License-Identifier: Apache-2.0
//! The same events as user messages in the kernel's audit system, for `ausearch` and `aureport`.
//!
//! Best effort, from a thread of its own: the kernel may hold up whoever sends while its backlog is full.
//! That it takes none, or that some were left out, stands in the trail.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use virtwarden_core::record::Outcome;
use virtwarden_core::trail::entry::{Entry, of_trail};
use virtwarden_core::trail::line::{Line, member};

use crate::trail::commit::Shared;
use crate::trail::follow::{Follower, News};

mod message;
mod socket;

use socket::AuditSocket;

const PATIENCE: Duration = Duration::from_secs(3600);

/// Starts the thread. It ends when the trail is closed.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<()> {
    let follower = shared.followers.join();
    let thread = thread::Builder::new().name("trail-kernel".to_owned());
    thread.spawn(move || relay(&shared, follower)).map(drop)
}

fn relay(shared: &Shared, mut follower: Follower) {
    let mut socket = match AuditSocket::open() {
        Ok(socket) => socket,
        Err(cause) => {
            return say(shared, Outcome::Failure, &format!("the kernel takes no audit messages: {cause}"));
        }
    };
    loop {
        match follower.next(PATIENCE) {
            News::Line(text) => {
                if let Err(cause) = pass_on(&mut socket, &text) {
                    return say(
                        shared,
                        Outcome::Failure,
                        &format!("the kernel takes no audit messages: {cause}"),
                    );
                }
            }
            News::Quiet => {}
            News::Lagged => {
                follower = shared.followers.join();
                say(
                    shared,
                    Outcome::Failure,
                    "the kernel's audit system was too slow; messages were left out",
                );
            }
            News::Closed => return,
        }
    }
}

/// Sends what a line tells, if it tells of something that happened.
fn pass_on(socket: &mut AuditSocket, text: &[u8]) -> io::Result<()> {
    let Ok(Line { seq, entry, .. }) = Line::parse(text.trim_ascii_end()) else { return Ok(()) };
    match entry {
        Entry::Record(event) => message::of(seq, &event).map_or(Ok(()), |text| socket.send(&text)),
        Entry::Segment(_) | Entry::Checkpoint(_) | Entry::Key(_) | Entry::Removal(_) => Ok(()),
    }
}

fn say(shared: &Shared, outcome: Outcome, detail: &str) {
    let entry = Entry::Record(Box::new(of_trail("trail kernel", outcome, detail.to_owned())));
    // If the trail is closed by now there is nobody to tell.
    let _ = member(&entry).map(|member| shared.queue.tell(member, None));
}
