// SPDX-License-Identifier: Apache-2.0
//! Items of public guidance on the subject of a row: DISA's Virtual Machine Manager Security Requirements Guide,
//! version 2, by the identifiers of its requirements. A row that no item of it speaks of has none.

use virtwarden_core::table3::Function;

/// The items on a function's subject.
pub(super) const fn of(function: Function) -> &'static [&'static str] {
    match function {
        // Minimum length; lower-case letters.
        Function::PasswordPolicy => &["SRG-OS-000078-VMM-000450", "SRG-OS-000070-VMM-000370"],
        // Functions of users apart from functions of management; for sharing also: no transfer by shared resources.
        Function::ConfigureVms
        | Function::DefaultVms
        | Function::ConfigureNetworks
        | Function::ConfigureDevices
        | Function::MediaPolicy => &["SRG-OS-000132-VMM-000650"],
        Function::ConfigureSharing => &["SRG-OS-000132-VMM-000650", "SRG-OS-000138-VMM-000670"],
        // Audit information: no reading, no modification, no deletion by those who may not.
        Function::ManageAudit => {
            &["SRG-OS-000057-VMM-000260", "SRG-OS-000058-VMM-000270", "SRG-OS-000059-VMM-000280"]
        }
        // Whoever sits there can lock.
        Function::ScreenLock => &["SRG-OS-000030-VMM-000110"],
        // A session lock after 15 minutes.
        Function::ScreenLockTimeout => &["SRG-OS-000029-VMM-000100"],
        // Connections of idle sessions end; sessions end.
        Function::RemoteTimeout => &["SRG-OS-000163-VMM-000700", "SRG-OS-000279-VMM-001010"],
        // Three invalid attempts in 15 minutes; locked until an administrator releases the account.
        Function::LockoutPolicy => &["SRG-OS-000021-VMM-000050", "SRG-OS-000329-VMM-001180"],
        // Records go to another system.
        Function::AuditServer => &["SRG-OS-000342-VMM-001230"],
        // Clocks are compared with an authoritative source.
        Function::TimeServer => &["SRG-OS-000355-VMM-001330"],
        // The banner before access.
        Function::Banner => &["SRG-OS-000023-VMM-000060"],
        Function::UpdateSystem
        | Function::Hypercalls
        | Function::Cryptography
        | Function::AuthorizationFactors
        | Function::DirectoryServer
        | Function::ConnectRemovable
        | Function::Start
        | Function::Stop
        | Function::Checkpoint
        | Function::Suspend
        | Function::Resume
        | Function::CertificateAction => &[],
    }
}

/// The items on the subject of a scenario, which is that of the row with the same requirement.
pub(super) fn of_requirement(requirement: &str) -> &'static [&'static str] {
    match requirement {
        "FIA_AFL_EXT.1" => of(Function::LockoutPolicy),
        "FIA_PMG_EXT.1" => of(Function::PasswordPolicy),
        "FTA_TAB.1" => of(Function::Banner),
        "FDP_VMS_EXT.1" => of(Function::ConfigureSharing),
        "FAU_STG.1" => of(Function::ManageAudit),
        "FAU_STG_EXT.1" => of(Function::AuditServer),
        _ => &[],
    }
}
