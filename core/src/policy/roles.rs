// SPDX-License-Identifier: Apache-2.0
//! `[role.NAME]`: one table of a policy file to a role.

use std::collections::BTreeMap;

use crate::policy::fault::{Fault, PolicyError};
use crate::policy::item::Item;
use crate::policy::place::Place;
use crate::policy::quota::Quota;
use crate::policy::request::Right;
use crate::policy::rule::Role;
use crate::policy::scope::{Names, VmScope};
use crate::policy::spelling::closest;
use crate::policy::table::{Table, collect};
use crate::table3::{Column, Function};

const KEYS: &[&str] = &[
    "column",
    "users",
    "groups",
    "services",
    "vms",
    "functions",
    "also",
    "networks",
    "pools",
    "devices",
    "quota",
];
const QUOTA_KEYS: &[&str] = &["vms", "memory", "vcpus"];
const COLUMNS: [(&str, Column); 2] =
    [(Column::Administrator.word(), Column::Administrator), (Column::User.word(), Column::User)];
const ALSO: [(&str, Right); 5] = [
    ("operate", Right::Operate),
    ("guest", Right::Guest),
    ("administer", Right::Administer),
    ("review", Right::Review),
    ("raw", Right::Raw),
];
const COLUMN_VALUES: &str = "column = \"administrator\" or column = \"user\"";
const MEMBERS: &str = "a list of names, such as [\"alice\", \"bob\"]";
const VMS: &str = "\"assigned\", \"all\" or a list of information domains";
const NAMES: &str = "\"all\" or a list of names";
const FUNCTIONS: &str = "\"all\" or a list of functions of Table 3, such as [\"start\", \"stop\"]";
const FUNCTION: &str = "a function of Table 3; `virtwarden table` lists them";
const RIGHTS: &str = "a list of `operate`, `guest`, `administer`, `review`, `raw`";

type Grants = BTreeMap<Right, Place>;

/// Rights and the values that name them.
type Placed<'a> = Result<Vec<(Right, Item<'a>)>, PolicyError>;

/// Reads a role, or all that is wrong with it.
pub(in crate::policy) fn read(name: &str, table: &Table<'_>) -> Result<Role, Vec<PolicyError>> {
    let mut errors: Vec<_> = table.unknown_keys(KEYS).collect();
    let column = collect(&mut errors, column(name, table));
    // Without a column nothing in the role can be judged; the tighter one finds the most mistakes.
    let mut role = Role::new(name.to_owned(), column.unwrap_or(Column::User), table.place());
    fill(&mut role.users, table, "users", |item| item.names(MEMBERS), &mut errors);
    fill(&mut role.groups, table, "groups", |item| item.names(MEMBERS), &mut errors);
    fill(&mut role.services, table, "services", |item| item.names(MEMBERS), &mut errors);
    fill(&mut role.vms, table, "vms", vms, &mut errors);
    fill(&mut role.networks, table, "networks", names, &mut errors);
    fill(&mut role.pools, table, "pools", names, &mut errors);
    fill(&mut role.devices, table, "devices", names, &mut errors);
    fill(&mut role.quota, table, "quota", |item| quota(item).map(Some), &mut errors);
    let mut grants = Grants::new();
    if let Some(column) = column {
        grants.extend(rights(table, "functions", column, functions, &mut errors));
        grants.extend(rights(table, "also", column, also, &mut errors));
    }
    let role = role.granting(grants);
    errors.extend(missing_quota(&role, table));
    errors.extend(strong_service(&role, table));
    if errors.is_empty() { Ok(role) } else { Err(errors) }
}

/// The column, which the two names that people know must not contradict.
fn column(name: &str, table: &Table<'_>) -> Result<Column, PolicyError> {
    let item = table.required("column", COLUMN_VALUES)?;
    let column = item.word(&COLUMNS)?;
    match COLUMNS.iter().find(|(word, _)| *word == name) {
        Some((_, promised)) if *promised != column => Err(item.error(Fault::MisleadingRole(*promised))),
        Some(_) | None => Ok(column),
    }
}

/// Puts what a key says in the place of the default, if the key is there.
fn fill<T>(
    target: &mut T,
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&Item<'_>) -> Result<T, PolicyError>,
    errors: &mut Vec<PolicyError>,
) {
    if let Some(value) = table.key(key).and_then(|item| collect(errors, read(&item))) {
        *target = value;
    }
}

fn vms(item: &Item<'_>) -> Result<VmScope, PolicyError> {
    if item.is_list() {
        return item.placed_names(VMS).map(VmScope::InformationDomains);
    }
    item.word(&[("assigned", ()), ("all", ())]).map_err(|_| item.unexpected(VMS))?;
    Ok(if item.is("all") { VmScope::All } else { VmScope::Assigned })
}

fn names(item: &Item<'_>) -> Result<Names, PolicyError> {
    if item.is("all") { Ok(Names::All) } else { item.names(NAMES).map(Names::Listed) }
}

fn quota(item: &Item<'_>) -> Result<Quota, PolicyError> {
    let table = item.table()?;
    if let Some(unknown) = table.unknown_keys(QUOTA_KEYS).next() {
        return Err(unknown);
    }
    Ok(Quota {
        vms: table.required("vms", "a number of VMs")?.number(0..100_001)?,
        memory_kib: table.required("memory", "a size, such as \"4 GiB\"")?.size()? / 1024,
        vcpus: table.required("vcpus", "a number of virtual CPUs")?.number(0..100_001)?,
    })
}

/// The rights that a key grants, each checked against the column.
fn rights<'a>(
    table: &Table<'a>,
    key: &str,
    column: Column,
    read: fn(&Item<'a>) -> Placed<'a>,
    errors: &mut Vec<PolicyError>,
) -> Grants {
    let Some(item) = table.key(key) else { return Grants::new() };
    let mut grants = Grants::new();
    for (right, at) in collect(errors, read(&item)).unwrap_or_default() {
        if !right.open_to(column) {
            errors.push(at.error(too_much(right, column)));
        } else if grants.insert(right, at.place()).is_some() {
            errors.push(at.error(Fault::Duplicate(right.word().to_owned())));
        }
    }
    grants
}

fn too_much(right: Right, column: Column) -> Fault {
    match right {
        Right::Function(function) => Fault::Never(function, column),
        Right::View | Right::Operate | Right::Guest | Right::Administer | Right::Review | Right::Raw => {
            Fault::TooStrong(right, column)
        }
    }
}

fn functions<'a>(item: &Item<'a>) -> Placed<'a> {
    if item.is("all") {
        return Ok(Function::ALL.map(|function| (Right::Function(function), item.clone())).to_vec());
    }
    item.list(FUNCTIONS)?
        .into_iter()
        .map(|member| Ok((Right::Function(function(&member)?), member)))
        .collect()
}

fn function(item: &Item<'_>) -> Result<Function, PolicyError> {
    let slug = item.string(FUNCTION)?;
    let meant = || closest(slug, Function::ALL.iter().map(|function| function.slug()));
    Function::from_slug(slug).ok_or_else(|| item.unknown_word(FUNCTION, meant()))
}

fn also<'a>(item: &Item<'a>) -> Placed<'a> {
    item.list(RIGHTS)?.into_iter().map(|member| Ok((member.word(&ALSO)?, member))).collect()
}

/// A User who may configure VMs without bounds could starve the host.
fn missing_quota(role: &Role, table: &Table<'_>) -> Option<PolicyError> {
    let configures = role.granted(Right::Function(Function::ConfigureVms)).is_some();
    let unbounded = role.column == Column::User && configures && table.key("quota").is_none();
    unbounded.then(|| table.error(Fault::NoQuota))
}

/// What a role does without a person must be said function by function, and open nothing else.
fn strong_service(role: &Role, table: &Table<'_>) -> Vec<PolicyError> {
    let Some(services) = table.key("services").filter(|_| !role.services.is_empty()) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    if role.column == Column::User {
        errors.push(services.error(Fault::ServiceOfUserColumn));
    }
    let all = table.key("functions").filter(|item| item.is("all"));
    errors.extend(all.map(|item| item.error(Fault::ServiceHoldsAll)));
    for right in [Right::Administer, Right::Raw] {
        let granted = role.granted(right).cloned();
        errors.extend(granted.map(|place| PolicyError { place, fault: Fault::ServiceTooStrong(right) }));
    }
    errors
}
