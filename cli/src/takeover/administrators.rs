// SPDX-License-Identifier: Apache-2.0
//! Who is an Administrator on this host by its policy. root does not count: nobody can be named by it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use virtwarden_core::policy::Policy;
use virtwarden_core::policy::Source;
use virtwarden_core::policy::request::Right;

use crate::takeover::accounts;
use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// Where the policy is; a file of the second hides one of the same name of the first.
const DIRECTORIES: &[&str] = &["/usr/share/virtwarden/policy.d", "/etc/virtwarden/policy.d"];

/// The people who are Administrators now: those who hold a role that manages the host.
pub(crate) fn present(host: &Host<'_>) -> Result<BTreeSet<String>, Trouble> {
    let policy = policy(host)?;
    let mut people = BTreeSet::new();
    for role in policy.rules().filter(|role| role.holds(Right::Administer)) {
        for group in &role.groups {
            people.extend(accounts::people(host, group)?);
        }
        for name in &role.users {
            if accounts::find(host, name)?.is_some_and(|account| account.is_person()) {
                people.insert(name.clone());
            }
        }
    }
    Ok(people)
}

/// Makes sure that somebody will manage the host.
///
/// # Errors
/// When nobody is named and nobody is one, a name is not a person's, or the policy would not have them.
pub(crate) fn check(host: &Host<'_>, named: &[String]) -> Result<(), Trouble> {
    for name in named {
        accounts::need_person(host, name)?;
    }
    if named.is_empty() {
        return check_present(host);
    }
    let group = accounts::ADMINISTRATORS;
    if policy(host)?.rules().any(|role| role.holds(Right::Administer) && role.groups.contains(group)) {
        Ok(())
    } else {
        Err(Trouble::Refused(format!(
            "the policy makes nobody in group `{group}` an Administrator; name the group in a role that holds \
             \"administer\", or leave `--admin` out and name people there"
        )))
    }
}

fn check_present(host: &Host<'_>) -> Result<(), Trouble> {
    if present(host)?.is_empty() {
        return Err(Trouble::Refused(
            "nobody would be Administrator, and root alone does not count; name a person: \
             `virtwarden enable --admin USER`"
                .into(),
        ));
    }
    Ok(())
}

/// The policy as the monitor will load it. With a mistake in it the monitor would not start.
fn policy(host: &Host<'_>) -> Result<Policy, Trouble> {
    let mut files = BTreeMap::new();
    for directory in DIRECTORIES {
        for name in host.list(directory).into_iter().filter(|name| name.ends_with(".toml")) {
            files.insert(name.clone(), format!("{directory}/{name}"));
        }
    }
    let read = |path: String| {
        let text =
            fs::read_to_string(host.path(&path)).map_err(Trouble::io(format_args!("read `{path}`")))?;
        Ok((path, text))
    };
    let texts = files.into_values().map(read).collect::<Result<Vec<_>, Trouble>>()?;
    let sources: Vec<_> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    Policy::load(&sources).map_err(|mistakes| {
        let mistakes: Vec<_> = mistakes.iter().map(|mistake| mistake.render(&sources)).collect();
        Trouble::Refused(format!("the policy has mistakes, mend them first\n{}", mistakes.join("\n")))
    })
}
