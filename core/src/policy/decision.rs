// SPDX-License-Identifier: Apache-2.0
//! The policy's answer.

use crate::authentication::Absence;
use crate::policy::request::{Need, Right};

/// Proof that the policy said yes. Only the policy makes one, and acting consumes it.
#[derive(Debug)]
#[must_use = "a permit is for one act"]
pub struct Permit {
    /// What was permitted.
    needs: Vec<Need>,
    /// The roles that carried it, for the record.
    roles: Vec<String>,
}

impl Permit {
    pub(in crate::policy) fn new(needs: Vec<Need>, roles: Vec<String>) -> Self {
        Self { needs, roles }
    }

    /// What was permitted.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The roles that carried it.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }
}

/// Why a need was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The subject holds no role at all.
    NoRole,
    /// A role has the right on this object, but is a person's, and nobody who counts has authenticated.
    NotAuthenticated {
        /// The role.
        role: String,
        /// Why nobody counts.
        absence: Absence,
    },
    /// None of the subject's roles has the right.
    NotGranted,
    /// A role has the right, but not on this object: the VM is not assigned, the pool not listed.
    NotOnThisObject,
    /// The request could not be understood.
    Malformed(String),
    /// A constraint that binds everybody forbids it: an information domain, a raw door that is shut.
    Forbidden(String),
}

/// A refusal: what was missing and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The first need that was not met.
    pub need: Need,
    /// All rights that were missing.
    pub missing: Vec<Right>,
    /// Why.
    pub reason: Reason,
    /// The roles the subject holds, for the record.
    pub roles: Vec<String>,
}

/// The answer to a request. There is no third state.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// Yes, once.
    Allow(Permit),
    /// No, and why.
    Deny(Denial),
}
