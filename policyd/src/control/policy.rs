// SPDX-License-Identifier: Apache-2.0
//! `policy show`, `reload` and `explain`.

use std::time::Instant;

use virtwarden_core::authentication::{Absence, Authenticated, Authentication, Factor, Origin};
use virtwarden_core::control::{
    Change, Explanation, Failure, Mode, ObjectName, PolicyText, Reply, Request, Verdict,
};
use virtwarden_core::object::Object;
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::request::{self, Need, Right};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::{Door, Process, Subject};
use virtwarden_core::trail::digest::Digest;

use super::failure::{failed, not_found};
use super::{Control, people};
use crate::policies::{InForce, PolicyFile};

impl Control {
    /// The policy in force, as text.
    pub(super) fn policy_show(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let policy = self.monitor.policy();
        let file = |file: &PolicyFile| virtwarden_core::control::PolicyFile {
            path: file.path.display().to_string(),
            text: file.text.clone(),
        };
        let text = PolicyText {
            hash: digest(&policy.files).to_string(),
            files: policy.files.iter().map(file).collect(),
        };
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Policy(text))
    }

    /// Reads the files again and says what changes. Open connections are judged by the new policy
    /// from their next call on.
    pub(super) fn policy_reload(
        &self,
        subject: &Subject,
        request: &Request,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, word(mode))?;
        let reloaded = match mode {
            Mode::DryRun => Ok(()),
            Mode::Apply => self.insist_on_no_trial(),
        };
        match reloaded.and_then(|()| self.reload(subject, mode)) {
            Ok(differences) => {
                attempt.finish(Outcome::Success, &described(mode, &differences));
                Ok(Reply::Changed(Change { mode, differences }))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    fn reload(&self, subject: &Subject, mode: Mode) -> Result<Vec<String>, Failure> {
        let (candidate, differences) = self.checked(Some(subject))?;
        if mode == Mode::Apply {
            self.settled()?;
            self.adopt(candidate, Some(subject));
        }
        Ok(differences)
    }

    /// The files of this host, if they may come into force, and how they differ from what is. Who asks must be able to
    /// ask again; a signal is nobody's.
    pub(super) fn checked(&self, subject: Option<&Subject>) -> Result<(InForce, Vec<String>), Failure> {
        let before = self.monitor.policy();
        let candidate = self.monitor.policies().candidate().map_err(|error| failed(error.to_string()))?;
        subject.map_or(Ok(()), |subject| keeps_the_asker(&candidate.policy, subject))?;
        self.keeps_a_keyboard(&candidate.policy)?;
        let differences = Policy::difference(&before.policy, &candidate.policy);
        Ok((candidate, differences.iter().map(ToString::to_string).collect()))
    }

    /// Puts it in force, for everybody who goes by it. What somebody replaces knowingly, he can go back to.
    pub(super) fn adopt(&self, candidate: InForce, by: Option<&Subject>) {
        let before = self.monitor.policy();
        self.monitor.policies().put_in_force(candidate);
        (self.announce)(&self.monitor.policy());
        if let Some(subject) = by {
            self.keep_former(&before, subject);
        }
    }

    /// What the policy would answer.
    pub(super) fn policy_explain(
        &self,
        subject: &Subject,
        request: &Request,
        user: &str,
        right: Right,
        object: &ObjectName,
        now: Instant,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &format!("{user} {}", right.word()))?;
        let explained = self.imagine(user, now).and_then(|imagined| {
            let object = self.object(subject, object)?;
            Ok(self.explain(imagined, Need { right, object }))
        });
        let outcome = if explained.is_ok() { Outcome::Success } else { Outcome::Failure };
        attempt.finish(outcome, "");
        explained.map(Reply::Explanation)
    }

    /// As for one who has authenticated; and what that alone is owed to.
    fn explain(&self, imagined: Subject, need: Need) -> Explanation {
        let policy = self.monitor.policy();
        let needs = [need];
        let ask = |subject: &Subject| policy.policy.explain(&request::Request { subject, needs: &needs });
        let explained = ask(&imagined);
        let allowed = !explained.is_empty() && explained.iter().all(|one| one.answer.is_ok());
        let mut reasons: Vec<_> = explained.iter().flat_map(|one| one.lines()).collect();
        let roles = policy.policy.roles(&imagined).iter().map(|role| role.name.clone()).collect();
        let alone = Subject { authentication: Authentication::Nobody(Absence::NoSession), ..imagined };
        if allowed && ask(&alone).iter().any(|one| one.answer.is_err()) {
            reasons.push(
                "only in a login session of its own: cron, units and automatic logins may not".to_owned(),
            );
        }
        Explanation { verdict: if allowed { Verdict::Allowed } else { Verdict::Denied }, roles, reasons }
    }

    /// The subject that an account would be after a login, as far as the policy looks.
    pub(super) fn imagine(&self, user: &str, now: Instant) -> Result<Subject, Failure> {
        let account = people::account(user)?;
        let gone = || not_found(format!("there is no user `{user}`"));
        let membership = self.accounts.of_uid(account.uid, now).ok_or_else(gone)?;
        let origin = Origin::Local { terminal: String::new() };
        Ok(Subject {
            account: membership.account.clone(),
            groups: membership.groups.clone(),
            login: None,
            authentication: Authentication::Person(Authenticated {
                origin,
                service: "login".to_owned(),
                factors: vec![Factor::Pam],
            }),
            process: Process { pid: 0, start_time: 0 },
            door: Door::Libvirt,
        })
    }

    fn object(&self, subject: &Subject, name: &ObjectName) -> Result<Object, Failure> {
        Ok(match name.clone() {
            ObjectName::Host => Object::Host,
            ObjectName::Vm(typed) => self.vm_object(subject, &typed)?,
            ObjectName::Network(name) => Object::Network(name),
            ObjectName::NetworkFilter(name) => Object::NetworkFilter(name),
            ObjectName::Pool(name) => Object::Pool(name),
            ObjectName::Volume { pool, name } => Object::Volume { pool, name },
            ObjectName::Interface(name) => Object::Interface(name),
            ObjectName::Device(name) => Object::Device(name),
            ObjectName::Secret(uuid) => Object::Secret(uuid),
            ObjectName::Setting(name) => Object::Setting(name),
            ObjectName::Policy => Object::Policy,
            ObjectName::Trail => Object::Trail,
        })
    }
}

/// Nobody locks himself out by a slip: whoever loads a policy must be able to load the next one.
fn keeps_the_asker(candidate: &Policy, subject: &Subject) -> Result<(), Failure> {
    let needs = [Need { right: Right::Administer, object: Object::Policy }];
    let request = request::Request { subject, needs: &needs };
    let explained = candidate.explain(&request);
    if explained.iter().all(|one| one.answer.is_ok()) {
        return Ok(());
    }
    Err(failed(format!(
        "by the new policy {} could not change the policy again; correct the files, or reload as somebody who could",
        subject.account.name
    )))
}

fn described(mode: Mode, differences: &[String]) -> String {
    let what = if differences.is_empty() { "no difference".to_owned() } else { differences.join("; ") };
    format!("{} {what}", word(mode))
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "in force:",
        Mode::DryRun => "dry run:",
    }
}

/// The policy's digest, which seals of the trail carry: over the path and text of each file with
/// their lengths, in the order they were read.
pub fn digest(files: &[PolicyFile]) -> Digest {
    let mut bytes = Vec::new();
    for file in files {
        for part in [file.path.as_os_str().as_encoded_bytes(), file.text.as_bytes()] {
            bytes.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend(part);
        }
    }
    Digest::of(&bytes)
}
