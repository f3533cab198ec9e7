// SPDX-License-Identifier: Apache-2.0
//! Accounts and groups of the host, as its name service knows them.

use std::collections::BTreeSet;

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// The group whose members the shipped policy makes Administrators.
pub(crate) const ADMINISTRATORS: &str = "virtwarden-admin";

/// Groups whose members reach VMs, disks or the host itself without asking libvirt, and how.
pub(crate) const STRONG_GROUPS: &[(&str, &str)] = &[
    ("kvm", "may start emulators of his own with /dev/kvm"),
    ("libvirt-qemu", "has the rights of every running VM"),
    ("disk", "may read and write every disk of the host"),
    ("docker", "is root by way of containers"),
    ("lxd", "is root by way of containers"),
    ("incus-admin", "is root by way of containers"),
    ("shadow", "may read everybody's password hash"),
    ("virtwarden", "reaches libvirt's own sockets past the monitor"),
];

/// One line of the account database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
    shell: String,
}

impl Person {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.trim_end().split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let shell = fields.nth(2)?.to_owned();
        Some(Self { name, uid, gid, shell })
    }

    /// Somebody can log in to it and it is not root.
    pub(crate) fn is_person(&self) -> bool {
        let no_login = self.shell.ends_with("/nologin") || self.shell.ends_with("/false");
        self.uid != 0 && !no_login
    }
}

/// The accounts that somebody can log in to, but for root.
pub(crate) fn names_of_people(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    let listed = host.run("getent", &["passwd"])?;
    let people = listed.lines().filter_map(Person::parse).filter(Person::is_person);
    Ok(people.map(|person| person.name).collect())
}

/// How getent exits when there is no such name.
const NOT_FOUND: i32 = 2;

/// Looks an account up.
pub(crate) fn find(host: &Host<'_>, name: &str) -> Result<Option<Person>, Trouble> {
    let line = host.ask(NOT_FOUND, "getent", &["passwd", "--", name])?;
    Ok(line.as_deref().and_then(Person::parse))
}

/// Makes sure that somebody logs in to an account.
///
/// # Errors
/// When there is none of that name, or it is not a person's.
pub(crate) fn need_person(host: &Host<'_>, name: &str) -> Result<(), Trouble> {
    match find(host, name)? {
        Some(person) if person.is_person() => Ok(()),
        Some(_) => Err(Trouble::Refused(format!(
            "`{name}` is not a person's account; name one that somebody logs in to"
        ))),
        None => {
            Err(Trouble::Refused(format!("there is no account `{name}`; make it first, or name another")))
        }
    }
}

/// The people in a group.
pub(crate) fn people(host: &Host<'_>, group: &str) -> Result<BTreeSet<String>, Trouble> {
    let mut people = BTreeSet::new();
    for name in members(host, group)? {
        if find(host, &name)?.is_some_and(|account| account.is_person()) {
            people.insert(name);
        }
    }
    Ok(people)
}

/// The names in a group, those included whose login group it is. A group that is not there has none.
pub(crate) fn members(host: &Host<'_>, group: &str) -> Result<BTreeSet<String>, Trouble> {
    let Some(line) = host.ask(NOT_FOUND, "getent", &["group", "--", group])? else {
        return Ok(BTreeSet::new());
    };
    let mut fields = line.trim_end().split(':');
    let gid = fields.nth(2).and_then(|gid| gid.parse::<u32>().ok());
    let listed = fields.next().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let mut members: BTreeSet<String> = listed.map(str::to_owned).collect();
    members.extend(everybody(host)?.into_iter().filter(|p| Some(p.gid) == gid).map(|p| p.name));
    Ok(members)
}

/// The number of a group.
pub(crate) fn group_id(host: &Host<'_>, group: &str) -> Result<u32, Trouble> {
    let line = host.run("getent", &["group", "--", group])?;
    line.split(':').nth(2).and_then(|gid| gid.trim().parse().ok()).ok_or_else(|| {
        Trouble::Refused(format!("there is no group `{group}`; install the package again to make it"))
    })
}

/// All accounts that the name service lists.
fn everybody(host: &Host<'_>) -> Result<Vec<Person>, Trouble> {
    Ok(host.run("getent", &["passwd"])?.lines().filter_map(Person::parse).collect())
}

/// People in groups that are stronger than any role, one sentence each.
pub(crate) fn too_strong(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    let mut found = Vec::new();
    for (group, what) in STRONG_GROUPS {
        for name in people(host, group)? {
            found.push(format!("{name} is in group {group} and {what}: `gpasswd -d {name} {group}`"));
        }
    }
    Ok(found)
}

/// Groups that Debian and others make root by sudo or polkit.
const ROOT_BY_SUDO: &[&str] = &["sudo", "wheel", "admin"];

/// People who become root by sudo, one sentence each: root is bound by no role. An Administrator may need it.
pub(crate) fn root_by_sudo(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    let administrators = members(host, ADMINISTRATORS)?;
    let mut found = Vec::new();
    for group in ROOT_BY_SUDO {
        for name in people(host, group)? {
            let standing =
                if administrators.contains(&name) { "an Administrator" } else { "no Administrator" };
            found.push(format!(
                "{name} ({standing}) is in group {group} and can become root: `gpasswd -d {name} {group}`"
            ));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_root_are_not_people() {
        let person = |line: &str| Person::parse(line).unwrap().is_person();
        assert!(person("alice:x:1000:1000:Alice:/home/alice:/bin/bash"));
        assert!(!person("root:x:0:0:root:/root:/bin/bash"));
        assert!(!person("libvirt-qemu:x:64055:104:,,,:/var/lib/libvirt:/usr/sbin/nologin"));
        assert!(Person::parse("half:x:12").is_none());
    }
}
