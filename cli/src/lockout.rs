// SPDX-License-Identifier: Apache-2.0
//! `virtwarden lockout`.

mod change;

use std::path::Path;

use virtwarden_core::control::{Lock, LockoutRow, OriginClass, Reply, Request};
use virtwarden_core::setting::{Setting, SettingName};

use crate::arguments::{LockoutSetArguments, LockoutVerb, UnlockArguments};
use crate::client::{ask, unexpected};
use crate::duration::spelled;
use crate::exit::Failed;
use crate::output::{Format, Output};
use crate::setting;
use crate::time;
use crate::vm::print_change;

const HEADERS: [&str; 6] = ["ACCOUNT", "LOGINS", "FAILURES", "LAST (UTC)", "FROM", "LOCK"];

/// Does what the verb says.
pub(crate) fn run(verb: &LockoutVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        LockoutVerb::List => show(&Request::LockoutList, "no failures and no locks", socket, output),
        LockoutVerb::Show { user } => {
            let none = format!("`{user}` has no failures and no lock");
            show(&Request::LockoutShow { account: user.clone() }, &none, socket, output)
        }
        LockoutVerb::Unlock(arguments) => unlock(arguments, socket, output),
        LockoutVerb::Set(arguments) => set(arguments, socket, output),
    }
}

fn show(request: &Request, none: &str, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Lockouts(rows) = ask(socket, request)? else { return Err(unexpected()) };
    if rows.is_empty() && output.format() != Format::Json {
        return output.remark(none);
    }
    let now = time::now_in_seconds();
    output.show(&rows, HEADERS, rows.iter().map(|line| row(line, now)))
}

fn row(row: &LockoutRow, now: u64) -> [String; 6] {
    let class = match row.class {
        OriginClass::Local => "local",
        OriginClass::Remote => "remote",
    };
    [
        row.account.clone(),
        class.to_owned(),
        row.failures.to_string(),
        time::of_seconds(row.last),
        row.origin.to_string(),
        lock(row.lock, now),
    ]
}

fn lock(lock: Lock, now: u64) -> String {
    match lock {
        Lock::Open => "open".to_owned(),
        Lock::Until(end) => format!("for {}", spelled(end.saturating_sub(now))),
        Lock::UntilUnlocked => "until unlocked".to_owned(),
        Lock::Spared => "spared: the last Administrator who can log in here".to_owned(),
    }
}

fn unlock(arguments: &UnlockArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let (account, class, mode) = (arguments.user.clone(), arguments.class(), arguments.change.mode());
    let Reply::Changed(change) = ask(socket, &Request::LockoutUnlock { account, class, mode })? else {
        return Err(unexpected());
    };
    print_change(&change, output)
}

fn set(arguments: &LockoutSetArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let merged = |now| {
        let Setting::Lockout(now) = now else { return Err(unexpected()) };
        change::merged(&now, arguments).map(Setting::Lockout)
    };
    let told = (arguments.reason.words(), arguments.change.mode());
    setting::change(SettingName::Lockout, merged, told, socket, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_what_ends_it() {
        for (state, said) in [
            (Lock::Open, "open"),
            (Lock::Until(1090), "for 1 min 30 s"),
            (Lock::Until(10), "for 0 s"),
            (Lock::UntilUnlocked, "until unlocked"),
            (Lock::Spared, "spared: the last Administrator who can log in here"),
        ] {
            assert_eq!(lock(state, 1000), said);
        }
    }
}
