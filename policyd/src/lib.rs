// SPDX-License-Identifier: Apache-2.0
//! The monitor: every way to change something passes through here.

pub mod accounts;
pub mod belongings;
pub mod candidate;
pub mod census;
pub mod confirmations;
pub mod control;
pub mod former;
pub mod gate;
pub mod kept;
mod ledger;
pub mod lockout;
pub mod login;
pub mod media;
pub mod monitor;
pub mod networks;
pub mod options;
pub mod peer;
pub mod policies;
mod processes;
pub mod registry;
pub mod run;
pub mod sessions;
pub mod settings;
pub mod sharing;
pub mod systemd;
pub mod templates;
pub mod trail;
