// SPDX-License-Identifier: Apache-2.0
//! The one thread that writes. Everyone who waits while it syncs is in its next group, so the running
//! sync is the window in which a group gathers, and nobody waits for a timer.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use virtwarden_core::record::{Event, Outcome};
use virtwarden_core::trail::bound::bound;
use virtwarden_core::trail::entry::{Entry, of_trail};
use virtwarden_core::trail::line::{Stamp, member};

use crate::trail::clock::Clock;
use crate::trail::config::Config;
use crate::trail::error::TrailError;
use crate::trail::flood::Limiter;
use crate::trail::follow::Followers;
use crate::trail::keys::{self, KeyFiles};
use crate::trail::queue::{Call, Item, Queue, Refused, Work};
use crate::trail::read::EndOfTrail;
use crate::trail::space;
use crate::trail::spare::NoSpare;
use crate::trail::store::Store;
use crate::trail::writer::Writer;

/// Why a group could not be written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no room for another segment.
    Room,
    /// The disk, or the key, failed.
    Disk(io::Error),
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

/// What the committer shares with everyone.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) limiter: Limiter,
    pub(super) followers: Followers,
    pub(super) end: EndOfTrail,
    pub(super) clock: Arc<dyn Clock>,
}

/// The one that writes.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    pub(super) store: Arc<dyn Store>,
    pub(super) config: Config,
    /// What this run must record before anything else.
    pub(super) opening: Vec<Event>,
    pub(super) down: Option<Down>,
    /// When the oldest line that is not sealed was written, or the last checkpoint.
    pub(super) since: Instant,
    pub(super) anchored: Instant,
    /// The anchor could not be written, which has been recorded.
    pub(super) adrift: bool,
}

impl Drop for Committer {
    /// However it ends, nobody waits for it any longer.
    fn drop(&mut self) {
        self.shared.queue.closed();
    }
}

/// Since when, and why, writing does not work.
#[derive(Debug)]
pub(super) struct Down {
    since: Stamp,
    error: TrailError,
}

/// A line that was added and is not durable yet.
struct Added {
    item: Item,
    seq: u64,
    place: Range<usize>,
}

impl Committer {
    /// Writes until the queue is closed.
    pub(super) fn run(mut self) {
        loop {
            let (items, call) = self.shared.queue.take(self.wake());
            self.mend();
            self.commit(items);
            self.report_floods(call);
            if call == Call::Close {
                break;
            }
            self.seal_if_due();
            self.anchor(self.config.seal_after);
        }
        self.stop();
    }

    /// Begins this run's first segment. If that fails the run begins refusing.
    pub(super) fn open(&mut self) {
        if let Err(trouble) = self.next_segment().and_then(|()| self.say_opening()) {
            self.fail(trouble, Vec::new());
        }
    }

    /// When to look again even if there is nothing to write.
    fn wake(&self) -> Instant {
        if self.down.is_some() {
            return Instant::now() + self.config.retry_after;
        }
        let unsealed = self.writer.tip().unsealed > 0;
        let seal = self.since + if unsealed { self.config.seal_after } else { self.config.heartbeat };
        let now = self.shared.clock.now().up;
        let counted = self.shared.limiter.due_at();
        counted.map_or(seal, |due| seal.min(Instant::now() + Duration::from_micros(due.saturating_sub(now))))
    }

    /// Writes a group; all of it is durable afterwards, or answered with why not.
    pub(super) fn commit(&mut self, items: VecDeque<Item>) {
        let mut items = items;
        let mut added = Vec::with_capacity(items.len());
        if self.writer.tip().unsealed == 0 && !items.is_empty() {
            self.since = Instant::now();
        }
        if let Err(trouble) = self.write(&mut items, &mut added) {
            let taken = added.into_iter().map(|added| added.item).chain(items).collect();
            self.fail(trouble, taken);
        }
    }

    fn write(&mut self, items: &mut VecDeque<Item>, added: &mut Vec<Added>) -> Result<(), Trouble> {
        while let Some(item) = items.front() {
            match &item.work {
                Work::Write(member) => {
                    if !self.writer.fits(member.len()) {
                        self.flush(added)?;
                        self.next_segment()?;
                    }
                    let (seq, place) = self.writer.append(&item.stamp, member);
                    added.extend(items.pop_front().map(|item| Added { item, seq, place }));
                    if self.writer.tip().unsealed >= self.config.seal_lines {
                        self.seal()?;
                    }
                }
                Work::Seal(policy) => {
                    let policy = *policy;
                    self.flush(added)?;
                    self.make_room()?;
                    self.seal()?;
                    self.flush(added)?;
                    if let Some(policy) = policy {
                        self.writer.adopt_policy(policy);
                    }
                    self.done(items);
                }
                Work::NewKey => {
                    self.flush(added)?;
                    self.make_room()?;
                    self.change_key()?;
                    self.done(items);
                }
            }
        }
        self.flush(added)
    }

    fn done(&mut self, items: &mut VecDeque<Item>) {
        let seq = self.writer.tip().seq;
        items.pop_front().iter_mut().for_each(|item| item.answer(Ok(seq)));
    }

    /// Syncs, then tells everyone whose line is durable now.
    fn flush(&mut self, added: &mut Vec<Added>) -> Result<(), Trouble> {
        let lines = self.shared.followers.copy_for_any(self.writer.pending());
        self.sync()?;
        for Added { mut item, seq, place } in added.drain(..) {
            item.answer(Ok(seq));
            if let Some(lines) = &lines {
                self.shared.followers.publish(lines.get(place).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Makes durable what was added, and lets readers see it.
    fn sync(&mut self) -> Result<(), Trouble> {
        self.writer.flush()?;
        self.shared.end.set(self.writer.end());
        Ok(())
    }

    fn seal(&mut self) -> Result<u64, Trouble> {
        self.since = Instant::now();
        Ok(self.writer.seal(&self.shared.clock.now())?)
    }

    fn make_room(&mut self) -> Result<(), Trouble> {
        if self.writer.fits(0) { Ok(()) } else { self.next_segment() }
    }

    fn next_segment(&mut self) -> Result<(), Trouble> {
        let begun = space::next_segment(&mut self.writer, &*self.store, &self.config, &*self.shared.clock);
        self.shared.end.set(self.writer.end());
        begun
    }

    /// The new key is on disk before the trail names it, and in use only once the trail does.
    fn change_key(&mut self) -> Result<(), Trouble> {
        let files = KeyFiles::new(&self.config);
        let key = files.prepare_next().map_err(io::Error::other)?;
        let stamp = self.shared.clock.now();
        self.writer.seal(&stamp)?;
        self.writer.introduce(&stamp, &key)?;
        self.sync()?;
        let public = key.public();
        self.writer.change_key(key);
        files.adopt_next(&public).map_err(io::Error::other)?;
        self.seal()?;
        self.sync()
    }

    fn fail(&mut self, trouble: Trouble, taken: Vec<Item>) {
        self.writer.forget();
        let error = TrailError::from(&trouble);
        let stamp = self.shared.clock.now();
        self.shared.queue.fail(error.clone(), taken);
        if self.down.is_none() {
            let operation = if matches!(trouble, Trouble::Room) { "trail full" } else { "trail failed" };
            // A spoilt segment takes no more lines; the record written on resuming then says it all.
            let said = self.say(operation, Outcome::Failure, error.to_string());
            if said.and_then(|()| self.sync()).is_err() {
                self.writer.forget();
            }
            self.down = Some(Down { since: stamp, error });
        }
    }

    /// Tries to write again.
    fn mend(&mut self) {
        let Some(Down { since, error }) = &self.down else { return };
        let (since, error) = (since.time, error.to_string());
        if self.next_segment().is_err() {
            return self.writer.forget();
        }
        let refused = self.shared.queue.work_again();
        let Refused { attempts, denials, notes } = refused;
        let detail = format!(
            "nothing was recorded since {since}: {error}; {attempts} attempts refused, {denials} denials and \
             {notes} outcomes not recorded one by one"
        );
        let said = self.say_opening().and_then(|()| self.say("trail resume", Outcome::Success, detail));
        match said.and_then(|()| self.sync()) {
            Ok(()) => self.down = None,
            Err(trouble) => {
                self.shared.queue.count_again(refused);
                self.fail(trouble, Vec::new());
            }
        }
    }

    /// Records what this run found, sealed at once.
    fn say_opening(&mut self) -> Result<(), Trouble> {
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

    /// Records the refusals that were only counted.
    fn report_floods(&mut self, call: Call) {
        let now = self.shared.clock.now();
        let counted = match call {
            Call::Work if self.down.is_some() => return,
            Call::Work => self.shared.limiter.due(now.up),
            Call::Close => self.shared.limiter.all(),
        };
        let members = counted.into_iter().filter_map(|event| {
            let entry = Entry::Record(Box::new(bound(event)));
            member(&entry).ok()
        });
        self.commit(members.map(|member| Item::own(member, now)).collect());
    }

    fn seal_if_due(&mut self) {
        let unsealed = self.writer.tip().unsealed > 0;
        let limit = if unsealed { self.config.seal_after } else { self.config.heartbeat };
        if self.down.is_some() || self.since.elapsed() < limit {
            return;
        }
        let sealed = self.make_room().and_then(|()| self.seal()).and_then(|_| self.sync());
        if let Err(trouble) = sealed {
            self.fail(trouble, Vec::new());
        }
    }

    /// Keeps a copy of the last checkpoint apart from the trail, not more often than so.
    fn anchor(&mut self, interval: Duration) {
        if self.anchored.elapsed() < interval {
            return;
        }
        if let Some(checkpoint) = self.writer.take_checkpoint() {
            self.anchored = Instant::now();
            let kept = keys::replace(&self.config.anchor(), &checkpoint, 0o644);
            if let (Err(cause), false) = (&kept, self.adrift) {
                // It goes out with the next group; if it cannot be written at all, there is worse to record.
                let _ = self.say("trail anchor", Outcome::Failure, cause.to_string());
            }
            self.adrift = kept.is_err();
        }
    }

    fn stop(&mut self) {
        let now = self.shared.clock.now();
        let stopped = self
            .say("trail stop", Outcome::Success, String::new())
            .and_then(|()| self.sync())
            .and_then(|()| Ok(self.writer.finish(&now)?));
        if stopped.is_ok() {
            self.anchor(Duration::ZERO);
        }
    }
}
