// SPDX-License-Identifier: Apache-2.0
//! Policies that are not in force: candidates, what they would have done, and those that were in force before.

use serde::{Deserialize, Serialize};

use super::{PolicyFile, Verdict};

/// A policy that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerPolicy {
    /// Its number, which only grows.
    pub number: u32,
    /// SHA-256, in hexadecimal, as checkpoints of the trail carry it.
    pub hash: String,
    /// When another took its place, in seconds since 1970 UTC.
    pub until: u64,
    /// Who put the other in force.
    pub by: String,
    /// What changed with it, in words.
    pub change: Vec<String>,
    /// Its files, in the order they were read; left out of lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PolicyFile>,
}

/// One kind of request that another policy would have answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulationRow {
    /// What it would have answered: the contrary of what was answered.
    pub verdict: Verdict,
    /// Who asked.
    pub person: String,
    /// The right that decides.
    pub right: String,
    /// On what, as people read it.
    pub object: String,
    /// How often.
    pub count: u64,
    /// The first record of it.
    pub example: u64,
    /// What was called then.
    pub operation: String,
    /// Why, in the words of the other policy; for what it would have allowed, empty.
    pub reason: String,
}

/// What another policy would have answered to what is on record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// How many requests were asked again.
    pub asked: u64,
    /// How many of them it would have answered alike.
    pub alike: u64,
    /// What it would have answered otherwise.
    pub rows: Vec<SimulationRow>,
    /// How many could not be asked again, and why.
    pub left_out: Vec<(String, u64)>,
}
