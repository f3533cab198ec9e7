// SPDX-License-Identifier: Apache-2.0
//! One's own screen: when it locks, and that it does so sooner than everybody's. The part of row 14 that is a User's.
//!
//! Nobody lengthens anything here: what is wished counts as far as it is shorter, and a wish for more is judged as what
//! it would be, setting everybody's.

use virtwarden_core::control::{Failure, Mode, Order, Reply, Request, ScreenRow, ScreenWish};
use virtwarden_core::object::Object;
use virtwarden_core::record::Outcome;
use virtwarden_core::setting::{OwnIdle, ScreenIdle, Setting, SettingName};
use virtwarden_core::subject::Subject;

use super::Control;
use super::conclude::{Trouble, end, prefix};
use super::failure::usage;
use crate::settings::Chosen;

const NAME: SettingName = SettingName::ScreenLockTimeout;

impl Control {
    /// When the asker's screen locks.
    pub(super) fn screen_show(&self, subject: &Subject) -> Reply {
        let (locking, timeout) = (self.settings.screen_lock().locking, self.settings.screen_lock_timeout());
        let account = subject.account.uid;
        let (own, holds) = (timeout.own.get(&account).cloned(), timeout.of(account));
        Reply::Screen(ScreenRow { locking, everybody: timeout.idle, own, holds })
    }

    /// Locks the asker's screen sooner than everybody's, or with no wish as everybody's again.
    pub(super) fn screen_own(
        &self,
        subject: &Subject,
        request: &Request,
        wish: Option<ScreenWish>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let everybody = self.settings.screen_lock_timeout().idle;
        let own = wish.map(|wish| own(subject, wish, everybody)).transpose()?;
        if own.as_ref().is_some_and(|own| own.is_longer_than(everybody)) {
            return Err(self.refuse_to_lengthen(subject, request, everybody));
        }
        let wanted = own.as_ref().map_or_else(
            || "to everybody's".to_owned(),
            |own| format!("to {}", ScreenIdle::After { seconds: own.seconds, delay: own.delay }),
        );
        let attempt = self.begin(subject, request, &format!("{}{wanted}", prefix(mode)))?;
        let made = self.keep_own(subject, own, mode);
        let told = made.as_ref().map(|lines| lines.join(", ")).unwrap_or_default();
        end(attempt, &told, made, mode)
    }

    /// Who may set everybody's is told where; who may not is denied that.
    fn refuse_to_lengthen(&self, subject: &Subject, request: &Request, everybody: ScreenIdle) -> Failure {
        let object = Object::Setting(NAME.word().to_owned());
        match self.begin_on(subject, request, "longer than everybody's", &object) {
            Err(denied) => {
                let message = format!("{}: it is {everybody} for everybody", denied.message);
                Failure { message, ..denied }
            }
            Ok(attempt) => {
                let message = format!(
                    "it is {everybody} for everybody; `virtwarden setting set {NAME}` changes that, for all"
                );
                attempt.finish(Outcome::Failure, &message);
                usage(message)
            }
        }
    }

    /// What changed, in one line, or nothing. Who set everybody's, and why, stays as it is.
    fn keep_own(&self, subject: &Subject, own: Option<OwnIdle>, mode: Mode) -> Result<Vec<String>, Trouble> {
        let account = subject.account.uid;
        let mut changing = self.settings.change();
        let before = self.settings.screen_lock_timeout();
        let mut after = before.clone();
        match own {
            Some(own) => after.own.insert(account, own),
            None => after.own.remove(&account),
        };
        let Some(chosen) = self.settings.chosen(NAME).filter(|_| after != before) else {
            return Ok(Vec::new());
        };
        let line = format!("{}: {} -> {}", subject.account.name, before.of(account), after.of(account));
        let setting = Setting::ScreenLockTimeout(after);
        setting.check().map_err(|error| (Outcome::Failure, usage(error.to_string())))?;
        self.carry_out(&Order::Apply { setting: setting.clone(), mode })?;
        match mode {
            Mode::DryRun => {}
            Mode::Apply => changing
                .keep(Chosen { setting, ..chosen })
                .map_err(|error| self.back(NAME, &error.to_string()))?,
        }
        Ok(vec![line])
    }
}

/// What the asker wants, where there is something to be shorter than.
fn own(subject: &Subject, wish: ScreenWish, everybody: ScreenIdle) -> Result<OwnIdle, Failure> {
    let account = subject.account.name.clone();
    match everybody {
        ScreenIdle::Personal => Err(usage(
            "nobody has set when screens lock here, so yours is up to you: set it in your desktop's settings",
        )),
        ScreenIdle::After { delay, .. } => {
            Ok(OwnIdle { account, seconds: wish.seconds, delay: wish.delay.unwrap_or(delay) })
        }
    }
}
