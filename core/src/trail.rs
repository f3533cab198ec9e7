// SPDX-License-Identifier: Apache-2.0
//! The audit trail's format: what a line is, how lines are chained and sealed, how a trail is verified.
//!
//! A trail is a row of segments, each a file of one JSON object per line. Every line, of whatever kind,
//! has the next sequence number and a hash over the line before it and itself. Checkpoint lines are
//! signed, so that everything before them is sealed. Nothing here reads a file or a clock.

pub mod bound;
pub mod digest;
pub mod entry;
pub mod escape;
pub mod key;
pub mod line;
pub mod seal;
pub mod time;
pub mod verify;
