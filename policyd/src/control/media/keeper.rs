// SPDX-License-Identifier: Apache-2.0
//! Whoever knows the media of this host: which there are, who has them, and where each may go.

use std::fmt;

use virtwarden_core::media::{Access, Asker, Id, Medium, Party};
use virtwarden_core::object::{Uuid, Vm};
use virtwarden_core::policy::Policy;
use virtwarden_core::xml::definition::Definition;

/// A medium that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The medium.
    pub medium: Medium,
    /// Who has it.
    pub holder: Holder,
    /// Who had it last.
    pub last: Option<Party>,
}

/// Who has a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// The host, and how.
    Host(String),
    /// A VM.
    Vm(Uuid, String),
}

/// A transfer that may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// What the receiver may do with the medium.
    pub access: Access,
    /// The rule that says so.
    pub rule: String,
}

/// Why one may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The policy, or whoever has it now, is against it.
    Denied(String),
    /// A User of the receiving VM must confirm it first.
    Ask {
        /// The rule that wants it so.
        rule: String,
    },
}

/// A VM with all that it is at present: running, stored.
pub type Having = (Vm, Vec<Definition>);

/// Whoever knows the media.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// All that are there now.
    ///
    /// # Errors
    /// It cannot be told; in words.
    fn present(&self, policy: &Policy, vms: &[Having]) -> Result<Vec<Found>, String>;

    /// The one medium that was typed.
    ///
    /// # Errors
    /// There is none, or more than one; in words that say what to type.
    fn find(&self, policy: &Policy, typed: &str) -> Result<Medium, String>;

    /// Whether a VM may have it.
    ///
    /// # Errors
    /// It may not, or not yet.
    fn judge(
        &self,
        policy: &Policy,
        vm: &Vm,
        asker: Asker,
        medium: &Medium,
        vms: &[Having],
    ) -> Result<Cleared, Refused>;

    /// A VM has it now.
    ///
    /// # Errors
    /// That cannot be kept; in words.
    fn given(&self, medium: &Id, vm: &Vm) -> Result<(), String>;

    /// Nobody has it any more.
    ///
    /// # Errors
    /// That cannot be kept; in words.
    fn taken(&self, medium: &Id) -> Result<(), String>;
}
