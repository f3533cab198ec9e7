// SPDX-License-Identifier: Apache-2.0
//! Who wrote the definitions that are compared.

/// Which definitions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything counts. For whatever a client sent.
    Stored,
    /// What libvirt itself writes while a VM runs does not count, see [`super::ignored::IGNORED`].
    /// Only where libvirt wrote both sides: a snapshot or a saved state against the present.
    Running,
}
