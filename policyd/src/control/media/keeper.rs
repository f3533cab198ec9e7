// SPDX-License-Identifier: Apache-2.0
//! Whoever knows the media of this host: which there are, who has them, and where each may go.

use std::fmt;
use std::sync::Arc;

use virtwarden_core::media::{Access, Asker, Id, Medium};
use virtwarden_core::object::Vm;
use virtwarden_core::policy::Policy;

use crate::gate::upstream::Place;
use crate::media::{self, Asking, Media, Refused, Seen, Unclear, Wanted};

/// A transfer that may happen. As long as it lives, no other VM gets the medium.
#[derive(Debug)]
#[must_use = "the medium is kept for the VM only as long as this lives"]
pub struct Cleared {
    /// The medium: exactly this goes to libvirt.
    pub medium: Medium,
    /// What the receiver may do with it.
    pub access: Access,
    /// The rule that says so.
    pub rule: String,
    /// The host's own, to be kept when libvirt has done it.
    pub clearance: Option<Box<media::Cleared>>,
}

/// Whoever knows the media.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// All that are there now.
    ///
    /// # Errors
    /// It cannot be told; in words.
    fn present(&self, policy: &Policy) -> Result<Vec<Seen>, String>;

    /// The one medium that was typed.
    ///
    /// # Errors
    /// There is none, or more than one.
    fn find(&self, policy: &Policy, typed: &str) -> Result<Medium, Unclear>;

    /// Whether a VM may have it.
    ///
    /// # Errors
    /// It may not, or not yet.
    fn judge(&self, policy: &Policy, vm: &Vm, asker: Asker, medium: &Medium) -> Result<Cleared, Refused>;

    /// A VM has it now.
    ///
    /// # Errors
    /// That cannot be kept; in words.
    fn given(&self, cleared: Cleared, vm: &Vm, by: &str) -> Result<(), String>;

    /// Nobody has it any more.
    ///
    /// # Errors
    /// That cannot be kept; in words.
    fn taken(&self, medium: &Id) -> Result<(), String>;
}

/// The media of this host, and the libvirtd that says what VMs have.
#[derive(Debug)]
pub struct HostMedia {
    media: Arc<Media>,
    vms: Asking,
}

impl HostMedia {
    /// Those that policyd sees, and the libvirtd at a place.
    pub fn of(media: Arc<Media>, place: Place) -> Self {
        Self { media, vms: Asking(place) }
    }
}

impl Keeper for HostMedia {
    fn present(&self, policy: &Policy) -> Result<Vec<Seen>, String> {
        self.media.present(policy.media(), &self.vms)
    }

    fn find(&self, policy: &Policy, typed: &str) -> Result<Medium, Unclear> {
        self.media.find(policy.media(), &Wanted::Typed(typed))
    }

    fn judge(&self, policy: &Policy, vm: &Vm, asker: Asker, medium: &Medium) -> Result<Cleared, Refused> {
        let cleared = self.media.judge(policy, vm, asker, &Wanted::Typed(&medium.id.0), &self.vms)?;
        Ok(Cleared {
            medium: cleared.medium.clone(),
            access: cleared.access,
            rule: cleared.rule.clone(),
            clearance: Some(Box::new(cleared)),
        })
    }

    fn given(&self, cleared: Cleared, vm: &Vm, by: &str) -> Result<(), String> {
        let Some(clearance) = cleared.clearance else { return Ok(()) };
        self.media.given(*clearance, vm, by).map_err(|error| error.to_string())
    }

    fn taken(&self, medium: &Id) -> Result<(), String> {
        self.media.taken(medium).map_err(|error| error.to_string())
    }
}
