// SPDX-License-Identifier: Apache-2.0
//! `virtwarden role`.

use clap::{Args, Subcommand};

use super::ChangeArguments;

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleVerb {
    /// List the roles and who holds them.
    List,
    /// Give somebody a role, by the role's group. Needs root.
    Add(MemberArguments),
    /// Take a role from somebody, by the role's group. Needs root.
    Remove(MemberArguments),
}

/// Who and which role.
#[derive(Clone, Debug, Args)]
pub(crate) struct MemberArguments {
    /// The role, as `virtwarden role list` names it.
    pub(crate) role: String,
    /// The account.
    pub(crate) user: String,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}
