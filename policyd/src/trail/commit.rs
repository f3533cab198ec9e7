// SPDX-License-Identifier: Apache-2.0
//! The one thread that writes. Everyone who waits while it syncs is in its next group, so the running
//! sync is the window in which a group gathers, and nobody waits for a timer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use virtwarden_core::record::{Event, Outcome};
use virtwarden_core::trail::bound::bound;
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::key::SigningKey;
use virtwarden_core::trail::line::member;

use crate::trail::anchor::Anchor;
use crate::trail::clock::Clock;
use crate::trail::config::Config;
use crate::trail::error::TrailError;
use crate::trail::flood::Limiter;
use crate::trail::follow::Followers;
use crate::trail::forward::Beginning;
use crate::trail::item::{Item, Work};
use crate::trail::keys::KeyFiles;
use crate::trail::queue::{Call, Queue};
use crate::trail::read::EndOfTrail;
use crate::trail::removal::remove_oldest;
use crate::trail::scan::STOP;
use crate::trail::space;
use crate::trail::store::Store;
use crate::trail::trouble::{Down, Trouble};
use crate::trail::writer::Writer;

/// What the committer shares with everyone.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) limiter: Limiter,
    pub(super) followers: Followers,
    pub(super) end: EndOfTrail,
    pub(super) policy: PolicyInForce,
    pub(super) beginning: Beginning,
    pub(super) clock: Arc<dyn Clock>,
}

/// The digest of the policy that checkpoints name.
#[derive(Debug)]
pub(super) struct PolicyInForce(pub(super) Mutex<Digest>);

impl PolicyInForce {
    pub(super) fn set(&self, policy: Digest) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn now(&self) -> Digest {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one that writes.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    pub(super) store: Arc<dyn Store>,
    pub(super) config: Config,
    pub(super) anchor: Anchor,
    /// What this run must record before anything else.
    pub(super) opening: Vec<Event>,
    pub(super) down: Option<Down>,
    /// When the oldest line that is not sealed was written, or the last checkpoint.
    pub(super) since: Instant,
}

impl Drop for Committer {
    /// However it ends, nobody waits for it any longer.
    fn drop(&mut self) {
        self.shared.queue.closed();
    }
}

/// A line that was added and is not durable yet.
pub(super) struct Added {
    pub(super) item: Item,
    seq: u64,
}

impl Committer {
    /// Begins this run's first segment. If that fails the run begins refusing.
    pub(super) fn open(&mut self) {
        match self.next_segment().and_then(|()| self.say_opening()) {
            Ok(()) => self.keep_anchor(Duration::ZERO),
            Err(trouble) => self.fail(&trouble, Vec::new()),
        }
    }

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
            self.keep_anchor(self.config.seal_after);
        }
        self.stop();
    }

    /// When to look again even if there is nothing to write.
    fn wake(&self) -> Instant {
        if self.down.is_some() {
            return Instant::now() + self.config.retry_after;
        }
        let seal = self.since + self.seal_interval();
        let up = self.shared.clock.now().up;
        let counts = self.shared.limiter.due_at().map(|due| Duration::from_micros(due.saturating_sub(up)));
        let anchor = self.writer.has_checkpoint().then(|| self.anchor.due(self.config.seal_after));
        [counts.map(|wait| Instant::now() + wait), anchor].into_iter().flatten().fold(seal, Instant::min)
    }

    fn seal_interval(&self) -> Duration {
        if self.writer.tip().unsealed > 0 { self.config.seal_after } else { self.config.heartbeat }
    }

    /// Writes a group; all of it is durable afterwards, or answered with why not.
    fn commit(&mut self, mut items: VecDeque<Item>) {
        self.writer.adopt_policy(self.shared.policy.now());
        let mut added = Vec::with_capacity(items.len());
        if self.writer.tip().unsealed == 0 && !items.is_empty() {
            self.since = Instant::now();
        }
        if let Err(trouble) = self.write(&mut items, &mut added) {
            let taken = added.into_iter().map(|added| added.item).chain(items).collect();
            self.fail(&trouble, taken);
        }
    }

    fn write(&mut self, items: &mut VecDeque<Item>, added: &mut Vec<Added>) -> Result<(), Trouble> {
        while let Some(item) = items.front() {
            if !self.writer.fits(item.length()) {
                self.flush(added)?;
                self.next_segment().or_else(|trouble| self.use_reserve(trouble, item))?;
            }
            match &item.work {
                Work::Write(member) | Work::WriteToMakeRoom(member) | Work::WriteToSave(member) => {
                    let seq = self.writer.append(&item.stamp, member);
                    added.extend(items.pop_front().map(|item| Added { item, seq }));
                    if self.writer.tip().unsealed >= self.config.seal_lines {
                        self.seal()?;
                    }
                }
                Work::Remove { through, reason } => {
                    self.flush(added)?;
                    let removed = self.remove(*through, reason);
                    if removed.is_ok() {
                        self.seal()?;
                        self.sync()?;
                        self.mend();
                    }
                    items.pop_front().iter_mut().for_each(|item| item.answer(removed.clone()));
                }
                Work::Seal => {
                    let seq = self.seal()?;
                    added.extend(items.pop_front().map(|item| Added { item, seq }));
                }
                Work::NewKey => {
                    self.flush(added)?;
                    match KeyFiles::new(&self.config).prepare_next() {
                        Ok(key) => {
                            let seq = self.change_key(key)?;
                            added.extend(items.pop_front().map(|item| Added { item, seq }));
                        }
                        Err(error) => {
                            items.pop_front().iter_mut().for_each(|item| item.answer(Err(error.clone())))
                        }
                    }
                }
            }
        }
        self.flush(added)
    }

    /// A full trail has a little room left for what makes room.
    fn use_reserve(&self, trouble: Trouble, item: &Item) -> Result<(), Trouble> {
        match (&trouble, item.work.leaves()) {
            (Trouble::Room, Some(left)) if self.writer.fits_into_reserve(item.length() + left) => Ok(()),
            (Trouble::Room | Trouble::Disk(_), _) => Err(trouble),
        }
    }

    /// Lets the oldest segments go. What cannot be deleted stays, and the trail goes on.
    fn remove(&mut self, through: u64, reason: &str) -> Result<u64, TrailError> {
        let mut last = self.writer.tip().seq;
        while self.store.segments().is_ok_and(|all| all.first().is_some_and(|first| first.number <= through))
        {
            if !self.writer.fits(reason.len())
                && self.next_segment().is_err()
                && !self.writer.fits_into_reserve(reason.len())
            {
                return Err(TrailError::Full);
            }
            let removed = remove_oldest(&mut self.writer, &*self.store, &*self.shared.clock, reason);
            self.shared.end.set(self.writer.end());
            last = removed.map_err(|trouble| TrailError::from(&trouble))?;
        }
        Ok(last)
    }

    /// Syncs, then tells everyone whose line is durable now.
    fn flush(&mut self, added: &mut Vec<Added>) -> Result<(), Trouble> {
        let lines = self.shared.followers.copy_for_any(self.writer.pending());
        self.writer.flush()?;
        self.shared.end.set(self.writer.end());
        added.drain(..).for_each(|Added { mut item, seq }| item.answer(Ok(seq)));
        lines.iter().for_each(|lines| self.shared.followers.publish(lines));
        Ok(())
    }

    /// Makes durable what the trail itself has added.
    pub(super) fn sync(&mut self) -> Result<(), Trouble> {
        self.flush(&mut Vec::new())
    }

    pub(super) fn seal(&mut self) -> Result<u64, Trouble> {
        self.since = Instant::now();
        Ok(self.writer.seal(&self.shared.clock.now())?)
    }

    pub(super) fn next_segment(&mut self) -> Result<(), Trouble> {
        let begun = space::next_segment(&mut self.writer, &*self.store, &self.config, &*self.shared.clock);
        self.shared.end.set(self.writer.end());
        begun
    }

    /// The new key is on disk before the trail names it, and in use only once the trail does.
    fn change_key(&mut self, key: SigningKey) -> Result<u64, Trouble> {
        let public = key.public();
        self.seal()?;
        let seq = self.writer.introduce(&self.shared.clock.now(), &key)?;
        self.sync()?;
        self.writer.change_key(key);
        KeyFiles::new(&self.config).adopt_next(&public).map_err(std::io::Error::other)?;
        self.seal()?;
        self.sync()?;
        Ok(seq)
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
        if self.down.is_some() || self.since.elapsed() < self.seal_interval() {
            return;
        }
        let room = if self.writer.fits(0) { Ok(()) } else { self.next_segment() };
        if let Err(trouble) = room.and_then(|()| self.seal()).and_then(|_| self.sync()) {
            self.fail(&trouble, Vec::new());
        }
    }

    /// Keeps a copy of the last checkpoint apart from the trail, not more often than so.
    fn keep_anchor(&mut self, interval: Duration) {
        if self.anchor.due(interval) > Instant::now() {
            return;
        }
        if let Some(checkpoint) = self.writer.take_checkpoint()
            && let Some(cause) = self.anchor.keep(&checkpoint)
        {
            // It goes out with the next group; if it cannot be written at all, there is worse to record.
            let _ = self.say("trail anchor", Outcome::Failure, cause.to_string());
        }
    }

    fn stop(&mut self) {
        let stopped = self.say(STOP, Outcome::Success, String::new()).and_then(|()| self.sync());
        let sealed = stopped.and_then(|()| self.seal()).and_then(|_| self.sync());
        if sealed.is_ok_and(|()| self.writer.finish(&self.shared.clock.now()).is_ok()) {
            self.keep_anchor(Duration::ZERO);
        }
    }
}
