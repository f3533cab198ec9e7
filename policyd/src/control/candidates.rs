// SPDX-License-Identifier: Apache-2.0
//! `policy diff`, `simulate` and `rollback`: policies that are not in force.

use std::time::Instant;

use virtwarden_core::control::{Change, Failure, Mode, PolicyFile, Reply, Request};
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::difference;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::Control;
use super::failure::{failed, not_found, unavailable};
use super::simulate::Replay;
use crate::candidate;
use crate::monitor::Attempt;
use crate::policies::InForce;

impl Control {
    /// What files would change, in words.
    pub(super) fn policy_diff(
        &self,
        subject: &Subject,
        request: &Request,
        files: &[PolicyFile],
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &names(files))?;
        let differences = self.candidate(files).map(|candidate| self.in_words(&candidate.policy));
        match differences {
            Ok(differences) => {
                attempt.finish(Outcome::Success, &format!("differences: {}", differences.len()));
                Ok(Reply::Changed(Change { mode: Mode::DryRun, differences }))
            }
            Err(failure) => ended(attempt, failure),
        }
    }

    /// What files would have answered to what is on record.
    pub(super) fn policy_simulate(
        &self,
        subject: &Subject,
        request: &Request,
        (files, since): (&[PolicyFile], Option<u64>),
        now: Instant,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &names(files))?;
        let simulated = self.candidate(files).and_then(|candidate| {
            let mut replay = Replay::of(self, &candidate.policy, since.unwrap_or(0), now);
            self.archive.read(&mut replay).map_err(unavailable)?;
            Ok(replay.conclude())
        });
        match simulated {
            Ok(simulation) => {
                attempt.finish(Outcome::Success, &format!("requests: {}", simulation.asked));
                Ok(Reply::Simulation(simulation))
            }
            Err(failure) => ended(attempt, failure),
        }
    }

    /// Those that were in force before.
    pub(super) fn policy_former(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        attempt.finish(Outcome::Success, "");
        Ok(Reply::FormerPolicies(self.former.list()))
    }

    /// One of them. It comes into force by its files and a reload, through every check that a reload has.
    pub(super) fn policy_recall(
        &self,
        subject: &Subject,
        request: &Request,
        number: u32,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &format!("to policy {number}"))?;
        let gone = || {
            not_found(format!("there is no former policy {number}; `virtwarden policy rollback` lists them"))
        };
        match self.former.find(number).ok_or_else(gone) {
            Ok(policy) => {
                attempt
                    .finish(Outcome::Success, &format!("its files were handed over, hash {}", policy.hash));
                Ok(Reply::FormerPolicies(vec![policy]))
            }
            Err(failure) => ended(attempt, failure),
        }
    }

    /// The host's files with those that were sent.
    fn candidate(&self, files: &[PolicyFile]) -> Result<InForce, Failure> {
        let host = self.monitor.policies().candidate().map_err(|error| failed(error.to_string()));
        match (host, files) {
            (Ok(host), files) => candidate::with(host.files, files).map_err(failed),
            // What is wrong on the host may be what the files put right.
            (Err(_), [_, ..]) => candidate::with(self.monitor.policy().files.clone(), files).map_err(failed),
            (Err(failure), []) => Err(failure),
        }
    }

    fn in_words(&self, candidate: &Policy) -> Vec<String> {
        let changes = Policy::difference(&self.monitor.policy().policy, candidate);
        changes.iter().map(difference::Change::words).collect()
    }

    /// Keeps what was in force before. That it cannot be kept is no reason to stay with it.
    pub(super) fn keep_former(&self, before: &InForce, subject: &Subject) {
        let change = self.in_words_since(before);
        if change.is_empty() {
            return;
        }
        if let Err(error) = self.former.keep(before, (subject.person(), change), (self.clock)()) {
            eprintln!("virtwarden-policyd: the policy from before cannot be put back later: {error}");
        }
    }

    fn in_words_since(&self, before: &InForce) -> Vec<String> {
        let changes = Policy::difference(&before.policy, &self.monitor.policy().policy);
        changes.iter().map(difference::Change::words).collect()
    }
}

fn ended(attempt: Attempt, failure: Failure) -> Result<Reply, Failure> {
    attempt.finish(Outcome::Failure, &failure.message);
    Err(failure)
}

fn names(files: &[PolicyFile]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    if names.is_empty() { "the files of this host".to_owned() } else { names.join(", ") }
}
