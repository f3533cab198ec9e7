// SPDX-License-Identifier: Apache-2.0
//! For root's own hand, when a host is taken over and given back: all settings at once.

use virtwarden_core::control::{Mode, Order, Report};
use virtwarden_core::setting::document::{self, Values};
use virtwarden_core::setting::{Setting, SettingName};

use crate::host::Host;
use crate::order::carry_out;

/// policyd's file. It is as good as policyd's orders: what is in it is checked as they are.
const SETTINGS: &str = "var/lib/virtwarden/settings.json";

/// Puts into force what Administrators set, and what policyd does even if nobody set it. Goes on
/// after a failure; the lines say what was done and what was not.
///
/// # Errors
/// The lines, if something was not done.
pub(crate) fn apply_all(host: &Host) -> Result<Vec<String>, Vec<String>> {
    let values = values(host).map_err(|why| vec![why])?;
    let setting = |name: SettingName| match (values.get(&name), name) {
        // policyd orders it at its start: it knows what the policy grants to the host.
        (_, SettingName::DefaultVm | SettingName::HostMedia) => None,
        (Some(chosen), _) => Some(chosen.setting.clone()),
        // Lockout is on by default: what would hide it must go.
        (None, SettingName::Lockout) => Some(name.default_value()),
        (
            None,
            SettingName::Banner
            | SettingName::PasswordPolicy
            | SettingName::AuditServer
            | SettingName::DirectoryServer
            | SettingName::RemoteTimeout
            | SettingName::ScreenLock
            | SettingName::ScreenLockTimeout
            | SettingName::SshCryptography
            | SettingName::CertificateValidity
            | SettingName::IpsecCryptography
            | SettingName::TimeServers
            | SettingName::TlsCryptography,
        ) => None,
    };
    let apply = |setting: Setting| Order::Apply { setting, mode: Mode::Apply };
    let unasked = (!values.contains_key(&SettingName::CertificateValidity)).then(|| {
        // On by default, too. But a site's IPsec that is broken keeps nobody from taking the host over; it shows as drift.
        carry_out(host, &apply(SettingName::CertificateValidity.default_value()))
    });
    let mut lines = all(host, SettingName::ALL.into_iter().filter_map(setting).map(apply))?;
    match unasked {
        Some(Report::Done(done) | Report::Drift(done)) => lines.extend(done),
        Some(Report::Failed(why)) => lines.push(format!("not yet: {why}")),
        None => {}
    }
    Ok(lines)
}

/// Gives every file back as it was. What is so already is left alone.
///
/// # Errors
/// The lines, if something was not done.
pub(crate) fn withdraw_all(host: &Host) -> Result<Vec<String>, Vec<String>> {
    all(host, SettingName::ALL.into_iter().map(|name| Order::Withdraw { name, mode: Mode::Apply }))
}

fn all(host: &Host, orders: impl Iterator<Item = Order>) -> Result<Vec<String>, Vec<String>> {
    let (mut lines, mut failures) = (Vec::new(), Vec::new());
    for order in orders {
        match carry_out(host, &order) {
            Report::Done(done) | Report::Drift(done) => lines.extend(done),
            Report::Failed(why) => failures.push(why),
        }
    }
    if failures.is_empty() { Ok(lines) } else { Err(failures) }
}

/// It belongs to policyd's account, so it is read like a message of policyd's, not like a file of root's.
fn values(host: &Host) -> Result<Values, String> {
    match std::fs::read(host.root().join(SETTINGS)) {
        Ok(bytes) => document::decode(&bytes).map_err(|why| format!("`/{SETTINGS}`: {why}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Values::new()),
        Err(error) => Err(format!("`/{SETTINGS}`: {error}")),
    }
}
