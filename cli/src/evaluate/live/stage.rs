// SPDX-License-Identifier: Apache-2.0
//! The scene of an evaluation: two people who have just been given their roles, each in a login session of his own, and
//! VMs of which one is the User's.

use std::cell::Cell;
use std::path::PathBuf;

use super::interrupt::Interrupt;
use super::names::Names;
use super::people::Person;
use super::receiver::Receiver;
use super::sshd::Sshd;
use super::state::Look;

/// Who and what is on the scene.
pub(super) struct Stage<'r> {
    /// What tells this run's names from others'.
    pub(super) mark: String,
    /// What each thing of the run is called.
    pub(super) names: Names,
    /// The Administrator.
    pub(super) administrator: Person,
    /// The User.
    pub(super) user: Person,
    /// Where files of the run are that both may read.
    pub(super) files: PathBuf,
    /// Where media are that Users may insert; none if the policy names no such directory.
    pub(super) library: Option<PathBuf>,
    /// `kvm`, or `qemu` where the host has no KVM.
    pub(super) vm_type: &'static str,
    pub(super) sshd: Sshd,
    /// An audit server that exists for the time of the run.
    pub(super) receiver: Receiver,
    pub(super) interrupt: &'r Interrupt,
    /// How things were after the last attempt, if nothing has been done since.
    pub(super) looked: Cell<Option<Look>>,
}

impl Stage<'_> {
    /// A text of the tables with this run's names in it.
    pub(super) fn named(&self, text: &str) -> String {
        self.names.put_into(text)
    }
}
