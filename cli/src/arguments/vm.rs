// SPDX-License-Identifier: Apache-2.0
//! `virtwarden vm`.

mod create;

use clap::{Args, Subcommand};
use virtwarden_core::object::Sensitivity;

pub(crate) use self::create::{VmCreateArguments, mebibytes};
use super::ChangeArguments;
use super::word::words;

/// What to do with VMs.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum VmVerb {
    /// List the VMs that you may see.
    List,
    /// Show one VM.
    Show {
        /// Name or UUID.
        vm: String,
    },
    /// Make a VM from a template. Row 3 of Table 3.
    ///
    /// It is defined as you would define it yourself, through the same gate and under the same rules; --assign and
    /// --information-domain take the right to administer besides. It is not started.
    #[command(after_help = create::EXAMPLES)]
    Create(VmCreateArguments),
    /// List the templates that VMs can be made from.
    Templates,
    /// Let people use a VM.
    Assign {
        /// Name or UUID.
        vm: String,
        /// Who shall have it.
        #[command(flatten)]
        people: PeopleArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Take a VM from people; without names, from everybody.
    Unassign {
        /// Name or UUID.
        vm: String,
        /// Who shall lose it.
        #[command(flatten)]
        people: PeopleArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Keep a VM's data with it, or end that. Rows 3, 8 and 21 of Table 3.
    ///
    /// A sensitive VM has no USB devices, no removable media and shares nothing, and nobody copies its disks, its memory
    /// or its screen: that is refused to Administrators too, until one of them ends it here.
    Sensitive {
        /// Name or UUID.
        vm: String,
        /// On or off.
        #[arg(value_parser = words([("on", Sensitivity::Sensitive), ("off", Sensitivity::Ordinary)]))]
        sensitivity: Sensitivity,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Put a VM into an information domain; without one, take it out of the one it is in.
    Domain {
        /// Name or UUID.
        vm: String,
        /// The information domain, as the policy defines it.
        information_domain: Option<String>,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
}

/// People, by account or group.
#[derive(Clone, Debug, Args)]
pub(crate) struct PeopleArguments {
    /// Accounts.
    #[arg(value_name = "USER")]
    pub(crate) users: Vec<String>,
    /// A group: all its members, now and later. May be given several times.
    #[arg(long = "group", short, value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
}

impl PeopleArguments {
    /// Nobody was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}
