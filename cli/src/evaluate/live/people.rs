// SPDX-License-Identifier: Apache-2.0
//! Somebody who exists for the time of an evaluation: an account nobody has a password for, with a role given to it as to
//! anybody else.

use std::path::Path;

use virtwarden_core::policy::Policy;
use virtwarden_core::policy::request::Right;
use virtwarden_core::policy::rule::Role;
use virtwarden_core::table3::Column;

use super::made::{Made, PREFIX, Thing};
use super::program::must;
use crate::exit::Failed;

/// An account of ours.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Its name.
    pub(super) name: String,
    /// The role that it was given.
    pub(super) role: String,
}

impl Person {
    /// Makes an account and gives it the role of a column that has most.
    pub(super) fn make(
        policy: &Policy,
        column: Column,
        word: &str,
        mark: &str,
        made: &mut Made,
    ) -> Result<Self, Failed> {
        let role = role(policy, column)?.name.clone();
        let name = account(word, mark, made)?;
        made.note(Thing::Role { role: role.clone(), account: name.clone() })?;
        must(&["virtwarden", "role", "add", &role, &name])?;
        Ok(Self { name, role })
    }

    /// Makes an account without a role.
    pub(super) fn passer_by(word: &str, mark: &str, made: &mut Made) -> Result<Self, Failed> {
        Ok(Self { name: account(word, mark, made)?, role: String::new() })
    }
}

fn account(word: &str, mark: &str, made: &mut Made) -> Result<String, Failed> {
    let name = format!("{PREFIX}{word}-{mark}");
    made.note(Thing::Account(name.clone()))?;
    add(&name, &made.directory().join(&name))?;
    Ok(name)
}

/// The account's password is locked: nothing but the key of this run opens it.
fn add(name: &str, home: &Path) -> Result<(), Failed> {
    let home = home.display().to_string();
    must(&[
        "useradd",
        "--create-home",
        "--home-dir",
        &home,
        "--shell",
        "/bin/bash",
        "--comment",
        "virtwarden evaluate",
        name,
    ])
    .map(drop)
}

/// The role that somebody of the column is given: the one that has its name, or else the one that may most.
fn role(policy: &Policy, column: Column) -> Result<&Role, Failed> {
    let can_be_given = |role: &&Role| role.column == column && !role.groups.is_empty();
    let may = |role: &&Role| {
        let rights = Right::all().filter(|right| role.holds(*right)).count();
        (role.name == column.word(), rights)
    };
    policy.rules().filter(can_be_given).max_by_key(may).ok_or_else(|| {
        Failed::error(format!(
            "no role of the {} column has a group, so nobody can be given one; say `--plan`",
            column.word()
        ))
    })
}
