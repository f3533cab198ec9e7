// SPDX-License-Identifier: Apache-2.0
//! What only policyd knows: how its own stores are, what on the host is not as set, and whether the policy on disk is the
//! one in force.

use std::path::Path;

use virtwarden_core::control::{PolicyFile, Reply, Request, SettingRow};

use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::policy::on_disk;
use crate::setting::all;
use crate::takeover::finding::Finding;

/// Asks it. Whoever may not know is told how to ask, and no refusal is put on record for him.
pub(crate) fn look(socket: &Path) -> Vec<Finding> {
    let unheard = |what: &str| {
        let what = what.to_owned();
        move |failed: Failed| {
            let what = format!("{what}: {}", failed.message);
            vec![Finding::problem(what, "`journalctl -u virtwarden-policyd` says why")]
        }
    };
    // What it tells of itself may be why it does not answer the rest: a full trail takes no record of a question.
    match own(socket) {
        Ok(own) => {
            let rest = in_force(socket);
            let rest = rest.unwrap_or_else(unheard("settings and the policy in force were not looked at"));
            own.into_iter().chain(rest).collect()
        }
        Err(failed) => unheard("policyd does not tell how it is")(failed),
    }
}

/// The settings and the policy, against the host and the disk.
fn in_force(socket: &Path) -> Result<Vec<Finding>, Failed> {
    let mut found = Vec::new();
    let disk = on_disk();
    if let Err(failed) = &disk {
        found.push(mistaken(failed));
    }
    let Reply::Whoami(asker) = ask(socket, &Request::Whoami)? else { return Err(unexpected()) };
    if !asker.withheld.is_empty() {
        found.push(Finding::warning(
            "settings and the policy in force were not looked at: nobody authenticated for this process",
            "run it by `sudo` in an Administrator's login session",
        ));
        return Ok(found);
    }
    found.extend(all(socket)?.iter().filter_map(drift));
    let Reply::Policy(in_force) = ask(socket, &Request::PolicyShow)? else { return Err(unexpected()) };
    found.extend(disk.ok().and_then(|disk| other(&in_force.files, &disk)));
    Ok(found)
}

/// What it warns of itself, as `status` does: libvirtd, damaged stores, the trail's store.
fn own(socket: &Path) -> Result<Vec<Finding>, Failed> {
    let Reply::Status(status) = ask(socket, &Request::Status)? else { return Err(unexpected()) };
    let warnings = status.details.into_iter().flat_map(|details| details.warnings);
    Ok(warnings.map(|warning| warned(&warning)).collect())
}

/// What it warns of, and after the first semicolon what to do.
fn warned(warning: &str) -> Finding {
    let (what, remedy) = warning.split_once("; ").unwrap_or((warning, "`virtwarden status` says so, too"));
    Finding::problem(what, remedy)
}

fn mistaken(failed: &Failed) -> Finding {
    let first = failed.message.lines().next().unwrap_or_default();
    Finding::problem(
        format!("the policy on disk has mistakes, and policyd would not start with it: {first}"),
        "`virtwarden policy check` shows each at its place",
    )
}

/// The first difference: the others mostly follow from it.
fn drift(row: &SettingRow) -> Option<Finding> {
    let (first, others) = row.drift.split_first()?;
    let name = row.setting.name();
    let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
    let (what, remedy) = if row.source.is_set() {
        let remedy = format!(
            "`virtwarden setting set {name}` with the same value puts its files right, `setting unset {name}` gives them back"
        );
        (format!("the host is not as setting {name} says: {first}{more}"), remedy)
    } else {
        let remedy = format!("`virtwarden setting set {name}` brings a value into force");
        (format!("nobody has set {name}, and the host does not keep to its default: {first}{more}"), remedy)
    };
    Some(Finding::warning(what, format!("{remedy}; `virtwarden setting drift {name}` says all")))
}

/// By name and text: the order is the names'.
fn other(in_force: &[PolicyFile], disk: &[(String, String)]) -> Option<Finding> {
    let is_same =
        |(file, (path, text)): (&PolicyFile, &(String, String))| file.path == *path && file.text == *text;
    let are_same = in_force.len() == disk.len() && in_force.iter().zip(disk).all(is_same);
    (!are_same).then(|| {
        Finding::warning(
            "the policy on disk is not the one in force",
            "`virtwarden policy reload --dry-run` shows what would change, `virtwarden policy reload` brings it into force",
        )
    })
}

#[cfg(test)]
mod tests {
    use virtwarden_core::control::SettingSource;
    use virtwarden_core::setting::SettingName;

    use super::*;

    #[test]
    fn a_setting_that_the_host_does_not_keep_is_named_with_what_mends_it() {
        let set = SettingSource::Set { by: "alice".into(), at: 1, reason: String::new() };
        for (source, what) in [
            (set, "the host is not as setting banner says"),
            (SettingSource::Default, "nobody has set banner"),
        ] {
            let lines = ["`/etc/issue` is missing", "so is another"].map(str::to_owned);
            let row =
                SettingRow { setting: SettingName::Banner.default_value(), source, drift: lines.into() };
            let finding = drift(&row).unwrap();
            assert!(finding.what.starts_with(what), "{finding:?}");
            assert!(finding.what.ends_with(": `/etc/issue` is missing, and 1 more"), "{finding:?}");
            assert!(finding.remedy.contains("virtwarden setting set banner"), "{finding:?}");
            assert!(drift(&SettingRow { drift: Vec::new(), ..row }).is_none());
        }
    }

    #[test]
    fn what_policyd_warns_of_is_told_with_what_to_do() {
        let finding = warned("the trail is full, all of it; `virtwarden audit delete`; or more room");
        assert_eq!(finding.what, "the trail is full, all of it");
        assert_eq!(finding.remedy, "`virtwarden audit delete`; or more room");
        assert!(warned("no more words").remedy.contains("virtwarden status"));
    }

    #[test]
    fn a_policy_is_the_one_in_force_file_by_file() {
        let file = |path: &str, text: &str| PolicyFile { path: path.into(), text: text.into() };
        let in_force = [file("/a", "one"), file("/b", "two")];
        let disk = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        assert!(other(&in_force, &disk(&[("/a", "one"), ("/b", "two")])).is_none());
        for pairs in [&[("/a", "one")][..], &[("/a", "one"), ("/b", "2")], &[("/a", "one"), ("/c", "two")]] {
            assert!(other(&in_force, &disk(pairs)).is_some(), "{pairs:?}");
        }
    }
}
