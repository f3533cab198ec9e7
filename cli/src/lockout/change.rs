// SPDX-License-Identifier: Apache-2.0
//! A lockout policy with the parts changed that were named.

use virtwarden_core::setting::{Limit, Lockout, Unlocking};

use crate::arguments::{LockoutSetArguments, Unlock};
use crate::exit::Failed;

/// The policy `now` with what `arguments` name. Ranges are checked by the policy itself.
pub(super) fn merged(now: &Lockout, arguments: &LockoutSetArguments) -> Result<Lockout, Failed> {
    Ok(Lockout {
        limit: limit(now.limit, arguments)?,
        counted: arguments.counted.unwrap_or(now.counted),
        disclosure: arguments.disclosure().unwrap_or(now.disclosure),
    })
}

fn limit(now: Limit, arguments: &LockoutSetArguments) -> Result<Limit, Failed> {
    let attempts = arguments.attempts.is_some() || arguments.period.is_some() || arguments.unlock.is_some();
    let delay = arguments.delay.is_some() || arguments.longest.is_some();
    match now {
        Limit::Attempts { failures, period, unlocking } if !delay => Ok(Limit::Attempts {
            failures: arguments.attempts.unwrap_or(failures),
            period: arguments.period.unwrap_or(period),
            unlocking: arguments.unlock.map_or(unlocking, ending),
        }),
        Limit::Delay { first, longest } if !attempts => Ok(Limit::Delay {
            first: arguments.delay.unwrap_or(first),
            longest: arguments.longest.unwrap_or(longest),
        }),
        Limit::Attempts { .. } => delayed(arguments),
        Limit::Delay { .. } => counted(arguments),
    }
}

/// From a number of attempts to a delay: nothing can stay as it is.
fn delayed(arguments: &LockoutSetArguments) -> Result<Limit, Failed> {
    match (arguments.delay, arguments.longest) {
        (Some(first), Some(longest)) => Ok(Limit::Delay { first, longest }),
        (_, _) => {
            Err(Failed::usage("a number of attempts is set now; for a delay name --delay and --longest"))
        }
    }
}

/// From a delay to a number of attempts.
fn counted(arguments: &LockoutSetArguments) -> Result<Limit, Failed> {
    match (arguments.attempts, arguments.period, arguments.unlock) {
        (Some(failures), Some(period), Some(unlock)) => {
            Ok(Limit::Attempts { failures, period, unlocking: ending(unlock) })
        }
        (_, _, _) => Err(Failed::usage(
            "a delay is set now; for a number of attempts name --attempts, --period and --unlock",
        )),
    }
}

fn ending(unlock: Unlock) -> Unlocking {
    match unlock {
        Unlock::After(seconds) => Unlocking::After(seconds),
        Unlock::Never => Unlocking::ByAdministrator,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use virtwarden_core::setting::{Counted, Disclosure};

    use super::*;
    use crate::arguments::{Arguments, LockoutVerb, Noun};

    fn typed(options: &str) -> LockoutSetArguments {
        let words = ["virtwarden", "lockout", "set"].into_iter().chain(options.split(' '));
        let Noun::Lockout(LockoutVerb::Set(arguments)) = Arguments::try_parse_from(words).unwrap().noun
        else {
            panic!("{options}")
        };
        arguments
    }

    fn attempts(failures: u32, period: u32, unlocking: Unlocking) -> Limit {
        Limit::Attempts { failures, period, unlocking }
    }

    #[test]
    fn what_is_not_named_stays() {
        let by_attempts = Lockout::default();
        let by_delay = Lockout { limit: Limit::Delay { first: 2, longest: 60 }, ..by_attempts.clone() };
        for (now, options, limit) in [
            (&by_attempts, "--attempts 3", attempts(3, 900, Unlocking::After(600))),
            (&by_attempts, "--period 1h", attempts(5, 3600, Unlocking::After(600))),
            (&by_attempts, "--unlock never", attempts(5, 900, Unlocking::ByAdministrator)),
            (&by_attempts, "--silent", by_attempts.limit),
            (&by_attempts, "--delay 2s --longest 1m", Limit::Delay { first: 2, longest: 60 }),
            (&by_delay, "--longest 2m", Limit::Delay { first: 2, longest: 120 }),
            (&by_delay, "--attempts 3 --period 5m --unlock 1h", attempts(3, 300, Unlocking::After(3600))),
        ] {
            assert_eq!(merged(now, &typed(options)).unwrap().limit, limit, "{options}");
        }
        let changed = merged(&by_attempts, &typed("--counted remote --silent")).unwrap();
        assert_eq!((changed.counted, changed.disclosure), (Counted::Remote, Disclosure::Nothing));
    }

    #[test]
    fn from_one_kind_to_the_other_everything_must_be_named() {
        let by_attempts = Lockout::default();
        let by_delay = Lockout { limit: Limit::Delay { first: 2, longest: 60 }, ..by_attempts.clone() };
        assert!(merged(&by_attempts, &typed("--delay 2s")).is_err());
        assert!(merged(&by_delay, &typed("--attempts 3")).is_err());
    }
}
