// SPDX-License-Identifier: Apache-2.0
//! What changes between two policies, cell by cell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::media::{Class, Granted, Rule};
use crate::policy::Policy;
use crate::policy::rule::{InformationDomain, Role};
use crate::table3::Function;

/// A cell of the policy that has another value, by names that people know:
/// `role.user` and `start`, `gate` and `connections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The cell in it.
    pub cell: String,
    /// Its value before; none if the cell was not there.
    pub before: Option<String>,
    /// Its value now; none if the cell is gone.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    /// `role.user: start: granted -> -`, and from when on where that is not at once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let (before, after) = (value(&self.before), value(&self.after));
        write!(f, "{}: {}: {before} -> {after}{}", self.table, self.cell, self.later())
    }
}

impl Change {
    /// For people: "role `user` may no longer start (22)", "bob holds role `user` now".
    pub fn words(&self) -> String {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (before, after) = (value(&self.before), value(&self.after));
        let Some(role) = self.table.strip_prefix("role.") else {
            let when = self.later();
            return format!("[{}] {}: {after} instead of {before}{when}", self.table, self.cell);
        };
        let member = before == "member" || after == "member";
        match (&self.before, &self.after) {
            (None, Some(_)) if member => format!("{} holds role `{role}` now", self.cell),
            (Some(_), None) if member => format!("{} holds role `{role}` no longer", self.cell),
            (None, Some(granted)) if granted == "granted" => format!("role `{role}` may {} now", self.act()),
            (Some(granted), None) if granted == "granted" => {
                format!("role `{role}` may {} no longer", self.act())
            }
            (None, Some(_)) | (Some(_), None) | (Some(_), Some(_)) | (None, None) => {
                format!("role `{role}`: {} is {after} instead of {before}", self.cell)
            }
        }
    }

    /// The trail's store is laid out when it is opened.
    fn later(&self) -> &'static str {
        if self.table == "audit" { ", from policyd's next start on" } else { "" }
    }

    fn act(&self) -> String {
        let number = Function::from_slug(&self.cell).map(|function| format!(" (row {})", function.number()));
        format!("`{}`{}", self.cell, number.unwrap_or_default())
    }
}

type Cells = BTreeMap<(String, String), String>;

impl Policy {
    /// What changes from one policy to another, in the order of the tables' names.
    pub fn difference(before: &Policy, after: &Policy) -> Vec<Change> {
        let (before, after) = (before.cells(), after.cells());
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        keys.into_iter()
            .filter(|key| before.get(*key) != after.get(*key))
            .map(|key| Change {
                table: key.0.clone(),
                cell: key.1.clone(),
                before: before.get(key).cloned(),
                after: after.get(key).cloned(),
            })
            .collect()
    }

    fn cells(&self) -> Cells {
        let Policy {
            roles,
            members: _,
            hidden: _,
            information_domains,
            vm,
            media,
            media_rules,
            saved,
            audit,
            gate,
            session,
        } = self;
        let mut cells = Cells::new();
        roles.iter().for_each(|role| role_cells(role, &mut cells));
        information_domains.values().for_each(|domain| domain_cells(domain, &mut cells));
        put(&mut cells, "vm", "raw", vm.raw.word());
        put(&mut cells, "vm", "snapshots", vm.snapshots);
        put(&mut cells, "vm", "template", vm.template.as_deref().unwrap_or("none"));
        for directory in &media.library {
            put(&mut cells, "media", directory.display(), "in the library");
        }
        media_rules.kinds.iter().for_each(|(kind, rule)| rule_cells("media", kind.word(), rule, &mut cells));
        media_rules.classes.values().for_each(|class| class_cells(class, &mut cells));
        put(&mut cells, "saved", "directory", saved.directory.display());
        put(&mut cells, "audit", "segment-size", audit.segment_size);
        put(&mut cells, "audit", "store-size", audit.store_size);
        put(&mut cells, "audit", "full-store", audit.full_store.word());
        put(&mut cells, "gate", "connections", gate.connections);
        put(&mut cells, "gate", "per-account", gate.per_account);
        put(&mut cells, "session", "activation", session.activation.word());
        put(&mut cells, "session", "raised", format_args!("{} s", session.raised));
        cells
    }
}

fn role_cells(role: &Role, cells: &mut Cells) {
    let table = format!("role.{}", role.name);
    put(cells, &table, "column", role.column.word());
    put(cells, &table, "vms", &role.vms);
    put(cells, &table, "networks", &role.networks);
    put(cells, &table, "pools", &role.pools);
    put(cells, &table, "devices", &role.devices);
    role.quota.iter().for_each(|quota| put(cells, &table, "quota", quota));
    role.users.iter().for_each(|user| put(cells, &table, format!("user {user}"), "member"));
    role.groups.iter().for_each(|group| put(cells, &table, format!("group {group}"), "member"));
    role.services.iter().for_each(|service| put(cells, &table, format!("service {service}"), "member"));
    role.grants().for_each(|(right, _)| put(cells, &table, right.word(), "granted"));
}

fn domain_cells(domain: &InformationDomain, cells: &mut Cells) {
    let table = format!("information-domain.{}", domain.name);
    put(cells, &table, "information domain", "defined");
    domain.networks.keys().for_each(|name| put(cells, &table, format!("network {name}"), "listed"));
}

fn rule_cells(prefix: &str, name: &str, rule: &Rule, cells: &mut Cells) {
    let table = format!("{prefix}.{name}");
    put(cells, &table, "rule", rule.choice.word());
    put(cells, &table, "access", rule.access.word());
    match &rule.granted {
        Granted::AllVms => put(cells, &table, "granted", "all-vms"),
        Granted::Listed(names) => {
            names.iter().for_each(|name| put(cells, &table, format!("granted {name}"), "yes"));
        }
    }
}

fn class_cells(class: &Class, cells: &mut Cells) {
    let table = format!("device-class.{}", class.name);
    class.patterns.iter().for_each(|pattern| put(cells, &table, format!("match {pattern}"), "yes"));
    match &class.rule {
        Some(rule) => rule_cells("device-class", &class.name, rule, cells),
        None => put(cells, &table, "rule", "always-deny"),
    }
}

fn put(cells: &mut Cells, table: &str, cell: impl fmt::Display, value: impl fmt::Display) {
    cells.insert((table.to_owned(), cell.to_string()), value.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    fn policy(text: &str) -> Policy {
        Policy::load(&[Source { name: "test", text }]).unwrap()
    }

    #[test]
    fn what_counts_later_is_told_to_count_later() {
        let now = Policy::difference(&policy(""), &policy("[audit]\nfull-store = \"overwrite-oldest\"\n"));
        let [change] = now.as_slice() else { panic!("{now:?}") };
        for told in [change.words(), change.to_string()] {
            assert!(told.ends_with(", from policyd's next start on"), "{told}");
        }
    }

    #[test]
    fn a_difference_reads_like_a_sentence() {
        let before =
            policy("[role.user]\ncolumn = \"user\"\ngroups = [\"libvirt\"]\nfunctions = [\"start\"]\n");
        let after = policy(
            "[role.user]\ncolumn = \"user\"\nusers = [\"bob\"]\nfunctions = [\"stop\"]\nvms = \"all\"\n\
             [gate]\nconnections = 9\n",
        );
        let words: Vec<_> = Policy::difference(&before, &after).iter().map(Change::words).collect();
        assert_eq!(
            words,
            [
                "[gate] connections: 9 instead of 512",
                "group libvirt holds role `user` no longer",
                "role `user` may `start` (row 22) no longer",
                "role `user` may `stop` (row 23) now",
                "user bob holds role `user` now",
                "role `user`: vms is all instead of assigned",
            ]
        );
    }
}
