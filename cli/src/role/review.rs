// SPDX-License-Identifier: Apache-2.0
//! `virtwarden role review`: who can do what on which VM, and who could do it past every role.

use std::path::Path;

use serde::Serialize;
use virtwarden_core::control::{AccessRow, AccessTo, Reply, Request};
use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Column;

use crate::arguments::{ReviewArguments, Sorted};
use crate::client::{Client, ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output, listed};
use crate::{csv, takeover};

const HEADERS: [&str; 7] = ["PERSON", "ON", "MAY", "ROLE", "COLUMN", "THROUGH", "REACH"];

/// What a review shows.
#[derive(Debug, Serialize)]
struct Review {
    access: Vec<AccessRow>,
    /// People whose groups are stronger than any role, one sentence each.
    dangerous: Vec<String>,
}

/// Prints the review.
pub(super) fn review(arguments: &ReviewArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let mut access = Vec::new();
    Client::connect(socket)?.stream(&Request::RoleReview, |reply| {
        let Reply::Access(row) = reply else { return Err(unexpected()) };
        access.push(row);
        Ok(())
    })?;
    exists(&access, arguments, socket)?;
    access.retain(|row| is_asked_for(row, arguments));
    sort(&mut access, arguments.by);
    let dangerous = takeover::dangerous_people()?;
    if arguments.csv {
        output.text(&csv::line(HEADERS.map(str::to_lowercase)))?;
        return access.iter().try_for_each(|row| output.text(&csv::line(cells(row))));
    }
    if output.format() == Format::Json {
        return output.json(&Review { access, dangerous });
    }
    output.table(HEADERS, access.iter().map(cells))?;
    dangerous.iter().try_for_each(|what| output.line(&format!("DANGEROUS: {what}")))
}

/// A name that was mistyped is not one that nobody can do anything with.
fn exists(access: &[AccessRow], arguments: &ReviewArguments, socket: &Path) -> Result<(), Failed> {
    if let Some(vm) = &arguments.vm
        && !access.iter().any(|row| is_named(&row.to, vm))
    {
        ask(socket, &Request::VmShow { vm: vm.clone() })?;
    }
    match &arguments.person {
        Some(person) if !access.iter().any(|row| row.person == *person) => {
            let found = nix::unistd::User::from_name(person);
            let message = format!("there is no user `{person}`");
            let nobody = Failed { exit: Exit::NotFound, message };
            found.ok().flatten().map(drop).ok_or(nobody)
        }
        Some(_) | None => Ok(()),
    }
}

fn is_named(to: &AccessTo, typed: &str) -> bool {
    match to {
        AccessTo::Host | AccessTo::EveryVm => false,
        AccessTo::Vm { uuid, name } => name == typed || uuid.to_string() == typed,
    }
}

/// Who reaches every VM reaches the one that is asked for.
fn is_asked_for(row: &AccessRow, arguments: &ReviewArguments) -> bool {
    let of_person = arguments.person.as_ref().is_none_or(|person| row.person == *person);
    let on_vm = arguments.vm.as_ref().is_none_or(|typed| match &row.to {
        AccessTo::Host => false,
        AccessTo::EveryVm => true,
        AccessTo::Vm { .. } => is_named(&row.to, typed),
    });
    of_person && on_vm
}

fn sort(rows: &mut [AccessRow], by: Sorted) {
    rows.sort_by(|one, other| {
        let people = one.person.cmp(&other.person);
        match by {
            Sorted::Person => people.then_with(|| key(&one.to).cmp(&key(&other.to))),
            Sorted::Vm => key(&one.to).cmp(&key(&other.to)).then(people),
        }
    });
}

/// The host, then every VM, then each by its name.
fn key(to: &AccessTo) -> (u8, &str) {
    match to {
        AccessTo::Host => (0, ""),
        AccessTo::EveryVm => (1, ""),
        AccessTo::Vm { name, .. } => (2, name),
    }
}

fn cells(row: &AccessRow) -> [String; 7] {
    let to = match &row.to {
        AccessTo::Host => "the host".to_owned(),
        AccessTo::EveryVm => "every VM".to_owned(),
        AccessTo::Vm { name, .. } => name.clone(),
    };
    let column = match row.column {
        Column::Administrator => "administrator",
        Column::User => "user",
    };
    [
        row.person.clone(),
        to,
        rights(&row.rights),
        row.role.clone(),
        column.to_owned(),
        row.through.join("; "),
        row.reach.clone(),
    ]
}

/// Rows of the table as ranges, then the rights that it has no rows for.
fn rights(rights: &[Right]) -> String {
    let functions: Vec<_> = rights
        .iter()
        .filter_map(|right| match right {
            Right::Function(function) => Some(*function),
            Right::View | Right::Operate | Right::Guest | Right::Administer | Right::Review | Right::Raw => {
                None
            }
        })
        .collect();
    let rows = (!functions.is_empty()).then(|| crate::functions::ranges(&functions));
    let beyond = rights.iter().filter(|right| !matches!(right, Right::Function(_)));
    listed(rows.into_iter().chain(beyond.map(|right| right.word().to_owned())))
}

#[cfg(test)]
mod tests {
    use virtwarden_core::object::Uuid;
    use virtwarden_core::table3::Function;

    use super::*;

    fn row(person: &str, to: AccessTo) -> AccessRow {
        AccessRow {
            person: person.to_owned(),
            to,
            rights: vec![Right::Function(Function::Start), Right::Function(Function::Stop), Right::Operate],
            role: "user".to_owned(),
            column: Column::User,
            through: vec!["group libvirt".to_owned()],
            reach: "assigned to bob".to_owned(),
            place: "90-default.toml:91:1".to_owned(),
        }
    }

    fn vm(name: &str) -> AccessTo {
        AccessTo::Vm { uuid: Uuid([1; 16]), name: name.to_owned() }
    }

    fn asked(person: Option<&str>, vm: Option<&str>) -> ReviewArguments {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ReviewArguments { person: owned(person), vm: owned(vm), by: Sorted::Person, csv: false }
    }

    #[test]
    fn whoever_reaches_every_vm_is_shown_with_each() {
        for (to, shown) in
            [(vm("bobvm"), true), (AccessTo::EveryVm, true), (vm("finance"), false), (AccessTo::Host, false)]
        {
            assert_eq!(is_asked_for(&row("bob", to), &asked(None, Some("bobvm"))), shown);
        }
        assert!(!is_asked_for(&row("bob", AccessTo::Host), &asked(Some("alice"), None)));
    }

    #[test]
    fn lines_go_by_person_or_by_vm() {
        let mut rows = [
            row("bob", vm("b")),
            row("alice", AccessTo::EveryVm),
            row("bob", vm("a")),
            row("alice", AccessTo::Host),
        ];
        let order = |rows: &[AccessRow]| rows.iter().map(|row| cells(row)[..2].join(" ")).collect::<Vec<_>>();
        sort(&mut rows, Sorted::Person);
        assert_eq!(order(&rows), ["alice the host", "alice every VM", "bob a", "bob b"]);
        sort(&mut rows, Sorted::Vm);
        assert_eq!(order(&rows), ["alice the host", "alice every VM", "bob a", "bob b"]);
        assert_eq!(cells(&rows[2])[2], "22-23,operate");
    }
}
