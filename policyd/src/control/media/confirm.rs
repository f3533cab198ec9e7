// SPDX-License-Identifier: Apache-2.0
//! A User of the receiving VM expressly authorises a transfer: FPT_RDM_EXT.1.2, option (c).

use std::time::{Duration, Instant};

use virtwarden_core::authentication::Authentication;
use virtwarden_core::control::{ConfirmationRow, Failure, Mode, Reply, Request};
use virtwarden_core::media::Asker;
use virtwarden_core::object::{Object, Vm};
use virtwarden_core::policy::decision::Reason;
use virtwarden_core::policy::request::Need;
use virtwarden_core::subject::Subject;

use super::give::Way;
use super::{Asking, CONNECT, Control};
use crate::confirmations::Waiting;
use crate::control::failure::not_found;
use crate::control::{Flow, Listener};

/// How often to look whether whoever watches is still there.
const GLANCE: Duration = Duration::from_secs(1);

impl Control {
    /// `media confirm`: once, in time, by a person who uses the VM. What is confirmed is judged anew.
    pub(in crate::control) fn media_confirm(
        &self,
        subject: &Subject,
        request: &Request,
        number: u32,
    ) -> Result<Reply, Failure> {
        let now = Instant::now();
        let Some(waiting) = self.desk.confirmations.find(number, now) else {
            return Err(self.confirms_nothing(subject, request, number));
        };
        let known = self.monitor.known_vm(waiting.wish.vm.uuid, &waiting.wish.vm.name);
        let asking = Asking { subject, request, vm: &known, asker: Asker::Confirmed, mode: Mode::Apply };
        let right = [Need { right: CONNECT, object: Object::Vm(known.clone()) }];
        if !self.monitor.would_allow(subject, &right) {
            let refused = self.attempt(&asking, Some(&waiting.wish.medium.id), "").err();
            return Err(refused.map_or_else(|| no_such(number), |failure| hidden(failure, &known, number)));
        }
        if let Err(why) = is_its_user(subject, &known) {
            return Err(self.forbid(&asking, &waiting.wish.medium.id, why));
        }
        let Some(Waiting { wish, .. }) = self.desk.confirmations.take(number, now) else {
            return Err(self.confirms_nothing(subject, request, number));
        };
        let medium = self.medium(&asking, &wish.medium.id.0)?;
        let way = wish.drive.as_deref().map_or(Way::Device, |drive| Way::Drive(Some(drive)));
        self.give(&asking, &medium, way)
    }

    /// `media pending`.
    pub(in crate::control) fn media_pending(&self, subject: &Subject) -> Reply {
        let now = Instant::now();
        Reply::Confirmations(self.rows_for(subject, &self.desk.confirmations.waiting(now), now))
    }

    /// `media watch`: what waits, then what comes.
    pub(in crate::control) fn media_watch(&self, subject: &Subject, listener: &mut dyn Listener) -> Reply {
        let (mut last, mut replies) = (0, 0);
        while listener.wait() == Flow::Continue {
            let news = self.desk.confirmations.later_than(last, GLANCE);
            last = news.iter().map(|waiting| waiting.number).fold(last, u32::max);
            let rows = self.rows_for(subject, &news, Instant::now());
            if rows.is_empty() {
                continue;
            }
            replies += 1;
            if listener.take(Reply::Confirmations(rows)) == Flow::Stop {
                break;
            }
        }
        Reply::End { replies }
    }

    /// Those about VMs whose media the asker may change.
    fn rows_for(&self, subject: &Subject, waiting: &[Waiting], now: Instant) -> Vec<ConfirmationRow> {
        let may = |waiting: &&Waiting| {
            let vm = self.monitor.vm(waiting.wish.vm.uuid, &waiting.wish.vm.name);
            self.monitor.would_allow(subject, &[Need { right: CONNECT, object: vm }])
        };
        waiting.iter().filter(may).map(|waiting| waiting.row(now)).collect()
    }

    /// Nothing waits under that number: recorded, for it may be tried for others' numbers.
    fn confirms_nothing(&self, subject: &Subject, request: &Request, number: u32) -> Failure {
        let needs = vec![Need { right: CONNECT, object: Object::Medium(String::new()) }];
        let operation = request.operation();
        let reason = Reason::Forbidden(format!("no transfer {number} waits for a confirmation"));
        let _recorded = self.monitor.forbid(subject, operation, reason, needs);
        no_such(number)
    }
}

/// A confirmation is the word of who uses the VM, not of who administers it: that one connects it himself.
fn is_its_user(subject: &Subject, vm: &Vm) -> Result<(), &'static str> {
    let assigned = vm.assignment.as_deref().is_some_and(|assignment| {
        assignment.users.contains(&subject.account)
            || subject.groups.iter().any(|group| assignment.groups.contains(group))
    });
    match (assigned, &subject.authentication) {
        (true, Authentication::Person(_)) => Ok(()),
        (true, Authentication::Nobody(_)) => {
            Err("a person confirms in a login session of his own: cron, units and automatic logins may not")
        }
        (false, _) => Err("only a User of the VM confirms; an Administrator connects it himself"),
    }
}

/// A transfer to a VM that the asker may not know of does not exist for him.
fn hidden(failure: Failure, vm: &Vm, number: u32) -> Failure {
    if failure == crate::control::failure::no_vm(&vm.name) { no_such(number) } else { failure }
}

fn no_such(number: u32) -> Failure {
    not_found(format!(
        "no transfer {number} waits for a confirmation: it is done, it took too long, or it never was; \
         `virtwarden media pending` shows what waits"
    ))
}
