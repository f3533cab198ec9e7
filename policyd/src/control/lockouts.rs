// SPDX-License-Identifier: Apache-2.0
//! `lockout list`, `show` and `unlock`: row 16.

use virtwarden_core::authentication::Authentication;
use virtwarden_core::control::{Change, Failure, Lock, LockoutRow, Mode, OriginClass, Reply, Request};
use virtwarden_core::lockout::{EVERYBODY, Tally, Until};
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Function;
use virtwarden_core::trail::time::Time;

use super::Control;
use super::conclude::prefix;
use super::failure::{failed, not_found};
use crate::monitor::actor;

impl Control {
    /// Accounts with failures or locks.
    pub(super) fn lockout_list(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let rows = self.lockout_rows();
        attempt.finish(Outcome::Success, &format!("accounts {}", rows.len()));
        Ok(Reply::Lockouts(rows))
    }

    /// One account's.
    pub(super) fn lockout_show(
        &self,
        subject: &Subject,
        request: &Request,
        account: &str,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &format!("account {account}"))?;
        let name = self.canonical(account);
        let rows: Vec<_> = self.lockout_rows().into_iter().filter(|row| row.account == name).collect();
        if rows.is_empty() && self.logins.directory.find(account).is_none() {
            let failure = no_account(account);
            attempt.finish(Outcome::Failure, &failure.message);
            return Err(failure);
        }
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Lockouts(rows))
    }

    /// Forgets an account's failures and lock.
    pub(super) fn lockout_unlock(
        &self,
        subject: &Subject,
        request: &Request,
        account: &str,
        class: Option<OriginClass>,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let detail = format!("account {account}, {}", class.map_or("all logins", word));
        let attempt = self.begin(subject, request, &detail)?;
        match self.unlock(subject, account, class, mode) {
            Ok(differences) => {
                let said =
                    if differences.is_empty() { "nothing to unlock".into() } else { differences.join(", ") };
                attempt.finish(Outcome::Success, &format!("{}{said}", prefix(mode)));
                Ok(Reply::Changed(Change { mode, differences }))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    fn unlock(
        &self,
        subject: &Subject,
        account: &str,
        class: Option<OriginClass>,
        mode: Mode,
    ) -> Result<Vec<String>, Failure> {
        let name = self.canonical(account);
        let lockouts = &self.logins.lockouts;
        let policy = self.settings.lockout();
        let wanted = |each: OriginClass| class.is_none_or(|class| class == each);
        let there = lockouts.tallies(&policy).into_iter();
        let there: Vec<_> = there.filter(|((row, class), _)| *row == name && wanted(*class)).collect();
        if there.is_empty() && name != EVERYBODY && self.logins.directory.find(account).is_none() {
            return Err(no_account(account));
        }
        if mode == Mode::Apply && !there.is_empty() {
            lockouts.unlock(&name, class).map_err(|error| failed(error.to_string()))?;
            self.logins.keep_snapshot();
            for ((_, class), tally) in &there {
                self.monitor.ledger().note(unlocked(subject, &name, *class, tally));
            }
        }
        Ok(there.iter().map(|((_, class), tally)| self.difference(&name, *class, tally)).collect())
    }

    pub(super) fn lockout_rows(&self) -> Vec<LockoutRow> {
        let policy = self.settings.lockout();
        let tallies = self.logins.lockouts.tallies(&policy).into_iter();
        tallies.map(|((account, class), tally)| self.lockout_row(account, class, tally)).collect()
    }

    fn lockout_row(&self, account: String, class: OriginClass, tally: Tally) -> LockoutRow {
        let lockouts = &self.logins.lockouts;
        let lock = match tally.lock() {
            None => Lock::Open,
            Some(_) if class == OriginClass::Local && self.logins.is_spared(&account) => Lock::Spared,
            Some(Until::Unlocked) => Lock::UntilUnlocked,
            Some(Until::Moment(end)) => Lock::Until(lockouts.wall(end)),
        };
        let (failures, last) = (tally.failures(), lockouts.wall(tally.last));
        LockoutRow { account, class, failures, last, origin: tally.origin, lock }
    }

    /// The name that the account database gives an account.
    fn canonical(&self, typed: &str) -> String {
        self.logins.directory.find(typed).map_or_else(|| typed.to_owned(), |found| found.name)
    }

    fn difference(&self, account: &str, class: OriginClass, tally: &Tally) -> String {
        let class = word(class);
        match tally.lock() {
            None => format!("-{} failures of {account} ({class})", tally.failures()),
            Some(Until::Unlocked) => format!("-lock of {account} ({class}) until unlocked"),
            Some(Until::Moment(end)) => {
                let micros = self.logins.lockouts.wall(end).saturating_mul(1_000_000);
                format!("-lock of {account} ({class}) until {}", Time::from_micros(micros))
            }
        }
    }
}

/// The unlocking under the account that it is about, beside the request under who asked.
fn unlocked(subject: &Subject, account: &str, class: OriginClass, tally: &Tally) -> Event {
    Event {
        kind: Kind::Login,
        outcome: Outcome::Success,
        actor: Some(actor(subject, &[])),
        operation: "login unlocked".to_owned(),
        functions: vec![Function::LockoutPolicy],
        targets: vec![Target {
            kind: "account".to_owned(),
            name: Some(account.to_owned()),
            ..Target::default()
        }],
        origin: match &subject.authentication {
            Authentication::Person(person) => Some(person.origin.clone()),
            Authentication::Nobody(_) => None,
        },
        detail: format!("{} logins; the last failure came from {}", word(class), tally.origin),
        of: None,
        count: None,
    }
}

fn no_account(typed: &str) -> Failure {
    not_found(format!("there is no user `{typed}`, and nobody failed to log in by that name"))
}

const fn word(class: OriginClass) -> &'static str {
    match class {
        OriginClass::Local => "local",
        OriginClass::Remote => "remote",
    }
}
