// SPDX-License-Identifier: Apache-2.0
//! An audit server for the time of an evaluation.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::authority::{Authority, Peer};
use crate::exit::Failed;

/// So much is kept of what arrives, of its end.
const KEPT: usize = 4 * 1024 * 1024;
/// For how long something is waited for after anything else has arrived: what had waited for a server comes first.
const PATIENCE: Duration = Duration::from_secs(40);
/// For how long at all.
const LONGEST: Duration = Duration::from_secs(90);
const TICK: Duration = Duration::from_millis(50);

/// What listens, and what has arrived.
pub(super) struct Receiver {
    /// Where it listens.
    pub(super) port: u16,
    arrived: Arc<Mutex<Arrived>>,
}

impl Receiver {
    /// Listens.
    pub(super) fn listen(authority: &Authority) -> Result<Self, Failed> {
        let arrived = Arc::default();
        let into = Arc::clone(&arrived);
        let port = authority.listen(move |peer| take(peer, &into))?;
        Ok(Self { port, arrived })
    }

    /// Whether all of these words arrive.
    pub(super) fn hears(&self, words: &[&str]) -> Heard {
        let begun = Instant::now();
        let (mut newest, mut known) = (begun, 0);
        loop {
            let (text, total) = {
                let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
                (String::from_utf8_lossy(&arrived.end).into_owned(), arrived.total)
            };
            if words.iter().all(|word| text.contains(word)) {
                return Heard::Yes;
            }
            if total > known {
                (newest, known) = (Instant::now(), total);
            }
            if newest.elapsed() > PATIENCE {
                return Heard::No;
            }
            if begun.elapsed() > LONGEST {
                return Heard::NotYet;
            }
            thread::sleep(TICK);
        }
    }
}

/// What has arrived.
#[derive(Default)]
struct Arrived {
    /// The end of it.
    end: Vec<u8>,
    /// How much it was altogether.
    total: usize,
}

impl Arrived {
    fn add(&mut self, piece: &[u8]) {
        self.total = self.total.saturating_add(piece.len());
        self.end.extend_from_slice(piece);
        let over = self.end.len().saturating_sub(KEPT);
        self.end.drain(..over);
    }
}

/// Whether something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It did.
    Yes,
    /// It did not, nor anything else any more.
    No,
    /// So much else had waited that nobody can tell.
    NotYet,
}

/// One sender, to its end.
fn take(sender: &mut dyn Peer, into: &Mutex<Arrived>) {
    let mut piece = [0; 4096];
    while let Ok(length) = sender.read(&mut piece) {
        if length == 0 {
            return;
        }
        let read = piece.get(..length).unwrap_or_default();
        into.lock().unwrap_or_else(PoisonError::into_inner).add(read);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::evaluate::live::authority::{NAME, tests::connect};

    #[test]
    fn who_knows_the_authority_is_heard() {
        let place = tempfile::tempdir().unwrap();
        let at = place.path().join("ca.pem");
        let receiver = Receiver::listen(&Authority::make(&at).unwrap()).unwrap();
        connect(&at, NAME, receiver.port).unwrap().write_all(b"5 hello").unwrap();
        assert_eq!(receiver.hears(&["hello"]), Heard::Yes);
    }
}
