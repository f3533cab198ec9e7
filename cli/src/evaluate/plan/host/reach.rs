// SPDX-License-Identifier: Apache-2.0
//! Which cells of the table depend on a part of the host.

use virtwarden_core::table3::{Column, Function};

use crate::evaluate::report::{Cell, Claim, Verdict};
use crate::takeover::looks::About;
use crate::takeover::plan::Purpose;

/// Everything that is done through libvirt.
const LIBVIRT: &[Function] = &[
    Function::ConfigureVms,
    Function::ConfigureNetworks,
    Function::ConfigureDevices,
    Function::ConfigureSharing,
    Function::ConnectRemovable,
    Function::Start,
    Function::Stop,
    Function::Checkpoint,
    Function::Suspend,
    Function::Resume,
];

/// What an emulator of somebody's own comes to.
const EMULATOR: &[Function] = &[Function::ConfigureVms, Function::Start];

/// What one gets with a device of the host in hand.
const DEVICES: &[Function] = &[Function::ConfigureDevices, Function::ConnectRemovable];

/// What a log-in past the monitor undoes.
const LOGINS: &[Function] = &[Function::AuthorizationFactors, Function::LockoutPolicy];

/// What settingsd puts into the host's files.
const SETTINGS: &[Function] = &[
    Function::PasswordPolicy,
    Function::DefaultVms,
    Function::MediaPolicy,
    Function::Cryptography,
    Function::ScreenLock,
    Function::ScreenLockTimeout,
    Function::RemoteTimeout,
    Function::LockoutPolicy,
    Function::DirectoryServer,
    Function::AuditServer,
    Function::TimeServer,
    Function::Banner,
    Function::CertificateAction,
];

/// Which cells do not hold if a look goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Users get at these functions.
    Users(&'static [Function]),
    /// Administrators cannot perform them.
    Administrators(&'static [Function]),
    /// Neither column is as claimed.
    Both(&'static [Function]),
    /// One cell.
    One(Function, Column),
    /// Users get at everything that they are refused.
    WhateverIsRefused,
    /// Nobody performs what Administrators must.
    WhateverIsPerformed,
}

impl Reach {
    /// Whether a cell depends on it. What nothing on a host of ours carries depends on nothing.
    pub(super) fn covers(self, cell: &Cell) -> bool {
        let exercised = !matches!(cell.verdict, Verdict::NotExercised { .. });
        let (user, administrator) = (cell.column == Column::User, cell.column == Column::Administrator);
        exercised
            && match self {
                Self::Users(functions) => user && functions.contains(&cell.function),
                Self::Administrators(functions) => administrator && functions.contains(&cell.function),
                Self::Both(functions) => functions.contains(&cell.function),
                Self::One(function, column) => (cell.function, cell.column) == (function, column),
                Self::WhateverIsRefused => user && cell.claim == Claim::Refused,
                Self::WhateverIsPerformed => administrator && cell.claim == Claim::Performs,
            }
    }

    /// What depends on a part of the takeover.
    pub(super) fn of(about: About) -> Self {
        match about {
            About::Takeover(purpose) => of_purpose(purpose),
            About::VmHook => {
                Self::Both(&[Function::ConfigureSharing, Function::MediaPolicy, Function::Start])
            }
            About::NetworkHook => Self::Both(&[Function::ConfigureNetworks]),
            About::Unit(unit) => of_unit(unit),
            About::Bypass | About::StrongGroup("virtwarden") => Self::Users(LIBVIRT),
            About::RootSockets => Self::Users(&[Function::ConfigureVms, Function::ManageAudit]),
            About::StrongGroup("kvm") | About::OwnDaemons => Self::Users(EMULATOR),
            About::StrongGroup("libvirt-qemu") => {
                Self::Users(&[Function::ConfigureVms, Function::ConfigureSharing, Function::Stop])
            }
            About::StrongGroup("shadow") => Self::Users(&[Function::AuthorizationFactors]),
            About::StrongGroup(_) => Self::WhateverIsRefused,
            About::Administrators => Self::WhateverIsPerformed,
            About::BridgeHelpers => Self::Users(&[Function::ConfigureNetworks]),
            About::Logins => Self::Both(LOGINS),
        }
    }
}

fn of_purpose(purpose: Purpose) -> Reach {
    match purpose {
        Purpose::Administrators => Reach::WhateverIsPerformed,
        Purpose::Sockets | Purpose::Remote | Purpose::SharedIdentity | Purpose::Polkit => {
            Reach::Users(LIBVIRT)
        }
        Purpose::Emulators | Purpose::Device => Reach::Users(EMULATOR),
        Purpose::Updates => Reach::Users(&[Function::UpdateSystem]),
        Purpose::UsbHelper => Reach::Users(DEVICES),
        Purpose::Hooks => Reach::Both(&[Function::Start]),
        Purpose::Gate => Reach::Both(LIBVIRT),
        Purpose::Logins => Reach::Both(LOGINS),
    }
}

/// What nobody can do, and no rule holds for, while a unit does not run.
fn of_unit(unit: &str) -> Reach {
    match unit {
        "virtwarden-login.socket" => Reach::Both(LOGINS),
        "virtwarden-settingsd.socket" => Reach::Administrators(SETTINGS),
        "virtwarden-elevate.socket" => Reach::One(Function::AuthorizationFactors, Column::Administrator),
        "virtwarden-witness.service" => Reach::One(Function::ManageAudit, Column::Administrator),
        "virtwarden-control.socket" => Reach::WhateverIsPerformed,
        _ => Reach::Both(LIBVIRT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(function: Function, column: Column, claim: Claim, verdict: Verdict) -> Cell {
        Cell { function, column, table: function.cell(column), claim, verdict, steps: Vec::new() }
    }

    #[test]
    fn a_way_past_the_monitor_is_wrong_with_users_and_with_what_libvirt_carries_alone() {
        let reach = Reach::of(About::Bypass);
        let covers = |function, column| reach.covers(&cell(function, column, Claim::Refused, Verdict::Pass));
        assert!(covers(Function::ConfigureNetworks, Column::User) && covers(Function::Stop, Column::User));
        assert!(!covers(Function::ConfigureNetworks, Column::Administrator));
        assert!(!covers(Function::Banner, Column::User));
    }

    #[test]
    fn what_nothing_carries_depends_on_nothing() {
        let withdrawn = Verdict::not_exercised("withdrawn");
        let cell = cell(Function::Hypercalls, Column::User, Claim::Refused, withdrawn);
        assert!(!Reach::WhateverIsRefused.covers(&cell));
    }

    #[test]
    fn every_unit_and_every_strong_group_is_about_some_cell() {
        for about in
            ["virtwarden-policyd.service", "virtwarden-witness.service", "libvirtd.socket"].map(About::Unit)
        {
            assert_ne!(Reach::of(about), Reach::Users(&[]));
        }
        let user = cell(Function::ManageAudit, Column::User, Claim::Refused, Verdict::Pass);
        assert!(Reach::of(About::StrongGroup("disk")).covers(&user));
        assert!(!Reach::of(About::StrongGroup("kvm")).covers(&user));
    }
}
