// SPDX-License-Identifier: Apache-2.0
//! The audit trail on real files: what is recorded, what is found, and what survives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot set its scene fails"
)]

mod crash;
mod disk;
mod flood;
mod forge;
mod ordinary;
mod reading;
mod removal;
mod scene;
mod tamper;
mod trouble;
