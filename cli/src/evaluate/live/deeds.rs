// SPDX-License-Identifier: Apache-2.0
//! The tables: for each row of Table 3 what the Administrator does, and what the User does or tries.

mod devices;
mod doors;
mod management;
mod networks;
mod operating;
mod settings;
mod vms;

use super::deed::Deed;

/// All of it, in the order in which it is played.
pub(super) fn all() -> impl Iterator<Item = &'static Deed> {
    [
        management::DEEDS,
        vms::DEEDS,
        networks::DEEDS,
        devices::DEEDS,
        settings::DEEDS,
        operating::DEEDS,
        doors::DEEDS,
    ]
    .into_iter()
    .flatten()
}
