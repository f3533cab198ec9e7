// SPDX-License-Identifier: Apache-2.0
//! Which VMs there are, by libvirtd's own word: how the registry learns of what is done past the gate.
//!
//! One thread keeps a link of its own. When libvirtd comes up, the registry is compared with libvirtd's list;
//! from then on libvirtd's lifecycle events are followed. A VM that is gone takes its assignment with it at once,
//! whoever removed it: should an event come later than what the gate itself did meanwhile, somebody loses a VM
//! and nobody gains one. What is done in the quarter of a second after libvirtd came up is seen only as far as
//! the list shows it, and that shows no VM that was replaced by another with its UUID.

mod known;
mod link;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;

use self::known::{Coming, Event, Known, News};
use self::link::Touched;
use crate::gate::upstream::{Place, Upstream, UpstreamError};
use crate::gate::wake::Wake;
use crate::media::library;
use crate::monitor::Monitor;
use crate::networks::look;

/// How often to look whether libvirtd is up again.
const GLANCE: Duration = Duration::from_millis(250);
/// How long to wait when libvirtd is up and does not let us in.
const REST: Duration = Duration::from_secs(5);
/// How long a VM may be there before the gate must have told that a request made it.
const GRACE: Duration = Duration::from_secs(2);

/// How many VMs are forgotten by one write at most.
const TOGETHER: usize = 1000;
/// What the record says of a VM that went.
const GONE: &str = "it is gone";

/// The thread's work and its bell.
pub struct Census {
    monitor: Arc<Monitor>,
    place: Place,
    bell: Wake,
    stopping: AtomicBool,
    showing: Mutex<()>,
}

/// VMs that came lately, and since when somebody waits to hear who made them.
#[derive(Default)]
struct Newcomers {
    vms: Vec<(Uuid, String)>,
    since: Option<Instant>,
}

impl Census {
    /// A census of the libvirtd at a place.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new(monitor: Arc<Monitor>, place: Place) -> io::Result<Self> {
        Ok(Self {
            monitor,
            place,
            bell: Wake::new()?,
            stopping: AtomicBool::new(false),
            showing: Mutex::new(()),
        })
    }

    /// Follows libvirtd until told to stop. A libvirtd that is not up is not started by this.
    pub fn run(&self) {
        while !self.is_stopping() {
            let rest = if self.place.is_up() { self.follow() } else { GLANCE };
            let _rung = self.bell.wait(rest);
        }
    }

    /// Clients see the library of the policy in force. Two at once would be in each other's way.
    fn show_library(&self) {
        let _alone = self.showing.lock().unwrap_or_else(PoisonError::into_inner);
        library::show(&self.place, &self.monitor, self.monitor.policy().policy.media());
    }

    /// There is a new policy: followed by a thread of its own, for what VMs have is heard of meanwhile. A libvirtd that is
    /// not up follows when it comes up.
    pub fn follow_policy(self: &Arc<Self>) {
        let census = self.clone();
        let follow = move || {
            if census.place.is_up() {
                census.show_library();
            }
        };
        if let Err(error) = thread::Builder::new().name("library".to_owned()).spawn(follow) {
            eprintln!("virtwarden-policyd: the media library does not follow the policy: {error}");
        }
    }

    /// Ends [`Census::run`] soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Follows libvirtd while it is there. How long to wait before trying again.
    fn follow(&self) -> Duration {
        let (mut link, known) = match self.begin() {
            Ok(begun) => begun,
            Err(error) => {
                eprintln!("virtwarden-policyd: cannot compare the VM registry with libvirt: {error}");
                return REST;
            }
        };
        // It ended; whoever comes next finds out why.
        let _ended = self.listen(&mut link, known);
        self.monitor.belongings().cease_to_hear();
        GLANCE
    }

    /// Registers for events first, so that nothing happens unseen between the list and them.
    fn begin(&self) -> Result<(Upstream, Known), UpstreamError> {
        let mut link = link::open(&self.place)?;
        let listed = link::list(&mut link)?;
        let known: Known = listed.iter().map(|vm| (vm.uuid, vm.being)).collect();
        self.reconcile(&known);
        listed.iter().for_each(|vm| self.monitor.notice_name(vm.uuid, &vm.name));
        self.monitor.enroll(listed.into_iter().map(|vm| (vm.uuid, vm.name)).collect(), Instant::now());
        // Later: what becomes of VMs does not wait for networks.
        link::follow_networks(&mut link)?;
        self.look_at_networks(&mut link)?;
        self.show_library();
        // Last: from then on somebody must listen, whatever happens.
        match link::follow_belongings(&mut link) {
            Ok(()) => self.monitor.belongings().begin_to_hear(),
            Err(error) => eprintln!("virtwarden-policyd: cannot keep what VMs have: {error}"),
        }
        Ok((link, known))
    }

    /// What libvirt's hook is judged by: it cannot ask libvirtd.
    fn look_at_networks(&self, link: &mut Upstream) -> Result<(), UpstreamError> {
        if let Err(error) = self.monitor.networks().see(look::networks(link)?) {
            eprintln!("virtwarden-policyd: cannot keep which networks there are: {error}");
        }
        Ok(())
    }

    /// Drops what the registry knows of VMs that are gone. A VM that lives on in a saved state is not.
    fn reconcile(&self, known: &Known) {
        let entries = self.monitor.registry().entries();
        let gone = entries.keys().filter(|uuid| !known.has(**uuid) && !self.has_saved_state(**uuid));
        let sharing = self.monitor.sharing().vms().into_iter();
        let also = sharing.filter(|uuid| !known.has(*uuid) && !self.has_saved_state(*uuid));
        let gone: Vec<_> = gone.copied().chain(also).collect();
        self.monitor.lost(&gone, "libvirt does not have it any more");
    }

    fn listen(&self, link: &mut Upstream, mut known: Known) -> Result<(), UpstreamError> {
        let mut newcomers = Newcomers::default();
        let mut gone = Vec::new();
        while !self.is_stopping() {
            // VMs that go together are forgotten together, as soon as nothing more of that kind is waiting.
            let until = if gone.is_empty() { newcomers.due() } else { Some(Instant::now()) };
            let heard = link.hear(&self.bell, until);
            heard.iter().flatten().for_each(|message| self.let_go(message));
            let event = heard.iter().flatten().find_map(|message| link::event(message));
            let news = event.and_then(|event| known.hear(&event).map(|news| (event, news)));
            if let Some((event, News::Gone)) = &news
                && gone.len() < TOGETHER
            {
                newcomers.vms.retain(|(other, _)| *other != event.uuid);
                gone.push(event.uuid);
                continue;
            }
            self.monitor.lost(&std::mem::take(&mut gone), GONE);
            if heard?.is_some_and(|message| link::is_about_networks(&message)) {
                self.look_at_networks(link)?;
            }
            if let Some((event, news)) = news {
                self.take_in(event, &news, &mut newcomers);
            }
            let _silenced = self.bell.silence();
            if newcomers.due().is_some_and(|due| Instant::now() >= due) {
                self.monitor.enroll(std::mem::take(&mut newcomers).vms, Instant::now());
            }
        }
        // Nothing of it waits for the next start.
        self.monitor.lost(&gone, GONE);
        Ok(())
    }

    /// Nothing is kept of what VMs have that may have changed.
    fn let_go(&self, message: &[u8]) {
        match link::touched(message) {
            Some(Touched::Vm(vm)) => self.monitor.belongings().forget(vm),
            Some(Touched::All) => self.monitor.belongings().forget_all(),
            None => {}
        }
    }

    fn take_in(&self, Event { uuid, name, .. }: Event, news: &News, newcomers: &mut Newcomers) {
        match news {
            News::Renamed => self.monitor.notice_name(uuid, &name),
            News::Saved if self.has_saved_state(uuid) => {}
            News::Gone | News::Saved => {
                newcomers.vms.retain(|(other, _)| *other != uuid);
                self.monitor.lost(&[uuid], GONE);
            }
            News::Came(coming) => {
                if *coming == Coming::New && !self.monitor.was_made(uuid, Instant::now()) {
                    self.monitor.lost(&[uuid], "another VM with its UUID appeared");
                }
                newcomers.since.get_or_insert_with(Instant::now);
                newcomers.vms.push((uuid, name));
            }
        }
    }

    /// Whether a state of the VM is in its own directory of saved states, so that it can come back.
    fn has_saved_state(&self, uuid: Uuid) -> bool {
        let policy = self.monitor.policy();
        let directory = policy.policy.saved_directory().join(uuid.to_string());
        std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

impl Newcomers {
    /// When to say who made them.
    fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + GRACE)
    }
}

impl fmt::Debug for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Census").field("place", &self.place).finish_non_exhaustive()
    }
}
