// SPDX-License-Identifier: Apache-2.0
//! Which media there are, and what the policy says of them.

use virtwarden_core::control::{
    DeviceClassRow, Failure, MediumHolder, MediumRow, MediumVerdict, Reply, Request,
};
use virtwarden_core::media::{Class, Granted, Kind, Rule};
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::request::Need;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::{CONNECT, Control, POLICY};
use crate::control::failure::{denied, not_found, unavailable};
use crate::media::{Holder, Refused, Seen};
use crate::monitor::Refusal;

impl Control {
    /// `media list` and `show`: for whoever may connect media to any VM at all.
    pub(in crate::control) fn media_list(
        &self,
        subject: &Subject,
        request: &Request,
        (medium, vm): (Option<&str>, Option<&str>),
    ) -> Result<Reply, Failure> {
        self.insist_on_media(subject, request)?;
        let receiver = vm.map(|vm| self.receiving_vm(subject, request, vm)).transpose()?;
        let policy = self.monitor.policy();
        let policy = &policy.policy;
        let mut found = self.desk.keeper.present(policy).map_err(unavailable)?;
        if let Some(typed) = medium {
            let one =
                self.desk.keeper.find(policy, typed).map_err(|unclear| not_found(unclear.to_string()))?;
            found.retain(|found| found.medium.id == one.id);
        }
        let row = |found| self.medium_row(subject, policy, found, receiver.as_ref());
        Ok(Reply::Media(found.into_iter().map(row).collect()))
    }

    fn insist_on_media(&self, subject: &Subject, request: &Request) -> Result<(), Failure> {
        let needs = vec![Need { right: CONNECT, object: Object::Medium(String::new()) }];
        if self.monitor.would_allow(subject, &needs) {
            return Ok(());
        }
        Err(match self.monitor.judge(subject, request.operation(), needs) {
            Err(Refusal::Hidden { words, .. }) => denied(words),
            Err(refusal @ (Refusal::Denied(_) | Refusal::Unrecorded(_))) => denied(refusal.to_string()),
            Ok(_) => denied("access denied: the policy has just changed, try again"),
        })
    }

    fn medium_row(
        &self,
        subject: &Subject,
        policy: &Policy,
        Seen { medium, holder, last }: Seen,
        receiver: Option<&Vm>,
    ) -> MediumRow {
        let sets_rules = [Need { right: POLICY, object: Object::Host }];
        let last = last.filter(|_| self.monitor.would_allow(subject, &sets_rules));
        let verdict =
            receiver.map(|vm| match self.desk.keeper.judge(policy, vm, self.asker(subject, vm), &medium) {
                Ok(cleared) => MediumVerdict::Allowed { access: cleared.access },
                Err(Refused::Ask { .. }) => MediumVerdict::Confirm,
                Err(Refused::Denied(reason)) => MediumVerdict::Denied { reason },
                Err(Refused::Unclear(unclear)) => MediumVerdict::Denied { reason: unclear.to_string() },
            });
        MediumRow {
            class: policy.media_rules().class_of(&medium).map(|class| class.name.clone()),
            holder: self.holder(subject, holder),
            last: last.map(|party| party.to_string()),
            verdict,
            medium,
        }
    }

    /// A VM that the asker may not know of has no name for him.
    fn holder(&self, subject: &Subject, holder: Holder) -> MediumHolder {
        match holder {
            Holder::Nobody => MediumHolder::Nobody,
            Holder::Host { why } => MediumHolder::Host { why },
            Holder::Vm { uuid, name } => {
                let policy = self.monitor.policy();
                let sees = policy.policy.standing(subject).sees(&self.monitor.vm(uuid, &name));
                if sees { MediumHolder::Vm { name } } else { MediumHolder::SomeVm }
            }
        }
    }

    /// `device classes`.
    pub(in crate::control) fn device_classes(
        &self,
        subject: &Subject,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let policy = self.monitor.policy();
        let rules = policy.policy.media_rules();
        let classes = rules.classes.values().map(class_row);
        let kinds = rules.kinds.iter().map(|(kind, rule)| kind_row(*kind, rule));
        let rows = classes.chain(kinds).collect();
        attempt.finish(Outcome::Success, "");
        Ok(Reply::DeviceClasses(rows))
    }
}

fn class_row(class: &Class) -> DeviceClassRow {
    let patterns = class.patterns.iter().map(ToString::to_string).collect();
    match &class.rule {
        Some(rule) => rule_row(class.name.clone(), patterns, rule),
        None => DeviceClassRow {
            name: class.name.clone(),
            patterns,
            rule: "always-deny".to_owned(),
            access: None,
            granted: Vec::new(),
            place: class.place.to_string(),
        },
    }
}

fn kind_row(kind: Kind, rule: &Rule) -> DeviceClassRow {
    rule_row(format!("media.{kind}"), vec![format!("kind {kind}")], rule)
}

fn rule_row(name: String, patterns: Vec<String>, rule: &Rule) -> DeviceClassRow {
    let granted = match &rule.granted {
        Granted::AllVms => vec!["all-vms".to_owned()],
        Granted::Listed(names) => names.iter().cloned().collect(),
    };
    DeviceClassRow {
        name,
        patterns,
        rule: rule.choice.word().to_owned(),
        access: Some(rule.access),
        granted,
        place: rule.place.to_string(),
    }
}
