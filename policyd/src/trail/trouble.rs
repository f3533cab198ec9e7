// SPDX-License-Identifier: Apache-2.0
//! When writing fails: everything that needs a record is refused until it works again, and both ends of
//! that time are recorded.

use std::io;

use virtwarden_core::record::Outcome;
use virtwarden_core::trail::bound::bound;
use virtwarden_core::trail::entry::{Entry, of_trail};
use virtwarden_core::trail::time::Time;

use crate::trail::commit::Committer;
use crate::trail::error::TrailError;
use crate::trail::item::Item;
use crate::trail::queue::Refused;
use crate::trail::spare::NoSpare;

/// Why a group could not be written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no room for another segment.
    Room,
    /// The disk, or the key, failed.
    Disk(io::Error),
}

impl Trouble {
    fn operation(&self) -> &'static str {
        match self {
            Trouble::Room => "trail full",
            Trouble::Disk(_) => "trail failed",
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(cause: io::Error) -> Self {
        Trouble::Disk(cause)
    }
}

impl From<NoSpare> for Trouble {
    fn from(cause: NoSpare) -> Self {
        match cause {
            NoSpare::Room => Trouble::Room,
            NoSpare::Disk(cause) => Trouble::Disk(cause),
        }
    }
}

impl From<&Trouble> for TrailError {
    fn from(trouble: &Trouble) -> Self {
        match trouble {
            Trouble::Room => TrailError::Full,
            Trouble::Disk(cause) => TrailError::Failed(cause.to_string().into()),
        }
    }
}

/// Since when, and why, writing does not work.
#[derive(Debug)]
pub(super) struct Down {
    since: Time,
    error: TrailError,
}

impl Committer {
    /// Refuses from here on. Of what was taken, nothing counts as written.
    pub(super) fn fail(&mut self, trouble: &Trouble, taken: Vec<Item>) {
        self.writer.forget();
        let error = TrailError::from(trouble);
        self.shared.queue.fail(error.clone(), taken);
        if self.down.is_some() {
            return;
        }
        // A spoilt segment takes no more lines; the record written on resuming then says it all.
        let said = self.say(trouble.operation(), Outcome::Failure, error.to_string());
        if said.and_then(|()| self.sync()).is_err() {
            self.writer.forget();
        }
        self.down = Some(Down { since: self.shared.clock.now().time, error });
    }

    /// Tries to write again, if it did not work.
    pub(super) fn mend(&mut self) {
        let Some(Down { since, error }) = &self.down else { return };
        let begun = format!("nothing was recorded since {since}: {error}");
        if self.next_segment().is_err() {
            return self.writer.forget();
        }
        let refused = self.shared.queue.work_again();
        let said = self.say_opening().and_then(|()| self.say_resumed(&begun, refused));
        match said.and_then(|()| self.sync()) {
            Ok(()) => self.down = None,
            Err(trouble) => {
                self.shared.queue.count_again(refused);
                self.fail(&trouble, Vec::new());
            }
        }
    }

    fn say_resumed(&mut self, begun: &str, refused: Refused) -> Result<(), Trouble> {
        let Refused { attempts, denials, notes } = refused;
        let counts =
            format!("{attempts} attempts refused, {denials} denials and {notes} outcomes not recorded");
        self.say("trail resume", Outcome::Success, format!("{begun}; {counts} one by one"))
    }

    /// Records what this run found, sealed at once.
    pub(super) fn say_opening(&mut self) -> Result<(), Trouble> {
        if self.opening.is_empty() {
            return Ok(());
        }
        let now = self.shared.clock.now();
        for event in &self.opening {
            self.writer.append_entry(&now, &Entry::Record(Box::new(event.clone())))?;
        }
        self.seal()?;
        self.sync()?;
        self.opening.clear();
        Ok(())
    }

    /// Adds a record of the trail itself.
    pub(super) fn say(&mut self, operation: &str, outcome: Outcome, detail: String) -> Result<(), Trouble> {
        let event = bound(of_trail(operation, outcome, detail));
        self.writer.append_entry(&self.shared.clock.now(), &Entry::Record(Box::new(event)))?;
        Ok(())
    }
}
