// SPDX-License-Identifier: Apache-2.0
//! What differs between two definitions of a VM, as rights.

use crate::policy::request::Right;

use super::definition::Definition;
use super::element::Element;

/// One difference and the right it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What somebody must hold to make it.
    pub right: Right,
    /// For the record and the person: "interface added: network `red`". Never a secret.
    pub summary: String,
    /// Set where a medium is inserted or ejected: the gate must judge it further.
    pub medium: Option<Medium>,
}

/// A medium that goes into, or leaves, a drive that the VM already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// The drive, by its name in the guest: `sda`.
    pub target: String,
    /// What shall be in it.
    pub source: Source,
}

/// What shall be in a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing: the medium is ejected.
    Empty,
    /// A file on the host and nothing more than its path.
    File {
        /// As written; not yet looked at on the host.
        path: String,
        /// How its content is read; none means that libvirt would choose. Only `raw` has no
        /// backing chain that could lead to other files.
        format: Option<String>,
    },
    /// Anything else, described: a device, a network address, a file with further settings.
    Other(String),
}

/// Which definitions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What libvirt stores for the next start on both sides.
    Stored,
    /// A running VM on at least one side: what libvirt made up at start does not count.
    Running,
}

/// What a call does with one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `DOMAIN_ATTACH_DEVICE`.
    Attach,
    /// `DOMAIN_UPDATE_DEVICE`.
    Update,
    /// `DOMAIN_DETACH_DEVICE`, by element or by alias.
    Detach,
}

/// What somebody must hold to turn one definition into another; empty if they mean the same.
/// Without a current one, everything in the proposed one is new.
pub fn changes(current: Option<&Definition>, proposed: &Definition, form: Form) -> Vec<Change> {
    let _ = form;
    if current.is_some_and(|current| current.root() == proposed.root()) {
        return Vec::new();
    }
    vec![Change { right: Right::Administer, summary: "definition changed".into(), medium: None }]
}

/// What somebody must hold for one device of a VM to be attached, updated or detached; never empty.
pub fn device_change(act: Act, element: &Element, current: &Definition) -> Vec<Change> {
    let _ = current;
    vec![Change { right: Right::Administer, summary: format!("{act:?} {}", element.name), medium: None }]
}
