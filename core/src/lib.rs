// SPDX-License-Identifier: Apache-2.0
//! What Virtwarden knows and decides.
//!
//! Everything here is pure: no input or output, no clock, no threads. Time and identity come in as
//! parameters, so that a decision can be repeated, explained and tested without a host.

pub mod authentication;
pub mod control;
pub mod lockout;
pub mod media;
pub mod object;
pub mod policy;
pub mod record;
pub mod rpc;
pub mod setting;
pub mod subject;
pub mod table3;
#[cfg(feature = "trail")]
pub mod trail;
pub mod xml;
