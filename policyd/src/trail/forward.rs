// SPDX-License-Identifier: Apache-2.0
//! The same lines to whoever sends them to the audit server: FAU_STG_EXT.1.
//!
//! The trail itself is the queue: a cursor says which line was handed over last, so that nothing is left out while
//! nobody takes it, and a line can be handed over twice after a crash. Its number tells.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::record::Outcome;
use virtwarden_core::trail::entry::{Entry, of_trail};
use virtwarden_core::trail::line::{Line, member};

use crate::trail::commit::Shared;
use crate::trail::follow::{Follower, News};
use crate::trail::read::Reader;
use crate::trail::store::Store;

mod cursor;
mod message;

use cursor::Cursor;

/// How often it is looked whether there is somebody to take lines.
const BREATH: Duration = Duration::from_secs(1);
/// How long somebody may let a line wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who takes lines, and what is kept of it.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The socket; it is there while a server is set.
    pub socket: PathBuf,
    /// The file that says how far it went.
    pub cursor: PathBuf,
}

/// After which line sending begins, for the thread that sends to find out.
#[derive(Debug, Default)]
pub(super) struct Beginning(Mutex<Option<u64>>);

impl Beginning {
    /// Sending begins after this line, the next time that somebody takes lines.
    pub(super) fn after(&self, line: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    fn take(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Starts the thread. It ends when the trail is closed.
pub(super) fn start(shared: Arc<Shared>, store: Arc<dyn Store>, forward: &Forward) -> io::Result<()> {
    let (cursor, path) = (Cursor::open(&forward.cursor), forward.socket.clone());
    let follower = shared.followers.join();
    let relay = Relay { shared, store, path, cursor, taker: None, tried: None };
    thread::Builder::new().name("trail-forward".to_owned()).spawn(move || relay.run(follower)).map(drop)
}

struct Relay {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    path: PathBuf,
    cursor: Cursor,
    taker: Option<UnixDatagram>,
    tried: Option<Instant>,
}

impl Relay {
    fn run(mut self, mut follower: Follower) {
        loop {
            match follower.next(BREATH) {
                News::Line(text) => self.take(text.trim_ascii_end()),
                News::Quiet => self.go_on(),
                News::Lagged => {
                    follower = self.shared.followers.join();
                    self.taker = None;
                    self.go_on();
                }
                News::Closed => return self.cursor.save(),
            }
        }
    }

    /// A new line: handed over if all before it were, else read from the trail when it is their turn.
    fn take(&mut self, text: &[u8]) {
        if self.taker.is_none() {
            return self.go_on();
        }
        let Ok(line) = Line::parse(text) else { return };
        if let Err(cause) = self.hand_over(&line, text) {
            self.lose(&cause);
        }
    }

    /// Looks, not too often, whether somebody takes lines now, and gives him what waits.
    fn go_on(&mut self) {
        if self.taker.is_some() {
            return self.cursor.save();
        }
        if self.tried.is_some_and(|tried| tried.elapsed() < BREATH) {
            return;
        }
        self.tried = Some(Instant::now());
        let Ok(taker) = dial(&self.path) else { return };
        self.taker = Some(taker);
        if let Some(before) = self.shared.beginning.take() {
            self.cursor.skip_to(before);
        }
        match self.catch_up() {
            Ok(waited) => {
                self.say(Outcome::Success, &format!("records go to the audit server; {waited} had waited"))
            }
            Err(cause) => self.lose(&cause),
        }
    }

    /// Hands over all that was recorded since the last line that went, or since sending began. Where neither is known,
    /// begins with what comes.
    fn catch_up(&mut self) -> io::Result<u64> {
        let reader = Reader::new(Arc::clone(&self.store), self.shared.end.now());
        let mut waited = 0;
        match self.cursor.sent() {
            None => {
                let last = reader.backwards()?.find_map(Result::ok).map_or(0, |record| record.line.seq);
                self.cursor.set(last);
            }
            Some(sent) => {
                // A damaged line is the verifier's business; what can be read goes on.
                for record in reader.after(sent)?.filter_map(Result::ok) {
                    self.hand_over(&record.line, &record.text)?;
                    waited += 1;
                }
            }
        }
        self.cursor.save();
        Ok(waited)
    }

    fn hand_over(&mut self, line: &Line, text: &[u8]) -> io::Result<()> {
        let Some(taker) = &self.taker else { return Err(io::ErrorKind::NotConnected.into()) };
        if self.cursor.sent().is_none_or(|sent| line.seq > sent) {
            taker.send(&message::of(line, text))?;
            self.cursor.set(line.seq);
        }
        Ok(())
    }

    fn lose(&mut self, cause: &io::Error) {
        self.taker = None;
        self.cursor.save();
        self.say(
            Outcome::Failure,
            &format!("nobody takes records for the audit server; they wait in the trail: {cause}"),
        );
    }

    fn say(&self, outcome: Outcome, detail: &str) {
        let entry = Entry::Record(Box::new(of_trail("trail forward", outcome, detail.to_owned())));
        // If the trail is closed by now there is nobody to tell.
        let _ = member(&entry).map(|member| self.shared.queue.tell(member, None));
    }
}

fn dial(path: &Path) -> io::Result<UnixDatagram> {
    let taker = UnixDatagram::unbound()?;
    taker.connect(path)?;
    taker.set_write_timeout(Some(PATIENCE))?;
    Ok(taker)
}

#[cfg(test)]
mod tests;
