// SPDX-License-Identifier: Apache-2.0
//! The monitor: every way to change something passes through here.

pub mod accounts;
pub mod control;
pub mod gate;
pub mod monitor;
pub mod peer;
pub mod policies;
pub mod registry;
pub mod systemd;
pub mod trail;
