// SPDX-License-Identifier: Apache-2.0
//! The audit trail as it is written: many threads hand in events, one thread makes them durable.
//!
//! Fails closed: an attempt that cannot be recorded returns an error, and must then not be acted on.

mod anchor;
mod clock;
mod commit;
mod config;
mod error;
mod flood;
mod follow;
mod forward;
mod item;
mod kernel;
mod keys;
mod queue;
mod read;
mod recover;
mod removal;
mod reverse;
mod scan;
mod space;
mod spare;
mod store;
mod trouble;
mod writer;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use nix::fcntl::Flock;
use virtwarden_core::control::Before;
use virtwarden_core::record::Event;
use virtwarden_core::trail::bound::bound;
use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::key::PublicKey;
use virtwarden_core::trail::line::member;
use virtwarden_core::trail::verify::{Anchor, Expectation, Report};

pub use clock::{Clock, HostClock};
pub use config::{Config, Kernel, WhenFull};
pub use error::TrailError;
pub use follow::{Follower, News};
pub use forward::Forward;
pub use read::{ReadError, Reader, Record};
pub use removal::Removable;
pub use store::{Directory, Sink, Store, Stored};

use anchor::Anchor as AnchorFile;
use commit::{Committer, PolicyInForce, Shared};
use flood::{Limiter, Ruling};
use follow::Followers;
use forward::Beginning;
use item::Work;
use queue::Queue;
use read::EndOfTrail;

/// The place of a line in the trail: 1 for the first, without gaps.
pub type Sequence = u64;

/// The trail, open for writing. Closed when dropped.
pub struct Trail {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
    reading: Reading,
}

/// What reading needs.
struct Reading {
    store: Arc<dyn Store>,
    keys: PathBuf,
    anchor: PathBuf,
}

/// The thread that writes, and the lock that makes it the only one.
struct Running {
    committer: JoinHandle<()>,
    _lock: Flock<fs::File>,
}

impl Trail {
    /// Opens the trail on this host, or begins it. What a crash left behind is put right and recorded.
    ///
    /// # Errors
    /// If it cannot be written, another process writes it, or its key is missing.
    pub fn open(config: Config) -> Result<Self, TrailError> {
        let clock = HostClock::new().map_err(TrailError::file("/proc/sys/kernel/random/boot_id".as_ref()))?;
        let store = Directory::open(&config.directory).map_err(TrailError::file(&config.directory))?;
        Self::open_in(config, Arc::new(store), Arc::new(clock))
    }

    /// Opens a trail in a given store with a given clock.
    ///
    /// # Errors
    /// As [`Trail::open`].
    pub fn open_in(config: Config, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, TrailError> {
        let lock = recover::lock(&config)?;
        let recovered = recover::recover(&config, &*store)?;
        let queue = Queue::new(config.queue_bytes, Arc::clone(&clock));
        let (limiter, followers, end) = (Limiter::default(), Followers::default(), EndOfTrail::default());
        let (policy, beginning) = (PolicyInForce(Mutex::new(config.policy)), Beginning::default());
        let shared = Arc::new(Shared { queue, limiter, followers, end, policy, beginning, clock });
        if config.kernel == Kernel::Send {
            kernel::start(Arc::clone(&shared)).map_err(TrailError::file(&config.directory))?;
        }
        if let Some(forward) = &config.forward {
            forward::start(Arc::clone(&shared), Arc::clone(&store), forward)
                .map_err(TrailError::file(&config.directory))?;
        }
        let reading =
            Reading { store: Arc::clone(&store), keys: config.public_key(), anchor: config.anchor() };
        let committer = Self::start(config, store, Arc::clone(&shared), recovered)?;
        let running = Mutex::new(Some(Running { committer, _lock: lock }));
        Ok(Self { shared, running, reading })
    }

    fn start(
        config: Config,
        store: Arc<dyn Store>,
        shared: Arc<Shared>,
        recovered: recover::Recovered,
    ) -> Result<JoinHandle<()>, TrailError> {
        let path = config.directory.clone();
        let (writer, opening) = recovered.resume(&config, &store).map_err(TrailError::file(&path))?;
        let (anchor, since) = (AnchorFile::new(config.anchor()), Instant::now());
        let mut committer = Committer { shared, writer, store, config, anchor, opening, down: None, since };
        committer.open();
        let thread = thread::Builder::new().name("trail".to_owned());
        thread.spawn(move || committer.run()).map_err(TrailError::file(&path))
    }

    /// Records that a permitted act is about to begin, and returns when that is durable.
    ///
    /// # Errors
    /// If it could not be recorded. The act must then not happen.
    pub fn attempt(&self, event: Event) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::Write(line(event)?))
    }

    /// As [`Trail::attempt`], of what is to make room: recorded even in a trail that is full.
    ///
    /// # Errors
    /// As there.
    pub fn attempt_to_make_room(&self, event: Event) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::WriteToMakeRoom(line(event)?))
    }

    /// As [`Trail::attempt`], of who copies what is to be deleted: a full trail takes some, and never so many that
    /// the order to delete would find no room.
    ///
    /// # Errors
    /// As there.
    pub fn attempt_to_save(&self, event: Event) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::WriteToSave(line(event)?))
    }

    /// What whole segments lie before a point.
    ///
    /// # Errors
    /// If the segments cannot be read.
    pub fn removable(&self, before: Before) -> io::Result<Option<Removable>> {
        removal::plan(&*self.reading.store, self.shared.end.now().segment, before)
    }

    /// Deletes the oldest segments, each after a record of its own. The trail's end is sealed then, and a trail that
    /// was full takes records again when this returns.
    ///
    /// # Errors
    /// If it could not be recorded, or deleted.
    pub fn remove(&self, through: u64, reason: &str) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::Remove { through, reason: reason.to_owned() })
    }

    /// The public keys and the anchor, as their files are.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn keys(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), TrailError> {
        let keys = fs::read(&self.reading.keys).map_err(TrailError::file(&self.reading.keys))?;
        let head = match fs::read(&self.reading.anchor) {
            Ok(head) => Some(head),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(TrailError::file(&self.reading.anchor)(error)),
        };
        Ok((keys, head))
    }

    /// Records something that has happened. It is written soon, in order, even if writing fails at first.
    /// Waits only while too much else waits to be written.
    ///
    /// # Errors
    /// If the trail is closed, or writing fails for so long that there is no room left for what waits.
    pub fn note(&self, event: Event) -> Result<(), TrailError> {
        self.shared.queue.tell(line(event)?, None)
    }

    /// Records a refusal. Many refusals of one account are counted together, see [`flood`].
    pub fn deny(&self, event: Event) {
        if self.shared.queue.count_denial_if_down() {
            return;
        }
        let now = self.shared.clock.now().up;
        match self.shared.limiter.rule(event, now) {
            Ruling::Record(event, last_seen) => {
                // The refusal stands whether or not it can be recorded; the queue counts what it cannot take.
                let _ = line(*event).and_then(|line| self.shared.queue.tell(line, Some(last_seen)));
            }
            Ruling::Begin => self.shared.queue.wake(),
            Ruling::Count => {}
        }
    }

    /// Seals everything so far with a signed checkpoint, durably.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn seal(&self) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::Seal)
    }

    /// Seals everything so far under the policy that was in force; later checkpoints name the new one.
    ///
    /// # Errors
    /// If that seal could not be written; later ones name the new policy all the same.
    pub fn adopt_policy(&self, policy: Digest) -> Result<Sequence, TrailError> {
        let sealed = self.seal();
        self.shared.policy.set(policy);
        sealed
    }

    /// An audit server is about to be set where there was none: it gets all that is recorded after this moment, and
    /// nothing from before.
    ///
    /// # Errors
    /// If the trail could not be sealed at this moment.
    pub fn begin_sending(&self) -> Result<(), TrailError> {
        self.shared.beginning.after(self.seal()?);
        Ok(())
    }

    /// Goes over to a new sealing key, which the old one vouches for.
    ///
    /// # Errors
    /// If it could not be made or written; the old key then stays.
    pub fn change_key(&self) -> Result<Sequence, TrailError> {
        self.shared.queue.ask(Work::NewKey)
    }

    /// Follows what becomes durable from now on.
    pub fn follow(&self) -> Follower {
        self.shared.followers.join()
    }

    /// Reads what is durable at this moment.
    pub fn read(&self) -> Reader {
        Reader::new(Arc::clone(&self.reading.store), self.shared.end.now())
    }

    /// Verifies what is durable at this moment against the keys and the anchor on this host. Whoever could
    /// have changed those too must be met with copies kept elsewhere.
    ///
    /// # Errors
    /// If the keys or the anchor cannot be read.
    pub fn verify(&self) -> Result<Report, TrailError> {
        let (pem, anchor) = self.keys()?;
        let keys = PublicKey::all_from_pem(&pem)
            .map_err(|cause| TrailError::Key(self.reading.keys.clone(), cause.to_string().into()))?;
        // Without what it says, a trail that was cut off would look whole.
        let damaged = |cause: &dyn std::fmt::Display| {
            TrailError::file(&self.reading.anchor)(io::Error::other(cause.to_string()))
        };
        let anchor = anchor.map(|text| Anchor::parse(&text).map_err(|cause| damaged(&cause))).transpose()?;
        let expectation = Expectation { keys, anchor, unsealed: Expectation::RUNNING };
        self.read().verify(&expectation).map_err(TrailError::file(&self.reading.keys))
    }

    /// Why nothing can be recorded at present, if so.
    pub fn trouble(&self) -> Option<TrailError> {
        self.shared.queue.trouble()
    }

    /// Writes what waits, records the stop, seals, and closes.
    pub fn close(&self) {
        self.shared.queue.close();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { committer, _lock }) = running.take() {
            // A committer that panicked has answered everyone with an error already.
            let _ = committer.join();
        }
        self.shared.followers.close();
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail")
    }
}

fn line(event: Event) -> Result<Vec<u8>, TrailError> {
    let entry = Entry::Record(Box::new(bound(event)));
    member(&entry).map_err(|cause| TrailError::Unwritable(cause.to_string().into()))
}
