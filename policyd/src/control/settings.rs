// SPDX-License-Identifier: Apache-2.0
//! `setting`, `banner` and `lockout` values: looked at, set, taken back. Rows 2, 15, 16 and 20 of Table 3.
//!
//! First the attempt is recorded, then the host's files change, then the value is kept, then the
//! outcome is recorded. A crash between leaves files and value apart, which is drift and is shown.

use std::time::UNIX_EPOCH;

use virtwarden_core::control::{Failure, Mode, Order, Reply, Report, Request, SettingRow};
use virtwarden_core::record::Outcome;
use virtwarden_core::setting::{DefaultVm, Setting, SettingName};
use virtwarden_core::subject::Subject;

use super::Control;
use super::conclude::{Trouble, end, prefix};
use super::failure::{failed, not_found, unavailable, usage};
use super::orders::{default_order, kept_order};
use crate::monitor::Attempt;
use crate::settings::{Changing, Chosen, Settings, Silence, must_be_confirmed};
use crate::templates;

impl Control {
    /// All settings, or one, and how the host stands to them.
    pub(super) fn setting_rows(
        &self,
        subject: &Subject,
        request: &Request,
        names: &[SettingName],
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let rows = names.iter().map(|name| self.row(*name)).collect();
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Settings(rows))
    }

    /// Gives a setting a value.
    pub(super) fn setting_set(
        &self,
        subject: &Subject,
        request: &Request,
        setting: &Setting,
        (reason, mode): (&str, Mode),
    ) -> Result<Reply, Failure> {
        let asked = Settings::under(setting.clone(), self.monitor.policy().policy.media_rules());
        let wish = format!("{}to {}{}", prefix(mode), asked.of_everybody(), because(reason));
        let attempt = self.begin(subject, request, &wish)?;
        let mut changing = self.settings.change();
        let before = self.in_force(asked.name());
        let setting = &asked.with_peoples_own(&before);
        let order = Order::Apply { setting: setting.clone(), mode };
        let done = setting
            .check()
            .map_err(|error| (Outcome::Failure, usage(error.to_string())))
            .and_then(|()| self.has_template(setting).map_err(|why| (Outcome::Failure, not_found(why))))
            .and_then(|()| self.begin_sending(&before, setting, mode))
            .and_then(|()| self.carry_out(&order));
        let kept = done.and_then(|lines| match mode {
            Mode::DryRun => Ok(lines),
            Mode::Apply => self.keep(&mut changing, &before, chosen(self, subject, setting, reason), lines),
        });
        conclude(attempt, (&before, setting), kept, mode)
    }

    /// Takes a setting's value back, so that its default holds.
    pub(super) fn setting_unset(
        &self,
        subject: &Subject,
        request: &Request,
        name: SettingName,
        (reason, mode): (&str, Mode),
    ) -> Result<Reply, Failure> {
        let policy = self.monitor.policy();
        let after = Settings::under(name.default_value(), policy.policy.media_rules());
        let attempt = self.begin(subject, request, &format!("{}{}", prefix(mode), because(reason)))?;
        let mut changing = self.settings.change();
        let before = self.in_force(name);
        let kept =
            self.carry_out(&default_order(name, mode, policy.policy.media_rules())).and_then(|lines| {
                match mode {
                    Mode::DryRun => Ok(lines),
                    Mode::Apply => self.forget(&mut changing, name).map(|()| lines),
                }
            });
        conclude(attempt, (&before, &after), kept, mode)
    }

    fn row(&self, name: SettingName) -> SettingRow {
        let setting = self.in_force(name);
        let order = Order::Inspect { setting: setting.clone() };
        let mut drift = match self.settings.components().order(&order) {
            Ok(Report::Drift(lines) | Report::Done(lines)) => lines,
            Ok(Report::Failed(why)) => vec![why],
            Err(silence) => vec![format!("not known: {silence}")],
        };
        drift.extend(self.settings.provisional(name).map(|waiting| {
            format!("{} waits for `virtwarden setting confirm {name}`, or is taken back", waiting.setting)
        }));
        SettingRow { setting, source: self.settings.source(name), drift }
    }

    /// A default template that is not there would leave nobody a VM.
    fn has_template(&self, setting: &Setting) -> Result<(), String> {
        let Setting::DefaultVm(DefaultVm { template: Some(name), .. }) = setting else { return Ok(()) };
        templates::read(self.templates, name.as_str()).map(drop)
    }

    /// The first audit server gets what is recorded from now on, however long it takes until somebody sends it.
    fn begin_sending(&self, before: &Setting, after: &Setting, mode: Mode) -> Result<(), Trouble> {
        match (before, after, mode) {
            (Setting::AuditServer(before), Setting::AuditServer(after), Mode::Apply)
                if before.address.is_none() && after.address.is_some() =>
            {
                self.archive.begin_sending().map_err(|why| (Outcome::Failure, unavailable(why)))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn carry_out(&self, order: &Order) -> Result<Vec<String>, Trouble> {
        match self.settings.components().order(order) {
            Ok(Report::Done(lines) | Report::Drift(lines)) => Ok(lines),
            Ok(Report::Failed(why)) => Err((Outcome::Failure, failed(why))),
            Err(silence @ Silence::Away(_)) => {
                Err((Outcome::Failure, unavailable(format!("nothing was changed: {silence}"))))
            }
            Err(silence @ Silence::Lost(_)) => Err((
                Outcome::Unknown,
                unavailable(format!(
                    "{silence}; the value is not kept, and `virtwarden setting list` shows what differs"
                )),
            )),
        }
    }

    /// The value that is kept, as it is under the policy in force.
    fn in_force(&self, name: SettingName) -> Setting {
        Settings::under(self.settings.value(name), self.monitor.policy().policy.media_rules())
    }

    /// Keeps a value that the host has already, or lets it wait to be confirmed.
    fn keep(
        &self,
        changing: &mut Changing<'_>,
        before: &Setting,
        chosen: Chosen,
        mut lines: Vec<String>,
    ) -> Result<Vec<String>, Trouble> {
        let name = chosen.setting.name();
        if must_be_confirmed(before, &chosen.setting) {
            lines.push(self.hold(changing, chosen).map_err(|why| self.back(name, &why))?);
            return Ok(lines);
        }
        changing.end_waiting(name);
        changing.keep(chosen).map_err(|error| self.back(name, &error.to_string()))?;
        Ok(lines)
    }

    fn forget(&self, changing: &mut Changing<'_>, name: SettingName) -> Result<(), Trouble> {
        changing.end_waiting(name);
        changing.forget(name).map_err(|error| self.back(name, &error.to_string()))
    }

    /// What cannot be kept shall not stay on the host either.
    pub(super) fn back(&self, name: SettingName, why: &str) -> Trouble {
        let order = kept_order(&self.settings, name, self.monitor.policy().policy.media_rules());
        let message = match self.carry_out(&order) {
            Ok(_) => format!("{why}; the host is as it was"),
            Err((_, also)) => format!("{why}; and the host's files have the new value: {}", also.message),
        };
        (Outcome::Failure, failed(message))
    }
}

fn chosen(control: &Control, subject: &Subject, setting: &Setting, reason: &str) -> Chosen {
    let at = (control.clock)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Chosen { setting: setting.clone(), by: person(subject), at, reason: reason.to_owned() }
}

/// The person, and the account that he acted as if that is another.
fn person(subject: &Subject) -> String {
    let (person, account) = (subject.person(), &subject.account.name);
    if person == account { person.to_owned() } else { format!("{person} (as {account})") }
}

/// Records how it ended and answers.
fn conclude(
    attempt: Attempt,
    (before, after): (&Setting, &Setting),
    made: Result<Vec<String>, Trouble>,
    mode: Mode,
) -> Result<Reply, Failure> {
    let difference = format!("{}: {before} -> {after}", after.name());
    let first = (before != after).then(|| difference.clone());
    end(attempt, &difference, made.map(|lines| first.into_iter().chain(lines).collect()), mode)
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!("; reason: {reason}") }
}
