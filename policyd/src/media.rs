// SPDX-License-Identifier: Apache-2.0
//! Removable devices and media: what is plugged in, who has it, and whether a VM may have it.
//!
//! Everything that puts a medium into a VM, by whatever door, asks [`Media::judge`]. What is there is looked up
//! in the kernel for each question, never remembered; who has it is what the kernel and libvirt say at that moment.
//! Kept on disk is only what neither knows: who had it last, and what lies in the drive of a VM that does not run.

mod asking;
mod block;
mod claims;
mod events;
mod find;
pub mod hands;
mod holder;
mod host;
mod judge;
pub mod keeper;
mod kernel;
pub mod library;
mod look;
mod own;
mod records;
mod remembered;
mod starting;
mod store;
mod text;
mod uevent;
mod usb;
mod vital;
pub mod vms;
pub mod watch;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use virtwarden_core::media::{Id, Kind, Medium, Party, Source};
use virtwarden_core::object::{Uuid, Vm};

pub use self::asking::Asking;
pub use self::claims::Claim;
pub use self::find::{Unclear, Wanted};
pub use self::holder::Holder;
pub use self::judge::{Cleared, Refused};
pub use self::kernel::Kernel;
pub use self::remembered::Remembered;
pub use self::starting::Start;
pub use self::store::{Entry, Standing};
pub use self::vital::HostDevice;
pub use self::vms::{Connected, Having, Reference};
use crate::kept::{Condition, StoreError};
use crate::registry::Registry;
use claims::Claims;
use look::Look;
use starting::Starting;
use store::State;

/// All that is known of media. Shared by all connections.
pub struct Media {
    /// None: it cannot look, so everything is refused.
    kernel: Option<Kernel>,
    registry: Arc<Registry>,
    store: State,
    claims: Claims,
    starting: Starting,
    release: OnceLock<Release>,
}

/// Lets a VM have the USB storage device at a port, where no driver of the host may have it.
pub type Release = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// A medium that is there, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The medium.
    pub medium: Medium,
    /// Who has it now.
    pub holder: Holder,
    /// The party that was given it last, if that is known.
    pub last: Option<Party>,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Media {
    /// From now on, what a VM may have is released to it, so that it can be claimed.
    pub fn release_by(&self, release: Release) {
        let _once = self.release.set(release);
    }

    /// Releases USB storage that a VM may have.
    fn release(&self, medium: &Medium) -> Result<(), String> {
        match (&medium.source, medium.kind, self.release.get()) {
            (Source::Usb(usb), Kind::UsbStorage, Some(release)) => release(&usb.port),
            (Source::Usb(_) | Source::Block(_) | Source::Image { .. }, _, _) => Ok(()),
        }
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// The file cannot be read, or put aside when it is damaged.
    pub fn open(path: &Path, kernel: Kernel, registry: Arc<Registry>) -> Result<Self, StoreError> {
        Ok(Self {
            kernel: Some(kernel),
            registry,
            store: State::open(path)?,
            claims: Claims::default(),
            starting: Starting::default(),
            release: OnceLock::new(),
        })
    }

    /// One that sees nothing and refuses everything.
    pub fn blind(registry: Arc<Registry>) -> Self {
        Self {
            kernel: None,
            registry,
            store: State::nowhere(),
            claims: Claims::default(),
            starting: Starting::default(),
            release: OnceLock::new(),
        }
    }

    /// How the file was found.
    pub fn condition(&self) -> &Condition {
        self.store.condition()
    }

    /// The one medium that somebody means, among what is there now and the images of the libraries.
    ///
    /// # Errors
    /// It is none, or could be several.
    pub fn find(&self, libraries: &[PathBuf], wanted: &Wanted<'_>) -> Result<Medium, Unclear> {
        let (_, look) = self.look()?;
        find::find(&look, libraries, wanted)
    }

    /// All media that are there, hubs left out, with who has them.
    ///
    /// # Errors
    /// It cannot be told, in words.
    pub fn present(&self, libraries: &[PathBuf], vms: &dyn Connected) -> Result<Vec<Seen>, String> {
        let (kernel, look) = self.look().map_err(|unclear| unclear.to_string())?;
        let images = look::images(libraries).map_err(|error| error.to_string())?;
        let running = vms.running()?;
        let mut seen = Vec::new();
        for medium in look.media().filter(|medium| !medium.is_hub()).chain(&images) {
            let holders = self.holders(kernel, &look, medium, &running, vms)?;
            let holder = holders.into_iter().next().unwrap_or(Holder::Nobody);
            let last = self.store.of(&medium.id).map(|entry| entry.party());
            seen.push(Seen { medium: medium.clone(), holder, last });
        }
        Ok(seen)
    }

    /// What is kept of all media that were ever given to a VM, there or not.
    pub fn history(&self) -> Vec<Entry> {
        self.store.all()
    }

    /// libvirt has put the medium into the VM.
    ///
    /// # Errors
    /// It cannot be kept. The VM has the medium all the same, so take it out again.
    pub fn given(&self, cleared: Cleared, vm: &Vm, by: &str) -> Result<(), StoreError> {
        // The claim in it ends only after this is kept.
        self.store.given(&cleared.medium, vm, by, cleared.asker)
    }

    /// The medium has left the VM: ejected or detached.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn taken(&self, medium: &Id) -> Result<(), StoreError> {
        self.store.stand(std::slice::from_ref(medium), Standing::Had)
    }

    /// Whether a medium is on its way to a VM, so that it has been judged for it a moment ago.
    pub fn is_claimed_for(&self, medium: &Id, vm: Uuid) -> bool {
        self.claims.has_for(medium, vm)
    }

    /// Why a device is one that the host cannot do without, so that no VM gets it whoever asks; none if it is not.
    ///
    /// # Errors
    /// It cannot be told: refuse.
    pub fn is_hosts_own(&self, device: &HostDevice<'_>) -> Result<Option<String>, Unclear> {
        let (kernel, look) = self.look()?;
        vital::reason(kernel, &look, device).map_err(|error| Unclear::Unreadable(error.to_string()))
    }

    /// The gate has judged the media of a VM that a person starts.
    pub fn starting(&self, vm: Uuid) -> Start {
        self.starting.begin(vm)
    }

    /// Whether a person is starting the VM at this moment.
    pub fn is_starting(&self, vm: Uuid) -> bool {
        self.starting.has(vm)
    }

    fn look(&self) -> Result<(&Kernel, Look), Unclear> {
        let kernel =
            self.kernel.as_ref().ok_or_else(|| Unclear::Unreadable("it does not look".to_owned()))?;
        let look = Look::at(kernel).map_err(|error| Unclear::Unreadable(error.to_string()))?;
        Ok((kernel, look))
    }
}
