// SPDX-License-Identifier: Apache-2.0
//! Lockout: policyd does it itself, exactly. Here is only what would hide it. Row 16, FIA_AFL_EXT.1.
//!
//! sshd (9.8 and later) penalizes an address after failed logins, whoever logs in from there next:
//! an account that is not locked would be refused, and unlocking it would change nothing. That one
//! penalty is turned off, since policyd counts failures by account; the others stay. MaxAuthTries is
//! large enough that the attempt which meets the limit is answered on the same connection.

use virtwarden_core::setting::{Limit, Lockout, SettingName};

use super::{Derived, Provider, Rendered, pam, sshd};
use crate::host::Host;

const SSHD: &str = "/etc/ssh/sshd_config.d/10-virtwarden-lockout.conf";
/// OpenSSH's own default.
const TRIES: u32 = 6;
/// Modules that count failures by rules of their own.
const OTHER_COUNTERS: [&str; 3] = ["pam_faillock.so", "pam_tally2.so", "pam_tally.so"];

/// The lockout's files.
pub(crate) struct LockoutFiles;

impl Provider for LockoutFiles {
    type Value = Lockout;
    const NAME: SettingName = SettingName::Lockout;
    const FILES: &'static [&'static str] = &[SSHD];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, _value: &Lockout) -> Result<(), String> {
        sshd::examine(host)
    }

    fn render(host: &Host, value: &Lockout) -> Result<Vec<Rendered>, String> {
        if !sshd::is_here(host) {
            return Ok(Vec::new());
        }
        let mut text = format!("{}MaxAuthTries {}\n", sshd::HEAD, tries(value));
        if penalizes(host)? {
            text.push_str("PerSourcePenalties authfail:0\n");
        }
        Ok(vec![Rendered { path: SSHD, text }])
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        sshd::try_out(host, rendered)
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        sshd::take_effect(host)
    }

    fn read_back(host: &Host, value: &Lockout) -> Vec<String> {
        let mut differences = sshd::read_back(host, &[("MaxAuthTries", tries(value).to_string())]);
        differences.extend(penalty(host));
        differences
    }

    fn remarks(host: &Host, _value: &Lockout) -> Vec<String> {
        let remark = |(service, module): (String, String)| {
            format!(
                "`{module}` in /etc/pam.d/{service} also locks accounts, by rules of its own that `virtwarden lockout` \
                 neither shows nor lifts; take it out of there"
            )
        };
        pam::uses(host, &OTHER_COUNTERS).into_iter().map(remark).collect()
    }
}

fn tries(value: &Lockout) -> u32 {
    match value.limit {
        Limit::Attempts { failures, .. } => TRIES.max(failures.saturating_add(1)),
        Limit::Delay { .. } => TRIES,
    }
}

/// Whether this sshd knows penalties at all: it lists them if it does.
fn penalizes(host: &Host) -> Result<bool, String> {
    Ok(sshd::effective(host)?.contains_key("persourcepenalties"))
}

/// A line if sshd still refuses addresses for failed logins.
fn penalty(host: &Host) -> Option<String> {
    let options = if sshd::is_here(host) { sshd::effective(host).ok()? } else { return None };
    let penalties = options.get("persourcepenalties")?;
    let off = penalties == "no" || penalties.split(' ').any(|penalty| penalty == "authfail:0");
    (!off).then(|| {
        format!(
            "sshd refuses addresses after failed logins (PerSourcePenalties {penalties}), which hides the lockout; \
             look for PerSourcePenalties in /etc/ssh/sshd_config and in files of /etc/ssh/sshd_config.d that come \
             before ours"
        )
    })
}
