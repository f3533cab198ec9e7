// SPDX-License-Identifier: Apache-2.0
//! `virtwarden role`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::ChangeArguments;

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleVerb {
    /// List the roles and who holds them.
    List,
    /// Say who can do what on which VM, through which role, group or rule, and who could do it past every role.
    Review(ReviewArguments),
    /// Give somebody a role, by the role's group. Needs root.
    Add(MemberArguments),
    /// Take a role from somebody, by the role's group. Needs root.
    Remove(MemberArguments),
}

/// Which part of the review, and in which form.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReviewArguments {
    /// Only what this account can do.
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username)]
    pub(crate) person: Option<String>,
    /// Only what can be done on this VM.
    #[arg(long, value_name = "NAME|UUID")]
    pub(crate) vm: Option<String>,
    /// In which order.
    #[arg(long, value_enum, default_value_t = Sorted::Person)]
    pub(crate) by: Sorted,
    /// Print comma-separated values.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sorted {
    /// By person, then by VM.
    Person,
    /// By VM, then by person.
    Vm,
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
