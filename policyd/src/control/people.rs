// SPDX-License-Identifier: Apache-2.0
//! People as others type them, found in the account database.

use nix::unistd::{Group as GroupEntry, User};
use virtwarden_core::control::Failure;
use virtwarden_core::subject::{Account, Group};

use super::failure::{failed, not_found};

/// Finds an account by its name.
pub(super) fn account(name: &str) -> Result<Account, Failure> {
    match User::from_name(name) {
        Ok(Some(user)) => Ok(Account { name: user.name, uid: user.uid.as_raw() }),
        Ok(None) => Err(not_found(format!("there is no user `{name}`{}", meant("/etc/passwd", name)))),
        Err(error) => Err(failed(format!("cannot look up user `{name}`: {error}"))),
    }
}

/// Finds a group by its name.
pub(super) fn group(name: &str) -> Result<Group, Failure> {
    entry(name).map(|group| Group { name: group.name, gid: group.gid.as_raw() })
}

/// The accounts that a group lists as members.
pub(super) fn members(name: &str) -> Result<Vec<String>, Failure> {
    entry(name).map(|group| group.mem)
}

fn entry(name: &str) -> Result<GroupEntry, Failure> {
    match GroupEntry::from_name(name) {
        Ok(Some(group)) => Ok(group),
        Ok(None) => Err(not_found(format!("there is no group `{name}`{}", meant("/etc/group", name)))),
        Err(error) => Err(failed(format!("cannot look up group `{name}`: {error}"))),
    }
}

/// A local name that is close to the one that was typed. Directory services are not searched.
fn meant(file: &str, typed: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split(':').next());
    match closest(typed, names) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

/// The name with the fewest edits to the typed one, if at most two.
fn closest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (edits(typed, name), name)).filter(|(edits, _)| *edits <= 2);
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// How many letters must be put in, left out or replaced to turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let mut costs: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, letter) in from.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        let (first, rest) = costs.split_at_mut(1);
        first.fill(left);
        for (cost, other) in rest.iter_mut().zip(to.chars()) {
            left = (diagonal + usize::from(letter != other)).min(left + 1).min(*cost + 1);
            diagonal = std::mem::replace(cost, left);
        }
    }
    costs.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::control::FailureKind;

    #[test]
    fn root_is_found_and_nobody_else_is_invented() {
        assert_eq!(account("root").unwrap(), Account { name: "root".into(), uid: 0 });
        let failure = account("rooot").unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFound);
        assert_eq!(failure.message, "there is no user `rooot`; did you mean `root`?");
        assert_eq!(
            group("no-such-group-here").unwrap_err().message,
            "there is no group `no-such-group-here`"
        );
    }

    #[test]
    fn edits_count_letters() {
        for (from, to, count) in
            [("bob", "bob", 0), ("bob", "rob", 1), ("bob", "bo", 1), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(edits(from, to), count, "{from} {to}");
            assert_eq!(edits(to, from), count, "{to} {from}");
        }
        assert_eq!(closest("bbo", ["alice", "bob", "carol"].into_iter()), Some("bob"));
        assert_eq!(closest("dave", ["alice", "bob", "carol"].into_iter()), None);
    }
}
