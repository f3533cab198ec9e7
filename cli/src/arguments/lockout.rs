// SPDX-License-Identifier: Apache-2.0
//! `virtwarden lockout`.

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use virtwarden_core::control::OriginClass;
use virtwarden_core::setting::{Counted, Disclosure};

use super::word::words;
use super::{ChangeArguments, ReasonArguments};
use crate::duration::{parse_duration, parse_duration_or_never};

const SET_EXAMPLES: &str = "\
Examples:
  virtwarden lockout set --attempts 5 --period 15m --unlock 10m
  virtwarden lockout set --attempts 3 --period 1h --unlock never --reason 'site rule 4'
  virtwarden lockout set --delay 2s --longest 1h
  virtwarden lockout set --counted remote --silent
What is not named stays as it is.";

/// What to do with locks after failed logins.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LockoutVerb {
    /// List accounts with failed logins or locks.
    ///
    /// Logins at the machine itself and logins over the network count apart, so an account can have two lines.
    List,
    /// Show one account's failed logins and locks.
    Show {
        /// The account.
        #[arg(value_hint = ValueHint::Username)]
        user: String,
    },
    /// Forget an account's failed logins and lift its lock.
    ///
    /// Not for the locked person himself: this needs row 16 of Table 3, in an authenticated session.
    Unlock(UnlockArguments),
    /// Set what counts, how much is too much, and what ends a lock. Row 16 of Table 3.
    ///
    /// Only typed passwords and PINs count. Logins by key are neither counted nor locked out, and do not clear
    /// what was counted. The counter is exact also when many logins come at once, and survives a reboot.
    #[command(after_help = SET_EXAMPLES)]
    Set(LockoutSetArguments),
}

/// Whom to unlock.
#[derive(Clone, Debug, Args)]
pub(crate) struct UnlockArguments {
    /// The account.
    #[arg(value_hint = ValueHint::Username)]
    pub(crate) user: String,
    /// Only logins at the machine itself.
    #[arg(long, conflicts_with = "remote")]
    local: bool,
    /// Only logins over the network.
    #[arg(long)]
    remote: bool,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

impl UnlockArguments {
    /// Which logins; none means both.
    pub(crate) const fn class(&self) -> Option<OriginClass> {
        match (self.local, self.remote) {
            (true, _) => Some(OriginClass::Local),
            (false, true) => Some(OriginClass::Remote),
            (false, false) => None,
        }
    }
}

/// The lockout policy, or a part of it.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("something").multiple(true).required(true).args(
    ["attempts", "period", "unlock", "delay", "longest", "counted", "tell", "silent"]
)))]
pub(crate) struct LockoutSetArguments {
    /// Lock after so many failures (1 to 100) within the period.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["delay", "longest"])]
    pub(crate) attempts: Option<u32>,
    /// How long a failure counts: 1s to 1 day.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with_all = ["delay", "longest"])]
    pub(crate) period: Option<u32>,
    /// What ends a lock: so much time (1s to 30 days), or `never`: an Administrator alone.
    #[arg(long, value_name = "TIME|never", value_parser = unlocking, conflicts_with_all = ["delay", "longest"])]
    pub(crate) unlock: Option<Unlock>,
    /// Do not lock; after the first failure wait so long (1s to 1h), and twice as long after each further one.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) delay: Option<u32>,
    /// The longest wait: up to 1 day.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) longest: Option<u32>,
    /// Count and lock only logins over the network, or those at the machine itself too.
    #[arg(long, value_parser = words([("remote", Counted::Remote), ("everywhere", Counted::Everywhere)]))]
    pub(crate) counted: Option<Counted>,
    /// Tell who is locked out that he is, and for how long.
    #[arg(long, conflicts_with = "silent")]
    tell: bool,
    /// Tell him nothing: it looks like a wrong password.
    #[arg(long)]
    silent: bool,
    /// Why.
    #[command(flatten)]
    pub(crate) reason: ReasonArguments,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

/// What ends a lock, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlock {
    /// So many seconds.
    After(u32),
    /// An Administrator.
    Never,
}

fn unlocking(text: &str) -> Result<Unlock, String> {
    parse_duration_or_never(text).map(|seconds| seconds.map_or(Unlock::Never, Unlock::After))
}

impl LockoutSetArguments {
    /// What who is locked out is told, if that is to change.
    pub(crate) const fn disclosure(&self) -> Option<Disclosure> {
        match (self.tell, self.silent) {
            (true, _) => Some(Disclosure::Remaining),
            (false, true) => Some(Disclosure::Nothing),
            (false, false) => None,
        }
    }
}
