// SPDX-License-Identifier: Apache-2.0
//! When to look: the kernel says that something was plugged, libvirt that a VM changed, the policy that it did.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::object::Uuid;

use super::Asking;
use super::events::{self, News};
use super::keeper::{Keeper, State};
use super::uevent::Uevents;
use crate::gate::upstream::{Place, UpstreamError};
use crate::gate::wake::Wake;
use crate::monitor::Monitor;

/// How often to look when there is no reason to, and whether libvirtd is up again.
const ROUND: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(250);
/// One thing plugged in is many messages of the kernel, a VM that starts many of libvirt: wait for the rest of them.
const BREATH: Duration = Duration::from_millis(50);
const CALM: Duration = Duration::from_millis(250);
/// How long a drive may be open while somebody changes its medium.
const CHANGING: Duration = Duration::from_secs(2);

/// The thread's work and its bell.
pub struct Watch {
    keeper: Keeper,
    place: Place,
    bell: Arc<Wake>,
    stopping: AtomicBool,
}

/// A drive that was opened, and when to look whether it still is.
struct Opened {
    vm: Uuid,
    alias: String,
    due: Instant,
}

impl Watch {
    /// A watch over the media of the libvirtd at a place.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new(monitor: Arc<Monitor>, place: Place) -> io::Result<Self> {
        let keeper = Keeper::new(monitor, Arc::new(Asking(place.clone())));
        Ok(Self { keeper, place, bell: Arc::new(Wake::new()?), stopping: AtomicBool::new(false) })
    }

    /// Watches until told to stop.
    pub fn run(&self) {
        self.listen_to_the_kernel();
        while !self.is_stopping() {
            self.keeper.notice();
            if self.place.is_up() {
                // It ended; the next round finds out why.
                let _ended = self.follow();
            }
            let _rung = self.bell.wait(GLANCE);
        }
    }

    /// Something may have changed.
    pub fn ring(&self) {
        self.bell.ring();
    }

    /// Ends [`Watch::run`] soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.bell.ring();
    }

    /// Without that socket, looking around every now and then must do.
    fn listen_to_the_kernel(&self) {
        let bell = self.bell.clone();
        let listen = move |uevents: Uevents| {
            while uevents.wait().is_ok() {
                bell.ring();
            }
            eprintln!("virtwarden-policyd: the kernel tells no more of what is plugged in");
        };
        let started = Uevents::open().and_then(|uevents| {
            thread::Builder::new().name("uevents".to_owned()).spawn(move || listen(uevents))
        });
        if let Err(error) = started {
            eprintln!("virtwarden-policyd: the kernel does not tell what is plugged in: {error}");
        }
    }

    /// Follows libvirtd while it is there.
    fn follow(&self) -> Result<(), UpstreamError> {
        let mut link = events::open(&self.place)?;
        let mut opened: Vec<Opened> = Vec::new();
        while !self.is_stopping() {
            self.keeper.look_around(&Asking(self.place.clone()));
            let mut due = Instant::now() + ROUND;
            loop {
                let until = opened.iter().map(|opened| opened.due).chain([due]).min();
                match link.hear(&self.bell, until)? {
                    Some(message) => match events::news(&message) {
                        Some(News::Tray { vm, name, alias, state }) => {
                            self.tray((vm, &name), alias, state, &mut opened);
                        }
                        Some(News::Changed) => due = due.min(Instant::now() + CALM),
                        None => {}
                    },
                    None if self.bell.silence() => due = due.min(Instant::now() + BREATH),
                    None => {}
                }
                self.see_to_open_drives(&mut opened);
                if self.is_stopping() || Instant::now() >= due {
                    break;
                }
            }
        }
        Ok(())
    }

    fn tray(&self, vm: (Uuid, &str), alias: String, state: State, opened: &mut Vec<Opened>) {
        self.keeper.tray(vm, &alias, state);
        opened.retain(|other| (other.vm, &other.alias) != (vm.0, &alias));
        match state {
            State::Open => opened.push(Opened { vm: vm.0, alias, due: Instant::now() + CHANGING }),
            State::Closed => {}
        }
    }

    fn see_to_open_drives(&self, opened: &mut Vec<Opened>) {
        let now = Instant::now();
        for drive in opened.extract_if(.., |drive| drive.due <= now) {
            self.keeper.opened(drive.vm, &drive.alias);
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("place", &self.place).finish_non_exhaustive()
    }
}
